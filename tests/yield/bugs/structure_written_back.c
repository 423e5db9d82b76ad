/* SPDX-License-Identifier: MIT
 *
 * A whole structure is copied out, one field is changed while another task changes the other, and it is copied back.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static struct settings {
    long limit, timeout, retries, verbose;
} settings = {1, 2, 3, 4};

static void *set_limit(void *arg)
{
#ifdef FIXED
    bine_sleep(2 * BINE_MS);
    settings.limit = 10;
#else
    struct settings copy = settings; /* SITE looked */
    copy.limit = 10;
    bine_sleep(2 * BINE_MS); /* SITE gave-up: validates */
    settings = copy;         /* SITE acted */
#endif
    return arg;
}

static void *set_timeout(void *arg)
{
    bine_sleep(BINE_MS);
    settings.timeout = 20; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(set_limit, NULL, set_timeout, NULL);
    EXPECT(settings.limit == 10 && settings.timeout == 20);
    return arg;
}
PROGRAM(program)
