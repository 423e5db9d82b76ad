/* SPDX-License-Identifier: MIT
 *
 * Inside src/io: the descriptor table, the lines of tasks that wait in it, and what one transfer is.
 *
 * A slot says what the library knows of one descriptor number.  Its generation is the descriptor's
 * identity: it changes when bine_close() closes the number, when the library makes a new descriptor of that
 * number, and when the kernel says that the number is closed.  Who waited under another generation gets
 * EBADF.
 *
 * Three lines of waiters stand in a slot.  In line[BINE__IN] and line[BINE__OUT] are tasks that will *use
 * up* readiness: an event wakes the first, and whoever has finished passes the baton on to the next unless
 * the descriptor is known to be drained.  Lookers (bine_poll and its kin) use nothing up, so each event
 * wakes all that asked for it.  Nodes lie in the waiting call's storage: the waker unlinks a waiter before
 * bine__wake() and touches it no more; a task that bine__park() sends back unlinks itself.
 *
 * Everything here runs on the loop's thread. */
#ifndef BINE_IO_IO_H
#define BINE_IO_IO_H

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "io/reactor.h"
#include "runtime/list.h"
#include "runtime/runtime.h"

/* What a reactor reports is told in the bits of poll(2).  glibc shows POLLRDHUP only under _GNU_SOURCE,
 * which files that use these define. */
#ifdef POLLRDHUP
enum { BINE__RDHUP = POLLRDHUP };
#else
enum { BINE__RDHUP = 0 };
#endif
enum {
    BINE__BROKEN = POLLHUP | POLLERR, /* concerns everybody, in either direction */
    BINE__UNUSUAL = BINE__RDHUP | POLLHUP | POLLERR | POLLPRI
};

enum bine__direction { BINE__IN, BINE__OUT, BINE__DIRECTIONS };

enum bine__kind {
    BINE__KIND_UNKNOWN,  /* not asked yet, or known to have changed */
    BINE__KIND_TCP,      /* a short read means: drained */
    BINE__KIND_STREAM,   /* another stream socket */
    BINE__KIND_DATAGRAM, /* a socket with message boundaries */
    BINE__KIND_POLLABLE, /* pipe, FIFO, terminal, eventfd ...: read(2) may block, and it can be polled */
    BINE__KIND_FILE      /* regular file, directory, block device: no polling; threads do the work */
};

enum bine__fd_flag {
    BINE__FD_CREATED = 1 << 0,    /* by the library: nobody else closes it */
    BINE__FD_REGISTERED = 1 << 1, /* the reactor's own */
    BINE__FD_UNUSUAL = 1 << 2,    /* has shown one of BINE__UNUSUAL: a short read proves nothing any more */
    BINE__FD_DRAINED = 1 << 3,    /* a try to read would be in vain until the next event */
    BINE__FD_NONBLOCK = 1 << 4,   /* O_NONBLOCK is known to be set; only with CREATED */
    BINE__FD_HELD = 1 << 5,       /* the reactor's own: it keeps the file open (reactor.h) */
    BINE__FD_CLOSING = 1 << 6     /* closed, but for the number: it is lent */
};

struct bine__fd {
    struct bine__list line[BINE__DIRECTIONS]; /* of struct bine__waiter */
    struct bine__list lookers;                /* of struct bine__looker */
    uint32_t generation;
    uint32_t index;  /* the reactor's own; 0: none */
    uint32_t lent : 29;  /* operations that know the descriptor by its number alone: see bine__fd_lend() */
    uint32_t placed : 1; /* one at the file's own position is under way: calls_file.c */
    uint32_t no_nowait : BINE__DIRECTIONS; /* a bit for each: RWF_NOWAIT is refused */
    uint16_t parked; /* number of the sweep before which a task last parked here; it may wrap */
    uint8_t kind;    /* enum bine__kind */
    uint8_t flags;   /* enum bine__fd_flag */
};
_Static_assert(sizeof(struct bine__fd) <= 64, "an idle descriptor costs at most a cache line");

