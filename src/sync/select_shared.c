/* SPDX-License-Identifier: MIT
 *
 * Select with a shared channel among its cases: shared.h states the protocol.  Private channels may be among
 * them too: their tasks are of this loop, and claim the same ticket. */
#include "sync/shared.h"

#include <stdlib.h>

enum { CASES_ON_STACK = 8 };

struct work { /* what the call needs for each case */
    struct bine__offer offer; /* of a shared channel */
    bine_chan *locked;        /* the shared channels, by address, each once; NULL behind the last */
};

/* ---- Locks ------------------------------------------------------------------------------------------ */

/* Insertion keeps the order; there are few. */
static void list_channels(struct work *work, const bine_case cases[], size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        bine_chan *chan = cases[i].chan;
        size_t place = 0;
        if (!bine__chan_shared(chan))
            continue;
        while (place < count && (uintptr_t)work[place].locked < (uintptr_t)chan)
            place++;
        if (place < count && work[place].locked == chan)
            continue;
        for (size_t j = count++; j > place; j--)
            work[j].locked = work[j - 1].locked;
        work[place].locked = chan;
    }
}

static void lock_all(struct work *work, size_t n)
{
    for (size_t i = 0; i < n && work[i].locked; i++)
        pthread_mutex_lock(&bine__shared_of(work[i].locked)->lock);
}

static void unlock_all(struct work *work, size_t n)
{
    for (size_t i = 0; i < n && work[i].locked; i++)
        pthread_mutex_unlock(&bine__shared_of(work[i].locked)->lock);
}

/* ---- Select ------------------------------------------------------------------------------------------ */

/* 0, or an errno value. */
static int check(const bine_case cases[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const bine_chan *chan = cases[i].chan;
        const void *element = cases[i].sends ? cases[i].send : cases[i].recv;
        if (!chan)
            continue;
        if (chan->magic != BINE__SHARED_MAGIC && !bine__chan_good(chan, element))
            return EINVAL;
        if (!element && chan->element_size)
            return EINVAL;
        if (!bine__line_ours(&chan->senders) || !bine__line_ours(&chan->receivers)) /* empty, of a shared one */
            return EPERM;
    }
    return 0;
}

/* It seems so: who waits there may have been served elsewhere, or have left. */
static bool can_happen(const bine_case *at)
{
    if (!bine__chan_shared(at->chan))
        return at->sends ? bine__chan_can_send(at->chan) : bine__chan_can_receive(at->chan);
    const struct bine__shared *shared = bine__shared_of(at->chan);
    if (shared->closed)
        return true;
    return at->sends ? shared->length < shared->capacity || !bine__list_empty(&shared->receivers)
                     : shared->length || !bine__list_empty(&shared->senders);
}

/* One that seems to be possible, drawn; n: none does. */
static size_t draw(struct bine_loop *loop, const bine_case cases[], size_t n)
{
    size_t drawn = n;
    uint32_t possible = 0;

    for (size_t i = 0; i < n; i++)
        if (cases[i].chan && can_happen(&cases[i]) && (++possible == 1 || bine__select_draws(loop, possible)))
            drawn = i;
    return drawn;
}

/* The index, or n: none can happen.  One that could not after all has nobody in its line any more. */
static size_t try_all(struct bine_loop *loop, bine_case cases[], size_t n, struct bine__ticket **served)
{
    size_t i;

    *served = NULL;
    while ((i = draw(loop, cases, n)) < n) {
        bine_case *at = &cases[i];
        if (bine__chan_shared(at->chan))
            at->error = at->sends ? bine__shared_send_now(at->chan, at->send, served)
                                  : bine__shared_receive_now(at->chan, at->recv, served);
        else
            at->error = at->sends ? bine__chan_send_now(at->chan, at->send)
                                  : bine__chan_receive_now(at->chan, at->recv);
        if (at->error != EAGAIN)
            break;
    }
    return i;
}

/* With the locks held: links what is offered. */
static void offer_all(struct work *work, const bine_case cases[], size_t n, struct bine__ticket *ticket)
{
    for (size_t i = 0; i < n; i++) {
        if (!bine__chan_shared(cases[i].chan))
            continue;
        struct bine__shared *shared = bine__shared_of(cases[i].chan);
        work[i].offer = (struct bine__offer){
            .ticket = ticket, .element = cases[i].sends ? (void *)(uintptr_t)cases[i].send : cases[i].recv, .index = i};
        bine__list_append(cases[i].sends ? &shared->senders : &shared->receivers, &work[i].offer.node);
    }
}

/* The index, or -1 with errno. */
static int wait_for_one(struct bine_task *self, struct work *work, bine_case cases[], size_t n,
                        struct bine__meeting *turns)
{
    struct bine__ticket ticket;
    struct bine__selection selection = {.turns = turns, .cases = cases, .n = n, .served = n, .ticket = &ticket};
    int error;

    bine__ticket_init(&ticket, self);
    offer_all(work, cases, n, &ticket);
    bine__selection_enter(&selection, self);
    unlock_all(work, n);
    error = bine__ticket_wait(&ticket, BINE__WAIT_SELECT, (intptr_t)cases);
    if (!selection.left)
        bine__selection_leave(&selection);
    for (size_t i = 0; i < n; i++)
        if (bine__chan_shared(cases[i].chan))
            bine__offer_unlink(cases[i].chan, &work[i].offer);
    if (error)
        return bine__error(error);
    size_t served = ticket.here ? selection.served : ticket.served;
    bine__assert(served < n);
    cases[served].error = ticket.here ? turns[served].turn.error : ticket.error;
    return (int)served;
}

int bine__select_shared(bine_case cases[], size_t n, bool try)
{
    struct work few[CASES_ON_STACK], *work = few;
    struct bine__meeting few_turns[CASES_ON_STACK], *turns = few_turns;
    struct bine__ticket *served;
    struct bine_loop *loop = bine__loop;
    int result = -1, error = check(cases, n);
    size_t i;

    if (error)
        return bine__error(error);
    if (n > CASES_ON_STACK) {
        work = calloc(n, sizeof *work);
        turns = calloc(n, sizeof *turns);
    }
    if (!work || !turns) {
        error = ENOMEM;
        goto end;
    }
    for (i = 0; i < n; i++)
        work[i].locked = NULL;
    list_channels(work, cases, n);
    lock_all(work, n);
    i = try_all(loop, cases, n, &served);
    if (i == n && !try) {
        result = wait_for_one(loop->current, work, cases, n, turns);
        error = result < 0 ? errno : 0;
        goto end;
    }
    unlock_all(work, n);
    if (served)
        bine__ticket_deliver(served);
    error = i == n ? EAGAIN : 0;
    result = i == n ? -1 : (int)i;

end:
    if (work != few) {
        free(work);
        free(turns);
    }
    if (error)
        errno = error;
    return result;
}
