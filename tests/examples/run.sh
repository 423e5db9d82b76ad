#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs each example against real clients and compares what comes of it.
#
#   tests/examples/run.sh
#
# From the environment: EXAMPLES, the directory of the built examples (build/native/examples), whose parent holds
# libbine.a, and whose name tells how it was built ("native-thread"); REACTORS ("epoll poll"); CC; ONLY, a list of
# parts ("echo http ..."); CLIENTS, how many misbehave (10000).
#
# A line for each check and at the end "N passed, N failed" with ", N skipped" if there were any.  Every server
# listens on a port of 127.0.0.1 that the kernel chose, and is ended by its process id.  Nothing here asserts that
# something was fast: the only times are lower bounds, and limits after which a test that hangs has failed.
set -u
EXAMPLES=${EXAMPLES:-build/native/examples}
REACTORS=${REACTORS-epoll poll}
CC=${CC:-cc}
ONLY=${ONLY:-traces echo http https slow chat proxy fetch demo crowd}
CLIENTS=${CLIENTS:-10000}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/expect.sh
. "$top/tests/support/expect.sh"
servers=''
trap 'for server in $servers; do kill "$server" 2>/dev/null; done; rm -rf "$work"' EXIT

# ---- Checks ------------------------------------------------------------------------------------------------

# same <name> <expected> <actual>
same() {
    if test "$2" = "$3"; then ok "$1"; else bad "$1" "expected: $2" "got: $3"; fi
}
# at_least <name> <least> <number>
at_least() {
    if test "$3" -ge "$2"; then ok "$1"; else bad "$1" "expected at least $2, got $3"; fi
}
part() {
    case " $ONLY " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}
milliseconds() {
    date +%s%3N
}

# ---- Servers -----------------------------------------------------------------------------------------------

# start <name> <program> <argument>...: starts a server; then $address is where it listens, $server its process id.
start() {
    log=$work/$1.log
    shift
    : >"$log"
    "$@" >>"$log" 2>&1 &
    server=$!
    servers="$servers $server"
    address=''
    tries=0
    while test -z "$address" && test $tries -lt 1200 && kill -0 $server 2>/dev/null; do
        address=$(sed -n 's,.*\(listening on \|serving .* at http://\)\([^/ ]*\).*,\2,p' "$log" | head -n 1)
        test -n "$address" || sleep 0.05
        tries=$((tries + 1))
    done
    test -n "$address" || bad "starts" "$(cat "$log")"
}
# stop <process id> [<signal>]: ends a server and returns its exit status.
stop() {
    kill "-${2:-TERM}" "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

talk() {
    "$work/talk" "$@"
}
# Whatever the environment and the home directory say of proxies.
curl() {
    command curl -q --noproxy '*' "$@"
}
first_line() {
    head -n 1 | tr -d '\r'
}
# What parallel_fetch found, without the times.
findings() {
    sed 's/^ *[0-9]* ms  //'
}

build() {
    libraries='-pthread'
    case $EXAMPLES in *fcontext*) libraries="$libraries -l:libboost_context.a" ;; esac
    case $EXAMPLES in
    *address-undefined*) CC="$CC -fsanitize=address,undefined" ;;
    *-thread*) CC="$CC -fsanitize=thread" ;;
    esac
    # shellcheck disable=SC2086 # CC and the libraries are lists of words
    $CC -std=gnu11 -O1 -o "$work/talk" "$here/talk.c" &&
        $CC -std=gnu11 -O1 -o "$work/http_cases" "$here/http_cases.c" &&
        $CC -std=gnu11 -O1 -I"$top/include" -o "$work/misbehave" "$here/misbehave.c" "$EXAMPLES/../libbine.a" $libraries
}

# What http_cases.c asks for, and what lies outside.
make_site() {
    site=$work/site
    mkdir -p "$site/dir" "$site/list" "$work/outside"
    echo 'TOP SECRET' >"$work/secret"
    echo 'TOP SECRET' >"$work/outside/secret"
    echo 'hello, world' >"$site/hello.txt"
    : >"$site/empty.txt"
    echo 'the index' >"$site/dir/index.html"
    echo x >"$site/list/one & two"
    echo x >"$site/list/three"
    echo 'with a space' >"$site/sp ace.txt"
    echo 'percent' >"$site/100%.txt"
    echo 'TOP SECRET' >"$site/.hidden"
    ln -s hello.txt "$site/link-in"
    ln -s ../secret "$site/link-out"
    ln -s ../outside "$site/link-dir"
    ln -s /etc/passwd "$site/link-etc"
    mkfifo "$site/pipe"
    dd if=/dev/urandom of="$site/big.bin" bs=65536 count=128 2>/dev/null
}

