/* SPDX-License-Identifier: MIT
 *
 * Work in processes: what goes there and comes back, workers that die, and who ends whom. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/fault.h"

enum what { ECHO, FAIL, CRASH, RUBBISH, HANG, TELL_PID, TELL_FDS, TELL_SIGNALS, SMALL };

struct ask { /* what the function is told; text follows */
    int what;
    int number;
};

static int answer_int(int value, void **output, size_t *size)
{
    *output = malloc(sizeof value);
    memcpy(*output, &value, sizeof value);
    *size = sizeof value;
    return 0;
}

static int count_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

/* SIGPIPE at its default, a handler of the program's gone, nothing blocked that the program had not. */
static int signals_right(void)
{
    struct sigaction pipe, user;
    sigset_t mask;
    sigaction(SIGPIPE, NULL, &pipe);
    sigaction(SIGUSR1, NULL, &user);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return pipe.sa_handler == SIG_DFL && user.sa_handler == SIG_DFL && !sigismember(&mask, SIGTERM);
}

/* In the worker. */
static int work(const void *input, size_t size, void **output, size_t *output_size)
{
    const struct ask *ask = input;
    if (size < sizeof *ask)
        return 0;
    switch ((enum what)ask->what) {
    case ECHO:
        *output = malloc(size);
        memcpy(*output, input, size);
        *output_size = size;
        return 0;
    case FAIL:
        *output = malloc(1); /* of no interest */
        *output_size = 1;
        return ask->number;
    case CRASH:
        raise(SIGKILL);
        return 0;
    case RUBBISH:
        for (int fd = 3; fd < 16; fd++)
            if (write(fd, "what is this good for?", 22) > 0)
                continue; /* one of them is the worker's own */
        return 0;
    case HANG:
        for (;;)
            pause();
    case TELL_PID:
        return answer_int((int)getpid(), output, output_size);
    case TELL_FDS:
        return answer_int(count_fds(), output, output_size);
    case TELL_SIGNALS:
        return answer_int(signals_right(), output, output_size);
    case SMALL:
        break;
    }
    return 0;
}

/* The number that comes back, or -1. */
static int ask_int(bine_workers *workers, enum what what)
{
    struct ask ask = {.what = (int)what};
    void *output = NULL;
    size_t size = 0;
    int value = -1;
    if (bine_workers_call(workers, &ask, sizeof ask, &output, &size) == 0 && size == sizeof value)
        memcpy(&value, output, sizeof value);
    free(output);
    return value;
}

static int ask_for(bine_workers *workers, enum what what, int number)
{
    const struct ask ask = {.what = (int)what, .number = number};
    return bine_workers_call(workers, &ask, sizeof ask, NULL, NULL);
}

static bool gone(int pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

static void echo(bine_workers *workers, size_t size)
{
    char *input = calloc(1, size), *output = NULL;
    size_t back = 0;
    for (size_t i = sizeof(struct ask); i < size; i++)
        input[i] = (char)(i * 7);
    expect_ok(bine_workers_call(workers, input, size, (void **)&output, &back));
    expect_uint(back, ==, size);
    expect(output && memcmp(input, output, size) == 0);
    free(input);
    free(output);
}

/* ---- What goes there and comes back ------------------------------------------------ */

LOOP_TEST(bytes_go_there_and_come_back)
{
    bine_workers *workers = bine_workers_new(work, 1);
    void *output = &output;
    size_t size = 1;
    expect(workers != NULL);
    expect(ask_int(workers, TELL_PID) != getpid());
    echo(workers, sizeof(struct ask) + 1);
    echo(workers, 1 << 20);
    expect_ok(bine_workers_call(workers, NULL, 0, &output, &size));
    expect_ptr(output, ==, NULL);
    expect_uint(size, ==, 0);
    expect_ok(ask_for(workers, ECHO, 0)); /* nobody wants the answer */
    expect_fails(ask_for(workers, FAIL, EXDEV), EXDEV);
    echo(workers, 100);
    expect_ok(bine_workers_free(workers));
}

struct caller {
    bine_workers *workers;
    int pid;
};

static void *call_once(void *arg)
{
    struct caller *caller = arg;
    caller->pid = ask_int(caller->workers, TELL_PID);
    return NULL;
}

LOOP_TEST(so_many_at_once_and_the_others_wait)
{
    enum { CALLERS = 12 };
    bine_workers *workers = bine_workers_new(work, 2);
    struct caller callers[CALLERS];
    BINE_GROUP (group, BINE_GROUP_ALL)
        for (int i = 0; i < CALLERS; i++) {
            callers[i] = (struct caller){workers, 0};
            bine_group_spawn(&group, call_once, &callers[i]);
        }
    int second = 0;
    for (int i = 0; i < CALLERS; i++) {
        expect_int(callers[i].pid, >, 0);
        if (callers[i].pid != callers[0].pid && !second)
            second = callers[i].pid;
        expect(callers[i].pid == callers[0].pid || callers[i].pid == second);
    }
    expect_ok(bine_workers_free(workers));
}

static void handle(int number)
{
    (void)number;
}

LOOP_TEST(a_worker_has_nothing_of_the_programs_but_its_memory)
{
    signal(SIGUSR1, handle);
    int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */
    bine_workers *workers = bine_workers_new(work, 0);
    expect_int(ask_int(workers, TELL_FDS), <=, 4); /* the standard ones, and its socket */
    expect_int(ask_int(workers, TELL_SIGNALS), ==, 1);
    expect_ok(bine_workers_free(workers));
    close(extra);
}

VIRTUAL_TEST(virtual_time_stands_still_while_it_computes)
{
    bine_workers *workers = bine_workers_new(work, 1);
    bine_ns before = bine_now();
    echo(workers, 1000);
    expect_int(bine_now(), ==, before);
    expect_ok(bine_workers_free(workers));
}

/* ---- Workers that die -------------------------------------------------------------- */

LOOP_TEST(a_worker_that_crashes_fails_its_call_and_is_replaced)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int first = ask_int(workers, TELL_PID);
    expect_fails(ask_for(workers, CRASH, 0), ECONNRESET);
    int second = ask_int(workers, TELL_PID);
    expect_int(second, >, 0);
    expect_int(second, !=, first);
    while (!gone(first)) /* no zombie is left either */
        expect_ok(bine_sleep(BINE_MS));
    expect_ok(bine_workers_free(workers));
}

