/* SPDX-License-Identifier: MIT
 *
 * Contexts that are threads: see thread.h.
 *
 * Each thread has a baton, a thread-local: a lock, a condition, and whether it is this thread's turn.
 *
 *   give(b)   locks b, puts what is carried into it, says that it is its turn, signals, unlocks.  The signal is
 *             sent under the lock: the other thread cannot run, end, and take its baton with it, before the unlock
 *   take()    waits for the own baton, and takes out what is carried
 *
 * A switch is a give and a take; between the two nobody else touches the giver's baton but who gives it back.  A
 * context whose function is done with stays in its last take() until it is closed: that gives with `last` set,
 * the thread leaps out of its stack to its beginning and ends, and the closer joins it.  So a stack is free for
 * another use when bine__context_close() returns.
 *
 * What is carried is moved: a thread that waits has none of it.  The signal mask goes the same way, and who waits
 * blocks all: so a signal is taken by whoever runs, as if there were one thread. */
#define _GNU_SOURCE
#include "arch/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CARRIED_MAX = 256 }; /* bytes, all variables together */

struct bine__baton {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t given;
    bool turn, loaded, last;
    sigset_t mask; /* if loaded */
    unsigned char carried[CARRIED_MAX];
};

static _Thread_local struct bine__baton mine = {.lock = PTHREAD_MUTEX_INITIALIZER, .given = PTHREAD_COND_INITIALIZER};
static _Thread_local jmp_buf beginning;

/* ---- What is carried ------------------------------------------------------------------------------------ */

static struct bine__carried *carried; /* constructors add to it; afterwards it is only read */
static size_t carried_size;

void bine__context_carry(struct bine__carried *one)
{
    carried_size += one->size;
    if (carried_size > CARRIED_MAX)
        abort();
    one->next = carried;
    carried = one;
}

static void load(unsigned char *to)
{
    for (const struct bine__carried *one = carried; one; to += one->size, one = one->next) {
        memcpy(to, one->address(), one->size);
        memset(one->address(), 0, one->size);
    }
}

static void unload(const unsigned char *from)
{
    for (const struct bine__carried *one = carried; one; from += one->size, one = one->next)
        memcpy(one->address(), from, one->size);
}

/* ---- The baton ------------------------------------------------------------------------------------------ */

/* Loaded: with what is carried; the giver is left without. */
static void give(struct bine__baton *baton, bool loaded, bool last)
{
    sigset_t all;
    sigfillset(&all);
    pthread_mutex_lock(&baton->lock);
    if (loaded) {
        pthread_sigmask(SIG_SETMASK, &all, &baton->mask);
        load(baton->carried);
    }
    baton->loaded = loaded;
    baton->last = last;
    baton->turn = true;
    pthread_cond_signal(&baton->given);
    pthread_mutex_unlock(&baton->lock);
}

static void take(void)
{
    pthread_mutex_lock(&mine.lock);
    while (!mine.turn)
        pthread_cond_wait(&mine.given, &mine.lock);
    mine.turn = false;
    bool loaded = mine.loaded;
    if (loaded)
        unload(mine.carried);
    pthread_mutex_unlock(&mine.lock);
    if (loaded)
        pthread_sigmask(SIG_SETMASK, &mine.mask, NULL);
}

/* The system's number for this thread: unlike a pthread_t it may be used when the thread has ended. */
static long own_id(void)
{
#ifdef SYS_gettid
    return syscall(SYS_gettid);
#else
    return 0;
#endif
}

void bine__context_signal(const struct bine__context *context, int number)
{
    long id = atomic_load_explicit(&context->id, memory_order_relaxed);
#ifdef SYS_tgkill
    if (id)
        syscall(SYS_tgkill, getpid(), id, number);
#else
    (void)id, (void)number;
#endif
}

struct bine__context *bine__context_switch(struct bine__context *from, struct bine__context *to)
{
    int error = errno;
    from->baton = &mine;
    atomic_store_explicit(&from->id, own_id(), memory_order_relaxed);
    give(to->baton, true, false);
    take();
    if (mine.last)
        longjmp(beginning, 1);
    errno = error;
    return from;
}

/* ---- Threads -------------------------------------------------------------------------------------------- */

struct start {
    struct bine__context *context;
    struct bine__baton *creator;
    stack_t alternate; /* the creator's: one runs at a time, so one is enough for all */
};

static void *begin(void *arg)
{
    struct start *start = arg; /* on the creator's stack, which waits until it is given the baton back */
    struct bine__context *context = start->context;
    if (!(start->alternate.ss_flags & SS_DISABLE)) {
        start->alternate.ss_flags = 0;
        sigaltstack(&start->alternate, NULL);
    }
    if (setjmp(beginning) == 0) {
        context->baton = &mine;
        atomic_store_explicit(&context->id, own_id(), memory_order_relaxed);
        give(start->creator, false, false);
        take();
        errno = 0;
        if (!mine.last)
            context->entry();
    }
    return NULL;
}

int bine__context_open(struct bine__context *context, char *bottom, char *top, void (*entry)(void))
{
    struct start start = {context, &mine, {.ss_flags = SS_DISABLE}};
    pthread_attr_t attr;
    sigset_t all, before;
    context->entry = entry;
    if (pthread_attr_init(&attr) != 0)
        goto fail;
    sigaltstack(NULL, &start.alternate);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_attr_setstack(&attr, bottom, (size_t)(top - bottom));
    if (!error)
        error = pthread_create(&context->thread, &attr, begin, &start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error)
        goto fail;
    take(); /* until the thread has said where its baton is */
    return 0;

fail:
    errno = ENOMEM; /* a thread is memory, here */
    return -1;
}

void bine__context_close(struct bine__context *context)
{
    int error = errno;
    give(context->baton, false, true);
    pthread_join(context->thread, NULL);
    errno = error;
}

/* What a thread needs of its stack for itself: its control block, its thread-locals, and the least that the
 * system lets a stack have. */
size_t bine__context_room(void)
{
    static _Atomic size_t known; /* whoever is first works it out; all come to the same */
    size_t room = atomic_load_explicit(&known, memory_order_relaxed);
    if (room)
        return room;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    long least = 0;
#ifdef _SC_THREAD_STACK_MIN
    least = sysconf(_SC_THREAD_STACK_MIN);
#endif
    room = least > 0 ? (size_t)least : 16 << 10;
    room = (room + page - 1) / page * page;
    atomic_store_explicit(&known, room, memory_order_relaxed);
    return room;
}
