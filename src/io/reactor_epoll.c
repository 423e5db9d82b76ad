/* SPDX-License-Identifier: MIT
 *
 * The epoll reactor (Linux), edge-triggered.
 *
 * Each descriptor is added once, for everything, and never touched again: no epoll_ctl() per request.  That
 * is right because a waiter has tried before it parks: what came before its try the try has seen, and what
 * comes later is a new edge.  (After a short TCP read the try is left out; see transfer.h.)
 *
 * epoll knows a descriptor by number *and* open file.  If foreign code closed the number and the kernel
 * gave it out again, EPOLL_CTL_MOD answers ENOENT.  Descriptors that the library did not make are asked
 * about at each park; the others only by the sweep.  Closing needs no EPOLL_CTL_DEL: the kernel does it,
 * or, where another descriptor still refers to the file, its events carry an old generation and are
 * dropped.
 *
 * Not EPOLLEXCLUSIVE, though a listener that several loops accept from wakes all that are idle, for each
 * connection (tests/bench, work loops: a quarter more CPU time with two loops).  It gives an edge to one of them
 * alone.  If no task of that loop waits for the listener any more, because a scope has fired or its server is out
 * of descriptors, the connection is lost on the others until the next one comes: rule 1 of reactor.h.  Nor can a
 * loop hand the edge on.  A poll of io_uring knows the flag too, and gives the edge even to a loop that is busy.
 * Loops with a listener each have none of this. */
#define _GNU_SOURCE
#include "io/reactor_epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI && EPOLLERR == POLLERR &&
                   EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
               "the kernel gives epoll and poll the same bits");

static const uint32_t INTERRUPT = UINT32_MAX; /* in place of a descriptor */

static int control(const struct bine__epoll *epoll, int operation, int fd, const struct bine__fd *slot)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
        .data.u64 = (uint64_t)slot->generation << 32 | (uint32_t)fd,
    };

    return epoll_ctl(epoll->fd, operation, fd, &event);
}

int bine__epoll_prepare(struct bine__epoll *epoll)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = INTERRUPT};

    epoll->coarse = false;
    atomic_init(&epoll->pending, false);
    epoll->interrupt = -1;
    epoll->fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->fd == -1)
        goto fail;
    epoll->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll->interrupt == -1)
        goto fail;
    if (epoll_ctl(epoll->fd, EPOLL_CTL_ADD, epoll->interrupt, &event) != 0)
        goto fail;
    return 0;

fail:;
    int error = errno;
    bine__epoll_dispose(epoll);
    errno = error;
    return -1;
}

void bine__epoll_dispose(struct bine__epoll *epoll)
{
    if (epoll->interrupt != -1)
        close(epoll->interrupt);
    if (epoll->fd != -1)
        close(epoll->fd);
}

static int epoll_open(struct bine__io *io)
{
    struct bine__epoll *epoll = malloc(sizeof *epoll);

    if (!epoll)
        return -1;
    if (bine__epoll_prepare(epoll) != 0) {
        int error = errno;
        free(epoll);
        errno = error;
        return -1;
    }
    io->backend = epoll;
    return 0;
}

static void epoll_close(struct bine__io *io)
{
    bine__epoll_dispose(io->backend);
    free(io->backend);
    io->backend = NULL;
}

/* EEXIST: the file was registered under this number in an earlier generation, and lived on under another. */
static int add(const struct bine__epoll *epoll, int fd, struct bine__fd *slot)
{
    if (control(epoll, EPOLL_CTL_ADD, fd, slot) != 0 &&
        (errno != EEXIST || control(epoll, EPOLL_CTL_MOD, fd, slot) != 0))
        return -1;
    slot->flags |= BINE__FD_REGISTERED;
    return 0;
}

static int rearm(const struct bine__epoll *epoll, int fd, struct bine__fd *slot)
{
    if (control(epoll, EPOLL_CTL_MOD, fd, slot) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    bine__fd_forget(slot);
    return add(epoll, fd, slot);
}

static int epoll_watch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    enum { OURS = BINE__FD_REGISTERED | BINE__FD_CREATED };

    if (bine__likely((slot->flags & OURS) == OURS))
        return 0;
    return slot->flags & BINE__FD_REGISTERED ? rearm(io->backend, fd, slot) : add(io->backend, fd, slot);
}

static void epoll_unwatch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    (void)io, (void)fd;
    slot->flags &= (uint8_t)~BINE__FD_REGISTERED;
}

