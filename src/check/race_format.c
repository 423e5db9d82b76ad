/* SPDX-License-Identifier: MIT
 *
 * What a format of printf() reads for `%s`: texts.
 *
 * The conversions are gone through, since an argument is reached only over
 * those before it.  At what is not known (positions, wide text) it ends, and
 * what comes later is not seen; nothing else depends on it. */
#include <stdarg.h>
#include <string.h>

#include "check/race_libc.h"

enum length { INT, LONG, LONG_LONG, LONG_DOUBLE };

struct arguments { /* so that a function can go on where another was */
    va_list list;
};
struct conversion {
    int precision; /* -1: none */
    enum length length;
    char what; /* 0: not known */
};

static int number(const char **at, struct arguments *args)
{
    int value = 0;
    if (**at == '*') {
        ++*at;
        return va_arg(args->list, int);
    }
    while (**at >= '0' && **at <= '9' && value < 1 << 20)
        value = value * 10 + (*(*at)++ - '0');
    return value;
}

/* A table, since strchr() is one of those that are told. */
enum { FLAG = 1, LENGTH = 2, FLOATING = 4, INTEGER = 8, POINTER = 16 };
static const uint8_t kinds[256] = {
    ['-'] = FLAG,     ['+'] = FLAG,     [' '] = FLAG,     ['#'] = FLAG,     ['0'] = FLAG,
    ['\''] = FLAG,    ['h'] = LENGTH,   ['l'] = LENGTH,   ['L'] = LENGTH,   ['q'] = LENGTH,
    ['j'] = LENGTH,   ['z'] = LENGTH,   ['t'] = LENGTH,   ['e'] = FLOATING, ['E'] = FLOATING,
    ['f'] = FLOATING, ['F'] = FLOATING, ['g'] = FLOATING, ['G'] = FLOATING, ['a'] = FLOATING,
    ['A'] = FLOATING, ['d'] = INTEGER,  ['i'] = INTEGER,  ['o'] = INTEGER,  ['u'] = INTEGER,
    ['x'] = INTEGER,  ['X'] = INTEGER,  ['c'] = INTEGER,  ['p'] = POINTER,  ['n'] = POINTER,
};

static uint8_t kind_of(char c) { return kinds[(unsigned char)c]; }

/* Behind its '%'. */
static struct conversion conversion_at(const char **at, struct arguments *args)
{
    struct conversion one = {-1, INT, 0};
    while (kind_of(**at) == FLAG)
        ++*at;
    number(at, args); /* the width */
    if (**at == '.') {
        ++*at;
        one.precision = number(at, args);
    }
    for (; kind_of(**at) == LENGTH; ++*at)
        one.length = **at == 'L'                         ? LONG_DOUBLE
                     : **at == 'q' || one.length == LONG ? LONG_LONG
                     : **at == 'h'                       ? INT
                                                         : LONG;
    if (**at)
        one.what = *(*at)++;
    return one;
}

static void reads_text(const char *text, int precision, uintptr_t pc)
{
    size_t most = precision < 0 ? SIZE_MAX >> 1 : (size_t)precision, n = text ? strnlen(text, most) : 0;
    if (text && most)
        bine__race_reads(text, n < most ? n + 1 : n, pc);
}

/* Goes over one argument; false: it is not known how. */
static bool pass(struct conversion one, struct arguments *args)
{
    if (kind_of(one.what) == FLOATING) {
        if (one.length == LONG_DOUBLE)
            (void)va_arg(args->list, long double);
        else
            (void)va_arg(args->list, double);
    } else if (kind_of(one.what) == INTEGER) {
        if (one.length == LONG_LONG)
            (void)va_arg(args->list, long long);
        else if (one.length == LONG)
            (void)va_arg(args->list, long);
        else
            (void)va_arg(args->list, int);
    } else if (kind_of(one.what) == POINTER) {
        (void)va_arg(args->list, void *);
    } else {
        return one.what == 'm' || one.what == '%';
    }
    return true;
}

void bine__race_formats(const char *format, va_list given, uintptr_t pc)
{
    struct arguments args;
    bine__race_logs(bine__race_self);
    va_copy(args.list, given);
    for (const char *at = format; *at;) {
        if (*at++ != '%')
            continue;
        struct conversion one = conversion_at(&at, &args);
        if (one.what == 's' && one.length == INT)
            reads_text(va_arg(args.list, const char *), one.precision, pc);
        else if (!one.what || !pass(one, &args))
            break;
    }
    va_end(args.list);
}
