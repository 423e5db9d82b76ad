/* SPDX-License-Identifier: MIT
 *
 * A session is used after a wait, but no reference was taken for the time of the wait.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

struct session {
    int refs, requests;
};
static struct session *current;

static void drop(struct session *s)
{
    if (--s->refs == 0)
        free(s); /* SITE wrote */
}

static void *handler(void *arg)
{
    struct session *s = current;
    if (!s)
        return arg;
#ifdef FIXED
    s->refs++;
#endif
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
    s->requests++;           /* SITE acted */
#ifdef FIXED
    drop(s);
#endif
    return arg;
}

static void *logout(void *arg)
{
    bine_sleep(BINE_MS);
    struct session *s = current;
    current = NULL;
    drop(s);
    return arg;
}

static void *program(void *arg)
{
    current = calloc(1, sizeof *current);
    current->refs = 1;
    both(handler, NULL, logout, NULL);
    return arg;
}
PROGRAM(program)
