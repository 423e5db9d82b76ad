/* SPDX-License-Identifier: MIT
 *
 * What the runtime sees of this room: opens a reactor for a loop, waits through it, closes it. */
#include "runtime/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/io.h"
#include "io/offload.h"

/* The best first. */
static const struct bine__reactor *const reactors[] = {
#ifdef __linux__
    &bine__reactor_epoll,
#endif
#ifdef BINE_KQUEUE
    &bine__reactor_kqueue,
#endif
    &bine__reactor_poll,
};
enum { REACTORS = sizeof reactors / sizeof reactors[0] };

#ifdef CLOCK_MONOTONIC_COARSE
enum { SWEEP_CLOCK = CLOCK_MONOTONIC_COARSE };
#else
enum { SWEEP_CLOCK = CLOCK_MONOTONIC };
#endif

static bine_ns real_time(void)
{
    struct timespec time;

    clock_gettime(SWEEP_CLOCK, &time);
    return time.tv_sec * BINE_SECOND + time.tv_nsec;
}

/* The sweep runs on the real clock, and is no timer: it must not make virtual time jump.  Instead no wait
 * lasts longer than its period while somebody waits for a descriptor. */
static void sweep_if_due(struct bine__io *io)
{
    bine_ns now = real_time();

    if (now - io->swept < BINE__SWEEP_PERIOD)
        return;
    io->swept = now;
    bine__fd_sweep(io);
}

/* On the virtual clock time jumps when this has found nothing: an event that concerns nobody (a descriptor
 * that can be written, as it always could) must not end it early. */
static void wait_in_full(struct bine__io *io, bine_ns timeout)
{
    const bine_ns until = bine__clock(NULL) + timeout;

    do {
        io->reactor->wait(io, timeout);
        timeout = until - bine__clock(NULL);
    } while (timeout > 0 && io->woken == 0 && !atomic_load(&io->reap) && !atomic_load(&io->loop->posted));
}

static unsigned poller_wait(struct bine_loop *loop, bine_ns timeout)
{
    struct bine__io *io = loop->io;

    io->woken = 0;
    if ((io->waiters > 0 || io->held > 0) && timeout > BINE__SWEEP_PERIOD)
        timeout = BINE__SWEEP_PERIOD;
    if (loop->virtual_clock && timeout > 0 && timeout != BINE_FOREVER)
        wait_in_full(io, timeout);
    else
        io->reactor->wait(io, timeout);
    io->woken += bine__offload_reap(io);
    if (io->waiters > 0 || io->held > 0)
        sweep_if_due(io);
    return io->woken;
}

static void poller_interrupt(struct bine_loop *loop)
{
    loop->io->reactor->interrupt(loop->io);
}

static void poller_close(struct bine_loop *loop)
{
    struct bine__io *io = loop->io;

    bine__offload_orphan(io);
    bine__process_hold_forks();
    io->reactor->close(io);
    loop->io = NULL;
    bine__process_release_forks();
    bine__fd_free_all(io);
    free(io);
}

/* Memory that the loop's own thread may just have been changing is left alone, and where a leak checker finds it:
 * the child's calls come no further than to learn that they are outside of a loop. */
void bine__poller_forked(struct bine_loop *loop)
{
    if (loop->io)
        loop->io->reactor->forked(loop->io);
}

/* Not to be had here, but another one may be. */
static bool unavailable(int error)
{
    return error == ENOSYS || error == EPERM || error == EACCES;
}

/* io_uring, where it is built in, the kernel is new enough and nobody forbids it.  It is asked for by name,
 * and is a wish: what a container forbids is no reason not to run. */
static int open_uring(struct bine__io *io)
{
#ifdef BINE_URING
    io->reactor = &bine__reactor_uring;
    if (io->reactor->open(io) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOMEM) /* it lacks a flag that we need; RLIMIT_MEMLOCK */
        errno = ENOSYS;
#else
    (void)io;
    errno = ENOSYS;
#endif
    return -1;
}

/* Another name that was given must be that one; else the first that the kernel lets us have. */
static int open_reactor(struct bine__io *io, const char *name)
{
    if (name && strcmp(name, "io_uring") == 0) {
        if (open_uring(io) == 0)
            return 0;
        if (!unavailable(errno))
            return -1;
        name = NULL;
    }
    errno = EINVAL;
    for (int i = 0; i < REACTORS; i++) {
        if (name && strcmp(name, reactors[i]->name) != 0)
            continue;
        io->reactor = reactors[i];
        if (io->reactor->open(io) == 0)
            return 0;
        if (!unavailable(errno))
            break; /* out of descriptors or memory: another one would not fare better */
    }
    return -1;
}

int bine__poller_open(struct bine_loop *loop, const char *name)
{
    struct bine__io *io = calloc(1, sizeof *io);

    if (!io)
        return -1;
    if (!name) {
        name = getenv("BINE_REACTOR");
        if (name && !*name)
            name = NULL;
    }
    io->loop = loop;
    bine__list_init(&io->jobs);
    bine__list_init(&io->finished);
    bine__process_hold_forks();
    bool opened = open_reactor(io, name) == 0;
    if (opened)
        loop->io = io;
    bine__process_release_forks();
    if (!opened) {
        int error = errno;
        free(io);
        errno = error;
        return -1;
    }
    loop->poller = (struct bine__poller){poller_wait, poller_interrupt, poller_close};
    return 0;
}
