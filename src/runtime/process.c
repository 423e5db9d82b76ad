/* SPDX-License-Identifier: MIT
 *
 * What all loops of a process share: SIGPIPE, SIGSEGV, and fork().
 *
 * SIGPIPE is ignored while any loop runs, if it was at its default before; a child gets the default back.
 *
 * SIGSEGV is caught while any loop runs, on an alternate stack.  A fault in the guard page of the running
 * task's stack is reported with what to do about it; then, as with every other fault, whoever handled it
 * before is called, and with no handler the process dies as it would have.
 *
 * After fork() the child's calls fail with EPERM until it starts a run of its own; it leaves the parent's
 * descriptors alone but for closing its copies of the poller's. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/runtime.h"

enum { ALTERNATE_STACK = 64 << 10 }; /* enough for the report, and for a handler that we chain to */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct bine__list loops = {&loops, &loops};
static bool pipe_ignored; /* by us */
static _Atomic unsigned count; /* of the loops; written under the lock */
static struct sigaction fault_before;

/* ---- The overflow report: async-signal-safe, so nothing of stdio ------------------------------------ */

struct line {
    char text[640];
    size_t length;
};

static void add(struct line *line, const char *text)
{
    while (*text && line->length < sizeof line->text)
        line->text[line->length++] = *text++;
}

static void add_number(struct line *line, uint64_t number)
{
    char digits[24];
    size_t i = sizeof digits;
    digits[--i] = '\0';
    do
        digits[--i] = (char)('0' + number % 10);
    while (number /= 10);
    add(line, digits + i);
}

static void report_overflow(const struct bine_task *task, struct bine__stack stack)
{
    size_t size = bine__stack_size(stack);
    bool own = stack.base == task->stack.base; /* else: of a generator that it is the consumer of */
    struct line line = {.length = 0};
    add(&line, "bine: task ");
    add_number(&line, task->id);
    add(&line, " '");
    add(&line, bine__task_name(task));
    add(&line, "' (spawned at ");
    add(&line, task->site ? task->site : "?");
    add(&line, own ? "): stack overflow: all " : "): stack overflow in a generator: all ");
    add_number(&line, bine__stack_used(stack));
    add(&line, " usable bytes of its ");
    add_number(&line, size);
    add(&line, "-byte stack are used; ");
    if (size < (size_t)1 << BINE__STACK_MAX_SHIFT) {
        add(&line, own ? "spawn it with .stack_size = " : "generators have the run's default, options.stack_size = ");
        add_number(&line, size * 2);
        add(&line, " or more\n");
    } else {
        add(&line, "no larger stack can be had: recurse less, or keep large objects on the heap\n");
    }
    if (write(STDERR_FILENO, line.text, line.length) < 0)
        return;
}

/* Only the running task's stack can overflow, or that of a generator which runs as part of it. */
static const struct bine_task *overflowed(const char *address, struct bine__stack *stack)
{
    const struct bine_loop *loop = bine__loop;
    if (!loop || loop->current == &loop->root)
        return NULL;
    return bine__stacks_guard_at(&loop->stacks, address, stack) ? loop->current : NULL;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    int error = errno;
    struct bine__stack stack;
    const struct bine_task *task = info->si_code > 0 ? overflowed(info->si_addr, &stack) : NULL;
    if (task)
        report_overflow(task, stack);
    if ((fault_before.sa_flags & SA_SIGINFO) && fault_before.sa_sigaction) {
        fault_before.sa_sigaction(number, info, context);
    } else if (fault_before.sa_handler != SIG_DFL && fault_before.sa_handler != SIG_IGN) {
        fault_before.sa_handler(number);
    } else if (fault_before.sa_handler == SIG_DFL || info->si_code > 0) { /* a fault cannot be ignored */
        /* The faulting instruction runs again and dies; one that was sent is sent again. */
        signal(number, SIG_DFL);
        if (info->si_code <= 0)
            raise(number);
    }
    errno = error;
}