enum { BINE__CHUNK_SHIFT = 8, BINE__CHUNK_SLOTS = 1 << BINE__CHUNK_SHIFT };

struct bine__io {
    struct bine_loop *loop;
    const struct bine__reactor *reactor;
    void *backend;           /* the reactor's own */
    struct bine__fd **chunks; /* of BINE__CHUNK_SLOTS slots, which never move; NULL where none was needed */
    uint32_t chunk_count; /* places in the directory */
    uint32_t chunks_made; /* that are not NULL */
    uint32_t waiters; /* nodes in all lines */
    uint32_t held;    /* slots with BINE__FD_HELD */
    uint32_t ticket;  /* of the last waiter that got in line */
    uint32_t woken;   /* tasks, during one wait() */
    uint32_t sweep;   /* sweeps done */
    uint32_t cursor;  /* chunk at which the next sweep starts */
    bine_ns swept;    /* when, on the real clock */
    struct bine__list jobs;     /* offloaded, not yet taken back; guarded by the pool's lock */
    struct bine__list finished; /* those that are done; guarded by the pool's lock */
    _Atomic bool reap;          /* the list above is not empty; written under the lock */
};

/* ---- The table (fd.c) ------------------------------------------------------------------------------- */

/* NULL: has none. */
static inline struct bine__fd *bine__fd_find(const struct bine__io *io, int fd)
{
    uint32_t chunk = (uint32_t)fd >> BINE__CHUNK_SHIFT; /* of a negative one: beyond every directory */

    if (chunk >= io->chunk_count || !io->chunks[chunk])
        return NULL;
    return &io->chunks[chunk][fd & (BINE__CHUNK_SLOTS - 1)];
}

/* fd.c: what bine__begin_on() does where it may switch. */
struct bine_task *bine__begin_on_slowly(int fd, const void *from);

/* Opens a yielding call on a descriptor, as bine__begin() does: NULL with errno also if that has switched, and the
 * number was closed meanwhile and may be another descriptor's now. */
static inline __attribute__((always_inline)) struct bine_task *bine__begin_on(int fd)
{
    const struct bine_loop *loop = bine__loop;

    if (bine__likely(loop && !loop->current->alert && loop->budget > 0))
        return bine__begin(); /* which will not switch */
    return bine__begin_on_slowly(fd, __builtin_return_address(0));
}

/* Makes one.  NULL/EBADF: not open; NULL/ENOMEM. */
struct bine__fd *bine__fd_get(struct bine__io *, int fd);

/* The library has just made this descriptor: it starts with a fresh slot.  Fine outside a loop. */
void bine__fd_fresh(int fd, enum bine__kind);
/* The number is closed, or about to be: everybody who waits gets EBADF.  Fine outside a loop. */
void bine__fd_closing(int fd);
/* Finds out what kind the descriptor is of, if that is not known.  -1/EBADF. */
int bine__fd_detect(int fd, struct bine__fd *);
/* The descriptor of that number turned out to be another one than the slot was made for. */
static inline void bine__fd_forget(struct bine__fd *slot)
{
    slot->kind = BINE__KIND_UNKNOWN;
    slot->flags &= BINE__FD_HELD | BINE__FD_CLOSING; /* until the reactor hears of it; while it is lent */
    slot->no_nowait = 0;
}
/* An operation on a file is carried out by somebody else, who is told its number.  Between these two calls
 * bine_close() leaves the number taken: given out again, it would have the operation done to another file. */
static inline void bine__fd_lend(struct bine__fd *slot)
{
    slot->lent++;
}
void bine__fd_return(int fd, struct bine__fd *);
/* Has that happened?  1: the number will be closed when it is returned; 0: it is not lent; -1/EBADF: it is,
 * and is closed already. */
int bine__fd_close_later(int fd);

