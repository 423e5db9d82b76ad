#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Holds README.md to its word: its C programs compile without a warning and link, the server answers, and every
# target of make and every file that it names is there.
#
# From the environment: BUILD (with a built native library), CC.  At the end "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
# shellcheck source=tests/support/expect.sh
. tests/support/expect.sh
server=
# shellcheck disable=SC2317 # called by the trap
end() {
    test -z "$server" || kill "$server" 2>/dev/null
    rm -rf "$work"
}
trap end EXIT

build() {
    $CC -std=c11 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Iinclude -o "$2" "$1" \
        "$BUILD/native/libbine.a" -pthread
}

awk -v stem="$work/block" '/^```c$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print > (stem n ".c") }' README.md
expect 'the first block is a program' grep -q 'int main' "$work/block1.c"
for block in "$work"/block*.c; do
    expect "$(basename "$block") compiles and links" build "$block" "${block%.c}"
done

# The server as it stands, but for the port, which must be a free one, and stay so: the address is nobody else's.
expect 'the client compiles and links' build tests/readme/client.c "$work/client"
address=127.$(($$ / 64516 % 250 + 1)).$(($$ / 254 % 254 + 1)).$(($$ % 254 + 1)):$("$work/client")
expect 'the server listens on :7000' grep -q '":7000"' "$work/block1.c"
sed "s/\":7000\"/\"$address\"/" "$work/block1.c" >"$work/server.c"
expect 'the server compiles and links' build "$work/server.c" "$work/server"
"$work/server" &
server=$!
expect 'the server echoes' "$work/client" "$address"
expect 'the server is still there' kill -0 "$server"
refused() {
    timeout -k 5 120 "$work/server" 2>"$work/why"
    test $? = 1 && grep -q 'Address already in use' "$work/why"
}
expect 'a second one on its port says why it fails, and fails' refused

grep -Eoh '(^|`)make [a-z][a-z0-9-]*' README.md HACKING.md | sed 's/.*make //' | sort -u | while read -r target; do
    grep -Eq "^$target:" Makefile */*.mk src/*/*.mk || echo "no target $target"
done >"$work/targets"
expect 'every target named is in the Makefile' diff /dev/null "$work/targets"
{
    grep -Eoh '\]\([^)#]+' README.md HACKING.md CHANGELOG.md | sed 's/^](//' | grep -v '^http'
    grep -Eoh '`(src|tests|examples|include|man)/[A-Za-z0-9_/.]*`' README.md HACKING.md | tr -d '`'
    grep -Eoh '\b[a-z0-9_]+\.c\b' HACKING.md | while read -r name; do git ls-files | grep "/$name\$" || echo "$name"; done
} | sort -u | while read -r file; do
    test -e "$file" || echo "$file"
done >"$work/files"
expect 'every file named is there' diff /dev/null "$work/files"
grep -Eoh '`bine__[a-z_]+\(\)`' HACKING.md | tr -d '`()' | sort -u | while read -r name; do
    grep -rqw "$name" src || echo "$name"
done >"$work/names"
expect 'every internal function named is there' diff /dev/null "$work/names"

conclude
