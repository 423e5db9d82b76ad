# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # who reads this in uses them
#
# For scripts of checks, to be read in: counts, a directory $work that goes when they end, and
#
#     ok <what>                     it is as it should be
#     bad <what> [<text>...]        it is not, and what was seen instead
#     skip <what>                   it cannot be told here
#     expect <what> <command>...    the command succeeds, or it is bad, with what it printed; quiet if it does
#     conclude                      "N passed, N failed", and ", N skipped" if there were any; fails if any has failed, or
#                                   none has passed: the last line of a script
#
# $label stands before each <what>.
passed=0 failed=0 skipped=0 label=''
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

ok() {
    passed=$((passed + 1))
    echo "ok   $label$1"
}

bad() {
    failed=$((failed + 1))
    echo "FAIL $label$1"
    shift
    test $# = 0 || printf '%s\n' "$@" | head -n 40 | sed 's/^/     | /'
}

skip() {
    skipped=$((skipped + 1))
    echo "skip $label$1"
}

expect() {
    what=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
    else
        bad "$what" "status $?" "$(cat "$work/output")"
    fi
}

conclude() {
    echo "$passed passed, $failed failed$(test $skipped = 0 || echo ", $skipped skipped")"
    test $failed = 0 && test $passed -gt 0
}
