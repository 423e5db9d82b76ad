/* SPDX-License-Identifier: MIT
 *
 * Fault injection: the linker sends every call named in wrap.list through fault.c, which can make it fail.
 *
 * A wrapped call counts from 1 while the injector is armed, in whatever thread it is made, and the chosen
 * one fails with the errno that this call is most likely to give in the field.  Calls made inside libc, and
 * reads and writes of eventfds and pipes (which no kernel fails so), are neither counted nor failed. */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The nth wrapped call from now on fails, once. */
void fault_arm(long nth);
/* From the nth on each one fails, count times. */
void fault_arm_run(long nth, long count);
/* Of the calls of this name the nth and the count - 1 that follow fail, with this error (0: its own). */
void fault_arm_call(const char *name, long nth, long count, int error);
/* Each call fails with the probability 1 / one_in, drawn from the seed. */
void fault_arm_seeded(uint64_t seed, unsigned one_in);
void fault_disarm(void);

/* Since it was armed: calls counted, failures injected, and the name of the call that failed last. */
long fault_calls(void);
long fault_injected(void);
const char *fault_last(void);

/* How often the named call was made through the wrapper since the process began. */
long fault_made(const char *name);

/* Called before each free() that the library makes on this thread. */
extern _Thread_local void (*fault_before_free)(void);

/* Bytes that are mapped and heap blocks that are allocated through wrapped calls. */
size_t fault_mapped(void);
long fault_blocks(void);

#ifdef __cplusplus
}
#endif
#endif
