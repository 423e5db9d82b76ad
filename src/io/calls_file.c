/* SPDX-License-Identifier: MIT
 *
 * What is not a socket: pipes and terminals, which can be polled; files, which cannot; fsync and open.
 *
 * Pipes, terminals and the like are often shared with other processes, so O_NONBLOCK stays off: RWF_NOWAIT
 * says the same for one call.  Where the kernel refuses it, poll(2) is asked first.  That leaves one gap,
 * which only O_NONBLOCK could close: if another process takes the bytes between poll(2) and read(2) the
 * loop waits for more.  What poll(2) says of terminals and eventfds is less than the truth: calls_tty.c.
 *
 * A file is read at once if its bytes are in memory (RWF_NOWAIT).  Else, and for every write, the reactor
 * does it if it carries out whole operations (io_uring), or a thread.
 *
 * Whatever goes through a file's own position must be in one piece with moving that.  read(2) and write(2) on
 * threads have the kernel's lock for it.  io_uring takes none, and does not move the position at all after a
 * write that a full disk has cut short.  So where there is a reactor that carries things out, the tasks that
 * use a position stand in line, and an operation is told where it is and leaves it to us to be moved. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/offload.h"

/* More than this is copied by a thread even from memory: it would hold the loop for some 50 us. */
enum { COPY_MAX = 256 * 1024 };

/* ---- Moving bytes ------------------------------------------------------------------ */

/* -1/EOPNOTSUPP: has to be done another way. */
static ssize_t move_nowait(struct bine__transfer *transfer, const struct iovec *iov, int count, off_t offset)
{
#ifdef RWF_NOWAIT
    const unsigned bit = 1U << transfer->direction; /* an eventfd allows the one and not the other */
    ssize_t moved;

    if (!(transfer->slot->no_nowait & bit)) {
        moved = transfer->direction == BINE__IN ? preadv2(transfer->fd, iov, count, offset, RWF_NOWAIT)
                                                : pwritev2(transfer->fd, iov, count, offset, RWF_NOWAIT);
        if (moved >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM)) /* EPERM: a sandbox */
            return moved;
        transfer->slot->no_nowait |= bit & 3;
    }
#else
    (void)transfer, (void)iov, (void)count, (void)offset;
#endif
    return bine__error(EOPNOTSUPP);
}

static ssize_t move_blocking(int fd, enum bine__direction direction, const struct iovec *iov, int count,
                             off_t offset)
{
    if (offset < 0)
        return direction == BINE__IN ? readv(fd, iov, count) : writev(fd, iov, count);
    return direction == BINE__IN ? preadv(fd, iov, count, offset) : pwritev(fd, iov, count, offset);
}

/* ---- Pipes and terminals ----------------------------------------------------------- */

/* EBADF: it is the wrong end of a pipe, which never becomes ready.  Reading nothing would tell too, but on
 * an inotify descriptor that waits. */
static int check_access(int fd, enum bine__direction direction)
{
    const int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;

    if (flags != -1 && mode == (direction == BINE__IN ? O_WRONLY : O_RDONLY))
        return bine__error(EBADF);
    return flags == -1 ? -1 : 0;
}

/* Writable means for a pipe: PIPE_BUF bytes fit. */
static ssize_t move_after_poll(struct bine__transfer *transfer, const struct iovec *iov, int count)
{
    bool in = transfer->direction == BINE__IN;
    struct pollfd pollfd = {.fd = transfer->fd, .events = in ? POLLIN : POLLOUT};
    struct bine__raw raw;
    int ready = poll(&pollfd, 1, 0);

    if (ready == -1) /* nobody knows whether it would block: fail, or try again (EINTR), but hold no loop */
        return -1;
    if (ready == 0 && check_access(transfer->fd, transfer->direction) != 0)
        return -1;
    if (in && bine__is_raw_terminal(transfer->fd, &raw))
        return bine__read_raw(transfer, iov, &raw, ready > 0);
    if (ready == 0)
        return bine__error(EAGAIN);
    if (!in && bine__write_may_wait(transfer->fd, iov))
        return bine__write_aside(transfer, iov);
    if (in || transfer->total - transfer->done <= PIPE_BUF)
        return move_blocking(transfer->fd, transfer->direction, iov, count, -1);
    for (; iov->iov_len == 0; iov++)
        ; /* there is one that is not empty: the total says so */
    return write(transfer->fd, iov->iov_base, iov->iov_len < PIPE_BUF ? iov->iov_len : PIPE_BUF);
}

ssize_t bine__attempt_pollable(struct bine__transfer *transfer)
{
    struct iovec window[BINE__WINDOW];
    int count;
    const struct iovec *iov = bine__window(transfer, window, &count);
    ssize_t moved;

    moved = move_nowait(transfer, iov, count, -1);
    if (moved >= 0 || errno != EOPNOTSUPP)
        return moved;
    if (transfer->total == 0) /* waits for nothing, but still tells EBADF */
        return check_access(transfer->fd, transfer->direction);
    return move_after_poll(transfer, iov, count);
}

