#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Holds bine-explore to its manual: how many schedules there are, which of them fail, that a path leads to the
# same again, what becomes of programs that crash, hang or cannot be explored, and what wrong usage is told.
#
#   CC=cc O=build/native tests/explore/check.sh
#
# O: where libbine.so and bine-explore were built; the checked library is next to it, in $O-check.
set -u
cd "$(dirname "$0")/../.." || exit 1
CC=${CC:-cc}
O=${O:-${BUILD:-build}/native}
explore=$O/bine-explore
for needed in "$explore" "$O/libbine.so" "$O-check/libbine-check.so" "$O-check/libbine-check.a"; do
    test -e "$needed" || {
        echo "tests/explore: $needed is not built: make all"
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0
said=$work/said

build() { $CC -std=gnu11 -g -O1 -Wall -Wextra -Iinclude "$@" || exit 1; }
absolute=$(cd "$O" && pwd)
build -o "$work/cases" tests/explore/cases*.c -L"$O" -lbine -Wl,-rpath,"$absolute"
build -o "$work/linked" tests/explore/cases*.c "$O-check/libbine-check.a" -pthread

good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL $1"
    sed 's/^/    | /' "$said"
}
# told <what> <pattern>...: each stands in what was said.
told() {
    what=$1
    shift
    for pattern; do
        grep -Eq -e "$pattern" "$said" && continue
        echo "not said: $pattern" >>"$said"
        bad "$what"
        return
    done
    good
}
# run <status> <what> <argument>...: exits so.  What it says is kept.  The limits are such that a slow machine does not
# come near them, and it does not begin to compare states because it is slow; what is about these says so itself.
plainly=--no-merge
run() {
    expected=$1 what=$2
    shift 2
    case " $* " in
    *' --merge '* | *' --no-merge '*) set -- --time 500 --run-time 100 "$@" ;;
    *) set -- --time 500 --run-time 100 $plainly "$@" ;;
    esac
    timeout -k 5 600 "$explore" --quiet "$@" >"$said" 2>&1 </dev/null
    status=$?
    test $status = "$expected" && return
    echo "status $status instead of $expected of: bine-explore $*" >>"$said"
    bad "$what"
    return 1
}
# expect <status> <what> <pattern> <argument>...
expect() {
    status_wanted=$1 what=$2 pattern=$3
    shift 3
    run "$status_wanted" "$what" "$@" && told "$what" "$pattern"
}
# n tasks of k slices each: the multinomial coefficient
orders() {
    awk -v n="$1" -v k="$2" 'function f(x) { return x < 2 ? 1 : x * f(x - 1) } BEGIN { printf "%d", f(n * k) / f(k) ^ n }'
}

# ---- Counts --------------------------------------------------------------------------------------------

for program in cases linked; do
    for shape in '1 4' '2 1' '2 2' '2 3' '2 4' '3 1' '3 2'; do
        # shellcheck disable=SC2086 # two numbers
        n=$(orders $shape)
        # shellcheck disable=SC2086
        expect 0 "$program: $shape slices" "^$n schedules?, all there are: 0 failed" \
            -- "$work/$program" slices $shape
    done
done
expect 0 'in the order of the run queue there is one' '^1 schedule, all' --fifo -- "$work/cases" slices 3 3
expect 0 'two sleepers, any timer next' '^6 schedules, all' -- "$work/cases" sleepers 2
expect 0 'three sleepers, any timer next' '^90 schedules, all' -- "$work/cases" sleepers 3
expect 0 'three sleepers, time in order' '^6 schedules, all' --timers ordered -- "$work/cases" sleepers 3
expect 0 'three sleepers, first in first out' '^1 schedule, all' --fifo --timers ordered \
    -- "$work/cases" sleepers 3
expect 66 'a draw between two' '^2 schedules, all there are: 1 failed' --keep-going -- "$work/cases" select

# ---- States that come again ----------------------------------------------------------------------------

# 17153136 schedules, of few states
expect 0 'three tasks of six slices' '^[0-9]+ schedules, all there are but for those that [0-9]+ of them' \
    --merge -- "$work/cases" add 3 6
expect 0 'linked statically' '^[0-9]+ schedules, all there are but for those that [0-9]+ of them' \
    --merge -- "$work/linked" add 3 6
