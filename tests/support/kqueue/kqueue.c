/* SPDX-License-Identifier: MIT
 *
 * An imitation of kqueue(2) over epoll, for tests of src/io/reactor_kqueue.c where there is no BSD: `make
 * KQUEUE=imitation`.  It has what that file uses and its documented behaviour: filters by number that go
 * when the number is closed, EV_ADD that looks at once, EV_CLEAR, EV_EOF, ENOENT for a filter that is not
 * there.
 *
 * A kqueue is an epoll instance; which filters a number has, with what udata, stands in a table for all of
 * them, and the kernel says whether they still stand (EPOLL_CTL_MOD answers ENOENT).  One thread at a time
 * changes it. */
#define _GNU_SOURCE
#include <sys/event.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

enum { NUMBERS = 65536, TAKEN = 128 };

static struct {
    void *udata[2];
    unsigned has; /* EPOLLIN, EPOLLOUT */
} known[NUMBERS];

int kqueue(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

static int control(int kq, int fd, int operation)
{
    struct epoll_event event = {.events = known[fd].has | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    return epoll_ctl(kq, operation, fd, &event);
}

static int apply(int kq, const struct kevent *change)
{
    const int fd = (int)change->ident, out = change->filter == EVFILT_WRITE;
    const unsigned bit = out ? EPOLLOUT : EPOLLIN;
    bool there = fd >= 0 && fd < NUMBERS && known[fd].has && control(kq, fd, EPOLL_CTL_MOD) == 0;

    if (fd < 0 || fd >= NUMBERS) {
        errno = EBADF;
        return -1;
    }
    if (!there && known[fd].has && errno != ENOENT)
        return -1;
    if (!there)
        known[fd].has = 0;
    if (!(change->flags & EV_ADD)) {
        errno = ENOENT;
        return known[fd].has & bit ? 0 : -1;
    }
    known[fd].udata[out] = change->udata;
    known[fd].has |= bit;
    if (control(kq, fd, there ? EPOLL_CTL_MOD : EPOLL_CTL_ADD) == 0)
        return 0;
    if (!there)
        known[fd].has = 0;
    return -1;
}

/* As socket and pipe filters tell it; room for two. */
static int tell(struct kevent *to, int fd, unsigned events)
{
    const bool over = events & (EPOLLHUP | EPOLLERR);
    int n = 0;

    if ((known[fd].has & EPOLLIN) && (over || events & (EPOLLIN | EPOLLRDHUP)))
        to[n++] = (struct kevent){(uintptr_t)fd, EVFILT_READ, over || events & EPOLLRDHUP ? EV_EOF : 0, 0, 0,
                                  known[fd].udata[0]};
    if ((known[fd].has & EPOLLOUT) && (over || events & EPOLLOUT))
        to[n++] = (struct kevent){(uintptr_t)fd, EVFILT_WRITE, over ? EV_EOF : 0, (events & EPOLLERR) != 0, 0,
                                  known[fd].udata[1]};
    return n;
}

int kevent(int kq, const struct kevent *changes, int changed, struct kevent *events, int room,
           const struct timespec *timeout)
{
    struct epoll_event taken[TAKEN];
    int told = 0;

    for (int i = 0; i < changed; i++)
        if (apply(kq, &changes[i]) != 0)
            return -1;
    if (room == 0)
        return 0;
    const int n = epoll_pwait2(kq, taken, room / 2 < TAKEN ? room / 2 : TAKEN, timeout, NULL);
    for (int i = 0; i < n; i++)
        told += tell(events + told, taken[i].data.fd, taken[i].events);
    return n < 0 ? n : told;
}
