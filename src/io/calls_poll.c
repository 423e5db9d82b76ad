/* SPDX-License-Identifier: MIT
 *
 * poll, select, and poll_fd: level-triggered, whatever the reactor is.
 *
 * poll(2) with a time-out of zero is what decides; the reactor's events only say when to ask it again.  So
 * these calls are right where another library reads behind our back, for any number of descriptors, and for
 * bits that the table does not know.  A looker uses nothing up: each event wakes all that asked for it.
 *
 * A descriptor that bine_close() closes meanwhile is POLLNVAL, also if its number is in use again. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include <bine/io.h>

/* The call as a whole.  Its storage is the stack's, but for the lookers of many descriptors. */
struct watching {
    struct bine__look look;
    struct bine_loop *loop;
    struct pollfd *fds;
    nfds_t count;
    struct bine__looker *lookers; /* as many; NULL: not in line yet */
    bool enlisted;
};

/* ---- Lookers ----------------------------------------------------------------------- */

/* What to ask a reactor for, which knows only the plain bits. */
static short plain_events(short events)
{
    if (events & (POLLRDNORM | POLLRDBAND))
        events |= POLLIN | POLLPRI;
    if (events & (POLLWRNORM | POLLWRBAND))
        events |= POLLOUT;
    return (short)(events & (POLLIN | POLLOUT | POLLPRI | BINE__RDHUP));
}

static void on_timeout(struct bine__timer *timer)
{
    struct bine__look *look = (struct bine__look *)(void *)timer; /* its first member */

    look->expired = true;
    bine__look_wake(look);
}

/* One that cannot be polled (a regular file) sends no events: it only waits for the others, or the
 * time-out. */
static int enlist_one(struct watching *watching, const struct pollfd *pollfd, struct bine__looker *looker)
{
    struct bine__io *io = watching->loop->io;
    struct bine__fd *slot;

    bine__list_init(&looker->node);
    looker->look = &watching->look;
    looker->slot = NULL;
    if (pollfd->fd < 0)
        return 0;
    slot = bine__fd_get(io, pollfd->fd);
    if (!slot)
        return errno;
    looker->slot = slot;
    looker->generation = slot->generation;
    looker->events = plain_events(pollfd->events);
    slot->parked = (uint16_t)io->sweep;
    bine__list_append(&slot->lookers, &looker->node);
    if (io->reactor->watch(io, pollfd->fd, slot) == 0 || errno == EPERM)
        return 0;
    return errno;
}

/* An errno value.  Whatever happens, withdraw() cleans up. */
static int enlist(struct watching *watching)
{
    struct bine__looker *lookers = watching->lookers;
    int error = 0;

    for (nfds_t i = 0; i < watching->count; i++) /* so that withdraw() may look at all of them */
        bine__list_init(&lookers[i].node);
    watching->enlisted = true;
    watching->loop->io->waiters++;
    for (nfds_t i = 0; i < watching->count && !error; i++)
        error = enlist_one(watching, &watching->fds[i], &lookers[i]);
    return error;
}

static void withdraw(struct watching *watching)
{
    bine__timer_disarm(&watching->loop->wheel, &watching->look.timer);
    if (!watching->enlisted)
        return;
    watching->loop->io->waiters--;
    for (nfds_t i = 0; i < watching->count; i++)
        bine__list_remove(&watching->lookers[i].node);
}

/* ---- Looking and waiting ----------------------------------------------------------- */

/* What poll(2) says now, and which ones bine_close() has closed since the wait began. */
static int look(struct watching *watching)
{
    int ready;

    do
        ready = poll(watching->fds, watching->count, 0);
    while (ready == -1 && errno == EINTR);
    if (ready == -1 || !watching->enlisted)
        return ready;
    for (nfds_t i = 0; i < watching->count; i++) {
        const struct bine__looker *looker = &watching->lookers[i];
        struct pollfd *pollfd = &watching->fds[i];
        if (!looker->slot || looker->slot->generation == looker->generation)
            continue;
        ready += pollfd->revents == 0;
        pollfd->revents = POLLNVAL;
    }
    return ready;
}

static int wait_once(struct watching *watching)
{
    struct bine_loop *loop = watching->loop;
    bool outside = watching->count > 0;
    intptr_t object = watching->count == 1 ? watching->fds[0].fd : -1;
    int error = watching->enlisted ? 0 : enlist(watching);

    if (error)
        return error;
    watching->look.woken = false;
    loop->outstanding += outside;
    error = bine__park(loop, watching->look.task, BINE__WAIT_POLL, object);
    loop->outstanding -= outside;
    return error;
}

/* lookers: as many as fds.  The result of poll(2). */
static int watch(struct bine_task *self, struct pollfd *fds, nfds_t count, struct bine__looker *lookers,
                 bine_ns timeout)
{
    struct watching watching = {.look = {.task = self, .timer = {.fire = on_timeout}},
                                .loop = self->loop, .fds = fds, .count = count, .lookers = lookers};
    int ready, error = 0;

    if (timeout != BINE_FOREVER)
        bine__timer_arm(&self->loop->wheel, &watching.look.timer, bine__deadline_in(timeout));
    do {
        error = wait_once(&watching);
        ready = error ? -1 : look(&watching);
    } while (ready == 0 && !watching.look.expired);
    if (ready == -1 && !error)
        error = errno;
    withdraw(&watching);
    if (error)
        errno = error;
    return ready;
}