expect 66 'a needle is still there' '1 failed' --merge -- "$work/cases" needle 2 3
expect 66 'a crash is still there' 'killed by signal 11' --merge -- "$work/cases" crash
expect 66 'the one way to lose no update is still there' 'signal 6' --merge -- "$work/cases" update 3 3
expect 66 'a register is part of the state' 'signal 6' --merge -- "$work/cases" register
expect 66 'and so is the time, once somebody asks' 'signal 6' --merge -- "$work/cases" clock
expect 66 'two rounds of it' '[0-9]+ schedules, all there are.*: [1-9][0-9]* failed' --merge --keep-going -- "$work/cases" clock
# What is in the kernel only: whose letter comes first, in a pipe, a pair of sockets, a connection, a listener's queue,
# that of a Unix-domain one, as datagrams of UDP, as packets and datagrams of a pair.
for kind in 0 1 2 3 4 5 6 7; do
    for letter in 0 8; do
        expect 66 "letter $letter in kind $kind" '^[0-9]+ schedules, all there are.*: [1-9][0-9]* failed' \
            --merge --keep-going -- "$work/cases" mail 2 $((kind + letter))
        if grep -q 'not compared' "$said"; then bad "kind $kind is compared"; else good; fi
    done
done
expect 66 'a short read through states' 'signal 6' --merge -- "$work/cases" pipe 4
expect 66 'a long read through states' 'signal 6' --merge -- "$work/cases" pipe 2
expect 66 'a write that never waits, through states' 'signal 6' --merge -- "$work/cases" log
for empty in 0 1; do
    expect 66 "an eventfd's value, $empty" '^[0-9]+ schedules, all there are.*: [1-9][0-9]* failed' \
        --merge --keep-going -- "$work/cases" event 2 $empty
    if grep -q 'not compared' "$said"; then bad 'an eventfd is compared'; else good; fi
done
expect 0 'a file that is written' '^[0-9]{1,3} schedules, all there are but for those' --merge -- "$work/cases" logged 2 6
# More than 20000 schedules without, and 1373 where who is first has the lower number.
expect 0 'a server and two clients' '^[0-9]{1,3} schedules, all there are but for those that [0-9]+ of them' \
    --merge --time 90 -- "$work/cases" server
expect 66 'and a bug in it' 'signal 6' --merge --time 90 -- "$work/cases" server 1
for way in --merge --no-merge; do
    expect 66 "a number that is somebody else's by now, $way" 'signal 6' $way -- "$work/cases" lent
done
expect 0 'a child process is not a part of the state' '^States were not compared: the program reads files' \
    --merge --patience 60 -- "$work/cases" child
expect 0 'a loop that waits' 'all there are' --merge -- "$work/cases" spin
expect 0 'stacks of generators are compared' '^[0-9]{1,3} schedules, all there are but for those' \
    --merge -- "$work/cases" generators 2 4
for what in 0 1; do # in a file, in memory that the program maps
    run 66 'what is not in memory is not missed' --merge -- "$work/cases" letter 2 $what &&
        told 'and it is said that states are not compared' '^States were not compared: the program reads files'
done
plainly=''
expect 0 'what takes long is ended by comparing states' 'It took long: after the first [0-9]+ of them all began again' \
    -- "$work/cases" add 3 6
plainly=--no-merge
expect 3 'unless that is not wanted' '^Stopped after 3 s: not all' --time 3 --no-merge -- "$work/cases" add 3 6

# What may come of it is the same with states and without: no schedule that ends otherwise is taken for another.
outcomes() {
    "$explore" --quiet --time 500 --run-time 100 --keep-going --no-shrink "$@" >"$said" 2>&1 </dev/null
    grep -q 'all there are' "$said" && sed -n 's/^failed: it \(.*\)$/\1/p' "$said" | sort -u
}
for program in 'locked 2 2' 'locked 3 1' 'rwlocked 2 2' 'rwlocked 3 1' 'taken 2 2' 'taken 3 1' 'fed 2 2' 'mail 2 0' 'mail 2 3' \
    'mail 2 4' 'mail 2 5' 'mail 2 6' 'mail 2 7' 'event 2 0' 'event 2 1' 'update 2 3' 'update 3 2'; do
    # shellcheck disable=SC2086 # a name and two numbers
    outcomes --no-merge -- "$work/cases" $program >"$work/one"
    # shellcheck disable=SC2086
    outcomes --merge -- "$work/cases" $program >"$work/two"
    if test -s "$work/one" && cmp -s "$work/one" "$work/two"; then good; else
        diff "$work/one" "$work/two" >>"$said"
        bad "$program: the same outcomes"
    fi