# ---- The traces --------------------------------------------------------------------------------------------

traces() {
    expected='0.000 a enter
0.000 b enter
0.500 b middle
1.000 a exit
1.000 b exit

0.000 foo enter
0.000 sleep enter
1.000 sleep exit
1.000 foo exit'
    same 'sleep_trace --virtual: order and times' "$expected" "$("$EXAMPLES/sleep_trace" --virtual)"
    begin=$(milliseconds)
    output=$("$EXAMPLES/sleep_trace")
    took=$(($(milliseconds) - begin))
    same 'sleep_trace: the order' "$(echo "$expected" | cut -c 7-)" "$(echo "$output" | cut -c 7-)"
    at_least 'sleep_trace: nobody sleeps too little' 2000 $took
    late=$(printf '%s\n---\n%s\n' "$expected" "$output" |
        awk '/^---$/ { second = 1; i = 0; next } !second { want[++i] = $1 } second { if ($1 < want[++i]) print }')
    same 'sleep_trace: nothing is early' '' "$late"

    same 'repetitive_message --virtual' '0.000 tick
0.000 tock
0.000 found 5600748293801
0.700 tock
1.000 tick
1.400 tock
2.000 tick
2.100 tock' "$("$EXAMPLES/repetitive_message" --virtual)"
    output=$("$EXAMPLES/repetitive_message" 15 0.8)
    same 'repetitive_message: what it finds' 688846502588399 "$(echo "$output" | sed -n 's/.* found //p')"
    # A machine that is held up may let a message slip in after these.
    same 'repetitive_message: what it says' 'tick
tock
tock' "$(echo "$output" | cut -c 7- | grep -v found | head -n 3)"
    "$EXAMPLES/repetitive_message" 0 >/dev/null 2>&1
    same 'repetitive_message: bad arguments' 1 $?
}

# ---- Echo, chat, proxy -------------------------------------------------------------------------------------

echo_server() {
    start echo "$EXAMPLES/echo_server" 127.0.0.1:0
    same 'echo' 'one
two' "$(talk "$address" send 'one\n' expect 'one\n' send 'two\n' half end)"
    talk "$address" send 'half' reset
    same 'goes on after a reset' 'still here' "$(talk "$address" send 'still here' half end)"
    talk "$address" send 'a ' expect 'a ' hold send 'b' half end <"$work/hold" >"$work/held" &
    held=$!
    exec 9>"$work/hold"
    same 'a second client beside a silent one' 'second' "$(talk "$address" send 'second' half end)"
    exec 9>&-
    wait $held
    same 'and the silent one afterwards' 'a b' "$(cat "$work/held")"
    "$EXAMPLES/echo_server" "$address" >"$work/output" 2>&1
    same 'an address in use is an error' "1 $EXAMPLES/echo_server: Address already in use" "$? $(cat "$work/output")"
    "$EXAMPLES/echo_server" nonsense >"$work/output" 2>&1
    same 'so is a bad one' 1 $?
    stop $server
}

# until_has <file> <pattern>: waits for what a client of ours writes, for a minute at the most.
until_has() {
    tries=0
    until grep -qs "$2" "$1" || test $tries -ge 1200; do
        sleep 0.05
        tries=$((tries + 1))
    done
}

