#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What can be said about the sources without running them.  No warning is tolerated.
#
# Each tool counts as one test; one that is not installed is skipped.  What the tools are told stands in
# .clang-tidy and tests/lint/cppcheck.supp.  At the end "N passed, N failed", and ", N skipped" if there were any.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
MAKE=${MAKE:-make -s}
passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# lint <tool> <what> <command>...: the command succeeds.
lint() {
    tool=$1 what=$2
    shift 2
    if ! command -v "$tool" >/dev/null 2>&1; then
        skipped=$((skipped + 1))
        echo "skip  $what: no $tool"
    elif "$@" >"$output" 2>&1; then
        passed=$((passed + 1))
        echo "ok    $what"
    else
        failed=$((failed + 1))
        echo "FAIL  $what"
        sed 's/^/      | /' "$output"
    fi
}

manual() { mandoc -T lint -W warning man/man*/*.[0-9]; }
scripts() { git ls-files '*.sh' .ci/run tests/man/extract | xargs shellcheck -S warning; }
strictly() { # <cc> <c++> <context> <target>...: with -Werror, in a directory of its own
    cc=$1 cxx=$2 context=$3
    shift 3
    # shellcheck disable=SC2086
    $MAKE -j2 BUILD="$BUILD/lint-$cc" CC="$cc" CXX="$cxx" CFLAGS='-O2 -g -Werror' CONTEXT="$context" "$@"
}
analysed() {
    cppcheck -q --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppressions-list=tests/lint/cppcheck.supp -j2 -D__x86_64__=1 -D__linux__=1 -D__GNUC__=12 -Iinclude -Isrc \
        src examples
}
# What this system lacks, and other CPUs and object formats: all of it compiles.
elsewhere() {
    gcc -std=gnu11 -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude -Isrc -Itests/support/kqueue -c -o /dev/null \
        src/io/reactor_kqueue.c
}
assembled() { # the switches, for each CPU, as ELF and as Mach-O; the headers too, inlined into a function of ours
    for target in x86_64-linux-gnu aarch64-linux-gnu x86_64-apple-macos11 arm64-apple-macos11; do
        case $target in x86_64*) cpu=x86_64 ;; *) cpu=aarch64 ;; esac
        for form in -O2 -O0; do
            printf '%s\n' '#include "arch/context.h"' 'void cross(struct bine__context *, struct bine__context *);' \
                'void cross(struct bine__context *from, struct bine__context *to) { bine__context_switch(from, to); }' \
                'int begin(struct bine__context *, char *, void (*)(void));' \
                'int begin(struct bine__context *c, char *top, void (*fn)(void)) { return bine__context_open(c, 0, top, fn); }' |
                clang -target $target -ffreestanding -std=gnu11 -Wall -Wextra -Werror $form -Isrc -x c -c -o "$output.o" - &&
                clang -target $target -c -o "$output.o" src/arch/$cpu.S || return
            echo "$target $form: $(file -b "$output.o" 2>/dev/null)"
        done
    done
    rm -f "$output.o"
}
tidied() {
    git ls-files 'src/*.c' 'examples/*.c' | xargs -P2 -n1 sh -c \
        'case $1 in src/check/* | src/io/explore.c) checked=-DBINE_CHECKED ;; *) checked=-UBINE_CHECKED ;; esac
        clang-tidy --quiet --warnings-as-errors="*" "$1" -- -std=gnu11 -Iinclude -Isrc -isystem tests/support/kqueue $checked \
        -isystem "$(pg_config --includedir 2>/dev/null || echo include)" 2>/dev/null' tidied
}
# House rules that a pattern can tell.
house() {
    bad=0
    git grep -nwIE 'TODO|FIXME|XXX' -- '*.c' '*.h' '*.S' '*.sh' Makefile '*.mk' ':!tests/lint' && bad=1
    git grep -nIE '[[:space:]]+$' -- '*.c' '*.h' '*.S' '*.sh' Makefile '*.mk' && bad=1
    git grep -nIE '.{121,}' -- include src examples Makefile '*.mk' ':!*.md' && bad=1
    git ls-files '*.c' '*.h' '*.S' '*.sh' '*.cc' Makefile '*.mk' | while read -r file; do
        head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file: no licence line"
        case $file in src/* | include/*) test "$(wc -l <"$file")" -le 600 || echo "$file: more than 600 lines" ;; esac
    done >"$output.house"
    cat "$output.house"
    test -s "$output.house" && bad=1
    rm -f "$output.house"
    test $bad = 0
}

lint mandoc 'manual pages (mandoc)' manual
lint shellcheck 'scripts (shellcheck)' scripts
lint sh 'public headers, each alone' sh tests/install/headers.sh
lint git 'house rules' house
lint spin 'models (spin)' sh tests/model/check.sh
lint gcc 'gcc -Werror, native' strictly gcc g++ native all tests
lint clang 'clang -Werror, native' strictly clang clang++ native all tests
lint gcc 'gcc -Werror, the library over fcontext' strictly gcc g++ fcontext "$BUILD/lint-gcc/fcontext/libbine.a"
lint gcc 'the kqueue reactor, against declarations' elsewhere
lint clang 'the switches, as ELF and as Mach-O' assembled
lint cppcheck 'cppcheck' analysed
lint clang-tidy 'clang-tidy' tidied

printf '%d passed, %d failed%s\n' $passed $failed "$(test $skipped = 0 || echo ", $skipped skipped")"
test $failed = 0
