/* SPDX-License-Identifier: MIT
 *
 * The same contract with a thread of the system's for each context, of which one runs at a time: for CPUs
 * without a switch, and for tools that follow threads but no switched stacks (Helgrind, debuggers, profilers).
 * Some thousand times slower than the native switch.
 *
 *   The baton      whoever holds it runs; all other threads wait for theirs.  A switch hands it over, under a
 *                  lock, so that what one context wrote the next one sees
 *   The stack      is the caller's, guard page, size and all; the thread keeps its own data at the top of it
 *   Thread-locals  those of the library that were named with BINE__CARRIED() go with the baton.  All others,
 *                  errno among them, are each context's own
 *   Signals        who waits blocks them all, so that whoever runs takes them; the mask goes with the baton */
#ifndef BINE_ARCH_THREAD_H
#define BINE_ARCH_THREAD_H

#include <pthread.h>
#include <stddef.h>

struct bine__baton; /* a thread's own */

struct bine__context {
    struct bine__baton *baton; /* of the thread that is suspended in it */
    pthread_t thread;          /* if it was opened here */
    _Atomic long id;           /* the system's number for that thread, or 0 */
    void (*entry)(void);
};

enum { BINE__CONTEXT_THREADS = 1 };

int bine__context_open(struct bine__context *, char *bottom, char *top, void (*entry)(void));
void bine__context_close(struct bine__context *);
struct bine__context *bine__context_switch(struct bine__context *from, struct bine__context *to);
size_t bine__context_room(void);

/* From any thread: asks the context, which runs, with a signal.  Nobody gets it if that has ended meanwhile, or if the
 * system has no numbers for threads. */
void bine__context_signal(const struct bine__context *, int number);

/* Near where a suspended context goes on in its stack: only to be prefetched. */
static inline const char *bine__context_sp(const struct bine__context *context)
{
    return (const char *)context;
}

/* ---- Thread-locals that go with the baton --------------------------------------------------------------- */

struct bine__carried {
    void *(*address)(void); /* in the thread that asks */
    size_t size;
    struct bine__carried *next;
};

void bine__context_carry(struct bine__carried *);

/* At file scope, once for each variable.  101: before any of a program's. */
#define BINE__CARRIED(variable)                                                               \
    static void *variable##_address(void)                                                     \
    {                                                                                         \
        return &variable;                                                                     \
    }                                                                                         \
    static __attribute__((constructor(101))) void variable##_carry(void)                           \
    {                                                                                         \
        static struct bine__carried carried = {variable##_address, sizeof variable, NULL};    \
        bine__context_carry(&carried);                                                        \
    }                                                                                         \
    struct bine__carried /* takes the semicolon */

#endif