/* A descriptor as it was when a call began that goes on with it after it has yielded. */
struct bine__end {
    int fd;
    struct bine__fd *slot;
    uint32_t generation;
};
/* -1 with errno. */
int bine__end_take(struct bine__io *, int fd, struct bine__end *);
static inline bool bine__end_stands(const struct bine__end *end)
{
    return end->slot->generation == end->generation;
}
static inline bool bine__fd_waited_for(const struct bine__fd *slot)
{
    return !bine__list_empty(&slot->line[BINE__IN]) || !bine__list_empty(&slot->line[BINE__OUT]) ||
           !bine__list_empty(&slot->lookers);
}
/* What the tasks in its lines wait for, in bits of poll(2). */
short bine__fd_interest(const struct bine__fd *);
/* A reactor's report.  Dropped if the slot has another generation by now. */
void bine__fd_ready(struct bine__io *, int fd, uint32_t generation, unsigned events);
/* Of a report that comes some places later: what bine__fd_ready() will touch, each step what the one before
 * has fetched.  Inlined always: a function that does nothing else, GCC 12 takes for one without effect, and
 * leaves out its calls. */
enum { BINE__AHEAD_SLOT = 16, BINE__AHEAD_WAITER = 10, BINE__AHEAD_TASK = 4 };
static inline __attribute__((always_inline)) void bine__fd_fetch_slot(const struct bine__io *io, int fd)
{
    const struct bine__fd *slot = bine__fd_find(io, fd);
    if (slot)
        __builtin_prefetch(slot);
}
void bine__fd_fetch_waiter(const struct bine__io *, int fd);
void bine__fd_fetch_task(const struct bine__io *, int fd);
/* A reactor's report that the number is not open. */
void bine__fd_retire(struct bine__io *, int fd, struct bine__fd *);
/* Has a task waited here for longer than a sweep's period? */
bool bine__fd_waited_long(const struct bine__io *, const struct bine__fd *);
/* Looks again at some of the descriptors on which tasks have waited for long. */
void bine__fd_sweep(struct bine__io *);
void bine__fd_free_all(struct bine__io *);

/* ---- Waiting in line (line.c) ------------------------------------------------------ */

struct bine__waiter {
    struct bine__list node;
    struct bine_task *task;
    struct bine__fd *slot;
    int fd;
    uint32_t generation; /* of the slot, when the call began */
    uint32_t ticket;     /* its place in line; valid once it has queued */
    uint8_t direction;   /* enum bine__direction */
    bool queued;         /* it has stood in line before: goes back to its old place */
    bool woken;          /* it has the baton */
};

void bine__waiter_init(struct bine__waiter *, struct bine_task *, int fd, struct bine__fd *,
                       enum bine__direction);
/* After a try that would have blocked: parks until it is worth while to try again.  0, or an errno value. */
int bine__waiter_park(struct bine__waiter *);
/* The same where no reactor tells, but whoever calls bine__fd_ready(). */
int bine__waiter_park_unwatched(struct bine__waiter *);
/* Its call has ended, well or badly: passes the baton on. */
void bine__waiter_leave(struct bine__waiter *);

struct bine__look;
struct bine__looker {
    struct bine__list node;
    struct bine__look *look; /* the call that it belongs to */
    struct bine__fd *slot;   /* NULL: does not wait */
    uint32_t generation;
    short events;
};
struct bine__look {
    struct bine__timer timer; /* the call's own time-out */
    struct bine_task *task;
    bool woken, expired;
};
void bine__look_wake(struct bine__look *); /* at most one bine__wake() */

/* Waits, without a try of its own, until the descriptor may be ready in that direction: a hint, try again.
 * Opens with bine__begin() itself.  0, or -1 with errno. */
int bine__fd_wait(int fd, enum bine__direction);

/* ---- Whole operations (operate.c) -------------------------------------------------- */

