/* SPDX-License-Identifier: MIT
 *
 * What every bench program in C or C++ shares: the CPU clock, the memory of a process, and one way to
 * print a figure, "name value unit", that tests/bench/run collects.
 *
 * Times are CPU times of the process, user and system, not times on the wall: on a machine that also does
 * other work the two differ by what the others took. */
#ifndef BINE_BENCH_MEASURE_H
#define BINE_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* Nanoseconds of CPU that this process has used. */
static inline int64_t cpu_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Nanoseconds of CPU that another process has used, its ended threads included; -1 if there is none. */
static inline int64_t cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec ts;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
        return -1;
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* What the line of /proc/PID/NAME that begins with the key says in KiB, in bytes, or -1; PID 0 is this process. */
static inline int64_t proc_bytes(pid_t pid, const char *name, const char *key)
{
    char path[64], line[256];
    int64_t kib = -1;
    size_t length = strlen(key);
    if (pid)
        snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    else
        snprintf(path, sizeof path, "/proc/self/%s", name);
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    while (kib < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, key, length) == 0)
            kib = strtol(line + length, NULL, 10);
    fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}

/* Bytes of memory that a process (0: this one) holds, its page tables included.  The pages are counted when it is
 * asked: VmRSS is summed from counters that lag by up to some hundred KiB. */
static inline int64_t memory_of(pid_t pid)
{
    return proc_bytes(pid, "smaps_rollup", "Rss:") + proc_bytes(pid, "status", "VmPTE:");
}

static inline void figure(const char *name, double value, const char *unit)
{
    printf("%s %.3f %s\n", name, value, unit);
    fflush(stdout);
}

/* The argument number i as a count of at least 1, or the fallback. */
static inline long count_argument(int argc, char **argv, int i, long fallback)
{
    long n = i < argc ? strtol(argv[i], NULL, 10) : fallback;
    if (n < 1) {
        fprintf(stderr, "%s: argument %d must be a count\n", argv[0], i);
        exit(2);
    }
    return n;
}

/* A fixed sequence of pseudo-random numbers (xorshift64), the same in every program. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
