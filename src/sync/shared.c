/* SPDX-License-Identifier: MIT
 *
 * Channels between loops: their calls, but for select.  shared.h states the protocol. */
#include "sync/shared.h"

#include <stdlib.h>

/* ---- Tickets -------------------------------------------------------------------------------------- */

/* On the loop's own stack. */
static void arrive(struct bine__remote *note)
{
    struct bine__ticket *ticket = (struct bine__ticket *)(void *)note;

    ticket->arrived = true;
    bine__wake(ticket->task);
}

void bine__ticket_init(struct bine__ticket *ticket, struct bine_task *task)
{
    *ticket = (struct bine__ticket){.note.open = arrive, .task = task, .loop = bine_loop_ref(task->loop)};
}

void bine__ticket_deliver(struct bine__ticket *ticket)
{
    struct bine_loop *loop = ticket->loop;

    if (loop != bine__loop) {
        bine__remote_send(loop, &ticket->note);
        return;
    }
    arrive(&ticket->note);
    bine_loop_unref(loop);
}

int bine__ticket_wait(struct bine__ticket *ticket, enum bine__wait wait, intptr_t object)
{
    struct bine_task *self = ticket->task;
    struct bine_loop *loop = ticket->loop;
    int error;

    loop->outstanding++; /* another loop may end it */
    loop->remotes++;
    do
        error = bine__park(loop, self, wait, object);
    while (!error && !ticket->arrived);
    bool left = error && !ticket->arrived && bine__ticket_settle(ticket, BINE__TICKET_LEFT);
    while (!left && !ticket->arrived) /* claimed: it is on its way */
        (void)bine__park(loop, self, wait | (unsigned)BINE__PARK_DEAF, object);
    loop->remotes--;
    loop->outstanding--;
    if (left || ticket->here)
        bine_loop_unref(loop);
    return left ? error : 0;
}

void bine__offer_unlink(bine_chan *chan, struct bine__offer *offer)
{
    struct bine__shared *shared = bine__shared_of(chan);

    pthread_mutex_lock(&shared->lock);
    bine__list_remove(&offer->node);
    pthread_mutex_unlock(&shared->lock);
}

/* The first that still waits there: claimed, and out of the line.  NULL: nobody does. */
static struct bine__offer *claim(struct bine__list *line)
{
    while (!bine__list_empty(line)) {
        struct bine__offer *offer = bine__list_entry(line->next, struct bine__offer, node);
        bine__list_remove(&offer->node);
        if (bine__ticket_settle(offer->ticket, BINE__TICKET_CLAIMED)) {
            offer->ticket->served = offer->index;
            return offer;
        }
    }
    return NULL;
}

/* ---- Values ---------------------------------------------------------------------------------------- */

static void push(const bine_chan *chan, struct bine__shared *shared, const void *element)
{
    bine__chan_copy(chan, shared->ring + shared->next, element);
    shared->next += chan->element_size;
    if (shared->next == shared->end)
        shared->next = 0;
    shared->length++;
}

static void shift(const bine_chan *chan, struct bine__shared *shared)
{
    shared->first += chan->element_size;
    if (shared->first == shared->end)
        shared->first = 0;
    shared->length--;
}

int bine__shared_send_now(bine_chan *chan, const void *element, struct bine__ticket **served)
{
    struct bine__shared *shared = bine__shared_of(chan);
    struct bine__offer *receiver;

    *served = NULL;
    if (shared->closed)
        return EPIPE;
    receiver = claim(&shared->receivers);
    if (receiver) {
        bine__chan_copy(chan, receiver->element, element);
        *served = receiver->ticket;
        return 0;
    }
    if (shared->length == shared->capacity)
        return EAGAIN;
    push(chan, shared, element);
    bine__check_put(chan);
    return 0;
}

int bine__shared_receive_now(bine_chan *chan, void *element, struct bine__ticket **served)
{
    struct bine__shared *shared = bine__shared_of(chan);
    struct bine__offer *sender = claim(&shared->senders);

    *served = sender ? sender->ticket : NULL;
    if (shared->length) {
        bine__chan_copy(chan, element, shared->ring + shared->first);
        shift(chan, shared);
        bine__check_found(chan, false); /* not one of them: other loops, which are not watched, put and take too */
        if (sender)
            push(chan, shared, sender->element);
        return 0;
    }
    if (sender) {
        bine__chan_copy(chan, element, sender->element);
        return 0;
    }
    return shared->closed ? EPIPE : EAGAIN;
}

/* ---- The calls -------------------------------------------------------------------------------------- */

