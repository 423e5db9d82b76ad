#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How bine-race ends, and what it says of what it cannot see.
#
#   tool.sh <compiler>
#
# From the environment, set by run.sh: RACE, WORK, TIMEOUT.  A line for each test: "ok|FAIL what".
set -u
compiler=$1
mkdir -p "$WORK/tool"
cd "$WORK/tool" || exit 1

# ends <status> <what> <words that standard error must hold> <command>...
ends() {
    wanted=$1 what=$2 words=$3
    shift 3
    timeout -k 2 "$TIMEOUT" "$@" >said.out 2>said
    status=$?
    if test $status = "$wanted" && grep -q -e "$words" said; then
        echo "ok $what"
    else
        echo "FAIL $what: status $status, not $wanted, or not said: '$words'; but: $(tr '\n' ' ' <said)"
    fi
}

cat >race.c <<'END'
#include <bine.h>
static int left = 3;
static void *take(void *arg)
{
    if (left > 0) {
        bine_yield();
        left--;
    }
    return arg;
}
static void *program(void *arg)
{
    bine_task *one = bine_spawn(take, NULL), *other = bine_spawn(take, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    return arg;
}
int main(void) { return bine_run(program, NULL, NULL); }
END
cat >threads.c <<'END'
#include <bine.h>
#include <pthread.h>
static void *nothing(void *arg) { return arg; }
static void *thread(void *arg)
{
    bine_run(nothing, NULL, NULL);
    return arg;
}
static void *program(void *arg)
{
    pthread_t other;
    if (pthread_create(&other, NULL, thread, NULL) == 0)
        pthread_join(other, NULL);
    return arg;
}
int main(void) { return bine_run(program, NULL, NULL); }
END
"$RACE" "$compiler" -std=gnu11 -O1 -o race race.c >built 2>&1 &&
    "$RACE" "$compiler" -std=gnu11 -O1 -g0 -o lineless race.c >>built 2>&1 &&
    "$RACE" "$compiler" -std=gnu11 -O1 -o threads threads.c >>built 2>&1 ||
    echo "FAIL the programs for the tool's own tests do not compile: $(head -n 1 built)"
: >text
ends 66 'findings end with 66' 'race.c:7' "$RACE" run ./race
ends 66 'places without debug information are explained' 'compile with -g' "$RACE" run ./lineless
ends 0 'loops of other threads are said to be unwatched' 'were not watched' "$RACE" run ./threads
ends 127 'a program that is not there: 127' 'cannot run ./missing' "$RACE" run ./missing
ends 126 'a file that is no program: 126' 'cannot run ./text' "$RACE" run ./text
ends 2 'an unknown option: 2' 'bine-race --help' "$RACE" run --unknown ./race
