/* SPDX-License-Identifier: MIT
 *
 * What a switch keeps, whichever CONTEXT was built: every callee-saved register, the floating-point control
 * words, the alignment at a task's entry, deep frames; and unwinding, which must end at the task's entry. */
#define _GNU_SOURCE
#include <bine/gen.h>

#include "support/support.h"

#include <execinfo.h>
#include <fenv.h>
#include <signal.h>
#include <unwind.h>

#include "support/fault.h"

/* ---- Callee-saved registers ---------------------------------------------------------------------------- */

/* Loads cells[0, REGISTERS) into the callee-saved registers, calls fn, and stores what they hold then into
 * the cells behind. */
void registers_across(uint64_t *cells, void (*fn)(void));

#if defined(__x86_64__)
/* psABI 1.0, 3.2.1: rbx, rbp, r12 to r15. */
enum { REGISTERS = 6 };
__asm__(".text\n"
        ".globl registers_across\n"
        ".type registers_across, @function\n"
        "registers_across:\n"
        "    push %rbx\n    push %rbp\n    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
        "    push %rdi\n"
        "    mov %rsi, %rax\n"
        "    mov 0(%rdi), %rbx\n    mov 8(%rdi), %rbp\n    mov 16(%rdi), %r12\n"
        "    mov 24(%rdi), %r13\n    mov 32(%rdi), %r14\n    mov 40(%rdi), %r15\n"
        "    call *%rax\n"
        "    pop %rdi\n"
        "    mov %rbx, 48(%rdi)\n    mov %rbp, 56(%rdi)\n    mov %r12, 64(%rdi)\n"
        "    mov %r13, 72(%rdi)\n    mov %r14, 80(%rdi)\n    mov %r15, 88(%rdi)\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n    pop %rbp\n    pop %rbx\n"
        "    ret\n"
        ".size registers_across, .-registers_across\n");
#elif defined(__aarch64__)
/* AAPCS64 6.1.1 and 6.1.2: x19 to x28, and the low halves d8 to d15. */
enum { REGISTERS = 18 };
__asm__(".text\n"
        ".globl registers_across\n"
        ".type registers_across, %function\n"
        "registers_across:\n"
        "    hint #34\n" /* bti c */
        "    stp x29, x30, [sp, #-176]!\n"
        "    stp x19, x20, [sp, #16]\n    stp x21, x22, [sp, #32]\n    stp x23, x24, [sp, #48]\n"
        "    stp x25, x26, [sp, #64]\n    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n    stp d14, d15, [sp, #144]\n"
        "    str x0, [sp, #160]\n"
        "    ldp x19, x20, [x0]\n    ldp x21, x22, [x0, #16]\n    ldp x23, x24, [x0, #32]\n"
        "    ldp x25, x26, [x0, #48]\n    ldp x27, x28, [x0, #64]\n"
        "    ldp d8, d9, [x0, #80]\n    ldp d10, d11, [x0, #96]\n"
        "    ldp d12, d13, [x0, #112]\n    ldp d14, d15, [x0, #128]\n"
        "    blr x1\n"
        "    ldr x0, [sp, #160]\n"
        "    stp x19, x20, [x0, #144]\n    stp x21, x22, [x0, #160]\n    stp x23, x24, [x0, #176]\n"
        "    stp x25, x26, [x0, #192]\n    stp x27, x28, [x0, #208]\n"
        "    stp d8, d9, [x0, #224]\n    stp d10, d11, [x0, #240]\n"
        "    stp d12, d13, [x0, #256]\n    stp d14, d15, [x0, #272]\n"
        "    ldp x19, x20, [sp, #16]\n    ldp x21, x22, [sp, #32]\n    ldp x23, x24, [sp, #48]\n"
        "    ldp x25, x26, [sp, #64]\n    ldp x27, x28, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n    ldp d14, d15, [sp, #144]\n"
        "    ldp x29, x30, [sp], #176\n"
        "    ret\n"
        ".size registers_across, .-registers_across\n");
#else
enum { REGISTERS = 0 };
void registers_across(uint64_t *cells, void (*fn)(void))
{
    (void)cells;
    fn();
}
#endif

static void yield_some(void)
{
    for (int i = 0; i < 3; i++)
        bine_yield();
}

static void sleep_some(void)
{
    bine_sleep(BINE_MS); /* through the loop's own stack */
}

