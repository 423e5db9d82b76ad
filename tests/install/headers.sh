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

conclude
