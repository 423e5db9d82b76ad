/* SPDX-License-Identifier: MIT
 *
 * Who finds the flag set looks again later. */
#include "../corpus.h"

static bool busy;
static int inside;

static void *request(void *arg)
{
    while (busy)
        bine_sleep(BINE_MS);
    busy = true;
    EXPECT(++inside == 1);
    bine_sleep(5 * BINE_MS);
    inside--;
    busy = false;
    return arg;
}

static void *program(void *arg)
{
    both(request, NULL, request, NULL);
    return arg;
}
PROGRAM(program)
