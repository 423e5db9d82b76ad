#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs test programs and adds their results up.  The Makefile builds them and calls this.
#
#   tests/run.sh <configuration>... -- <suite>...
#
# A configuration is a directory of $BUILD that holds built tests ("native", "fcontext", "native-thread").  Suites:
#   unit       tests/unit/check_* (programs made with Check), each once per reactor
#   stress     tests/stress/*, each once per reactor; a program counts as one test
#   examples   tests/examples/run.sh, with the configuration's examples
#   seeds      tests/examples/seeds.sh, with the configuration's examples
#   styles     tests/examples/styles.sh, with the configuration's examples
#   man        tests/man/check.sh     install    tests/install/check.sh     readme     tests/readme/check.sh
#   yield      tests/yield/run.sh --quick
#   yields     tests/yields/check.sh and tests/yields/tutorial.sh     explore    tests/explore/check.sh
#
# From the environment: REACTORS ("epoll poll"; natively "io_uring" too), WRAP (a command to run each program under), ONLY (shell
# patterns: only programs whose name matches one), THREAD_WRAP and THREAD_ONLY (the same for "thread"), TIMEOUT
# (seconds for each program: 120), VERBOSE=1 (shows all output).
#
# A line for each program, the whole output of one that fails, and at the end, alone on a line, "N passed, N failed"
# with ", N skipped" if there were any.  Exit status 0 only if none failed and some passed.
set -u
BUILD=${BUILD:-build}
REACTORS=${REACTORS-}
TIMEOUT=${TIMEOUT:-120}
WRAP=${WRAP-}
ONLY=${ONLY:-*}

configurations='' suites='' seen=''
for word; do
    case $word in
    --) seen=1 ;;
    *) if test -n "$seen"; then suites="$suites $word"; else configurations="$configurations $word"; fi ;;
    esac
done

passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM

# A program's own totals, as "passed failed skipped", from its output: the sum of Check's summaries, or else its last
# "N passed, N failed" line; nothing if it has neither.  A test that cannot be done says "skipped: test (why)".
totals() {
    awk '
        /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
            gsub(/[,:%]/, " ")
            check = 1; run += $3; bad += $5 + $7
        }
        /^skipped: / && !told[$2]++ { not_here++ }
        /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ { line = 1; good = $1; wrong = $3; left = $5 + 0 }
        END {
            if (check) print run - bad - not_here, bad, not_here + 0
            else if (line) print good, wrong, left
        }' "$output"
}

# run <label> <command>...: runs it under the time limit and counts.
run() {
    label=$1
    shift
    CK_VERBOSITY=normal timeout -k 5 "$TIMEOUT" "$@" >"$output" 2>&1 </dev/null
    status=$?
    # shellcheck disable=SC2046 # three numbers, or none
    set -- $(totals)
    if test $# != 3; then
        case $status in 0) set -- 1 0 0 ;; 77) set -- 0 0 1 ;; *) set -- 0 1 0 ;; esac
    elif test "$status" != 0 && test "$2" = 0; then
        set -- "$1" 1 "$3" # died after its summary, or exceeded its time
    fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    if test "$2" != 0; then
        test "$status" = 124 && echo "exceeded ${TIMEOUT} s" >>"$output"
        printf 'FAIL  %-52s %4d passed, %d failed (status %d)\n' "$label" "$1" "$2" "$status"
        grep -v '^ok ' "$output" | sed 's/^/      | /'
    elif test "$1" = 0; then
        printf 'skip  %-52s %s\n' "$label" "$(tail -n 1 "$output")"
    else
        printf 'ok    %-52s %4d passed%s\n' "$label" "$1" "$(test "$3" = 0 || echo ", $3 skipped")"
        test "$3" = 0 || test -n "${VERBOSE-}" || grep '^skipped: ' "$output" | sort -u | sed 's/^skipped:/           /'
        test -n "${VERBOSE-}" && sed 's/^/      | /' "$output"
    fi
    return 0
}

# chosen <name> <patterns>: does one of these allow it.
chosen() {
    set -f
    for pattern in $2; do
        # shellcheck disable=SC2254 # it is a pattern
        case $1 in $pattern) set +f && return 0 ;; esac
    done
    set +f
    return 1
}

# reactors <configuration>: those to run its programs with.  io_uring has nothing to do with how tasks are switched:
# once is enough, and under AddressSanitizer for what does I/O.
reactors() {
    case ${REACTORS:-$1} in
    native | native-address-undefined) echo epoll poll io_uring ;;
    thread) echo epoll ;; # slow, and so is each switch
    "$1") echo epoll poll ;;
    *) echo "$REACTORS" ;;
    esac
}
worthwhile() { # <configuration> <reactor> <program>
    case $1-$3 in
    fcontext-sweep | thread-sweep) return 1 ;; # a failing call has nothing to do with how tasks are switched either
    esac
    case $1-$2 in
    native-address*-io_uring) test -n "$REACTORS" ||
        case $3 in check_io* | check_kinds* | check_net | check_serve* | check_stream*) ;; *) false ;; esac ;;
    esac
}

# programs <directory of sources> <suite>: each of them, in each configuration, with each reactor.
programs() {
    for configuration in $configurations; do
        wrap=$WRAP only=$ONLY
        test "$configuration" != thread || wrap=${THREAD_WRAP-$WRAP} only=${THREAD_ONLY-$ONLY}
        for reactor in $(reactors "$configuration"); do
            for source in "$1"/*.c "$1"/*.cc; do
                name=${source##*/} name=${name%.*}
                program=$BUILD/$configuration/${source%.*}
                chosen "$name" "$only" || continue
                worthwhile "$configuration" "$reactor" "$name" || continue
                test -f "$source" || continue
                if ! test -x "$program"; then # C++, where there is no compiler for it
                    skipped=$((skipped + 1))
                    printf 'skip  %-52s not built\n' "$configuration $reactor $name"
                    continue
                fi
                # shellcheck disable=SC2086 # it is a command and its arguments
                run "$configuration $reactor $name" env BINE_REACTOR="$reactor" $wrap "$program"
            done
        done
    done
}

for suite in $suites; do
    case $suite in
    unit) programs tests/unit ;;
    stress) programs tests/stress ;;
    examples)
        for configuration in $configurations; do
            test "$configuration" != thread || continue
            TIMEOUT=600 EXAMPLES=$BUILD/$configuration/examples run "$configuration examples" sh tests/examples/run.sh
        done
        ;;
    seeds)
        for configuration in $configurations; do
            test "$configuration" != thread || continue
            TIMEOUT=600 EXAMPLES=$BUILD/$configuration/examples run "$configuration seeds" sh tests/examples/seeds.sh
        done
        ;;
    styles)
        for configuration in $configurations; do
            test "$configuration" != thread || continue
            TIMEOUT=600 EXAMPLES=$BUILD/$configuration/examples run "$configuration styles" sh tests/examples/styles.sh
        done
        ;;
    yield) TIMEOUT=600 run yield sh tests/yield/run.sh --quick ;;
    yields)
        TIMEOUT=600 run yields sh tests/yields/check.sh
        TIMEOUT=600 run 'yields, bine_yield(7)' sh tests/yields/tutorial.sh
        ;;
    man | install | readme | explore) TIMEOUT=600 run "$suite" sh "tests/$suite/check.sh" ;;
    *)
        echo "tests/run.sh: unknown suite $suite" >&2
        exit 2
        ;;
    esac
done

printf '%d passed, %d failed%s\n' "$passed" "$failed" "$(test "$skipped" = 0 || echo ", $skipped skipped")"
test "$failed" = 0 && test "$passed" -gt 0
