#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs into a temporary place and uses what is there as a stranger would: as C11 and as C++17, static and
# shared, with pkg-config and without; compares the exported symbols with symbols.txt; looks at what the shared
# library needs; uninstalls, and looks for what is left.  For each context.
#
# From the environment: BUILD, CC.  At the end "N passed, N failed", and ", N skipped" if there were any.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
CC=${CC:-cc}
CXX=${CXX:-c++}
strict='-O2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
# shellcheck source=tests/support/expect.sh
. tests/support/expect.sh

# The consumer, compiled by $1 as $2, with flags and libraries $3, then run.
consumer() {
    case $2 in
    c++*) cp tests/install/consumer.c "$work/consumer.cc" && source=$work/consumer.cc ;;
    *) source=tests/install/consumer.c ;;
    esac
    # shellcheck disable=SC2086
    $1 "-std=$2" $strict -o "$work/consumer" "$source" $3 && LD_LIBRARY_PATH=$lib "$work/consumer"
}

exported() {
    nm -D --defined-only "$lib/libbine.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        LC_ALL=C sort >"$work/symbols"
    diff tests/install/symbols.txt "$work/symbols"
}
declared() { # in the headers, as functions marked BINE_EXPORT
    $CC -E -P -Iinclude include/bine.h | tr '\n' ' ' | grep -o 'visibility("default")))[^;{]*' |
        grep -oE '\bbine_[a-z0-9_]+ ?\(|\bbine__gate\b' | tr -d ' (' | LC_ALL=C sort -u | diff tests/install/symbols.txt -
}
# The archive shares one name space with its program: nothing in it may be called anything else.
archive_names() {
    ! nm -g --defined-only "$lib/libbine.a" | awk 'NF == 3 { print $3 }' | grep -v '^bine_'
}
soname() { readelf -d "$lib/libbine.so" | grep -F 'SONAME' | grep -qF "[libbine.so.$major]"; }
needs_libc_only() { ! readelf -d "$lib/libbine.so" | grep NEEDED | grep -Ev '\[(libc\.|ld-linux|libpthread\.)'; }
stack_not_executable() { readelf -lW "$lib/libbine.so" | grep GNU_STACK | grep -qw RW; }
no_text_relocations() { ! readelf -d "$lib/libbine.so" | grep TEXTREL; }
nothing_left() { test -z "$(find "$root" ! -type d)" || { find "$root" ! -type d; false; }; }
# Every header of the source is there, and no other.
headers_there() { diff -r include "$root/usr/include"; }
pages_there() {
    for page in man/man*/*.[0-9]; do test -f "$root/usr/share/$page" || { echo "$page"; return 1; }; done
    find "$root/usr/share/man" -type l ! -exec test -e {} \; -print | { ! grep .; }
}
# A destination with a space in its name.
spaces_are_kept() {
    root="$work/a b"
    ${MAKE:-make} -s CONTEXT=native BUILD="$BUILD" DESTDIR="$root" PREFIX=/usr install &&
        test -f "$root/usr/lib/libbine.a" && ! test -e "$work/a" &&
        ${MAKE:-make} -s CONTEXT=native BUILD="$BUILD" DESTDIR="$root" PREFIX=/usr uninstall && nothing_left
}

# Also where everything is built already, and nothing is left to be made.
unknown_resolver_refused() {
    ! ${MAKE:-make} -s BUILD="$BUILD" DNS=nobody all 2>"$work/why" && grep -q 'DNS is pool or cares' "$work/why"
}

# libbine-tls, where it was built: its exports, its names, and a program with it.
tls_exported() {
    nm -D --defined-only "$lib/libbine-tls.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        LC_ALL=C sort >"$work/symbols"
    diff tests/install/symbols-tls.txt "$work/symbols" &&
        $CC -E -P -Iinclude include/bine/tls.h | tr '\n' ' ' | grep -o 'visibility("default")))[^;{]*' |
        grep -oE '\bbine_tls[a-z0-9_]* ?\(' | tr -d ' (' | LC_ALL=C sort -u | diff tests/install/symbols-tls.txt -
}
tls_archive_names() {
    ! nm -g --defined-only "$lib/libbine-tls.a" | awk 'NF == 3 { print $3 }' | grep -v '^bine_'
}
tls_soname() { readelf -d "$lib/libbine-tls.so" | grep -F 'SONAME' | grep -qF "[libbine-tls.so.$major]"; }
tls_consumer() { # compiler, standard, libraries
    printf '%s\n' '#include <bine.h>' '#include <bine/tls.h>' \
        'int main(void) { bine_tls_config *c = bine_tls_config_new(BINE_TLS_CLIENT); bine_tls_config_free(c); return !c; }' \
        >"$work/tls.${2%%[0-9]*}"
    # shellcheck disable=SC2086
    $1 "-std=$2" $strict -o "$work/tls" -x "${2%%[0-9]*}" "$work/tls.${2%%[0-9]*}" $3 && LD_LIBRARY_PATH=$lib "$work/tls"
}

major=$(sed -n 's/^#define BINE_VERSION_MAJOR //p' include/bine/base.h)
for context in native fcontext; do
    if test $context = fcontext && ! test -f "$($CC -print-file-name=libboost_context.a)"; then
        skip 'fcontext: no Boost.Context here'
        continue
    fi
    root=$work/$context
    lib=$root/usr/lib
    installation="CONTEXT=$context BUILD=$BUILD DESTDIR=$root PREFIX=/usr"
    # shellcheck disable=SC2086
    expect "$context: make install" ${MAKE:-make} -s $installation install

    private=
    test $context = fcontext && private=-l:libboost_context.a
    for language in c11 c++17; do
        compiler=$CC
        test $language = c++17 && compiler=$CXX
        command -v "${compiler%% *}" >/dev/null 2>&1 || { skip "$context: no $compiler for $language"; continue; }
        plain="-I$root/usr/include -L$lib"
        expect "$context: $language, shared" consumer "$compiler" $language "$plain -lbine"
        expect "$context: $language, static" consumer "$compiler" $language "$plain -l:libbine.a $private -pthread"
        expect "$context: $language, all static" \
            consumer "$compiler" $language "$plain -static -lbine $private -pthread"
        if command -v pkg-config >/dev/null 2>&1; then
            export PKG_CONFIG_PATH="$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
            expect "$context: $language, shared, pkg-config" \
                consumer "$compiler" $language "$(pkg-config --cflags --libs bine)"
            expect "$context: $language, static, pkg-config" \
                consumer "$compiler" $language "-static $(pkg-config --static --cflags --libs bine)"
            unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
        else
            skip "$context: no pkg-config"
        fi
    done
    expect "$context: exports what symbols.txt lists (<: missing, >: not listed)" exported
    expect "$context: names in the archive begin with bine_" archive_names
    expect "$context: the soname is the major version" soname
    expect "$context: the shared library needs libc and nothing else" needs_libc_only
    expect "$context: the stack is not executable" stack_not_executable
    expect "$context: no text relocations" no_text_relocations
    expect "$context: all headers are installed" headers_there
    expect "$context: all pages are installed, no link dangles" pages_there
    if test -f "$lib/libbine-tls.so"; then
        plain="-I$root/usr/include -L$lib"
        expect "$context: TLS: exports what symbols-tls.txt lists (<: missing, >: not listed)" tls_exported
        expect "$context: TLS: names in the archive begin with bine_" tls_archive_names
        expect "$context: TLS: the soname is the major version" tls_soname
        expect "$context: TLS: c11, shared" tls_consumer "$CC" c11 "$plain -lbine-tls -lbine"
        expect "$context: TLS: c11, static" \
            tls_consumer "$CC" c11 "$plain -l:libbine-tls.a -l:libbine.a $private -lssl -lcrypto -pthread"
        if command -v pkg-config >/dev/null 2>&1; then
            export PKG_CONFIG_PATH="$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
            expect "$context: TLS: c11, shared, pkg-config" \
                tls_consumer "$CC" c11 "$(pkg-config --cflags --libs bine-tls)"
            unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
        fi
    else
        skip "$context: no TLS: OpenSSL is not here"
    fi
    # shellcheck disable=SC2086
    expect "$context: make uninstall" ${MAKE:-make} -s $installation uninstall
    expect "$context: uninstall leaves nothing" nothing_left
done
expect 'make install and uninstall keep to a directory with spaces' spaces_are_kept
expect 'make refuses a resolver that it does not know' unknown_resolver_refused
expect 'the headers declare what symbols.txt lists (<: missing, >: not listed)' declared
expect 'every header compiles alone' sh tests/install/headers.sh

conclude
