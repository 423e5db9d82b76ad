/* SPDX-License-Identifier: MIT
 *
 * Only one reference is left, so the object is written out and freed: meanwhile another has taken a reference.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

static struct document {
    int refs, reads;
} *cached;

static void *evict(void *arg)
{
    struct document *d = cached;
    if (d->refs == 1) {
        bine_sleep(2 * BINE_MS); /* written out */
#ifdef FIXED
        if (d->refs != 1)
            return arg;
#endif
        cached = NULL;
        free(d); /* SITE wrote */
    }
    return arg;
}

static void *reader(void *arg)
{
    bine_sleep(BINE_MS);
    struct document *d = cached;
    if (!d)
        return arg;
    d->refs++;
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
    d->reads++;              /* SITE acted */
    d->refs--;
    return arg;
}

static void *program(void *arg)
{
    cached = calloc(1, sizeof *cached);
    cached->refs = 1;
    both(evict, NULL, reader, NULL);
    free(cached);
    return arg;
}
PROGRAM(program)
