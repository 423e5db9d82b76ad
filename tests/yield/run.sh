#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Judges bine-race, and with it bine-explore, by the corpus; prints a table and how it stands to the bars.
#
#   tests/yield/run.sh [--quick | --program <set>/<name>...]
#
# --quick: one compiler, the default mode, and every fifth program of each set.  --program: these programs alone, with
# what was said about each, and no bars.
#
# From the environment: BUILD ("build"), OF ("native": of which context the library is), COMPILERS ("gcc clang": those
# that are installed), MODES ("default predicted seeds explore"), SEEDS (100), EXPLORE_TIME (seconds for a program: 2;
# the first compiler only), JOBS (2), TIMEOUT (seconds for a run: 100), OPT ("-O1"), WORK (where it is built and logged:
# $BUILD/yield, and $BUILD/yield-$OF), VERBOSE=1 (names every verdict).
#
# bugs/       a seeded bug each, which built with -DFIXED is its own repair
# clean/      sound programs
# predicted/  bugs whose interference does not happen in the run; and so are those of bugs/ that say STAGGERED
# tool.sh     how bine-race ends, and what it says of what it cannot see
# third.sh    programs of others, built with instrumentation
# mutations   heuristics of the detector that are switched off one by one: the corpus must tell
#
# A bar is a test, and so is a mutation, and a program of others; at the end "N passed, N failed", ", N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/yield
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
OF=${OF:-native}
O=$BUILD/$OF
RACE=$O/bine-race
EXPLORE=$O/bine-explore
suffix=${OF#native}
WORK=${WORK:-$BUILD/yield${suffix:+-$suffix}}
COMPILERS=${COMPILERS:-gcc clang}
MODES=${MODES:-default predicted seeds explore}
SEEDS=${SEEDS:-100}
EXPLORE_TIME=${EXPLORE_TIME:-2}
JOBS=${JOBS:-2}
TIMEOUT=${TIMEOUT:-100}
STALE=$O/libbine-check.a
quick='' chosen=''
case ${1-} in
--quick) quick=90 COMPILERS=${COMPILERS%% *} MODES=default ;;
--program)
    shift
    chosen=$*
    ;;
'') ;;
*)
    echo "usage: tests/yield/run.sh [--quick | --program <set>/<name>...]" >&2
    exit 2
    ;;
esac
test -x "$EXPLORE" || EXPLORE=''
export RACE EXPLORE WORK SEEDS EXPLORE_TIME TIMEOUT STALE OPT="${OPT--O1}" LIBRARY="$O"
passed=0 failed=0 skipped=0

good() {
    passed=$((passed + 1))
    echo "ok    $1"
}
bad() {
    failed=$((failed + 1))
    echo "FAIL  $1"
}
skip() {
    skipped=$((skipped + 1))
    echo "skip  $1"
}
total() {
    printf '%d passed, %d failed%s\n' $passed $failed "$(test $skipped = 0 || echo ", $skipped skipped")"
    test $failed = 0 && test $passed -gt 0
    exit
}

if ! test -x "$RACE" || ! test -f "$STALE"; then
    bad "there is no $RACE: make all"
    total
fi

# ---- The programs ------------------------------------------------------------------------------------------

compilers=''
for compiler in $COMPILERS; do
    if command -v "$compiler" >/dev/null 2>&1; then
        compilers="$compilers $compiler"
    else
        skip "$compiler: not installed"
    fi
done
mkdir -p "$WORK"
rm -rf "$WORK/results"
mkdir -p "$WORK/results" "$WORK/logs"