# Ann listens, Bob talks, and Sam is there and never reads, so that he is dropped.  Bob goes on only when Ann has told
# him that she has heard everything: so neither of these two ever lags behind.
chat() {
    start chat "$EXAMPLES/chat_server" 127.0.0.1:0
    line=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
    set -- window 262144 send 'Ann\n' expect 'Ann is here\n' expect 'Bob is here\n'
    for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        set -- "$@" expect "Bob: round $round\\n" send "heard $round\\n"
    done
    rm -f "$work/ann" "$work/sam" # of the other reactor's turn
    talk "$address" "$@" expect 'Bob has left\n' half end >"$work/ann" 2>&1 &
    ann=$!
    until_has "$work/ann" 'Ann is here'
    talk "$address" window 4096 send 'Sam\n' expect 'Sam is here\n' hold <"$work/hold" >"$work/sam" 2>&1 &
    sam=$!
    exec 9>"$work/hold"
    until_has "$work/sam" 'Sam is here'
    set -- send 'Bob\n' expect 'Bob is here\n'
    for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        set -- "$@" repeat 100 "$line$line$line\\n" send "round $round\\n" expect "Ann: heard $round\\n"
    done
    talk "$address" "$@" half end >"$work/bob" 2>&1
    same 'chat: who talks' 0 "$?"
    wait $ann
    same 'chat: who listens' 0 "$?"
    same 'chat: everything is heard' 1500 "$(grep -c "^Bob: $line" "$work/ann")"
    same 'chat: in order' "$(seq 15)" "$(sed -n 's/^Bob: round //p' "$work/ann")"
    same 'chat: who reads nothing is dropped meanwhile' '* Sam has left' "$(grep '^. Sam has left' "$work/ann")"
    exec 9>&-
    wait $sam
    same 'chat: control characters are not passed on' 'Eve: ?[2Jx' \
        "$(talk "$address" send 'Eve\n\x1b[2Jx\n' half end | grep '^Eve:')"
    # One byte more than a line may have, and no more: what is unread at the end would make it a reset.
    talk "$address" expect 'you?\n' send 'Joe\n' expect 'Joe is here\n' repeat 512 'x' end >/dev/null 2>&1
    same 'chat: too long a line ends the conversation' 0 $?
    stop $server
}

proxy() {
    start echo "$EXAMPLES/echo_server" 127.0.0.1:0
    echo=$server
    target=$address
    start proxy "$EXAMPLES/tcp_proxy" 127.0.0.1:0 "$target"
    same 'there and back' 'one two' "$(talk "$address" send 'one ' expect 'one ' send 'two' expect 'two' half end)"
    same 'half closing' 'to the end' "$(talk "$address" send 'to the end' half end)"
    talk "$address" send x reset
    same 'goes on after a reset' 'y' "$(talk "$address" send y half end)"
    stop $echo
    same 'the target is gone' '' "$(talk "$address" end 2>/dev/null)"
    stop $server
}

# ---- HTTP --------------------------------------------------------------------------------------------------

http() {
    start http "$EXAMPLES/http_server" --address 127.0.0.1:0 "$site"
    "$work/http_cases" "$address" >"$work/cases" 2>&1
    test -s "$work/cases" || bad 'http_cases'
    while read -r line; do
        case $line in "ok "*) ok "HTTP: ${line#ok }" ;; *) bad "HTTP: $line" ;; esac
    done <"$work/cases"

    answer=$(talk "$address" send 'GET /link-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' end | tr -d '\r')
    case $answer in
    *404*) skip 'a link inside the root: this kernel has no openat2' ;;
    *) same 'a link inside the root' 'hello, world' "$(echo "$answer" | tail -n 1)" ;;
    esac

    if command -v curl >/dev/null; then
        url=http://$address
        same 'curl: a file' 'hello, world' "$(curl -sS "$url/hello.txt")"
        curl -sS -o "$work/big" "$url/big.bin"
        expect 'curl: a large file' cmp "$work/big" "$site/big.bin"
        same 'curl: HEAD' '200 8388608' "$(curl -sSI -w '%{http_code} ' -o "$work/head" "$url/big.bin" &&
            sed -n 's/\r//; s/^Content-Length: //p' "$work/head")"
        same 'curl: 404' 404 "$(curl -sS -o /dev/null -w '%{http_code}' "$url/nothing")"
        same 'curl: three on one connection' '1 0 0 ' "$(curl -sS -w '%{num_connects} ' -o /dev/null "$url/hello.txt" \
            -o /dev/null "$url/big.bin" -o /dev/null "$url/dir/")"
        same 'curl: a redirection' 'the index' "$(curl -sSL "$url/dir")"
        same 'curl: POST' 405 "$(curl -sS -d a=b -o /dev/null -w '%{http_code}' "$url/hello.txt")"
        same 'curl: a large POST' 413 \
            "$(curl -sS --data-binary "@$site/big.bin" -o /dev/null -w '%{http_code}' "$url/hello.txt")"
        same 'curl: a path as it is' 404 "$(curl -sS --path-as-is -o /dev/null -w '%{http_code}' "$url/../secret")"
        chmod 0 "$site/list/three"
        test "$(id -u)" = 0 ||
            same 'curl: no permission' 403 "$(curl -sS -o /dev/null -w '%{http_code}' "$url/list/three")"
    else
        skip 'curl: not installed'
    fi
    if command -v wrk >/dev/null; then
        wrk -t 1 -c 50 -d 1s --timeout 60s "http://$address/hello.txt" >"$work/wrk" 2>&1
        expect 'wrk: answers' grep -q 'requests in' "$work/wrk"
        same 'wrk: no errors' '' "$(grep -e 'Socket errors' -e 'Non-2xx' "$work/wrk")"
    else
        skip 'wrk: not installed'
    fi
    stop $server INT
    same 'http_server ends cleanly' 0 $?
    expect 'and says what it did' grep -q '[0-9] requests, [0-9]* of them refused' "$work/http.log"
    "$EXAMPLES/http_server" /nonexistent >/dev/null 2>&1
    same 'no such directory' 1 $?
}

