/* SPDX-License-Identifier: MIT
 *
 * Small programs for bine-explore(1), by name: cases <name> [<number>...].
 * Here: how many there are, and what comes of them.  Each says beside it what exploration finds;
 * check.sh holds it to that. */
#define _GNU_SOURCE
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int number[2];
char order[64];

void note(char who)
{
    order[strlen(order)] = who;
}

/* ---- Counting -------------------------------------------------------------------------------------- */

void *slices(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (i > 0)
            bine_yield();
        note(*(char *)name);
    }
    return NULL;
}

void spawn_all(bine_fn *fn)
{
    static char name[4] = "abc";
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    for (int i = 0; i < number[0]; i++)
        bine_group_spawn(&group, fn, &name[i]);
    bine_group_wait(&group, NULL);
}

/* n tasks of k slices: (nk)! / (k!)^n */
static void *run_slices(void *unused)
{
    spawn_all(slices);
    return unused;
}

/* One order of all, and that fails. */
static void *run_needle(void *unused)
{
    spawn_all(slices);
    assert(strcmp(order, number[0] == 2 ? "abbaba" : "cbacab") != 0);
    return unused;
}

static int counters[4];

static void *adder(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (i > 0)
            bine_yield();
        counters[*(char *)name - 'a']++;
    }
    return NULL;
}

/* As many schedules as above, of (k + 1)^n states at most, but for who has ended and been released. */
static void *run_add(void *unused)
{
    spawn_all(adder);
    return unused;
}

int shared;

static void *updater(void *unused)
{
    for (int i = 0; i < number[1]; i++) {
        int was = shared;
        bine_yield();
        shared = was + 1;
    }
    return unused;
}

/* No update is lost where they run one after the other, and nowhere else. */
static void *run_update(void *unused)
{
    spawn_all(updater);
    assert(shared < number[0] * number[1]);
    return unused;
}

static void *keeper(void *name)
{
    int seen = shared; /* in a register, or on the stack: nowhere else */
    bine_yield();
    if (*(char *)name == 'a')
        shared = seen + 1;
    else
        shared = 2 * seen + 2;
    return NULL;
}

/* 0 -> 1 and 0 -> 2 -> 3, or 1 -> 4; never 2 -> 1 alone: each kept another value. */
static void *run_register(void *unused)
{
    number[0] = 2;
    spawn_all(keeper);
    assert(shared != 4);
    return unused;
}

static void *dozer(void *name)
{
    for (int left = *(char *)name == 'a' ? 1 : 2; left > 0; left--)
        bine_sleep(*(char *)name == 'a' ? 3 * BINE_MS : BINE_MS);
    return NULL;
}

/* Asleep 3 ms, and 1 ms twice: all is over at 3 ms, or at 4.  Nobody asks until then. */
static void *run_clock(void *unused)
{
    number[0] = 2;
    spawn_all(dozer);
    assert(bine_now() == 3 * BINE_MS);
    return unused;
}

/* ---- Outcomes: what differs by schedule is the status that the program ends with --------------------- */

unsigned digest;
bool calm;

void digest_of(const char *name)
{
    digest = calm ? 0 : (digest * 2 + (unsigned)(*name - 'a')) % 23;
}

static bine_mutex digest_lock = BINE_MUTEX_INIT;

static void *locks_and_digests(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        bine_mutex_lock(&digest_lock);
        bine_yield();
        digest_of(name);
        bine_mutex_unlock(&digest_lock);
        bine_yield();
    }
    return NULL;
}
/* Tasks that wait in line for a lock, or do not have to. */
static void *run_locked(void *unused)
{
    spawn_all(locks_and_digests);
    exit((int)digest);
    return unused;
}

static bine_rwlock digest_rwlock = BINE_RWLOCK_INIT;

static void *reads_or_writes(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (*(char *)name == 'a')
            bine_rwlock_write(&digest_rwlock);
        else
            bine_rwlock_read(&digest_rwlock);
        bine_yield();
        digest_of(name);
        bine_rwlock_unlock(&digest_rwlock);
        bine_sleep(BINE_MS);
    }
    return NULL;
}
static void *run_rwlocked(void *unused)
{
    spawn_all(reads_or_writes);
    exit((int)digest);
    return unused;
}

static void *sleeps_between(bine_gen *gen, void *name)
{
    for (int i = 0; i < number[1]; i++) {
        bine_sleep(BINE_MS);
        digest_of(name);
        bine_gen_yield(gen, name, NULL);
    }
    return NULL;
}
static void *takes(void *name)
{
    bine_gen *gen = bine_gen_new(sleeps_between, name);
    BINE_FOR_EACH(v, gen)
        bine_yield();
    bine_gen_free(gen);
    return NULL;
}
/* Tasks that wait in bodies of generators, and outside of them. */
static void *run_taken(void *unused)
{
    spawn_all(takes);
    exit((int)digest);
    return unused;
}

#define CASE(name) {#name, run_##name}
static const struct {
    const char *name;
    bine_fn *fn;
} cases[] = {
    CASE(slices), CASE(needle), CASE(add), CASE(update), CASE(register), CASE(clock), CASE(sleepers),
    CASE(select), CASE(deadline), CASE(watchdog), CASE(too_late),
    CASE(callbacks), CASE(alarm), CASE(generators), CASE(letter), CASE(timed), CASE(logged), CASE(event),
    CASE(locked), CASE(rwlocked), CASE(taken), CASE(fed), CASE(pipe), CASE(log), CASE(tcp), CASE(mail),
    CASE(server), CASE(lent), CASE(deadlock), CASE(spin), CASE(round), CASE(hog),
    CASE(flood), CASE(crash), CASE(binary), CASE(stuck), CASE(lost), CASE(child), CASE(children), CASE(moody),
};

int main(int argc, char *argv[])
{
    for (int i = 2; i < argc && i < 4; i++)
        number[i - 2] = atoi(argv[i]);
    calm = argc > 4;
    if (argc > 1 && strcmp(argv[1], "status") == 0)
        return 7;
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argv[1]) == 0)
            return bine_run(cases[i].fn, NULL, NULL) == 0 ? 0 : 1;
    return 2;
}
