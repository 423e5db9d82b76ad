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
#   yields     tests/yields/check.sh and, as "tutorial", tests/yields/tutorial.sh     explore    tests/explore/check.sh
#
# From the environment: REACTORS ("epoll poll", and but for "thread" "io_uring"), WRAP (a command to run each program
# under), ONLY (shell patterns: only programs whose name matches one), THREAD_WRAP and THREAD_ONLY (the same for "thread"),
# TIMEOUT (seconds for each test: 200; a program has three times that), JOBS (how many run side by side: as many as
# there are processors), VERBOSE=1 (shows all output).
#
# A line for each program as it ends, the whole output of one that fails (tests/run_one.sh), and at the end, alone on
# a line, "N passed, N failed" with ", N skipped" if there were any.  Exit status 0 only if none failed and some passed.
set -u
BUILD=${BUILD:-build}
REACTORS=${REACTORS-}
TIMEOUT=${TIMEOUT:-200}
WRAP=${WRAP-}
ONLY=${ONLY:-*}
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}

configurations='' suites='' seen=''
for word; do
    case $word in
    --) seen=1 ;;
    *) if test -n "$seen"; then suites="$suites $word"; else configurations="$configurations $word"; fi ;;
    esac
done

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

# reactors <configuration>: those to run its programs with.  Under AddressSanitizer io_uring is for what does I/O alone;
# a ring is one thread's, so CONTEXT=thread has none.
reactors() {
    case ${REACTORS:-$1} in
    native | fcontext | native-address-undefined) echo epoll poll io_uring ;;
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
        only=$ONLY
        test "$configuration" != thread || only=${THREAD_ONLY-$ONLY}
        for reactor in $(reactors "$configuration"); do
            for source in "$1"/*.c "$1"/*.cc; do
                name=${source##*/} name=${name%.*}
                program=$BUILD/$configuration/${source%.*}
                chosen "$name" "$only" || continue
                worthwhile "$configuration" "$reactor" "$name" || continue
                test -f "$source" || continue
                echo "program $configuration $reactor $program"
            done
        done
    done
}

# each <suite>: for each configuration that has all programs.
each() {
    for configuration in $configurations; do
        test "$configuration" = thread || echo "suite $configuration $1"
    done
}

jobs() {
    for suite in $suites; do
        case $suite in
        unit) programs tests/unit ;;
        stress) programs tests/stress ;;
        examples | seeds | styles) each "$suite" ;;
        yields) printf 'suite - %s\n' yields tutorial ;;
        man | install | readme | explore | yield) echo "suite - $suite" ;;
        *)
            echo "tests/run.sh: unknown suite $suite" >&2
            return 2
            ;;
        esac
    done
}

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM
: >"$directory/results"
jobs >"$directory/jobs" || exit 2
export BUILD TIMEOUT WRAP
xargs -P "$JOBS" -I '{}' sh tests/run_one.sh "$directory/results" '{}' <"$directory/jobs" ||
    echo 0 1 0 >>"$directory/results" # one of them did not come to its end

awk '{ passed += $1; failed += $2; skipped += $3 }
    END {
        printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
        exit failed || !passed
    }' "$directory/results"
