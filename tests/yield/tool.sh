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
corpus=$(cd "$(dirname "$0")" && pwd)
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

cat >pair.h <<'END'
static void *program(void *arg)
{
    bine_task *one = bine_spawn(take, NULL), *other = bine_spawn(take, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    return arg;
}
int main(void) { return bine_run(program, NULL, NULL); }
END
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
#include "pair.h"
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
printf 'int main(void) { return 7; }\n' | "$compiler" -x c -o plain - 2>built
ends 7 'a program that was not built so is said to be unwatched' 'not built by bine-race' "$RACE" run ./plain
ends 2 'an unknown option: 2' 'bine-race --help' "$RACE" run --unknown ./race

# What would hide the program from the detector is undone, or said.
cat >plain.c <<'END'
int plain(int *at) { return *at += 1; }
END
cat >assembly.c <<'END'
int main(int argc, char **argv)
{
    __asm__ volatile("" : : : "memory"); /* asm volatile("nop") */
    if (argc > 9 && argv)
        __asm__ volatile("nop");
}
END
cat >atomic.c <<'END'
#include <bine.h>
#include <bine/check.h>
static int left = 3;
static void away(void) { bine_yield(); }
static void *take(void *arg)
{
    BINE_ATOMIC { away(); }
    left--;
    return arg;
}
#include "pair.h"
END
printf '%s\n' '"-O1" -o' 'a\ "response" race.c' >words
told() { # <what> <words that standard error must hold> <command>...
    what=$1 words=$2
    shift 2
    ends 0 "$what" "$words" "$@"
}
cc() { # <what> <program> <argument>...: it builds, and the program's finding has its lines
    what=$1 program=$2
    shift 2
    "$RACE" "$compiler" -std=gnu11 -O1 "$@" >built 2>&1 || echo "FAIL $what does not build: $(head -n 1 built)"
    ends 66 "$what" 'race.c:7' "./$program"
}
cc 'with -gz the lines are known' compressed -gz -o compressed race.c
cc 'with -flto it is instrumented' whole -flto -o whole race.c
long=$(printf '%0120d' 0)
mkdir -p "$long" && cp race.c pair.h "$long"
cc 'of a long path the end is told, and the line' far -o far "$PWD/$long/race.c"
cc 'a response file gives words' 'a response' @words
cc 'dependencies go beside the program' depends -MD -o depends race.c
if grep -q '^depends: .*race\.c' depends-race.d; then echo "ok and name it"; else echo "FAIL no depends-race.d"; fi
"$RACE" "$compiler" -std=gnu11 -O2 -D_FORTIFY_SOURCE=2 -o fortified "$corpus/bugs/text_formatted.c" >built 2>&1
ends 66 'a fortified program is one like others' CLOBBERED "$RACE" run ./fortified
case $compiler in *clang*) cxx=clang++${compiler##*clang} ;; *) cxx=g++${compiler##*gcc} ;; esac
if command -v "$cxx" >/dev/null 2>&1; then
    "$RACE" "$cxx" -O1 -o atomic_member "$corpus/bugs/atomic_member.cc" >built 2>&1
    ends 66 'C++ names are as in the source' '#1 Seats::take .*atomic_member.cc:22$' "$RACE" run ./atomic_member
fi
ends 2 '-static is refused' 'shared libc' "$RACE" "$compiler" -static -o none race.c
ends 2 'a second sanitizer is refused' 'at the same time' "$RACE" "$compiler" -fsanitize=address -o none race.c
"$compiler" -c plain.c && "$compiler" -shared -fPIC -o libplain.so plain.c && rm -f libplain.a && ar rc libplain.a plain.o
told 'assembly is said to be unseen' '^assembly.c:5: .*assembly' "$RACE" "$compiler" -o assembly assembly.c
told 'so is an object' 'note: plain.o is not' "$RACE" "$compiler" -o object race.c plain.o
mkdir -p only && mv libplain.a only
told 'and an archive' 'note: only/libplain.a is not' "$RACE" "$compiler" -o archive race.c -Lonly -lplain
"$RACE" "$compiler" -o shared threads.c -Wl,--no-as-needed ./libplain.so >built 2>&1
ends 0 'and, when it has run, a shared library' 'not looked into: libplain.so' ./shared
"$RACE" "$compiler" -std=gnu11 -O1 -o atomic atomic.c >built 2>&1
ends 66 'what an atomic block keeps of its own is no finding' '^bine-race: 1 finding$' "$RACE" run ./atomic

"$RACE" run --format=json ./atomic >report 2>/dev/null
if grep -q '"role":"block",[^]]*"file":"atomic.c","line":7}' report; then echo 'ok and the block has a place of its own'; else
    echo "FAIL and the block has a place of its own: $(cat report)"
fi

# The report, and how the program ended.
printf '#!/bin/sh\nexit 200\n' >two && printf '#!/bin/sh\nkill -9 $$\n' >killed && chmod +x two killed
"$RACE" run ./two 2>said
if test $? = 200 && test ! -s said; then echo "ok a large status is no signal"; else
    echo "FAIL a large status is no signal: $(cat said)"
fi
ends 137 'a signal is told' 'ended by signal 9' "$RACE" run ./killed
ends 2 'text has no file' '--format=json' "$RACE" run --output=report ./race
ends 2 'a report that cannot be written is known before' 'cannot write' "$RACE" run --format=json --output=no/file ./race
ends 125 'a full disk' 'cannot write' "$RACE" run --format=json --output=/dev/full ./race
ends 2 'an unknown rule' "no rule 'none'" "$RACE" run --off=none ./race
rules=$("$RACE" run --help | sed -n '/--off/,/--color/p' | sed '1d;$d' | tr -s ' \n' ',')
ends 127 'every rule that is named can be switched off' 'cannot run' "$RACE" run "--off=$rules" ./missing
cat >waits.sh <<'END'
#!/bin/sh
./race
trap 'exit 66' TERM
echo >begun
while :; do sleep 0.1; done
END
chmod +x waits.sh
rm -f begun report
"$RACE" run --format=json --output=report ./waits.sh 2>/dev/null &
tool=$!
tries=0
until test -f begun || test $((tries += 1)) -gt 600; do sleep 0.1; done
kill -TERM $tool
wait $tool
if test $? = 66 && grep -q '"kind":"STALE-CHECK"' report; then echo "ok told to end, it tells what was found"; else
    echo "FAIL told to end, it does not tell what was found"
fi
