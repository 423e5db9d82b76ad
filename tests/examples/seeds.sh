#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs each program of examples/seeds and compares all that it prints with tests/examples/seeds/NAME.expected.
#
#   tests/examples/seeds.sh [--accept NAME...]     --accept: what they print now becomes what is expected
#
# From the environment: EXAMPLES, the directory of the built examples (build/native/examples); REACTORS
# ("epoll poll"); TIMEOUT, seconds after which a program that hangs has failed (60).
#
# The servers that some of the programs talk to are started here, in a temporary directory, and ended by their
# process ids: redis-server and PostgreSQL on Unix sockets there, http_server of the examples on a port of
# 127.0.0.1 that the kernel chooses.  What needs one that is not installed is skipped by name.  PostgreSQL
# refuses to run as root: then the user nobody runs it.
#
# A line for each check and at the end "N passed, N failed" with ", N skipped" if there were any.
set -u
EXAMPLES=${EXAMPLES:-build/native/examples}
REACTORS=${REACTORS-epoll poll}
TIMEOUT=${TIMEOUT:-60}
here=$(cd "$(dirname "$0")" && pwd)
expected=$here/seeds
accept=''
test "${1-}" = --accept && shift && accept=" $* "
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"
servers='' database=''

finish() {
    test -z "$database" || as_nobody "$database/pg_ctl" -D "$data" -m immediate stop >"$work/stop" 2>&1
    for server in $servers; do kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

# ---- Checks ------------------------------------------------------------------------------------------------

# check <name> <argument>...
check() {
    name=$1
    shift
    timeout -k 5 "$TIMEOUT" "$EXAMPLES/seeds/$name" "$@" >"$work/output" 2>&1 </dev/null
    status=$?
    test $status = 0 || echo "status $status" >>"$work/output"
    case $accept in *" $name "*) cp "$work/output" "$expected/$name.expected" ;; esac
    if diff -u "$expected/$name.expected" "$work/output" >"$work/diff" 2>&1; then
        ok "$name"
    else
        bad "$name" "$(cat "$work/diff")"
    fi
}

# ---- Servers -----------------------------------------------------------------------------------------------

# until_true <command>...: waits until it succeeds, for a minute at the most.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        test $tries -lt 1200 || return 1
        sleep 0.05
    done
}

start_http() {
    mkdir "$work/site"
    echo '{"name": "hop", "height": 6}' >"$work/site/1.json"
    echo '{"name": "wisteria", "height": 9}' >"$work/site/2.json"
    echo '{"name": "bindweed", "height": 3}' >"$work/site/3.json"
    "$EXAMPLES/http_server" --address 127.0.0.1:0 "$work/site" >"$work/http.log" 2>&1 &
    servers="$servers $!"
    until_true grep -q '^listening on ' "$work/http.log"
    http=http://$(sed -n 's,^listening on ,,p' "$work/http.log")
}

# No configuration, nothing kept, no port: only a socket that nobody else knows of.
start_redis() {
    redis=''
    command -v redis-server >/dev/null || return
    redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --appendonly no --dir "$work" \
        >"$work/redis.log" 2>&1 &
    servers="$servers $!"
    until_true test -S "$work/redis.sock" && redis=$work/redis.sock
}

as_nobody() {
    if test "$(id -u)" = 0; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

start_postgres() {
    postgres=''
    for initdb in "$(command -v initdb)" /usr/lib/postgresql/*/bin/initdb; do
        test ! -x "$initdb" || database=${initdb%/*}
    done
    test -n "$database" || return
    chmod 711 "$work"
    mkdir -m 700 "$work/postgres"
    test "$(id -u)" != 0 || chown nobody:nogroup "$work/postgres"
    data=$work/postgres/data
    if ! (cd / && as_nobody "$database/initdb" -D "$data" -U bine -A trust --no-sync --locale=C -E UTF8 &&
        as_nobody "$database/pg_ctl" -D "$data" -w -t 60 -l "$work/postgres/log" \
            -o "-F -c listen_addresses='' -k '$work/postgres'" start) >"$work/postgres.log" 2>&1; then
        database=''
        return
    fi
    chmod 711 "$work/postgres"
    postgres="host=$work/postgres user=bine dbname=postgres"
}

# ---- All of them -------------------------------------------------------------------------------------------

test -x "$EXAMPLES/seeds/scheduler" || {
    echo "tests/examples/seeds.sh: no programs in $EXAMPLES/seeds: make examples" >&2
    exit 1
}
start_http
start_redis
start_postgres
for BINE_REACTOR in $REACTORS; do
    export BINE_REACTOR
    label="$BINE_REACTOR: "
    for source in "$here"/../../examples/seeds/*.c; do
        name=${source##*/} name=${name%.c}
        case $name in
        gather_fetch) check "$name" "$http/1.json" "$http/2.json" "$http/3.json" ;;
        redis_*)
            if test -n "$redis"; then check "$name" "$redis"; else skip "$name: redis-server is missing"; fi
            ;;
        transaction)
            if test -z "$postgres"; then
                skip "$name: a PostgreSQL server is missing"
            elif ! test -x "$EXAMPLES/seeds/$name"; then
                skip "$name: libpq-dev is missing"
            else
                check "$name" "$postgres"
            fi
            ;;
        transaction_sqlite)
            if test -x "$EXAMPLES/seeds/$name"; then check "$name"; else skip "$name: libsqlite3-dev is missing"; fi
            ;;
        *) check "$name" ;;
        esac
    done
done

conclude
