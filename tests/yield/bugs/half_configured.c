/* SPDX-License-Identifier: MIT
 *
 * The flag that says that the configuration is there is set before the configuration is.
 * KIND: TORN-GROUP */
#include "../corpus.h"

#include <bine/check.h>

static bool loaded;
static int port;
static int used = -1;

static void *load(void *arg)
{
#ifdef FIXED
    bine_sleep(2 * BINE_MS);
    port = 8080;
    loaded = true;
#else
    loaded = true;           /* SITE looked */
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
    port = 8080;             /* SITE acted */
#endif
    return arg;
}

static void *listener(void *arg)
{
    bine_sleep(BINE_MS);
    if (loaded)      /* SITE wrote */
        used = port; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    bine_together("configuration", &loaded, sizeof loaded);
    bine_together("configuration", &port, sizeof port);
    both(load, NULL, listener, NULL);
    EXPECT(used != 0);
    return arg;
}
PROGRAM(program)
