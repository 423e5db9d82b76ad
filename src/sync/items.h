/* SPDX-License-Identifier: MIT
 *
 * What a queue keeps its items in: a ring for first in first out and last in first out, a heap for
 * priorities.
 *
 * It grows by doubling when it has to, so that a bound of a million costs nothing until that many are there,
 * and knows nothing of tasks. */
#ifndef BINE_SYNC_ITEMS_H
#define BINE_SYNC_ITEMS_H

#include <bine/sync.h>

struct bine__item { /* in a heap */
    int64_t priority;
    uint64_t order; /* of equals the one that was put first comes first */
    void *value;
};

struct bine__items {
    bine_queue_order order;
    size_t length;
    size_t room;   /* a power of two, or 0 */
    size_t head;   /* of the ring */
    uint64_t puts; /* so far, in a heap */
    union {
        void **ring;
        struct bine__item *heap;
        void *memory;
    } at;
};

/* False: there is no memory for one more, and none was there.  Never so right after a pop. */
bool bine__items_push(struct bine__items *, void *value, int64_t priority);
/* The next; there must be one. */
void *bine__items_pop(struct bine__items *);
void bine__items_free(struct bine__items *);

#endif
