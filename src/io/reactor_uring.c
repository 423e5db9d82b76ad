/* SPDX-License-Identifier: MIT
 *
 * The io_uring reactor (Linux 6.1 and later, through liburing).  One system call a turn hands in all that
 * the turn's tasks have asked for and brings back all that has happened.  Here is the ring, and what is
 * watched by it; whole operations are in uring_op.c.
 *
 * Two ways to watch.  A poll of the ring keeps the descriptor's file open for as long as it is armed, so a
 * plain close(2) of foreign code would not reach the peer.  Therefore only sockets and pipes that bine made
 * and bine_close() closes are polled by the ring: once, by a multishot poll, edge-triggered as epoll is.
 * bine_close() cancels it, at once, before it closes.  If foreign code has closed such a descriptor after
 * all, the sweep finds another file under its number (by the inode) and lets go of the old one.
 * Everything else is watched by an epoll descriptor inside the ring, which is an epoll reactor of its own.
 *
 * Why sockets are polled, and not received from: a bare server with multishot polls, recv(2) and send(2) is
 * as fast as one that receives by submissions of one shot, and faster with 1000 connections (`make bench
 * BENCH=uring` runs both).  A multishot receive into provided buffers is in part faster still, but takes
 * bytes out of the socket that no task has asked for: they would be lost to whoever is given the descriptor
 * next, another library or another process.  The same holds for connections and a multishot accept.  And
 * since no task's memory is lent to the kernel for as long as a peer pleases, a cancelled reader leaves at
 * once.
 *
 * When the kernel refuses: a full submission queue is submitted early.  If memory is short or the completion
 * queue has overflowed, nothing is lost, the entries stay in the queue, and the loop goes on with what epoll
 * tells until a later turn gets through.  If the ring is refused for good, by a sandbox in mid-run, it is
 * given up: whatever it watched epoll watches, and operations go to threads.  Those that the kernel already
 * has it reports to nobody but who enters the ring.  Where not even that is allowed the ring is closed, which
 * stops what can be stopped, and they are awaited by a pipe: its end for writing is a file of the ring's alone,
 * and hangs up when the kernel is done with the ring and so with their memory.  By then it has told how they
 * ended, if the ring's memory is ours (uring_ring.c); else nobody knows (uring_op.c tells what becomes of them). */
#define _GNU_SOURCE
#include "io/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ENTRIES = 256,      /* submissions before they must be handed in: 16 KiB */
    COMPLETIONS = 4096, /* 64 KiB; more than that the kernel keeps in a list of its own */
    EVENTS = POLLIN | POLLOUT | POLLPRI | POLLRDHUP
};

/* While the kernel has no memory for submissions, or is not done yet with a ring that is lost. */
#define RETRY_PERIOD BINE_MS
enum { RETRIES = 100 }; /* in vain, one after the other: then it will never take any again */

struct io_uring_sqe *bine__uring_entry(struct bine__uring *uring)
{
    struct io_uring_sqe *sqe = NULL;

    if (bine__unlikely(uring->lost))
        return NULL;
    sqe = io_uring_get_sqe(&uring->ring);
    if (bine__unlikely(!sqe) && io_uring_submit(&uring->ring) >= 0)
        sqe = io_uring_get_sqe(&uring->ring);
    return sqe;
}

/* ---- Open and close ---------------------------------------------------------------- */

/* False: no entry could be had; the next turn tries again. */
static bool watch_epoll(struct bine__uring *uring)
{
    struct io_uring_sqe *sqe = bine__uring_entry(uring);

    if (!sqe)
        return false;
    io_uring_prep_poll_multishot(sqe, uring->epoll.fd, POLLIN);
    io_uring_sqe_set_data64(sqe, BINE__URING_EPOLL);
    return true;
}

/* -1: not to be had; what was made goes with the ring. */
static int hold_on_to_pipe(struct bine__uring *uring)
{
    int ends[2], error;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    error = -io_uring_register_files(&uring->ring, &ends[1], 1);
    close(ends[1]);
    if (!error) {
        uring->gone = ends[0];
        return 0;
    }
    close(ends[0]);
    errno = error;
    return -1;
}

