#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bine-yields, over the sources in fixtures/: what each command prints is compared with expected/, in every format;
# switches are put into a program one by one and must be found; damaged and missing input must be refused; the calls
# that switch are those of the manual.
#
# From the environment: BUILD, CC.  YIELDS_ACCEPT=1 writes expected/ anew.  Needs gcc: elsewhere it is skipped.
# At the end "N passed, N failed", and ", N skipped" if there were any.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
yields=$BUILD/native/bine-yields
here=tests/yields
# shellcheck source=tests/support/expect.sh
. tests/support/expect.sh

gcc=$CC
$gcc --version 2>/dev/null | grep -q clang && gcc=gcc
if ! $gcc -x c -c -o "$work/probe.o" -fcallgraph-info=su,da /dev/null 2>/dev/null; then
    echo "skipped: $gcc does not know -fcallgraph-info"
    exit 77
fi
test -x "$yields" || { echo "$yields is not there: make tools"; exit 1; }

# status <wanted> <command>...: it ends with that status; what it prints is in $work/out and $work/err.
status() {
    wanted=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    test $got = "$wanted" && return
    echo "status $got, not $wanted: $*"
    cat "$work/out" "$work/err"
    return 1
}
# golden <name> <status> <arguments>...: prints what expected/<name> says, standard error included.
golden() {
    name=$1 wanted=$2
    shift 2
    status "$wanted" "$yields" "$@" || return 1
    cat "$work/out" "$work/err" >"$work/both"
    test -z "${YIELDS_ACCEPT-}" || cp "$work/both" "$here/expected/$name"
    diff "$here/expected/$name" "$work/both"
}
# refused <status> <text> <command>...: it ends with that status, prints nothing, and says the text.
refused() {
    text=$2
    wanted=$1
    shift 2
    status "$wanted" "$@" || return 1
    test ! -s "$work/out" && grep -qF -- "$text" "$work/err" && return
    cat "$work/out" "$work/err"
    return 1
}
# compile <source> <directory> [flag...]
compile() {
    source=$1 directory=$2
    shift 2
    mkdir -p "$directory"
    base=${source##*/}
    compiler=$gcc
    case $source in *.cc) compiler=${CXX:-g++} ;; esac
    "$yields" cc "$compiler" -Iinclude "$@" -c "$source" -o "$directory/${base%.*}.o"
}

for name in shop marks depth inject pointers; do
    expect "$name.c compiles" compile $here/fixtures/$name.c "$work/$name" -O2
done

# ---- What the commands print -----------------------------------------------------------------------------------

expect 'list' golden list 0 list "$work/shop"
expect 'annotate' golden annotate 0 annotate $here/fixtures/shop.c "$work/shop"
expect 'why: through a pointer' golden why 0 why load "$work/shop"
expect 'why: what does not switch' golden why-not 0 why sort_keys "$work/shop"
expect 'check: broken marks are findings' golden check 66 check "$work/marks"
expect 'check: kept marks are none' status 0 "$yields" check "$work/shop"
expect 'check --explicit' golden explicit 66 check --explicit "$work/shop"
expect 'an object stands for its graph' status 0 "$yields" list "$work/shop/shop.o"

contains() { grep -qF -- "$1" "$work/out" || { cat "$work/out"; return 1; }; }
explicit_spares_awaited() {
    status 66 "$yields" check --explicit "$work/shop" && ! grep -q 'shop.c:105:' "$work/out"
}
expect 'check --explicit: what is awaited is spared' explicit_spares_awaited

# The same at -O0 as at -O2: what is inlined is not lost.
same_unoptimised() {
    compile $here/fixtures/shop.c "$work/plain" -O0 &&
        "$yields" list "$work/plain" >"$work/o0" 2>/dev/null && "$yields" list "$work/shop" >"$work/o2" 2>/dev/null &&
        diff "$work/o0" "$work/o2"
}
expect 'list is the same at -O0 and -O2' same_unoptimised

# Without the dumps: types are told by the number of arguments, from the source.
call_graph_alone() {
    mkdir -p "$work/alone"
    $gcc -Iinclude -fcallgraph-info=su,da -c $here/fixtures/shop.c -o "$work/alone/shop.o" &&
        status 0 "$yields" list "$work/alone" && contains ': load() may switch here:' &&
        grep -q ' 0 are open' "$work/err" && ! grep -q ': save() m' "$work/out"
}
expect 'the call graph alone is enough' call_graph_alone

