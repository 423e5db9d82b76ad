/* SPDX-License-Identifier: MIT
 *
 * statx: what a file is, asked of a disk or a network that may take its time.
 *
 * The reactor asks if it carries out whole operations (io_uring), straight into the caller's memory, for it is
 * waited for; else a thread does, with memory of its own, because who waits for it may leave. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bine/io.h>

#include "io/offload.h"

struct stat_job {
    struct bine__job job;
    int dir, flags, result, error;
    int own; /* a copy of dir: the task may leave, and its number be another directory's then; -1: none */
    unsigned mask;
    struct statx status;
    char path[];
};

static void run_stat(struct bine__job *job)
{
    struct stat_job *work = bine__list_entry(job, struct stat_job, job);

    do
        work->result = statx(work->dir, work->path, work->flags, work->mask, &work->status);
    while (work->result == -1 && errno == EINTR);
    work->error = errno;
}

static void drop_stat(struct bine__job *job)
{
    struct stat_job *work = bine__list_entry(job, struct stat_job, job);

    if (work->own >= 0)
        close(work->own);
    free(work);
}

static int stat_on_thread(struct bine_task *self, const struct bine__op *op)
{
    const size_t size = strnlen(op->path, PATH_MAX) + 1;
    struct stat_job *work;
    int result;

    if (size > PATH_MAX)
        return bine__error(ENAMETOOLONG);
    work = malloc(sizeof *work + size);
    if (!work)
        return -1;
    *work = (struct stat_job){.job = {.run = run_stat, .drop = drop_stat},
                              .dir = op->fd,
                              .own = op->fd >= 0 && *op->path != '/' ? fcntl(op->fd, F_DUPFD_CLOEXEC, 0) : -1,
                              .flags = (int)op->flags,
                              .mask = op->length};
    memcpy(work->path, op->path, size);
    if (work->own >= 0) /* else there are no descriptors left: what it is when the thread looks must do */
        work->dir = work->own;
    if (bine__offload(self->loop, self, &work->job, BINE__OFFLOAD_FILE) != 0)
        return -1;
    result = work->result;
    if (result == 0)
        *op->status = work->status;
    else
        errno = work->error;
    const int error = errno;
    drop_stat(&work->job);
    errno = error;
    return result;
}

int bine_statx(int dir, const char *path, int flags, unsigned mask, struct statx *status)
{
    struct bine_task *self = bine__begin_on(dir);
    struct bine__fd *slot = self && dir >= 0 ? bine__fd_find(self->loop->io, dir) : NULL;
    struct bine__op op = {.verb = BINE__OP_STAT, .fd = dir, .path = path, .flags = (unsigned)flags, .length = mask,
                          .status = status};
    int elsewhere;

    if (!self)
        return -1;
    if (!path || !status)
        return bine__error(EFAULT);
    if (slot)
        bine__fd_lend(slot);
    elsewhere = bine__operate(self->loop, self, &op);
    if (slot)
        bine__fd_return(dir, slot);
    if (elsewhere == 1)
        return stat_on_thread(self, &op);
    return elsewhere == 0 ? bine__op_result(&op) : -1;
}