/* Has the reactor carry it out, and parks until it has.  0: op->result stands; -1/ECANCELED, ETIMEDOUT: the
 * operation was stopped before it did anything; 1: the reactor cannot, or the kernel would have it done by
 * somebody who may wait: a thread. */
int bine__operate(struct bine_loop *, struct bine_task *self, struct bine__op *);

/* As the system call would have it: -1 with errno. */
static inline int bine__op_result(const struct bine__op *op)
{
    return op->result >= 0 ? op->result : bine__error(-op->result);
}

/* ---- One transfer (transfer.h, transfer.c) ----------------------------------------- */

enum bine__extent {
    BINE__ONCE,   /* one success is enough */
    BINE__STREAM, /* goes on until everything has moved, where there are no message boundaries */
    BINE__FULL    /* goes on in any case */
};

/* One try: bytes, or -1 with errno.  EAGAIN: it would block; EINTR: again at once. */
struct bine__transfer;
typedef ssize_t bine__attempt(struct bine__transfer *);

struct bine__transfer {
    /* The caller of bine__transfer() fills in: */
    bine__attempt *attempt;
    int fd;
    int flags;      /* MSG_ ..., the caller's own */
    uint8_t direction, extent;
    const struct iovec *iov;
    int count;
    size_t total;            /* bytes in iov */
    off_t offset;            /* -1: the file's own position */
    /* bine__transfer() fills in: */
    struct bine_task *self;
    struct bine__fd *slot;
    size_t done;
    size_t asked; /* bytes that the last try asked for */
    int error; /* why it ended: 0: all moved, or end of file */
    bool more; /* the attempt knows that it can go on after this short one */
};

/* Tries, waits, tries again.  Bytes moved if any, else -1 with errno. */
ssize_t bine__transfer(struct bine__transfer *);
ssize_t bine__transfer_told(struct bine__transfer *); /* of memory of the program's */
ssize_t bine__write(int fd, const void *buf, size_t n); /* of the library's own: bine_write() */

/* The part of iov that has not moved yet, the caller's array or a window of it; notes its size in .asked. */
enum { BINE__WINDOW = 8 };
const struct iovec *bine__window(struct bine__transfer *, struct iovec window[BINE__WINDOW], int *count);

/* Bytes in an array as the kernel would count them; -1/EINVAL, EFAULT. */
ssize_t bine__vector_length(const struct iovec *, size_t count);

/* An attempt to read or write iov, by what kind the descriptor is of (calls_stream.c); and those on what
 * are not sockets (calls_file.c). */
bine__attempt bine__attempt_any, bine__attempt_pollable, bine__attempt_file;
/* What may wait though poll(2) has called it ready (calls_tty.c).  iov is what is left. */
bool bine__write_may_wait(int fd, const struct iovec *iov);
ssize_t bine__write_aside(struct bine__transfer *, const struct iovec *iov);
/* A terminal that hands out bytes, not lines. */
struct bine__raw {
    size_t there;      /* bytes */
    int least, tenths; /* VMIN, VTIME: termios(3) */
};
bool bine__is_raw_terminal(int fd, struct bine__raw *);
ssize_t bine__read_raw(struct bine__transfer *, const struct iovec *iov, const struct bine__raw *, bool ready);
/* Splices from a pipe to a terminal. */
ssize_t bine__splice_aside(struct bine_task *, int in, int out, size_t n, unsigned flags);

/* ---- Small things ------------------------------------------------------------------ */

enum { BINE__CHARGE_BYTES = 16384, BINE__SWEEP_SLICES = 20 };
#define BINE__SWEEP_PERIOD (100 * BINE_MS)
/* What read(2) and write(2) move at most in one call, on Linux. */
#define BINE__TRANSFER_MAX ((size_t)0x7ffff000)

int bine__set_nonblock(int fd, struct bine__fd *);

/* bine_accept() of a descriptor that is closed on exec. */
int bine__accept(int listener);

#endif
