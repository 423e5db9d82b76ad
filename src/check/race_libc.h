/* SPDX-License-Identifier: MIT
 *
 * What functions outside the program read and write for it: libc's (race_libc.c, race_print.c) and the
 * library's own (race_buffers.c). */
#ifndef BINE_CHECK_RACE_LIBC_H
#define BINE_CHECK_RACE_LIBC_H

#include <stdarg.h>

#include "check/race.h"

#define WRAP __attribute__((visibility("default"), used))
#define REAL __attribute__((weak)) /* what is really meant; weak, for a link that does not wrap */
#define CALLER ((uintptr_t)__builtin_return_address(0))

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the linker's own names */
#pragma GCC diagnostic ignored "-Wmissing-declarations"

/* Whether a call from there is the program's own: the library's are let through. */
static inline bool bine__race_calls(uintptr_t pc)
{
    return bine__race_self && !bine__race_is_library(pc);
}

/* What one call reads and writes is one event: from here until .noted has this value again. */
static inline bool bine__race_one_event(uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    bool noted = self->noted;
    if (!noted)
        bine__race_event(self, pc);
    self->noted = true;
    return noted;
}

/* What stands on the task's own stack others write on purpose only: there whole texts and blocks are not told, unless
 * they are compared. */
static inline bool bine__race_is_own(const void *at)
{
    const struct bine__strand *self = bine__race_self;
    return (uintptr_t)at >= self->stack && (uintptr_t)at < self->stack_end;
}

static inline void bine__race_reads(const void *at, size_t size, uintptr_t pc)
{
    if (size && bine__race_calls(pc) && !bine__race_is_own(at))
        bine__race_range((uintptr_t)at, size, false, pc);
}

static inline void bine__race_writes(const void *at, size_t size, uintptr_t pc)
{
    if (size && bine__race_calls(pc) && !bine__race_is_own(at))
        bine__race_range((uintptr_t)at, size, true, pc);
}

/* race_print.c: the strings among the arguments are read. */
void bine__race_prints(const char *format, va_list, uintptr_t pc);

#endif
