/* SPDX-License-Identifier: MIT
 *
 * Writing to a terminal.
 *
 * A terminal is writable for poll(2) as soon as a byte fits, and write(2) then waits until all has gone: for
 * a reader at the other end of a pseudo-terminal, or a key that ends Ctrl-S, perhaps for ever.  There is no
 * call that does not wait but under O_NONBLOCK, which a terminal's other users share.  So a thread writes.
 *
 * The task may be cancelled meanwhile and leaves at once; what the thread has in hand then goes out all the
 * same, sooner or later.  It has a descriptor of its own, so that neither a close nor another file under the
 * same number concerns it. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/offload.h"

/* Bytes: a piece; what a cancelled write may still send. */
enum { PIECE = 4096 };

struct terminal_job {
    struct bine__job job;
    int fd, error;
    ssize_t result;
    size_t size;
    char text[];
};

static void run(struct bine__job *job)
{
    struct terminal_job *work = bine__list_entry(job, struct terminal_job, job);

    bine__offload_may_hang(job);
    do
        work->result = write(work->fd, work->text, work->size);
    while (work->result == -1 && errno == EINTR);
    work->error = errno;
}

static void drop(struct bine__job *job)
{
    struct terminal_job *work = bine__list_entry(job, struct terminal_job, job);

    close(work->fd);
    free(work);
}

static struct terminal_job *make(int fd, const struct iovec *iov)
{
    const size_t size = iov->iov_len < PIECE ? iov->iov_len : PIECE;
    struct terminal_job *work = calloc(1, sizeof *work + size);

    if (!work)
        return NULL;
    work->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (work->fd < 0) {
        free(work);
        return NULL;
    }
    work->job.run = run;
    work->job.drop = drop;
    work->size = size;
    memcpy(work->text, iov->iov_base, size);
    return work;
}

ssize_t bine__attempt_terminal(struct bine__transfer *transfer, const struct iovec *iov)
{
    struct terminal_job *work;
    ssize_t result;

    for (; iov->iov_len == 0; iov++)
        ; /* there is one that is not empty: the total says so */
    work = make(transfer->fd, iov);
    if (!work || bine__offload(transfer->self->loop, transfer->self, &work->job, BINE__OFFLOAD_FILE) != 0)
        return -1;
    result = work->result;
    errno = work->error;
    close(work->fd);
    free(work);
    return result;
}