# Of fourteen functions in one table each is told from the others by its type.
told_apart() {
    status 0 "$yields" list "$work/pointers" && grep -q ' 0 are open' "$work/err" || return 1
    for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        grep -q ": call$n() may switch here: .* as fits$n() -> bine_yield()" "$work/out" && continue
        cat "$work/out"
        return 1
    done
}
expect 'list: types of pointers are told apart' told_apart

# Who releases what is kept calls a function of its own type.  One that only goes with the pointer by a `void *` and calls
# somebody unknown does not make that call a maybe, and if it switches, it is found.
own_type_first() {
    mkdir -p "$work/loose"
    echo 'int bine_yield(void); struct job { void (*done)(int); void (*drop)(void *); };
        void plain(void *p) { (void)p; } void ends(struct job *j) { LAST; }
        void *table[] = {(void *)plain, (void *)ends}; void release(struct job *j) { j->drop(j); }' >"$work/loose/a.c"
    compile "$work/loose/a.c" "$work/loose" "-DLAST=j->done(1)" && status 0 "$yields" list "$work/loose" &&
        contains ': ends() might switch' && ! grep -q ': release() m' "$work/out" &&
        compile "$work/loose/a.c" "$work/loose" "-DLAST=bine_yield(); (void)j" && status 0 "$yields" list "$work/loose" &&
        contains ': release() may switch here: void (*)(void *) as ends() -> bine_yield()'
}
expect 'list: what a loose match leaves open is no maybe' own_type_first

# A structure's tag in the pointer, and in the function the name that a typedef gave it.  Another's is another.
two_names() {
    mkdir -p "$work/two"
    echo 'int bine_yield(void); typedef struct loop_s loop_t; typedef struct ssl_st SSL; typedef struct _Widget Widget;
        struct io { void (*cb)(struct loop_s *); void (*in)(struct ssl_st *); void (*at)(struct _Widget *);
            void (*no)(struct other *); };
        static void late(loop_t *l) { (void)l; bine_yield(); } static void enc(SSL *s) { (void)s; bine_yield(); }
        static void draw(Widget *w) { (void)w; bine_yield(); } struct io io = {late, enc, draw, 0};
        void poll(struct io *i, loop_t *l) { i->cb(l); } void fill(struct io *i, SSL *s) { i->in(s); }
        void show(struct io *i, Widget *w) { i->at(w); } void none(struct io *i, struct other *o) { i->no(o); }' \
        >"$work/two/a.c"
    compile "$work/two/a.c" "$work/two" -w && status 0 "$yields" list "$work/two" &&
        contains ': poll() may switch here: void (*)(struct loop_s *) as late()' && contains ' as enc()' &&
        contains ' as draw()' && contains ': none() might switch'
}
expect 'list: a structure by its tag and by a typedef' two_names

# What is passed to a function of another unit is called where that unit calls it, or not at all.
of_another_unit() {
    mkdir -p "$work/units"
    echo 'int bine_yield(void); void keep(int (*)(void)); static int late(void) { return bine_yield(); }
        void early(void) { keep(late); }' >"$work/units/a.c"
    echo 'int (*kept)(void); void keep(int (*fn)(void)); void keep(int (*fn)(void)) { kept = fn; }' >"$work/units/b.c"
    compile "$work/units/a.c" "$work/units" && compile "$work/units/b.c" "$work/units" &&
        status 0 "$yields" list "$work/units" && contains ': late() may switch' &&
        ! grep -q ': early() m' "$work/out" &&
        status 0 "$yields" list "$work/units/a.ci" && contains 'keep() calling back late()'
}
expect 'list: what another unit only keeps is not called back' of_another_unit

# A macro that stands for a mark is one, also from a header; of one that makes declarations it is told that it is not.
marks_in_macros() {
    mkdir -p "$work/macros"
    printf '%s\n' '#pragma once' '#define NEVER BINE_NOYIELD __attribute__((cold))' '#include "user.h"' >"$work/macros/marks.h"
    printf '%s\n' '#pragma once' '#include "marks.h"' 'NEVER int bump(int);' >"$work/macros/user.h"
    printf '%s\n' '#include <bine.h>' '#include <bine/check.h>' '#include "marks.h"' '#include "user.h"' \
        '#define API(n) BINE_NOYIELD int n(int i)' 'API(other);' 'int other(int i) { return i + bine_yield(); }' \
        'int bump(int i) { return i + bine_yield(); }' >"$work/macros/a.c"
    compile "$work/macros/a.c" "$work/macros" && status 66 "$yields" check "$work/macros" &&
        contains 'bump() is marked BINE_NOYIELD, and may switch here' && ! grep -q ': other() is' "$work/out" &&
        grep -q 'a.c:5: BINE_NOYIELD in the macro API is not followed' "$work/err"
}
expect 'check: marks in macros' marks_in_macros