LOOP_TEST(a_worker_that_answers_rubbish_fails_its_call_and_is_replaced)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int first = ask_int(workers, TELL_PID);
    expect_fails(ask_for(workers, RUBBISH, 0), ECONNRESET);
    expect_int(ask_int(workers, TELL_PID), !=, first);
    expect_ok(bine_workers_free(workers));
}

LOOP_TEST(one_that_died_while_idle_costs_no_call)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int first = ask_int(workers, TELL_PID);
    kill(first, SIGKILL);
    /* Its socket is closed before it is a zombie. */
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", first);
    while (state != 'Z') {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
            state = 'Z';
        if (file)
            fclose(file);
    }
    int second = ask_int(workers, TELL_PID);
    expect_int(second, >, 0);
    expect_int(second, !=, first);
    expect_ok(bine_workers_free(workers));
}

static void *hang(void *workers)
{
    return ask_for(workers, HANG, 0) == 0 ? NULL : bine_fail(errno);
}

LOOP_TEST(a_call_that_is_cut_short_kills_its_worker)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int first = ask_int(workers, TELL_PID);
    bine_task *task = bine_spawn(hang, workers);
    bine_result result = {NULL, 0};
    bine_yield(); /* the worker has it now */
    expect_ok(bine_stop(task, &result));
    expect_int(result.error, ==, ECANCELED);
    while (!gone(first))
        expect_ok(bine_sleep(BINE_MS));
    echo(workers, 100);
    expect_ok(bine_workers_free(workers));
}

LOOP_TEST(one_that_waits_for_a_worker_can_leave)
{
    bine_workers *workers = bine_workers_new(work, 1);
    bine_task *first = bine_spawn(hang, workers), *second = bine_spawn(hang, workers);
    bine_result result = {NULL, 0};
    bine_yield();
    expect_fails(bine_workers_free(workers), EBUSY);
    expect_ok(bine_stop(second, &result));
    expect_int(result.error, ==, ECANCELED);
    expect_ok(bine_stop(first, &result));
    expect_int(result.error, ==, ECANCELED);
    expect_ok(bine_workers_free(workers));
}

LOOP_TEST(freeing_ends_all_of_them)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int pid = ask_int(workers, TELL_PID);
    expect_ok(bine_workers_free(workers));
    while (!gone(pid)) /* whoever adopts it may take a moment to see to it */
        expect_ok(bine_sleep(BINE_MS));
    expect_int(waitpid(-1, NULL, WNOHANG), ==, -1);
    expect_int(errno, ==, ECHILD);
}

