#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Holds the manual to its promises: the pages are clean mdoc, every public name has a page and every page
# its place, the prototypes are those of the headers, and the examples compile, link, run, and print what
# the page says.
#
#   CC            compiler (cc)            CFLAGS, LDFLAGS   added when compiling, when linking
#   BINE_LIB      the static library (the first of build/libbine.a and build/native/libbine.a that is there;
#                 BUILD says where build is)               BINE_LIBS   what it needs beside libc
#
# Each fault is a line on standard error.  The last line says how many facts held and how many sections of this
# script found a fault: "N passed, N failed".  Exit status: 0 if all is well, otherwise 1.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
CC=${CC:-cc}
BUILD=${BUILD:-build}
if [ -z "${BINE_LIB:-}" ]; then
    BINE_LIB=$BUILD/libbine.a
    [ -f "$BINE_LIB" ] || BINE_LIB=$BUILD/native/libbine.a
fi
export CC
passed=0
failed=0

fault() {
    echo "tests/man/check.sh: $*" >&2
    failed=$((failed + 1))
}

# The lines of a file, if it has any, are a fault.
none_in() {
    [ -s "$1" ] || return 0
    cat "$1" >&2
    failed=$((failed + 1))
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

if ! command -v mandoc >/dev/null 2>&1; then
    fault "mandoc is missing: apt-get install mandoc (or run tests/setup.sh)"
    finish
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
pages="man/man3/*.3 man/man7/*.7"

# ---- The pages by themselves ---------------------------------------------------------------------------

# shellcheck disable=SC2086
mandoc -T lint -W warning $pages >"$work/lint" 2>&1 || fault "mandoc finds fault with a page"
cat "$work/lint" >&2

for page in $pages; do
    sections="NAME DESCRIPTION SEE_ALSO"
    case $page in
    *.3) sections="NAME LIBRARY SYNOPSIS DESCRIPTION CALLING_CONTEXT RETURN_VALUES EXAMPLES SEE_ALSO" ;;
    esac
    for section in $sections; do
        heading=$(echo "$section" | tr _ ' ')
        grep -qx ".Sh $heading" "$page" || fault "$page: no section $heading"
    done
    title=$(basename "$page" | sed 's/\.[0-9]$//')
    grep -qx "\.Nm $title\( ,\)\{0,1\}" "$page" || fault "$page: its own name is not among its .Nm"
    passed=$((passed + 1))
done

# "page name" for every name in a NAME section; a .Nm elsewhere has no argument or is not counted.
awk 'FNR == 1 { heading = "" }
     /^\.Sh / { heading = $2 }
     heading == "NAME" && /^\.Nm / { n = split(FILENAME, part, "/"); print part[n], $2 }' $pages >"$work/names"

grep -v '\.7 ' "$work/names" | cut -d' ' -f2 | sort | uniq -d | sed 's/$/: named by two pages/' >"$work/twice"
none_in "$work/twice"

# ---- Links: one for each name that is not its page's own -----------------------------------------------

awk '{ section = $1; sub(/.*\./, "", section); name = $2 "." section; if (name != $1) print name, $1 }' \
    "$work/names" | sort >"$work/wanted"
sort man/links >"$work/links"
diff "$work/links" "$work/wanted" |
    sed -n 's/^< /man\/links: no page names /p; s/^> /man\/links: missing: /p' >"$work/diff"
none_in "$work/diff"

# ---- References ----------------------------------------------------------------------------------------

