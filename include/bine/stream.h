/* SPDX-License-Identifier: MIT
 *
 * Buffered streams over a descriptor, or over a transport such as TLS: lines, delimiters, exact counts, and
 * writes that never switch.
 *
 * One task may read and one may flush at a time; a second gets EBUSY.  Any may write.  A call that fails with
 * ECANCELED or ETIMEDOUT has lost nothing: what arrived stays buffered for the next call. */
#ifndef BINE_STREAM_H
#define BINE_STREAM_H

#include <bine/base.h>

BINE_BEGIN_DECLS

typedef struct bine_stream bine_stream;

/* Takes the descriptor over (on failure it stays the caller's).  Buffers are allocated when first used.
 * Each side holds up to 64 KiB unless bine_stream_set_limits() says otherwise (0: as it was). */
BINE_EXPORT bine_stream *bine_stream_new(int fd);
BINE_EXPORT int bine_stream_set_limits(bine_stream *, size_t read_limit, size_t write_limit);

/* What a stream reads from and writes to instead of a descriptor.  read and write are as bine_read() and
 * bine_write() are, and have lost nothing when they fail; write with n = 0 passes on what it holds itself.
 * close never switches; while a task is inside read or write it wakes that with EBADF, fails with EBUSY, and
 * is called again afterwards.  shutdown_write and fd (the descriptor beneath, for looking at) may be NULL. */
typedef struct bine_transport {
    ssize_t (*read)(void *object, void *buf, size_t n);
    ssize_t (*write)(void *object, const void *buf, size_t n);
    int (*shutdown_write)(void *object);
    int (*close)(void *object);
    int (*fd)(void *object);
} bine_transport;

/* As bine_stream_new(), over object, which it takes over; the transport's struct must stay where it is. */
#define bine_stream_over(transport, object) \
    bine_stream_over_sized((transport), (object), sizeof(bine_transport))
BINE_EXPORT bine_stream *bine_stream_over_sized(const bine_transport *, void *object, size_t size);

/* Never switches.  Closes the descriptor and frees the stream; what was not flushed is discarded.
 * EBUSY while a task is inside one of its calls: that task is woken with EBADF; close again afterwards. */
BINE_EXPORT int bine_stream_close(bine_stream *);

/* Yields.  Flushes, then tells the peer that no more will come. */
BINE_EXPORT int bine_stream_shutdown_write(bine_stream *);
BINE_EXPORT int bine_stream_fd(const bine_stream *);

/* Yields.  Up to n bytes, at least one; 0: end of file. */
BINE_EXPORT ssize_t bine_stream_read(bine_stream *, void *buf, size_t n);
/* Yields.  n bytes; fewer only at end of file.  On any other error -1, and nothing is taken out. */
BINE_EXPORT ssize_t bine_stream_read_exactly(bine_stream *, void *buf, size_t n);
/* Yields.  Up to and including the newline or the delimiter, ended with a NUL that is not counted.  The
 * last piece before end of file may lack it; then 0.  EMSGSIZE: longer than size - 1 or than the limit;
 * nothing is taken out. */
BINE_EXPORT ssize_t bine_stream_read_line(bine_stream *, char *line, size_t size);
BINE_EXPORT ssize_t bine_stream_read_until(bine_stream *, const void *delimiter, size_t length, char *buf, size_t size);

/* Never switch.  All of it is buffered, or none: -1/ENOBUFS past the limit, -1/EPIPE after shutdown, -1/EBUSY
 * during it.  While another task flushes it goes behind what that sends. */
BINE_EXPORT int bine_stream_write(bine_stream *, const void *buf, size_t n);
BINE_EXPORT int bine_stream_printf(bine_stream *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Yields until all that was written is with the kernel, also what others wrote meanwhile. */
BINE_EXPORT int bine_stream_flush(bine_stream *);
/* Bytes buffered and not yet read, not yet flushed. */
BINE_EXPORT size_t bine_stream_unread(const bine_stream *);
BINE_EXPORT size_t bine_stream_unflushed(const bine_stream *);

/* Marks a stream whose protocol state is lost: every later call but close fails with EPROTO. */
BINE_EXPORT void bine_stream_poison(bine_stream *);

BINE_END_DECLS
#endif
