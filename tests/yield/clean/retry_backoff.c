/* SPDX-License-Identifier: MIT
 *
 * A call that fails is tried again, later each time; attempts are counted for all. */
#include "../corpus.h"

static int attempts, server_up;

static bool try_once(void)
{
    attempts++;
    bine_sleep(BINE_MS);
    return server_up;
}

static void *client(void *arg)
{
    bine_ns wait = BINE_MS;
    while (!try_once()) {
        bine_sleep(wait);
        wait *= 2;
    }
    return arg;
}

static void *starter(void *arg)
{
    bine_sleep(20 * BINE_MS);
    server_up = 1;
    return arg;
}

static void *program(void *arg)
{
    bine_task *other = bine_spawn(client, NULL);
    both(client, NULL, starter, NULL);
    bine_join(other, NULL);
    EXPECT(attempts >= 2);
    return arg;
}
PROGRAM(program)
