/* SPDX-License-Identifier: MIT
 *
 * Stacks: sizes, guards, overflow reports, reuse, memory given back, and running out. */
#define _GNU_SOURCE
#include "runtime/runtime.h"

#include "support/support.h"
#include "support/tasks.h"

#include <alloca.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/fault.h"
#include "support/guards.h"

static void *park(void *arg)
{
    (void)arg;
    return bine_park() == 0 ? NULL : bine_fail(errno);
}

static bine_task *spawn_sized(bine_fn *fn, void *arg, size_t size)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.stack_size = size;
    return bine_spawn_with(&attr, fn, arg);
}

static size_t size_of(const bine_task *task)
{
    return bine__stack_size(task->stack);
}

LOOP_TEST(sizes_are_rounded_up_to_a_class)
{
    static const struct {
        size_t asked, given;
    } sizes[] = {
        {1, 16 << 10},         {16 << 10, 16 << 10},  {(16 << 10) + 1, 32 << 10}, {50000, 64 << 10},
        {64 << 10, 64 << 10},  {65537, 128 << 10},    {1 << 20, 1 << 20},         {(1 << 20) + 1, 2 << 20},
        {4194305, 8 << 20},    {8 << 20, 8 << 20},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bine_task *task = spawn_sized(park, NULL, sizes[i].asked);
        if (!expect(task != NULL))
            continue;
        expect_uint(size_of(task), ==, sizes[i].given);
        bine_wake(task);
        join_value(task);
    }
}

/* ---- Guards -------------------------------------------------------------------------------------------- */

/* Would reading the byte fault?  The kernel says so without a signal. */
static bool readable(int pipe_end, const void *where)
{
    ssize_t n = write(pipe_end, where, 1);
    expect(n == 1 || (n == -1 && errno == EFAULT));
    return n == 1;
}

static bool guarded(const bine_task *task)
{
    int fd[2];
    if (pipe(fd) != 0)
        return false;
    const char *base = task->stack.base;
    bool right = !readable(fd[1], base) && !readable(fd[1], base + bine__stack_guard() - 1) &&
                 readable(fd[1], base + bine__stack_guard());
    close(fd[0]);
    close(fd[1]);
    return right;
}

LOOP_TEST(every_class_has_a_guard_below_its_stack)
{
    for (size_t size = 16 << 10; size <= 8 << 20; size *= 2) {
        bine_task *task[5];
        for (int i = 0; i < 5; i++)
            task[i] = spawn_sized(park, NULL, size);
        for (int i = 0; i < 5; i++) {
            expect(guarded(task[i]));
            bine_wake(task[i]);
            join_value(task[i]);
        }
    }
    expect(guarded(bine_self()));
}

LOOP_TEST(many_parked_tasks_are_all_guarded)
{
    const unsigned many = support_slow() ? 3000 : 100000;
    const unsigned n = most_guarded_stacks() < many ? (unsigned)most_guarded_stacks() : many;
    bine_task **task = calloc(n, sizeof *task);
    unsigned without = 0;
    for (unsigned i = 0; i < n; i++)
        if (!expect((task[i] = bine_spawn(park, NULL)) != NULL))
            return;
    bine_yield();
    /* Each twenty-ninth, the first and the last; opening pipes for all would test the kernel. */
    for (unsigned i = 0; i < n; i += 29)
        without += !guarded(task[i]);
    without += !guarded(task[n - 1]);
    expect_uint(without, ==, 0);
    for (unsigned i = 0; i < n; i++)
        bine_wake(task[i]);
    for (unsigned i = 0; i < n; i++)
        join_value(task[i]);
    free(task);
}

/* Where the kernel has no guard pages, protection stands in, and where that fails spawning does. */
LOOP_TEST(guards_fall_back_to_protection)
{
    fault_arm_call("madvise", 1, 1000000, EINVAL);
    bine_task *task = spawn_sized(park, NULL, 1 << 20);
    fault_disarm();
    if (expect(task != NULL)) {
        expect(guarded(task));
        bine_wake(task);
        join_value(task);
    }
}

/* ---- Use ----------------------------------------------------------------------------------------------- */

static void *use_bytes(void *arg)
{
    size_t n = *(size_t *)arg;
    volatile char *bytes = alloca(n);
    for (size_t i = 0; i < n; i += 512)
        bytes[i] = (char)(i >> 9);
    bytes[n - 1] = 1;
    bine_yield();
    for (size_t i = 0; i + 1 < n; i += 512)
        expect_int(bytes[i], ==, (char)(i >> 9));
    bine_task_info infos[8];
    size_t count = bine_tasks(infos, 8);
    for (size_t i = 0; i < count && i < 8; i++)
        if (infos[i].state == BINE_TASK_RUNNING) {
            expect_uint(infos[i].stack_used, >=, n);
            expect_uint(infos[i].stack_used, <=, infos[i].stack_size);
        }
    return NULL;
}

