/* SPDX-License-Identifier: MIT
 *
 * sendfile and splice.
 *
 * sendfile(2) has no way to say "do not block": it would wait for the disk, and for the socket unless its
 * O_NONBLOCK is set, which others may share.  So bine_sendfile() reads a piece (at once if it is in memory,
 * else on a thread) and writes it.  That costs a copy, some 10 us for 64 KiB, and is right on every pair of
 * descriptors.
 *
 * splice(2) obeys SPLICE_F_NONBLOCK on its pipe alone.  A socket at the other end is asked with poll(2)
 * first; one that would block on output gets pieces small enough to fit what poll(2) calls writable; a file
 * is the threads', and so is output to a terminal. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/offload.h"

enum { PIECE = 64 * 1024 };

/* ---- sendfile ---------------------------------------------------------------------- */

struct copying {
    struct bine__end out, in;
    off_t at; /* where the next byte is read */
    char *buffer;
    size_t sent, total;
};

/* bine__begin_on() two descriptors. */
static struct bine_task *begin_on_both(int in, int out)
{
    const struct bine_loop *loop = bine__loop;
    const struct bine__fd *slot = loop && loop->io ? bine__fd_find(loop->io, out) : NULL;
    const uint32_t generation = slot ? slot->generation : 0;
    struct bine_task *self = bine__begin_on(in);

    if (!self || !slot || slot->generation == generation)
        return self;
    errno = EBADF;
    return NULL;
}

/* Both numbers still mean what they did, and the call that follows begins before anybody else runs. */
static bool goes_on(const struct copying *copying)
{
    if (!bine__begin())
        return false;
    bine__charge(bine__loop, -1); /* so that its own beginning finds some budget, and does not yield */
    if (bine__end_stands(&copying->in) && bine__end_stands(&copying->out))
        return true;
    errno = EBADF;
    return false;
}

/* One piece.  Bytes that went out; 0 at the end of the file; -1 with errno. */
static ssize_t send_piece(struct copying *copying)
{
    size_t left = copying->total - copying->sent;
    ssize_t n = -1;

    if (goes_on(copying))
        n = bine_pread(copying->in.fd, copying->buffer, left < PIECE ? left : PIECE, copying->at);
    if (n > 0)
        n = goes_on(copying) ? bine_write(copying->out.fd, copying->buffer, (size_t)n) : -1;
    if (n > 0) {
        copying->sent += (size_t)n;
        copying->at += n;
    }
    return n;
}

static ssize_t copy_file(struct copying *copying)
{
    size_t room = copying->total < PIECE ? copying->total : PIECE;
    ssize_t n = 1;
    int error;

    copying->buffer = malloc(room ? room : 1);
    if (!copying->buffer)
        return -1;
    while (copying->sent < copying->total && n > 0)
        n = send_piece(copying);
    error = errno;
    free(copying->buffer);
    errno = error;
    return copying->sent > 0 || n >= 0 ? (ssize_t)copying->sent : -1;
}

ssize_t bine_sendfile(int out, int in, off_t *offset, size_t n)
{
    struct bine_task *self = begin_on_both(in, out);
    struct copying copying = {.total = n < BINE__TRANSFER_MAX ? n : BINE__TRANSFER_MAX};
    struct stat status;
    ssize_t sent;

    if (!self || fstat(in, &status) != 0 || fcntl(out, F_GETFD) == -1 ||
        bine__end_take(self->loop->io, in, &copying.in) != 0 ||
        bine__end_take(self->loop->io, out, &copying.out) != 0)
        return -1;
    copying.at = offset ? *offset : lseek(in, 0, SEEK_CUR);
    if ((!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) || copying.at < 0)
        return bine__error(EINVAL);
    sent = copy_file(&copying);
    if (offset)
        *offset = copying.at;
    else if (sent > 0 && bine__end_stands(&copying.in))
        (void)lseek(in, copying.at, SEEK_SET);
    return sent;
}

/* ---- splice ------------------------------------------------------------------------ */

/* Fits into every socket that poll(2) calls writable, but for those with the very least of buffers. */
enum { SMALL_PIECE = 4096 };

struct splicing {
    struct bine__job job;
    int in, out;
    struct bine__end ends[2]; /* the same, as they were at first */
    off_t *in_offset, *out_offset;
    size_t n;
    unsigned flags;
    ssize_t result;
    int error;
};

static void splice_now(struct splicing *splicing)
{
    do
        splicing->result = splice(splicing->in, splicing->in_offset, splicing->out, splicing->out_offset,
                                  splicing->n, splicing->flags | SPLICE_F_NONBLOCK);
    while (splicing->result == -1 && errno == EINTR);
    splicing->error = errno;
}

static void run_splice(struct bine__job *job)
{
    splice_now(bine__list_entry(job, struct splicing, job));
}

