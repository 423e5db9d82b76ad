/* SPDX-License-Identifier: MIT
 *
 * Looked at before the lock is taken, and again when it has been. */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static bool started;
static int starts;

static void ensure_started(void)
{
    if (started)
        return;
    bine_mutex_lock(&lock);
    if (!started) {
        bine_sleep(BINE_MS);
        starts++;
        started = true;
    }
    bine_mutex_unlock(&lock);
}

static void *user(void *arg)
{
    ensure_started();
    EXPECT(started);
    return arg;
}

static void *program(void *arg)
{
    both(user, NULL, user, NULL);
    EXPECT(starts == 1);
    return arg;
}
PROGRAM(program)
