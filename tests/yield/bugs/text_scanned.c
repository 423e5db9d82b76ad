/* SPDX-License-Identifier: MIT
 *
 * A limit that is kept as text: taken apart, asked about elsewhere, and put together again.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static char quota[32] = "used=1;most=9";

static void ask(void) { bine_sleep(BINE_MS); }

static void *use(void *arg)
{
    int used, most;
#ifdef FIXED
    ask();
#endif
    if (strcspn(quota, ";") == 0 || sscanf(quota, "used=%d;most=%d", &used, &most) != 2) /* SITE looked */
        return NULL;
#ifndef FIXED
    ask(); /* SITE gave-up */
#endif
    snprintf(quota, sizeof quota, "used=%d;most=%d", used + 1, most); /* SITE wrote acted */
    return arg;
}

static void *program(void *arg)
{
    both(use, NULL, use, NULL);
    EXPECT(strcmp(quota, "used=3;most=9") == 0);
    return arg;
}
PROGRAM(program)
