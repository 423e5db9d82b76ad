#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks the models in this directory in all their schedules with spin.  Without spin: skipped by name, status 77.
#
#   sh tests/model/check.sh        CC: the compiler
set -u
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}
command -v spin >/dev/null 2>&1 || { echo 'no spin here: apt-get install spin'; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0
for model in "$here"/*.pml; do
    rm -f pan pan.* ./*.trail
    spin -a "$model" >output 2>&1 && $CC -O2 -w -DSAFETY -o pan pan.c >>output 2>&1 && ./pan -m100000 >>output 2>&1
    if grep -q 'errors: 0' output && ! grep -q 'max search depth too small' output; then
        passed=$((passed + 1))
        echo "${model##*/}: $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1 states/p' output)"
    else
        failed=$((failed + 1))
        cat output
    fi
done
echo "$passed passed, $failed failed"
test $failed = 0 && test $passed -gt 0
