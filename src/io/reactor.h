/* SPDX-License-Identifier: MIT
 *
 * The reactor contract: what a backend (epoll, poll, ...) must do for the descriptor table.  Enough to
 * write another from.
 *
 * The table (fd.c) keeps a slot per descriptor with the tasks that wait for it.  A backend only turns
 * "tell me about this descriptor" into calls of bine__fd_ready().  All of it runs on one thread, and
 * nothing here switches, but interrupt(), which any thread may call.
 *
 *  1. watch(io, fd, slot) is called before each park on fd, with the waiter already in its line (so
 *     bine__fd_interest() says what is waited for).  After it returns 0 every change to
 *     "readable" or "writable" in a direction of interest, also one that came between the failed try
 *     and the call, leads to bine__fd_ready() in some later wait().  It may be reported too often, never
 *     too seldom: a waiter tries again and parks again.  -1/EPERM: this cannot be polled.
 *  2. unwatch(io, fd, slot) is called when no waiter is left and the descriptor is about to be closed, or
 *     its slot to be forgotten.
 *  3. wait(io, timeout) sleeps at most that long (ns; rounded up, never down to a busy loop), reports what
 *     it learnt, and returns the number of descriptors reported.  EINTR counts as nothing learnt.
 *  4. recheck(io, fd, slot): the sweep asks whether the kernel still knows this number by this slot.  If it
 *     means another file by now the backend watches that one; if tasks wait to write, it reports what is so
 *     now.  -1/EBADF: the number is closed.
 *  5. events carry the slot's generation; bine__fd_ready() drops those of a generation that is gone.
 *  6. A backend that keeps descriptors' files open for as long as it watches them sets BINE__FD_HELD in their
 *     slots and counts them in io->held: the sweep then looks at them even if nobody waits.
 *
 * The other half is optional.  A backend that can carry out whole operations has submit() and cancel();
 * operate.c is their only caller.
 *
 *  7. submit(io, op): takes the operation on; 0, or -1 with errno if it cannot at the moment.  From then on
 *     the op, and all that it points to, is the kernel's until some later wait() sets op->result and op->done
 *     and wakes op->task.  That happens exactly once, whatever becomes of the task.  A result of
 *     -EAGAIN: somebody else has to do it.
 *  8. cancel(io, op) asks for an earlier end.  It is a request; the operation may as well succeed. */
#ifndef BINE_IO_REACTOR_H
#define BINE_IO_REACTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include <bine/base.h>

#include "runtime/list.h"

struct bine__io;
struct bine__fd;
struct bine_task;
struct iovec;

/* What a backend may be able to do as a whole. */
enum bine__verb {
    BINE__OP_READ,   /* .fd, .iov, .count, .offset (-1: the file's own position) */
    BINE__OP_WRITE,  /* the same */
    BINE__OP_FSYNC,  /* .fd */
    BINE__OP_OPEN,   /* .path, .flags, .mode */
    BINE__OP_STAT,   /* .fd (a directory), .path, .flags, .length (the mask), .status */
    BINE__OP_SPLICE  /* .from, .offset (-1: none) to .fd, .to_offset, .length, .flags */
};

struct bine__op {
    enum bine__verb verb;
    bool aside; /* would hold the loop for long even if it need not wait */
    int fd, from;
    const struct iovec *iov;
    const char *path;
    struct statx *status;
    unsigned count, length, flags;
    mode_t mode;
    off_t offset, to_offset;
    /* Set by whoever carries it out: */
    struct bine__list link;
    struct bine_task *task;
    int result; /* as the system call's, but for an error: -errno */
    bool done;
};

struct bine__reactor {
    const char *name;
    int (*open)(struct bine__io *);  /* fills io->backend; -1 with errno and nothing left behind */
    void (*close)(struct bine__io *);
    int (*watch)(struct bine__io *, int fd, struct bine__fd *);
    void (*unwatch)(struct bine__io *, int fd, struct bine__fd *);
    int (*recheck)(struct bine__io *, int fd, struct bine__fd *);
    unsigned (*wait)(struct bine__io *, bine_ns timeout);
    void (*interrupt)(struct bine__io *);
    void (*forked)(struct bine__io *); /* in the child: close what is shared, touch nothing of the parent's */
    int (*submit)(struct bine__io *, struct bine__op *);  /* NULL: carries nothing out */
    void (*cancel)(struct bine__io *, struct bine__op *); /* NULL as well */
};

extern const struct bine__reactor bine__reactor_uring; /* Linux, where liburing is */
extern const struct bine__reactor bine__reactor_epoll; /* Linux */
extern const struct bine__reactor bine__reactor_kqueue; /* the BSDs, macOS */
extern const struct bine__reactor bine__reactor_poll;  /* anywhere */

#endif
