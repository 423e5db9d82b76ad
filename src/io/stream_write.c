/* SPDX-License-Identifier: MIT
 *
 * Writing to a stream: buffering, which never switches, and flushing, which does.
 *
 * A write is buffered whole or not at all, so that a caller who gets ENOBUFS may flush and say it again.
 * While a task flushes, the kernel may be given the buffer's address at any wake-up: nobody else may write
 * then, since that could move it, and gets EBUSY. */
#include "io/stream.h"

#include <bine/io.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "runtime/runtime.h"

/* Whether something may be buffered now: 0, or -1 with errno. */
static int check_writable(const struct bine_stream *stream)
{
    int error = bine__stream_check(stream);

    if (!error && stream->writing)
        error = EBUSY;
    if (!error && stream->shut)
        error = EPIPE;
    return error ? bine__error(error) : 0;
}

/* Bytes that may still be buffered. */
static size_t allowance(const struct bine_stream *stream)
{
    return stream->out.used < stream->write_limit ? stream->write_limit - stream->out.used : 0;
}

int bine_stream_write(bine_stream *stream, const void *buf, size_t n)
{
    if (check_writable(stream) != 0)
        return -1;
    if (n == 0)
        return 0;
    if (!buf)
        return bine__error(EINVAL);
    if (n > allowance(stream))
        return bine__error(ENOBUFS);
    if (bine__buffer_reserve(&stream->out, n, stream->write_limit) != 0)
        return -1;
    memcpy(bine__buffer_end(&stream->out), buf, n);
    stream->out.used += n;
    return 0;
}

/* Formats in place: at the first try into what room there is, and again if that was too little.  The text
 * is not part of the buffer (used has not grown) until it is known to fit. */
int bine_stream_printf(bine_stream *stream, const char *format, ...)
{
    va_list arguments;
    size_t space;
    int length;

    if (check_writable(stream) != 0)
        return -1;
    if (!format)
        return bine__error(EINVAL);
    for (;;) {
        space = stream->out.room - stream->out.start - stream->out.used;
        va_start(arguments, format);
        length = vsnprintf(space ? bine__buffer_end(&stream->out) : NULL, space, format, arguments);
        va_end(arguments);
        if (length < 0)
            goto fail;
        if ((size_t)length > allowance(stream)) {
            errno = ENOBUFS;
            goto fail;
        }
        if ((size_t)length < space || length == 0)
            break;
        /* One more than the limit allows: for the NUL, which is not sent. */
        if (bine__buffer_reserve(&stream->out, (size_t)length + 1, stream->write_limit + 1) != 0)
            return -1;
    }
    stream->out.used += (size_t)length;
    bine__buffer_trim(&stream->out);
    return 0;

fail:
    bine__buffer_trim(&stream->out);
    return -1;
}

/* What was not taken stays, in order, for the next try. */
static int flush(struct bine_stream *stream)
{
    while (stream->out.used > 0) {
        const ssize_t n = bine__stream_push(stream, bine__buffer_begin(&stream->out), stream->out.used);
        if (n < 0)
            return -1;
        bine__buffer_consume(&stream->out, (size_t)n);
    }
    /* A transport may hold some back that an earlier call, cut short, has given it. */
    return stream->transport ? (int)bine__stream_push(stream, "", 0) : 0;
}

static int shut(struct bine_stream *stream)
{
    if (!stream->transport)
        return bine_shutdown(stream->fd, SHUT_WR);
    if (!stream->transport->shutdown_write)
        return bine__error(ENOTSUP);
    return stream->closed ? bine__error(EBADF) : stream->transport->shutdown_write(stream->object);
}

int bine_stream_flush(bine_stream *stream)
{
    int result;

    if (bine__stream_enter(stream, stream ? &stream->writing : NULL) != 0)
        return -1;
    result = flush(stream);
    stream->writing = false;
    return result;
}

int bine_stream_shutdown_write(bine_stream *stream)
{
    int result;

    if (bine__stream_enter(stream, stream ? &stream->writing : NULL) != 0)
        return -1;
    result = flush(stream);
    if (result == 0 && !stream->shut) {
        result = shut(stream);
        stream->shut = result == 0;
    }
    stream->writing = false;
    return result;
}
