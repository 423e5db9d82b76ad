/* SPDX-License-Identifier: MIT
 *
 * Buffered streams: making, closing, limits, and the buffers themselves.  Reading is stream_read.c,
 * writing stream_write.c.
 *
 * A stream that is closed under a task inside it lives on until that task has left: its descriptor is
 * closed at once, which wakes the task with EBADF, and the close that frees comes afterwards.
 *
 * With BINE_DEBUG=1 the last few closed streams are not freed but kept with their magic word changed, so
 * that a use after close is told rather than corrupting whatever got the memory next. */
#include "io/stream.h"

#include <bine/io.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/io.h"
#include "runtime/runtime.h"

/* ---- Buffers --------------------------------------------------------------------------------------- */

int bine__buffer_reserve(struct bine__buffer *buffer, size_t extra, size_t cap)
{
    size_t need, room = BINE__STREAM_CHUNK;
    char *data;

    if (extra <= buffer->room - buffer->used - buffer->start)
        return 0;
    if (extra > SIZE_MAX / 2 - buffer->used)
        return bine__error(ENOMEM);
    need = buffer->used + extra;
    if (buffer->start > 0) {
        memmove(buffer->data, bine__buffer_begin(buffer), buffer->used);
        buffer->start = 0;
        if (need <= buffer->room)
            return 0;
    }
    while (room < need)
        room *= 2; /* cannot overflow: need is at most half of what there is */
    if (room > cap && need <= cap)
        room = cap;
    data = realloc(buffer->data, room);
    if (!data)
        return -1;
    buffer->data = data;
    buffer->room = room;
    return 0;
}

void bine__buffer_trim(struct bine__buffer *buffer)
{
    const int error = errno;

    if (buffer->used > 0)
        return;
    free(buffer->data);
    *buffer = (struct bine__buffer){0};
    errno = error;
}

void bine__buffer_consume(struct bine__buffer *buffer, size_t n)
{
    buffer->start += n;
    buffer->used -= n;
    bine__buffer_trim(buffer);
}

/* ---- Quarantine ------------------------------------------------------------------------------------ */

enum { QUARANTINE_SIZE = 64 /* streams: some 10 KiB */ };

static pthread_mutex_t quarantine_lock = PTHREAD_MUTEX_INITIALIZER;
static struct bine_stream *quarantine[QUARANTINE_SIZE];
static unsigned quarantine_next;

static void release(struct bine_stream *stream)
{
    struct bine_stream *freed = stream;

    stream->magic = BINE__STREAM_CLOSED;
    if (bine__loop && bine__loop->debug) {
        pthread_mutex_lock(&quarantine_lock);
        freed = quarantine[quarantine_next];
        quarantine[quarantine_next] = stream;
        quarantine_next = (quarantine_next + 1) % QUARANTINE_SIZE;
        pthread_mutex_unlock(&quarantine_lock);
    }
    free(freed);
}

/* ---- Create ---------------------------------------------------------------------------------------- */

static struct bine_stream *stream_make(int fd)
{
    struct bine_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    stream->magic = BINE__STREAM_MAGIC;
    stream->fd = fd;
    stream->chunk = BINE__STREAM_CHUNK;
    stream->read_limit = stream->write_limit = BINE__STREAM_LIMIT;
    return stream;
}

bine_stream *bine_stream_new(int fd)
{
    return fcntl(fd, F_GETFD) < 0 ? NULL : stream_make(fd);
}

/* All members there are today were there in the first version: a smaller struct is no transport. */
bine_stream *bine_stream_over_sized(const bine_transport *transport, void *object, size_t size)
{
    struct bine_stream *stream;

    if (!transport || size < sizeof *transport || !transport->read || !transport->write || !transport->close) {
        errno = EINVAL;
        return NULL;
    }
    stream = stream_make(-1);
    if (!stream)
        return NULL;
    stream->transport = transport;
    stream->object = object;
    return stream;
}

