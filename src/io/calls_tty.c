/* SPDX-License-Identifier: MIT
 *
 * Terminals and eventfds, which may wait though poll(2) has called them ready, and know no call that does not
 * but under O_NONBLOCK, which their other users share.
 *
 * A terminal is writable as soon as a byte fits, and write(2) then waits until all has gone: for a reader at
 * the other end of a pseudo-terminal, or a key that ends Ctrl-S, perhaps for ever.  An eventfd is writable as
 * soon as 1 can be added, and write(2) waits until there is room for the whole sum.  So a thread writes.
 *
 * The task may be cancelled meanwhile and leaves at once; what the thread has in hand then goes out all the
 * same, sooner or later.  It has a descriptor of its own, so that neither a close nor another file under the
 * same number concerns it.
 *
 * A terminal that hands out bytes and not lines is readable when VMIN bytes are there or, if VTIME is set, one,
 * and read(2) then waits until the line has been silent for so long.  Here that time counts as over at once:
 * what is there is read.  With a VMIN of 0 the times are as they should be. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/offload.h"

/* Bytes: a piece; what a cancelled write may still send. */
enum { PIECE = 4096 };

static const struct iovec *first_of(const struct iovec *iov)
{
    for (; iov->iov_len == 0; iov++)
        ; /* there is one that is not empty: the total says so */
    return iov;
}

/* ---- Writing ------------------------------------------------------------------------- */

struct aside {
    struct bine__job job;
    int fd, from; /* copies; from: -1, or a pipe to splice out of */
    int error;
    unsigned flags;
    ssize_t result;
    size_t size;
    char text[];
};

static void run(struct bine__job *job)
{
    struct aside *work = bine__list_entry(job, struct aside, job);

    (void)bine__offload_may_hang(job);
    do
        work->result = work->from == -1 ? write(work->fd, work->text, work->size)
                                        : splice(work->from, NULL, work->fd, NULL, work->size, work->flags);
    while (work->result == -1 && errno == EINTR);
    work->error = errno;
}

static void drop(struct bine__job *job)
{
    struct aside *work = bine__list_entry(job, struct aside, job);

    if (work->from != -1)
        close(work->from);
    close(work->fd);
    free(work);
}

/* text: bytes of room. */
static struct aside *make(int fd, int from, size_t text)
{
    struct aside *work = calloc(1, sizeof *work + text);
    int error;

    if (!work)
        return NULL;
    *work = (struct aside){.job = {.run = run, .drop = drop}, .from = -1};
    work->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (work->fd == -1)
        goto fail;
    if (from != -1 && (work->from = fcntl(from, F_DUPFD_CLOEXEC, 0)) == -1)
        goto fail_copy;
    return work;

fail_copy:
    error = errno;
    close(work->fd);
    errno = error;
fail:
    error = errno;
    free(work);
    errno = error;
    return NULL;
}

static ssize_t have_done(struct bine_task *self, struct aside *work)
{
    if (bine__offload(self->loop, self, &work->job, BINE__OFFLOAD_FILE) != 0)
        return -1;
    const ssize_t result = work->result;
    const int error = work->error;
    drop(&work->job);
    errno = error;
    return result;
}

ssize_t bine__write_aside(struct bine__transfer *transfer, const struct iovec *iov)
{
    const struct iovec *first = first_of(iov);
    const size_t size = first->iov_len < PIECE ? first->iov_len : PIECE;
    struct aside *work;

    if (!first->iov_base)
        return bine__error(EFAULT);
    work = make(transfer->fd, -1, size);
    if (!work)
        return -1;
    work->size = size;
    memcpy(work->text, first->iov_base, size);
    return have_done(transfer->self, work);
}

ssize_t bine__splice_aside(struct bine_task *self, int in, int out, size_t n, unsigned flags)
{
    struct aside *work = make(out, in, 0);

    if (!work)
        return -1;
    work->size = n < PIECE ? n : PIECE;
    work->flags = flags | SPLICE_F_NONBLOCK; /* of the pipe alone */
    return have_done(self, work);
}

/* Files without a type are its like: timers, watches, which nobody writes numbers to. */
static bool may_be_eventfd(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == 0;
}

bool bine__write_may_wait(int fd, const struct iovec *iov)
{
    const struct iovec *first = first_of(iov);
    uint64_t value = 0;

    if (isatty(fd))
        return true;
    if (first->iov_len != sizeof value || !first->iov_base || !may_be_eventfd(fd))
        return false;
    memcpy(&value, first->iov_base, sizeof value);
    return value > 1;
}

/* ---- Reading ------------------------------------------------------------------------- */

/* The master of a pseudo-terminal shows the modes of its other end, and has none itself. */
static bool is_master(int fd)
{
#ifdef TIOCGPTN
    unsigned number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
#else
    (void)fd;
    return false;
#endif
}

bool bine__is_raw_terminal(int fd, struct bine__raw *raw)
{
    struct termios mode;
    int there = 0;

    if (tcgetattr(fd, &mode) != 0 || (mode.c_lflag & ICANON) || is_master(fd) || ioctl(fd, FIONREAD, &there) != 0)
        return false;
    *raw = (struct bine__raw){(size_t)there, mode.c_cc[VMIN], mode.c_cc[VTIME]};
    return true;
}

/* Nothing is there, and VMIN is 0. */
static ssize_t wait_for_first(struct bine__transfer *transfer, int tenths)
{
    struct pollfd pollfd = {.fd = transfer->fd, .events = POLLIN};
    const int ready = tenths > 0 ? bine_poll(&pollfd, 1, tenths * 100) : 0;

    if (ready > 0)
        errno = pollfd.revents & POLLNVAL ? EBADF : EINTR; /* closed; else try again */
    return ready == 0 ? 0 : -1;
}

ssize_t bine__read_raw(struct bine__transfer *transfer, const struct iovec *iov, const struct bine__raw *raw,
                       bool ready)
{
    const struct iovec *first = first_of(iov);
    size_t n = first->iov_len;

    if (!ready && raw->there < n) { /* and so less than VMIN */
        if (raw->there == 0 && raw->least == 0)
            return wait_for_first(transfer, raw->tenths);
        return bine__error(EAGAIN);
    }
    if (raw->there > 0 && raw->there < n) /* none and ready: the other end is gone */
        n = raw->there;
    return read(transfer->fd, first->iov_base, n);
}
