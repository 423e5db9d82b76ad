/* SPDX-License-Identifier: MIT
 *
 * Between a program and the processes that compute for it: the nursery, which forks workers, and the workers.
 *
 * Why there is a nursery.  A child of a process with threads may do little more than exec, since it has a copy
 * of every lock that the others held.  So one child is forked early, which has a single thread from then on; it
 * forks each worker, also those that replace others later, from the state that the program had at first.
 *
 * What goes over the nursery's socket (SOCK_SEQPACKET) are orders; BINE__WORKER_START carries the worker's end
 * of its own socket, a stream, over which a worker first says its process id.  Then it takes, again and again,
 * the size of an input and the input, and answers with a struct bine__answer and the output.
 *
 * Who ends whom.  A worker whose socket is closed ends when it next looks; one that computes is killed by the
 * nursery, its parent, which alone can do that without hitting a stranger who got the same number.  A nursery
 * whose socket is closed, by the program or by its death, kills all that it forked and itself. */
#ifndef BINE_IO_WORKER_H
#define BINE_IO_WORKER_H

#include <signal.h>
#include <stdint.h>

#include <bine/offload.h>

enum bine__order_kind { BINE__WORKER_START, BINE__WORKER_KILL };

struct bine__order {
    int32_t kind;
    int32_t pid; /* to kill */
};

struct bine__answer {
    int32_t error;
    int32_t reserved;
    uint64_t size;
};

/* In a child that has just been forked: becomes the nursery. */
_Noreturn void bine__nursery(int control, bine_work_fn *fn, const sigset_t *mask);

#endif
