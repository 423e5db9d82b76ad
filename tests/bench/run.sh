#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Measures bine next to its peers.
#
#   sh tests/bench/run.sh [work]...        `make bench` calls it; BENCH="work ..." says the same
#
# Works: switch yield spawn crowd meet buffer select mutex next group cold timer sleepers memory echo redis uring many calls files tls http idle held cross
# loops (default: all).
# ROUNDS (5) is how often each is run, the shortest and the closest three times a round, and what needs no more (peers that
# no bar is about, memory, counts, curves) in three rounds only; within a round the programs take turns, so that what the
# machine does meanwhile meets all of them.  A figure is the median of its rounds, a ratio that of two medians.
#
# A full run writes tests/bench/RESULTS.md and its plots, when all has been measured; one of some works alone writes
# $O/bench/RESULTS.md.  An interrupted run ends what it has started and writes neither.
# Programs run on processor 0, and the clients that load a server on processor 1 if there is one; of the works between
# loops, "cross" and "loops", all run on both, but for the client of "loops".
#
# A missing peer is installed through apt-get where that is possible (root, or sudo without a password;
# BINE_SETUP=no forbids it), else it is left out by name.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build/native}
CC=${CC:-cc}
CXX=${CXX:-c++}
ROUNDS=${ROUNDS:-5}
here=tests/bench
out=$O/bench
all='switch yield spawn crowd meet buffer select mutex next group cold timer sleepers memory echo redis uring many calls files tls http idle held cross loops'
works=${*:-${BENCH:-$all}}
limit=150 # seconds that a single program may take
flags='-O2 -std=gnu11 -Iinclude -Isrc -Wall -Wextra -pthread'

server=    # process id of the server that runs now
running=   # and of the program that measures
directory= # for files of this run
trap 'end_program; end_server; rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM HUP

say() { printf '%s\n' "$*"; }
die() { say "bench: $*" >&2; exit 1; }
program() { command -v "$1" >/dev/null 2>&1; }
archive() { test -f "$($CC -print-file-name="$1")"; }
wanted() { case " $works " in *" $1 "*) true ;; *) false ;; esac; }
on() { # on <processor> <command>...: pinned, and ended after $limit seconds
    processor=$1
    shift
    if program taskset; then set -- taskset -c "$processor" "$@"; fi
    timeout $limit "$@" & # waited for, so that a signal ends the run at once
    running=$!
    wait "$running"
    set -- $?
    running=
    return "$1"
}
end_program() {
    [ -n "$running" ] || return 0
    kill "$running" 2>/dev/null # timeout hands it on
    wait "$running" 2>/dev/null
    running=
}
end_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
few() { [ "$round" -le 3 ]; } # is this one of the rounds in which all is measured?

for work in $works; do
    case " $all " in *" $work "*) ;; *) die "no such work: $work (there are: $all)" ;; esac
done
test -f "$O/libbine.a" || die "$O/libbine.a is missing: run \`make bench\`"

# ---- Peers -----------------------------------------------------------------------------------------------

