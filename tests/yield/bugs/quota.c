/* SPDX-License-Identifier: MIT
 *
 * A client may have so many connections: checked, connected, and only then counted.
 * KIND: STALE-CHECK */
#include "../corpus.h"

enum { LIMIT = 3 };
static struct client {
    int connections;
} client = {2};

static bool allowed(const struct client *c)
{
    return c->connections < LIMIT; /* SITE looked */
}

static void *connection(void *arg)
{
    struct client *c = arg;
    if (!allowed(c))
        return NULL;
#ifdef FIXED
    c->connections++;
    bine_sleep(3 * BINE_MS);
#else
    bine_sleep(3 * BINE_MS); /* SITE gave-up */
    c->connections++;        /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    both(connection, &client, connection, &client);
    EXPECT(client.connections <= LIMIT);
    return arg;
}
PROGRAM(program)
