/* SPDX-License-Identifier: MIT
 *
 * Under a read lock, which others hold too, something is updated.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static bine_rwlock lock = BINE_RWLOCK_INIT;
static struct {
    int value, reads;
} entry = {42, 0};

static void *look(void *arg)
{
#ifdef FIXED
    bine_rwlock_write(&lock);
#else
    bine_rwlock_read(&lock);
#endif
    int reads = entry.reads; /* SITE looked */
    bine_sleep(BINE_MS);     /* SITE gave-up */
    entry.reads = reads + 1; /* SITE wrote acted */
    EXPECT(entry.value == 42);
    bine_rwlock_unlock(&lock);
    return arg;
}

static void *program(void *arg)
{
    both(look, NULL, look, NULL);
    EXPECT(entry.reads == 2);
    return arg;
}
PROGRAM(program)
