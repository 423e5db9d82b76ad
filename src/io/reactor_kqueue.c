/* SPDX-License-Identifier: MIT
 *
 * The kqueue reactor (the BSDs, macOS), edge-triggered: EV_CLEAR.
 *
 * A filter is added when somebody first waits in its direction, and then left alone; slot->index says which
 * ones are there (enum has).  That is right because a waiter has tried before it parks: what came before
 * its try the try has seen, what comes later is a new edge.
 *
 * kqueue knows a descriptor by its number, and forgets it when the number is closed, also by foreign code.
 * EV_ADD on a filter that is there looks at once whether it holds, and is no second one: so descriptors
 * that the library did not make are added anew at each park, and the others by the sweep.  EV_ENABLE
 * answers ENOENT where there is no filter: then the number is another file's by now.
 *
 * Urgent data has no filter that all systems share, and it makes a read short without emptying the socket.
 * So every descriptor counts as unusual here (BINE__FD_UNUSUAL): no try is ever left out after a short
 * read.
 *
 * An interrupt is a byte in a pipe: EVFILT_USER is not everywhere.  A child does not inherit the kqueue. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

/* Events taken at once: 8 to 16 KiB, on the heap.  What does not fit comes with the next call. */
enum { EVENTS = 256 };
enum has { HAS_IN = 1 << 0, HAS_OUT = 1 << 1 };

struct kqueue {
    int fd, interrupt[2];
    _Atomic bool pending; /* an interrupt that wait() has not seen yet */
    struct kevent events[EVENTS];
};

/* 0, or -1 with errno. */
static int change(const struct kqueue *kqueue, int fd, int filter, int action, uint32_t generation)
{
    struct kevent event;

    EV_SET(&event, (uintptr_t)fd, (short)filter, (unsigned short)action, 0, 0, (void *)(uintptr_t)generation);
    return kevent(kqueue->fd, &event, 1, NULL, 0, NULL);
}

/* ---- Open and close ---------------------------------------------------------------------------------- */

static void close_both(const int fd[2])
{
    for (int i = 0; i < 2; i++)
        if (fd[i] != -1)
            close(fd[i]);
}

static int open_pipe(int fd[2])
{
    if (pipe(fd) != 0) {
        fd[0] = fd[1] = -1;
        return -1;
    }
    for (int i = 0; i < 2; i++)
        if (fcntl(fd[i], F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd[i], F_SETFL, O_NONBLOCK) == -1)
            return -1;
    return 0;
}

static int kqueue_open(struct bine__io *io)
{
    struct kqueue *kq = malloc(sizeof *kq);

    if (!kq)
        return -1;
    atomic_init(&kq->pending, false);
    kq->interrupt[0] = kq->interrupt[1] = -1;
    kq->fd = kqueue();
    if (kq->fd == -1 || fcntl(kq->fd, F_SETFD, FD_CLOEXEC) == -1)
        goto fail;
    if (open_pipe(kq->interrupt) != 0 || change(kq, kq->interrupt[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0) != 0)
        goto fail;
    io->backend = kq;
    return 0;

fail:;
    int error = errno;
    close_both(kq->interrupt);
    if (kq->fd != -1)
        close(kq->fd);
    free(kq);
    errno = error;
    return -1;
}

static void kqueue_close(struct bine__io *io)
{
    struct kqueue *kq = io->backend;

    close_both(kq->interrupt);
    close(kq->fd);
    free(kq);
    io->backend = NULL;
}

/* The child has the pipe, and no kqueue: its number may be anything by now, or nothing. */
static void kqueue_forked(struct bine__io *io)
{
    struct kqueue *kq = io->backend;

    close_both(kq->interrupt);
#ifdef BINE_KQUEUE_INHERITED
    close(kq->fd); /* an imitation on top of another system's calls */
#endif
    free(kq);
    io->backend = NULL;
}

/* ---- Watching ---------------------------------------------------------------------------------------- */

/* What no filter takes is told as the contract has it; a peer that is gone already is an event. */
static int add(struct bine__io *io, int fd, struct bine__fd *slot, enum has which)
{
    const int filter = which == HAS_IN ? EVFILT_READ : EVFILT_WRITE;

    if (change(io->backend, fd, filter, EV_ADD | EV_CLEAR, slot->generation) == 0) {
        slot->index |= which;
        return 0;
    }
    if (errno == EPIPE) {
        bine__fd_ready(io, fd, slot->generation, POLLHUP | POLLOUT);
        return 0;
    }
    if (errno == EINVAL || errno == ENODEV || errno == EOPNOTSUPP)
        errno = EPERM;
    return -1;
}

static enum has wanted(int interest)
{
    return (interest & ~POLLOUT ? HAS_IN : 0) | (interest & POLLOUT ? HAS_OUT : 0);
}

/* Somebody waits for the end alone: either filter tells it, and not every descriptor takes both. */
static int watch_for_end(struct bine__io *io, int fd, struct bine__fd *slot)
{
    return add(io, fd, slot, HAS_IN) == 0 || add(io, fd, slot, HAS_OUT) == 0 ? 0 : -1;
}

static int kqueue_watch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    const int interest = bine__fd_interest(slot);
    enum has missing = wanted(interest);

    slot->flags |= BINE__FD_UNUSUAL;
    if (!interest)
        return watch_for_end(io, fd, slot);
    if (slot->flags & BINE__FD_CREATED)
        missing &= ~slot->index;
    if ((missing & HAS_IN) && add(io, fd, slot, HAS_IN) != 0)
        return -1;
    return missing & HAS_OUT ? add(io, fd, slot, HAS_OUT) : 0;
}

