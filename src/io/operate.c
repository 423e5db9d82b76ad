/* SPDX-License-Identifier: MIT
 *
 * Whole operations, by a reactor that carries them out.
 *
 * The operation and all that it points to may lie on the task's stack: the call returns only when the
 * reactor is done with them.  A task that is cancelled meanwhile asks for an earlier end and goes on
 * waiting, deaf now, for the operation's own; if that was a success all the same, the success counts. */
#include <errno.h>

#include "io/io.h"

int bine__operate(struct bine_loop *loop, struct bine_task *self, struct bine__op *op)
{
    const struct bine__reactor *reactor = loop->io->reactor;
    int error;

    op->task = self;
    op->done = false;
    if (!reactor->submit || reactor->submit(loop->io, op) != 0)
        return 1;
    loop->outstanding++;
    loop->offloading++;
    do
        error = bine__park(loop, self, BINE__WAIT_OFFLOAD, 0);
    while (!error && !op->done);
    if (error && !op->done)
        reactor->cancel(loop->io, op);
    while (!op->done)
        (void)bine__park(loop, self, BINE__WAIT_OFFLOAD | BINE__PARK_DEAF, 0);
    loop->outstanding--;
    loop->offloading--;
    if (op->result != -ECANCELED && op->result != -EINTR && op->result != -EAGAIN)
        return 0;
    if (!error)
        return 1;
    return bine__error(error);
}