/* ---- The calls --------------------------------------------------------------------- */

/* Looks first; the lookers are only made if there is something to wait for. */
static int poll_in_task(struct bine_task *self, struct pollfd *fds, nfds_t count, bine_ns timeout)
{
    struct watching watching = {.fds = fds, .count = count};
    struct bine__looker one, *lookers = &one;
    int ready = look(&watching);

    if (bine__explored(self->loop) && ready != 0 && timeout != 0) {
        int error = bine__explore_io(self, -1, 0);
        if (error)
            return bine__error(error);
        ready = look(&watching);
    }
    if (ready != 0 || timeout == 0) {
        bine__charge(self->loop, (int)(count / 64));
        return ready;
    }
    if (count > 1) {
        lookers = calloc(count, sizeof *lookers);
        if (!lookers)
            return -1;
    }
    ready = watch(self, fds, count, lookers, timeout);
    if (lookers != &one) {
        int error = errno;
        free(lookers);
        errno = error;
    }
    return ready;
}

int bine_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct bine_task *self = bine__begin();

    return self ? poll_in_task(self, fds, count, timeout_ms < 0 ? BINE_FOREVER : timeout_ms * BINE_MS) : -1;
}

int bine_poll_fd(int fd, int events)
{
    struct bine_task *self = bine__begin_on(fd);
    struct pollfd pollfd = {.fd = fd, .events = (short)events};

    if (!self)
        return -1;
    if (fd < 0) /* poll(2) would ignore it, for ever */
        return bine__error(EBADF);
    if (poll_in_task(self, &pollfd, 1, BINE_FOREVER) == -1)
        return -1;
    if (pollfd.revents & POLLNVAL)
        return bine__error(EBADF);
    return pollfd.revents;
}

/* ---- select, by way of poll -------------------------------------------------------- */

/* What makes a descriptor ready for each of the three sets, as Linux's select(2) has it. */
enum {
    ASK_IN = POLLIN | POLLRDNORM | POLLRDBAND,
    ASK_OUT = POLLOUT | POLLWRNORM | POLLWRBAND,
    READY_IN = ASK_IN | POLLHUP | POLLERR,
    READY_OUT = ASK_OUT | POLLERR
};

static short asked_of(int fd, const fd_set *in, const fd_set *out, const fd_set *except)
{
    int events = 0;

    if (in && FD_ISSET(fd, in))
        events |= ASK_IN;
    if (out && FD_ISSET(fd, out))
        events |= ASK_OUT;
    if (except && FD_ISSET(fd, except))
        events |= POLLPRI;
    return (short)events;
}

static nfds_t from_sets(int nfds, const fd_set *in, const fd_set *out, const fd_set *except,
                        struct pollfd *fds)
{
    nfds_t count = 0;

    for (int fd = 0; fd < nfds; fd++) {
        short events = asked_of(fd, in, out, except);
        if (events)
            fds[count++] = (struct pollfd){.fd = fd, .events = events};
    }
    return count;
}

static int keep(fd_set *set, const struct pollfd *pollfd, int asked, int ready)
{
    if (!set || !FD_ISSET(pollfd->fd, set))
        return 0;
    if ((pollfd->events & asked) && (pollfd->revents & ready))
        return 1;
    FD_CLR(pollfd->fd, set);
    return 0;
}

/* A set keeps what is ready; how many those are in all. */
static int to_sets(fd_set *in, fd_set *out, fd_set *except, const struct pollfd *fds, nfds_t count)
{
    int ready = 0;

    for (nfds_t i = 0; i < count; i++)
        if (fds[i].revents & POLLNVAL)
            return bine__error(EBADF);
    for (nfds_t i = 0; i < count; i++) {
        ready += keep(in, &fds[i], ASK_IN, READY_IN);
        ready += keep(out, &fds[i], ASK_OUT, READY_OUT);
        ready += keep(except, &fds[i], POLLPRI, POLLPRI);
    }
    return ready;
}

/* False: out of range. */
static bool read_timeout(const struct timeval *time, bine_ns *timeout)
{
    *timeout = BINE_FOREVER;
    if (!time)
        return true;
    if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
        return false;
    if (time->tv_sec < BINE_FOREVER / BINE_SECOND - 1)
        *timeout = time->tv_sec * BINE_SECOND + time->tv_usec * BINE_US;
    return true;
}

int bine_select(int nfds, fd_set *in, fd_set *out, fd_set *except, struct timeval *time)
{
    struct bine_task *self = bine__begin();
    struct pollfd *fds;
    bine_ns timeout;
    nfds_t count;
    int ready, error;

    if (!self)
        return -1;
    if (nfds < 0 || nfds > FD_SETSIZE || !read_timeout(time, &timeout))
        return bine__error(EINVAL);
    fds = calloc(nfds ? (size_t)nfds : 1, sizeof *fds);
    if (!fds)
        return -1;
    count = from_sets(nfds, in, out, except, fds);
    ready = poll_in_task(self, fds, count, timeout);
    if (ready >= 0)
        ready = to_sets(in, out, except, fds, count);
    error = errno;
    free(fds);
    errno = error;
    return ready;
}
