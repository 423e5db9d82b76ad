#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bine-yields over Lua's interpreter: how many calls stay open, and whether diff finds a switch that is put into one
# function after the other, there and, where the function's address is taken, at the calls through pointers.
#
#   tests/yields/lua.sh [<directory of lua.h> [<how many functions>]]
#
# Without a directory the distribution's source package is fetched into $BUILD/lua.  Not part of make check: it takes
# minutes, and a network.  From the environment: BUILD, CC (gcc).  Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
CC=${CC:-gcc}
yields=$BUILD/native/bine-yields
wanted=${2:-40}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

lua=${1-}
if test -z "$lua"; then
    mkdir -p "$BUILD/lua/lists/partial"
    sh tests/support/sources.sh >"$BUILD/lua/sources.list"
    apt() {
        apt-get -q -o Dir::Etc::sourcelist="$BUILD/lua/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$BUILD/lua/lists" "$@" >/dev/null
    }
    (cd "$BUILD/lua" && apt update && apt source --download-only lua5.4 && tar xf lua5.4_*.orig.tar.*) || exit 77
    lua=$(echo "$BUILD"/lua/lua-5*/src)
fi
test -f "$lua/lua.h" || { echo "no lua.h in $lua"; exit 77; }
cp "$lua"/*.[ch] "$work"
rm -f "$work/luac.c"
cd "$work" || exit 1
compile() { "$yields" cc "$CC" -O2 -DLUA_USE_LINUX -c "$1" -o "$2/${1%.c}.o"; }

mkdir old new
for source in l*.c; do compile "$source" old || exit 1; done
cp old/* new
"$yields" --format=json list old >list || exit 1
number() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" list; }
calls=$(number calls) open=$(number maybe)
echo "$calls calls, $open of them open"
passed=0 failed=0
if test "$calls" -gt 1000 && test $((open * 20)) -le "$calls"; then passed=1; else failed=1; fi

# "name file line" of each function.
sed -n 's/^node: { title: "[^"]*" label: "\([A-Za-z0-9_]*\)\\n\([a-z]*\.c\):\([0-9]*\):[0-9]*\\n[0-9]* bytes.*/\1 \2 \3/p' \
    old/*.ci | sort -u >functions
sed -n '/Address is taken/{x;p;x;}; /^[^ ]*\/[0-9]/{s,/.*,,;h;}' old/*.cgraph | sort -u >taken
awk -v step="$(($(wc -l <functions) / wanted + 1))" 'NR % step == 1' functions >chosen
pointers=0 reached=0
while read -r name file line; do
    cp "$file" saved
    # Behind the brace that opens its body.
    place=$(awk -v from="$line" 'NR >= from && /\{/ { print NR; exit }' saved)
    sed "${place}s/{/{ { extern int bine_yield(void); bine_yield(); } /" saved >"$file"
    compile "$file" new && "$yields" diff old new >said
    if grep -q "^$file:$place:.* bine_yield() \[new" said; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name() at $file:$place"
    fi
    if grep -qx "$name" taken; then
        pointers=$((pointers + 1))
        grep -Eq "( as|calling back) $name\(\)" said && reached=$((reached + 1))
    fi
    cp saved "$file"
    cp old/"${file%.c}".* new
done <chosen
echo "$reached of $pointers found through pointers"
if test "$pointers" -gt 0 && test $((reached * 10)) -ge $((pointers * 9)); then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
test $failed = 0
