/* SPDX-License-Identifier: MIT
 *
 * A static buffer is filled and used before anything else may run. */
#include "../corpus.h"

static const char *decimal(int n)
{
    static char text[16];
    snprintf(text, sizeof text, "%d", n);
    return text;
}

static void *say(void *arg)
{
    int n = *(int *)arg, total = 0;
    for (int i = 0; i < 4; i++) {
        total += atoi(decimal(n + i));
        bine_sleep(BINE_MS);
    }
    EXPECT(total == 4 * n + 6);
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {10, 20};
    both(say, &n[0], say, &n[1]);
    return arg;
}
PROGRAM(program)
