/* SPDX-License-Identifier: MIT
 *
 * Channels: made, used by one call at a time, closed, freed.  chan.h says how values move, select.c waits for
 * several. */
#include "sync/shared.h"

#include <stdlib.h>

enum { WORD = 8 }; /* bytes: a pointer, a 64-bit number */

bine_chan *bine_chan_new(size_t element_size, size_t capacity, bine_drop_fn *drop)
{
    size_t bytes;
    if (__builtin_mul_overflow(element_size, capacity, &bytes) || bytes > SIZE_MAX / 2 - sizeof(bine_chan) ||
        element_size > SIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    bine_chan *chan = malloc(sizeof *chan + bytes);
    if (!chan)
        return NULL;
    *chan = (bine_chan){.magic = BINE__CHAN_MAGIC,
                        .element_size = element_size,
                        .capacity = capacity,
                        .end = bytes,
                        .drop = drop};
    return chan;
}

int bine_chan_free(bine_chan *chan)
{
    if (bine__chan_shared(chan))
        return bine__shared_free(chan);
    if (!bine__chan_good(chan, chan))
        return bine__error(EINVAL);
    if (!bine__line_empty(&chan->senders) || !bine__line_empty(&chan->receivers))
        return bine__error(EBUSY);
    chan->magic = 0;
    for (; chan->drop && chan->length; bine__chan_shift(chan))
        chan->drop(chan->buffer + chan->first);
    free(chan);
    return 0;
}

/* Where it has to wait. */
static __attribute__((noinline)) int wait(struct bine_task *self, bine_chan *chan, struct bine__line *line,
                                          enum bine__wait kind, void *element)
{
    struct bine__meeting meeting = {.element = element, .selection = NULL};
    int error = bine__line_wait(line, &meeting.turn, self, kind, chan);
    if (bine__likely(!error))
        error = meeting.turn.error;
    return bine__outcome(error);
}

static __attribute__((noinline)) int send_slowly(bine_chan *chan, const void *element)
{
    if (bine__chan_shared(chan))
        return bine__shared_send(chan, element, false);
    if (!bine__chan_good(chan, element))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (bine__unlikely(!self))
        return -1;
    int error = bine__chan_send_now(chan, element);
    if (bine__unlikely(error == EAGAIN))
        return wait(self, chan, &chan->senders, BINE__WAIT_SEND, (void *)(uintptr_t)element);
    return bine__outcome(error);
}

static __attribute__((noinline)) int receive_slowly(bine_chan *chan, void *element)
{
    if (bine__chan_shared(chan))
        return bine__shared_receive(chan, element, false);
    if (!bine__chan_good(chan, element))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (bine__unlikely(!self))
        return -1;
    int error = bine__chan_receive_now(chan, element);
    if (bine__unlikely(error == EAGAIN))
        return wait(self, chan, &chan->receivers, BINE__WAIT_RECEIVE, element);
    return bine__outcome(error);
}

/* What most calls on a buffer find: a task that may go on, a value of one word, and nobody who waits.  These
 * need no frame, and take three quarters of the time (measured with tests/bench, work buffer); all else is in
 * the functions above.  What tells most is looked at first. */
static inline bool is_plain(const bine_chan *chan, const void *element, const struct bine_loop *loop)
{
    return bine__chan_good(chan, element) && chan->element_size == WORD && loop &&
           loop->current != &loop->root && !loop->current->alert && loop->budget > 0;
}

int bine_chan_send(bine_chan *chan, const void *element)
{
    struct bine_loop *loop = bine__loop;
    if (!chan || chan->length >= chan->capacity || !bine__line_empty(&chan->receivers) || chan->closed ||
        !is_plain(chan, element, loop))
        return send_slowly(chan, element);
    bine__charge(loop, 1);
    memcpy(chan->buffer + chan->next, element, WORD);
    chan->next = chan->next + WORD == chan->end ? 0 : chan->next + WORD;
    chan->length++;
    bine__check_call(loop->current);
    bine__check_put(chan);
    return 0;
}

int bine_chan_recv(bine_chan *chan, void *element)
{
    struct bine_loop *loop = bine__loop;
    if (!chan || !chan->length || !bine__line_empty(&chan->senders) || !is_plain(chan, element, loop))
        return receive_slowly(chan, element);
    bine__charge(loop, 1);
    memcpy(element, chan->buffer + chan->first, WORD);
    chan->first = chan->first + WORD == chan->end ? 0 : chan->first + WORD;
    chan->length--;
    bine__check_call(loop->current);
    bine__check_found(chan, true);
    return 0;
}

int bine_chan_send_try(bine_chan *chan, const void *element)
{
    if (bine__chan_shared(chan))
        return bine__shared_send(chan, element, true);
    if (!bine__chan_good(chan, element))
        return bine__error(EINVAL);
    return bine__outcome(bine__chan_send_now(chan, element));
}

int bine_chan_recv_try(bine_chan *chan, void *element)
{
    if (bine__chan_shared(chan))
        return bine__shared_receive(chan, element, true);
    if (!bine__chan_good(chan, element))
        return bine__error(EINVAL);
    return bine__outcome(bine__chan_receive_now(chan, element));
}

static void dismiss(struct bine__line *line)
{
    while (!bine__line_empty(line)) {
        struct bine__meeting *meeting = bine__chan_take(line);
        if (!meeting)
            return;
        meeting->turn.error = EPIPE;
        bine__line_wake(&meeting->turn);
    }
}

int bine_chan_close(bine_chan *chan)
{
    if (bine__chan_shared(chan))
        return bine__shared_close(chan);
    if (!bine__chan_good(chan, chan))
        return bine__error(EINVAL);
    if (chan->closed)
        return bine__error(EPIPE);
    if (!bine__line_ours(&chan->senders) || !bine__line_ours(&chan->receivers))
        return bine__error(EPERM);
    chan->closed = true;
    dismiss(&chan->receivers);
    dismiss(&chan->senders);
    return 0;
}

size_t bine_chan_length(const bine_chan *chan)
{
    if (bine__chan_shared(chan))
        return bine__shared_length((bine_chan *)(uintptr_t)chan);
    return bine__chan_good(chan, chan) ? chan->length : 0;
}
