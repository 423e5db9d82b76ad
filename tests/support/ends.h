/* SPDX-License-Identifier: MIT
 *
 * A stream under test and the bare descriptor at its other end; and bytes that tell their place. */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"

enum { KIB = 1024, LIMIT = 64 * KIB };

struct ends {
    bine_stream *stream;
    int peer;
};

static inline struct ends ends_open(void)
{
    int fd[2] = {-1, -1};
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    return (struct ends){bine_stream_new(fd[0]), fd[1]};
}

static inline void ends_close(struct ends *ends)
{
    expect_ok(bine_stream_close(ends->stream));
    if (ends->peer >= 0)
        expect_ok(bine_close(ends->peer));
}

static inline void say(int fd, const char *text)
{
    expect_int(bine_write_full(fd, text, strlen(text)), ==, strlen(text));
}

static inline void hang_up(struct ends *ends)
{
    expect_ok(bine_close(ends->peer));
    ends->peer = -1;
}

/* Bytes that tell their place. */
static inline unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7);
}

static inline unsigned char *pattern_new(size_t n)
{
    unsigned char *bytes = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern(i);
    return bytes;
}

static inline bool is_pattern(const void *data, size_t from, size_t n)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != pattern(from + i))
            return false;
    return true;
}

struct bulk {
    int fd;
    size_t n;
};

static inline void *send_pattern(void *arg)
{
    const struct bulk *bulk = arg;
    unsigned char *bytes = pattern_new(bulk->n);
    expect_int(bine_write_full(bulk->fd, bytes, bulk->n), ==, bulk->n);
    free(bytes);
    return NULL;
}

#endif
