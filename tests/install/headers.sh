#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compiles every public header alone, and twice over, as C11 and as C++17, with every compiler that is here.
#
#   tests/install/headers.sh [include directory]       (default: include)
#
# At the end "N passed, N failed".
set -u
include=${1:-include}
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"

# compiles <compiler> <standard> <extension>: every header.
compiles() {
    command -v "$1" >/dev/null 2>&1 || return
    for header in "$include"/bine.h "$include"/bine/*.h; do
        name=${header#"$include"/}
        file=$work/alone.$3
        printf '#include <%s>\n#include <%s>\nextern int bine_header_test;\n' "$name" "$name" >"$file"
        # shellcheck disable=SC2086
        expect "$1 -std=$2: <$name> compiles alone" "$1" "-std=$2" $strict "-I$include" -fsyntax-only "$file"
    done
}

compiles gcc c11 c
compiles gcc gnu17 c
compiles g++ c++17 cc
compiles clang c11 c
compiles clang++ c++17 cc

# What the blocks become in a program of its own is as clean.
blocks='#include <bine.h>
#include <bine/check.h>
extern int bine_header_test(int n);
int bine_header_test(int n)
{
    BINE_ATOMIC {
        n++;
        BINE_ATOMIC { n++; }
    }
    BINE_SCOPE(NULL, BINE_SECOND) { n++; }
    BINE_GROUP(group, BINE_GROUP_ALL) { n++; }
    return bine_await(n + 1);
}'
for compiler in gcc g++ clang clang++ clang-22 clang++-22; do
    command -v $compiler >/dev/null 2>&1 || continue
    case $compiler in *++*) language='c++ -std=c++17' ;; *) language='c -std=gnu11' ;; esac
    echo "$blocks" >"$work/blocks"
    # shellcheck disable=SC2086
    expect "$compiler: the blocks compile" $compiler $strict "-I$include" -fsyntax-only -x $language "$work/blocks"
done

conclude
