/* SPDX-License-Identifier: MIT
 *
 * opendir, readdir and closedir.
 *
 * Directories cannot be polled, and reading one may wait for a disk: the threads do it.  A thread reads
 * entries ahead until a batch is full, so that most calls of bine_readdir() find theirs in memory.
 *
 * The entries of a batch stand one behind the other as readdir(3) gave them, each with its d_reclen, in the
 * one buffer that the directory has.  An entry is good until the next call, as with readdir(3).
 *
 * A directory is one task's at a time: while a thread reads for it, everybody else gets EBUSY, for its
 * buffer and its DIR are the thread's then. */
#define _GNU_SOURCE
#include "io/io.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <bine/io.h>

#include "io/offload.h"

/* Bytes: some hundred entries, and the longest name several times over. */
enum { BATCH = 4096 };
_Static_assert(BATCH >= 4 * sizeof(struct dirent), "a batch holds any entry");

struct bine_dir {
    struct bine__job job; /* of reading a batch */
    DIR *dir;
    bool busy;          /* a thread is reading */
    bool ended;         /* the end has been reached; what is in the batch comes before it */
    int error;          /* what comes behind the batch: an errno value, or 0 */
    size_t used, next;  /* bytes in the batch, and given out of them */
    struct dirent *kept; /* did not fit into the last batch: the first of the next one */
    char batch[BATCH] __attribute__((aligned(8)));
};

/* ---- Open ------------------------------------------------------------------------------------------- */

struct open_job {
    struct bine__job job;
    DIR *dir;
    int error;
    char path[];
};

static void run_open(struct bine__job *job)
{
    struct open_job *work = bine__list_entry(job, struct open_job, job);

    work->dir = opendir(work->path);
    work->error = errno;
}

/* The task has left: a directory that comes late is nobody's. */
static void drop_open(struct bine__job *job)
{
    struct open_job *work = bine__list_entry(job, struct open_job, job);

    if (work->dir)
        closedir(work->dir);
    free(work);
}

/* NULL with errno. */
static DIR *open_on_thread(struct bine_task *self, const char *path)
{
    size_t size = strnlen(path, PATH_MAX) + 1;
    struct open_job *work;
    DIR *dir;

    if (size > PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    work = calloc(1, sizeof *work + size);
    if (!work)
        return NULL;
    work->job.run = run_open;
    work->job.drop = drop_open;
    memcpy(work->path, path, size);
    if (bine__offload(self->loop, self, &work->job, BINE__OFFLOAD_FILE) != 0)
        return NULL;
    dir = work->dir;
    errno = work->error;
    free(work);
    return dir;
}

bine_dir *bine_opendir(const char *path)
{
    struct bine_task *self = bine__begin();
    struct bine_dir *dir;

    if (!self)
        return NULL;
    if (!path) {
        errno = EFAULT;
        return NULL;
    }
    dir = malloc(sizeof *dir);
    if (!dir)
        return NULL;
    memset(dir, 0, offsetof(struct bine_dir, batch));
    dir->dir = open_on_thread(self, path);
    if (!dir->dir) {
        int error = errno;
        free(dir);
        errno = error;
        return NULL;
    }
    return dir;
}

/* ---- Read ------------------------------------------------------------------------------------------- */

static bool keep(struct bine_dir *dir, const struct dirent *entry)
{
    const size_t size = (entry->d_reclen + (size_t)7) & ~(size_t)7;

    if (size > BATCH - dir->used)
        return false;
    memcpy(dir->batch + dir->used, entry, entry->d_reclen);
    dir->used += size;
    return true;
}

static void run_read(struct bine__job *job)
{
    struct bine_dir *dir = bine__list_entry(job, struct bine_dir, job);
    struct dirent *entry = dir->kept;

    dir->kept = NULL;
    for (;;) {
        if (!entry) {
            errno = 0;
            entry = readdir(dir->dir);
        }
        if (!entry) {
            dir->error = errno;
            dir->ended = true;
            return;
        }
        if (!keep(dir, entry)) {
            dir->kept = entry; /* good until the next readdir(3) */
            return;
        }
        entry = NULL;
    }
}

static int next_batch(struct bine_task *self, struct bine_dir *dir)
{
    int result;

    dir->used = dir->next = 0;
    memset(&dir->job, 0, sizeof dir->job);
    dir->job.run = run_read;
    dir->busy = true;
    result = bine__offload(self->loop, self, &dir->job, BINE__OFFLOAD_FILE);
    dir->busy = false;
    return result;
}

struct dirent *bine_readdir(bine_dir *dir)
{
    const int before = errno;
    struct bine_task *self = bine__begin();
    struct dirent *entry;

    if (!self)
        return NULL;
    if (!dir || dir->busy) {
        errno = dir ? EBUSY : EINVAL;
        return NULL;
    }
    if (dir->next == dir->used && !dir->ended && next_batch(self, dir) != 0)
        return NULL;
    if (dir->next == dir->used) { /* the end, which an error is too */
        errno = dir->error ? dir->error : before;
        return NULL;
    }
    entry = (struct dirent *)(void *)(dir->batch + dir->next);
    dir->next += (entry->d_reclen + (size_t)7) & ~(size_t)7;
    return entry;
}

int bine_closedir(bine_dir *dir)
{
    int result;

    if (!dir || dir->busy)
        return bine__error(dir ? EBUSY : EINVAL);
    result = closedir(dir->dir);
    free(dir);
    return result;
}