/* A thread that has an alternate stack of its own keeps it.  Valgrind (3.19) goes on using one that was disabled,
 * when it is long unmapped or another thread's: there the handler makes do with the stack that it interrupts. */
static int alternate_stack(struct bine_loop *loop)
{
    stack_t now;
    if (bine__notes_wants_stacks())
        return 0;
    if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
        return 0;
    loop->alternate_stack = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (loop->alternate_stack == MAP_FAILED) {
        loop->alternate_stack = NULL;
        return -1;
    }
    stack_t ours = {.ss_sp = loop->alternate_stack, .ss_size = ALTERNATE_STACK};
    return sigaltstack(&ours, NULL);
}

static void drop_alternate_stack(struct bine_loop *loop)
{
    if (!loop->alternate_stack)
        return;
    stack_t none = {.ss_flags = SS_DISABLE}, now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == loop->alternate_stack)
        sigaltstack(&none, NULL);
    munmap(loop->alternate_stack, ALTERNATE_STACK);
    loop->alternate_stack = NULL;
}

/* ---- Fork --------------------------------------------------------------------------------------- */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

void bine__process_hold_forks(void)
{
    pthread_mutex_lock(&lock);
}

void bine__process_release_forks(void)
{
    pthread_mutex_unlock(&lock);
}

static void restore_pipe(void)
{
    struct sigaction action;
    if (pipe_ignored && sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGPIPE, SIG_DFL);
    pipe_ignored = false;
}

static void in_child(void)
{
    restore_pipe();
    bine__debug_forked();
    bine__loop = NULL;
    /* The threads that ran these loops do not exist here, or are no loop any more; nor may one of their locks
     * ever be unlocked.  The fault handler stays: it takes care of the stack that we may stand on. */
    atomic_store(&count, 0);
    while (!bine__list_empty(&loops)) {
        struct bine_loop *loop = bine__list_entry(loops.next, struct bine_loop, others);
        bine__list_remove(&loop->others);
        pthread_mutex_init(&loop->lock, NULL);
        loop->ended = true;
        bine__poller_forked(loop);
    }
    pthread_mutex_unlock(&lock);
}

static int watch_forks_result;
static void watch_forks(void)
{
    watch_forks_result = pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- Loops come and go -------------------------------------------------------------------------- */

static void take_signals(void)
{
    struct sigaction fault = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER}, now;
    fault.sa_sigaction = on_fault;
    sigemptyset(&fault.sa_mask);
    if (sigaction(SIGSEGV, NULL, &now) == 0 && !((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)) {
        fault_before = now;
        sigaction(SIGSEGV, &fault, NULL);
    }
    if (sigaction(SIGPIPE, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
        pipe_ignored = true;
    }
}

static void give_signals_back(void)
{
    struct sigaction now;
    if (sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)
        sigaction(SIGSEGV, &fault_before, NULL);
    restore_pipe();
}

unsigned bine__process_loops(void)
{
    return atomic_load_explicit(&count, memory_order_relaxed); /* a hint */
}

bool bine__pipe_ignored(void)
{
    pthread_mutex_lock(&lock);
    bool ignored = pipe_ignored;
    pthread_mutex_unlock(&lock);
    return ignored;
}

int bine__process_enter(struct bine_loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    if (watch_forks_result)
        return bine__error(watch_forks_result);
    if (alternate_stack(loop) != 0) {
        drop_alternate_stack(loop);
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (bine__list_empty(&loops))
        take_signals();
    bine__list_append(&loops, &loop->others);
    atomic_fetch_add(&count, 1);
    pthread_mutex_unlock(&lock);
    return 0;
}

void bine__process_leave(struct bine_loop *loop)
{
    pthread_mutex_lock(&lock);
    bine__list_remove(&loop->others);
    atomic_fetch_sub(&count, 1);
    if (bine__list_empty(&loops))
        give_signals_back();
    pthread_mutex_unlock(&lock);
    drop_alternate_stack(loop);
}
