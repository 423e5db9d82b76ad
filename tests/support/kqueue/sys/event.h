/* SPDX-License-Identifier: MIT
 *
 * What src/io/reactor_kqueue.c uses of kqueue(2), declared as the BSDs' manuals have it, so that the file compiles
 * in full on a system without: `make lint` does.  tests/support/kqueue/kqueue.c imitates it, far enough for the
 * tests of the reactor contract. */
#ifndef TESTS_KQUEUE_SYS_EVENT_H
#define TESTS_KQUEUE_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define BINE_KQUEUE_INHERITED 1 /* by a child: not so on the BSDs */

enum { EVFILT_READ = -1, EVFILT_WRITE = -2 };
enum { EV_ADD = 0x1, EV_DELETE = 0x2, EV_ENABLE = 0x4, EV_CLEAR = 0x20, EV_EOF = 0x8000 };

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned fflags;
    int64_t data;
    void *udata;
};

#define EV_SET(event, i, f, a, ff, d, u) (*(event) = (struct kevent){(i), (f), (a), (ff), (d), (u)})

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int changed, struct kevent *events, int room,
           const struct timespec *timeout);

#endif
