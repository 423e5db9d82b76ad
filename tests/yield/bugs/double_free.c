/* SPDX-License-Identifier: MIT
 *
 * Both ends of a connection free its buffer after their last wait.
 * KIND: DOUBLE-FREE USE-AFTER-FREE-ACROSS-YIELD STALE-CHECK */
#include "../corpus.h"

static struct {
    char *buffer;
} connection;

static void *end(void *arg)
{
    char *buffer = connection.buffer;
    if (!buffer)
        return arg;
#ifdef FIXED
    connection.buffer = NULL;
#endif
    bine_sleep(BINE_MS);
    free(buffer); /* SITE wrote acted */
    connection.buffer = NULL;
    return arg;
}

static void *program(void *arg)
{
    connection.buffer = malloc(2000);
    connection.buffer[0] = 0;
    both(end, NULL, end, NULL);
    return arg;
}
PROGRAM(program)
