/* SPDX-License-Identifier: MIT
 *
 * A text is made in one static place, and read from there, letter by letter, after a wait.
 * KIND: CLOBBERED */
#include "../corpus.h"

static const char *digits(unsigned number)
{
    static char text[12];
    char *at = text + sizeof text;
    *--at = '\0'; /* SITE wrote looked */
    do
        *--at = (char)('0' + number % 10); /* SITE wrote looked */
    while ((number /= 10) != 0);
    return at;
}

static bool tell(unsigned number)
{
    char copy[12];
    size_t n = 0;
#ifdef FIXED
    bine_sleep(number * BINE_US);
    const char *text = digits(number);
#else
    const char *text = digits(number);
    bine_sleep(number * BINE_US); /* SITE gave-up */
#endif
    while (text[n]) { /* SITE acted */
        copy[n] = text[n];
        n++;
    }
    copy[n] = '\0';
    return strtoul(copy, NULL, 10) == number;
}

static void *worker(void *arg)
{
    EXPECT(tell(*(unsigned *)arg));
    return NULL;
}

static void *program(void *arg)
{
    static unsigned a = 1234, b = 5678;
    both(worker, &a, worker, &b);
    return arg;
}
PROGRAM(program)
