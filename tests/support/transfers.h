/* SPDX-License-Identifier: MIT
 *
 * Tasks that each make one transfer and note what came of it. */
#ifndef TESTS_TRANSFERS_H
#define TESTS_TRANSFERS_H

#include "support/tasks.h"

struct transfer {
    int fd;
    void *buf;
    size_t n;
    ssize_t moved;
    int error;
};

static inline void *read_it(void *arg)
{
    struct transfer *t = arg;
    errno = 0;
    t->moved = bine_read(t->fd, t->buf, t->n);
    t->error = errno;
    return NULL;
}

static inline void *read_it_full(void *arg)
{
    struct transfer *t = arg;
    errno = 0;
    t->moved = bine_read_full(t->fd, t->buf, t->n);
    t->error = errno;
    return NULL;
}

static inline void *write_it_full(void *arg)
{
    struct transfer *t = arg;
    errno = 0;
    t->moved = bine_write_full(t->fd, t->buf, t->n);
    t->error = errno;
    return NULL;
}

#endif
