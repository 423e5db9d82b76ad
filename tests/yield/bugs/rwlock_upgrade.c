/* SPDX-License-Identifier: MIT
 *
 * A reader sees that an entry is missing, gives the lock back, takes it for writing, and does not look again.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static bine_rwlock lock = BINE_RWLOCK_INIT;
static int table[8], inserted;

static void *insert(void *arg)
{
    int key = *(int *)arg;
    bine_rwlock_read(&lock);
    bool missing = table[key] == 0; /* SITE looked */
    bine_sleep(BINE_MS);
    bine_rwlock_unlock(&lock);
    if (missing) {
        bine_rwlock_write(&lock); /* SITE gave-up */
#ifdef FIXED
        missing = table[key] == 0;
#endif
        if (missing) {
            table[key] = key + 100; /* SITE wrote acted */
            inserted++;
        }
        bine_rwlock_unlock(&lock);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int key = 3;
    both(insert, &key, insert, &key);
    EXPECT(inserted == 1);
    return arg;
}
PROGRAM(program)
