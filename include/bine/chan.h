/* SPDX-License-Identifier: MIT
 *
 * Channels of values, and select over them, as in Go; between the tasks of one loop, or of several.
 *
 * Values are copied.  capacity 0: a send meets a receive; else up to so many are buffered.  First in, first
 * out, for values and for those who wait.  A value that was handed over is never lost to a cancellation that
 * came with it.  What yields needs a task: EPERM outside of a run, EDEADLK in a callback; the rest may be
 * called anywhere on the loop's thread (select_try inside a run).  Tasks of another loop are never woken:
 * EPERM. */
#ifndef BINE_CHAN_H
#define BINE_CHAN_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

typedef struct bine_chan bine_chan;

/* element_size in bytes, may be 0 (signals alone).  drop (may be NULL) gets the address of each value left in
 * the buffer when the channel is freed.  NULL/ENOMEM; EINVAL: larger than SIZE_MAX / 2 in all. */
BINE_EXPORT bine_chan *bine_chan_new(size_t element_size, size_t capacity, bine_drop_fn *drop);
/* The same between loops: tasks of any loop send, receive and select; what does not yield may be called from any
 * thread.  It must not be freed before the last call on it has returned. */
BINE_EXPORT bine_chan *bine_chan_new_shared(size_t element_size, size_t capacity, bine_drop_fn *drop);
/* EBUSY while a task waits (close it first, and let them go). */
BINE_EXPORT int bine_chan_free(bine_chan *);

BINE_EXPORT int bine_chan_send(bine_chan *, const void *element); /* yields; EPIPE: closed */
BINE_EXPORT int bine_chan_recv(bine_chan *, void *element);       /* yields; EPIPE: closed and drained */
BINE_EXPORT int bine_chan_send_try(bine_chan *, const void *element); /* EAGAIN: it would wait */
BINE_EXPORT int bine_chan_recv_try(bine_chan *, void *element);       /* EAGAIN: it would wait */
/* Never switches.  Those who wait to send fail with EPIPE, to receive too.  EPIPE: it was closed already. */
BINE_EXPORT int bine_chan_close(bine_chan *);
BINE_EXPORT size_t bine_chan_length(const bine_chan *); /* values in the buffer */

/* One of the things that a select waits for.  A case without a channel never happens. */
typedef struct bine_case {
    bine_chan *chan;
    const void *send; /* of a send: the value */
    void *recv;       /* of a receive: where the value goes */
    int error;        /* out: 0, or EPIPE: the channel is closed (and, to receive, drained) */
    bool sends;       /* which of the two it is */
} bine_case;
BINE_EXPORT bine_case bine_case_send(bine_chan *, const void *element);
BINE_EXPORT bine_case bine_case_recv(bine_chan *, void *element);

/* Yields until one of n cases can happen, and does exactly that one: its index; of several that can, one
 * drawn at random, so that none is starved.  A closed channel's case happens, with .error set.  Without any
 * case it waits for its scope.  -1: EINVAL, ENOMEM; ECANCELED, ETIMEDOUT. */
BINE_EXPORT int bine_chan_select(bine_case[], size_t n);
/* Never switches: -1/EAGAIN if none can happen (Go's default). */
BINE_EXPORT int bine_chan_select_try(bine_case[], size_t n);

BINE_END_DECLS
#endif