static void *keep_registers(void *arg)
{
    uint64_t seed = (uintptr_t)arg + 1, cells[2 * REGISTERS + 1];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < REGISTERS; i++) {
            cells[i] = support_random(&seed);
            cells[REGISTERS + i] = 0;
        }
        registers_across(cells, round % 5 ? yield_some : sleep_some);
        for (int i = 0; i < REGISTERS; i++)
            expect_uint(cells[REGISTERS + i], ==, cells[i]);
    }
    return NULL;
}

VIRTUAL_TEST(every_callee_saved_register_survives_a_switch)
{
    bine_task *task[5];
    for (int i = 0; i < 5; i++)
        task[i] = bine_spawn(keep_registers, (void *)(intptr_t)i);
    keep_registers((void *)77);
    for (int i = 0; i < 5; i++)
        expect_ok(bine_join(task[i], NULL));
}

static bine_gen *between; /* its consumer and its body switch to each other through it */
static bool in_body;

static void next_or_yield(void)
{
    bool here = in_body;
    for (int i = 0; i < 3; i++) {
        in_body = !here;
        expect_int(here ? bine_gen_yield(between, NULL, NULL) : bine_gen_next(between, NULL), ==, here ? 0 : 1);
        in_body = here;
    }
}

static void keep_registers_once(uint64_t *seed)
{
    uint64_t cells[2 * REGISTERS + 1];
    for (int i = 0; i < REGISTERS; i++) {
        cells[i] = support_random(seed);
        cells[REGISTERS + i] = 0;
    }
    registers_across(cells, next_or_yield);
    for (int i = 0; i < REGISTERS; i++)
        expect_uint(cells[REGISTERS + i], ==, cells[i]);
}

static void *keep_registers_inside(bine_gen *gen, void *seed)
{
    (void)gen;
    for (int round = 0; round < 20; round++)
        keep_registers_once(seed);
    return NULL;
}

START_TEST(every_callee_saved_register_survives_a_generators_switch)
{
    uint64_t seed = 5, inside = 6;
    between = bine_gen_new(keep_registers_inside, &inside);
    for (int round = 0; round < 20; round++)
        keep_registers_once(&seed);
    expect_int(bine_gen_next(between, NULL), ==, 0); /* as many as it yields */
    bine_gen_free(between);
}
END_TEST

/* ---- Floating-point control ---------------------------------------------------------------------------- */

/* The control words that a call keeps: rounding, exception masks, flushing of denormals, x87 precision. */
static uint64_t fp_control(void)
{
#if defined(__x86_64__)
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    return (uint64_t)(mxcsr & 0xffc0) << 16 | x87;
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
#else
    return (uint64_t)fegetround();
#endif
}

