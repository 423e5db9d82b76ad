/* SPDX-License-Identifier: MIT
 *
 * What libc reads and writes for the program: the linker leads these calls here (wrap.list, ld's --wrap). The
 * library's own calls come here too and are let through. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "check/race_libc.h"

void *__real_memcpy(void *, const void *, size_t) REAL;
void *__real_memmove(void *, const void *, size_t) REAL;
void *__real_memset(void *, int, size_t) REAL;
int __real_memcmp(const void *, const void *, size_t) REAL;
char *__real_strncpy(char *, const char *, size_t) REAL;
size_t __real_strlen(const char *) REAL;
int __real_strcmp(const char *, const char *) REAL;
int __real_strncmp(const char *, const char *, size_t) REAL;
int __real_strcasecmp(const char *, const char *) REAL;
int __real_strncasecmp(const char *, const char *, size_t) REAL;
char *__real_strchr(const char *, int) REAL;
char *__real_strrchr(const char *, int) REAL;
char *__real_strstr(const char *, const char *) REAL;
void *__real_memchr(const void *, int, size_t) REAL;
char *__real_strpbrk(const char *, const char *) REAL;
size_t __real_strspn(const char *, const char *) REAL;
size_t __real_strcspn(const char *, const char *) REAL;
char *__real_strdup(const char *) REAL;
char *__real_strndup(const char *, size_t) REAL;
int __real_atoi(const char *) REAL;
long __real_atol(const char *) REAL;
long __real_strtol(const char *, char **, int) REAL;
unsigned long __real_strtoul(const char *, char **, int) REAL;
long long __real_strtoll(const char *, char **, int) REAL;
unsigned long long __real_strtoull(const char *, char **, int) REAL;
double __real_strtod(const char *, char **) REAL;
double __real_atof(const char *) REAL;
char *__real_strtok(char *, const char *) REAL;
void __real_qsort(void *, size_t, size_t, int (*)(const void *, const void *)) REAL;
struct tm *__real_gmtime(const time_t *) REAL;
struct tm *__real_localtime(const time_t *) REAL;
char *__real_asctime(const struct tm *) REAL;
char *__real_ctime(const time_t *) REAL;
time_t __real_mktime(struct tm *) REAL;
time_t __real_timegm(struct tm *) REAL;
size_t __real_strftime(char *, size_t, const char *, const struct tm *) REAL;
char *__real_inet_ntoa(struct in_addr) REAL;

static void takes(const void *to, size_t written, const void *from, size_t read, uintptr_t pc)
{
    if (written && bine__race_calls(pc))
        bine__race_copy(to, bine__race_is_own(to) ? 0 : written, from, bine__race_is_own(from) ? 0 : read, pc);
}

static void copies(const void *to, const void *from, size_t n, uintptr_t pc)
{
    takes(to, n, from, n, pc);
}

static void reads_both(const void *a, size_t n, const void *b, size_t m, uintptr_t pc)
{
    bool noted = bine__race_one_event(pc);
    bine__race_range((uintptr_t)a, n, false, pc);
    bine__race_range((uintptr_t)b, m, false, pc);
    bine__race_self->noted = noted;
}

WRAP void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    copies(to, from, n, CALLER);
    return __real_memcpy(to, from, n);
}

WRAP void *__wrap_memmove(void *to, const void *from, size_t n)
{
    if (n && bine__race_calls(CALLER) && !bine__race_is_own(to))
        bine__race_move(to, from, n, CALLER);
    return __real_memmove(to, from, n);
}

WRAP void *__wrap_memset(void *to, int byte, size_t n)
{
    bine__race_writes(to, n, CALLER);
    return __real_memset(to, byte, n);
}

/* Each element is looked at, and may be put elsewhere: one that stays where it is holds what it held. */
WRAP void __wrap_qsort(void *all, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n && size && bine__race_calls(CALLER) && !bine__race_is_own(all))
        bine__race_copy(all, n * size, all, n * size, CALLER);
    __real_qsort(all, n, size, compare);
}

