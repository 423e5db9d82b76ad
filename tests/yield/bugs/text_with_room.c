/* SPDX-License-Identifier: MIT
 *
 * A text is appended to another if there is room; who is asked in between takes time, and others append, too.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { ROOM = 24 };
static char trail[2 * ROOM] = "/";

static bool allowed(void)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return true;
}

static void *enter(void *arg)
{
    const char *step = (const char *)arg;
#ifdef FIXED
    if (allowed() && strlen(trail) + strlen(step) < ROOM)
        strcat(trail, step);
#else
    if (strlen(trail) + strlen(step) >= ROOM) /* SITE looked */
        return NULL;
    if (allowed())
        strcat(trail, step); /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static char first[] = "usr/share/man/", second[] = "etc/init.d/";
    both(enter, first, enter, second);
    EXPECT(strlen(trail) < ROOM);
    return arg;
}
PROGRAM(program)
