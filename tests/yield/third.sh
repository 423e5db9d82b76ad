#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds Lua, SQLite and hiredis from the distribution's sources with bine-race, and runs a program over each in which
# two tasks use the library at once, switching in the middle of it.  Nothing must be found.
#
#   third.sh <compiler>
#
# From the environment, set by run.sh: RACE, WORK, STALE, TIMEOUT.  The sources come through apt-get source, into
# $WORK/third, once.  A line for each library: "ok|skip|FAIL what".
set -u
compiler=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$WORK/third/lists/partial" "$WORK/third/cache/archives/partial" "$WORK/third/$compiler"
cd "$WORK/third" || exit 1

# apt <argument>...: apt-get, on the distribution's list of sources, with all that it keeps kept here.
apt() {
    timeout -k 5 100 apt-get -q -o Dir::Etc::sourcelist="$PWD/source.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD/cache" "$@" >apt.log 2>&1
}

# fetch <package> <file that must be there>: unpacks its source, if it is not there.
fetch() {
    test -n "$(find . -path "./$2" 2>/dev/null)" && return
    command -v apt-get >/dev/null 2>&1 && test "${BINE_SETUP-}" != no || return
    if ! test -f source.list; then
        sh "$here/../support/sources.sh" >source.list
        apt update
    fi
    apt source --download-only "$1" || return
    for archive in "$1"_*.orig.tar.*; do
        case $archive in *.asc) ;; *) tar xf "$archive" ;; esac
    done
}

# objects <name> <flag>... -- <source>...: built with instrumentation, side by side.
objects() {
    name=$1 flags=''
    shift
    while test "$1" != --; do flags="$flags $1" && shift; done
    shift
    mkdir -p "$compiler/$name"
    test -n "$(find "$compiler/$name/built" -newer "$STALE" 2>/dev/null)" && return
    # shellcheck disable=SC2086 # several flags
    printf '%s\n' "$@" | xargs -P 2 -I'{}' sh -c 'o=$(basename "$1" .c).o d=$2 && shift 2 && cd "$d" && "$@" -o "$o"' \
        - '{}' "$compiler/$name" "$RACE" "$compiler" -w -g $flags -c "$PWD/{}" >"$compiler/$name.log" 2>&1 &&
        touch "$compiler/$name/built"
}

# try <name> <flag>...: the program over it finds nothing, and does what it should.
try() {
    name=$1
    shift
    if ! "$RACE" "$compiler" -std=gnu11 -w -O1 -g "$@" "$here/third/$name.c" "$compiler/$name"/*.o -lm \
        -o "$compiler/$name.run" >"$compiler/$name.log" 2>&1; then
        echo "FAIL $name: does not build: $(grep -m 1 -i error "$compiler/$name.log")"
    elif timeout -k 2 600 "$compiler/$name.run" >"$compiler/$name.log" 2>&1; then
        echo "ok $name: nothing found"
    else
        echo "FAIL $name: $(grep -m 1 '^bine-race:' "$compiler/$name.log" || tail -n 1 "$compiler/$name.log")"
    fi
}

fetch lua5.4 'lua-5*/src/lua.h'
lua=$(echo lua-5*/src)
if test -f "$lua/lua.h"; then
    set --
    for source in "$lua"/l*.c; do
        case $source in */lua.c | */luac.c) ;; *) set -- "$@" "$source" ;; esac
    done
    objects lua -O1 -- "$@"
    try lua -I"$lua"
else
    echo 'skip lua: no source package'
fi

fetch hiredis 'hiredis-*/hiredis.h'
hiredis=$(echo hiredis-*/hiredis.h)
hiredis=${hiredis%/*}
if test -f "$hiredis/hiredis.h"; then
    objects hiredis -O1 -- "$hiredis/hiredis.c" "$hiredis/read.c" "$hiredis/sds.c" "$hiredis/net.c" "$hiredis/alloc.c"
    try hiredis -I"$hiredis"
else
    echo 'skip hiredis: no source package'
fi

fetch sqlite3 'sqlite3-*/configure'
sqlite=$(echo sqlite3-*/configure)
sqlite=${sqlite%/*}
if test -x "$sqlite/configure" && ! test -f "$sqlite/sqlite3.c" && command -v tclsh >/dev/null 2>&1; then
    (cd "$sqlite" && ./configure -q && make -s sqlite3.c) >sqlite.log 2>&1
fi
if test -f "$sqlite/sqlite3.c"; then
    objects sqlite -O0 -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -- "$sqlite/sqlite3.c"
    try sqlite -I"$sqlite"
else
    echo 'skip sqlite: no source package, or no tclsh to put it together'
fi
