/* SPDX-License-Identifier: MIT
 *
 * Wake-ups from other loops: a note that is put into a loop's box from any thread, and opened on the loop's own
 * stack.
 *
 * Why none is lost, and none is needless.  A sender puts its note into the box, then looks whether the loop is
 * asleep.  A loop that is about to wait says that it is asleep, then looks into the box; if there is anything it
 * only polls.  Both use sequentially consistent operations, so at least one of the two sees the other.  A loop
 * that is awake looks into its box each turn and is not interrupted; of several senders that find it asleep
 * the one that takes the mark away interrupts.  What a loop does before it says that it is
 * asleep is its own affair: it may look for a while (spin.c).
 *
 * The sender gives a reference to the loop, so that the loop is still there after the note has been opened, and the
 * interrupt is made under the loop's lock, so that its poller is.  tests/model/shared.pml and post.pml are
 * models of this. */
#include "runtime/runtime.h"

void bine__remote_send(struct bine_loop *loop, struct bine__remote *note)
{
    struct bine__remote *first = atomic_load_explicit(&loop->box, memory_order_relaxed);

    atomic_store_explicit(&loop->from, bine__processor(), memory_order_relaxed); /* a hint */
    do
        note->next = first;
    while (!atomic_compare_exchange_weak(&loop->box, &first, note)); /* partner: the exchange in bine__remote_open() */
    /* Not to be touched any more. */
    if (atomic_load(&loop->asleep) && atomic_exchange(&loop->asleep, false)) { /* partner: poll() in loop.c */
        pthread_mutex_lock(&loop->lock);
        if (!loop->ended) {
            loop->interrupts++;
            loop->poller.interrupt(loop);
        }
        pthread_mutex_unlock(&loop->lock);
    }
    bine_loop_unref(loop);
}

/* In the order in which they came. */
void bine__remote_open(struct bine_loop *loop)
{
    struct bine__remote *last = atomic_exchange(&loop->box, NULL), *first = NULL;

    loop->spin.heard = true;
    while (last) {
        struct bine__remote *note = last;
        last = note->next;
        note->next = first;
        first = note;
    }
    while (first) {
        struct bine__remote *note = first;
        first = note->next;
        note->open(note);
    }
}