programs() {
    if test -n "$chosen"; then
        printf '%s\n' $chosen
    else
        for set in bugs clean predicted; do
            for source in "$here/$set"/*.c "$here/$set"/*.cc; do
                test -f "$source" && echo "$set/$(basename "${source%.c*}")"
            done
        done | if test -n "$quick"; then awk 'NR % 5 == 1'; else cat; fi
    fi
}
modes=$MODES
for compiler in $compilers; do
    programs | sed "s/^/$compiler /" | MODES=$modes xargs -P "$JOBS" -n 2 sh "$here/one.sh"
    modes=$(echo "$MODES" | sed s/explore//)
done
cat "$WORK/results"/* >"$WORK/verdicts"

if test -n "$chosen"; then
    cat "$WORK/verdicts"
    exit
fi

# ---- The table ---------------------------------------------------------------------------------------------

test -n "${VERBOSE-}" && sort "$WORK/verdicts"
awk '$5 !~ /^(sites|silent|found|partial)$/ && !($2 == "explore" && $3 == "bug")' "$WORK/verdicts" | sort >"$WORK/wrong"
sed 's/^/      /' "$WORK/wrong"
echo
awk -v compilers="$compilers" -f "$here/table.awk" "$WORK/verdicts"
echo

# ---- The bars ----------------------------------------------------------------------------------------------

# bar <what> <compiler> <mode> <classes> <good verdicts> <percent>: at least so many are good.
bar() {
    numbers=$(awk -v c="$2" -v m="$3" -v k=" $4 " -v g=" $5 " '
        $1 == c && $2 == m && index(k, " " $3 " ") { n++; if (index(g, " " $5 " ")) good++ }
        END { print good + 0, n + 0 }' "$WORK/verdicts")
    count=${numbers% *} all=${numbers#* }
    what="${suffix:+$suffix, }$2, $3: $1: $count of $all (at least $6 %)"
    if test "$all" = 0; then
        return
    elif test $((count * 100)) -ge $((all * $6)); then
        good "$what"
    else
        bad "$what"
    fi
}
for compiler in $compilers; do
    bar 'bugs with all their sites' "$compiler" default bug sites "${quick:-95}"
    bar 'repairs silent' "$compiler" default twin silent 100
    bar 'sound programs silent' "$compiler" default clean silent 100
    test -n "$quick" && continue
    bar 'repairs and sound programs silent with each seed' "$compiler" seeds 'twin clean' silent 100
    bar 'bugs that spared the run' "$compiler" predicted spared 'sites seen' 90
    bar 'repairs and sound programs silent' "$compiler" predicted 'twin clean' silent 95
    bar 'repairs and sound programs in every schedule tried' "$compiler" explore 'twin clean' 'silent partial' 100
    bar 'repairs explored to the end' "$compiler" explore twin silent 80
done

# ---- The tool itself ---------------------------------------------------------------------------------------

compiler=${compilers# } compiler=${compiler%% *}
sh "$here/tool.sh" "$compiler" >"$WORK/tool.said"
while read -r verdict what; do
    if test "$verdict" = ok; then good "$what"; else bad "$what"; fi
done <"$WORK/tool.said"
test -n "$quick" && total

# ---- Programs of others ------------------------------------------------------------------------------------

for compiler in $compilers; do
    sh "$here/third.sh" "$compiler" >"$WORK/third.said" 2>&1
    while read -r verdict what; do
        case $verdict in
        ok) good "$compiler, default: $what" ;;
        skip) skip "$compiler, default: $what" ;;
        *) bad "$compiler, default: $verdict $what" ;;
        esac
    done <"$WORK/third.said"
done

# ---- Every heuristic earns its place -----------------------------------------------------------------------

compiler=${compilers# } compiler=${compiler%% *}
grep -v '^#' "$here/mutations" | while read -r setting why; do
    test -n "$setting" || continue
    found=$(sh "$here/mutate.sh" "$compiler" "$setting")
    if test -n "$found"; then echo "ok without $setting ($why), the corpus fails: $found"; else
        echo "bad without $setting ($why), nothing fails"
    fi
done >"$WORK/mutated"
while read -r verdict what; do
    if test "$verdict" = ok; then good "$what"; else bad "$what"; fi
done <"$WORK/mutated"

total