{
    for page in $pages man/man1/*.1; do basename "$page"; done
    cut -d' ' -f1 man/links
} >"$work/exist"
awk '/^\.(Xr|.* Xr) / {
         for (i = 1; i < NF; i++)
             if ($i ~ /^\.?Xr$/ && tolower($(i + 1)) ~ /^bine/) print FILENAME, $(i + 1) "." $(i + 2)
     }' $pages man/man1/*.1 | while read -r page target; do
    grep -qx "$target" "$work/exist" || echo "$page: .Xr to $target, which does not exist"
done >"$work/dangling"
none_in "$work/dangling"

# ---- Every public name has its page --------------------------------------------------------------------

# Functions and function-like macros; of the latter also the function that they stand for.
awk '/^#define (bine|BINE)_[A-Za-z0-9_]+\(/ && !/BINE__[A-Z_]*\(x\)/ {
         name = $2; sub(/\(.*/, "", name)
         if (name !~ /^(bine|BINE)__/) print "name", name
         macro = name ~ /^bine_[a-z]/
         body = $0; sub(/^#define [^)]*\)/, "", body); if (body ~ /\\$/) getline body
         if (macro && match(body, /bine_[a-z0-9_]+\(/)) print "beneath", substr(body, RSTART, RLENGTH - 1)
         next
     }
     /^#define BINE_(SHIELD) / { print "name", $2; next }
     /^BINE_EXPORT / && match($0, /bine_[a-z0-9_]+\(/) {
         name = substr($0, RSTART, RLENGTH - 1)
         if (name !~ /^bine__/) print "function", name
     }' include/bine/*.h >"$work/symbols"
sed -n 's/^beneath //p' "$work/symbols" | sort -u >"$work/beneath"
sed -n 's/^name //p; s/^function //p' "$work/symbols" | sort -u | comm -23 - "$work/beneath" >"$work/readers"
[ "$(wc -l <"$work/readers")" -gt 80 ] || fault "the headers could not be read: $(wc -l <"$work/readers") names"

cut -d' ' -f2 "$work/names" | sort -u >"$work/named"
comm -23 "$work/readers" "$work/named" | sed 's/$/: no page names it/' >"$work/missing"
while read -r name; do
    # shellcheck disable=SC2086
    grep -Eqs "^\.(Fn|Fo|Nm) $name( |\$)|Fn $name( |\$)" $pages || echo "$name: in no SYNOPSIS and no text"
done <"$work/readers" >>"$work/missing"
while read -r name; do
    # shellcheck disable=SC2086
    grep -Eqs "Fn $name( |\$)" $pages || echo "$name: mentioned nowhere"
done <"$work/beneath" >>"$work/missing"
# Types, constants and members of public structs: named somewhere.
awk '/^#define BINE_[A-Z0-9_]+ / && $2 !~ /BINE__|_DECLS|_EXPORT/ { print $2 }
     /^ *BINE_[A-Z_]+,?( = [0-9]+,)?( |$)/ && !/BINE_EXPORT|BINE__|_DECLS/ { sub(/,.*/, "", $1); print $1 }
     /^enum \{ / { for (i = 1; i <= NF; i++) if ($i ~ /^BINE_/) { sub(/,/, "", $i); print $i } }
     /^} bine_[a-z_]+;/ { sub(/;/, "", $2); print $2 }
     /^typedef / && match($0, /bine_[a-z_]+(;|\()/) { print substr($0, RSTART, RLENGTH - 1) }
     /^typedef struct bine_[a-z]+ \{/ { within = 1 }
     /^}/ { within = 0 }
     within && /^    [a-z].*;/ && !/bine__private/ {
         line = $0
         if (match(line, /\(\*[a-z_]+\)/)) { print substr(line, RSTART + 2, RLENGTH - 3); next }
         sub(/;.*/, "", line); sub(/\[.*/, "", line); sub(/.*[ *]/, "", line); print line
     }' include/bine/*.h | sort -u >"$work/words"
while read -r word; do
    # shellcheck disable=SC2086
    grep -Eqs "(^|[^A-Za-z0-9_])$word([^A-Za-z0-9_]|\$)" $pages || echo "$word: mentioned nowhere"
done <"$work/words" >>"$work/missing"
none_in "$work/missing"
# And the other way: nothing is documented that the headers do not have.
passed=$((passed + $(wc -l <"$work/readers") + $(wc -l <"$work/words")))
comm -13 "$work/readers" "$work/named" | grep -vx -e bine -e bine_scopes -e bine_asyncio | while read -r name; do
    grep -qx "$name" "$work/beneath" "$work/words" || echo "$name: has a page, but is in no header"
done >"$work/surplus"
none_in "$work/surplus"

# ---- The prototypes are the headers' -------------------------------------------------------------------

# Each SYNOPSIS, as declarations after the headers: a conflict is an error.  What is a macro is used, once, with
# arguments of the types that the page gives.
{
    echo '#include "prelude.h"'
    awk 'function use(arguments,    n, i, each, call) {
             n = split(arguments, each, ", ")
             if (n == 0 || arguments !~ /^[A-Za-z0-9_ *,]*$/) return
             for (i = 1; i <= n; i++) {
                 sub(/.*[ *]/, "", each[i])
                 call = call (i > 1 ? ", " : "") each[i]
             }
             print "#ifdef " name
             printf "#line %d \"%s\"\n", line, FILENAME
             print type " use_" name "(" arguments ") { return " name "(" call "); }"
             print "#endif"
         }
         function flush() {
             if (name ~ /^bine_/) {
                 use(arguments)
                 print "#undef " name
                 printf "#line %d \"%s\"\n", line, FILENAME
                 print type " " name "(" (arguments == "" ? "void" : arguments) ");"
             }
             name = ""
         }
         # The arguments of a macro line: words, or "quoted words".
         function words(s,    list, word) {
             list = ""
             while (match(s, /^ *("[^"]*"|[^ ]+)/)) {
                 word = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
                 gsub(/^ *"?|"$/, "", word)
                 list = list (list == "" ? "" : ", ") word
             }
             return list
         }
         FNR == 1 { heading = "" }
         /^\.Sh / { heading = $2 }
         heading != "SYNOPSIS" { next }
         /^\.Ft / { type = words(substr($0, 5)); gsub(/, /, " ", type); next }
         /^\.Fn / { name = $2; line = FNR; s = $0; sub(/^\.Fn [^ ]+/, "", s); arguments = words(s); flush(); next }
         /^\.Fo / { name = $2; line = FNR; arguments = ""; next }
         /^\.Fa / { arguments = arguments (arguments == "" ? "" : ", ") words(substr($0, 5)); next }
         /^\.Fc/ { flush() }' man/man3/*.3
} >"$work/prototypes.c"
# shellcheck disable=SC2086
$CC ${CFLAGS:-} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -I"$here" \
    -fsyntax-only "$work/prototypes.c" || fault "a SYNOPSIS says something else than the headers"

# ---- The examples --------------------------------------------------------------------------------------

mkdir "$work/examples"
# shellcheck disable=SC2086
sh "$here/extract" "$work/examples" $pages || fault "an example does not compile"
# A program that hangs is ended by a signal.
cat >"$work/limit.c" <<'END'
#include <unistd.h>
__attribute__((constructor)) static void limit(void)
{
    alarm(60);
}
END
# shellcheck disable=SC2086
$CC ${CFLAGS:-} -c "$work/limit.c" -o "$work/limit.o" || fault "the limit does not compile"

if [ ! -f "$BINE_LIB" ]; then
    fault "no library at $BINE_LIB (set BINE_LIB): no example was linked or run"
    finish
fi
passed=$((passed + $(find "$work/examples" -name '*.c' | wc -l)))
run=0
for link in "$work"/examples/*.link; do
    stem=${link%.link}
    name=$(basename "$stem")
    # shellcheck disable=SC2086
    if ! $CC ${CFLAGS:-} ${LDFLAGS:-} "$stem.o" "$work/limit.o" "$BINE_LIB" ${BINE_LIBS:-} -pthread -o "$stem"; then
        fault "$name: does not link"
        continue
    fi
    [ -e "$stem.run" ] || continue
    run=$((run + 1))
    (cd "$work/examples" && "$stem" <"$stem.c" >"$stem.printed" 2>"$stem.said")
    code=$?
    if [ "$code" -ne 0 ]; then
        fault "$name: exit status $code"
        cat "$stem.said" >&2
    fi
    if [ -e "$stem.out" ] && ! diff "$stem.out" "$stem.printed" >&2; then
        fault "$name: prints something else than the page says (<)"
    fi
done
[ "$run" -gt 10 ] || fault "only $run examples were run"

passed=$((passed + run))
finish