LOOP_TEST(almost_all_of_a_stack_can_be_used_and_use_is_told)
{
    for (size_t size = 32 << 10; size <= 4 << 20; size *= 2) {
        size_t n = size - (support_instrumented() ? size / 2 : 14 << 10);
        bine_task *a = spawn_sized(use_bytes, &n, size), *b = spawn_sized(use_bytes, &n, size);
        join_value(a);
        join_value(b);
    }
}

LOOP_TEST(stacks_are_reused_the_last_one_first)
{
    bine_statistics before, after;
    bine_task *first = bine_spawn(park, NULL);
    bine_wake(first);
    join_value(first);
    expect_ok(bine_stats(&before));
    for (int i = 0; i < 1000; i++) {
        bine_task *task = bine_spawn(park, NULL);
        expect_ptr(task, ==, first);
        bine_wake(task);
        join_value(task);
    }
    expect_ok(bine_stats(&after));
    expect_uint(after.stacks_mapped, ==, before.stacks_mapped);
}

static size_t resident(void)
{
    unsigned long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lu %lu", &total, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

LOOP_TEST(memory_of_a_burst_is_given_back)
{
    enum { BURST = 400 };
    size_t each = 48 << 10;
    bine_task *task[BURST];
    size_t before = resident();
    for (int i = 0; i < BURST; i++)
        task[i] = bine_spawn(use_bytes, &each);
    bine_yield();
    size_t during = resident();
    for (int i = 0; i < BURST; i++)
        join_value(task[i]);
    expect_uint(during - before, >=, BURST * each / 2); /* the kernel's own count lags behind on each processor */
    /* It decays by and by; if it never did, the test would run out of its time. */
    while (resident() > before + (during - before) / 2)
        expect_ok(bine_sleep(100 * BINE_MS));
}

/* ---- Running out --------------------------------------------------------------------------------------- */

LOOP_TEST(spawning_without_memory_fails_and_leaves_nothing)
{
    static const char *const calls[] = {"mmap", "malloc", "calloc", "realloc"};
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        enum { MAX = 3000 };
        bine_task *task[MAX];
        int n = 0, failures = 0;
        fault_arm_call(calls[c], 1, 1000000, ENOMEM);
        for (int i = 0; i < MAX; i++) {
            errno = 0;
            task[n] = spawn_sized(park, NULL, (size_t)128 << 10 << c); /* a class no round has grown yet */
            if (task[n])
                n++;
            else
                failures += errno == ENOMEM;
        }
        fault_disarm();
        expect_int(n + failures, ==, MAX);
        bine_task *after = spawn_sized(park, NULL, (size_t)128 << 10 << c);
        expect(after != NULL);
        for (int i = 0; i < n; i++) {
            bine_wake(task[i]);
            join_value(task[i]);
        }
        if (after) {
            bine_wake(after);
            join_value(after);
        }
        if (c < 2)
            expect_int(failures, >, 0);
    }
}

START_TEST(a_run_without_memory_fails_and_leaves_nothing)
{
    static const char *const calls[] = {"mmap",          "malloc",  "calloc", "realloc",
                                        "epoll_create1", "eventfd", "pipe",   "sigaltstack"};
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        long blocks = fixture_blocks();
        for (long nth = 1; nth < 10; nth++) {
            fault_arm_call(calls[c], nth, 1, 0);
            errno = 0;
            int result = bine_run(return_arg, NULL, NULL), error = errno;
            fault_disarm();
            if (result == -1)
                expect(error == ENOMEM || error == EMFILE || error == EAGAIN);
            expect_ptr(fixture_leak(), ==, NULL);
            expect_int(fixture_blocks(), ==, blocks);
        }
    }
}
END_TEST

/* ---- Faults -------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) int overflow(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    int result = depth < 0 ? 0 : overflow(depth + 1) + frame[0]; /* out of stack long before it is negative */
    __asm__ volatile("" : "+r"(result));
    return result;
}

static void *overflow_it(void *arg)
{
    return (void *)(intptr_t)overflow((int)(intptr_t)arg);
}

static void *spawn_overflowing(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "bottomless";
    attr.stack_size = 40000;
    bine_join(bine_spawn_with(&attr, overflow_it, arg), NULL);
    return NULL;
}

static void run_overflow(void *arg)
{
    (void)arg;
    bine_run(spawn_overflowing, NULL, NULL);
}

