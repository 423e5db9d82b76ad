#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Puts the two styles of each program of this directory side by side, as they stand and after the innocent change
# that -DINNOCENT makes: what a reader sees of the yield points, what the checkers say, what the same load costs.
#
#   examples/styles/compare.sh [--quick] [text file] [SVG file]       make compare-styles calls it
#
# From the environment: O, the directory of the built library and tools (build/native); CC, a gcc.
# A tool that is not built leaves its columns empty ("-"), and that is said.  The figures of the load are of this
# machine, the best of so many runs, the styles taking turns.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build/native}
CC=${CC:-cc}
seconds=20 operations=100000 rounds=5
test "${1-}" = --quick && seconds=1 operations=2000 rounds=1 && shift
text=${1:-$O/compare-styles.txt} svg=${2:-$O/compare-styles.svg}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
shared='examples/lib/style.c examples/lib/histogram.c examples/lib/program.c'
fail() {
    echo "compare.sh: $*" >&2
    exit 1
}
test -x "$O/bine-yields" && test -f "$O/libbine.a" || fail "$O/bine-yields and $O/libbine.a are not there: make"
for tool in bine-race bine-explore; do
    test -x "$O/$tool" || echo "compare.sh: $O/$tool is not built: its columns stay empty" >&2
done

# The lines that hold code: no comment, and not the change.
code() {
    awk '/^#ifdef INNOCENT/ { changed = 1 } /^#endif/ { changed = 0; next } changed { next }
         { line = $0 }
         within { if (!sub(/.*\*\//, "", line)) next; within = 0 }
         { gsub(/\/\*[^*]*\*\//, "", line); if (sub(/\/\*.*/, "", line)) within = 1 }
         line ~ /[^ \t]/ { print line }' "$1"
}
number() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$2" | tail -n 1; }

# static <program> <variant> <flag>: yield points and what bine-yields finds, into $work/<program>.<variant>.static
static() {
    mkdir -p "$work/graph.$1.$2"
    for source in "examples/styles/$1.c" $shared; do
        # shellcheck disable=SC2086 # no flag, or one
        "$O/bine-yields" cc "$CC" -std=gnu11 -O2 -Iinclude $3 -c "$source" \
            -o "$work/graph.$1.$2/$(basename "$source" .c).o" || fail "$source does not compile"
    done
    "$O/bine-yields" --format=json annotate "examples/styles/$1.c" "$work/graph.$1.$2" >"$work/out" ||
        fail "$1: bine-yields"
    real=$(grep -c '"rule": "switch-point"' "$work/out")
    "$O/bine-yields" --format=json check "$work/graph.$1.$2" >"$work/out"
    found=$(number errors "$work/out")
    "$O/bine-yields" --format=json check --explicit "$work/graph.$1.$2" >"$work/out"
    unmarked=$(grep -c '"switch-not-awaited", "level": "[a-z]*", "file": "examples/styles/' "$work/out")
    echo "$real $found $unmarked" >"$work/$1.$2.static"
}

# dynamic <program> <variant> <flag>: what bine-race finds in one run, and bine-explore in many, into ....dynamic
dynamic() {
    race=- explored=- violations=- complete=''
    if test -x "$O/bine-race"; then
        # shellcheck disable=SC2086
        "$O/bine-race" "$CC" -std=gnu11 -O1 -g -Iinclude $3 -o "$work/$1.$2.race" "examples/styles/$1.c" $shared \
            >"$work/out" 2>&1 || { # the checked library is not there
            head -n 3 "$work/out" >&2
            echo "compare.sh: $1 does not build for bine-race: its columns stay empty" >&2
            echo '- - -' >"$work/$1.$2.dynamic"
            return
        }
        timeout 60 "$work/$1.$2.race" >"$work/out" 2>&1
        race=$(grep -c '^bine-race: [A-Z][A-Z-]*' "$work/out")
        if test -x "$O/bine-explore"; then
            timeout 120 "$O/bine-explore" --all --no-merge --time "$seconds" --keep-going \
                --no-shrink --quiet --format json \
                "$work/$1.$2.race" >"$work/out" 2>/dev/null
            explored=$(number schedules "$work/out")
            violations=$(number failed "$work/out")
            grep -q '"complete": *true' "$work/out" && complete=+
        fi
    fi
    echo "$race ${explored:--}$complete ${violations:--}" >"$work/$1.$2.dynamic"
}

load() { # <program>: builds it, into $work/<program>.load
    # shellcheck disable=SC2086
    "$CC" -std=gnu11 -O2 -g -Iinclude -o "$work/$1.load" "examples/styles/$1.c" $shared "$O/libbine.a" -pthread ||
        fail "$1 does not build"
}

programs='transfer pipeline http' styles='gevent asyncio'
for program in $programs; do
    for style in $styles; do
        name=${program}_$style
        test -t 2 && echo "compare.sh: $name, as it stands and changed, up to $((2 * seconds)) s" >&2
        static "$name" sound ''
        static "$name" changed -DINNOCENT
        dynamic "$name" sound ''
        dynamic "$name" changed -DINNOCENT
        load "$name"
    done
    test -t 2 && echo "compare.sh: $program, the load" >&2
    round=0
    while test $((round += 1)) -le $rounds; do
        for style in $styles; do
            name=${program}_$style
            "$work/$name.load" --load $operations >>"$work/$name.figures" || fail "$name: load"
        done
    done
done

for program in $programs; do
    for style in $styles; do
        name=${program}_$style
        best=$(sort -rn "$work/$name.figures" | head -n 1 | sed 's/[^0-9. ]//g' | awk '{ print $1, $2, $4 }')
        marks=$(code examples/styles/$name.c | grep -o 'bine_await(' | wc -l)
        echo "$program $style $(code examples/styles/$name.c | wc -l) $marks" \
            "$(cat "$work/$name.sound.static" "$work/$name.changed.static" "$work/$name.sound.dynamic" \
                "$work/$name.changed.dynamic" | tr '\n' ' ') $best"
    done
done >"$work/rows"

awk -v svg="$work/svg" -f examples/styles/compare.awk "$work/rows" >"$work/text" || fail 'the table'
# Both or neither.
cp "$work/text" "$text.new" && cp "$work/svg" "$svg.new" && mv "$text.new" "$text" && mv "$svg.new" "$svg" || exit 1
cat "$text"
echo "the same as a picture: $svg"