missing=
python=/usr/bin/python3 # the distribution's, which has its packages
find_missing() {
    missing=
    program go || missing="$missing golang-go"
    program "$CXX" || missing="$missing g++"
    test -f /usr/include/openssl/core.h || missing="$missing libssl-dev"
    test -f /usr/include/boost/fiber/all.hpp || missing="$missing libboost-fiber-dev"
    archive libboost_context.a || missing="$missing libboost-context-dev"
    test -f /usr/include/ev.h || missing="$missing libev-dev"
    archive liburing.a || missing="$missing liburing-dev"
    test -f /usr/include/st.h || missing="$missing libst-dev"
    test -f /usr/include/uv.h || missing="$missing libuv1-dev"
    test -f /usr/include/event2/event.h || missing="$missing libevent-dev"
    test -f /usr/include/pth.h || missing="$missing libpth-dev"
    program nginx || test -x /usr/sbin/nginx || missing="$missing nginx-light"
    program wrk || missing="$missing wrk"
    program strace || missing="$missing strace"
    [ -d /usr/share/gocode/src/golang.org/x/sync/errgroup ] || missing="$missing golang-golang-x-sync-dev"
    for module in greenlet gevent uvloop; do
        $python -c "import $module" 2>/dev/null || missing="$missing python3-$module"
    done
    program redis-server || missing="$missing redis-server"
}
find_missing
if [ -n "$missing" ] && [ "${BINE_SETUP:-}" != no ] && program apt-get; then
    as=
    [ "$(id -u)" = 0 ] || { program sudo && sudo -n true 2>/dev/null && as='sudo -n'; } || as=no
    if [ "$as" != no ]; then
        say "bench: installing$missing"
        # shellcheck disable=SC2086
        { $as apt-get update -q && DEBIAN_FRONTEND=noninteractive $as apt-get install -q -y $missing; } >/dev/null
        find_missing
    fi
fi
[ -z "$missing" ] || say "bench: left out for want of:$missing (apt-get install$missing)"
nginx=$(command -v nginx || echo /usr/sbin/nginx)
pythons=$(for module in asyncio uvloop gevent; do $python -c "import $module" 2>/dev/null && echo $module; done)
[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] && client_cpu=1 || client_cpu=0
own_cpu=0

# ---- Building --------------------------------------------------------------------------------------------

# build <program> <command>...: what cannot be built is left out by name.
build() {
    name=$1
    shift
    "$@" >"$out/$name.log" 2>&1 && return
    rm -f "$out/$name"
    say "bench: $name is left out: it did not build ($out/$name.log)"
}

# README's server as written, but that it listens on loopback alone.
# shellcheck disable=SC2016
readme_server() {
    { echo '#include <stdlib.h>' && sed -n '/^```c$/,/^```$/{/^```/d;p;}' README.md | sed '/^int main/q'; } |
        sed 's/bine_run(\([^"]*\)"[^"]*:[0-9][0-9]*"/bine_run(\1getenv("ADDRESS")/' >"$out/readme.c"
    grep -q getenv "$out/readme.c" || say 'bench: no server found in README.md' >&2
}

