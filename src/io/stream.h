/* SPDX-License-Identifier: MIT
 *
 * Inside a stream: its two buffers, and who is in it.  Shared by stream.c, stream_read.c and stream_write.c.
 *
 * It stands over a descriptor or over a transport (TLS, for one): bine__stream_pull() and bine__stream_push()
 * are the only places that know which.
 *
 * A buffer exists only while it holds something: an idle stream costs its struct alone, and a reader that
 * waits with nothing buffered has given its buffer back.
 *
 * While a task is inside a yielding call its side is marked, so that a second one gets EBUSY, and so that
 * nobody moves a buffer that a parked system call points into: what is written meanwhile goes to a buffer of
 * its own, behind the one that is being flushed.  The mark is set before anything that may switch and taken
 * away last; between the two the stream cannot be freed. */
#ifndef BINE_IO_STREAM_H
#define BINE_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bine/stream.h>

enum {
    BINE__STREAM_MAGIC = 0x73747265,
    BINE__STREAM_CLOSED = 0x64656164, /* the magic word afterwards, for as long as the memory lasts */
    BINE__STREAM_LIMIT = 64 * 1024,   /* bytes a side may hold unless told otherwise */
    BINE__STREAM_CHUNK = 1024         /* bytes: the least that is allocated and asked for.  malloc(3) keeps
                                       * blocks of this size at hand, so that giving one back is cheap */
};

struct bine__buffer {
    char *data;         /* NULL: none allocated */
    size_t start, used; /* what is held: data[start .. start + used) */
    size_t room;        /* bytes allocated */
};

struct bine_stream {
    uint32_t magic;
    bool closed;   /* about to be freed */
    bool reading;  /* a task is inside a call that reads */
    bool writing;  /* or inside one that flushes */
    bool shutting; /* and means to shut the stream afterwards */
    bool poisoned;
    bool shut;     /* bine_stream_shutdown_write() has succeeded */
    int fd;        /* -1: none, or closed */
    const struct bine_transport *transport; /* NULL: there is none, but fd; or it is gone */
    void *object;  /* the transport's */
    size_t chunk;  /* bytes to ask the kernel for: doubles while reads fill it */
    struct bine__buffer in, out;
    struct bine__buffer next; /* to follow out: written while out was being flushed */
    size_t read_limit, write_limit;
};

/* Whether the stream can be used at all: 0, or an errno value (EINVAL, EPROTO, EBADF). */
int bine__stream_check(const struct bine_stream *);

/* Opens a yielding call on the side: 0, or -1 with errno and nothing to leave. */
int bine__stream_enter(struct bine_stream *, bool *side);

/* Some bytes from what is beneath, or to it, as bine_read() and bine_write(). */
ssize_t bine__stream_pull(struct bine_stream *, void *buf, size_t n);
ssize_t bine__stream_push(struct bine_stream *, const void *buf, size_t n);

/* Room for extra bytes behind what is held, beyond cap only if it must.  -1/ENOMEM: all is as it was. */
int bine__buffer_reserve(struct bine__buffer *, size_t extra, size_t cap);

static inline char *bine__buffer_begin(const struct bine__buffer *buffer)
{
    return buffer->data + buffer->start;
}

static inline char *bine__buffer_end(const struct bine__buffer *buffer)
{
    return buffer->data + buffer->start + buffer->used;
}

/* Takes n bytes out at the front; gives the memory back with the last of them. */
void bine__buffer_consume(struct bine__buffer *, size_t n);

/* Gives the memory back if nothing is held. */
void bine__buffer_trim(struct bine__buffer *);

#endif