/* Closing the number removes the filters; if it stays open, what they report carries an old generation. */
static void kqueue_unwatch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    (void)io, (void)fd;
    slot->index = 0;
}

static int kqueue_recheck(struct bine__io *io, int fd, struct bine__fd *slot)
{
    const int filter = slot->index & HAS_IN ? EVFILT_READ : EVFILT_WRITE;

    if (slot->index && change(io->backend, fd, filter, EV_ENABLE, slot->generation) == 0)
        return bine__list_empty(&slot->line[BINE__OUT]) ? 0 : add(io, fd, slot, HAS_OUT);
    if (slot->index && errno != ENOENT)
        return -1;
    bine__fd_forget(slot);
    slot->index = 0;
    return kqueue_watch(io, fd, slot);
}

/* ---- Waiting ----------------------------------------------------------------------------------------- */

static int wait_for_events(struct kqueue *kq, bine_ns timeout)
{
    struct timespec time;

    if (timeout < 0)
        timeout = 0;
    time.tv_sec = (time_t)(timeout / BINE_SECOND);
    time.tv_nsec = (long)(timeout % BINE_SECOND);
    return kevent(kq->fd, NULL, 0, kq->events, EVENTS, timeout == BINE_FOREVER ? NULL : &time);
}

static void take_interrupt(struct kqueue *kq)
{
    char bytes[16];

    while (read(kq->interrupt[0], bytes, sizeof bytes) == -1 && errno == EINTR)
        ;
    /* Partner: kqueue_interrupt().  What was published before an interrupt that finds the flag still set is
     * seen after this exchange. */
    atomic_exchange(&kq->pending, false);
}

/* The end of what goes out is a hang-up; that of what comes in is one only if nothing can be sent either,
 * which poll(2) knows. */
static unsigned told_by(const struct kevent *event)
{
    struct pollfd now = {.fd = (int)event->ident, .events = POLLIN};
    const bool in = event->filter == EVFILT_READ;
    unsigned events = in ? POLLIN : POLLOUT;

    if (event->flags & EV_EOF) {
        events |= in ? (unsigned)BINE__RDHUP : POLLHUP;
        if (event->fflags)
            events |= POLLERR;
        if (in && poll(&now, 1, 0) == 1)
            events |= (unsigned)now.revents & (POLLHUP | POLLERR);
    }
    return events;
}

static unsigned kqueue_wait(struct bine__io *io, bine_ns timeout)
{
    struct kqueue *kq = io->backend;
    const int n = wait_for_events(kq, timeout);
    unsigned reported = 0;

    for (int i = 0; i < n; i++) {
        const struct kevent *event = &kq->events[i];
        if ((int)event->ident == kq->interrupt[0]) {
            take_interrupt(kq);
            continue;
        }
        bine__fd_ready(io, (int)event->ident, (uint32_t)(uintptr_t)event->udata, told_by(event));
        reported++;
    }
    return reported;
}

static void kqueue_interrupt(struct bine__io *io)
{
    struct kqueue *kq = io->backend;

    if (atomic_exchange(&kq->pending, true))
        return;
    while (write(kq->interrupt[1], "", 1) == -1 && errno == EINTR)
        ;
}

const struct bine__reactor bine__reactor_kqueue = {
    .name = "kqueue",
    .open = kqueue_open,
    .close = kqueue_close,
    .watch = kqueue_watch,
    .unwatch = kqueue_unwatch,
    .recheck = kqueue_recheck,
    .wait = kqueue_wait,
    .interrupt = kqueue_interrupt,
    .forked = kqueue_forked,
};