/* An errno value. */
static int open_ring(struct bine__uring *uring)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL,
        .cq_entries = COMPLETIONS,
    };
    const unsigned wanted = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_SUBMIT_STABLE |
                            IORING_FEAT_RW_CUR_POS | IORING_FEAT_CQE_SKIP;
    int error = bine__uring_ring_open(uring, ENTRIES, &params);

    if (error)
        return error;
    if (hold_on_to_pipe(uring) != 0) {
        error = errno == EMFILE || errno == ENFILE ? errno : ENOSYS;
        goto fail;
    }
    /* Submitted now: a sandbox that allows the set-up alone is found out. */
    if ((params.features & wanted) != wanted || !watch_epoll(uring) || io_uring_submit(&uring->ring) != 1) {
        close(uring->gone);
        error = ENOSYS;
        goto fail;
    }
    return 0;

fail:
    bine__uring_ring_free(uring);
    return error;
}

static int uring_open(struct bine__io *io)
{
    struct bine__uring *uring;
    int error;

    if (bine__notes_wants_stacks()) { /* Valgrind stops all threads while a ring waits: none could end the wait */
        errno = ENOSYS;
        return -1;
    }
    uring = calloc(1, sizeof *uring);
    if (!uring)
        return -1;
    if (bine__epoll_prepare(&uring->epoll) != 0) {
        error = errno;
        goto fail;
    }
    error = open_ring(uring);
    if (error)
        goto fail_epoll;
    bine__list_init(&uring->operations);
    io->backend = uring;
    return 0;

fail_epoll:
    bine__epoll_dispose(&uring->epoll);
fail:
    free(uring);
    errno = error;
    return -1;
}

/* Else the kernel would do so some time after the ring was closed: listeners would live on for a while, and
 * the program's own epoll_wait(2) would fail with EINTR for no reason that it could see. */
static void cancel_all(struct bine__uring *uring)
{
    struct io_uring_sqe *sqe = bine__uring_entry(uring);

    if (!sqe)
        return;
    io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
    io_uring_sqe_set_data64(sqe, BINE__URING_IGNORED);
    (void)io_uring_submit_and_get_events(&uring->ring);
}

static void dispose(struct bine__uring *uring)
{
    bine__uring_ring_free(uring);
    close(uring->gone);
    bine__epoll_dispose(&uring->epoll);
    free(uring);
}

static void uring_close(struct bine__io *io)
{
    cancel_all(io->backend);
    dispose(io->backend);
    io->backend = NULL;
}

/* In the child: unmaps and closes its copies. */
static void uring_forked(struct bine__io *io)
{
    dispose(io->backend);
    io->backend = NULL;
}

/* ---- Watching ---------------------------------------------------------------------- */

static uint64_t poll_data(int fd, const struct bine__fd *slot)
{
    return (uint64_t)slot->generation << 32 | (uint32_t)fd << 1 | 1;
}

static bool is_polled_by_ring(mode_t mode)
{
    return S_ISSOCK(mode) || S_ISFIFO(mode);
}

static int arm(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct io_uring_sqe *sqe;
    struct stat status;

    if (fstat(fd, &status) != 0 || !is_polled_by_ring(status.st_mode))
        return -1;
    sqe = bine__uring_entry(io->backend);
    if (!sqe)
        return -1;
    io_uring_prep_poll_multishot(sqe, fd, EVENTS);
    io_uring_sqe_set_data64(sqe, poll_data(fd, slot));
    slot->index = (uint32_t)status.st_ino;
    slot->flags |= BINE__FD_HELD;
    io->held++;
    return 0;
}

static void let_go(struct bine__io *io, struct bine__fd *slot)
{
    slot->flags &= (uint8_t)~BINE__FD_HELD;
    io->held--;
}

/* Before the descriptor is closed: with this call the kernel gives the file back.  (IORING_OP_POLL_REMOVE
 * would not, if an event is on its way.) */