done
# What a wait that is over has left in memory, and who of two others wakes first, tells no states apart: these were 4483
# and 734.
expect 0 'three tasks and a lock' '^[12]?[0-9]{1,3} schedules, all there are' --merge -- "$work/cases" locked 3 2 calm
expect 0 'two tasks in generators' '^[1-3]?[0-9]{1,2} schedules, all there are' --merge -- "$work/cases" taken 2 3 calm
plainly=''
expect 0 'pipes are compared without being asked to' 'It took long: after the first [0-9]+ of them all began again' \
    --jobs 1 -- "$work/cases" fed 2 4 calm
expect 3 'why it did not help' '^States were not compared: the program reads files' --time 8 -- "$work/cases" timed 3 9
plainly=--no-merge

# ---- Needles -------------------------------------------------------------------------------------------

expect 66 'one of twenty' '^20 schedules, all there are: 1 failed' --keep-going -- "$work/cases" needle 2 3
expect 66 'one of ninety' '^90 schedules, all there are: 1 failed' --keep-going -- "$work/cases" needle 3 2
expect 66 'by chance' ': 1 failed' --random 1000 --seed 5 --jobs 1 -- "$work/cases" needle 2 3
expect 66 'by priorities' ': 1 failed' --pct 3000 --depth 5 --seed 7 --jobs 1 -- "$work/cases" needle 2 3
expect 66 'a crash' 'killed by signal 11' -- "$work/cases" crash
expect 0 'by chance, and none there' '^200 schedules \(random, seed 9\), [0-9]+ different: 0 failed' \
    --random 200 --seed 9 -- "$work/cases" slices 2 3
expect 66 'a write that never waits' 'failed: it was killed by signal 6' -- "$work/cases" log
expect 0 'unless it is told not to' 'all there are: 0 failed' --eager-io -- "$work/cases" log

# The same seed, the same schedules; another one, others.
run 66 'a seed' --random 500 --seed 3 --jobs 1 -- "$work/cases" needle 2 3 && grep -e \
    --path "$said" >"$work/one"
run 66 'a seed again' --random 500 --seed 3 --jobs 1 -- "$work/cases" needle 2 3 && grep -e \
    --path "$said" >"$work/two"
if test -s "$work/one" && cmp -s "$work/one" "$work/two"; then good; else bad 'the same seed finds the same'; fi

# A seed next to it draws others: not the same but for the first.
run 66 'another seed' --random 500 --seed 4 --jobs 1 -- "$work/cases" needle 2 3
first=$(sed -n 's/.*--path \([^ ]*\) .*/\1/p' "$work/one") at=$(sed -n 's/^\([0-9]*\) schedules.*/\1/p' "$said")
run 66 'a seed, its number' --random 500 --seed 3 --jobs 1 -- "$work/cases" needle 2 3
if test -n "$first" && test "$at" != $(($(sed -n 's/^\([0-9]*\) schedules.*/\1/p' "$said") - 1)); then
    good
else
    bad 'seeds draw schedules of their own'
fi

# ---- Paths ---------------------------------------------------------------------------------------------

run 66 'finds the needle' -- "$work/cases" needle 2 3
path=$(sed -n 's/.*--path \([^ ]*\) .*/\1/p' "$said")
told 'how to go there again' "bine-explore --path $path -- $work/cases needle 2 3" "gdb .*BINE_EXPLORE_PATH=$path.* --args" \
    'yields: bine_yield\(\) at tests/explore/cases.c:[0-9]+ in slices\(\)'
run 66 'follows it' --path "$path" -- "$work/cases" needle 2 3 && mv "$said" "$work/one"
run 66 'follows it again' --path "$path" -- "$work/cases" needle 2 3 && cp "$said" "$work/two"
if cmp -s "$work/one" "$work/two"; then good; else bad 'a path leads to the same, word for word'; fi
expect 0 'the first schedule' 'This schedule does not fail' --path first -- "$work/cases" needle 2 3
expect 4 'another program' 'does not fit this program: at point [0-9]+ there is another choice' \
    --path "$path" -- "$work/cases" slices 3 3
