/* SPDX-License-Identifier: MIT
 *
 * A worker does the job at the front of a queue, and takes it out when it is done; so does another.
 * KIND: STALE-CHECK LOST-UPDATE
 * STAGGERED: no */
#include "../corpus.h"

#include <queue>

static std::queue<int> jobs;
static int done[4];

static void work(int job)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    done[job]++;
}

static void *worker(void *)
{
    if (jobs.empty()) /* SITE looked */
        return NULL;
    int job = jobs.front(); /* SITE looked */
#ifdef FIXED
    jobs.pop();
    work(job);
#else
    work(job); /* SITE gave-up */
    jobs.pop(); /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    for (int i = 0; i < 4; i++)
        jobs.push(i);
    both(worker, NULL, worker, NULL);
    for (int times : done)
        EXPECT(times < 2);
    return arg;
}
PROGRAM(program)
