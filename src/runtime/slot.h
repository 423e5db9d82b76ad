/* SPDX-License-Identifier: MIT
 *
 * Numbers for what tasks have values of: context variables, and keys of task locals.
 *
 * A slot is a place in each array of values; a serial is never used again.  A value is stored with the
 * serial of whom it is for, so that what a former holder of the slot has left behind is not taken for the
 * next one's.
 *
 * Without a lock, since a lock may be held by another thread while one forks. */
#ifndef BINE_RUNTIME_SLOT_H
#define BINE_RUNTIME_SLOT_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { BINE__SLOTS = 1024 }; /* as PTHREAD_KEYS_MAX; 8 KiB each for variables and for keys */

struct bine__slots {
    _Atomic uint64_t last;                /* serial that was given */
    _Atomic uint64_t holder[BINE__SLOTS]; /* its serial; 0: free */
};

/* The lowest that is free, or -1 with errno. */
static inline int bine__slot_take(struct bine__slots *slots, uint64_t *serial)
{
    /* Relaxed, here and below: the numbers alone must be unique; who has one has it by other means. */
    *serial = atomic_fetch_add_explicit(&slots->last, 1, memory_order_relaxed) + 1;
    for (int i = 0; i < BINE__SLOTS; i++) {
        uint64_t none = 0;
        if (atomic_compare_exchange_strong_explicit(&slots->holder[i], &none, *serial, memory_order_relaxed,
                                                    memory_order_relaxed))
            return i;
    }
    errno = EAGAIN;
    return -1;
}

static inline void bine__slot_release(struct bine__slots *slots, uint32_t slot)
{
    atomic_store_explicit(&slots->holder[slot], 0, memory_order_relaxed);
}

static inline bool bine__slot_held(struct bine__slots *slots, uint32_t slot, uint64_t serial)
{
    return atomic_load_explicit(&slots->holder[slot], memory_order_relaxed) == serial;
}

#endif
