/* SPDX-License-Identifier: MIT
 *
 * Between future.c and future_wait.c. */
#ifndef BINE_RUNTIME_FUTURE_H
#define BINE_RUNTIME_FUTURE_H

#include <bine/future.h>

#include "runtime/runtime.h"

enum { BINE__FUTURE_MAGIC = 0x66757475 };

struct bine_future {
    uint32_t magic;
    uint32_t references;
    bool done, cancelled, claimed;
    struct bine_loop *loop; /* not touched once the future is done: it may outlive the loop */
    bine_result result;
    bine_drop_fn *drop;
    uint64_t order;            /* of its completion among the loop's */
    struct bine__list waiters; /* of struct bine__future_waiter */
    struct bine__callback *callbacks, **callbacks_last;
    struct bine__owner owner; /* of the task, if it is a task's */
    struct bine_task *task;   /* that it is the result of, while that runs */
};

/* One call of bine_wait() and its kin, in the call's storage; and its place in the line of each future. */
struct bine__future_wait {
    struct bine_task *task;
    size_t needed;   /* this many more must be done */
    bool on_failure; /* one that failed is enough */
    bool woken;
};
struct bine__future_waiter {
    struct bine__list node;
    struct bine__future_wait *wait;
};

/* The future, pending and nobody else's so far, becomes that of the task, which has not ended. */
void bine__future_bind(bine_future *, struct bine_task *);

/* A pending or done future of this loop's; else errno EINVAL or EPERM. */
bool bine__future_valid(const bine_future *);

#endif