# ---- https_server ------------------------------------------------------------------------------------------

https() {
    for program in "$EXAMPLES/https_server" openssl; do
        command -v "$program" >/dev/null 2>&1 || { skip "https: no ${program##*/}"; return; }
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/chain.pem" \
        >"$work/output" 2>&1 || { bad 'https: a certificate' "$(cat "$work/output")"; return; }
    start https "$EXAMPLES/https_server" "$work/chain.pem" "$work/key.pem" 127.0.0.1:0
    local_url=https://localhost:${address##*:}/
    same 'https: curl, by address' 'TLSv1.3, http/1.1, for nobody by name, new' \
        "$(curl -sS --cacert "$work/chain.pem" "https://$address/")"
    for version in 1.2 1.3; do
        same "https: curl, by name, TLS $version, twice" \
            "TLSv$version, http/1.1, for localhost, new TLSv$version, http/1.1, for localhost, seen before" \
            "$(curl -sS -4 --tls-max $version --cacert "$work/chain.pem" "$local_url" "$local_url" |
                paste -sd ' ')"
    done
    curl -sS "https://$address/" >"$work/output" 2>&1
    same 'https: curl, without trust' 60 $?
    same 'https: a plain request gets no answer' 0 "$(talk "$address" send 'GET / HTTP/1.0\r\n\r\n' end | grep -c HTTP)"
    stop $server
}

# Deadlines: each server has one that is short, and all others are long.
slow() {
    start slow "$EXAMPLES/http_server" --address 127.0.0.1:0 --head 500 "$site"
    begin=$(milliseconds)
    output=$(talk "$address" drip 50 "GET /hello.txt HTTP/1.1\r\nHost: x\r\nX: $(printf '%0400d' 0)" end | first_line)
    same 'a head a byte at a time' 'HTTP/1.1 408 Request Timeout' "$output"
    at_least 'but not before its time' 500 $(($(milliseconds) - begin))
    same 'half a head and then nothing' 'HTTP/1.1 408 Request Timeout' \
        "$(talk "$address" send 'GET / HTTP/1.1\r\nHos' end | first_line)"
    same 'half a body and then nothing' 'HTTP/1.1 408 Request Timeout' \
        "$(talk "$address" send 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc' end | first_line)"
    stop $server

    start patient "$EXAMPLES/http_server" --address 127.0.0.1:0 --head 300000 --idle 300000 "$site"
    same 'half a head and then the end' 'HTTP/1.1 400 Bad Request' \
        "$(talk "$address" send 'GET / HTTP/1.1\r\nHos' half end | first_line)"
    same 'the end and no head' '' "$(talk "$address" half end)"
    same 'a request and then the end' 'hello, world' \
        "$(talk "$address" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n' half end | tail -n 1)"
    stop $server

    start idle "$EXAMPLES/http_server" --address 127.0.0.1:0 --idle 1500 "$site"
    begin=$(milliseconds)
    same 'an idle connection ends' '' "$(talk "$address" end)"
    at_least 'but not before its time' 1500 $(($(milliseconds) - begin))
    same 'also between two requests' 'hello, world' \
        "$(talk "$address" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n' end | tail -n 1)"
    stop $server

    start stalled "$EXAMPLES/http_server" --address 127.0.0.1:0 --stalled 500 --connections 1 "$site"
    rm -f "$work/stalled"
    talk "$address" window 4096 send 'GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n' expect '\r\n\r\n' hold \
        <"$work/hold" >"$work/stalled" &
    held=$!
    exec 9>"$work/hold"
    until_has "$work/stalled" '200 OK' # it has the one connection there is
    same 'who reads nothing is given up' 'hello, world' \
        "$(talk "$address" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n' half end | tail -n 1)"
    exec 9>&-
    wait $held
    stop $server
}