static void disarm(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct bine__uring *uring = io->backend;
    struct io_uring_sqe *sqe = bine__uring_entry(uring);

    let_go(io, slot);
    if (sqe) {
        io_uring_prep_cancel64(sqe, poll_data(fd, slot), 0);
        io_uring_sqe_set_data64(sqe, BINE__URING_IGNORED);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        (void)io_uring_submit_and_get_events(&uring->ring);
    } else if (!uring->lost) {
        struct io_uring_sync_cancel_reg request = {.addr = poll_data(fd, slot), .timeout = {-1, -1}};
        (void)io_uring_register_sync_cancel(&uring->ring, &request);
    }
}

static int uring_watch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    enum { OURS = BINE__FD_HELD | BINE__FD_CREATED };

    if (bine__likely((slot->flags & OURS) == OURS))
        return 0;
    if (slot->flags & BINE__FD_HELD) /* the slot has been forgotten: the number means another file now */
        disarm(io, fd, slot);
    if ((slot->flags & BINE__FD_CREATED) && !(slot->flags & BINE__FD_REGISTERED) && arm(io, fd, slot) == 0)
        return 0;
    return bine__reactor_epoll.watch(io, fd, slot);
}

static void uring_unwatch(struct bine__io *io, int fd, struct bine__fd *slot)
{
    if (slot->flags & BINE__FD_HELD)
        disarm(io, fd, slot);
    bine__reactor_epoll.unwatch(io, fd, slot);
}

/* Those who wait are told what is so now: not every socket tells its writers (reactor_epoll.c), and for
 * readers see believed(). */
static void tell_waiters(struct bine__io *io, int fd, const struct bine__fd *slot)
{
    struct pollfd pollfd = {.fd = fd, .events = bine__fd_interest(slot)};

    if (pollfd.events == 0)
        return;
    pollfd.events |= POLLPRI;
    if (poll(&pollfd, 1, 0) == 1)
        bine__fd_ready(io, fd, slot->generation, (unsigned short)pollfd.revents);
}

static int uring_recheck(struct bine__io *io, int fd, struct bine__fd *slot)
{
    struct stat status;

    if (!(slot->flags & BINE__FD_HELD))
        return bine__reactor_epoll.recheck(io, fd, slot);
    if (fstat(fd, &status) != 0)
        return -1;
    if (!(slot->flags & BINE__FD_CREATED) || (uint32_t)status.st_ino != slot->index ||
        !is_polled_by_ring(status.st_mode)) {
        disarm(io, fd, slot);
        bine__fd_forget(slot);
        return bine__fd_interest(slot) ? bine__reactor_epoll.watch(io, fd, slot) : 0;
    }
    if (bine__fd_waited_long(io, slot)) /* who has just parked the ring will tell what comes */
        tell_waiters(io, fd, slot);
    return 0;
}

/* ---- What has happened ------------------------------------------------------------- */

/* The kernel polls no more, for want of memory or because the number was closed before it began. */
static void poll_ended(struct bine__io *io, int fd, struct bine__fd *slot, int result)
{
    let_go(io, slot);
    if (result == -EBADF)
        bine__fd_retire(io, fd, slot);
    else if (bine__fd_interest(slot) &&
             (result < 0 ? bine__reactor_epoll.watch(io, fd, slot) : uring_watch(io, fd, slot)) != 0)
        bine__fd_ready(io, fd, slot->generation, POLLIN | POLLOUT); /* they try, and fail by themselves */
}

/* What the ring tells is either what the file said when it was asked, or, cheaper, what the waker said; and a
 * socket's says PRI with all data that comes.  The former has OUT in it, as good as always.  True urgent data
 * makes two wake-ups, so the file is asked; if both come apart, and a task waits because it believed a short
 * read, the sweep finds it. */
static unsigned believed(const struct bine__fd *slot, unsigned events)
{
    if ((events & POLLOUT) || !bine__list_empty(&slot->lookers)) /* who looks asks for itself */
        return events;
    return events & ~(unsigned)POLLPRI;
}

static unsigned take_poll(struct bine__io *io, const struct io_uring_cqe *cqe)
{
    int fd = (int)((uint32_t)cqe->user_data >> 1), result = cqe->res;
    uint32_t generation = (uint32_t)(cqe->user_data >> 32);
    struct bine__fd *slot = bine__fd_find(io, fd);

    if (!slot || slot->generation != generation || !(slot->flags & BINE__FD_HELD))
        return 0;
    if (bine__likely(result >= 0))
        bine__fd_ready(io, fd, generation, believed(slot, (unsigned)result));
    if (bine__unlikely(!(cqe->flags & IORING_CQE_F_MORE)))
        poll_ended(io, fd, slot, result);
    return result >= 0;
}