/* A child that the program has forked has copies of all descriptors, those of the workers too. */
LOOP_TEST(a_child_of_the_programs_keeps_no_workers_alive)
{
    bine_workers *workers = bine_workers_new(work, 1);
    int worker = ask_int(workers, TELL_PID), status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        pause();
        _exit(0);
    }
    expect_int(child, >, 0);
    expect_ok(bine_workers_free(workers));
    expect_int(waitpid(child, &status, WNOHANG), ==, 0); /* nobody has waited for its end */
    while (!gone(worker))
        expect_ok(bine_sleep(BINE_MS));
    kill(child, SIGKILL);
    expect_int(waitpid(child, &status, 0), ==, child);
}

static void *compute(void *arg)
{
    bine_workers *workers = bine_workers_new(work, 1);
    expect(workers != NULL);
    expect_int(ask_int(workers, TELL_PID), >, 0);
    expect_ok(bine_workers_free(workers));
    return arg;
}

static void compute_without_standard_descriptors(void *arg)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    expect_ok(bine_run(compute, arg, NULL));
    _exit(support_failures() ? 1 : 0);
}

/* Then those of the library have these numbers. */
START_TEST(they_work_without_standard_descriptors)
{
    char text[256];
    expect_int(run_child(compute_without_standard_descriptors, NULL, text, sizeof text), ==, 0);
}
END_TEST

/* ---- Misuse and faults ------------------------------------------------------------- */

static bine_event called_back = BINE_EVENT_INIT;

static void call_back(void *workers)
{
    expect_fails(ask_for(workers, ECHO, 0), EDEADLK);
    expect_fails(bine_workers_free(workers), EDEADLK);
    expect_null(bine_workers_new(work, 1), EDEADLK);
    bine_event_set(&called_back);
}

static void *strange(void *workers)
{
    expect_fails(ask_for(workers, ECHO, 0), EPERM);
    expect_fails(bine_workers_free(workers), EPERM);
    expect_null(bine_workers_new(work, 1), EPERM);
    return NULL;
}

LOOP_TEST(misuse_is_an_error)
{
    bine_workers *workers = bine_workers_new(work, 1);
    pthread_t thread;
    size_t size;
    expect_null(bine_workers_new(NULL, 1), EINVAL);
    expect_null(bine_workers_new(work, 1025), EINVAL);
    expect_fails(ask_for(NULL, ECHO, 0), EINVAL);
    expect_fails(bine_workers_call(workers, NULL, 1, NULL, NULL), EINVAL);
    expect_fails(bine_workers_call(workers, NULL, 0, NULL, &size), EINVAL);
    expect_fails(bine_workers_free(NULL), EINVAL);
    expect_ok(pthread_create(&thread, NULL, strange, workers));
    pthread_join(thread, NULL);
    expect_ok(bine_call_soon(call_back, workers));
    expect_ok(bine_event_wait(&called_back));
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_fails(ask_for(workers, ECHO, 0), ECANCELED);
    expect_null(bine_workers_new(work, 1), ECANCELED);
    bine_scope_close(&scope);
    expect_ok(bine_workers_free(workers));
}

LOOP_TEST(what_it_lacks_is_an_error)
{
    fault_arm_call("socketpair", 1, 1, EMFILE);
    expect_null(bine_workers_new(work, 1), EMFILE);
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_null(bine_workers_new(work, 1), ENOMEM);
    fault_disarm();
    bine_workers *workers = bine_workers_new(work, 1);
    fault_arm_call("socketpair", 1, 1, EMFILE);
    expect_fails(ask_for(workers, ECHO, 0), EMFILE);
    fault_arm_call("send", 1, 1, EPIPE); /* as if the nursery had died */
    expect_fails(ask_for(workers, ECHO, 0), EAGAIN);
    fault_disarm();
    echo(workers, 100);
    struct ask ask = {.what = TELL_PID};
    void *output;
    size_t size;
    fault_arm_call("malloc", 1, 1, ENOMEM);
    expect_fails(bine_workers_call(workers, &ask, sizeof ask, &output, &size), ENOMEM);
    fault_disarm();
    echo(workers, 100);
    expect_ok(bine_workers_free(workers));
}

SUPPORT_MAIN("workers", bytes_go_there_and_come_back, so_many_at_once_and_the_others_wait,
             a_worker_has_nothing_of_the_programs_but_its_memory, virtual_time_stands_still_while_it_computes,
             a_worker_that_crashes_fails_its_call_and_is_replaced,
             a_worker_that_answers_rubbish_fails_its_call_and_is_replaced, one_that_died_while_idle_costs_no_call,
             a_call_that_is_cut_short_kills_its_worker, one_that_waits_for_a_worker_can_leave, freeing_ends_all_of_them,
             a_child_of_the_programs_keeps_no_workers_alive, they_work_without_standard_descriptors,
             misuse_is_an_error, what_it_lacks_is_an_error)
