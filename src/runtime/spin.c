/* SPDX-License-Identifier: MIT
 *
 * A loop that another one has just woken, and that has nothing to do again, looks into its box for some
 * microseconds before it goes to sleep: the answer may be on its way.
 *
 * What for.  To interrupt a loop that sleeps is a system call of the sender's, and to wake up one and more of
 * the receiver's and work for the scheduler: a post there and back takes 8 to 16 us, and 1.5 us between loops
 * that are awake (tests/bench, work cross).  A loop that spins has not said that it is asleep, so whoever
 * sends to it makes no system call at all.
 *
 * Why no wake-up is lost: this comes before the protocol of remote.c, and only reads.  When it has found
 * nothing the loop says that it is asleep, and looks once more, as if it had never spun.
 *
 * What it costs.  A loop that nothing comes to from other threads never gets here.  One that does, spins only
 * if that comes often, for at most 50 us, and the less often the less it has been worth while: spin.h.  Never
 * where its program has more loops than processors, nor on the processor that the last message came from: it
 * would keep the very thread from running that it waits for.  (Should that thread lack a processor for any
 * other reason, the spinning is in vain, and rests.)  Descriptors are looked at meanwhile, if tasks wait for
 * any. */
#include "runtime/spin.h"

#include "runtime/runtime.h"

#define SLICE (5 * BINE_US) /* between two looks at descriptors */
enum { LOOKS = 16 };        /* into the box, between two looks at the clock */

static bool came(const struct bine_loop *loop)
{
    return atomic_load_explicit(&loop->posted, memory_order_relaxed) ||
           atomic_load_explicit(&loop->box, memory_order_relaxed); /* turn() synchronises */
}

/* For the thread that is awaited to run at the same time.  A loop whose thread is bound to one processor has
 * that for itself, as far as we can tell, if what it waits for comes from another. */
static bool has_room(struct bine_loop *loop)
{
    struct bine__spin *spin = &loop->spin;
    const unsigned from = atomic_load_explicit(&loop->from, memory_order_relaxed);

    if (from && from == bine__processor())
        return false;
    if (!spin->processors)
        spin->processors = bine__cores();
    return spin->processors > 1 ? bine__process_loops() <= spin->processors : from > 0;
}

bool bine__spin(struct bine_loop *loop, bine_ns *timeout)
{
    struct bine__spin *spin = &loop->spin;
    const bool descriptors = loop->outstanding > loop->remotes;
    const bine_ns begun = bine__clock(NULL);
    bine_ns now = begun, looked = begun, limit;
    bool found = false;

    spin->heard = false;
    if (loop->virtual_clock || bine__notes_wants_stacks() || !has_room(loop)) /* Valgrind: one at a time */
        return false;
    limit = bine__spin_due(spin, begun);
    if (!limit)
        return false;
    if (limit > *timeout) /* a timer is due then */
        limit = *timeout;
    while (!found && now - begun < limit) {
        for (int i = 0; i < LOOKS && !found; i++) {
            bine__context_relax();
            found = came(loop);
        }
        now = bine__clock(NULL);
        if (!found && descriptors && now - looked >= SLICE) {
            looked = now;
            loop->polls++;
            if (loop->poller.wait(loop, 0))
                break;
        }
    }
    bine__spin_learn(spin, now - begun, found);
    if (*timeout != BINE_FOREVER)
        *timeout = now - begun < *timeout ? *timeout - (now - begun) : 0;
    return found || loop->head != loop->tail;
}
