#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sees to it that what the tests need is installed.
#
#   tests/setup.sh [check|cares|valgrind|aarch64|yield|lint|ci]...       (default: check; ci is all of them)
#
# Quick and silent where nothing is missing.  Else it installs through apt-get if it may (root, or sudo that asks
# for no password), or prints the one command that does.  Exit status 1 only if something is still missing that the
# level cannot do without; what merely widens the tests ("want") may be missing: the tests then say what they skip.
# BINE_SETUP=no in the environment: installs nothing, only looks.
set -u
CC=${CC:-cc}
export DEBIAN_FRONTEND=noninteractive

required= # Debian packages without which the level cannot be run
wanted=   # Debian packages that make it complete
named=    # what is missing, for people on other systems

program() { command -v "$1" >/dev/null 2>&1; }
header() { printf '#include <%s>\n' "$1" | $CC -E - >/dev/null 2>&1; }
library() { test -f "$($CC -print-file-name="$1")"; }
runs_cxx() { program c++ || program g++ || program clang++; }

# need|want <package> <what it is> <test>...: notes the package unless the test succeeds.
need() {
    package=$1 what=$2
    shift 2
    "$@" && return
    required="$required $package" named="$named, $what"
}
want() {
    package=$1 what=$2
    shift 2
    "$@" && return
    wanted="$wanted $package" named="$named, $what"
}

look() {
    required='' wanted='' named=''
    for level in $levels; do
        case $level in
        check)
            need check 'Check (the unit-test library)' header check.h
            need libboost-context-dev 'Boost.Context (static library)' library libboost_context.a
            need mandoc mandoc program mandoc
            need curl curl program curl
            want pkg-config pkg-config program pkg-config
            want liburing-dev 'liburing (static library)' library liburing.a
            want g++ 'a C++ compiler' runs_cxx
            want libssl-dev "OpenSSL's headers" header openssl/core.h
            want openssl "OpenSSL's program" program openssl
            want iproute2 'ip (makes networks for tests)' program ip
            want redis-server 'a Redis server' program redis-server
            want postgresql 'a PostgreSQL server' postgresql_server
            want libpq-dev "PostgreSQL's client library" program pg_config
            want libsqlite3-dev SQLite header sqlite3.h
            ;;
        cares)
            need libc-ares-dev c-ares header ares.h
            ;;
        valgrind)
            need valgrind Valgrind program valgrind
            need libc6-dbg "the C library's debugging symbols" libc_symbols
            ;;
        aarch64)
            need gcc-aarch64-linux-gnu 'an AArch64 cross compiler (aarch64-linux-gnu-gcc)' program aarch64-linux-gnu-gcc
            need libc6-dev-arm64-cross 'its C library' aarch64_library libc.a
            need qemu-user 'qemu-aarch64 (user mode)' program qemu-aarch64
            want g++-aarch64-linux-gnu 'its C++ compiler' program aarch64-linux-gnu-g++
            need check:arm64 'Check, built for AArch64' aarch64_library libcheck.a
            ;;
        yield)
            need libboost-context-dev 'Boost.Context (static library)' library libboost_context.a
            want clang 'clang (the corpus is built with gcc and with clang)' program clang
            want g++ 'a C++ compiler' runs_cxx
            want tcl 'tclsh (puts SQLite together)' program tclsh
            want xz-utils 'xz (unpacks its source)' program xz
            ;;
        lint)
            need mandoc mandoc program mandoc
            need cppcheck cppcheck program cppcheck
            need shellcheck shellcheck program shellcheck
            want libssl-dev "OpenSSL's headers" header openssl/core.h
            want libc-ares-dev c-ares header ares.h
            want spin spin program spin
            want clang clang program clang
            want liburing-dev 'liburing (for clang-tidy)' library liburing.a
            want clang-tidy clang-tidy program clang-tidy
            ;;
        *)
            echo "usage: tests/setup.sh [check|cares|valgrind|aarch64|yield|lint|ci]..." >&2
            exit 2
            ;;
        esac
    done
}

# Valgrind needs the symbols of the loader, from a package of their own on Debian; elsewhere it finds its way.
libc_symbols() { ! program dpkg || dpkg -s libc6-dbg >/dev/null 2>&1; }
postgresql_server() { program initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
aarch64_library() { program aarch64-linux-gnu-gcc && test -f "$(aarch64-linux-gnu-gcc -print-file-name="$1")"; }

levels=${*:-check}
case " $levels " in *" ci "*) levels='check cares valgrind aarch64 yield lint' ;; esac

look
test -z "$required$wanted" && exit 0

packages="$required$wanted"
prepare='apt-get -q update'
# A fresh machine may be in the middle of its own update: wait for the lock.
get='apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends'
case $packages in
*:arm64*) prepare="dpkg --add-architecture arm64 && $prepare" ;;
esac
install="$prepare && $get$packages"

if ! program apt-get; then
    echo "bine: the tests need what is missing here: ${named#, }." >&2
    echo "bine: please install it with this system's package manager; Debian's packages are:$packages" >&2
elif test "${BINE_SETUP-}" = no; then
    echo "bine: missing: ${named#, }.  To install it, as root: $install" >&2
else
    if test "$(id -u)" = 0; then
        as_root='sh -c'
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n sh -c'
    else
        as_root=
    fi
    if test -n "$as_root"; then
        echo "bine: installing for the tests:$packages"
        log=$(mktemp)
        # Apart, so that a package that this release does not have spoils only its own part.
        for part in "$prepare" ${required:+"$get$required"} ${wanted:+"$get$wanted"}; do
            $as_root "export DEBIAN_FRONTEND=noninteractive; $part" </dev/null >"$log" 2>&1 && continue
            echo "bine: this failed: $part" >&2
            tail -n 20 "$log" >&2
        done
        rm -f "$log"
        hash -r
    else
        echo "bine: missing: ${named#, }.  This command installs it:" >&2
        echo "    sudo sh -c '$install'" >&2
    fi
fi

look
test -z "$required"