static void set_fp_control(int style)
{
    static const int rounding[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    fesetround(rounding[style % 4]);
#if defined(__x86_64__)
    if (style & 4) {
        uint32_t mxcsr;
        uint16_t x87;
        __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
        mxcsr |= 1u << 15;             /* flush to zero */
        x87 = (uint16_t)(x87 & ~0x300); /* single precision */
        __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
    }
#elif defined(__aarch64__)
    if (style & 4)
        __asm__ volatile("msr fpcr, %0" : : "r"(fp_control() | 1u << 24)); /* flush to zero */
#endif
}

static void *keep_fp_control(void *arg)
{
    set_fp_control((int)(intptr_t)arg);
    uint64_t mine = fp_control();
    volatile double one = 1, three = 3;
    double third = one / three;
    for (int i = 0; i < 20; i++) {
        expect_ok(i % 4 ? bine_yield() : bine_sleep(BINE_MS));
        expect_uint(fp_control(), ==, mine);
        expect(one / three == third);
    }
    return NULL;
}

VIRTUAL_TEST(each_task_keeps_its_floating_point_control)
{
    uint64_t mine = fp_control();
    bine_task *task[8];
    for (int i = 0; i < 8; i++)
        task[i] = bine_spawn(keep_fp_control, (void *)(intptr_t)i);
    for (int i = 0; i < 8; i++) {
        expect_ok(bine_join(task[i], NULL));
        expect_uint(fp_control(), ==, mine);
    }
}

static void *keep_fp_control_inside(bine_gen *gen, void *style)
{
    set_fp_control((int)(intptr_t)style);
    uint64_t mine = fp_control();
    while (bine_gen_yield(gen, NULL, NULL) == 0)
        expect_uint(fp_control(), ==, mine);
    expect_uint(fp_control(), ==, mine);
    return NULL;
}

START_TEST(each_generator_keeps_its_floating_point_control)
{
    uint64_t mine = fp_control();
    bine_gen *gen[8];
    for (int i = 0; i < 8; i++)
        gen[i] = bine_gen_new(keep_fp_control_inside, (void *)(intptr_t)i);
    for (int i = 0; i < 8 * 5; i++) {
        expect_int(bine_gen_next(gen[i % 8], NULL), ==, 1);
        expect_uint(fp_control(), ==, mine);
    }
    for (int i = 0; i < 8; i++) {
        bine_gen_free(gen[i]);
        expect_uint(fp_control(), ==, mine);
    }
}
END_TEST

static void *end_with_other_control(void *arg)
{
    set_fp_control(7);
    return arg;
}

VIRTUAL_TEST(the_control_of_a_task_that_ended_is_not_inherited)
{
    uint64_t mine = fp_control();
    for (int i = 0; i < 10; i++)
        bine_join(bine_spawn(end_with_other_control, NULL), NULL);
    expect_uint(fp_control(), ==, mine);
    bine_sleep(BINE_MS);
    expect_uint(fp_control(), ==, mine);
}

/* ---- Stacks -------------------------------------------------------------------------------------------- */

static void *look_at_frame(void *arg)
{
    char text[64];
    volatile double number = 2.5;
    _Alignas(16) char aligned[16];
    char *volatile where = aligned; /* the compiler must not answer from what it assumes */
    expect_uint((uintptr_t)where % 16, ==, 0);
    snprintf(text, sizeof text, "%.1f", number); /* libc stores vector registers aligned */
    expect_str(text, "2.5");
    return arg;
}

VIRTUAL_TEST(a_task_starts_on_an_aligned_stack)
{
    char odd[64] = "";
    for (size_t n = 0; n <= sizeof odd; n++) {
        bine_task *task = n ? bine_spawn_copy(look_at_frame, odd, n) : bine_spawn(look_at_frame, NULL);
        if (expect(task != NULL))
            expect_ok(bine_join(task, NULL));
    }
}

static __attribute__((noinline)) uint64_t descend(int depth, uint64_t seed)
{
    volatile uint64_t frame[8];
    for (int i = 0; i < 8; i++)
        frame[i] = seed + (uint64_t)i * 0x9e3779b97f4a7c15u;
    bine_yield();
    uint64_t below = depth > 0 ? descend(depth - 1, seed * 31 + 7) : 0;
    bine_yield();
    for (int i = 0; i < 8; i++)
        expect_uint(frame[i], ==, seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
    return below + frame[3];
}

static void *descend_deep(void *arg)
{
    return (void *)(uintptr_t)descend(40, (uintptr_t)arg);
}

VIRTUAL_TEST(deep_frames_survive_switches_at_every_depth)
{
    bine_task *task[6];
    for (int i = 0; i < 6; i++)
        task[i] = bine_spawn(descend_deep, (void *)(intptr_t)(i % 2));
    bine_result result[6];
    for (int i = 0; i < 6; i++)
        expect_ok(bine_join(task[i], &result[i]));
    for (int i = 2; i < 6; i++)
        expect_ptr(result[i].value, ==, result[i - 2].value);
}

/* ---- Unwinding ----------------------------------------------------------------------------------------- */

enum { FRAMES_MAX = 100 };

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *arg)
{
    (void)context;
    return ++*(int *)arg < FRAMES_MAX ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

struct walk {
    int depth, unwound, traced;
};

static __attribute__((noinline)) int walk(struct walk *walk_, int depth)
{
    if (depth > 0) {
        int n = walk(walk_, depth - 1);
        __asm__ volatile("" : "+r"(n)); /* no tail call */
        return n + 1;
    }
    void *frames[FRAMES_MAX];
    bine_yield();
    walk_->unwound = 0;
    _Unwind_Backtrace(count_frame, &walk_->unwound);
    walk_->traced = backtrace(frames, FRAMES_MAX);
    return 0;
}

static void *walk_it(void *arg)
{
    struct walk *one = arg;
    walk(one, one->depth);
    return NULL;
}

VIRTUAL_TEST(unwinding_inside_a_task_ends_at_its_entry)
{
    struct walk shallow = {.depth = 0}, deep = {.depth = 20};
    expect_ok(bine_join(bine_spawn(walk_it, &shallow), NULL));
    expect_ok(bine_join(bine_spawn(walk_it, &deep), NULL));
    /* walk(), walk_it() and the library's own two or three; never the stack of bine_run()'s caller. */
    expect_int(shallow.unwound, >=, 2);
    expect_int(shallow.unwound, <=, 8);
    expect_int(deep.unwound - shallow.unwound, ==, 20);
    expect_int(shallow.traced, >=, 2);
    expect_int(shallow.traced, <=, 8);
    expect_int(deep.traced - shallow.traced, ==, 20);
}

/* This program once more, under a debugger: it stops in a task, and looks at one that is parked. */
bine_task *check_context_parked;
void check_context_stop(void);

__attribute__((noinline)) void check_context_stop(void)
{
    __asm__ volatile("");
}

static __attribute__((noinline)) int park_deep(int depth)
{
    int result = depth > 0 ? park_deep(depth - 1) : bine_park();
    __asm__ volatile("" : "+r"(result));
    return result;
}

static void *park_for_debugger(void *arg)
{
    park_deep(3);
    return arg;
}

static void *stop_for_debugger(void *arg)
{
    check_context_parked = bine_spawn(park_for_debugger, NULL);
    bine_yield();
    check_context_stop();
    bine_wake(check_context_parked);
    bine_join(check_context_parked, NULL);
    return arg;
}

static __attribute__((constructor)) void be_debugged(void)
{
    if (getenv("BINE_CHECK_DEBUGGED")) {
        bine_run(stop_for_debugger, NULL, NULL);
        _exit(0);
    }
}

START_TEST(a_debuggers_backtrace_ends_at_the_tasks_entry)
{
    static char text[65536];
    char self[256] = "", command[1600];
    if (support_instrumented() || support_emulated() || system("gdb --version >/dev/null 2>&1") != 0 ||
        readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
        support_skip("a_debuggers_backtrace_ends_at_the_tasks_entry", "no gdb here");
        return;
    }
#if defined(BINE_CONTEXT_THREAD)
    const char *parked = "-ex 'echo PARKED\\n' -ex 'thread apply all bt'";
#elif defined(__x86_64__) && !defined(BINE_CONTEXT_FCONTEXT)
    const char *parked = "-ex 'set var $context = check_context_parked->context' "
                         "-ex 'set var $rip = $context.ip' -ex 'set var $rsp = $context.sp' "
                         "-ex 'set var $rbp = $context.bp' -ex 'echo PARKED\\n' -ex bt";
#else
    const char *parked = "";
#endif
    snprintf(command, sizeof command,
             "BINE_CHECK_DEBUGGED=1 gdb -q -nx -batch -ex 'set debuginfod enabled off' "
             "-ex 'set pagination off' -ex 'break check_context_stop' -ex run "
             "-ex 'echo RUNNING\\n' -ex bt %s '%s' 2>&1 </dev/null",
             parked, self);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t n = fread(text, 1, sizeof text - 1, pipe);
    text[n] = '\0';
    pclose(pipe);
    char *running = strstr(text, "RUNNING");
    if (!strstr(text, "Breakpoint 1, ") || !running) {
        support_skip("a_debuggers_backtrace_ends_at_the_tasks_entry", "gdb may not trace here");
        return;
    }
    char *second = strstr(running, "PARKED");
    if (second)
        *second++ = '\0';
    expect_has(running, "stop_for_debugger");
    expect(!strstr(running, "in main "));
    expect(!strstr(running, "corrupt"));
    expect(!strstr(running, "Cannot access"));
    if (*parked && expect(second != NULL)) {
        expect_has(second, "park_deep");
        expect_has(second, "park_for_debugger");
        expect(!strstr(second, "in main "));
        expect(!strstr(second, "corrupt"));
        expect(!strstr(second, "Cannot access"));
        if (support_failures())
            puts(second);
    }
    if (support_failures())
        puts(running);
}
END_TEST

/* ---- What belongs to the thread, also where each context is one ----------------------------------------- */

static volatile sig_atomic_t taken;

static void take_signal(int number)
{
    (void)number;
    taken++;
}

static void *signal_itself(void *arg)
{
    for (int i = 0; i < 20; i++) {
        int before = taken;
        expect_ok(i % 2 ? raise(SIGUSR1) : kill(getpid(), SIGUSR1));
        expect_int(taken, ==, before + 1);
        bine_yield();
    }
    return arg;
}

/* As in a program of one thread: whoever runs takes it, at once. */
LOOP_TEST(a_signal_is_taken_by_the_task_that_runs)
{
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = take_signal;
    expect_ok(sigaction(SIGUSR1, &action, &before));
    bine_task *a = bine_spawn(signal_itself, NULL), *b = bine_spawn(signal_itself, NULL);
    expect_ok(bine_join(a, NULL));
    expect_ok(bine_join(b, NULL));
    expect_int(taken, ==, 40);
    expect_ok(sigaction(SIGUSR1, &before, NULL));
}

static void *block_it(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    expect_ok(sigprocmask(arg ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL));
    return NULL;
}

LOOP_TEST(the_signal_mask_is_one_for_all_tasks)
{
    sigset_t now;
    expect_ok(bine_join(bine_spawn(block_it, &now), NULL));
    expect_ok(sigprocmask(SIG_BLOCK, NULL, &now));
    expect_int(sigismember(&now, SIGUSR2), ==, 1);
    expect_ok(bine_join(bine_spawn(block_it, NULL), NULL));
    expect_ok(sigprocmask(SIG_BLOCK, NULL, &now));
    expect_int(sigismember(&now, SIGUSR2), ==, 0);
}

static void *count_inner(bine_gen *gen, void *arg)
{
    for (intptr_t i = 0; i < (intptr_t)arg; i++)
        if (bine_gen_yield(gen, (void *)i, NULL) != 0)
            break;
    return NULL;
}

static void *count_outer(bine_gen *gen, void *arg)
{
    bine_gen *inner = bine_gen_new(count_inner, arg); /* made in a body, ended there or here */
    ck_assert_ptr_nonnull(inner);
    void *value;
    while (bine_gen_next(inner, &value) == 1)
        if (bine_gen_yield(gen, value, NULL) != 0)
            break;
    bine_gen_free(inner);
    return NULL;
}

/* Without a loop the bodies still are their consumer's thread: they may make and end generators of its. */
START_TEST(generators_outside_a_loop_may_make_others)
{
    for (intptr_t stop = 0; stop < 5; stop++) {
        bine_gen *gen = bine_gen_new(count_outer, (void *)4);
        void *value;
        ck_assert_ptr_nonnull(gen);
        for (intptr_t i = 0; i < stop && i < 4; i++) {
            expect_int(bine_gen_next(gen, &value), ==, 1);
            expect_int((intptr_t)value, ==, i);
        }
        expect_ok(bine_gen_close(gen));
        bine_gen_free(gen);
    }
}
END_TEST

/* A task that no thread can be had for is not there at all. */
LOOP_TEST(a_spawn_that_gets_no_thread_is_enomem)
{
#ifdef BINE_CONTEXT_THREAD
    bine_attr attr = BINE_ATTR_INIT;
    attr.name = "none";
    attr.detached = true;
    expect_uint(bine_tasks(NULL, 0), ==, 1);
    for (int i = 0; i < 3; i++) {
        fault_arm_call("pthread_create", 1, 1, EAGAIN);
        expect_null(bine_spawn(signal_itself, NULL), ENOMEM);
        fault_arm_call("pthread_create", 1, 1, EAGAIN);
        expect_null(bine_spawn_with(&attr, signal_itself, NULL), ENOMEM);
        fault_arm_call("pthread_create", 1, 1, EAGAIN);
        expect_null(bine_gen_new(count_inner, NULL), ENOMEM);
        fault_disarm();
    }
    expect_uint(bine_tasks(NULL, 0), ==, 1);
#else
    support_skip("a_spawn_that_gets_no_thread_is_enomem", "a task is no thread here");
#endif
}

SUPPORT_MAIN("context", every_callee_saved_register_survives_a_switch,
             every_callee_saved_register_survives_a_generators_switch, each_generator_keeps_its_floating_point_control,
             each_task_keeps_its_floating_point_control, the_control_of_a_task_that_ended_is_not_inherited,
             a_task_starts_on_an_aligned_stack, deep_frames_survive_switches_at_every_depth,
             unwinding_inside_a_task_ends_at_its_entry, a_debuggers_backtrace_ends_at_the_tasks_entry,
             a_signal_is_taken_by_the_task_that_runs, the_signal_mask_is_one_for_all_tasks,
             generators_outside_a_loop_may_make_others, a_spawn_that_gets_no_thread_is_enomem)
