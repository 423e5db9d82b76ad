/* SPDX-License-Identifier: MIT
 *
 * What a channel is made of: for its own calls and for select.
 *
 * Invariants.  Who waits to receive finds no value, neither in the buffer nor with one who waits to send.
 * Who waits to send finds the buffer full.  So at most one of the two lines has anybody in it, except that a
 * select which waits for both stands in both; it cannot meet itself, for only a task that runs meets one that
 * waits.  On a channel that is closed nobody waits.
 *
 * A value goes straight from where it lies with the sender to where the receiver wants it, or through the
 * buffer; and who waited to send is done when his value has been taken, or has found room. */
#ifndef BINE_SYNC_CHAN_H
#define BINE_SYNC_CHAN_H

#include <string.h>

#include <bine/chan.h>

#include "sync/line.h"

enum { BINE__CHAN_MAGIC = 0x6368616e, BINE__SHARED_MAGIC = 0x73686172 /* shared.h */ };

struct bine_chan {
    uint32_t magic;
    bool closed;
    size_t element_size;
    size_t length;   /* values in the buffer */
    size_t capacity; /* values that it has room for */
    size_t first, next, end; /* bytes into the buffer: to the first value, to the next's place, to its end */
    struct bine__line senders, receivers;
    bine_drop_fn *drop;
    unsigned char buffer[];
};

struct bine__ticket;

struct bine__selection { /* a select that waits */
    struct bine__meeting *turns; /* one for each case; .turn.task is NULL where it stands in no line */
    bine_case *cases;
    size_t n;
    size_t served;               /* index of the case that happened; n: none has */
    struct bine__ticket *ticket; /* if there are shared channels among its cases: shared.h */
    bool left;                   /* none of its turns stands in a line any more */
};

struct bine__meeting { /* the turn of one that waits to send or to receive */
    struct bine__turn turn;
    void *element;                     /* where its value lies, or goes */
    struct bine__selection *selection; /* that it is one of; NULL: it stands alone */
};

/* select.c: one of its turns is about to be served; all of them leave their lines.  False: not that one, for
 * another loop has served it on a shared channel. */
bool bine__selection_settle(struct bine__meeting *);

static inline bool bine__chan_good(const bine_chan *chan, const void *element)
{
    return bine__likely(chan && chan->magic == BINE__CHAN_MAGIC && (element || !chan->element_size));
}

static inline bool bine__chan_can_send(const bine_chan *chan)
{
    return chan->length < chan->capacity || !bine__line_empty(&chan->receivers) || chan->closed;
}

static inline bool bine__chan_can_receive(const bine_chan *chan)
{
    return chan->length || !bine__line_empty(&chan->senders) || chan->closed;
}

/* A call of memcpy() costs more than a copy of the sizes that are most often meant. */
static inline void bine__chan_copy(const bine_chan *chan, void *to, const void *from)
{
    size_t size = chan->element_size;
    if (bine__likely(size == 8))
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else if (size)
        memcpy(to, from, size);
}

/* Behind the last, where there is room. */
static inline void bine__chan_push(bine_chan *chan, const void *element)
{
    bine__chan_copy(chan, chan->buffer + chan->next, element);
    chan->next += chan->element_size;
    if (chan->next == chan->end)
        chan->next = 0;
    chan->length++;
}

/* The first is gone. */
static inline void bine__chan_shift(bine_chan *chan)
{
    chan->first += chan->element_size;
    if (chan->first == chan->end)
        chan->first = 0;
    chan->length--;
}

/* The first that waits there, out of all its lines; NULL: nobody does, after all. */
static inline struct bine__meeting *bine__chan_take(struct bine__line *line)
{
    for (struct bine__turn *turn; (turn = bine__line_first(line));) {
        struct bine__meeting *meeting = bine__list_entry(turn, struct bine__meeting, turn);
        if (bine__likely(!meeting->selection)) {
            bine__line_remove(line, turn);
            return meeting;
        }
        if (bine__selection_settle(meeting))
            return meeting;
    }
    return NULL;
}

/* Sends if that can be at once: 0, EPIPE, EPERM, or EAGAIN. */
static inline __attribute__((always_inline)) int bine__chan_send_now(bine_chan *chan, const void *element)
{
    if (bine__unlikely(chan->closed))
        return EPIPE;
    if (!bine__line_empty(&chan->receivers)) {
        if (!bine__line_ours(&chan->receivers))
            return EPERM;
        struct bine__meeting *receiver = bine__chan_take(&chan->receivers);
        if (bine__likely(receiver != NULL)) {
            bine__chan_copy(chan, receiver->element, element);
            bine__line_wake(&receiver->turn);
            return 0;
        }
    }
    if (chan->length == chan->capacity)
        return EAGAIN;
    bine__chan_push(chan, element);
    bine__check_put(chan);
    return 0;
}

/* Receives if that can be at once: 0, EPIPE, EPERM, or EAGAIN. */
static inline __attribute__((always_inline)) int bine__chan_receive_now(bine_chan *chan, void *element)
{
    struct bine__meeting *sender = NULL;
    if (!bine__line_empty(&chan->senders)) {
        if (!bine__line_ours(&chan->senders))
            return EPERM;
        sender = bine__chan_take(&chan->senders);
    }
    if (chan->length) {
        bine__chan_copy(chan, element, chan->buffer + chan->first);
        bine__chan_shift(chan);
        bine__check_found(chan, true);
        if (!sender)
            return 0;
        bine__chan_push(chan, sender->element);
    } else if (sender) {
        bine__chan_copy(chan, element, sender->element);
    } else {
        return chan->closed ? EPIPE : EAGAIN;
    }
    bine__line_wake(&sender->turn);
    return 0;
}

#endif
