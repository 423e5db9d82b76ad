/* SPDX-License-Identifier: MIT
 *
 * A flag is looked at and set without a switch in between, and cleared at the end. */
#include "../corpus.h"

static bool busy;
static int inside, refused, served;

static void *request(void *arg)
{
    if (busy) {
        refused++;
        return arg;
    }
    busy = true;
    EXPECT(++inside == 1);
    bine_sleep(5 * BINE_MS);
    inside--;
    served++;
    busy = false;
    return arg;
}

static void *program(void *arg)
{
    both(request, NULL, request, NULL);
    EXPECT(refused + served == 2 && served > 0);
    return arg;
}
PROGRAM(program)
