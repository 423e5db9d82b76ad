/* SPDX-License-Identifier: MIT
 *
 * A million parked tasks, every one on a guarded stack, with vm.max_map_count as it is; all are woken in
 * order.
 *
 * Needs some 4.3 GB; where less than twice that is free, or under a tool that multiplies memory, it says so
 * and passes nothing.  TASKS sets another number; a kernel without guard pages allows no more than 30,000. */
#define _GNU_SOURCE
#include "runtime/runtime.h"

#include "support/guards.h"
#include "support/support.h"

enum { MILLION = 1000000, NEEDED_KB_EACH = 9, PROBED_EACH = 1009 };

static unsigned wanted, woken;
static bine_task **task;

static void *park(void *arg)
{
    int result = bine_park();
    expect_uint(woken, ==, (uintptr_t)arg); /* in the order in which they were woken */
    woken++;
    return result == 0 ? arg : bine_fail(errno);
}

/* The kernel cannot read the guard, and can read the page above it. */
static bool guarded(const bine_task *one, int pipe_end)
{
    return write(pipe_end, one->stack.base, 1) == -1 && errno == EFAULT &&
           write(pipe_end, one->stack.base + bine__stack_guard(), 1) == 1;
}

static unsigned long read_kb(const char *path, const char *key)
{
    char line[256];
    unsigned long value = 0;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtoul(line + strlen(key), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

/* Also what a container is allowed, which /proc/meminfo does not tell. */
static unsigned long free_memory_kb(void)
{
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    unsigned long least = read_kb("/proc/meminfo", "MemAvailable:");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        unsigned long allowed = read_kb(limits[i], "") >> 10; /* "max": 0 */
        if (allowed > 0 && allowed < least)
            least = allowed;
    }
    return least;
}

static unsigned count_mappings(void)
{
    unsigned n = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    for (int c; file && (c = getc(file)) != EOF;)
        n += c == '\n';
    if (file)
        fclose(file);
    return n;
}

static void *run(void *arg)
{
    (void)arg;
    unsigned spawned = 0;
    int fd[2];
    unsigned long before = read_kb("/proc/self/status", "VmRSS:") + read_kb("/proc/self/status", "VmPTE:");
    while (spawned < wanted && (task[spawned] = bine_spawn(park, (void *)(uintptr_t)spawned)))
        spawned++;
    expect_uint(spawned, ==, wanted);
    expect_ok(bine_yield());
    expect_uint(bine_tasks(NULL, 0), ==, spawned + 1);
    unsigned long after = read_kb("/proc/self/status", "VmRSS:") + read_kb("/proc/self/status", "VmPTE:");
    printf("%u parked tasks: %.0f bytes each with page tables, %u mappings\n", spawned,
           (double)(after - before) * 1024 / spawned, count_mappings());
    expect_ok(pipe(fd));
    for (unsigned i = 0; i < spawned; i += PROBED_EACH)
        if (!expect(guarded(task[i], fd[1])))
            break;
    expect(spawned > 0 && guarded(task[spawned - 1], fd[1]));
    close(fd[0]);
    close(fd[1]);
    for (unsigned i = 0; i < spawned; i++)
        bine_wake(task[i]);
    for (unsigned i = 0; i < spawned; i++) {
        bine_result result = {NULL, -1};
        if (bine_join(task[i], &result) != 0 || result.value != (void *)(uintptr_t)i || result.error != 0) {
            support_record(__FILE__, __LINE__, "task %u ended wrongly (%d)", i, result.error);
            break;
        }
    }
    return NULL;
}

int main(void)
{
    const char *text = getenv("TASKS");
    wanted = text && *text ? (unsigned)strtoul(text, NULL, 10) : MILLION;
    unsigned long free_kb = free_memory_kb();
    if (wanted > most_guarded_stacks())
        wanted = (unsigned)most_guarded_stacks();
    if (support_slow() || free_kb < (unsigned long)wanted * NEEDED_KB_EACH) {
        printf("skipped: %lu MB are free, %lu are needed\n", free_kb >> 10,
               (unsigned long)wanted * NEEDED_KB_EACH >> 10);
        printf("0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    task = malloc(wanted * sizeof(bine_task *));
    bool ran = task && bine_run(run, NULL, NULL) == 0;
    free(task);
    if (!ran || support_failures())
        printf("FAIL: %s%s\n", ran ? "" : strerror(errno), support_recorded());
    bool failed = !ran || support_failures();
    printf("%d passed, %d failed\n", !failed, failed);
    return failed;
}
