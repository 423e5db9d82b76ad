/* SPDX-License-Identifier: MIT
 *
 * The program's memory that the library's own calls read from and write to: bytes to be sent, bytes that came.
 *
 * Of large buffers only the beginning is told: two tasks that use one buffer meet there. */
#include "check/race_libc.h"

enum { TOLD = 64 };

/* The call is an event already, if it may yield; else it is none. */
void bine__check_moved(const void *buffer, ssize_t moved, bool out)
{
    struct bine__strand *self = bine__race_self;
    if (!self || moved < 1 || bine__race_is_own(buffer))
        return;
    bool noted = self->noted;
    self->noted = true;
    bine__race_range((uintptr_t)buffer, moved < TOLD ? (size_t)moved : TOLD, !out, bine__race_caller(NULL));
    self->noted = noted;
}

void bine__check_formats(const char *format, va_list arguments)
{
    if (bine__race_self)
        bine__race_prints(format, arguments, bine__race_caller(NULL));
}