generators() {
    compile $here/fixtures/generators.c "$work/gen" -O1 && status 0 "$yields" check "$work/gen" &&
        compile $here/fixtures/generators.c "$work/gen.reads" -O1 -DREADS &&
        status 66 "$yields" check "$work/gen.reads" && contains 'generators.c:44:16: error: may switch' &&
        contains ': bine_gen_next() -> void * (*)(struct bine_gen *, void *) as bytes() -> bine_read()' &&
        ! grep -q unknown "$work/out" && compile $here/fixtures/generators.c "$work/gen.torn" -O1 -DTORN &&
        status 66 "$yields" check "$work/gen.torn" && contains ': hand_out() -> bine_gen_yield()' &&
        grep -q ' 1 errors' "$work/err"
}
expect 'a generator switches if its body does' generators

# With link-time optimisation gcc writes no graph: there is one all the same, and the object is what was asked for.
optimised_when_linked() {
    compile $here/fixtures/shop.c "$work/lto" -O2 -flto && "$yields" list "$work/lto" >"$work/with" 2>/dev/null &&
        "$yields" list "$work/shop" >"$work/without" 2>/dev/null && test -s "$work/with" &&
        diff "$work/without" "$work/with" && LC_ALL=C grep -q 'gnu\.lto' "$work/lto/shop.o"
}
expect 'with -flto, too' optimised_when_linked

# ---- C++ -------------------------------------------------------------------------------------------------------

if command -v "${CXX:-g++}" >/dev/null 2>&1 && ! "${CXX:-g++}" --version | grep -q clang; then
    expect 'shapes.cc compiles' compile $here/fixtures/shapes.cc "$work/shapes" -std=c++17
    virtual() {
        status 0 "$yields" list "$work/shapes" &&
            contains 'shapes::measure() may switch here: a virtual call as shapes::remote::area() -> bine_yield()' &&
            contains 'run() may switch here: std::function<int(int)>::operator()() ->' &&
            ! grep -q 'shapes::count() m' "$work/out" && grep -q ' 0 are open' "$work/err"
    }
    expect 'C++: virtual calls, std::function; overloads and other virtuals are told apart' virtual
    marks_in_cxx() { # past raw strings and separators of digits
        cat >"$work/marks.cc" <<'END'
#include <bine.h>
#include <bine/check.h>
static int deep() { return bine_yield(); }
static const char *raw = R"x(BINE_ATOMIC { " '
    )x";
static long n = 1'000'000;
struct s { BINE_NOYIELD int m() { return deep(); } };
int f(s &x) {
    BINE_ATOMIC { n += raw[0] + deep(); }
    return x.m();
}
END
        compile "$work/marks.cc" "$work/marks.cxx" -std=c++17 && status 66 "$yields" check "$work/marks.cxx" &&
            contains 'marks.cc:7:46: error: s::m() is marked BINE_NOYIELD' && contains 'marks.cc:9:37: error:' &&
            grep -q '1 atomic blocks and 1 BINE_NOYIELD marks' "$work/err"
    }
    expect 'C++: marks' marks_in_cxx
    several_names() {
        for level in O0 O2; do
            for file in names names_other; do
                compile $here/fixtures/$file.cc "$work/names.$level" -std=c++17 -$level || return
            done
            status 66 "$yields" check "$work/names.$level" || return
            contains ': leave_scope() -> remote::~remote() -> bine_yield()' &&
                contains ': box<int>::touch() -> bine_yield()' && contains ': other() -> real() -> bine_yield()' &&
                contains ': hook() -> bine_yield()' && contains ': weak_elsewhere() -> bine_yield()' &&
                contains ': picked() -> careful() -> bine_yield()' &&
                contains ': twice() -> a pointer to a member as slow::draw() -> bine_yield()' || return
        done
    }
    expect 'C++: destructors, aliases, weak functions, resolvers, pointers to members' several_names
    expect 'C++: why takes a qualified name' status 0 "$yields" why shapes::measure "$work/shapes"
else
    skip 'C++: no g++'
