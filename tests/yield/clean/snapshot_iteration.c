/* SPDX-License-Identifier: MIT
 *
 * A list of members is copied before it is sent to, as members may leave meanwhile. */
#include "../corpus.h"

static int members[8] = {1, 2, 3, 4};
static int n = 4, sent;

static void *broadcast(void *arg)
{
    int copy[8], count = n;
    memcpy(copy, members, sizeof copy);
    for (int i = 0; i < count; i++) {
        bine_sleep(BINE_MS);
        sent += copy[i];
    }
    return arg;
}

static void *leave(void *arg)
{
    bine_sleep(2 * BINE_MS);
    members[0] = members[--n];
    return arg;
}

static void *program(void *arg)
{
    both(broadcast, NULL, leave, NULL);
    EXPECT((sent == 10 || sent == 9) && n == 3);
    return arg;
}
PROGRAM(program)