/* What a function of libc reads to compare it. */
static void compares(const void *a, size_t n, const void *b, size_t m, uintptr_t pc)
{
    if (!bine__race_calls(pc))
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
    takes(to, n, from, strnlen(from, n), CALLER);
    return __real_strncpy(to, from, n);
}

/* To append is to act on where the text ended when it was looked at, wherever it ends now. */
static void appends(const char *to, size_t length, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!bine__race_calls(pc) || bine__race_is_own(to))
        return;
    for (uintptr_t at = (uintptr_t)to & ~(uintptr_t)7; at <= (uintptr_t)to + length; at += 8) {
        const struct bine__record *mine = bine__race_own(self, at);
        if (mine && mine->kind == BINE__READ && (mine->flags & BINE__CHECKED_READ) &&
            mine->slice < bine__race_slice)
            bine__race_access(self, at + (mine->place & 7), mine->size, BINE__UPDATE, pc);
    }
}

WRAP char *__wrap_strcat(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1, at = __real_strlen(to);
    appends(to, at, CALLER);
    copies(to + at, from, n, CALLER);
    __real_memcpy(to + at, from, n);
    return to;
}

WRAP char *__wrap_stpcpy(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1;
    copies(to, from, n, CALLER);
    __real_memcpy(to, from, n);
    return to + n - 1;
}

WRAP char *__wrap_strncat(char *to, const char *from, size_t most)
{
    size_t n = strnlen(from, most), at = __real_strlen(to);
    appends(to, at, CALLER);
    takes(to + at, n + 1, from, n, CALLER);
    __real_memcpy(to + at, from, n);
    to[at + n] = '\0';
    return to;
}

