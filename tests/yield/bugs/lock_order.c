/* SPDX-License-Identifier: MIT
 *
 * The same two orders, one after the other: nothing goes wrong in this run.
 * KIND: LOCK-ORDER */
#include "../corpus.h"

static bine_mutex accounts = BINE_MUTEX_INIT, journal = BINE_MUTEX_INIT;
static int entries;

static void *book(void *arg)
{
    bine_mutex_lock(&accounts);
    bine_mutex_lock(&journal); /* SITE wrote */
    entries++;
    bine_mutex_unlock(&journal);
    bine_mutex_unlock(&accounts);
    return arg;
}

static void *audit(void *arg)
{
    bine_sleep(BINE_MS);
#ifdef FIXED
    bine_mutex_lock(&accounts);
    bine_mutex_lock(&journal);
#else
    bine_mutex_lock(&journal);
    bine_mutex_lock(&accounts); /* SITE acted */
#endif
    bine_mutex_unlock(&accounts);
    bine_mutex_unlock(&journal);
    return arg;
}

static void *program(void *arg)
{
    both(book, NULL, audit, NULL);
    return arg;
}
PROGRAM(program)