build_all() {
    mkdir -p "$out"
    context=$(case $O in *fcontext*) echo -l:libboost_context.a ;; esac)
    entry=
    [ -f "src/arch/$(uname -m).S" ] && entry=src/arch/$(uname -m).S
    # shellcheck disable=SC2086
    {
        if archive libboost_context.a; then
            build switch-jump $CC $flags '-DSWITCH="../peers/jump.h"' -o "$out/switch-jump" \
                $here/bine/switch.c -l:libboost_context.a
            build switch-fcontext $CC $flags -DBINE_CONTEXT_FCONTEXT -o "$out/switch-fcontext" $here/bine/switch.c \
                -l:libboost_context.a
        fi
        [ -n "$entry" ] && build switch-native $CC $flags -o "$out/switch-native" $here/bine/switch.c "$entry"
        [ "$(uname -m)" = x86_64 ] && build switch-ret $CC $flags '-DSWITCH="../peers/call_ret.h"' -o "$out/switch-ret" \
            $here/bine/switch.c
        readme_server
        build tasks $CC $flags -o "$out/tasks" $here/bine/tasks.c "$O/libbine.a" $context
        build cross $CC $flags -o "$out/cross" $here/bine/cross.c "$O/libbine.a" $context
        build loops $CC $flags -o "$out/loops" $here/bine/loops.c "$O/libbine.a" $context
        build chan $CC $flags -o "$out/chan" $here/bine/chan.c "$O/libbine.a" $context
        build servers $CC $flags -o "$out/servers" $here/bine/servers.c examples/lib/http_*.c examples/lib/text.c "$O/libbine.a" $context
        build structure $CC $flags -o "$out/structure" $here/bine/structure.c "$O/libbine.a" $context
        if [ -f "$O/libbine-tls.a" ]; then
            build tls $CC $flags -o "$out/tls" $here/bine/tls.c "$O/libbine-tls.a" "$O/libbine.a" $context -lssl -lcrypto
            build tls-epoll $CC $flags -o "$out/tls-epoll" $here/peers/tls.c -lssl -lcrypto
            build tls-client $CC $flags -o "$out/tls-client" $here/tls_client.c -lssl -lcrypto
        fi
        build resp $CC $flags -o "$out/resp" $here/bine/resp.c "$O/libbine.a" $context
        build readme $CC $flags -o "$out/readme" "$out/readme.c" "$O/libbine.a" $context
        build client $CC $flags -o "$out/client" $here/client.c
        build epoll $CC $flags -o "$out/epoll" $here/peers/epoll.c
        archive liburing.a && build uring $CC $flags -o "$out/uring" $here/peers/uring.c -l:liburing.a
        build files $CC $flags -o "$out/files" $here/bine/files.c "$O/libbine.a" $context
        [ -f /usr/include/ev.h ] && build libev $CC $flags -o "$out/libev" $here/peers/libev.c -lev -lm
        [ -f /usr/include/st.h ] && build st $CC $flags -o "$out/st" $here/peers/st.c -lst
        [ -f /usr/include/uv.h ] && build libuv $CC $flags -o "$out/libuv" $here/peers/libuv.c -luv
        [ -f /usr/include/event2/event.h ] && build libevent $CC $flags -o "$out/libevent" $here/peers/libevent.c -levent_core
        [ -f /usr/include/pth.h ] && build pth $CC $flags -o "$out/pth" $here/peers/pth.c -lpth
        [ -f /usr/include/boost/fiber/all.hpp ] && build fiber $CXX -O2 -DNDEBUG -o "$out/fiber" $here/peers/fiber.cpp \
            -lboost_fiber -lboost_context -lpthread
        [ -f /usr/include/boost/fiber/all.hpp ] && build chan-fiber $CXX -O2 -DNDEBUG -o "$out/chan-fiber" \
            $here/peers/chan_fiber.cpp -lboost_fiber -lboost_context -lpthread
        program go && GO111MODULE=off GOFLAGS='' build go go build -o "$out/go" $here/peers/go.go
        [ -f /usr/include/boost/coroutine2/all.hpp ] && build coroutine $CXX -O2 -DNDEBUG -o "$out/coroutine" \
            $here/peers/coroutine.cpp -lboost_context
        program go && GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode build group-go \
            go build -o "$out/group-go" $here/peers/group.go
        program go && GO111MODULE=off GOFLAGS='' build cross-go go build -o "$out/cross-go" $here/peers/cross.go
        program go && GO111MODULE=off GOFLAGS='' build chan-go go build -o "$out/chan-go" $here/peers/chan.go
    }
    [ -x "$out/client" ] || die 'the load client did not build'
}

# ---- Running ---------------------------------------------------------------------------------------------

# record <work/program/variant>: what comes in as "name value unit" lines.
record() {
    while read -r name value unit; do
        printf '%s.%s\t%s\t%s\t%s\n' "$1" "$name" "$value" "$unit" "$round" >>"$out/figures.$work"
        printf '  %-34s %12s %s\n' "$1.$name" "$value" "$unit"
    done
}

