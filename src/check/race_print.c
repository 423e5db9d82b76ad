/* SPDX-License-Identifier: MIT
 *
 * What the program prints, into memory or a file: the calls are wrapped as those of race_libc.c are. */
#include <stdio.h>
#include <string.h>

#include "check/race_libc.h"

int __real_vsnprintf(char *, size_t, const char *, va_list) REAL;
int __real_vfprintf(FILE *, const char *, va_list) REAL;
int __real_puts(const char *) REAL;
int __real_fputs(const char *, FILE *) REAL;
size_t __real_fwrite(const void *, size_t, size_t, FILE *) REAL;

/* One event, whatever is read. */
void bine__race_prints(const char *format, va_list args, uintptr_t pc)
{
    if (!format || !bine__race_calls(pc))
        return;
    bool noted = bine__race_one_event(pc);
    bine__race_formats(format, args, pc);
    bine__race_self->noted = noted;
}

/* ---- Into memory ------------------------------------------------------------------------------------ */

/* What is about to be written is told first: what stood there before counts. */
static void will_print(char *to, size_t n, const char *format, va_list args, uintptr_t pc)
{
    if (!bine__race_calls(pc))
        return;
    bool noted = bine__race_one_event(pc);
    bine__race_formats(format, args, pc);
    va_list copy;
    va_copy(copy, args);
    int length = n ? __real_vsnprintf(NULL, 0, format, copy) : -1;
    va_end(copy);
    if (length >= 0)
        bine__race_writes(to, (size_t)length < n ? (size_t)length + 1 : n, pc);
    bine__race_self->noted = noted;
}

WRAP int __wrap_vsnprintf(char *to, size_t n, const char *format, va_list args)
{
    will_print(to, n, format, args, CALLER);
    return __real_vsnprintf(to, n, format, args);
}

WRAP int __wrap_snprintf(char *to, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    will_print(to, n, format, args, CALLER);
    int length = __real_vsnprintf(to, n, format, args);
    va_end(args);
    return length;
}

WRAP int __wrap_vsprintf(char *to, const char *format, va_list args)
{
    will_print(to, SIZE_MAX, format, args, CALLER);
    return __real_vsnprintf(to, SIZE_MAX >> 1, format, args);
}

WRAP int __wrap_sprintf(char *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    will_print(to, SIZE_MAX, format, args, CALLER);
    int length = __real_vsnprintf(to, SIZE_MAX >> 1, format, args);
    va_end(args);
    return length;
}

/* ---- Into a file ------------------------------------------------------------------------------------ */

WRAP int __wrap_vfprintf(FILE *file, const char *format, va_list args)
{
    bine__race_prints(format, args, CALLER);
    return __real_vfprintf(file, format, args);
}

WRAP int __wrap_vprintf(const char *format, va_list args)
{
    bine__race_prints(format, args, CALLER);
    return __real_vfprintf(stdout, format, args);
}

WRAP int __wrap_fprintf(FILE *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bine__race_prints(format, args, CALLER);
    int length = __real_vfprintf(file, format, args);
    va_end(args);
    return length;
}

WRAP int __wrap_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bine__race_prints(format, args, CALLER);
    int length = __real_vfprintf(stdout, format, args);
    va_end(args);
    return length;
}

WRAP int __wrap_puts(const char *text)
{
    bine__race_reads(text, strlen(text) + 1, CALLER);
    return __real_puts(text);
}

WRAP int __wrap_fputs(const char *text, FILE *file)
{
    bine__race_reads(text, strlen(text) + 1, CALLER);
    return __real_fputs(text, file);
}

WRAP size_t __wrap_fwrite(const void *from, size_t size, size_t count, FILE *file)
{
    size_t bytes;
    if (!__builtin_mul_overflow(size, count, &bytes))
        bine__race_reads(from, bytes, CALLER);
    return __real_fwrite(from, size, count, file);
}
