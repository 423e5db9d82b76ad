/* SPDX-License-Identifier: MIT
 *
 * Tasks that each read once, into a buffer of their own, and note what came of it. */
#ifndef TESTS_READING_H
#define TESTS_READING_H

#include "support/support.h"

struct reading {
    int fd, flags;
    size_t size; /* of what is asked for; 0: the whole buffer */
    char buf[64];
    ssize_t n;
    int error;
};

static inline size_t reading_size(const struct reading *reading)
{
    return reading->size ? reading->size : sizeof reading->buf;
}

static inline void *read_it(void *arg)
{
    struct reading *reading = arg;
    errno = 0;
    reading->n = bine_read(reading->fd, reading->buf, reading_size(reading));
    reading->error = errno;
    return NULL;
}

static inline void *recv_it(void *arg)
{
    struct reading *reading = arg;
    errno = 0;
    reading->n = bine_recv(reading->fd, reading->buf, reading_size(reading), reading->flags);
    reading->error = errno;
    return NULL;
}

#endif
