#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Keeps bine_yield(7) true: writes its files, runs its sessions, and compares what the commands print with what the
# page says they do.  Of the page's displays, a comment before the .Bd says which is what:
#
#   .\" file NAME          the contents of a file
#   .\" session            commands, after "$ ", and their output; standard error comes last
#   .\" session sites      the same, for what needs the checked library, bine-race and bine-explore: of their reports
#                          the places and the kinds are compared, of which each in the page must be printed
#
# From the environment: BUILD, CC.  -i: prints what the sessions print, for editing.  At the end "N passed, N failed",
# and ", N skipped" if there were any.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
CC=${CC:-cc}
O=$BUILD/native
page=man/man7/bine_yield.7
passed=0 failed=0 skipped=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

gcc=$CC
$gcc --version 2>/dev/null | grep -q clang && gcc=gcc
if ! $gcc -x c -c -o "$work/probe.o" -fcallgraph-info=su,da /dev/null 2>/dev/null; then
    echo "skipped: $gcc does not know -fcallgraph-info"
    exit 77
fi
# Are bine-race and bine-explore, and their library, built?
checked=
echo 'int main(void) { return 0; }' >"$work/probe.c"
test -x "$O/bine-race" && test -x "$O/bine-explore" &&
    "$O/bine-race" $gcc -Iinclude -o "$work/probe" "$work/probe.c" >/dev/null 2>&1 && "$work/probe" && checked=1

# The page's displays, as files: $work/page/NAME, and $work/session.N[.sites].
mkdir -p "$work/page" "$work/bin"
awk -v work="$work" '
    /^\.\\" file / { kind = "file"; name = work "/page/" $3; next }
    /^\.\\" session/ { kind = "session"; name = work "/session." (++n + 10) ($3 ? "." $3 : ""); next }
    /^\.\\"/ { next }
    /^\.Bd / && kind { inside = 1; printf "" > name; next }
    /^\.Ed/ { if (inside) close(name); inside = 0; kind = ""; next }
    inside {
        gsub(/\\&/, ""); gsub(/\\-/, "-"); gsub(/\\e/, "\\")
        print > name
        next
    }
    { kind = "" }' "$page"

# The compiler and the tools by the names that the page gives them, with the library of this tree.
cat >"$work/bin/gcc" <<END
#!/bin/sh
for word; do
    shift
    test "\$word" = -lbine && word=$O/libbine.a
    set -- "\$@" "\$word"
done
exec "$(command -v $gcc)" -I"$PWD/include" "\$@" -pthread
END
chmod +x "$work/bin/gcc"
for tool in bine-yields bine-race bine-explore; do
    test -x "$O/$tool" && ln -s "$O/$tool" "$work/bin/$tool"
done
PATH=$work/bin:$PATH
export PATH

# Runs a session, in the directory of the page's files.
perform() {
    while IFS= read -r line; do
        case $line in
        '$ '*)
            printf '%s\n' "$line"
            (cd "$work/page" && sh -c "${line#??}" 2>"$work/errors" </dev/null)
            cat "$work/errors"
            ;;
        esac
    done <"$1"
}

# What a report is about: places, kinds of findings, and whole lines that are none of its own.
gist() {
    {
        grep -o '[a-z]*\.c:[0-9]*' "$1"
        grep -o '[A-Z][A-Z]*-[A-Z][A-Z-]*' "$1"
        grep -E '^[$a]' "$1"
    } | LC_ALL=C sort -u
}

for session in "$work"/session.*; do
    if test "${session%.sites}" != "$session" && test -z "$checked"; then
        skipped=$((skipped + 1))
        echo "skipped: a session of bine-race and bine-explore: they are not built"
        continue
    fi
    perform "$session" >"$work/printed"
    test "${1-}" = -i && cat "$work/printed"
    if test "${session%.sites}" != "$session"; then
        gist "$session" >"$work/wanted" && gist "$work/printed" >"$work/there"
        LC_ALL=C comm -23 "$work/wanted" "$work/there" >"$work/differ"
        test -s "$work/differ" && cat "$work/printed" >>"$work/differ"
    else
        diff "$session" "$work/printed" >"$work/differ"
    fi
    if test ! -s "$work/differ"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: the page says (<), it is (>)"
        head -n 40 "$work/differ"
    fi
done

printf '%d passed, %d failed%s\n' $passed $failed "$(test $skipped = 0 || echo ", $skipped skipped")"
test $failed = 0 && test $passed -gt 0
