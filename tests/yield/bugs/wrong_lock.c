/* SPDX-License-Identifier: MIT
 *
 * Both tasks lock, but not the same lock.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static bine_mutex readers_lock = BINE_MUTEX_INIT, writers_lock = BINE_MUTEX_INIT;
static int entries;

static void *import(void *arg)
{
    bine_mutex_lock(&writers_lock);
    int n = entries;     /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    entries = n + 1;     /* SITE wrote acted */
    bine_mutex_unlock(&writers_lock);
    return arg;
}

static void *cleanup(void *arg)
{
#ifdef FIXED
    bine_mutex *lock = &writers_lock;
#else
    bine_mutex *lock = &readers_lock;
#endif
    bine_mutex_lock(lock);
    int n = entries;     /* SITE looked */
    bine_sleep(BINE_MS); /* SITE gave-up */
    entries = n + 10;    /* SITE wrote acted */
    bine_mutex_unlock(lock);
    return arg;
}

static void *program(void *arg)
{
    both(import, NULL, cleanup, NULL);
    EXPECT(entries == 11);
    (void)readers_lock;
    return arg;
}
PROGRAM(program)
