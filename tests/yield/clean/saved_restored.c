/* SPDX-License-Identifier: MIT
 *
 * A global variable is set for the time of a call that does not switch, and put back. */
#include "../corpus.h"

static int base = 10;
static int printed[2];

static int format(int n)
{
    return n / base * 100 + n % base;
}

static int in_base(int other, int n)
{
    int saved = base;
    base = other;
    int text = format(n);
    base = saved;
    return text;
}

static void *decimal(void *arg)
{
    base = 10;
    bine_sleep(2 * BINE_MS);
    printed[0] = format(42);
    return arg;
}

static void *hexadecimal(void *arg)
{
    bine_sleep(BINE_MS);
    printed[1] = in_base(16, 42);
    return arg;
}

static void *program(void *arg)
{
    both(decimal, NULL, hexadecimal, NULL);
    EXPECT(printed[0] == 402 && printed[1] == 210);
    return arg;
}
PROGRAM(program)
