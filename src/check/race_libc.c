/* SPDX-License-Identifier: MIT
 *
 * What libc reads and writes for the program: the linker leads these calls here (wrap.list, ld's --wrap). The
 * library's own calls come here too and are let through. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check/race.h"

#define WRAP __attribute__((visibility("default"), used))
#define CALLER ((uintptr_t)__builtin_return_address(0))

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the linker's own names */
#pragma GCC diagnostic ignored "-Wmissing-declarations"

/* Of the linker, where it wraps: what is really meant.  Weak, for a link that does not. */
#define REAL __attribute__((weak))
void *__real_memcpy(void *, const void *, size_t) REAL;
void *__real_memmove(void *, const void *, size_t) REAL;
void *__real_memset(void *, int, size_t) REAL;
int __real_memcmp(const void *, const void *, size_t) REAL;
char *__real_strncpy(char *, const char *, size_t) REAL;
size_t __real_strlen(const char *) REAL;
int __real_strcmp(const char *, const char *) REAL;
int __real_strncmp(const char *, const char *, size_t) REAL;
int __real_vsnprintf(char *, size_t, const char *, va_list) REAL;
char *__real_strtok(char *, const char *) REAL;
struct tm *__real_gmtime(const time_t *) REAL;
struct tm *__real_localtime(const time_t *) REAL;
char *__real_asctime(const struct tm *) REAL;
char *__real_ctime(const time_t *) REAL;
char *__real_inet_ntoa(struct in_addr) REAL;

static void reads(const void *at, size_t size, uintptr_t pc)
{
    if (bine__race_self && size && (pc < bine__race_text[0] || pc >= bine__race_text[1]))
        bine__race_range((uintptr_t)at, size, false, pc);
}

static void writes(const void *at, size_t size, uintptr_t pc)
{
    if (bine__race_self && size && (pc < bine__race_text[0] || pc >= bine__race_text[1]))
        bine__race_range((uintptr_t)at, size, true, pc);
}

static void copies(const void *to, const void *from, size_t n, uintptr_t pc)
{
    if (bine__race_self && n && (pc < bine__race_text[0] || pc >= bine__race_text[1]))
        bine__race_copy(to, n, from, n, pc);
}

static void reads_both(const void *a, size_t n, const void *b, size_t m, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!self || (pc >= bine__race_text[0] && pc < bine__race_text[1]))
        return;
    bine__race_event(self, pc);
    self->noted = true;
    bine__race_range((uintptr_t)a, n, false, pc);
    bine__race_range((uintptr_t)b, m, false, pc);
    self->noted = false;
}

WRAP void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    copies(to, from, n, CALLER);
    return __real_memcpy(to, from, n);
}

WRAP void *__wrap_memmove(void *to, const void *from, size_t n)
{
    copies(to, from, n, CALLER);
    return __real_memmove(to, from, n);
}

WRAP void *__wrap_memset(void *to, int byte, size_t n)
{
    writes(to, n, CALLER);
    return __real_memset(to, byte, n);
}

/* What a function of libc reads to compare it. */
static void compares(const void *a, size_t n, const void *b, size_t m, uintptr_t pc)
{
    if (!bine__race_self || (pc >= bine__race_text[0] && pc < bine__race_text[1]))
        return;
    reads_both(a, n, b, m, pc);
    bine__race_compared((uintptr_t)a, n);
    bine__race_compared((uintptr_t)b, m);
}

WRAP int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    compares(a, n, b, n, CALLER);
    return __real_memcmp(a, b, n);
}

WRAP char *__wrap_strcpy(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1;
    copies(to, from, n, CALLER);
    return __real_memcpy(to, from, n);
}

WRAP char *__wrap_strncpy(char *to, const char *from, size_t n)
{
    reads(from, strnlen(from, n), CALLER);
    writes(to, n, CALLER);
    return __real_strncpy(to, from, n);
}

WRAP char *__wrap_strcat(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1, at = __real_strlen(to);
    copies(to + at, from, n, CALLER);
    __real_memcpy(to + at, from, n);
    return to;
}

WRAP size_t __wrap_strlen(const char *at)
{
    size_t n = __real_strlen(at);
    reads(at, n + 1, CALLER);
    return n;
}

WRAP int __wrap_strcmp(const char *a, const char *b)
{
    compares(a, __real_strlen(a) + 1, b, __real_strlen(b) + 1, CALLER);
    return __real_strcmp(a, b);
}

WRAP int __wrap_strncmp(const char *a, const char *b, size_t n)
{
    compares(a, strnlen(a, n), b, strnlen(b, n), CALLER);
    return __real_strncmp(a, b, n);
}

/* What is about to be written is told first: what stood there before counts. */
static void will_print(char *to, size_t n, const char *format, va_list args, uintptr_t pc)
{
    va_list copy;
    va_copy(copy, args);
    int length = bine__race_self && n ? __real_vsnprintf(NULL, 0, format, copy) : -1;
    va_end(copy);
    if (length >= 0 && (pc < bine__race_text[0] || pc >= bine__race_text[1]))
        bine__race_formats(format, args, pc);
    if (length >= 0)
        writes(to, (size_t)length < n ? (size_t)length + 1 : n, pc);
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
    va_end(args);
    va_start(args, format);
    int length = __real_vsnprintf(to, n, format, args);
    va_end(args);
    return length;
}

WRAP int __wrap_sprintf(char *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    will_print(to, SIZE_MAX, format, args, CALLER);
    va_end(args);
    va_start(args, format);
    int length = __real_vsnprintf(to, SIZE_MAX >> 1, format, args);
    va_end(args);
    return length;
}

/* The place that strtok() keeps for itself stands for the string that it was left in. */
WRAP char *__wrap_strtok(char *text, const char *delimiters)
{
    static uint64_t place;
    if (text)
        writes(&place, sizeof place, CALLER);
    else
        reads(&place, sizeof place, CALLER);
    char *token = __real_strtok(text, delimiters);
    place++;
    return token;
}

/* Those that answer in a place of their own.  It is the same each time, and known once there was an answer:
 * what stood there before counts. */
#define OWN_PLACE(type, name, parameter, argument, size)   \
    WRAP type *__wrap_##name(parameter)                    \
    {                                                      \
        static type *place;                                \
        if (place)                                         \
            writes(place, (size), CALLER);                 \
        type *answer = __real_##name(argument);            \
        if (answer && answer != place) {                   \
            place = answer;                                \
            writes(place, (size), CALLER);                 \
        }                                                  \
        return answer;                                     \
    }
#define TIME_TEXT 26
#define ADDRESS_TEXT 16
OWN_PLACE(struct tm, gmtime, const time_t *time, time, sizeof *place)
OWN_PLACE(struct tm, localtime, const time_t *time, time, sizeof *place)
OWN_PLACE(char, asctime, const struct tm *time, time, TIME_TEXT)
OWN_PLACE(char, ctime, const time_t *time, time, TIME_TEXT)
OWN_PLACE(char, inet_ntoa, struct in_addr address, address, ADDRESS_TEXT)
