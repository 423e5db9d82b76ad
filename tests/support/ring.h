/* SPDX-License-Identifier: MIT
 *
 * Tests on a loop with a ring: skipped by name where there is no io_uring (not built in, an old kernel, a
 * container, qemu, Valgrind). */
#ifndef TESTS_RING_H
#define TESTS_RING_H

#include <string.h>

#include "io/io.h"
#include "support/support.h"

static const bine_options ring_wanted = {.reactor = "io_uring"};

static inline bool on_ring(void)
{
    return strcmp(bine__loop->io->reactor->name, "io_uring") == 0;
}

static inline void *ask_for_ring(void *answer)
{
    *(bool *)answer = on_ring();
    return NULL;
}

static inline bool ring_is_here(void)
{
    bool here = false;
    return bine_run_with(&ring_wanted, ask_for_ring, &here, NULL) == 0 && here;
}

/* A test on a loop with a ring. */
#define RING_TEST(name)                                            \
    static void name##_body(void);                                 \
    static void *name##_task(void *arg)                            \
    {                                                              \
        name##_body();                                             \
        return arg;                                                \
    }                                                              \
    START_TEST(name)                                               \
    {                                                              \
        if (ring_is_here())                                        \
            run_options(&ring_wanted, name##_task, NULL);          \
        else                                                       \
            support_skip(#name, "no io_uring here");               \
    }                                                              \
    END_TEST                                                       \
    static void name##_body(void)

#endif
