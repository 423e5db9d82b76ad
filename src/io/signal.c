/* SPDX-License-Identifier: MIT
 *
 * Signals: taken by sigaction(2) and a pipe, told to all who wait for them.
 *
 * From the handler to the pipe.  The handler, on whatever thread, writes one record, which is less than PIPE_BUF
 * and so goes whole or not at all.  If the pipe is full it notes the kind in `lost`, then tries to write an
 * empty record.  Either that goes in, and a reader will look at `lost` after it; or the pipe is still full, and
 * its reader, who looks at `lost` only when it has emptied the pipe, will do so later.  No kind is lost.
 *
 * From the pipe to those who wait.  Each subscription has a queue, and a pipe of its own that is readable if
 * the queue is not empty.  A task that waits polls both pipes.  Whoever finds records in the common one moves
 * all of them, under the lock, to the queues of all subscriptions that want them, of any loop.
 *
 * The common pipe is never closed, since a handler may be about to write to it on another thread.  fork() blocks
 * all signals until the child has its old dispositions back: none of its signals gets into our pipe. */
#define _GNU_SOURCE
#include <bine/signal.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/io.h"
#include "runtime/runtime.h"

enum { SIGNALS_MAGIC = 0x7369676e, KINDS = 65 /* signals are 1 to 64 */, QUEUE = 64 /* queued for one who waits */ };

struct queue {
    bine_signal_info entries[QUEUE];
    unsigned count;
    uint64_t there;    /* kinds that have an entry */
    uint64_t overflow; /* kinds that found no room */
};

