/* SPDX-License-Identifier: MIT
 *
 * Channels between loops: what they are made of, for their own calls and for select.
 *
 * A call that waits has one ticket, and an offer for each shared channel that it waits on, which stands in that
 * channel's line under the channel's lock.  A ticket goes
 *
 *     WAITING -> CLAIMED   by whoever serves it, on any thread, by one compare-and-swap
 *     WAITING -> LEFT      by its own task, whose scope has fired
 *
 * and only one of these ever succeeds: so a select is served once, though its offers stand in several lines under
 * several locks, and a value is moved only after its receiver has been claimed.
 *
 * Who unlinks, who touches last.  A server takes an offer out of its line before it claims; one that it cannot claim
 * is somebody else's by now, or nobody's, and stays out.  Whoever has claimed moves the value under the channel's
 * lock, then delivers the ticket: it puts it into the box of its loop (runtime/remote.c) and touches it no
 * more.  The task does not go on before its loop has taken the ticket out of there, even if its scope
 * has fired meanwhile: the hand-over wins.  Then it unlinks the offers that are left, each under its lock, and only
 * then is its stack its own again.
 *
 * A select locks all its shared channels, in the order of their addresses, looks at its cases and, if none can
 * happen, links its offers, before it unlocks any.  So nothing can come between, and whoever comes later finds it.
 *
 * Each ticket holds a reference to its loop: whoever delivers it gives that back, or its task if nobody does. */
#ifndef BINE_SYNC_SHARED_H
#define BINE_SYNC_SHARED_H

#include "sync/chan.h"

enum bine__ticket_state { BINE__TICKET_WAITING, BINE__TICKET_CLAIMED, BINE__TICKET_LEFT };

struct bine__ticket { /* on the stack of the task that waits */
    struct bine__remote note; /* first */
    _Atomic int state;        /* enum bine__ticket_state */
    struct bine_task *task;
    struct bine_loop *loop;
    size_t served; /* index of the case that happened: who has claimed it writes this and .error */
    int error;     /* 0, or EPIPE */
    bool arrived;  /* the loop's own */
    bool here;     /* served on a private channel, by a task of the same loop */
};

struct bine__offer {
    struct bine__list node; /* under the channel's lock */
    struct bine__ticket *ticket;
    void *element;
    size_t index;
};

struct bine__shared { /* where a private channel has its buffer; .length and .capacity of that are 0 here */
    pthread_mutex_t lock; /* guards what follows */
    bool closed;
    size_t length, capacity, first, next, end; /* as in struct bine_chan */
    struct bine__list senders, receivers;      /* of struct bine__offer */
    unsigned char ring[];
};

static inline bool bine__chan_shared(const bine_chan *chan)
{
    return bine__unlikely(chan && chan->magic == BINE__SHARED_MAGIC);
}

static inline struct bine__shared *bine__shared_of(bine_chan *chan)
{
    return (struct bine__shared *)(void *)chan->buffer;
}

static inline bool bine__ticket_settle(struct bine__ticket *ticket, enum bine__ticket_state to)
{
    int waiting = BINE__TICKET_WAITING;
    return atomic_compare_exchange_strong(&ticket->state, &waiting, (int)to);
}

/* Takes a reference to the loop. */
void bine__ticket_init(struct bine__ticket *, struct bine_task *);
/* Of one that the caller has claimed, when the locks are given up. */
void bine__ticket_deliver(struct bine__ticket *);
/* Until it is served: 0, and its offers may still be linked; or ECANCELED, ETIMEDOUT: it has left. */
int bine__ticket_wait(struct bine__ticket *, enum bine__wait, intptr_t object);

/* With the lock held: at once, or EAGAIN.  *served: a ticket to deliver, or NULL. */
int bine__shared_send_now(bine_chan *, const void *element, struct bine__ticket **served);
int bine__shared_receive_now(bine_chan *, void *element, struct bine__ticket **served);
/* Out of its line, if it is still there; takes the lock. */
void bine__offer_unlink(bine_chan *, struct bine__offer *);

/* The calls on a shared channel. */
int bine__shared_send(bine_chan *, const void *element, bool try);
int bine__shared_receive(bine_chan *, void *element, bool try);
int bine__shared_close(bine_chan *);
int bine__shared_free(bine_chan *);
size_t bine__shared_length(bine_chan *);
/* select_shared.c: a select with a shared channel among its cases. */
int bine__select_shared(bine_case[], size_t n, bool try);
/* select.c: in the lines of the private ones, and out of these. */
void bine__selection_enter(struct bine__selection *, struct bine_task *);
void bine__selection_leave(struct bine__selection *);
/* select.c: of those that are found one after the other, this is the n-th: is it the one?  Each has the same chance
 * if the first is taken and the last that this says yes to. */
bool bine__select_draws(struct bine_loop *, uint32_t n);

#endif
