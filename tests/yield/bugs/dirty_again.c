/* SPDX-License-Identifier: MIT
 *
 * A page is dirty, so it is written to the disk, and is clean then; meanwhile it was changed, and marked once more.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static struct {
    long content;
    bool dirty;
} page;
static long disk;

static void *flusher(void *arg)
{
    for (int i = 0; i < 3; i++) {
        if (page.dirty) { /* SITE looked */
#ifdef FIXED
            page.dirty = false;
#endif
            long content = page.content;
            bine_sleep(2 * BINE_MS); /* SITE gave-up */
            disk = content;
#ifndef FIXED
            page.dirty = false; /* SITE acted */
#endif
        }
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *writer(void *arg)
{
    for (int i = 1; i < 3; i++) {
        page.content = i;
        page.dirty = true; /* SITE wrote */
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(writer, NULL, flusher, NULL);
    if (page.dirty)
        disk = page.content;
    EXPECT(disk == 2);
    return arg;
}
PROGRAM(program)