fi

# ---- Stacks ----------------------------------------------------------------------------------------------------

bytes() { sed -n 's/.* needs at most \([0-9]*\) bytes.*/\1/p' "$work/out"; }
deep_is_both_arrays() { # less what a leaf keeps in the red zone
    status 0 "$yields" stack deep "$work/depth" && test "$(bytes)" -ge 7700 && test "$(bytes)" -le 8600 &&
        contains 'deep() ' && contains ' -> inner() '
}
expect 'stack: the deepest path' deep_is_both_arrays
recursion_has_no_bound() {
    status 66 "$yields" stack endless "$work/depth" && contains 'recursion, counted once' && contains 'at least'
}
expect 'stack: recursion is told' recursion_has_no_bound
alloca_has_no_bound() { status 66 "$yields" stack unbounded "$work/depth" && contains 'no fixed size'; }
expect 'stack: alloca is told' alloca_has_no_bound
not_counted() { status 0 "$yields" stack clerk "$work/shop" && contains 'not counted' && contains 'bine_read()'; }
expect 'stack: what is not in the graph is told' not_counted

# ---- What became yielding --------------------------------------------------------------------------------------

# A switch in place of the mark must be reported at its line; "through": also in one of these functions.
injected() {
    mark=$1 through=$2
    mkdir -p "$work/$mark"
    sed "s/AT($mark)/bine_yield()/" $here/fixtures/inject.c >"$work/$mark/inject.c"
    line=$(grep -n "AT($mark)" $here/fixtures/inject.c | cut -d: -f1)
    compile "$work/$mark/inject.c" "$work/$mark" && status 66 "$yields" diff "$work/inject" "$work/$mark" || return 1
    contains "inject.c:$line:" || return 1
    test -z "$through" || contains "$through() may switch here now"
}
for mark in D0 D1 D2 D3 D4 D5 D6 D7 D8 D9; do
    expect "diff: direct switch $mark" injected $mark ''
done
for pair in P0:dispatch P1:dispatch P2:via_ops P3:via_ops P4:via_ops P5:via_hash P6:via_union P7:via_union \
    P8:via_sort P9:via_cast; do
    expect "diff: switch through a pointer, $pair" injected "${pair%:*}" "${pair#*:}"
done
expect 'diff: nothing new is clean' status 0 "$yields" diff "$work/shop" "$work/plain"
no_longer() { status 0 "$yields" diff "$work/D0" "$work/inject" && contains 'direct_a() no longer switches'; }
expect 'diff: what no longer switches is a note' no_longer
moved_lines() {
    mkdir -p "$work/moved"
    { echo '/* A line */'; cat $here/fixtures/inject.c; } >"$work/moved/inject.c"
    compile "$work/moved/inject.c" "$work/moved" && status 0 "$yields" diff "$work/inject" "$work/moved"
}
expect 'diff: lines that moved are not new' moved_lines

# ---- Formats ---------------------------------------------------------------------------------------------------

$CC -std=c11 -Wall -Wextra -o "$work/json" $here/json.c || exit 1
# well_formed <status> <text> <arguments>...: JSON that has the text.
well_formed() {
    wanted=$1 text=$2
    shift 2
    status "$wanted" "$yields" "$@" && "$work/json" <"$work/out" && contains "$text"
}
for format in json sarif; do
    expect "$format: list" well_formed 0 '"switch-point"' --format=$format list "$work/shop"
    expect "$format: annotate" \
        well_formed 0 '"switch-point"' --format=$format annotate $here/fixtures/shop.c "$work/shop"
    expect "$format: why" well_formed 0 'bine_read' --format=$format why load "$work/shop"
    expect "$format: check" well_formed 66 '"broken-promise"' --format=$format check "$work/marks"
    expect "$format: nothing found" well_formed 0 '' --format=$format check "$work/shop"
    expect "$format: diff" well_formed 66 '"new-switch-point"' --format=$format diff "$work/inject" "$work/D1"
    expect "$format: stack" well_formed 0 '"stack-depth"' --format=$format stack deep "$work/depth"