expect 4 'a program that ends before' 'ends before' --path 0:1/2,40:1/2 -- "$work/cases" needle 2 3
for wrong in '' x 0:1 '1:1/2,' 0:2/2 1:1/2,0:1/2 0:1/2q ' 0:1/2' -1:1/2 +1:1/2 4294967296:1/2 1:1/65538 \
    0:1/2qfffffffff 0:1/2x first,0:1/2 '0:1/2
'; do
    expect 2 "\"$wrong\" is no path" 'is not a path' --path "$wrong" -- "$work/cases" needle 2 3
    BINE_EXPLORE_PATH=$wrong "$work/linked" needle 2 3 >"$said" 2>&1
    status=$?
    if test $status = 2; then
        told 'nor without the tool' 'BINE_EXPLORE_PATH: not a path'
    else
        bad "\"$wrong\": $status"
    fi
done
for misfit in 0:1/7 0:1/2,40:1/2; do
    BINE_EXPLORE_PATH=$misfit "$work/linked" needle 2 3 >"$said" 2>&1
    status=$?
    if test $status = 4; then told 'nor fits' 'BINE_EXPLORE_PATH does not fit'; else bad "$misfit: status $status"; fi
done
BINE_EXPLORE_PATH=$path "$work/linked" needle 2 3 >"$said" 2>&1
status=$?
if test $status = 134; then good; else bad "without the tool: status $status"; fi

# Many picks at random come down to few.
run 66 'a long way round' --random 1000 --seed 5 --no-shrink -- "$work/cases" crash
long=$(sed -n 's/.*--path \([^ ]*\) .*/\1/p' "$said" | tr -cd , | wc -c)
run 66 'made short' --random 1000 --seed 5 -- "$work/cases" crash
short=$(sed -n 's/.*--path \([^ ]*\) .*/\1/p' "$said" | tr -cd , | wc -c)
if test "$short" -le "$long"; then good; else bad "$short picks instead of $long"; fi

# ---- Time ----------------------------------------------------------------------------------------------

expect 0 'a sleep, a deadline, or both' '^[34] schedules, all there are: 0 failed' -- "$work/cases" deadline 5
for way in 1 2 3; do
    expect 66 "way $way of a deadline" 'signal 6' -- "$work/cases" deadline 5 $way
done
expect 0 'a deadline that is sure to come first' ' all there are: 0 failed' -- "$work/cases" deadline 20 1
expect 66 'a watchdog barks' 'the deadline of a scope passes \(set for 60.0' -- "$work/cases" watchdog
expect 0 'not where limits keep their place' 'all there are: 0 failed' --timers limits \
    -- "$work/cases" watchdog
expect 0 'nor in order' 'all there are: 0 failed' --timers ordered -- "$work/cases" watchdog
expect 66 'cancelled too late' '^5 schedules, all there are: 2 failed' --keep-going -- "$work/cases" too_late
expect 66 'while its sleep was over' 'before its task runs' --path 1:0/2q2 -- "$work/cases" too_late
expect 66 'a callback, and others before whom it wakes' 'a timer fires' -- "$work/cases" alarm
expect 0 'callbacks come first' 'all there are: 0 failed' -- "$work/cases" callbacks

# ---- Descriptors ---------------------------------------------------------------------------------------

expect 0 'a pipe' 'all there are: 0 failed' -- "$work/cases" pipe
expect 66 'a short read' 'signal 6' -- "$work/cases" pipe 4
expect 66 'a long read' 'signal 6' -- "$work/cases" pipe 2
expect 0 'a connection' 'all there are: 0 failed' -- "$work/cases" tcp
expect 0 'a child process' 'all there are: 0 failed' --patience 60 -- "$work/cases" child
expect 0 'two that are as fast as they like' '^[0-9]+ schedules, all there are: 0 failed' \
    --patience 60 -- "$work/cases" children 2

# ---- What goes wrong -----------------------------------------------------------------------------------

run 66 'a deadlock' -- "$work/cases" deadlock && told 'a deadlock' 'failed: nothing can ever run again' 'in a circle'
run 66 'waits for a pipe that nobody writes to' -- "$work/cases" stuck &&
    told 'a pipe that nobody writes to' 'failed: nothing can ever run again' '^Some waited for something outside'