/* Its length is what is known of it then, for the comparison that may follow: it says where the text ends. */
WRAP size_t __wrap_strlen(const char *text)
{
    struct bine__strand *self = bine__race_self;
    size_t n = __real_strlen(text);
    uintptr_t end = (uintptr_t)text + n;
    if (!bine__race_calls(CALLER) || bine__race_is_own(text))
        return n;
    struct bine__look before[BINE__LOOKS];
    const unsigned looks = self->looks;
    const uint8_t open = self->open;
    __real_memcpy(before, self->look, sizeof before);
    bine__race_range((uintptr_t)text, n + 1, false, CALLER);
    __real_memcpy(self->look, before, sizeof before);
    self->looks = looks;
    self->open = open;
    if (bine__race_constant(end))
        bine__race_looked_at_constant(self, bine__race_short(CALLER));
    else
        bine__race_looked_at(self, bine__race_own(self, end), n);
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

WRAP int __wrap_strcasecmp(const char *a, const char *b)
{
    compares(a, __real_strlen(a) + 1, b, __real_strlen(b) + 1, CALLER);
    return __real_strcasecmp(a, b);
}

WRAP int __wrap_strncasecmp(const char *a, const char *b, size_t n)
{
    compares(a, strnlen(a, n), b, strnlen(b, n), CALLER);
    return __real_strncasecmp(a, b, n);
}

/* Those that read a string and make something of it. */
#define OF_TEXT(type, name, parameters, ...)                              \
    WRAP type __wrap_##name parameters                                    \
    {                                                                     \
        bine__race_reads(text, __real_strlen(text) + 1, CALLER);          \
        return __real_##name(__VA_ARGS__);                                \
    }
OF_TEXT(char *, strrchr, (const char *text, int byte), text, byte)
OF_TEXT(char *, strstr, (const char *text, const char *part), text, part)
OF_TEXT(char *, strpbrk, (const char *text, const char *bytes), text, bytes)
OF_TEXT(size_t, strspn, (const char *text, const char *bytes), text, bytes)
OF_TEXT(size_t, strcspn, (const char *text, const char *bytes), text, bytes)
OF_TEXT(char *, strdup, (const char *text), text)
OF_TEXT(int, atoi, (const char *text), text)
OF_TEXT(long, atol, (const char *text), text)
OF_TEXT(long, strtol, (const char *text, char **end, int base), text, end, base)
OF_TEXT(unsigned long, strtoul, (const char *text, char **end, int base), text, end, base)
OF_TEXT(long long, strtoll, (const char *text, char **end, int base), text, end, base)
OF_TEXT(unsigned long long, strtoull, (const char *text, char **end, int base), text, end, base)
OF_TEXT(double, strtod, (const char *text, char **end), text, end)
OF_TEXT(double, atof, (const char *text), text)

/* glibc has one for each standard of C; the text that is read is told, not where its parts are put. */
#define SCANNER(name)                                                 \
    WRAP int __wrap_##name(const char *text, const char *format, ...) \
    {                                                                 \
        va_list args;                                                 \
        bine__race_reads(text, __real_strlen(text) + 1, CALLER);      \
        va_start(args, format);                                       \
        int parts = vsscanf(text, format, args);                      \
        va_end(args);                                                 \
        return parts;                                                 \
    }
SCANNER(sscanf)
SCANNER(__isoc99_sscanf)
SCANNER(__isoc23_sscanf)

WRAP char *__wrap_strchr(const char *text, int byte)
{
    char *found = __real_strchr(text, byte);
    bine__race_reads(text, found ? (size_t)(found - text) + 1 : __real_strlen(text) + 1, CALLER);
    return found;
}

WRAP char *__wrap_strndup(const char *text, size_t n)
{
    bine__race_reads(text, strnlen(text, n), CALLER);
    return __real_strndup(text, n);
}

WRAP void *__wrap_memchr(const void *at, int byte, size_t n)
{
    const char *found = __real_memchr(at, byte, n);
    bine__race_reads(at, found ? (size_t)(found - (const char *)at) + 1 : n, CALLER);
    return (void *)(uintptr_t)found;
}

/* The place that strtok() keeps for itself stands for the string that it was left in. */
WRAP char *__wrap_strtok(char *text, const char *delimiters)
{
    static uint64_t place;
    if (text)
        bine__race_writes(&place, sizeof place, CALLER);
    else
        bine__race_reads(&place, sizeof place, CALLER);
    char *token = __real_strtok(text, delimiters);
    place++;
    return token;
}

static void reads_time(const struct tm *time, uintptr_t pc) { bine__race_reads(time, sizeof *time, pc); }

/* Those that answer in a place of their own.  It is the same each time, and known once there was an answer:
 * what stood there before counts. */
#define OWN_PLACE(type, name, parameter, argument, size)   \
    WRAP type *__wrap_##name(parameter)                    \
    {                                                      \
        static type *place;                                \
        if (place)                                         \
            bine__race_writes(place, (size), CALLER);      \
        type *answer = __real_##name(argument);            \
        if (answer && answer != place) {                   \
            place = answer;                                \
            bine__race_writes(place, (size), CALLER);      \
        }                                                  \
        return answer;                                     \
    }
#define TIME_TEXT 26
#define ADDRESS_TEXT 16
OWN_PLACE(struct tm, gmtime, const time_t *time, time, sizeof *place)
OWN_PLACE(struct tm, localtime, const time_t *time, time, sizeof *place)
OWN_PLACE(char, asctime, const struct tm *time, (reads_time(time, CALLER), time), TIME_TEXT)
OWN_PLACE(char, ctime, const time_t *time, time, TIME_TEXT)
OWN_PLACE(char, inet_ntoa, struct in_addr address, address, ADDRESS_TEXT)

/* Those that such an answer is given to. */
WRAP time_t __wrap_mktime(struct tm *time)
{
    reads_time(time, CALLER);
    return __real_mktime(time);
}

WRAP time_t __wrap_timegm(struct tm *time)
{
    reads_time(time, CALLER);
    return __real_timegm(time);
}

WRAP size_t __wrap_strftime(char *to, size_t size, const char *format, const struct tm *time)
{
    char text[TIME_TEXT * 4]; /* a longer one is not told */
    size_t n = __real_strftime(text, size < sizeof text ? size : sizeof text, format, time);
    reads_time(time, CALLER);
    bine__race_writes(to, n ? n + 1 : 0, CALLER);
    return __real_strftime(to, size, format, time);
}
