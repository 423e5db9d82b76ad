/* SPDX-License-Identifier: MIT
 *
 * Reading from a stream.
 *
 * Bytes are taken out of the buffer only by a call that succeeds; so a call that fails, by cancellation, a
 * deadline, a limit or the kernel, has lost nothing, and can be made again, or another one instead.
 *
 * A reader that has to wait while nothing is buffered waits without a buffer: ten thousand idle connections
 * cost no page for what they might some day receive.  So the buffer is provided anew at each try, by an
 * attempt of our own under bine__transfer(), and given back at once if nothing came. */
#define _GNU_SOURCE /* memmem */
#include "io/stream.h"

#include <bine/io.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "io/io.h"
#include "runtime/runtime.h"

enum {
    DIRECT = 4096,              /* bytes: from here on a read goes into the caller's own memory */
    CHUNK_MAX = 64 * 1024,      /* bytes asked for at once: beyond this fewer calls save nothing */
    DIRECT_STEP = 256 * 1024    /* bytes of a huge exact read that are provided for ahead of their arrival */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- Getting more ---------------------------------------------------------------------------------- */

/* The next request is as large as the sender's speed suggests. */
static void adapt(struct bine_stream *stream, size_t asked, size_t got)
{
    if (got == asked && asked >= stream->chunk)
        stream->chunk = least(stream->chunk * 2, CHUNK_MAX);
    else if (got < stream->chunk / 4)
        stream->chunk = stream->chunk / 2 > BINE__STREAM_CHUNK ? stream->chunk / 2 : BINE__STREAM_CHUNK;
}

struct fill {
    struct bine__transfer transfer; /* first: an attempt gets its address */
    struct bine_stream *stream;
    struct iovec space;
};

/* The buffer's memory is there during the try, and stays only if something came.  (From a file it may come in
 * several tries: then done counts what is there already, and the space is still the same.) */
static ssize_t attempt(struct bine__transfer *transfer)
{
    struct fill *fill = (struct fill *)(void *)transfer;
    struct bine__buffer *in = &fill->stream->in;
    ssize_t n;

    if (bine__buffer_reserve(in, fill->space.iov_len, fill->stream->read_limit) != 0)
        return -1;
    fill->space.iov_base = bine__buffer_end(in);
    n = bine__attempt_any(transfer);
    transfer->more = false; /* the next attempt would read over what came */
    if (n <= 0 && transfer->done == 0)
        bine__buffer_trim(in);
    return n;
}

/* A transport waits inside its own read, so the buffer is there for as long. */
static ssize_t fill_over(struct bine_stream *stream, size_t space)
{
    struct bine__buffer *in = &stream->in;
    ssize_t n;

    if (bine__buffer_reserve(in, space, stream->read_limit) != 0)
        return -1;
    n = bine__stream_pull(stream, bine__buffer_end(in), space);
    if (n <= 0) {
        bine__buffer_trim(in);
        return n;
    }
    in->used += (size_t)n;
    adapt(stream, space, (size_t)n);
    return n;
}

/* Reads some bytes behind those that are buffered, fewer than the limit.  How many; 0: end of file; -1. */
static ssize_t fill(struct bine_stream *stream)
{
    struct bine__buffer *in = &stream->in;
    /* At least as much again as there is: a record of any length takes few calls. */
    const size_t wish = in->used > stream->chunk ? in->used : stream->chunk;

    if (stream->transport)
        return fill_over(stream, least(wish, stream->read_limit - in->used));
    struct fill fill = {
        .transfer = {.attempt = attempt, .fd = stream->fd, .direction = BINE__IN, .extent = BINE__ONCE,
                     .count = 1, .offset = -1},
        .stream = stream,
        .space = {.iov_len = least(wish, stream->read_limit - in->used)},
    };
    ssize_t n;

    fill.transfer.iov = &fill.space;
    fill.transfer.total = fill.space.iov_len;
    n = bine__transfer(&fill.transfer);
    if (n < 0)
        return -1;
    in->used += (size_t)n;
    adapt(stream, fill.space.iov_len, (size_t)n);
    return n;
}

/* Moves n buffered bytes to the caller. */
static ssize_t take(struct bine_stream *stream, void *buf, size_t n)
{
    if (n > 0) {
        memcpy(buf, bine__buffer_begin(&stream->in), n);
        bine__buffer_consume(&stream->in, n);
    }
    return (ssize_t)n;
}

/* ---- Some bytes ------------------------------------------------------------------------------------ */

static ssize_t read_some(struct bine_stream *stream, void *buf, size_t n)
{
    if (stream->in.used == 0) {
        ssize_t got;
        if (n >= DIRECT)
            return bine__stream_pull(stream, buf, n);
        got = fill(stream);
        if (got <= 0)
            return got;
    }
    return take(stream, buf, least(n, stream->in.used));
}

ssize_t bine_stream_read(bine_stream *stream, void *buf, size_t n)
{
    ssize_t result = 0;

    if ((!buf && n > 0) || n > SSIZE_MAX)
        return bine__refuse(EINVAL);
    if (bine__stream_enter(stream, stream ? &stream->reading : NULL) != 0)
        return -1;
    if (n > 0)
        result = read_some(stream, buf, n);
    stream->reading = false;
    bine__check_moved(buf, result, false);
    return result;
}

/* ---- An exact count -------------------------------------------------------------------------------- */

/* Many bytes: they go straight into the caller's memory, and room is kept in the buffer for all that has
 * arrived, so that on failure it can be put there: nothing is taken out.  That room is seldom touched. */
static ssize_t read_exactly_direct(struct bine_stream *stream, char *buf, size_t n)
{
    struct bine__buffer *in = &stream->in;
    const size_t buffered = in->used;
    size_t have = buffered;
    ssize_t got = 0;

    if (buffered > 0)
        memcpy(buf, bine__buffer_begin(in), buffered);
    while (have < n) {
        const size_t step = least(n - have, DIRECT_STEP);
        got = bine__buffer_reserve(in, have - buffered + step, SIZE_MAX);
        if (got == 0)
            got = bine__stream_pull(stream, buf + have, step);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (got < 0) {
        if (have > buffered)
            memcpy(bine__buffer_end(in), buf + buffered, have - buffered);
        in->used = have;
        bine__buffer_trim(in);
        return -1;
    }
    bine__buffer_consume(in, buffered);
    return (ssize_t)have;
}

static ssize_t read_exactly(struct bine_stream *stream, void *buf, size_t n)
{
    while (stream->in.used < n) {
        ssize_t got;
        if (n > stream->read_limit || n - stream->in.used >= DIRECT)
            return read_exactly_direct(stream, buf, n);
        got = fill(stream);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
    }
    return take(stream, buf, least(n, stream->in.used));
}

ssize_t bine_stream_read_exactly(bine_stream *stream, void *buf, size_t n)
{
    ssize_t result;

    if ((!buf && n > 0) || n > SSIZE_MAX)
        return bine__refuse(EINVAL);
    if (bine__stream_enter(stream, stream ? &stream->reading : NULL) != 0)
        return -1;
    result = read_exactly(stream, buf, n);
    stream->reading = false;
    bine__check_moved(buf, result, false);
    return result;
}

/* ---- Up to a delimiter ----------------------------------------------------------------------------- */

static const char *find(const char *data, size_t n, const void *delimiter, size_t length)
{
    if (n < length)
        return NULL;
    return length == 1 ? memchr(data, *(const char *)delimiter, n) : memmem(data, n, delimiter, length);
}

static ssize_t read_until(struct bine_stream *stream, const void *delimiter, size_t length, char *buf,
                          size_t size)
{
    struct bine__buffer *in = &stream->in;
    const size_t most = least(size - 1, stream->read_limit);
    size_t searched = 0; /* no delimiter begins before this */
    ssize_t n;

    for (;;) {
        const size_t within = least(in->used, most);
        if (within > searched) {
            const char *begin = bine__buffer_begin(in);
            const char *found = find(begin + searched, within - searched, delimiter, length);
            if (found) {
                n = take(stream, buf, (size_t)(found - begin) + length);
                break;
            }
        }
        if (in->used > most || in->used >= stream->read_limit)
            return bine__error(EMSGSIZE);
        searched = within >= length ? within - length + 1 : 0; /* the delimiter may come in pieces */
        n = fill(stream);
        if (n < 0)
            return -1;
        if (n == 0) {
            n = take(stream, buf, in->used);
            break;
        }
    }
    buf[n] = '\0';
    return n;
}

ssize_t bine_stream_read_until(bine_stream *stream, const void *delimiter, size_t length, char *buf,
                               size_t size)
{
    ssize_t result;

    if (!delimiter || length == 0 || !buf || size == 0)
        return bine__refuse(EINVAL);
    if (bine__stream_enter(stream, stream ? &stream->reading : NULL) != 0)
        return -1;
    result = read_until(stream, delimiter, length, buf, size);
    stream->reading = false;
    bine__check_moved(buf, result + 1, false); /* and its NUL */
    return result;
}

ssize_t bine_stream_read_line(bine_stream *stream, char *line, size_t size)
{
    return bine_stream_read_until(stream, "\n", 1, line, size);
}