START_TEST(an_overflow_is_reported_with_advice_and_dies_by_sigsegv)
{
    char text[4096];
    if (support_instrumented()) {
        support_skip("an_overflow_is_reported", "the tool takes SIGSEGV");
        return;
    }
    int status = run_child(run_overflow, NULL, text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    expect_has(text, "bine: task ");
    expect_has(text, "'bottomless'");
    expect_has(text, "check_stack.c:");
    expect_has(text, "overflow");
    expect_has(text, "65536"); /* what it had */
    expect_has(text, "131072"); /* what to ask for */
}
END_TEST

static void *overflow_generator(bine_gen *gen, void *arg)
{
    (void)gen;
    return overflow_it(arg);
}

static void *consume_overflowing(void *arg)
{
    bine_gen *gen = bine_gen_new(overflow_generator, arg);
    bine_gen_next(gen, NULL);
    bine_gen_free(gen);
    return NULL;
}

static void run_overflowing_generator(void *arg)
{
    (void)arg;
    bine_run(consume_overflowing, NULL, NULL);
}

START_TEST(an_overflow_in_a_generator_is_told_as_such)
{
    char text[4096];
    if (support_instrumented()) {
        support_skip("an_overflow_in_a_generator_is_told", "the tool takes SIGSEGV");
        return;
    }
    int status = run_child(run_overflowing_generator, NULL, text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    expect_has(text, "'main'");
    expect_has(text, "overflow in a generator");
    expect_has(text, "131072"); /* what to ask for */
}
END_TEST

static void *fault(void *arg)
{
    *(volatile int *)arg = 1;
    return NULL;
}

static void *spawn_faulting(void *arg)
{
    bine_join(bine_spawn(fault, arg), NULL);
    return NULL;
}

static void run_fault(void *arg)
{
    bine_run(spawn_faulting, NULL, NULL);
    (void)arg;
}

static void mine(int number)
{
    (void)number;
    static const char text[] = "the earlier handler\n";
    if (write(2, text, sizeof text - 1) < 0)
        _exit(4);
    _exit(3);
}

static void run_fault_handled(void *arg)
{
    signal(SIGSEGV, mine);
    run_fault(arg);
}

static void mine_with_info(int number, siginfo_t *info, void *context)
{
    (void)context;
    static const char text[] = "the earlier handler\n";
    if (write(2, text, sizeof text - 1) < 0)
        _exit(4);
    _exit(number == SIGSEGV && info->si_addr == NULL ? 3 : 5);
}

static void run_fault_handled_with_info(void *arg)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = mine_with_info;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    run_fault(arg);
}

static void *send_itself_the_signal(void *arg)
{
    (void)arg;
    raise(SIGSEGV);
    return NULL;
}

static void run_sent_and_ignored(void *arg)
{
    (void)arg;
    signal(SIGSEGV, SIG_IGN);
    run_in_loop(send_itself_the_signal, NULL);
    _exit(3);
}

static void run_overflow_handled(void *arg)
{
    signal(SIGSEGV, mine);
    run_overflow(arg);
}

START_TEST(other_faults_go_to_whoever_handled_them_before)
{
    char text[4096];
    if (support_instrumented()) {
        support_skip("other_faults_go_to_whoever_handled_them_before", "the tool takes SIGSEGV");
        return;
    }
    int status = run_child(run_fault, NULL, text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    if (!support_emulated()) /* qemu prints a line of its own */
        expect_str(text, "");
    status = run_child(run_fault_handled, NULL, text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    expect_str(text, "the earlier handler\n");
    status = run_child(run_fault_handled_with_info, NULL, text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    status = run_child(run_sent_and_ignored, NULL, text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    status = run_child(run_overflow_handled, NULL, text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    expect_has(text, "bottomless");
    expect_has(text, "the earlier handler");
}
END_TEST

static void *see_handler(void *arg)
{
    struct sigaction now;
    (void)arg;
    sigaction(SIGSEGV, NULL, &now);
    expect(now.sa_handler != mine);
    return NULL;
}

START_TEST(the_earlier_handler_is_back_after_the_run)
{
    struct sigaction now;
    signal(SIGSEGV, mine);
    run_in_loop(see_handler, NULL);
    sigaction(SIGSEGV, NULL, &now);
    expect(now.sa_handler == mine);
    signal(SIGSEGV, SIG_DFL);
}
END_TEST

SUPPORT_MAIN("stack", sizes_are_rounded_up_to_a_class, every_class_has_a_guard_below_its_stack,
             many_parked_tasks_are_all_guarded, guards_fall_back_to_protection,
             almost_all_of_a_stack_can_be_used_and_use_is_told, stacks_are_reused_the_last_one_first,
             memory_of_a_burst_is_given_back, spawning_without_memory_fails_and_leaves_nothing,
             a_run_without_memory_fails_and_leaves_nothing,
             an_overflow_is_reported_with_advice_and_dies_by_sigsegv,
             an_overflow_in_a_generator_is_told_as_such,
             other_faults_go_to_whoever_handled_them_before, the_earlier_handler_is_back_after_the_run)
