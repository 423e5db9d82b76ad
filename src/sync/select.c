/* SPDX-License-Identifier: MIT
 *
 * Select: one of several sends and receives, whichever can happen.
 *
 * All cases are looked at, and of those that can happen one is drawn, each with the same chance.  If none
 * can, a turn for each stands in its channel's line, and whoever serves the first of them takes all of them
 * out at once: so a turn that stands in a line can always be served, a select is served once, and its value
 * is moved by whoever serves it.  A scope that fires when that has happened comes too late, as for every
 * other wait.
 *
 * Rejected: leaving the other turns in their lines until the task runs, as Go does.  Every walk along a line
 * would have to step over the dead, and `_try` calls would have to look through them for somebody who still
 * waits. */
#include "sync/shared.h"

#include <limits.h>
#include <stdlib.h>

enum { TURNS_ON_STACK = 8 }; /* more are allocated: an idle task should not cost another page */

bine_case bine_case_send(bine_chan *chan, const void *element)
{
    return (bine_case){.chan = chan, .send = element, .sends = true};
}

bine_case bine_case_recv(bine_chan *chan, void *element)
{
    return (bine_case){.chan = chan, .recv = element};
}

static struct bine__line *line_of(const bine_case *at)
{
    return at->sends ? &at->chan->senders : &at->chan->receivers;
}

void bine__selection_leave(struct bine__selection *selection)
{
    for (size_t i = 0; i < selection->n; i++)
        if (selection->turns[i].turn.task)
            bine__line_remove(line_of(&selection->cases[i]), &selection->turns[i].turn);
    selection->left = true;
}

bool bine__selection_settle(struct bine__meeting *meeting)
{
    struct bine__selection *selection = meeting->selection;
    selection->served = (size_t)(meeting - selection->turns);
    bine__selection_leave(selection);
    if (bine__likely(!selection->ticket))
        return true;
    if (!bine__ticket_settle(selection->ticket, BINE__TICKET_CLAIMED))
        return false;
    selection->ticket->here = selection->ticket->arrived = true;
    return true;
}

bool bine__select_draws(struct bine_loop *loop, uint32_t n)
{
    if (bine__explored(loop))
        return bine__explore_draw(loop, 2) == 1;
    if (!loop->chance)
        loop->chance = UINT64_C(0x9e3779b97f4a7c15) ^ loop->random; /* its own, to disturb no schedule */
    loop->chance ^= loop->chance << 13; /* xorshift64 (Marsaglia 2003) */
    loop->chance ^= loop->chance >> 7;
    loop->chance ^= loop->chance << 17;
    return ((loop->chance >> 32) * n) >> 32 == 0;
}

/* Does one of the cases that can happen: its index; -1 with errno EAGAIN if none can. */
static int select_now(struct bine_loop *loop, bine_case cases[], size_t n)
{
    int found = -1;
    uint32_t possible = 0;
    for (int i = 0; i < (int)n; i++) {
        const bine_chan *chan = cases[i].chan;
        if (!chan)
            continue;
        bool sends = cases[i].sends;
        if (bine__unlikely(!bine__chan_good(chan, sends ? cases[i].send : cases[i].recv)))
            return bine__error(EINVAL);
        if (bine__unlikely(!bine__line_ours(&chan->senders) || !bine__line_ours(&chan->receivers)))
            return bine__error(EPERM);
        if (sends ? bine__chan_can_send(chan) : bine__chan_can_receive(chan))
            if (++possible == 1 || bine__select_draws(loop, possible))
                found = i;
    }
    if (!possible)
        return bine__error(EAGAIN);
    bine_case *at = &cases[found];
    if (at->sends)
        at->error = bine__chan_send_now(at->chan, at->send);
    else
        at->error = bine__chan_receive_now(at->chan, at->recv);
    /* Whoever seemed to wait there has been served by another loop (shared.h), and is out of the line now. */
    return bine__unlikely(at->error == EAGAIN) ? select_now(loop, cases, n) : found;
}

void bine__selection_enter(struct bine__selection *selection, struct bine_task *self)
{
    for (size_t i = 0; i < selection->n; i++) {
        bine_case *at = &selection->cases[i];
        struct bine__meeting *meeting = &selection->turns[i];
        meeting->turn.task = at->chan && !bine__chan_shared(at->chan) ? self : NULL;
        if (!meeting->turn.task)
            continue;
        meeting->turn.error = 0;
        meeting->element = at->sends ? (void *)(uintptr_t)at->send : at->recv;
        meeting->selection = selection;
        bine__line_append(line_of(at), &meeting->turn);
    }
}

/* In all the lines at once.  Its frame is not the caller's: who need not wait does not touch it. */
static __attribute__((noinline)) int wait(struct bine_task *self, bine_case cases[], size_t n)
{
    struct bine__meeting few[TURNS_ON_STACK], *turns = few;
    if (n > TURNS_ON_STACK && !(turns = calloc(n, sizeof *turns)))
        return -1;
    struct bine__selection selection = {.turns = turns, .cases = cases, .n = n, .served = n};
    bine__selection_enter(&selection, self);
    int error = bine__park(self->loop, self, BINE__WAIT_SELECT, (intptr_t)cases);
    if (error) {
        bine__selection_leave(&selection);
    } else {
        bine__assert(selection.served < n);
        cases[selection.served].error = turns[selection.served].turn.error;
    }
    if (turns != few)
        free(turns);
    return error ? bine__error(error) : (int)selection.served;
}

static bool any_shared(const bine_case cases[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bine__chan_shared(cases[i].chan))
            return true;
    return false;
}

int bine_chan_select(bine_case cases[], size_t n)
{
    if (n > INT_MAX || (n && !cases))
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    int error = errno, found = select_now(self->loop, cases, n);
    if (found == -1 && errno == EINVAL && any_shared(cases, n))
        return bine__select_shared(cases, n, false);
    if (found >= 0)
        return found;
    if (errno != EAGAIN)
        return -1;
    errno = error; /* a call that succeeds leaves it */
    return wait(self, cases, n);
}

int bine_chan_select_try(bine_case cases[], size_t n)
{
    if (n > INT_MAX || (n && !cases))
        return bine__error(EINVAL);
    if (!bine__loop)
        return bine__error(EPERM);
    int found = select_now(bine__loop, cases, n);
    if (found == -1 && errno == EINVAL && any_shared(cases, n))
        return bine__select_shared(cases, n, true);
    return found;
}