struct bine_signals {
    struct bine__list others;
    uint32_t magic;
    struct bine_loop *loop;
    uint64_t set;
    unsigned waiting;
    int wake[2]; /* readable: the queue is not empty */
    struct queue queue;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows, and all queues */
static struct bine__list subscriptions = {&subscriptions, &subscriptions};
static unsigned users[KINDS];
static struct sigaction before[KINDS]; /* if there are users */
static struct queue kept;              /* for the next bine_signal_wait() */
static sigset_t mask_before_fork;
static int taken = -1;                 /* the common pipe */
static _Atomic int taken_in = -1;      /* its other end, which the handler writes to */
static _Atomic uint64_t lost;

static uint64_t bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* ---- Queues -------------------------------------------------------------------------------------------- */

static void add(struct queue *queue, const bine_signal_info *info)
{
    if (info->signal < SIGRTMIN && (queue->there & bit(info->signal)))
        return;
    if (queue->count == QUEUE) {
        queue->overflow |= bit(info->signal);
        return;
    }
    queue->entries[queue->count++] = *info;
    queue->there |= bit(info->signal);
}

/* The first of the set. */
static bool take(struct queue *queue, uint64_t set, bine_signal_info *info)
{
    unsigned i = 0;

    while (i < queue->count && !(set & bit(queue->entries[i].signal)))
        i++;
    if (i < queue->count) {
        *info = queue->entries[i];
        queue->count--;
        memmove(&queue->entries[i], &queue->entries[i + 1], (queue->count - i) * sizeof queue->entries[0]);
        queue->there = 0;
        for (i = 0; i < queue->count; i++)
            queue->there |= bit(queue->entries[i].signal);
        return true;
    }
    set &= queue->overflow;
    if (!set)
        return false;
    *info = (bine_signal_info){.signal = __builtin_ctzll(set) + 1};
    queue->overflow &= ~bit(info->signal);
    return true;
}

static bool empty(const struct queue *queue)
{
    return queue->count == 0 && !queue->overflow;
}

/* ---- The handler, and what it has left in the pipe ------------------------------------------------------- */

static void handle(int number, siginfo_t *from, void *context)
{
    const int error = errno;
    const bine_signal_info nothing = {.signal = 0};
    bine_signal_info info;

    (void)context;
    memset(&info, 0, sizeof info); /* padding too: it goes through a pipe */
    info.signal = number;
    info.code = from->si_code;
    info.pid = from->si_pid;
    info.uid = from->si_uid;
    if (number == SIGCHLD)
        info.status = from->si_status;
    if (from->si_code == SI_QUEUE || from->si_code == SI_TIMER || from->si_code == SI_MESGQ) {
        info.value = from->si_value.sival_int;
        info.pointer = from->si_value.sival_ptr;
    }
    if (write(taken_in, &info, sizeof info) != (ssize_t)sizeof info) {
        atomic_fetch_or(&lost, bit(number)); /* partner: collect() */
        if (write(taken_in, &nothing, sizeof nothing) < 0)
            errno = error; /* full again: see above */
    }
    errno = error;
}

static void tell_all(const bine_signal_info *info)
{
    for (struct bine__list *node = subscriptions.next; node != &subscriptions; node = node->next) {
        struct bine_signals *signals = bine__list_entry(node, struct bine_signals, others);
        if (!(signals->set & bit(info->signal)))
            continue;
        if (empty(&signals->queue) && write(signals->wake[1], "", 1) != 1)
            continue; /* never: it has room for thousands */
        add(&signals->queue, info);
    }
}

/* With the lock held: from the pipe to the queues. */
static void collect(void)
{
    bine_signal_info info;

    while (read(taken, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.signal)
            tell_all(&info);
    for (uint64_t kinds = atomic_exchange(&lost, 0); kinds; kinds &= kinds - 1) { /* partner: handle() */
        info = (bine_signal_info){.signal = __builtin_ctzll(kinds) + 1};
        tell_all(&info);
    }
}

/* ---- Dispositions ---------------------------------------------------------------------------------------- */

static void give_back(int number)
{
    struct sigaction now;

    /* Somebody who has taken it since keeps it. */
    if (sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
        sigaction(number, &before[number], NULL);
}

static void release(uint64_t set)
{
    for (; set; set &= set - 1) {
        int number = __builtin_ctzll(set) + 1;
        if (--users[number] == 0)
            give_back(number);
    }
}

/* All or none.  0, or an errno value. */
static int acquire(uint64_t set)
{
    struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    uint64_t done = 0;

    ours.sa_sigaction = handle;
    sigemptyset(&ours.sa_mask);
    for (; set; set &= set - 1) {
        int number = __builtin_ctzll(set) + 1;
        if (users[number] == 0 && sigaction(number, &ours, &before[number]) != 0) {
            int error = errno;
            release(done);
            return error;
        }
        users[number]++;
        done |= bit(number);
    }
    return 0;
}

/* 0: one that cannot be had. */
static uint64_t kinds_of(const sigset_t *set)
{
    static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    uint64_t kinds = 0;

    if (!set)
        return 0;
    for (int number = 1; number < KINDS; number++)
        if (sigismember(set, number) == 1)
            kinds |= bit(number);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (kinds & bit(never[i]))
            return 0;
    return kinds;
}

/* ---- fork() ------------------------------------------------------------------------------------------------ */

static void before_fork(void)
{
    sigset_t all, mask;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    pthread_mutex_lock(&lock);
    mask_before_fork = mask;
}

static void after_fork(void)
{
    const sigset_t mask = mask_before_fork;

    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void in_child(void)
{
    for (int number = 1; number < KINDS; number++)
        if (users[number]) {
            users[number] = 0;
            give_back(number);
        }
    bine__list_init(&subscriptions);
    memset(&kept, 0, sizeof kept);
    atomic_store(&lost, 0);
    if (taken != -1) {
        close(taken);
        close(atomic_exchange(&taken_in, -1)); /* a handler of the program's may go on calling ours */
        taken = -1;
    }
    after_fork();
}

static int watch_forks_result;
static void watch_forks(void)
{
    watch_forks_result = pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- Subscriptions ------------------------------------------------------------------------------------------- */

/* With the lock held.  0, or an errno value. */
static int subscribe(struct bine_signals *signals, bool with_kept)
{
    bine_signal_info info;
    int error = 0;

    if (taken == -1) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
            return errno;
        taken = ends[0];
        atomic_store(&taken_in, ends[1]);
    }
    collect(); /* what came for others is not for this one */
    error = acquire(signals->set);
    if (error)
        return error;
    bine__list_append(&subscriptions, &signals->others);
    while (with_kept && take(&kept, signals->set, &info)) {
        if (empty(&signals->queue) && write(signals->wake[1], "", 1) != 1)
            break; /* never */
        add(&signals->queue, &info);
    }
    return 0;
}

static struct bine_signals *open_signals(const sigset_t *set, bool with_kept)
{
    struct bine_signals *signals;
    uint64_t kinds = kinds_of(set);
    int error;

    if (!kinds) {
        errno = EINVAL;
        return NULL;
    }
    pthread_once(&once, watch_forks);
    if (watch_forks_result) {
        errno = watch_forks_result;
        return NULL;
    }
    signals = calloc(1, sizeof *signals);
    if (!signals)
        return NULL;
    if (pipe2(signals->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(signals);
        return NULL;
    }
    bine__fd_fresh(signals->wake[0], BINE__KIND_POLLABLE);
    bine__fd_fresh(signals->wake[1], BINE__KIND_POLLABLE);
    signals->magic = SIGNALS_MAGIC;
    signals->loop = bine__loop;
    signals->set = kinds;
    pthread_mutex_lock(&lock);
    error = subscribe(signals, with_kept);
    pthread_mutex_unlock(&lock);
    if (!error)
        return signals;
    bine_close(signals->wake[0]);
    bine_close(signals->wake[1]);
    free(signals);
    errno = error;
    return NULL;
}

static void close_signals(struct bine_signals *signals, bool keep)
{
    bine_signal_info info;

    pthread_mutex_lock(&lock);
    collect();
    while (keep && take(&signals->queue, signals->set, &info))
        add(&kept, &info);
    bine__list_remove(&signals->others);
    release(signals->set);
    pthread_mutex_unlock(&lock);
    signals->magic = 0;
    bine_close(signals->wake[0]);
    bine_close(signals->wake[1]);
    free(signals);
}

/* One that is there. */
static bool fetch(struct bine_signals *signals, bine_signal_info *info)
{
    char byte;
    bool there;

    pthread_mutex_lock(&lock);
    collect();
    there = take(&signals->queue, signals->set, info);
    if (there && empty(&signals->queue) && read(signals->wake[0], &byte, 1) != 1)
        there = true; /* never: it is readable if the queue is not empty */
    pthread_mutex_unlock(&lock);
    return there;
}

static int next(struct bine_signals *signals, bine_signal_info *out)
{
    bine_signal_info info;
    int error = 0;

    signals->waiting++;
    while (!fetch(signals, &info) && !error) { /* what has come wins over a scope that fires */
        struct pollfd fds[2] = {{.fd = taken, .events = POLLIN}, {.fd = signals->wake[0], .events = POLLIN}};
        info.signal = 0;
        if (bine_poll(fds, 2, -1) == -1)
            error = errno;
    }
    signals->waiting--;
    if (!info.signal)
        return bine__error(error);
    if (out)
        *out = info;
    return info.signal;
}

/* ---- The calls ------------------------------------------------------------------------------------------------ */

bine_signals *bine_signal_open(const sigset_t *set)
{
    if (!bine__loop) {
        errno = EPERM;
        return NULL;
    }
    return open_signals(set, false);
}

static int check(const bine_signals *signals)
{
    if (!signals || signals->magic != SIGNALS_MAGIC)
        return bine__error(EINVAL);
    return signals->loop == bine__loop ? 0 : bine__error(EPERM);
}

int bine_signal_next(bine_signals *signals, bine_signal_info *info)
{
    if (check(signals) != 0)
        return bine__refuse(errno);
    return bine__begin() ? next(signals, info) : -1;
}

int bine_signal_close(bine_signals *signals)
{
    if (check(signals) != 0)
        return -1;
    if (signals->waiting > 0)
        return bine__error(EBUSY);
    close_signals(signals, false);
    return 0;
}

int bine_signal_wait(const sigset_t *set, bine_signal_info *info)
{
    struct bine_signals *signals = bine__begin() ? open_signals(set, true) : NULL;
    int number, error;

    if (!signals)
        return -1;
    number = next(signals, info);
    error = errno;
    close_signals(signals, true);
    errno = error;
    return number;
}