# alone <program> <variant> <binary> [argument]...: a program that measures itself.
alone() {
    key=$work/$1/$2
    case $3 in /*) binary=$3 ;; *) binary=$out/$3 ;; esac
    shift 3
    [ -x "$binary" ] || return
    on "$own_cpu" "$binary" "$@" >"$directory/out" || say "bench: $key failed" >&2
    record "$key" <"$directory/out"
}

port=$((20000 + $$ % 1000 * 10))
# serve <command>...: starts a server on $port, as $server; false if it does not come up.
serve() {
    if program taskset; then set -- taskset -c "$own_cpu" "$@"; fi
    "$@" >"$directory/server" 2>&1 &
    server=$!
    "$out/client" wait $port && kill -0 "$server" && return
    say "bench: server did not start: $*: $(tail -1 "$directory/server")" >&2
    end_server
    false
}

next_port() {
    port=$((port + 1))
    [ $port -lt 30000 ] || port=20000
    export ADDRESS=127.0.0.1:$port
}

# The command that starts each server, from its name.
command_of() {
    case $1 in
    bine)
        case $work in
        tls) echo "$out/tls $port" ;;
        redis) echo "$out/resp $port" ;;
        many) echo "$out/servers echo $port" ;;
        held) echo "$out/servers idle $port" ;;
        *) echo "$out/servers $work $port" ;;
        esac
        ;;
    ring)
        kind='echo'
        [ "$work" = held ] && kind=idle
        echo "env BINE_REACTOR=io_uring $out/servers $kind $port"
        ;;
    one) echo "$out/loops $port 1 own" ;;
    two) echo "$out/loops $port 2 own" ;;
    shared) echo "$out/loops $port 2 shared" ;;
    eight) echo "$out/loops $port 8 own" ;;
    eight-shared) echo "$out/loops $port 8 shared" ;;
    go-one | go-two)
        processors=1
        [ "$1" = go-two ] && processors=2
        echo "env GOMAXPROCS=$processors $out/go echo $port"
        ;;
    poll | shot | send | multi) echo "$out/uring $port $1" ;;
    openssl) echo "$out/tls-epoll $port" ;;
    ahead) echo "$out/tls-epoll $port ahead" ;;
    readme) echo "$out/readme" ;;
    level | edge) echo "$out/epoll $port $1" ;;
    bare-one) echo "$out/epoll $port edge 1" ;;
    bare-two) echo "$out/epoll $port edge 2" ;;
    go) case $work in calls | many) echo "$out/go echo $port" ;; *) echo "$out/go $work $port" ;; esac ;;
    libev | libuv | libevent) echo "$out/$1 echo $port" ;;
    asyncio | uvloop | gevent) echo "$python $here/peers/loops.py $1 echo $port" ;;
    streams) echo "$python $here/peers/loops.py asyncio streams $port" ;;
    redis) echo "redis-server --port $port --bind 127.0.0.1 --save --appendonly no --daemonize no --dir $directory" ;;
    go4k) echo "$out/go echo $port" ;;
    st) if [ "$work" = idle ]; then echo "$out/st idle $port"; else echo "$out/st echo $port"; fi ;;
    nginx) echo "$nginx -c $directory/nginx.conf -e stderr" ;;
    esac
}

# loaded <program> <variant> <client's work> [argument]...: a server that a client measures ("tls": by a client of its own).
loaded() {
    next_port
    key=$work/$1/$2 kind=$3
    command=$(command_of "$1")
    shift 3
    program "${command%% *}" || return
    # shellcheck disable=SC2086
    serve $command || return
    load="$out/client $kind"
    [ "$kind" = tls ] && load=$out/tls-client
    # shellcheck disable=SC2086
    on "$client_cpu" $load $port "$server" "$@" >"$directory/out" ||
        say "bench: $key failed: $(tail -1 "$directory/server")" >&2
    end_server
    record "$key" <"$directory/out"
}

# Works that need both processors.
on_both() {
    kept_own=$own_cpu kept_client=$client_cpu
    [ "$client_cpu" = 0 ] || own_cpu=0,1 client_cpu=0,1
    export GOMAXPROCS=2
    "$@"
    export GOMAXPROCS=1
    own_cpu=$kept_own client_cpu=$kept_client
}

run_cross() {
    for kind in post chan rare; do alone bine $kind cross $kind; done
    for kind in threads free rare; do alone go $kind cross-go $kind; done
}

# One connection after the other, each for one message.
accepts() {
    next_port
    key=$work/$1/all
    # shellcheck disable=SC2046
    serve $(command_of "$1") || return
    on "$client_cpu" "$out/loops" $port "$server" accept >"$directory/out" || say "bench: $key failed" >&2
    end_server
    record "$key" <"$directory/out"
}

run_loops() {
    [ "$client_cpu" = 0 ] || client_cpu=1 # bound, as the loops are
    for n in 100 1000 100 1000 100 1000; do for p in one two shared bare-one bare-two; do loaded $p $n echo $n 40000; done; done
    if few; then for n in 100 1000; do for p in go-one go-two; do loaded $p $n echo $n 40000; done; done; fi
    for p in one two shared eight eight-shared; do accepts $p; done
}

# System calls of an echo server: strace counts two runs, and what the longer has more is due to its requests.
calls() {
    key=$work/$1/100
    for requests in 2000 7000; do
        next_port
        command=$(command_of "$1")
        [ "$1" = bine ] && command="$out/servers echo $port"
        program "${command%% *}" && program strace || return
        rm -f "$directory/calls"
        # shellcheck disable=SC2086
        serve strace -D -f -c -o "$directory/calls" $command || return
        on "$client_cpu" "$out/client" echo $port "$server" 100 $requests >/dev/null || say "bench: $key failed" >&2
        end_server
        tries=0
        until grep -q total "$directory/calls" 2>/dev/null || [ $tries -ge 100 ]; do
            tries=$((tries + 1))
            sleep 0.05
        done
        awk -v n=$requests 'NF >= 5 && $1 ~ /^[0-9]/ && $NF ~ /^(epoll_p?wait2?|poll|ppoll)$/ { waits += $4 }
            NF >= 5 && $1 ~ /^[0-9]/ && $NF != "total" { sum += $4 }
            END { print n * 1.1, sum, waits }' "$directory/calls"
    done >"$directory/counts"
    awk 'NR == 1 { n = $1; sum = $2; waits = $3 }
        NR == 2 { printf "calls %.3f calls\nwaits %.3f calls\n", ($2 - sum - ($3 - waits)) / ($1 - n), ($3 - waits) / ($1 - n) }' \
        "$directory/counts" | record "$key"
}

# An HTTP server under wrk.
http() {
    next_port
    key=$work/$1/100
    command=$(command_of "$1")
    program wrk && program "${command%% *}" || return
    cat >"$directory/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $directory/nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
    access_log off; default_type text/plain; keepalive_requests 1000000000;
    client_body_temp_path $directory/body; proxy_temp_path $directory/proxy; fastcgi_temp_path $directory/fastcgi;
    uwsgi_temp_path $directory/uwsgi; scgi_temp_path $directory/scgi;
    server { listen 127.0.0.1:$port; location / { return 200 "hello"; } }
}
EOF
    # shellcheck disable=SC2086
    serve $command || return
    measured=$server
    [ "$1" = nginx ] && measured=$(cut -d' ' -f1 "/proc/$server/task/$server/children") # its one worker
    on "$client_cpu" wrk -t 1 -c 100 -d 1s "http://127.0.0.1:$port/" >/dev/null # so that everything is warm
    before=$("$out/client" cpu "$measured")
    on "$client_cpu" wrk -t 1 -c 100 -d 2s "http://127.0.0.1:$port/" >"$directory/wrk"
    after=$("$out/client" cpu "$measured")
    end_server
    grep -E 'Non-2xx|Socket errors' "$directory/wrk" && say "bench: $key had errors" >&2
    awk -v used=$((after - before)) '/requests in/ { printf "http %.3f us\n", used / 1000 / $1 }
        /Requests.sec/ { printf "rate %.0f requests/s\n", $2 }' "$directory/wrk" | record "$key"
}

# What a task costs among how many.  A million are made once, and only where there is room: that takes some seconds, and up to
# 8 GiB.  Python and Pth end where they would take too long.
run_crowds() {
    for n in 10 100 1000 10000 100000 1000000; do
        size=$n
        case $n in 1000000) size=1M ;; *000) size=${n%000}k ;; esac
        if [ $n = 1000000 ]; then
            [ "$round" = 1 ] && awk '/^MemAvailable:/ { exit $2 < 12 * 1048576 }' /proc/meminfo || return
        fi
        for p in bine:tasks go:go fiber:fiber st:st; do alone ${p%:*} $size ${p#*:} crowd $n; done
        [ $n -le 1000 ] && alone pth $size pth crowd $n
        if [ $n -le 10000 ]; then
            for p in $pythons; do alone $p $size $python $here/peers/loops.py $p crowd $n; done
        fi
    done
}

# The echo servers that no bar is about, and the curve's first point.
run_other_echoes() {
    for n in 100 1000; do
        for p in readme libev libuv libevent st; do loaded $p $n echo $n 30000; done
        for p in $pythons streams; do loaded $p $n echo $n 10000; done
    done
    for p in bine level edge go st libuv; do loaded $p 10 echo 10 30000; done
}

run_work() {
    case $work in
    switch) for p in native jump fcontext ret; do alone $p all switch-$p; done ;;
    yield) for n in 2 1000 2 1000 2 1000; do
        alone bine $n tasks yield $n; alone go $n go yield $n; alone fiber $n fiber yield $n
    done
        if few; then for n in 2 1000; do alone pth $n pth yield $n; done; fi ;;
    spawn) for _ in 1 2 3; do
        alone bine 1 tasks spawn; alone go 1 go spawn; alone fiber 1 fiber spawn
        alone bine 1000 tasks wave; alone go 1000 go wave; alone fiber 1000 fiber wave
    done
        if few; then alone pth 1 pth spawn; alone pth 1000 pth wave; fi ;;
    crowd) if few; then run_crowds; fi ;;
    meet | buffer | mutex)
        alone bine all chan "$work"; alone go all chan-go "$work"; alone fiber all chan-fiber "$work" ;;
    next)
        for _ in 1 2 3; do alone bine all structure next; alone coroutine all coroutine; done
        for kind in generator greenlet; do alone $kind all $python $here/peers/gens.py $kind; done ;;
    group) alone bine all structure group; alone go all group-go ;;
    select) alone bine all chan select; alone go all chan-go select ;;
    cold) alone bine 20000 tasks cold 20000; alone fiber 20000 fiber cold 20000 ;;
    timer)
        alone bine 1M tasks timer; alone libev 1M libev timer; alone go 1M go timer
        if few; then alone libuv 1M libuv timer; alone libevent 1M libevent timer; fi ;;
    sleepers) for p in bine:tasks go:go st:st; do alone ${p%:*} 100k ${p#*:} sleepers 100000; done ;;
    memory) if few; then for p in bine:tasks go:go st:st; do
        alone ${p%:*} 100k ${p#*:} parked 100000; alone ${p%:*} 1M ${p#*:} parked 1000000
    done; fi ;;
    echo)
        for n in 100 1000 100 1000 100 1000; do for p in bine level edge go; do loaded $p $n echo $n 40000; done; done
        if few; then run_other_echoes; fi ;;
    redis) for p in bine redis; do loaded $p 100 ping 100 30000; done ;;
    uring)
        for n in 100 1000 100 1000 100 1000; do
            for p in ring level edge poll shot send; do loaded $p $n echo $n 40000; done
        done
        if few; then for n in 100 1000; do loaded multi $n echo $n 40000; done; fi ;;
    many)
        for p in bine ring level edge poll; do loaded $p 10k echo 10000 60000; done
        if few; then for p in go st libuv; do loaded $p 10k echo 10000 30000; done; fi ;;
    files)
        alone pool all files pool
        alone bine all files read
        export BINE_REACTOR=io_uring
        alone ring all files read
        unset BINE_REACTOR
        ;;
    calls) if few; then for p in bine edge readme go; do calls $p; done; fi ;;
    tls) for n in 100 1000; do for p in bine openssl ahead; do loaded $p $n tls $n 30000; done; done ;;
    http) for p in bine nginx go; do http $p; done ;;
    cross) on_both run_cross ;;
    loops) on_both run_loops ;;
    held) for p in bine ring; do loaded $p 18k held 18000 40000; done ;;
    idle) if few; then for p in bine readme go go4k st; do loaded $p 10k idle 10000; done; fi ;;
    esac
}

# ---- All of it -------------------------------------------------------------------------------------------

say "bench: building"
build_all
directory=$(mktemp -d) || exit 1
cat /proc/loadavg >"$directory/load"
export GOMAXPROCS=1
began=$(date +%s)
for work in $works; do rm -f "$out/figures.$work"; done
for work in $works; do
    round=0
    while [ $((round += 1)) -le "$ROUNDS" ]; do
        say "$work, round $round of $ROUNDS"
        run_work
    done
done

results=$here/RESULTS.md
[ "$works" = "$all" ] || results=$out/RESULTS.md
for work in $works; do cat "$out/figures.$work"; done >"$out/figures"
{
    say "# What bine costs, next to its peers"
    say
    say "Written by \`make bench\`$([ "$works" = "$all" ] || echo " BENCH='$works'") on $(date -u '+%Y-%m-%d %H:%M') UTC,"
    say "in $((($(date +%s) - began + 59) / 60)) minutes, from revision $(git rev-parse --short HEAD 2>/dev/null || echo unknown)."
    say
    say "- Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(getconf _NPROCESSORS_ONLN) processors," \
        "$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)," \
        "$(uname -s) $(uname -r), vm.max_map_count $(cat /proc/sys/vm/max_map_count)," \
        "load before $(cut -d' ' -f1-3 "$directory/load" 2>/dev/null)"
    say "- Built with $($CC --version | head -1), \`$flags\`; bine as \`${O##*/}\`"
    say "- Peers: $(program go && go version | cut -d' ' -f3);" \
        "Boost $(sed -n 's/^#define BOOST_LIB_VERSION "\(.*\)"/\1/p' /usr/include/boost/version.hpp 2>/dev/null | tr _ .);" \
        "libev $(sed -n 's/^#define EV_VERSION_M[AI][JN]OR *\([0-9]*\).*/\1/p' /usr/include/ev.h 2>/dev/null | paste -sd. -);" \
        "State Threads $(pkg-config --modversion st 2>/dev/null); $("$nginx" -v 2>&1 | cut -d' ' -f3);" \
        "libuv $(pkg-config --modversion libuv 2>/dev/null); libevent $(pkg-config --modversion libevent_core 2>/dev/null);" \
        "Pth $(sed -n 's/^#define PTH_VERSION_STR "\([^ ]*\).*/\1/p' /usr/include/pth.h 2>/dev/null);" \
        "$($python --version 2>&1), gevent and uvloop $($python -c 'import gevent, uvloop
print(gevent.__version__, uvloop.__version__)' 2>/dev/null | sed 's/ / and /');" \
        "Redis $(redis-server --version 2>/dev/null | sed 's/.*v=\([^ ]*\).*/\1/');" \
        "$(wrk -v 2>/dev/null | head -1 | cut -d' ' -f1-2)$([ -z "$missing" ] || echo "; missing:$missing")." \
        "libdill is packaged nowhere here and left out"
    say
    say "Plots: [each work](bars.svg), [how cost grows](growth.svg)."
    say
    awk -v figures="$out/figures" -v reasons=$here/reasons -f $here/report.awk $here/rows
} >"$out/report" || die 'no report'
for plot in bars growth; do
    awk -v curves=$here/curves -f $here/svg.awk -f $here/$plot.awk "$out/report" >"$out/$plot" || die "no $plot"
done
# Whole files only: each takes the place of the last one at once.
for file in report:RESULTS.md bars:bars.svg growth:growth.svg; do
    cp "$out/${file%:*}" "$results.new" && mv "$results.new" "${results%/*}/${file#*:}" || die "no ${file#*:}"
done
say
cat "$results"
