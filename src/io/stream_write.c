/* SPDX-License-Identifier: MIT
 *
 * Writing to a stream: buffering, which never switches, and flushing, which does.
 *
 * A write is buffered whole or not at all, so that a caller who gets ENOBUFS may flush and say it again.
 * While a task flushes, the kernel may be given the buffer's address at any wake-up, so that nothing may move
 * it.  What is written then goes to a second buffer, which takes the place of the first when that is empty:
 * the task that flushes takes it along.  If it fails, both stay as they are, and so does their order. */
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

    if (!error && stream->shutting)
        error = EBUSY;
    if (!error && stream->shut)
        error = EPIPE;
    return error ? bine__error(error) : 0;
}

/* Bytes that may still be buffered. */
static size_t allowance(const struct bine_stream *stream)
{
    const size_t used = stream->out.used + stream->next.used;

    return used < stream->write_limit ? stream->write_limit - used : 0;
}

/* The one that ends what is held, and that nobody is sending from. */
static struct bine__buffer *last_buffer(struct bine_stream *stream)
{
    return stream->writing || stream->next.used > 0 ? &stream->next : &stream->out;
}

int bine_stream_write(bine_stream *stream, const void *buf, size_t n)
{
    struct bine__buffer *buffer;

    if (check_writable(stream) != 0)
        return -1;
    if (n == 0)
        return 0;
    if (!buf)
        return bine__error(EINVAL);
    if (n > allowance(stream))
        return bine__error(ENOBUFS);
    buffer = last_buffer(stream);
    if (bine__buffer_reserve(buffer, n, stream->write_limit) != 0)
        return -1;
    memcpy(bine__buffer_end(buffer), buf, n);
    buffer->used += n;
    bine__check_moved(buf, (ssize_t)n, true);
    return 0;
}

/* Formats in place: at the first try into what room there is, and again if that was too little.  The text
 * is not part of the buffer (used has not grown) until it is known to fit. */
int bine_stream_printf(bine_stream *stream, const char *format, ...)
{
    struct bine__buffer *buffer;
    va_list arguments;
    size_t space;
    int length;

    if (check_writable(stream) != 0)
        return -1;
    if (!format)
        return bine__error(EINVAL);
    buffer = last_buffer(stream);
    for (;;) {
        space = buffer->room - buffer->start - buffer->used;
        va_start(arguments, format);
        length = vsnprintf(space ? bine__buffer_end(buffer) : NULL, space, format, arguments);
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
        if (bine__buffer_reserve(buffer, (size_t)length + 1, stream->write_limit + 1) != 0)
            return -1;
    }
    buffer->used += (size_t)length;
    bine__buffer_trim(buffer);
    va_start(arguments, format);
    bine__check_formats(format, arguments);
    va_end(arguments);
    return 0;

fail:
    bine__buffer_trim(buffer);
    return -1;
}

/* Whether something is left to send; then it is in out. */
static bool unsent(struct bine_stream *stream)
{
    if (stream->out.used == 0) {
        bine__buffer_trim(&stream->out);
        stream->out = stream->next;
        stream->next = (struct bine__buffer){0};
    }
    return stream->out.used > 0;
}

/* What was not taken stays, in order, for the next try.  Another task may write wherever this one waits. */
static int flush(struct bine_stream *stream)
{
    do {
        while (unsent(stream)) {
            const ssize_t n = bine__stream_push(stream, bine__buffer_begin(&stream->out), stream->out.used);
            if (n < 0)
                return -1;
            bine__buffer_consume(&stream->out, (size_t)n);
        }
        /* A transport may hold some back that an earlier call, cut short, has given it. */
        if (stream->transport && bine__stream_push(stream, "", 0) < 0)
            return -1;
    } while (stream->next.used > 0);
    return 0;
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
    stream->shutting = true; /* what is accepted now could not be sent any more */
    result = flush(stream);
    if (result == 0 && !stream->shut) {
        result = shut(stream);
        stream->shut = result == 0;
    }
    stream->writing = stream->shutting = false;
    return result;
}
