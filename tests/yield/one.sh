#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds one program of the corpus with one compiler, runs it in each mode, and says what came of it.
#
#   one.sh <compiler> <set>/<name>
#
# From the environment, set by run.sh: RACE (the tool), WORK (a directory), MODES, SEEDS, TIMEOUT, EXPLORE (the tool,
# or empty), EXPLORE_TIME, STALE (what is built must be newer than this file).  What it says goes to
# $WORK/results/<compiler>.<set>.<name>, a line for each: "compiler mode class program verdict detail".
#
# class    verdicts
# bug      sites, seen (a finding of the right kind, but not with those sites), missed; explored: found, missed
# spared   the same, in predictive mode: nothing interferes in this run
# twin     silent, alarm: the bug's repair; explored: partial, if silent as far as it went
# clean    silent, alarm
# Any of them may be broken: it does not compile, or does not end.
set -u
compiler=$1 set=${2%%/*} name=${2##*/}
here=$(dirname "$0")
source=$here/$set/$name.c language=-std=gnu11 driver=$compiler
if test -f "${source}c"; then
    source=${source}c language=-std=c++17
    case $compiler in *gcc*) driver=$(echo "$compiler" | sed s/gcc/g++/) ;; *) driver=$(echo "$compiler" | sed s/clang/clang++/) ;; esac
fi
bin=$WORK/bin/$compiler/$set.$name
results=$WORK/results/$compiler.$set.$name
opt=$(sed -n 's/^ \* OPT: \(-O[0-9]\) .*/\1/p; s/^ \* OPT: \(-O[0-9]\)$/\1/p' "$source")
mkdir -p "$WORK/bin/$compiler" "$WORK/results" "$WORK/logs"
: >"$results"

say() { echo "$compiler $1 $2 $set/$name $3 ${4-}" >>"$results"; }

# build <variant> <flag>...: $bin.<variant>, unless it is there already.
build() {
    variant=$1
    shift
    test -n "$(find "$bin.$variant" -newer "$STALE" -newer "$source" -newer "$here/corpus.h" 2>/dev/null)" && return
    "$RACE" "$driver" $language -Wall -Wextra -Werror ${opt:-${OPT--O1}} -g "$@" -o "$bin.$variant" "$source" \
        >"$WORK/logs/$compiler.$set.$name.$variant.build" 2>&1
}

# run <variant> <label> [<setting>...]: its report in $log, its exit status in $status.
run() {
    variant=$1 log=$WORK/logs/$compiler.$set.$name.$1.$2
    shift 2
    timeout -k 2 "$TIMEOUT" env "$@" "$bin.$variant" >"$log" 2>&1 </dev/null
    status=$?
}

# judge <mode> <class>: a bug must be found.
judge() {
    if test "$status" = 124 || test "$status" = 137; then
        say "$1" "$2" broken "did not end"
    else
        say "$1" "$2" "$(awk -v mode="$1" -f "$here/judge.awk" "$source" "$log")"
    fi
}

# quiet <mode> <class> [<detail>]: nothing must be found, and no expectation be disappointed.
quiet() {
    case $status in
    0) say "$1" "$2" silent ;;
    124 | 137) say "$1" "$2" broken "did not end ${3-}" ;;
    *) say "$1" "$2" alarm "$(grep -m 1 -o '^bine-race: [A-Z-]*' "$log" || echo "status $status") ${3-}" ;;
    esac
}

seeds() { # <variant> <class>
    seed=0
    while seed=$((seed + 1)) && test $seed -le "$SEEDS"; do
        run "$1" seeds "CORPUS_SEED=$seed"
        test $status = 0 || break
    done
    quiet seeds "$2" "seed $seed"
}

# Any sleep may end next, so that no outcome hangs on times; deadlines keep their places.
explore() { # <variant> <class>
    test -n "$EXPLORE" || return
    log=$WORK/logs/$compiler.$set.$name.$1.explore race=--race
    test "$2" = bug && race='' # what the schedules alone bring to light
    timeout -k 2 60 "$EXPLORE" --all --time "$EXPLORE_TIME" --timers limits --jobs 1 --quiet $race -- "$bin.$1" \
        >"$log" 2>&1 </dev/null
    case $2:$? in
    bug:66) say explore bug found ;;
    bug:*) say explore bug missed ;;
    *:0) say explore "$2" silent ;;
    *:3) say explore "$2" partial ;;
    *) say explore "$2" alarm "$(grep -m 1 -E '^(bine-race|bine-explore|failed|FAIL)' "$log" || tail -n 1 "$log")" ;;
    esac
}

# each <variant> <class>: all that must be silent about a sound program.
each() {
    for mode in $MODES; do
        case $mode in
        default) run "$1" default; quiet default "$2" ;;
        predicted) run "$1" predicted BINE_RACE=predict; quiet predicted "$2" ;;
        seeds) seeds "$1" "$2" ;;
        explore) explore "$1" "$2" ;;
        esac
    done
}

case $set in
bugs | predicted)
    if build bug -DBUGGY && build twin -DFIXED; then
        if test "$set" = bugs; then
            run bug default
            judge default bug
            case " $MODES " in *' explore '*) explore bug bug ;; esac
        else
            case " $MODES " in *' predicted '*) run bug predicted BINE_RACE=predict; judge predicted spared ;; esac
        fi
        each twin twin
        case " $MODES " in
        *' predicted '*)
            if grep -q 'STAGGERED: yes' "$source"; then
                build apart -DBUGGY -DSTAGGERED
                run apart predicted BINE_RACE=predict
                judge predicted spared
            fi
            ;;
        esac
    else
        say build bug broken "does not compile"
    fi
    ;;
clean)
    if build clean; then
        each clean clean
    else
        say build clean broken "does not compile"
    fi
    ;;
esac
