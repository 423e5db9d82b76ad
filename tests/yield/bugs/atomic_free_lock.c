/* SPDX-License-Identifier: MIT
 *
 * The lock is free, so that taking it does not switch today.
 * KIND: YIELD-IN-ATOMIC */
#include "../corpus.h"

#include <bine/check.h>

#ifndef FIXED
static bine_mutex lock = BINE_MUTEX_INIT;
#endif
static int entries;

static void journal(void)
{
#ifndef FIXED
    bine_mutex_lock(&lock); /* SITE gave-up */
#endif
    entries++;
#ifndef FIXED
    bine_mutex_unlock(&lock);
#endif
}

static void *book(void *arg)
{
    BINE_ATOMIC
    {
        journal();
        journal();
    }
    return arg;
}

static void *program(void *arg)
{
    bine_join(bine_spawn(book, NULL), NULL);
    EXPECT(entries == 2);
    return arg;
}
PROGRAM(program)
