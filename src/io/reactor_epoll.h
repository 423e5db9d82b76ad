/* SPDX-License-Identifier: MIT
 *
 * The epoll reactor, for one that is built on top of it: its state begins with a struct bine__epoll, so that
 * the functions of bine__reactor_epoll work on it as they are. */
#ifndef BINE_IO_REACTOR_EPOLL_H
#define BINE_IO_REACTOR_EPOLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "io/io.h"

/* Events taken at once: 3 KiB, on the heap.  What does not fit comes with the next call. */
enum { BINE__EPOLL_EVENTS = 256 };

struct bine__epoll {
    int fd, interrupt;
    bool coarse;          /* the kernel has no epoll_pwait2() */
    _Atomic bool pending; /* an interrupt that wait() has not seen yet */
    struct epoll_event events[BINE__EPOLL_EVENTS];
};

/* -1 with errno, and nothing left behind. */
int bine__epoll_prepare(struct bine__epoll *);
/* Closes what prepare() has opened. */
void bine__epoll_dispose(struct bine__epoll *);
/* Waits and reports; adds to .reported how many descriptors.  Events taken (BINE__EPOLL_EVENTS: perhaps
 * there are more), or -1 with errno. */
int bine__epoll_look(struct bine__io *, struct bine__epoll *, bine_ns timeout, unsigned *reported);

#endif
