/* SPDX-License-Identifier: MIT
 *
 * A line of the log tells averages: it is asked whether there is something to divide by, and nothing depends on
 * that but the line.  What is counted is counted at once. */
#include "../corpus.h"

static struct {
    uint64_t jobs, bytes;
    uint32_t failed;
    double seconds;
} done;
static char line[120];

static void tell(const char *what)
{
    snprintf(line, sizeof line, "%s: %g s and %g bytes for each of %llu, %u failed", what,
             done.jobs ? done.seconds / (double)done.jobs : 0.0,
             done.jobs ? (double)done.bytes / (double)done.jobs : 0.0, (unsigned long long)done.jobs, done.failed);
}

static void do_job(unsigned size)
{
    tell("begin");
    bine_sleep((size % 3 + 1) * BINE_MS);
    done.jobs++;
    done.bytes += size;
    done.seconds += 0.25 * size;
    tell("end");
    bine_sleep(BINE_MS);
    if (size % 2)
        done.failed++;
}

static void *worker(void *arg)
{
    for (unsigned i = 1; i < 5; i++)
        do_job(i + (unsigned)(uintptr_t)arg);
    return NULL;
}

static void *program(void *arg)
{
    both(worker, (void *)1, worker, (void *)2);
    EXPECT(done.jobs == 8 && done.bytes == 32 && done.failed == 4 && done.seconds == 8.0);
    return arg;
}
PROGRAM(program)
