#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What bine-race costs: time on I/O loads and on a computation, and memory, each as a ratio to the same program with
# the plain library, the best of five runs that alternate.  For people: nothing is asserted.
#
#   tests/yield/cost.sh        from the environment: BUILD ("build"), CC ("gcc"), RUNS (5)
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-gcc}
RUNS=${RUNS:-5}
O=$BUILD/native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '%-28s %12s %12s %8s   %s\n' load plain checked ratio bar
for load in echo:us:1.5 lines:us:1.5 http:us:1.5 cpu:us:25 memory:KiB:10; do
    name=${load%%:*} rest=${load#*:}
    unit=${rest%%:*} bar=${rest#*:}
    source=tests/yield/cost/$name.c
    sources="$source $(sed -n 's,.* WITH: \(.*[a-z]\) .*,\1,p' "$source")" # and what is compiled into it
    "$CC" -std=gnu11 -O2 -g -Iinclude -o "$work/$name.plain" $sources "$O/libbine.a" -pthread || exit
    "$O/bine-race" "$CC" -std=gnu11 -O2 -g -o "$work/$name.checked" $sources || exit
    for run in $(seq "$RUNS"); do
        for kind in plain checked; do
            "$work/$name.$kind" 2>"$work/errors" >>"$work/$name.$kind.all" || {
                echo "$name ($kind, run $run) failed:" && cat "$work/errors"
                exit 1
            }
        done
    done
    plain=$(sort -n "$work/$name.plain.all" | head -n 1)
    checked=$(sort -n "$work/$name.checked.all" | head -n 1)
    awk -v n="$name" -v u="$unit" -v p="$plain" -v c="$checked" -v b="$bar" 'BEGIN {
        printf "%-28s %9d %-3s %9d %-3s %7.2fx   %sx%s\n", n, p, u, c, u, c / p, b, (c / p > b ? "  over" : "") }'
done
