/* SPDX-License-Identifier: MIT
 *
 * The next server's number is taken and advanced in one step. */
#include "../corpus.h"

enum { SERVERS = 3 };
static unsigned next_server;
static int load[SERVERS];

static void *request(void *arg)
{
    for (int i = 0; i < 6; i++) {
        unsigned s = next_server++ % SERVERS;
        load[s]++;
        bine_sleep((bine_ns)(s + 1) * BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(request, NULL, request, NULL);
    EXPECT(load[0] == 4 && load[1] == 4 && load[2] == 4);
    return arg;
}
PROGRAM(program)