expect 66 'a failure nobody looked at' 'failed and nobody looked' -- "$work/cases" lost
expect 0 'a loop that waits for another task' 'let go round 6 times at most' -- "$work/cases" spin
expect 66 'an endless loop with yields' 'does not end: more than 200 steps' --steps 200 -- "$work/cases" round
run 66 'a very long one' --steps 2000 -- "$work/cases" round
told 'its middle is left out' '^ +\.\.\. 1600 steps' 'does not end: more than 2000 steps'
if grep -q 'another way' "$said"; then bad 'and it goes the same way again'; else good; fi
expect 66 'an endless loop without' "does not end: task 1 'main' holds the loop for more than 1 s" \
    --run-time 1 -- "$work/cases" hog
expect 66 'endless output' 'writes without end' -- "$work/cases" flood
expect 1 'a program that does not use bine' 'ran no loop' -- /bin/true
expect 66 'one that fails before it does' 'ended with status 7' -- "$work/cases" status
told 'and that no loop was seen' '^It ran no loop that can be explored'
run 66 'which limit is reached first may differ' --run-time 0.5 --steps 100000000 -- "$work/cases" round
if grep -q 'another way' "$said"; then bad 'and is nothing to tell'; else good; fi
MOODY=$work/moody
export MOODY
expect 3 'no two runs alike' 'did not go as told|went another way' -- "$work/cases" moody
expect 3 'out of time' '^Stopped after 1 s: not all schedules were run, [0-9]+ more' --time 1 \
    -- "$work/cases" slices 3 9
# end <signal>: by that, later where it had not begun by then.  The program gets it, too.
end() {
    for seconds in 3 15 60; do
        timeout -k 60 -s "$1" $seconds "$explore" --time 500 -- "$work/cases" slices 3 9 >"$said" 2>&1
        status=$?
        grep -q '^Interrupted' "$said" && break
    done
}
end INT
told "interrupted ($status)" '^Interrupted: not all schedules were run'
end TERM
told "terminated ($status)" '^Interrupted: not all schedules were run'
# A run that would never end does not keep it; what it says, and the status, are those of a search that was cut short.
for mode in --all '--path first'; do
    for seconds in 3 15 60; do
        # shellcheck disable=SC2086 # an option and its argument
        timeout -k 60 -s INT $seconds "$explore" --run-time 0 --quiet $mode -- "$work/cases" hog >"$said" 2>&1 </dev/null
        echo "status $?" >>"$said"
        grep -qi '^\(bine-explore: \)\?interrupted' "$said" && break
    done
    told "$mode: interrupted in a run without end" '^(Interrupted: |bine-explore: interrupted)' 'status (3|124)'
done

# ---- Formats -------------------------------------------------------------------------------------------

run 66 json --format=json --keep-going -- "$work/cases" needle 2 3 &&
    told json '"schedules":20,"failed":1,"complete":true' '"rule":"signal"' '"path":"[0-9:/,]+"' '"trace":\["'
run 0 'a path that does not fail' --format=json --path first -- "$work/cases" slices 2 2 &&
    told 'is told, too' '"failed":0,.*"choices":[1-9][0-9]*,"steps":[1-9][0-9]*,' '"findings":\[\],"trace":\["'
run 66 sarif --format=sarif -- "$work/cases" needle 2 3 &&
    told sarif '"version":"2.1.0"' '"ruleId":"signal"' '"uri":"tests/explore/cases.c"' '"startLine":[0-9]+' '"codeFlows"'
if command -v python3 >/dev/null; then
    for format in json sarif; do
        "$explore" --quiet --format=$format -- "$work/cases" deadlock >"$said" 2>&1
        if python3 -m json.tool <"$said" >/dev/null 2>&1; then good; else bad "$format can be parsed"; fi
    done
else
    skipped=$((skipped + 2))
fi
# Names that JSON and URIs do not take as they are; what is written is not all text.
odd="$work/o\"d d'ü"
mkdir "$odd" && cp tests/explore/cases*.[ch] "$odd" && mv "$odd/cases_wrong.c" "$odd/ca ses%ü.c"
(cd "$odd" && $CC -std=gnu11 -g -I"$OLDPWD/include" -o 'ca ses' cases*.c 'ca ses%ü.c' -L"$absolute" -lbine \
    -Wl,-rpath,"$absolute") || exit 1
