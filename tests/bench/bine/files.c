/* SPDX-License-Identifier: MIT
 *
 * Files: a thousand tasks read random blocks of 4 KiB of a file of 1 GiB that is in memory.
 *
 *   files read    by bine_pread()
 *   files pool    by pread(2) on bine's threads, each read a job
 *
 * The file is made in $TMPDIR (/tmp), and gone at the end.  $MIB makes it smaller.  Prints the time on the wall
 * and the CPU time for a read; then reads as much again, and prints for how long the loop was held: of the CPU
 * times that its thread used from the end of one read to the end of the next, whosever it was, the 99.9th
 * percentile.  (Times on the wall would count as held a loop that waits for its threads.) */
#define _GNU_SOURCE
#include <bine.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "../measure.h"

enum { TASKS = 1000, READS = 300, BLOCK = 4096, CHUNK = 1 << 20 };

static int file;
static long blocks;
static bool by_pool, by_steps;
static int64_t last_step;
static uint32_t *steps; /* ns */
static size_t step_count;

static int64_t clock_now(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void make_file(void)
{
    const char *directory = getenv("TMPDIR"), *size = getenv("MIB");
    long chunks = size ? strtol(size, NULL, 10) : 1024;
    char path[4096];
    char *chunk = malloc(CHUNK);
    snprintf(path, sizeof path, "%s/bine-bench-XXXXXX", directory ? directory : "/tmp");
    file = mkstemp(path);
    if (file < 0 || !chunk || chunks < 1)
        fail(path);
    unlink(path);
    memset(chunk, 'b', CHUNK);
    for (long i = 0; i < chunks; i++)
        if (write(file, chunk, CHUNK) != CHUNK)
            fail("write");
    free(chunk);
    blocks = chunks * (CHUNK / BLOCK);
}

struct job {
    char *buffer;
    off_t offset;
};

static void *read_on_thread(void *arg)
{
    const struct job *job = arg;
    if (pread(file, job->buffer, BLOCK, job->offset) != BLOCK)
        fail("pread");
    return NULL;
}

static void *reader(void *arg)
{
    static char buffers[TASKS][BLOCK];
    uint64_t random = 88172645463325252u + (uintptr_t)arg * 7919;
    struct job job = {.buffer = buffers[(uintptr_t)arg]};
    for (int i = 0; i < READS; i++) {
        job.offset = (off_t)(next_random(&random) % (uint64_t)blocks) * BLOCK;
        if (by_pool ? bine_offload(read_on_thread, &job, NULL) != 0
                    : bine_pread(file, job.buffer, BLOCK, job.offset) != BLOCK)
            fail("read");
        if (!by_steps)
            continue;
        int64_t now = clock_now(CLOCK_THREAD_CPUTIME_ID);
        steps[step_count++] = (uint32_t)(now - last_step);
        last_step = now;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void read_all(void)
{
    static bine_task *tasks[TASKS];
    for (uintptr_t i = 0; i < TASKS; i++)
        if (!(tasks[i] = bine_spawn(reader, (void *)i)))
            fail("bine_spawn");
    for (int i = 0; i < TASKS; i++)
        bine_join(tasks[i], NULL);
}

static void *measure(void *arg)
{
    int64_t cpu = cpu_now(), wall = clock_now(CLOCK_MONOTONIC);
    read_all();
    figure("read", (double)(clock_now(CLOCK_MONOTONIC) - wall) / 1e3 / TASKS / READS, "us");
    figure("cpu", (double)(cpu_now() - cpu) / 1e3 / TASKS / READS, "us");
    by_steps = true;
    last_step = clock_now(CLOCK_THREAD_CPUTIME_ID);
    read_all();
    qsort(steps, step_count, sizeof *steps, compare);
    figure("stall", (double)steps[step_count - step_count / 1000 - 1] / 1e3, "us");
    return arg;
}

int main(int argc, char **argv)
{
    by_pool = argc > 1 && !strcmp(argv[1], "pool");
    if (argc != 2 || (!by_pool && strcmp(argv[1], "read") != 0))
        return fprintf(stderr, "usage: files read | files pool\n"), 2;
    steps = malloc(TASKS * READS * sizeof *steps);
    if (!steps)
        fail("malloc");
    make_file();
    return bine_run(measure, NULL, NULL) == 0 ? 0 : 1;
}
