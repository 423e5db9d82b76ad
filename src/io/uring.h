/* SPDX-License-Identifier: MIT
 *
 * What the files of the io_uring reactor share: reactor_uring.c, the ring and what it watches; uring_op.c, whole
 * operations; uring_ring.c, the ring's memory. */
#ifndef BINE_IO_URING_H
#define BINE_IO_URING_H

#include <liburing.h>

#include "io/reactor_epoll.h"

struct bine__uring {
    struct bine__epoll epoll; /* the first member: the functions of bine__reactor_epoll take us for one */
    struct io_uring ring;     /* not there any more once it is closed, but in memory of our own */
    void *memory;             /* NULL: the kernel's, and mapped */
    size_t size;              /* bytes of it */
    int gone;                 /* a pipe that hangs up when the kernel is done with the ring */
    struct bine__list operations; /* submitted, and not completed */
    unsigned refusals;        /* turns, one after the other, in which the kernel had no room */
    bool look;                /* the inner epoll has something to report */
    bool unwatched;           /* the ring does not watch it at the moment */
    bool lost;                /* the kernel refuses the ring for good: epoll does it all */
    bool closed;              /* and cannot be asked any more */
};

/* How an entry is marked.  An operation's mark is its address, which is even; a poll's has the lowest bit
 * set. */
enum { BINE__URING_EPOLL = 2, BINE__URING_IGNORED = 4 };

/* An entry to fill in, which the next turn hands in; NULL: none can be had at the moment. */
struct io_uring_sqe *bine__uring_entry(struct bine__uring *);

int bine__uring_submit(struct bine__io *, struct bine__op *);
void bine__uring_cancel(struct bine__io *, struct bine__op *);
/* The kernel, or whoever knows that it will not, is done with it. */
void bine__uring_complete(struct bine__io *, struct bine__op *, int result);

/* The kernel is done with all that it had, and nobody can know how these ended. */
void bine__uring_abandon(struct bine__io *);

/* With what params say.  0, or an errno value. */
int bine__uring_ring_open(struct bine__uring *, unsigned entries, struct io_uring_params *);
/* Has the kernel stop what can be stopped.  In memory of our own, completions of the rest go on coming. */
void bine__uring_ring_close(struct bine__uring *);
/* Closes it if need be, and gives the memory back. */
void bine__uring_ring_free(struct bine__uring *);

#endif