bine_chan *bine_chan_new_shared(size_t element_size, size_t capacity, bine_drop_fn *drop)
{
    size_t bytes;
    bine_chan *chan;
    struct bine__shared *shared;

    if (__builtin_mul_overflow(element_size, capacity, &bytes) || element_size > SIZE_MAX / 2 ||
        bytes > SIZE_MAX / 2 - sizeof *chan - sizeof *shared) {
        errno = EINVAL;
        return NULL;
    }
    chan = malloc(sizeof *chan + sizeof *shared + bytes);
    if (!chan)
        return NULL;
    *chan = (bine_chan){.magic = BINE__SHARED_MAGIC, .element_size = element_size, .drop = drop};
    shared = bine__shared_of(chan);
    *shared = (struct bine__shared){.capacity = capacity, .end = bytes};
    pthread_mutex_init(&shared->lock, NULL);
    bine__list_init(&shared->senders);
    bine__list_init(&shared->receivers);
    return chan;
}

/* Waits with an offer that stands in its line.  The caller holds the lock; it is given up. */
static int wait_in_line(bine_chan *chan, struct bine_task *self, struct bine__list *line, void *element,
                        enum bine__wait wait)
{
    struct bine__ticket ticket;
    struct bine__offer offer = {.ticket = &ticket, .element = element};

    bine__ticket_init(&ticket, self);
    bine__list_append(line, &offer.node);
    pthread_mutex_unlock(&bine__shared_of(chan)->lock);
    int error = bine__ticket_wait(&ticket, wait, (intptr_t)chan);
    if (error)
        bine__offer_unlink(chan, &offer); /* whoever claims has unlinked it */
    return error ? error : ticket.error;
}

static int do_one(bine_chan *chan, void *element, bool sends, bool try)
{
    struct bine__shared *shared = bine__shared_of(chan);
    struct bine__ticket *served;
    struct bine_task *self = NULL;
    char nothing = 0; /* what a value of no bytes is copied from, or to */

    if (!element && chan->element_size)
        return bine__error(EINVAL);
    if (!element)
        element = &nothing;
    if (!try && !(self = bine__begin()))
        return -1;
    pthread_mutex_lock(&shared->lock);
    int error = sends ? bine__shared_send_now(chan, element, &served)
                      : bine__shared_receive_now(chan, element, &served);
    if (error == EAGAIN && !try)
        return bine__outcome(wait_in_line(chan, self, sends ? &shared->senders : &shared->receivers, element,
                                          sends ? BINE__WAIT_SEND : BINE__WAIT_RECEIVE));
    pthread_mutex_unlock(&shared->lock);
    if (served)
        bine__ticket_deliver(served);
    return bine__outcome(error);
}

int bine__shared_send(bine_chan *chan, const void *element, bool try)
{
    return do_one(chan, (void *)(uintptr_t)element, true, try);
}

int bine__shared_receive(bine_chan *chan, void *element, bool try)
{
    return do_one(chan, element, false, try);
}

int bine__shared_close(bine_chan *chan)
{
    struct bine__shared *shared = bine__shared_of(chan);
    struct bine__ticket *told = NULL;

    pthread_mutex_lock(&shared->lock);
    bool closed = shared->closed;
    shared->closed = true;
    for (struct bine__offer *offer; (offer = claim(&shared->receivers)) || (offer = claim(&shared->senders));) {
        offer->ticket->error = EPIPE;
        offer->ticket->note.next = told ? &told->note : NULL; /* nobody else's before it is delivered */
        told = offer->ticket;
    }
    pthread_mutex_unlock(&shared->lock);
    while (told) {
        struct bine__ticket *ticket = told;
        told = (struct bine__ticket *)(void *)ticket->note.next;
        bine__ticket_deliver(ticket);
    }
    return closed ? bine__error(EPIPE) : 0;
}

int bine__shared_free(bine_chan *chan)
{
    struct bine__shared *shared = bine__shared_of(chan);

    pthread_mutex_lock(&shared->lock);
    bool busy = !bine__list_empty(&shared->senders) || !bine__list_empty(&shared->receivers);
    pthread_mutex_unlock(&shared->lock);
    if (busy)
        return bine__error(EBUSY);
    chan->magic = 0;
    for (; chan->drop && shared->length; shift(chan, shared))
        chan->drop(shared->ring + shared->first);
    pthread_mutex_destroy(&shared->lock);
    free(chan);
    return 0;
}

size_t bine__shared_length(bine_chan *chan)
{
    struct bine__shared *shared = bine__shared_of(chan);

    pthread_mutex_lock(&shared->lock);
    size_t length = shared->length;
    pthread_mutex_unlock(&shared->lock);
    return length;
}