/* ---- Files ------------------------------------------------------------------------- */

struct file_job {
    struct bine__job job;
    int fd;
    enum bine__direction direction;
    const struct iovec *iov;
    int count;
    off_t offset;
    ssize_t result;
    int error;
};

static void run_file_job(struct bine__job *job)
{
    struct file_job *work = bine__list_entry(job, struct file_job, job);

    do
        work->result = move_blocking(work->fd, work->direction, work->iov, work->count, work->offset);
    while (work->result == -1 && errno == EINTR);
    work->error = errno;
}

/* Would the thread hang?  A number that foreign code may have closed is asked again. */
static bool still_a_file(int fd, const struct bine__fd *slot)
{
    struct bine__fd now = {0};

    if (slot->flags & BINE__FD_CREATED)
        return true;
    return bine__fd_detect(fd, &now) != 0 || now.kind == BINE__KIND_FILE;
}

/* By the reactor if it can: 0, and op->result stands; else by a thread: 1, and the job has run.  -1 with
 * errno: it has not been done. */
static int carry_out(struct bine_task *self, struct bine__fd *slot, struct bine__op *op, struct bine__job *job)
{
    int how;

    bine__fd_lend(slot);
    how = bine__operate(self->loop, self, op);
    if (how == 1 && bine__offload(self->loop, self, job, BINE__OFFLOAD_FILE) != 0)
        how = -1;
    const int error = errno;
    bine__fd_return(op->fd, slot);
    errno = error;
    return how;
}

static ssize_t move_file(struct bine__transfer *transfer, struct file_job *work)
{
    struct bine__op op = {
        .verb = work->direction == BINE__IN ? BINE__OP_READ : BINE__OP_WRITE,
        .aside = transfer->asked > COPY_MAX,
        .fd = work->fd,
        .iov = work->iov,
        .count = (unsigned)work->count,
        .offset = work->offset,
    };
    int how = carry_out(transfer->self, transfer->slot, &op, &work->job);

    if (how != 1)
        return how == 0 ? bine__op_result(&op) : -1;
    errno = work->error;
    return work->result;
}

/* At the position, which nobody else of this loop uses meanwhile.  What has none stays without an offset. */
static ssize_t move_at_position(struct bine__transfer *transfer, struct file_job *work)
{
    const uint32_t generation = transfer->slot->generation;
    const bool appends = work->direction == BINE__OUT && (fcntl(work->fd, F_GETFL) & O_APPEND);
    ssize_t moved;
    int error;

    work->offset = lseek(work->fd, 0, SEEK_CUR);
    moved = move_file(transfer, work);
    error = errno;
    if (moved > 0 && work->offset != -1 && transfer->slot->generation == generation)
        (void)lseek(work->fd, appends ? 0 : work->offset + moved, appends ? SEEK_END : SEEK_SET);
    errno = error;
    return moved;
}

static ssize_t attempt(struct bine__transfer *transfer)
{
    struct iovec window[BINE__WINDOW];
    struct file_job work = {.job = {.run = run_file_job}, .fd = transfer->fd};
    ssize_t moved;

    work.direction = transfer->direction;
    work.iov = bine__window(transfer, window, &work.count);
    work.offset = transfer->offset < 0 ? -1 : transfer->offset + (off_t)transfer->done;
    transfer->more = false;
    if (work.direction == BINE__IN && transfer->asked <= COPY_MAX) {
        moved = move_nowait(transfer, work.iov, work.count, work.offset);
        if (moved >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP)) {
            transfer->more = moved > 0; /* short: the rest is on the disk, or the file ends here */
            return moved;
        }
    }
    if (!still_a_file(transfer->fd, transfer->slot)) {
        bine__fd_forget(transfer->slot);
        errno = EINTR; /* try again, as what it is now */
        return -1;
    }
    return work.offset == -1 && transfer->slot->placed ? move_at_position(transfer, &work)
                                                       : move_file(transfer, &work);
}

/* 0, or an errno value. */
static int wait_for_position(struct bine__transfer *transfer)
{
    struct bine__waiter waiter;
    int error = 0;

    bine__waiter_init(&waiter, transfer->self, transfer->fd, transfer->slot, BINE__IN);
    while (!error && transfer->slot->placed)
        error = bine__waiter_park_unwatched(&waiter);
    if (error)
        bine__waiter_leave(&waiter); /* the baton goes to the next */
    return error;
}

ssize_t bine__attempt_file(struct bine__transfer *transfer)
{
    struct bine__io *io = transfer->self->loop->io;
    struct bine__fd *slot = transfer->slot;
    ssize_t moved;
    int error;

    if (transfer->offset >= 0 || !io->reactor->submit)
        return attempt(transfer);
    if (slot->placed && (error = wait_for_position(transfer)) != 0)
        return bine__error(error);
    slot->placed = true;
    moved = attempt(transfer);
    error = errno;
    slot->placed = false;
    bine__fd_ready(io, transfer->fd, slot->generation, POLLIN); /* the first in line, whoever it is by now */
    errno = error;
    return moved;
}

