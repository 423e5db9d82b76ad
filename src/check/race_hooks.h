/* SPDX-License-Identifier: MIT
 *
 * Between the files that compilers' hooks are in: race_hooks.c, race_compare.c.
 *
 * They are called for each access and comparison of a program.  So what most of them need is inlined, and ends before
 * registers are saved; the rest is kept out of them.  A record's bytes are read one by one, since a wider read would
 * wait for the narrow writes before it: that costs more than the instructions that it saves. */
#ifndef BINE_CHECK_RACE_HOOKS_H
#define BINE_CHECK_RACE_HOOKS_H

#include "check/race.h"

#define HOOK __attribute__((visibility("default"), used))
#define CALLER ((uintptr_t)__builtin_return_address(0))
#define INLINE static inline __attribute__((always_inline))

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the compilers' own, which no header declares */
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#endif
