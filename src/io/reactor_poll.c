/* SPDX-License-Identifier: MIT
 *
 * The poll(2) reactor: for systems without a better one, and a yardstick for those that have it.
 *
 * Level-triggered over an array of all watched descriptors.  Before each call the array is compared with
 * the lines: events are what is waited for now, and a descriptor that nobody waits for leaves it, or poll
 * would return at once for ever.  Entry 0 is the pipe of interrupt().  slot->index is the place of a
 * descriptor in the array, 0 while it has none. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct poller {
    struct pollfd *fds;
    uint32_t count, room;
    int pipe[2]; /* to interrupt a wait */
    _Atomic bool pending;
};

enum { FIRST_ROOM = 64 };
static const bine_ns step = 5 * BINE_MS; /* of a wait that cannot see all */

static void poll_forked(struct bine__io *io)
{
    struct poller *poller = io->backend;

    close(poller->pipe[0]);
    close(poller->pipe[1]);
}

static void poll_close(struct bine__io *io)
{
    struct poller *poller = io->backend;

    poll_forked(io);
    free(poller->fds);
    free(poller);
    io->backend = NULL;
}

static int prepare_pipe(int fd[2])
{
    if (pipe(fd) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (fcntl(fd[i], F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd[i], F_SETFL, O_NONBLOCK) == -1)
            goto fail;
    return 0;

fail:;
    int error = errno;
    close(fd[0]);
    close(fd[1]);
    errno = error;
    return -1;
}

static int poll_open(struct bine__io *io)
{
    struct poller *poller = malloc(sizeof *poller);
    struct pollfd *fds = malloc(FIRST_ROOM * sizeof *fds);

    if (!poller || !fds || prepare_pipe(poller->pipe) != 0) {
        int error = errno;
        free(fds);
        free(poller);
        errno = error;
        return -1;
    }
    fds[0] = (struct pollfd){.fd = poller->pipe[0], .events = POLLIN};
    poller->fds = fds;
    poller->count = 1;
    poller->room = FIRST_ROOM;
    atomic_init(&poller->pending, false);
    io->backend = poller;
    return 0;
}

static int poll_watch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct poller *poller = io->backend;

    if (slot->index)
        return 0;
    if (poller->count == poller->room) {
        struct pollfd *fds = realloc(poller->fds, 2 * poller->room * sizeof *fds);
        if (!fds)
            return -1;
        poller->fds = fds;
        poller->room *= 2;
    }
    slot->index = poller->count;
    poller->fds[poller->count++] = (struct pollfd){.fd = fd};
    return 0;
}

/* The last entry takes its place. */
static void poll_unwatch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct poller *poller = io->backend;
    uint32_t index = slot->index;

    if (!index)
        return;
    bine__assert(poller->fds[index].fd == fd);
    slot->index = 0;
    poller->fds[index] = poller->fds[--poller->count];
    if (index < poller->count)
        bine__fd_find(io, poller->fds[index].fd)->index = index;
}

/* Nothing is remembered between two calls, so nothing needs renewal: a closed number shows as POLLNVAL. */
static int poll_recheck(struct bine__io *io, int fd, struct bine__fd *slot)
{
    (void)io, (void)fd, (void)slot;
    return 0;
}

static void refresh(struct bine__io *io, struct poller *poller)
{
    for (uint32_t i = poller->count; i-- > 1;) {
        struct pollfd *entry = &poller->fds[i];
        struct bine__fd *slot = bine__fd_find(io, entry->fd);
        if (bine__fd_waited_for(slot))
            entry->events = bine__fd_interest(slot);
        else
            poll_unwatch(io, entry->fd, slot);
    }
}

#ifdef BINE_CHECKED
/* The array is made anew for each call: what of it is left from before means nothing. */
void bine__poll_apart(const struct bine__io *io, void (*leave_out)(const void *, size_t))
{
    const struct poller *poller = io->backend;

    leave_out(poller, sizeof *poller);
    leave_out(poller->fds, poller->room * sizeof *poller->fds);
}
#endif

