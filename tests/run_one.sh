#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs one thing of those that tests/run.sh has listed, counts, and shows what came of it, all at once: several of these
# run side by side.
#
#   tests/run_one.sh <results> <job>
#
# A job is "program <configuration> <reactor> <path>" or "suite <configuration, or -> <name>".  Adds a line "passed
# failed skipped" to the file <results>.
#
# A test may take $TIMEOUT seconds, and is then named; a program of several three times that, and the last test that it
# began is named.  Neither is a measure of speed: only what hangs comes that far.
set -u
results=$1
# shellcheck disable=SC2086 # words
set -- $2
output=$(mktemp)
trap 'rm -f "$output" "$output.said" "$output.tests"' EXIT

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

case $1 in
program)
    name=${4##*/}
    label="$2 $3 ${name%.*}"
    if ! test -x "$4"; then # C++, where there is no compiler for it
        echo 0 0 1 >>"$results"
        printf 'skip  %-52s not built\n' "$label"
        exit
    fi
    wrap=$WRAP
    test "$2" != thread || wrap=${THREAD_WRAP-$WRAP}
    limit=$((TIMEOUT * 3))
    # shellcheck disable=SC2086 # it is a command and its arguments
    set -- env BINE_REACTOR="$3" BINE_TEST_SECONDS="$TIMEOUT" BINE_TEST_LOG="$output.tests" $wrap "$4"
    ;;
suite)
    limit=1800
    test "$2" = - && label=$3 || label="$2 $3"
    export EXAMPLES="$BUILD/$2/examples"
    case $3 in
    examples) set -- sh tests/examples/run.sh ;;
    seeds | styles) set -- sh "tests/examples/$3.sh" ;;
    yield) set -- sh tests/yield/run.sh --quick ;;
    tutorial) set -- sh tests/yields/tutorial.sh ;;
    *) set -- sh "tests/$3/check.sh" ;;
    esac
    ;;
esac

CK_VERBOSITY=normal timeout -k 5 "$limit" "$@" >"$output" 2>&1 </dev/null
status=$?
# shellcheck disable=SC2046 # three numbers, or none
set -- $(totals)
if test $# != 3; then
    case $status in 0) set -- 1 0 0 ;; 77) set -- 0 0 1 ;; *) set -- 0 1 0 ;; esac
elif test "$status" != 0 && test "$2" = 0; then
    set -- "$1" 1 "$3" # died after its summary, or exceeded its time
fi
echo "$1 $2 $3" >>"$results"
{
    if test "$2" != 0; then
        case $status in
        124 | 137) echo "exceeded $limit s$(tail -n 1 "$output.tests" 2>/dev/null | sed 's/^/, in /')" >>"$output" ;;
        esac
        printf 'FAIL  %-52s %4d passed, %d failed (status %d)\n' "$label" "$1" "$2" "$status"
        grep -v '^ok ' "$output" | sed 's/^/      | /'
    elif test "$1" = 0; then
        printf 'skip  %-52s %s\n' "$label" "$(tail -n 1 "$output")"
    else
        printf 'ok    %-52s %4d passed%s\n' "$label" "$1" "$(test "$3" = 0 || echo ", $3 skipped")"
        test "$3" = 0 || test -n "${VERBOSE-}" || grep '^skipped: ' "$output" | sort -u | sed 's/^skipped:/           /'
        test -n "${VERBOSE-}" && sed 's/^/      | /' "$output"
    fi
} >"$output.said"
cat "$output.said"