static unsigned take(struct bine__io *io, struct bine__uring *uring, const struct io_uring_cqe *cqe)
{
    if (bine__likely(cqe->user_data & 1))
        return take_poll(io, cqe);
    if (cqe->user_data == BINE__URING_EPOLL) {
        uring->look = true;
        uring->unwatched = !(cqe->flags & IORING_CQE_F_MORE);
    } else if (cqe->user_data != BINE__URING_IGNORED) {
        bine__uring_complete(io, io_uring_cqe_get_data(cqe), cqe->res);
    }
    return 0;
}

/* The descriptor of a completion further on; -1: there is none. */
static inline int descriptor_at(const struct io_uring_cq *cq, unsigned at, unsigned tail)
{
    uint64_t data = cq->cqes[at & cq->ring_mask].user_data;

    return (int)(tail - at) > 0 && (data & 1) ? (int)((uint32_t)data >> 1) : -1;
}

static inline void fetch_ahead(const struct bine__io *io, const struct io_uring_cq *cq, unsigned head)
{
    unsigned tail = *cq->ktail;

    bine__fd_fetch_slot(io, descriptor_at(cq, head + BINE__AHEAD_SLOT, tail));
    bine__fd_fetch_waiter(io, descriptor_at(cq, head + BINE__AHEAD_WAITER, tail));
    bine__fd_fetch_task(io, descriptor_at(cq, head + BINE__AHEAD_TASK, tail));
}

static unsigned reap(struct bine__io *io, struct bine__uring *uring)
{
    const struct io_uring_cqe *cqe;
    unsigned head, taken = 0, reported = 0;

    io_uring_for_each_cqe(&uring->ring, head, cqe) {
        fetch_ahead(io, &uring->ring.cq, head);
        reported += take(io, uring, cqe);
        taken++;
    }
    io_uring_cq_advance(&uring->ring, taken);
    if (bine__unlikely(uring->unwatched))
        uring->unwatched = !watch_epoll(uring);
    return reported;
}

/* The ring tells of the inner epoll once for many events: all must be taken.  A call that failed is made
 * again in the next turn. */
static unsigned look_into_epoll(struct bine__io *io, struct bine__uring *uring)
{
    unsigned reported = 0;
    int taken;

    do
        taken = bine__epoll_look(io, &uring->epoll, 0, &reported);
    while (taken == BINE__EPOLL_EVENTS);
    uring->look = taken == -1;
    return reported;
}

/* ---- When the kernel refuses ------------------------------------------------------- */

/* What the ring watched epoll watches from now on; it reports what is there already. */
static void hand_over(struct bine__io *io, uint32_t chunk)
{
    struct bine__fd *slots = io->chunks[chunk];

    for (unsigned i = 0; slots && i < BINE__CHUNK_SLOTS; i++) {
        struct bine__fd *slot = &slots[i];
        int fd = (int)(chunk << BINE__CHUNK_SHIFT | i);
        if (!(slot->flags & BINE__FD_HELD))
            continue;
        let_go(io, slot);
        if (bine__fd_interest(slot) && bine__reactor_epoll.watch(io, fd, slot) != 0)
            bine__fd_ready(io, fd, slot->generation, POLLIN | POLLOUT); /* they try, and fail by themselves */
    }
}

/* The operations that the kernel has not seen go another way; those that it has are awaited.  What it had to say of
 * others has been taken. */
static void lose_ring(struct bine__io *io, struct bine__uring *uring)
{
    const struct io_uring_sq *sq = &uring->ring.sq;

    uring->lost = true;
    for (unsigned i = *sq->khead; i != sq->sqe_tail; i++) {
        uint64_t data = sq->sqes[i & sq->ring_mask].user_data;
        if (!(data & 1) && data > BINE__URING_IGNORED)
            bine__uring_complete(io, (struct bine__op *)(uintptr_t)data, -EAGAIN); /* NOLINT: an address */
    }
    for (uint32_t chunk = 0; chunk < io->chunk_count; chunk++)
        hand_over(io, chunk);
}