/* One end is a file: the reactor does it if it can, else a thread. */
static int splice_aside(struct bine_task *self, struct splicing *splicing)
{
    struct bine__op op = {
        .verb = BINE__OP_SPLICE,
        .from = splicing->in,
        .fd = splicing->out,
        .offset = splicing->in_offset ? *splicing->in_offset : -1,
        .to_offset = splicing->out_offset ? *splicing->out_offset : -1,
        .length = (unsigned)(splicing->n < BINE__TRANSFER_MAX ? splicing->n : BINE__TRANSFER_MAX),
        .flags = splicing->flags | SPLICE_F_NONBLOCK,
    };
    int how;

    for (int i = 0; i < 2; i++)
        bine__fd_lend(splicing->ends[i].slot);
    how = bine__operate(self->loop, self, &op);
    if (how == 1 && bine__offload(self->loop, self, &splicing->job, BINE__OFFLOAD_FILE) != 0)
        how = -1;
    const int error = errno;
    for (int i = 0; i < 2; i++)
        bine__fd_return(splicing->ends[i].fd, splicing->ends[i].slot);
    errno = error;
    if (how != 0)
        return how == 1 ? 0 : -1;
    splicing->result = bine__op_result(&op);
    splicing->error = errno;
    if (op.result > 0 && splicing->in_offset)
        *splicing->in_offset += op.result;
    if (op.result > 0 && splicing->out_offset)
        *splicing->out_offset += op.result;
    return 0;
}

static bool would_block(int fd, short events)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    int ready;

    do
        ready = poll(&pollfd, 1, 0);
    while (ready == -1 && errno == EINTR); /* a signal may end even this one, and "ready" it is not */
    return ready == 0;
}

/* The end that is not ready, or -1. */
static int unready_end(const struct splicing *splicing, enum bine__direction *direction)
{
    *direction = BINE__IN;
    if (would_block(splicing->in, POLLIN))
        return splicing->in;
    *direction = BINE__OUT;
    return would_block(splicing->out, POLLOUT) ? splicing->out : -1;
}

static int take_ends(struct bine_task *self, struct splicing *splicing)
{
    struct bine__io *io = self->loop->io;

    return bine__end_take(io, splicing->in, &splicing->ends[0]) == 0 &&
                   bine__end_take(io, splicing->out, &splicing->ends[1]) == 0
               ? 0
               : -1;
}

/* They are still what they were, and one is a pipe.  The kernel says so too, but only once there is something to
 * move. */
static int check_ends(const struct splicing *splicing)
{
    struct stat status[2];

    if (!bine__end_stands(&splicing->ends[0]) || !bine__end_stands(&splicing->ends[1]))
        return bine__error(EBADF);
    if (fstat(splicing->in, &status[0]) != 0 || fstat(splicing->out, &status[1]) != 0)
        return -1;
    if (S_ISFIFO(status[0].st_mode) || S_ISFIFO(status[1].st_mode))
        return 0;
    return bine__error(EINVAL);
}

/* -1: closed.  Files and sockets are asked what they are anew each time: this call is not a fast path. */
static int kind_of(int fd)
{
    struct bine__fd now = {0};

    return bine__fd_detect(fd, &now) == 0 ? now.kind : -1;
}

static bool is_blocking_socket(int fd, int kind)
{
    return kind != BINE__KIND_FILE && kind != BINE__KIND_POLLABLE && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static int splice_once(struct bine_task *self, struct splicing *splicing)
{
    int in = kind_of(splicing->in), out = kind_of(splicing->out);
    struct bine__raw raw;

    if (in == -1 || out == -1)
        return -1;
    if (in == BINE__KIND_FILE || out == BINE__KIND_FILE)
        return splice_aside(self, splicing);
    if (is_blocking_socket(splicing->out, out) && splicing->n > SMALL_PIECE)
        splicing->n = SMALL_PIECE;
    if (in == BINE__KIND_POLLABLE && bine__is_raw_terminal(splicing->in, &raw) && raw.there < splicing->n)
        splicing->n = raw.there > 0 ? raw.there : 1; /* for more it would wait */
    if (out != BINE__KIND_POLLABLE || splicing->in_offset || splicing->out_offset || !isatty(splicing->out)) {
        splice_now(splicing);
        return 0;
    }
    splicing->result = bine__splice_aside(self, splicing->in, splicing->out, splicing->n, splicing->flags);
    splicing->error = errno;
    return 0;
}

ssize_t bine_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags)
{
    struct splicing splicing = {.job = {.run = run_splice}, .in = in, .out = out, .in_offset = in_offset,
                                .out_offset = out_offset, .n = n, .flags = flags};
    enum bine__direction direction;

    for (bool first = true;; first = false) {
        struct bine_task *self = begin_on_both(in, out);
        int waited_for;
        if (!self || (first && take_ends(self, &splicing) != 0) || check_ends(&splicing) != 0)
            return -1;
        waited_for = n > 0 ? unready_end(&splicing, &direction) : -1;
        if (waited_for == -1) {
            if (splice_once(self, &splicing) != 0)
                return -1;
            if (splicing.result > 0)
                bine__charge(self->loop, (int)(splicing.result / BINE__CHARGE_BYTES));
            if (splicing.result >= 0 || splicing.error != EAGAIN) {
                errno = splicing.error;
                return splicing.result;
            }
            waited_for = unready_end(&splicing, &direction);
        }
        if (flags & SPLICE_F_NONBLOCK)
            return bine__error(EAGAIN);
        if (waited_for != -1 && bine__fd_wait(waited_for, direction) != 0)
            return -1;
    }
}
