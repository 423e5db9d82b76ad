# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # who reads this in uses the counts
#
# For scripts of checks, to be read in: counts, a directory that goes when they end, and
#
#     expect <what> <command>...     the command succeeds, or what it is about is shown, with what it printed
#     skip <what>
passed=0 failed=0 skipped=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

expect() {
    what=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $what"
        sed 's/^/    /' "$work/output"
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "skipped: $1"
}