/* One that takes no operations may still tell how those that it has end. */
static void ask_lost_ring(struct bine__io *io, struct bine__uring *uring)
{
    struct pollfd gone = {.fd = uring->gone, .events = POLLIN};
    int result;

    if (uring->closed) {
        if (poll(&gone, 1, 0) == 1) {
            if (uring->memory)
                reap(io, uring);
            bine__uring_abandon(io);
        }
        return;
    }
    result = io_uring_get_events(&uring->ring);
    reap(io, uring);
    if ((result < 0 && result != -EINTR) || bine__list_empty(&uring->operations))
        bine__uring_ring_close(uring);
}

static unsigned wait_without_ring(struct bine__io *io, struct bine__uring *uring, bine_ns timeout)
{
    if (bine__unlikely(!uring->closed || !bine__list_empty(&uring->operations))) {
        ask_lost_ring(io, uring);
        if (io->woken)
            timeout = 0;
        else if (timeout > RETRY_PERIOD)
            timeout = RETRY_PERIOD;
    }
    return bine__reactor_epoll.wait(io, timeout);
}

/* The entries stay in the queue.  What the ring knows already is taken, so that there is room again. */
static unsigned wait_for_room(struct bine__io *io, struct bine__uring *uring, bine_ns timeout)
{
    unsigned reported;

    (void)io_uring_get_events(&uring->ring);
    reported = reap(io, uring);
    if (reported || io->woken)
        timeout = 0;
    return reported + bine__reactor_epoll.wait(io, timeout < RETRY_PERIOD ? timeout : RETRY_PERIOD);
}

/* ---- Waiting ----------------------------------------------------------------------- */

static int wait_for_completion(struct io_uring *ring, bine_ns timeout)
{
    struct __kernel_timespec time = {timeout / BINE_SECOND, timeout % BINE_SECOND};
    struct io_uring_cqe *cqe;

    if (timeout == BINE_FOREVER)
        return io_uring_wait_cqe(ring, &cqe);
    return io_uring_wait_cqe_timeout(ring, &cqe, &time);
}

/* Hands in, and waits only if that has not brought anything.  0, or an errno value. */
static int enter(struct io_uring *ring, bine_ns timeout)
{
    const unsigned busy = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
    int result = 0;

    if (io_uring_sq_ready(ring) || (timeout <= 0 && (IO_URING_READ_ONCE(*ring->sq.kflags) & busy)))
        result = io_uring_submit_and_get_events(ring);
    if (result >= 0 && timeout > 0 && !io_uring_cq_ready(ring))
        result = wait_for_completion(ring, timeout);
    return result >= 0 || result == -ETIME || result == -EINTR ? 0 : -result;
}

static unsigned uring_wait(struct bine__io *io, bine_ns timeout)
{
    struct bine__uring *uring = io->backend;
    unsigned reported;
    int error;

    if (bine__unlikely(uring->lost))
        return wait_without_ring(io, uring, timeout);
    error = enter(&uring->ring, uring->look || uring->unwatched ? 0 : timeout);
    reported = reap(io, uring);
    if (uring->look)
        reported += look_into_epoll(io, uring);
    if (bine__likely(!error)) {
        uring->refusals = 0;
        return reported;
    }
    if ((error == EAGAIN || error == EBUSY || error == ENOMEM) && ++uring->refusals <= RETRIES)
        return reported + wait_for_room(io, uring, timeout);
    lose_ring(io, uring);
    return reported + bine__reactor_epoll.wait(io, 0);
}

static void uring_interrupt(struct bine__io *io)
{
    bine__reactor_epoll.interrupt(io);
}

const struct bine__reactor bine__reactor_uring = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .watch = uring_watch,
    .unwatch = uring_unwatch,
    .recheck = uring_recheck,
    .wait = uring_wait,
    .interrupt = uring_interrupt,
    .forked = uring_forked,
    .submit = bine__uring_submit,
    .cancel = bine__uring_cancel,
};
