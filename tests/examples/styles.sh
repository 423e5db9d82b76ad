#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the programs of examples/styles: each is right, under either reactor, and bears its load; the checkers say of
# them, and of what the innocent change makes of them, what compare-styles and bine_yield(7) say.
#
# From the environment: EXAMPLES, the directory of the built examples (build/native/examples), whose parent holds
# libbine.a and the tools; CC.  At the end "N passed, N failed", and ", N skipped" if there were any.
set -u
cd "$(dirname "$0")/../.." || exit 1
EXAMPLES=${EXAMPLES:-build/native/examples}
CC=${CC:-cc}
O=$(dirname "$EXAMPLES")
# shellcheck source=tests/support/expect.sh
. tests/support/expect.sh

# Says that it is right, and no checker of the library says anything.
right() { test "$("$EXAMPLES/styles/$1" 2>&1)" = "$2: right"; }
bears() { "$EXAMPLES/styles/$1" --load 400 | grep -Eq '^[0-9]+ operations/s, median [0-9.]+ us, 99% [0-9.]+ us$'; }
for BINE_REACTOR in epoll poll; do
    export BINE_REACTOR
    for program in transfer pipeline http; do
        for style in gevent asyncio; do
            expect "$BINE_REACTOR: $program, $style: right" right ${program}_$style "$program, $style"
            expect "$BINE_REACTOR: $program, $style: a load" bears ${program}_$style
        done
    done
done
unset BINE_REACTOR

# ---- What bine-yields says -------------------------------------------------------------------------------------

gcc=$CC
$gcc --version 2>/dev/null | grep -q clang && gcc=gcc
compile() { # <program> <directory> [flag]
    mkdir -p "$work/$2"
    for source in "examples/styles/$1.c" examples/lib/style.c; do
        # shellcheck disable=SC2086 # no flag, or one
        "$O/bine-yields" cc $gcc -std=gnu11 -Iinclude ${3-} -c "$source" \
            -o "$work/$2/$(basename "$source" .c).o" || return 1
    done
}
says() { # <status> <command>...
    wanted=$1
    shift
    "$O/bine-yields" "$@" >"$work/said" 2>&1
    test $? = "$wanted" && return
    cat "$work/said"
    return 1
}
# With asyncio's marks every switch is where it stands to be read.
all_marked() { says 66 check --explicit "$work/$1.sound"; ! grep "^examples/styles/.*error:" "$work/said"; }
found() { says 66 check "$work/$1.changed" && grep -q "^examples/styles/$1.c:[0-9:]* error: .*$2" "$work/said"; }

if test -x "$O/bine-yields" && $gcc -x c -c -o "$work/probe.o" -fcallgraph-info=su,da /dev/null 2>/dev/null; then
    for program in transfer pipeline http; do
        for name in ${program}_gevent ${program}_asyncio; do
            expect "$name compiles" compile $name $name.sound
            expect "$name compiles, changed" compile $name $name.changed -DINNOCENT
            expect "$name: no mark is broken" says 0 check "$work/$name.sound"
        done
        expect "${program}_asyncio: every switch is marked" all_marked ${program}_asyncio
        expect "${program}_gevent: there is no mark that the change could break" \
            says 0 check "$work/${program}_gevent.changed"
    done
    expect 'transfer_asyncio: the change is found' found transfer_asyncio \
        'inside BINE_ATOMIC: currency_rate() -> style_log() -> bine_yield()'
    expect 'pipeline_asyncio: the change is found' found pipeline_asyncio \
        'request() is marked BINE_NOYIELD, and may switch here: style_log() -> bine_yield()'
    expect 'http_asyncio: the change is found' found http_asyncio 'inside BINE_ATOMIC: style_log() -> bine_yield()'
else
    skip "no $O/bine-yields, or no gcc"
fi

# ---- Side by side -----------------------------------------------------------------------------------------------

compares() {
    O=$O CC=$gcc sh examples/styles/compare.sh --quick "$work/table" "$work/picture.svg" &&
        grep -Eq '^  yield points marked \(bine_await\)( +0 +[1-9][0-9]*){3}$' "$work/table" &&
        grep -Eq '^  operations per second( +[1-9][0-9]*){6}$' "$work/table" &&
        head -n 1 "$work/picture.svg" | grep -q '^<svg xmlns=' && tail -n 1 "$work/picture.svg" | grep -qx '</svg>' &&
        test "$(grep -c '<text' "$work/picture.svg")" -gt 90
}
case $O in
*native) expect 'compare.sh' compares ;;
esac

conclude
