/* SPDX-License-Identifier: MIT
 *
 * Connections are counted in, if the server is not stopping, and counted out: whether it is and how many
 * there are changes together, and what each has added it may take away alone. */
#include "../corpus.h"

static struct {
    int stopping, active;
} server;
static int served, refused;
static bool closed;

static void *connection(void *arg)
{
    bine_sleep(*(int *)arg * BINE_MS);
    if (server.stopping) {
        refused++;
        return arg;
    }
    server.active++;
    bine_sleep(3 * BINE_MS);
    EXPECT(!closed);
    served++;
    server.active--;
    return arg;
}

static void *stopper(void *arg)
{
    bine_sleep(2 * BINE_MS);
    server.stopping = 1;
    while (server.active > 0)
        bine_sleep(BINE_MS);
    closed = true;
    return arg;
}

static void *program(void *arg)
{
    static int at[] = {0, 1, 5};
    bine_together("server", &server, sizeof server);
    BINE_GROUP(tasks, BINE_GROUP_ALL) {
        bine_group_spawn(&tasks, stopper, NULL);
        for (int i = 0; i < 3; i++)
            bine_group_spawn(&tasks, connection, &at[i]);
    }
    EXPECT(served + refused == 3 && server.active == 0);
    return arg;
}
PROGRAM(program)
