/* SPDX-License-Identifier: MIT
 *
 * A consumer that was signalled takes without looking again; another was faster.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static bine_mutex lock = BINE_MUTEX_INIT;
static bine_cond filled = BINE_COND_INIT;
static int jobs;

static void *patient(void *arg)
{
    bine_mutex_lock(&lock);
#ifdef FIXED
    while (jobs == 0)
#else
    if (jobs == 0) /* SITE looked */
#endif
        if (bine_cond_wait(&filled, &lock) < 0) { /* SITE gave-up */
            bine_mutex_unlock(&lock);
            return arg;
        }
    jobs--; /* SITE acted */
    bine_mutex_unlock(&lock);
    return arg;
}

static void *quick(void *arg)
{
    bine_sleep(2 * BINE_MS);
    bine_mutex_lock(&lock);
    if (jobs > 0)
        jobs--; /* SITE wrote */
    bine_mutex_unlock(&lock);
    return arg;
}

static void *producer(void *arg)
{
    bine_sleep(BINE_MS);
    bine_mutex_lock(&lock);
    bine_sleep(5 * BINE_MS); /* makes the job; meanwhile the quick one arrives */
    jobs++;
    bine_cond_signal(&filled);
    bine_mutex_unlock(&lock);
    return arg;
}

static void *program(void *arg)
{
    bine_scope patience;
    bine_scope_open(&patience, BINE_SECOND);
    BINE_GROUP(all, BINE_GROUP_COLLECT)
    {
        bine_group_spawn(&all, patient, NULL);
        bine_group_spawn(&all, quick, NULL);
        bine_group_spawn(&all, producer, NULL);
    }
    bine_scope_close(&patience);
    EXPECT(jobs >= 0);
    return arg;
}
PROGRAM(program)
