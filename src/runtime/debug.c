/* SPDX-License-Identifier: MIT
 *
 * BINE_DEBUG=1: the hog watchdog, the quarantine of released handles, the stack use of each spawn site.
 *
 * The watchdog is a thread that reads how many switches the loop has left; one that has neither switched
 * nor waited for 100 ms is signalled (SIGURG: ignored by default, so harmless if it comes late), its
 * handler takes the backtrace of what runs, and the watchdog reports it.  Nothing of this exists without
 * BINE_DEBUG. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/debug.h"

enum {
    HOG_MS = 100,
    LOOK_MS = 20,
    QUARANTINE = 256 /* released handles kept, oldest first out */
};

struct bine__debug {
    struct bine_loop *loop;
    pthread_t loop_thread, watchdog;
    bool watching;
    _Atomic bool idle, stop;
    unsigned quits; /* SIGQUITs that the watchdog has seen */
    _Atomic bool dump_wanted;
    bool stuck; /* told */

    /* One sample: asked for by the watchdog, taken by the signal handler, read by the watchdog. */
    _Atomic int sample; /* enum sample */
    void *frames[BINE__FRAMES];
    int depth;
    uint64_t sampled_id;
    char sampled_name[BINE__NAME_SIZE];
    const char *sampled_site;

    struct bine__stack quarantine[QUARANTINE];
    unsigned released;
    struct bine__site *sites;
};

enum sample { SAMPLE_NONE, SAMPLE_WANTED, SAMPLE_TAKEN };

/* ---- Hogs --------------------------------------------------------------------------------------- */

/* Of the loop's thread, without the handler that takes it and what the system calls that by. */
static int interrupted(void **frames, const void *handler_returns_to)
{
    int depth = bine__backtrace(frames, BINE__FRAMES), own = 0;
    while (own < depth && frames[own] != handler_returns_to)
        own++;
    if (own == depth)
        return depth;
    own++;
    memmove(frames, frames + own, (size_t)(depth - own) * sizeof *frames);
    return depth - own;
}

static void on_urgent(int number, siginfo_t *info, void *context)
{
    int error = errno;
    struct bine_loop *loop = bine__loop;
    struct bine__debug *debug = loop ? loop->debugging : NULL;
    if (debug && atomic_load_explicit(&debug->sample, memory_order_acquire) == SAMPLE_WANTED) {
        const struct bine_task *task = loop->current;
        debug->depth = interrupted(debug->frames, __builtin_return_address(0));
        debug->sampled_id = task->id;
        strcpy(debug->sampled_name, bine__task_name(task));
        debug->sampled_site = task->site;
        /* Release: pairs with the watchdog's acquire in report_hog(). */
        atomic_store_explicit(&debug->sample, SAMPLE_TAKEN, memory_order_release);
    }
    bine__urgent_pass_on(number, info, context);
    errno = error;
}

static void nap(void)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};
    nanosleep(&look, NULL);
}

static void report_hog(struct bine__debug *debug, uint64_t held_ms)
{
    enum { PATIENCE = 50 };
    atomic_store_explicit(&debug->sample, SAMPLE_WANTED, memory_order_release);
    if (BINE__CONTEXT_THREADS) /* whoever it is now: one that has just left it does not answer */
        bine__context_signal(&__atomic_load_n(&debug->loop->current, __ATOMIC_RELAXED)->context, SIGURG);
    else
        pthread_kill(debug->loop_thread, SIGURG);
    for (int i = 0; i < PATIENCE; i++) {
        if (atomic_load_explicit(&debug->sample, memory_order_acquire) == SAMPLE_TAKEN) {
            char where[BINE__TRACE_SIZE];
            bine__format_trace(where, sizeof where, debug->frames, debug->depth, NULL);
            struct bine_task task = {.id = debug->sampled_id, .site = debug->sampled_site, .flags = BINE__TASK_NAMED};
            memcpy(task.name_, debug->sampled_name, sizeof task.name_);
            bine__report(BINE_REPORT_HOG, debug->sampled_id ? &task : NULL, 0,
                         "%sholds the loop for %llu ms already, at%s", debug->sampled_id ? "" : "a callback ",
                         (unsigned long long)held_ms, where);
            break;
        }
        nap();
    }
    atomic_store_explicit(&debug->sample, SAMPLE_NONE, memory_order_relaxed);
}

