/* SPDX-License-Identifier: MIT
 *
 * How many processors this program may use: its affinity mask (taskset, a container's cpuset) where the system
 * has one, else those that are online.  At least one. */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "runtime/runtime.h"

#ifdef __linux__
/* The kernel refuses a set that is smaller than its own mask: doubled until it fits. */
static long allowed(void)
{
    enum { FIRST = 1024, LAST = 1 << 20 };
    long count = 0;

    for (int bits = FIRST; bits <= LAST && count == 0; bits *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)bits);
        if (!set)
            return 0;
        if (sched_getaffinity(0, CPU_ALLOC_SIZE((size_t)bits), set) == 0)
            count = CPU_COUNT_S(CPU_ALLOC_SIZE((size_t)bits), set);
        CPU_FREE(set);
    }
    return count;
}

unsigned bine__processor(void)
{
    int number = sched_getcpu(); /* no system call */

    return number < 0 ? 0 : (unsigned)number + 1;
}
#else
static long allowed(void)
{
    return 0;
}

unsigned bine__processor(void)
{
    return 0;
}
#endif

unsigned bine__cores(void)
{
    long count = allowed();

    if (count <= 0)
        count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}
