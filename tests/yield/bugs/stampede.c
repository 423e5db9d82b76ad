/* SPDX-License-Identifier: MIT
 *
 * A cache that is empty is filled by everybody who finds it empty.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static const char *cached;
static int fetches;

static const char *fetch(void)
{
    fetches++;
    bine_sleep(20 * BINE_MS); /* SITE gave-up */
    return "page";
}

static const char *page(void)
{
#ifdef FIXED
    static bine_mutex filling = BINE_MUTEX_INIT;
    bine_mutex_lock(&filling);
    if (!cached)
        cached = fetch();
    bine_mutex_unlock(&filling);
#else
    if (!cached)          /* SITE looked */
        cached = fetch(); /* SITE wrote acted */
#endif
    return cached;
}

static void *client(void *arg)
{
    EXPECT(strcmp(page(), "page") == 0);
    return arg;
}

static void *program(void *arg)
{
    both(client, NULL, client, NULL);
    EXPECT(fetches == 1);
    return arg;
}
PROGRAM(program)