/* All are said to be ready: whoever waits tries, and parks again. */
static int wait_blindly(struct poller *poller, const struct timespec *time)
{
    (void)nanosleep(time, NULL);
    for (uint32_t i = 0; i < poller->count; i++)
        poller->fds[i].revents = poller->fds[i].events;
    return (int)poller->count;
}

/* poll(2) takes no more entries than RLIMIT_NOFILE allows descriptors at the moment, which may be less than are
 * open.  Then the array is asked piece by piece, and waited for by its first piece, a step at a time; where it takes
 * none at all, nothing is asked. */
static int wait_in_pieces(struct poller *poller, bine_ns timeout)
{
    const struct timespec time = {.tv_nsec = (long)(timeout < step ? timeout : step)};
    struct rlimit limit;
    uint32_t piece = 0;
    int ready = 0;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        piece = limit.rlim_cur < poller->count ? (uint32_t)limit.rlim_cur : poller->count;
    if (piece == 0)
        return wait_blindly(poller, &time);
    for (uint32_t i = 0; i < poller->count; i++)
        poller->fds[i].revents = 0;
    for (uint32_t i = 0; i < poller->count; i += piece) {
        const uint32_t left = poller->count - i;
        const int n = poll(&poller->fds[i], left < piece ? left : piece, 0);
        ready += n > 0 ? n : 0;
    }
    return ready ? ready : ppoll(poller->fds, piece, &time, NULL);
}

static int wait_for_events(struct poller *poller, bine_ns timeout)
{
    struct timespec time;
    int n;

    if (timeout < 0)
        timeout = 0;
    time.tv_sec = (time_t)(timeout / BINE_SECOND);
    time.tv_nsec = (long)(timeout % BINE_SECOND);
    n = ppoll(poller->fds, poller->count, timeout == BINE_FOREVER ? NULL : &time, NULL);
    return n == -1 && errno == EINVAL ? wait_in_pieces(poller, timeout) : n;
}

static void take_interrupt(struct poller *poller)
{
    char bytes[16];

    if (!(poller->fds[0].revents & POLLIN))
        return;
    while (read(poller->pipe[0], bytes, sizeof bytes) == -1 && errno == EINTR)
        ;
    /* Partner: poll_interrupt().  What was published before an interrupt that finds the flag still set is
     * seen after this exchange. */
    atomic_exchange(&poller->pending, false);
}

static unsigned poll_wait_and_report(struct bine__io *io, bine_ns timeout)
{
    struct poller *poller = io->backend;
    unsigned reported = 0;

    refresh(io, poller);
    if (wait_for_events(poller, timeout) <= 0)
        return 0;
    take_interrupt(poller);
    /* Backwards: a closed number leaves the array, and an entry already seen takes its place. */
    for (uint32_t i = poller->count; i-- > 1;) {
        struct pollfd entry = poller->fds[i];
        struct bine__fd *slot = entry.revents ? bine__fd_find(io, entry.fd) : NULL;
        if (!slot)
            continue;
        if (entry.revents & POLLNVAL)
            bine__fd_retire(io, entry.fd, slot);
        else
            bine__fd_ready(io, entry.fd, slot->generation, (unsigned short)entry.revents);
        reported++;
    }
    return reported;
}

static void poll_interrupt(struct bine__io *io)
{
    struct poller *poller = io->backend;

    if (atomic_exchange(&poller->pending, true))
        return;
    while (write(poller->pipe[1], "", 1) == -1 && errno == EINTR)
        ;
}

const struct bine__reactor bine__reactor_poll = {
    .name = "poll",
    .open = poll_open,
    .close = poll_close,
    .watch = poll_watch,
    .unwatch = poll_unwatch,
    .recheck = poll_recheck,
    .wait = poll_wait_and_report,
    .interrupt = poll_interrupt,
    .forked = poll_forked,
};