run 66 'odd names in json' --format=json -- "$odd/ca ses" binary &&
    told 'odd names in json' "o\\\\\"d d'ü/ca ses\"" '"output":"\?ü\\u00fc\\u001b\\n"'
run 66 'odd names in sarif' --format=sarif -- "$odd/ca ses" deadlock && told 'a URI' '"uri":"ca%20ses%25%C3%BC\.c"'
for format in text json sarif; do
    timeout 100 "$explore" --quiet --format=$format -- "$work/cases" binary 2>"$said" >/dev/full
    status=$?
    if test $status = 1; then told 'a full disk' 'cannot be written'; else bad "a full disk: $status"; fi
    timeout 100 "$explore" --quiet --format=$format --path first -- "$work/cases" binary 2>"$said" >/dev/full
    status=$?
    if test $status = 1; then told 'one path' 'cannot be written'; else bad "one path, a full disk: $status"; fi
done
run 66 colour --color=always -- "$work/cases" crash && told colour "$(printf '\033')\\[1;31mfailed"
# On a terminal, unless that can show none or nobody wants any; empty is not set (no-color.org).
on_a_terminal() { TERM=$1 NO_COLOR=$2 script -qec "$explore --quiet -- $work/cases crash" /dev/null >"$said" </dev/null 2>&1; }
on_a_terminal xterm ''
if test $? = 66; then # there is one to be had
    told 'colour on a terminal' "$(printf '\033')\\[1;31mfailed"
    for plain in 'dumb ' 'xterm 1'; do
        on_a_terminal "${plain% *}" "${plain#* }"
        told "none: $plain" '^failed: '
    done
else
    skipped=$((skipped + 3))
fi

# ---- Usage ---------------------------------------------------------------------------------------------

usage() {
    what=$1 pattern=$2
    shift 2
    expect 2 "$what" "$pattern" "$@"
    grep -q 'Try bine-explore --help' "$said" || bad "$what: no hint"
}
usage 'no program' 'which program' --all
usage 'an unknown option' 'no option --nonsense' --nonsense -- "$work/cases"
usage 'no argument' '--random wants an argument' --random
usage 'not a number' '--random wants a number' --random x -- "$work/cases"
usage 'none' '--pct wants a number from 1' --pct 0 -- "$work/cases"
usage 'two modes' 'only one' --all --random 5 -- "$work/cases"
usage 'an unknown format' '--format does not know "xml"' --format xml -- "$work/cases"
usage 'an unknown model' '--timers does not know' --timers soon -- "$work/cases"
usage 'merging and not' 'only one' --merge --no-merge -- "$work/cases"
usage 'merging the detector' 'goes with neither' --merge --race -- "$work/cases"
usage 'negative time' '--time wants seconds' --time -1 -- "$work/cases"
expect 0 help '^usage: bine-explore' --help
for word in --help --version; do
    "$explore" $word 2>"$said" >/dev/full
    status=$?
    if test $status = 1; then told 'a full disk' 'cannot be written'; else bad "$word to a full disk: $status"; fi
done
expect 0 version '^bine-explore [0-9]' --version
expect 1 'no such program' 'not found' -- no-such-program
expect 1 'no such file' 'No such file' -- ./no-such-program
printf '#!/bin/sh\nexit 0\n' >"$work/script"
chmod +x "$work/script"
expect 1 'a script' 'not a script' -- "$work/script"
expect 1 'not executable' 'Permission denied' -- tests/explore/cases.c
expect 1 'a directory' 'not a program' -- /tmp
if $CC -static -o "$work/static" -x c - >/dev/null 2>&1 <<'C'; then
int main(void) { return 0; }
C
    expect 1 'nothing checked in it' 'no checked runtime in it: it is linked with -static; link it without' -- "$work/static"
else
    skipped=$((skipped + 1))
fi
cp "$explore" "$work/bine-explore"
BINE_CHECK_LIBRARY=/nowhere "$work/bine-explore" -- "$work/cases" crash >"$said" 2>&1
told 'no checked library' 'libbine-check.so is not where bine-explore looks'

printf '%d passed, %d failed%s\n' "$passed" "$failed" "$(test $skipped = 0 || echo ", $skipped skipped")"
test "$failed" = 0 && test "$passed" -gt 0