static void run_fsync(struct bine__job *job)
{
    struct file_job *work = bine__list_entry(job, struct file_job, job);

    do
        work->result = fsync(work->fd);
    while (work->result == -1 && errno == EINTR);
    work->error = errno;
}

int bine_fsync(int fd)
{
    struct file_job work = {.job = {.run = run_fsync}, .fd = fd};
    struct bine__op op = {.verb = BINE__OP_FSYNC, .fd = fd};
    struct bine_task *self = bine__begin_on(fd);
    struct bine__fd *slot = self ? bine__fd_get(self->loop->io, fd) : NULL;
    int how;

    if (!slot)
        return -1;
    how = carry_out(self, slot, &op, &work.job);
    if (how != 1)
        return how == 0 ? bine__op_result(&op) : -1;
    if (work.result != 0)
        errno = work.error;
    return (int)work.result;
}

/* ---- open -------------------------------------------------------------------------- */

struct open_job {
    struct bine__job job;
    int flags, fd, error;
    mode_t mode;
    char path[];
};

static bool waits_for_other_end(const char *path, int flags)
{
    struct stat status;

    return !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR && stat(path, &status) == 0 &&
           S_ISFIFO(status.st_mode);
}

static void run_open(struct bine__job *job)
{
    struct open_job *work = bine__list_entry(job, struct open_job, job);

    if (waits_for_other_end(work->path, work->flags) && !bine__offload_may_hang(job)) {
        work->error = EAGAIN; /* or no thread would be left for files in the end */
        return;
    }
    do
        work->fd = open(work->path, work->flags, work->mode);
    while (work->fd == -1 && errno == EINTR);
    work->error = errno;
}

/* The task has left: a descriptor that comes late is nobody's. */
static void drop_open(struct bine__job *job)
{
    struct open_job *work = bine__list_entry(job, struct open_job, job);

    if (work->fd != -1)
        close(work->fd);
    free(work);
}

static int open_on_thread(struct bine_task *self, const char *path, int flags, mode_t mode)
{
    size_t size = strnlen(path, PATH_MAX) + 1;
    struct open_job *work;
    int fd;

    if (size > PATH_MAX)
        return bine__error(ENAMETOOLONG);
    work = malloc(sizeof *work + size);
    if (!work)
        return -1;
    *work = (struct open_job){
        .job = {.run = run_open, .drop = drop_open}, .flags = flags, .fd = -1, .mode = mode};
    memcpy(work->path, path, size);
    if (bine__offload(self->loop, self, &work->job, BINE__OFFLOAD_FILE) != 0)
        return -1;
    fd = work->fd;
    if (fd == -1)
        errno = work->error;
    free(work);
    return fd;
}

/* Opened without a thread.  A FIFO, a device: what may wait for somebody, or would be opened by the kernel as
 * if with O_NONBLOCK, is told apart by a look at it (O_PATH opens nothing), and left to a thread.  0: *fd;
 * 1: a thread must do it; -1 with errno: the task's scope has fired. */
static int open_by_reactor(struct bine_task *self, const char *path, int flags, mode_t mode, int *fd)
{
    const int harmless = O_NONBLOCK | O_DIRECTORY | O_PATH;
    struct bine__op op = {.verb = BINE__OP_OPEN, .path = path,
                          .flags = (unsigned)(O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW))};
    int elsewhere = flags & harmless ? 0 : bine__operate(self->loop, self, &op);
    struct stat status = {.st_mode = S_IFREG};

    if (elsewhere != 0)
        return elsewhere;
    if (!(flags & harmless) && op.result >= 0) {
        int seen = fstat(op.result, &status);
        close(op.result);
        if (seen != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
            return 1;
    }
    op.flags = (unsigned)flags;
    op.mode = mode;
    elsewhere = bine__operate(self->loop, self, &op);
    if (elsewhere == 0)
        *fd = bine__op_result(&op);
    return elsewhere;
}

int bine_open(const char *path, int flags, ...)
{
    struct bine_task *self = bine__begin();
    mode_t mode = 0;
    va_list arguments;
    int fd;

    if (flags & (O_CREAT
#ifdef O_TMPFILE
                 | (O_TMPFILE & ~O_DIRECTORY)
#endif
                     )) {
        va_start(arguments, flags);
        mode = (mode_t)va_arg(arguments, int);
        va_end(arguments);
    }
    if (!self)
        return -1;
    if (!path)
        return bine__error(EFAULT);
    fd = -1;
    if (open_by_reactor(self, path, flags, mode, &fd) == 1)
        fd = open_on_thread(self, path, flags, mode);
    bine__fd_fresh(fd, BINE__KIND_UNKNOWN);
    return fd;
}