done
expect 'sarif: version and driver' well_formed 66 '"version": "2.1.0"' --format=sarif check "$work/marks"
# A name that neither JSON nor a URI takes as it is, and that is not all text.
odd_name() {
    odd=$(printf 'o%%\\ \303\274\374.c')
    mkdir -p "$work/odd" && cp $here/fixtures/marks.c "$work/odd/$odd" && include=$PWD/include &&
        (cd "$work/odd" && "$yields_here" cc $gcc -I"$include" -c "$odd" -o m.o) || return 1
    (cd "$work/odd" && "$yields_here" --format "$1" check . >"$work/out" 2>"$work/err")
    test $? = 66 && "$work/json" <"$work/out" && contains "$2"
}
case $yields in /*) yields_here=$yields ;; *) yields_here=$PWD/$yields ;; esac
expect 'json: an odd name' odd_name json '"o%\\ ü\u00fc.c"'
expect 'sarif: an odd name' odd_name sarif '"o%25%5C%20%C3%BC%FC.c"'
# gcc writes the quote as it is, where the text ends with one.
quoted() {
    mkdir -p "$work/a \"quoted\" name" "$work/quoted"
    cat >"$work/a \"quoted\" name/a\"b.c" <<'END'
void bine_yield(void);
static void deep(void) { bine_yield(); }
static void (*const table[])(void) = {deep};
void through(unsigned i) { table[i](); }
END
    "$yields" cc $gcc -c "$work/a \"quoted\" name/a\"b.c" -o "$work/quoted/q.o" && status 0 "$yields" list "$work/quoted" &&
        grep -q 'a"b.c:2:26: note: deep() may switch here' "$work/out" &&
        grep -q 'a"b.c:4:28: note: through() may switch here.*deep() -> bine_yield()' "$work/out"
}
expect 'a source whose name has quotes' quoted
full() {
    "$yields" "$@" >/dev/full 2>"$work/output"
    test $? = 1 && grep -q 'cannot write' "$work/output"
}
for format in text json sarif; do
    expect "$format: a full disk" full --format $format check "$work/marks"
done
expect 'annotate: a full disk' full annotate $here/fixtures/shop.c "$work/shop"
expect '--help: a full disk' full --help
expect '--version: a full disk' full --version
coloured() { "$yields" --color=always check "$work/marks" 2>/dev/null | grep -q "$(printf '\033')\[1;31merror:"; }
expect 'colour where it is asked for' coloured
plain() { ! "$yields" check "$work/marks" 2>/dev/null | grep -q "$(printf '\033')"; }
expect 'no colour in a pipe' plain

# ---- Faults ----------------------------------------------------------------------------------------------------

broken() { # what was compiled before is not taken for the present
    mkdir -p "$work/broken"
    cp $here/fixtures/depth.c "$work/broken/a.c"
    "$yields" cc $gcc -c "$work/broken/a.c" -o "$work/broken/a.o" || return 1
    echo 'int f(void) { return }' >>"$work/broken/a.c"
    ! "$yields" cc $gcc -c "$work/broken/a.c" -o "$work/broken/a.o" 2>"$work/err" &&
        grep -q 'no call graph was kept' "$work/err" && ! ls "$work/broken"/*.ci "$work/broken"/*.ssa 2>/dev/null
}
expect 'cc: a source that does not compile leaves no graph' broken
in_one_go() {
    mkdir -p "$work/linked"
    echo 'int main(void) { return 0; }' >"$work/linked/m.c"
    "$yields" cc $gcc "$work/linked/m.c" $here/fixtures/depth.c -o "$work/linked/program" &&
        status 0 "$yields" stack deep "$work/linked"
}
expect 'cc: compiling and linking at once' in_one_go
if command -v clang >/dev/null 2>&1; then
    expect 'cc: clang is told to be none' refused 1 'is clang, which writes no call graph' \
        "$yields" cc clang -c $here/fixtures/depth.c -o "$work/clang.o"
else
    skip 'clang: none here'
fi
expect 'cc: no such compiler' refused 1 'cannot be run' "$yields" cc no-such-compiler -c x.c
mkdir "$work/empty"
expect 'a directory without graphs' refused 1 'no call graph' "$yields" list "$work/empty"
expect 'a file that is not there' refused 1 'No such file' "$yields" list "$work/none.ci"
$gcc -c $here/fixtures/depth.c -o "$work/empty/bare.o"
expect 'an object without a graph' refused 1 'no call graph beside it' "$yields" check "$work/empty/bare.o"
mkdir "$work/cut" && head -c 700 "$work/shop/shop.ci" >"$work/cut/shop.ci"
expect 'a graph that was cut short' refused 1 'cut short' "$yields" list "$work/cut"
echo 'no graph' >"$work/cut/shop.ci"
expect 'a file that is no graph' refused 1 'not a call graph' "$yields" list "$work/cut"
if test "$(id -u)" != 0; then
    cp "$work/shop/shop.ci" "$work/cut/shop.ci" && chmod 0 "$work/cut/shop.ci"
    expect 'a graph that may not be read' refused 1 'Permission denied' "$yields" list "$work/cut"
fi
case $yields in /*) yields_for_cd=$yields ;; *) yields_for_cd=$PWD/$yields ;; esac
moved_away() {
    mkdir -p "$work/gone" && cp $here/fixtures/marks.c "$work/gone/m.c" && include=$PWD/include &&
        (cd "$work/gone" && "$yields_for_cd" cc $gcc -I"$include" -c m.c -o m.o) && rm "$work/gone/m.c" &&
        refused 1 'm.c: cannot be read' "$yields" check "$work/gone"
}
expect 'check: a source that is gone' moved_away
expect 'a function that is not there' refused 1 'no such function' "$yields" why nobody "$work/shop"
expect 'a source that is not in the graph' refused 1 'no function of it' "$yields" annotate $here/json.c "$work/shop"
expect 'usage: no command' refused 2 'no command' "$yields"
expect 'usage: unknown command' refused 2 'unknown command' "$yields" look
expect 'usage: unknown option' refused 2 'unknown option' "$yields" --loud list
expect 'usage: unknown format' refused 2 'unknown format' "$yields" --format=xml list
expect 'usage: no format' refused 2 'wants an argument' "$yields" --format
expect 'usage: unknown colour' refused 2 'unknown way to colour' "$yields" --color blue list
expect 'usage: diff needs two' refused 2 'the old and the new' "$yields" diff "$work/shop"
expect 'usage: why needs a function' refused 2 'which function' "$yields" why
expect '--help' status 0 "$yields" --help
expect '--version' status 0 "$yields" --version

# ---- The list of calls -------------------------------------------------------------------------------------------

expect 'every page says whether its calls yield' awk -v strict=1 -f tools/yields/yielding.awk man/man3/*.3
# One call for each way in which a page may say it, and one that a page says never does.
of_each_wording() {
    awk -f tools/yields/yielding.awk man/man3/*.3 >"$work/table"
    for name in bine_read bine_join bine_process_wait bine_stream_read bine_workers_call bine_gen_from \
        bine_might_yield; do
        grep -q "{\"$name\", .*false}," "$work/table" || { echo "$name is not there"; return 1; }
    done
    grep -q '{"bine_context_run", .*true},' "$work/table" &&
        ! grep -q '"bine_close"\|"bine_spawn"\|"bine_gen_next"\|unread' "$work/table"
}
expect 'the list of calls has each wording' of_each_wording
# What BINE_ATOMIC hides, so that it does not compile inside, is what the manual says yields.  A call that only one of
# them has yet is printed: it is still reported when it runs.
hidden_names() {
    awk -f tools/yields/yielding.awk man/man3/*.3 | sed -n 's/^ *{"\(bine_[a-z][a-z_]*\)".*false},/\1/p' |
        LC_ALL=C sort -u >"$work/manual"
    grep -o 'BINE__NO(bine_[a-z_]*)' include/bine/check.h | sed 's/.*(//; s/)//; s/_sized$//; s/_at$//' |
        LC_ALL=C sort -u >"$work/hidden"
    LC_ALL=C comm -23 "$work/manual" "$work/hidden" | sed 's/^/note: BINE_ATOMIC does not hide /' >"$work/differ"
    LC_ALL=C comm -13 "$work/manual" "$work/hidden" | sed 's/^/note: the manual does not have /' >>"$work/differ"
    test "$(LC_ALL=C comm -12 "$work/manual" "$work/hidden" | wc -l)" -ge 65
}
expect 'check.h hides the calls that the manual says yield' hidden_names
cat "$work/differ"
# What bine.pc gives to build systems is what cc adds.
same_flags() {
    sed -n '/^static char \*const flags/,/;$/p' tools/yields/cc.c | grep -o '"[^"]*"' | tr -d '"' >"$work/cc"
    sed -n 's/^yields_cflags=//p' bine.pc.in | tr ' ' '\n' | diff "$work/cc" -
}
expect 'bine.pc has the flags of cc' same_flags
further_calls() {
    status 0 "$yields" --yields=qsort,nothing list "$work/shop" &&
        contains 'sort_keys() may switch here: qsort()'
}
expect '--yields' further_calls

conclude