/* A signal handler can do little; this thread can interrupt the loop. */
static void look_for_quit(struct bine__debug *debug)
{
    unsigned quits = bine__quit_count();
    if (quits == debug->quits)
        return;
    debug->quits = quits;
    atomic_store_explicit(&debug->dump_wanted, true, memory_order_relaxed); /* no data with it */
    debug->loop->poller.interrupt(debug->loop);
}

void bine__debug_turn(struct bine_loop *loop, bool stuck)
{
    struct bine__debug *debug = loop->debugging;
    if (bine__unlikely(atomic_exchange_explicit(&debug->dump_wanted, false, memory_order_relaxed)))
        bine_dump(STDERR_FILENO);
    if (stuck && !debug->stuck) {
        debug->stuck = true;
        bine__stuck_report(loop);
    }
}

static void *watch(void *arg)
{
    struct bine__debug *debug = arg;
    int32_t seen = 0;
    uint64_t held_ms = 0;
    while (!atomic_load_explicit(&debug->stop, memory_order_relaxed)) {
        nap();
        look_for_quit(debug);
        int32_t left = atomic_load_explicit(&debug->loop->switches_left, memory_order_relaxed);
        if (left != seen || atomic_load_explicit(&debug->idle, memory_order_relaxed)) {
            seen = left;
            held_ms = 0;
            continue;
        }
        held_ms += LOOK_MS;
        if (held_ms == HOG_MS + LOOK_MS) /* once each time */
            report_hog(debug, held_ms);
    }
    return NULL;
}

void bine__debug_idle(struct bine_loop *loop, bool idle)
{
    if (loop->debugging)
        atomic_store_explicit(&loop->debugging->idle, idle, memory_order_relaxed); /* late is harmless */
}

static void start_watchdog(struct bine__debug *debug)
{
    bine__backtrace(debug->frames, 1); /* loads what it needs now, not in the handler */
    bool handling = bine__debug_signals_open(on_urgent);
    debug->quits = bine__quit_count();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    debug->watching = handling && pthread_create(&debug->watchdog, NULL, watch, debug) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void bine__debug_open(struct bine_loop *loop)
{
    if (!loop->debug)
        return;
    struct bine__debug *debug = calloc(1, sizeof *debug);
    if (!debug)
        return; /* the program runs, only less watched */
    debug->loop = loop;
    debug->loop_thread = pthread_self();
    loop->debugging = debug;
    start_watchdog(debug);
}

void bine__debug_close(struct bine_loop *loop)
{
    struct bine__debug *debug = loop->debugging;
    if (!debug)
        return;
    if (debug->watching) {
        atomic_store_explicit(&debug->stop, true, memory_order_relaxed);
        pthread_join(debug->watchdog, NULL);
    }
    bine__debug_signals_close();
    loop->debugging = NULL;
    bine__sites_free(debug->sites);
    free(debug);
}

/* ---- Stale handles, and what each spawn site uses --------------------------------------------------- */

void bine__debug_quarantine(struct bine_task *task)
{
    struct bine__debug *debug = task->loop->debugging;
    bine__sites_note(&debug->sites, task->site, bine__stack_used(task->stack), bine__stack_size(task->stack));
    struct bine__stack *slot = &debug->quarantine[debug->released++ % QUARANTINE];
    struct bine__stack oldest = *slot;
    *slot = task->stack;
    if (oldest.base) {
        bine__stack_clean(oldest); /* so that the next one's use is its own */
        bine__stack_release(&task->loop->stacks, oldest);
    }
}

const struct bine__site *bine__debug_sites(const struct bine_loop *loop)
{
    return loop->debugging ? loop->debugging->sites : NULL;
}