int bine_stream_set_limits(bine_stream *stream, size_t read_limit, size_t write_limit)
{
    const int error = bine__stream_check(stream);

    if (error || read_limit > SSIZE_MAX || write_limit > SSIZE_MAX)
        return bine__error(error ? error : EINVAL);
    if (read_limit > 0)
        stream->read_limit = read_limit;
    if (write_limit > 0)
        stream->write_limit = write_limit;
    return 0;
}

/* ---- Use ------------------------------------------------------------------------------------------- */

int bine__stream_check(const struct bine_stream *stream)
{
    if (bine__unlikely(!stream))
        return EINVAL;
    if (bine__unlikely(stream->magic != BINE__STREAM_MAGIC)) {
        bine__report(BINE_REPORT_MISUSE, bine_self(), EINVAL,
                     stream->magic == BINE__STREAM_CLOSED ? "a stream is used after bine_stream_close()"
                                                          : "a stream is used that is none");
        return EINVAL;
    }
    if (stream->poisoned)
        return EPROTO;
    return stream->closed ? EBADF : 0;
}

int bine__stream_enter(struct bine_stream *stream, bool *side)
{
    int error = bine__stream_check(stream);

    if (!error && *side)
        error = EBUSY;
    if (error)
        return bine__refuse(error);
    *side = true;
    if (!bine__begin()) {
        *side = false;
        return -1;
    }
    error = bine__stream_check(stream); /* the budget may have let others run */
    if (error) {
        *side = false;
        return bine__error(error);
    }
    return 0;
}

/* Between two of these nothing switches that has not looked: the object is there. */
ssize_t bine__stream_pull(struct bine_stream *stream, void *buf, size_t n)
{
    if (!stream->transport)
        return bine_read(stream->fd, buf, n);
    return stream->closed ? bine__error(EBADF) : stream->transport->read(stream->object, buf, n);
}

ssize_t bine__stream_push(struct bine_stream *stream, const void *buf, size_t n)
{
    if (!stream->transport)
        return bine__write(stream->fd, buf, n);
    return stream->closed ? bine__error(EBADF) : stream->transport->write(stream->object, buf, n);
}

int bine_stream_fd(const bine_stream *stream)
{
    const int error = bine__stream_check(stream);

    if (error)
        return bine__error(error);
    if (!stream->transport)
        return stream->fd;
    return stream->transport->fd ? stream->transport->fd(stream->object) : bine__error(ENOTSUP);
}

size_t bine_stream_unread(const bine_stream *stream)
{
    return stream && stream->magic == BINE__STREAM_MAGIC ? stream->in.used : 0;
}

size_t bine_stream_unflushed(const bine_stream *stream)
{
    return stream && stream->magic == BINE__STREAM_MAGIC ? stream->out.used + stream->next.used : 0;
}

void bine_stream_poison(bine_stream *stream)
{
    const int error = bine__stream_check(stream);

    if (error == 0 || error == EBADF)
        stream->poisoned = true;
}

/* ---- Destroy --------------------------------------------------------------------------------------- */

/* Of what is beneath: a transport stays until nobody is inside it. */
static int close_beneath(struct bine_stream *stream)
{
    const int fd = stream->fd;
    int result;

    stream->closed = true;
    if (!stream->transport) {
        stream->fd = -1;
        return fd >= 0 ? bine_close(fd) : 0;
    }
    result = stream->transport->close(stream->object);
    if (result == 0 || errno != EBUSY)
        stream->transport = NULL; /* and fd is none: whoever comes back here finds nothing */
    return result;
}

int bine_stream_close(bine_stream *stream)
{
    int result;

    if (bine__stream_check(stream) == EINVAL)
        return bine__error(EINVAL);
    result = close_beneath(stream);
    if (stream->reading || stream->writing || stream->transport)
        return bine__error(EBUSY);
    free(stream->in.data);
    free(stream->out.data);
    free(stream->next.data);
    release(stream);
    return result;
}