fetch() {
    start http "$EXAMPLES/http_server" --address 127.0.0.1:0 "$site"
    http=$server
    url=http://$address
    output=$("$EXAMPLES/parallel_fetch" "$url/hello.txt" "$url/big.bin" "$url/list/")
    same 'parallel_fetch: status' 0 $?
    same 'parallel_fetch: what it got' "200, 13 bytes  $url/hello.txt
200, 8388608 bytes  $url/big.bin" "$(echo "$output" | findings | head -n 2)"
    output=$("$EXAMPLES/parallel_fetch" "$url/none")
    same 'parallel_fetch: an error of HTTP' "1 404, 14 bytes  $url/none" "$? $(echo "$output" | findings)"

    # A server that says nothing, since it serves one at a time, and that one does not go away.
    start silent "$EXAMPLES/http_server" --address 127.0.0.1:0 --connections 1 "$site"
    silent=$address
    rm -f "$work/silent"
    talk "$silent" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n' expect 'world' hold \
        <"$work/hold" >"$work/silent" &
    held=$!
    exec 9>"$work/hold"
    until_has "$work/silent" world # it has the one connection there is
    begin=$(milliseconds)
    output=$("$EXAMPLES/parallel_fetch" --timeout 0.7 "http://$silent/hello.txt" "$url/hello.txt" ftp://x/ \
        http://127.0.0.1:1/)
    same 'parallel_fetch: one is late' 1 $?
    at_least 'parallel_fetch: the deadline is not early' 700 $(($(milliseconds) - begin))
    same 'parallel_fetch: what is late is cancelled, the others are not' \
        "late: cancelled after 0 bytes  http://$silent/hello.txt
200, 13 bytes  $url/hello.txt
failed: Invalid argument  ftp://x/
failed: Connection refused  http://127.0.0.1:1/" "$(echo "$output" | findings)"
    exec 9>&-
    wait $held
    stop "$server"
    stop "$http"
}

# ---- The demo, and the crowd -------------------------------------------------------------------------------

demo() {
    "$EXAMPLES/demo" --seconds 1 --clients 300 --root "$top" >"$work/demo" 2>&1
    status=$?
    if test $status = 0; then ok 'demo: status'; else bad 'demo: status' "$status" "$(cat "$work/demo")"; fi
    same 'demo: errors' 0 "$(awk '$1 == "errors" { print $2 }' "$work/demo")"
    at_least 'demo: requests' 1 "$(awk '$1 == "requests" { print $2 }' "$work/demo")"
    same 'demo: tasks' '300 clients' "$(sed -n 's/^tasks .* at once: [0-9]* servers, //p' "$work/demo")"
    for word in rate latency switches stacks memory; do
        expect "demo: $word" grep -q "^$word *[0-9p]" "$work/demo"
    done
    # shellcheck disable=SC3045 # dash, bash and busybox know ulimit -n
    (ulimit -n 364 && "$EXAMPLES/demo" --seconds 1 --root "$site/list" >"$work/demo" 2>&1)
    same 'demo: few descriptors' "0 only 100 clients" "$? $(sed -n 's/^\(only [0-9]* clients\).*/\1/p' "$work/demo")"
    start demo "$EXAMPLES/demo" --serve --port 0 --root "$site"
    same 'demo --serve' 'hello, world' \
        "$(talk "$address" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' end | tail -n 1)"
    stop $server INT
    same 'demo --serve ends cleanly' 0 $?
}

crowd() {
    start crowd "$EXAMPLES/http_server" --address 127.0.0.1:0 --head 2000 --idle 300000 --stalled 300000 "$site"
    # It is the server that is tested: the clients take the reactor that suits them.
    (unset BINE_REACTOR && "$work/misbehave" "$address" "$CLIENTS" 4 >"$work/crowd" 2>&1)
    status=$?
    sed 's/^/     | /' "$work/crowd"
    same 'a crowd that misbehaves stops nobody' 0 $status
    same 'and afterwards all is as before' 'hello, world' \
        "$(talk "$address" send 'GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' end | tail -n 1)"
    stop $server INT
    same 'and the server ends cleanly' 0 $?
}

# ---- All of them -------------------------------------------------------------------------------------------

label=''
test -x "$EXAMPLES/echo_server" || {
    echo "tests/examples/run.sh: no examples in $EXAMPLES: make examples" >&2
    exit 1
}
build || {
    bad 'the test clients compile'
    conclude
    exit
}
make_site
mkfifo "$work/hold"
for BINE_REACTOR in $REACTORS; do
    export BINE_REACTOR
    label="$BINE_REACTOR: "
    part traces && traces
    part echo && echo_server
    part http && http
    part https && https
    part slow && slow
    part chat && chat
    part proxy && proxy
    part fetch && fetch
    part demo && demo
    part crowd && crowd
done

conclude
