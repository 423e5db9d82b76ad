/* SPDX-License-Identifier: MIT
 *
 * Who needs the connection first makes it; the second one comes when it is there, and writes nothing.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static int made;
static char *connection;
static bine_mutex making = BINE_MUTEX_INIT;

static char *dial(void)
{
    bine_sleep(3 * BINE_MS); /* SITE gave-up */
    made++;
    return malloc(16);
}

static char *get(void)
{
#ifdef FIXED
    bine_mutex_lock(&making);
    if (!connection)
        connection = dial();
    bine_mutex_unlock(&making);
#else
    if (!connection)         /* SITE looked */
        connection = dial(); /* SITE wrote acted */
#endif
    return connection;
}

static void *user(void *arg)
{
    bine_sleep(*(bine_ns *)arg);
    EXPECT(get() != NULL);
    return NULL;
}

static void *program(void *arg)
{
    static bine_ns start[2] = {BINE_MS, BINE_MINUTE};
    (void)making;
    both(user, &start[0], user, &start[1]);
    EXPECT(made == 1);
    free(connection);
    return arg;
}
PROGRAM(program)
