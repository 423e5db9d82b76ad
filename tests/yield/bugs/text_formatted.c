/* SPDX-License-Identifier: MIT
 *
 * A number as text, in a buffer of the function's own, which is printed after the wait; the texts differ in their
 * last letters only.
 * KIND: CLOBBERED */
#include "../corpus.h"

static const char *amount(int cents)
{
    static char text[24];
    snprintf(text, sizeof text, "EUR 1000.%02d", cents); /* SITE looked wrote */
    return text;
}

static void *book(void *arg)
{
    int cents = *(int *)arg;
    char line[40], want[40];
    snprintf(want, sizeof want, "paid  |EUR 1000.%02d|  %d", cents, cents);
#ifdef FIXED
    char text[24];
    strcpy(text, amount(cents));
#else
    const char *text = amount(cents); /* SITE looked wrote */
#endif
    bine_sleep(BINE_MS); /* SITE gave-up */
    snprintf(line, sizeof line, "%-6s|%.12s|%*d", "paid", text, 4, cents); /* SITE acted */
    EXPECT(strcmp(line, want) == 0);
    return NULL;
}

static void *program(void *arg)
{
    static int a = 25, b = 75;
    both(book, &a, book, &b);
    return arg;
}
PROGRAM(program)