/* For readers the question is enough, and EPOLL_CTL_ADD asks it at a third of the price: EEXIST means that
 * all is well, success that the number had become another file's.  (Of 10,000 idle sockets, cold: 0.55 us,
 * against 1.1 us for EPOLL_CTL_MOD and 0.75 us for the event that it brings.)  Writers are armed anew,
 * since not every socket tells them: a datagram that found its receiver's queue full. */
static int epoll_recheck(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct bine__epoll *epoll = io->backend;

    if (!bine__list_empty(&slot->line[BINE__OUT]))
        return rearm(epoll, fd, slot);
    if (control(epoll, EPOLL_CTL_ADD, fd, slot) != 0)
        return errno == EEXIST ? 0 : -1;
    bine__fd_forget(slot);
    slot->flags |= BINE__FD_REGISTERED;
    return 0;
}

static int wait_exactly(struct bine__epoll *epoll, bine_ns timeout)
{
#ifdef SYS_epoll_pwait2
    struct timespec time = {(time_t)(timeout / BINE_SECOND), (long)(timeout % BINE_SECOND)};
    long n = syscall(SYS_epoll_pwait2, epoll->fd, epoll->events, BINE__EPOLL_EVENTS, &time, NULL, 0);

    if (n >= 0 || errno == EINTR) /* a sandbox older than the call answers what it likes: ENOSYS, EPERM, EINVAL */
        return (int)n;
#else
    (void)timeout;
#endif
    epoll->coarse = true;
    return -1;
}

static int wait_coarsely(struct bine__epoll *epoll, bine_ns timeout)
{
    bine_ns ms = timeout / BINE_MS + (timeout % BINE_MS != 0);

    return epoll_wait(epoll->fd, epoll->events, BINE__EPOLL_EVENTS, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int wait_for_events(struct bine__epoll *epoll, bine_ns timeout)
{
    int n = -1;

    if (timeout <= 0)
        return epoll_wait(epoll->fd, epoll->events, BINE__EPOLL_EVENTS, 0);
    if (timeout == BINE_FOREVER)
        return epoll_wait(epoll->fd, epoll->events, BINE__EPOLL_EVENTS, -1);
    if (!epoll->coarse)
        n = wait_exactly(epoll, timeout);
    if (epoll->coarse)
        n = wait_coarsely(epoll, timeout);
    return n;
}

static inline void fetch_ahead(const struct bine__io *io, const struct epoll_event *event, int left)
{
    if (left > BINE__AHEAD_SLOT)
        bine__fd_fetch_slot(io, (int)event[BINE__AHEAD_SLOT].data.u64);
    if (left > BINE__AHEAD_WAITER)
        bine__fd_fetch_waiter(io, (int)event[BINE__AHEAD_WAITER].data.u64);
    if (left > BINE__AHEAD_TASK)
        bine__fd_fetch_task(io, (int)event[BINE__AHEAD_TASK].data.u64);
}

int bine__epoll_look(struct bine__io *io, struct bine__epoll *epoll, bine_ns timeout, unsigned *reported)
{
    int n = wait_for_events(epoll, timeout);

    for (int i = 0; i < n; i++) {
        uint64_t data = epoll->events[i].data.u64;
        fetch_ahead(io, &epoll->events[i], n - i);
        if ((uint32_t)data == INTERRUPT) {
            /* Partner: epoll_interrupt().  What was published before an interrupt that finds the flag still
             * set is seen after this exchange.  The eventfd is never read: each write is an edge. */
            atomic_exchange(&epoll->pending, false);
            continue;
        }
        bine__fd_ready(io, (int)(uint32_t)data, (uint32_t)(data >> 32), epoll->events[i].events);
        ++*reported;
    }
    return n;
}

static unsigned epoll_wait_and_report(struct bine__io *io, bine_ns timeout)
{
    unsigned reported = 0;

    (void)bine__epoll_look(io, io->backend, timeout, &reported);
    return reported;
}

static void epoll_interrupt(struct bine__io *io)
{
    struct bine__epoll *epoll = io->backend;
    const uint64_t one = 1;

    if (atomic_exchange(&epoll->pending, true))
        return;
    while (write(epoll->interrupt, &one, sizeof one) == -1 && errno == EINTR)
        ;
}

const struct bine__reactor bine__reactor_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .watch = epoll_watch,
    .unwatch = epoll_unwatch,
    .recheck = epoll_recheck,
    .wait = epoll_wait_and_report,
    .interrupt = epoll_interrupt,
    .forked = epoll_close, /* closes the child's descriptors only; the parent's registrations stay */
};
