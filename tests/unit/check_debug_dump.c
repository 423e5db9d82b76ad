/* SPDX-License-Identifier: MIT
 *
 * Dumps: their form, and SIGQUIT, which with BINE_DEBUG=1 writes one and lets the run go on. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "support/fault.h"
#include "support/support.h"
#include "support/tasks.h"

static bine_mutex mutex;

static void *wait_for_ever(void *arg)
{
    static bine_event never;
    expect_fails(bine_event_wait(&never), ECANCELED);
    return arg;
}

static void *lock_mutex(void *arg)
{
    expect_fails(bine_mutex_lock(&mutex), ECANCELED);
    return arg;
}

/* ---- Dumps --------------------------------------------------------------------------------------------- */

static void *grow_leaf(void *arg)
{
    bine_task *leaf = spawn_named("leaf", wait_for_ever, NULL);
    expect_ok(bine_event_wait(arg));
    expect_ok(bine_cancel(leaf));
    join(leaf);
    return NULL;
}

static void read_dump(FILE *file, char *text, size_t size)
{
    rewind(file);
    expect_ok(ftruncate(fileno(file), 0));
    expect_ok(bine_dump(fileno(file)));
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
}

static void *dump_tree(void *arg)
{
    static char text[65536];
    static bine_event end;
    FILE *file = tmpfile();
    bine_task *branch = spawn_named("branch", grow_leaf, &end);
    expect_ok(bine_yield());
    expect_ok(bine_yield());
    read_dump(file, text, sizeof text);
    expect(strstr(text, "\ntask ") && strstr(text, "\ntask ") < strstr(text, "'main' running"));
    const char *below = strstr(text, "\n  task ");
    if (expect(below != NULL)) {
        expect_has(below, "'branch' parked in event");
        const char *leaf = strstr(below, "\n    task ");
        if (expect(leaf != NULL))
            expect_has(leaf, "'leaf' parked in event");
    }
    fault_arm_call("calloc", 1, 1, 0);
    read_dump(file, text, sizeof text);
    fault_disarm();
    expect_has(text, "\ntask ");
    expect_has(text, "'leaf' parked in event");
    expect(!strstr(text, "\n  task ")); /* a list */
    fclose(file);
    expect_ok(bine_event_set(&end));
    join(branch);
    return arg;
}

START_TEST(a_dump_is_a_tree_where_there_is_memory_for_it)
{
    run_in_loop(dump_tree, NULL);
}
END_TEST

/* ---- SIGQUIT ------------------------------------------------------------------------------------------- */

/* Reads until the text has been seen, however long that takes. */
static void read_until(int fd, char *text, size_t size, const char *piece)
{
    size_t length = strlen(text);
    while (!strstr(text, piece) && length + 1 < size) {
        ssize_t n = bine_read(fd, text + length, size - 1 - length);
        if (!expect(n > 0))
            return;
        length += (size_t)n;
        text[length] = '\0';
    }
}

static char dumped[65536];

static void *quit_and_read(void *arg)
{
    int fd[2], saved = dup(STDERR_FILENO);
    expect_ok(bine_pipe(fd));
    expect_int(dup2(fd[1], STDERR_FILENO), ==, STDERR_FILENO);
    bine_task *task = spawn_named("sleeper", wait_for_ever, NULL);
    expect_ok(bine_mutex_lock(&mutex));
    bine_task *locker = spawn_named("locker", lock_mutex, NULL);
    expect_ok(bine_yield());
    for (int i = 0; i < 2; i++) { /* it goes on, and does it again */
        dumped[0] = '\0';
        expect_ok(kill(getpid(), SIGQUIT));
        read_until(fd[0], dumped, sizeof dumped, "'sleeper' parked in event");
        read_until(fd[0], dumped, sizeof dumped, "'locker' parked in mutex held by task");
        read_until(fd[0], dumped, sizeof dumped, "'main' parked in read");
    }
    expect_ok(bine_cancel(task));
    expect_ok(bine_cancel(locker));
    join(task);
    join(locker);
    expect_ok(bine_mutex_unlock(&mutex));
    dup2(saved, STDERR_FILENO);
    close(saved);
    bine_close(fd[0]);
    bine_close(fd[1]);
    return arg;
}

static bool quit_is(void (*handler)(int))
{
    struct sigaction now;
    return sigaction(SIGQUIT, NULL, &now) == 0 && now.sa_handler == handler;
}

START_TEST(sigquit_dumps_every_task_and_the_run_goes_on)
{
    setenv("BINE_DEBUG", "1", 1);
    reports_catch(); /* of hogs, where everything is slow */
    signal(SIGQUIT, SIG_DFL);
    run_in_loop(quit_and_read, NULL);
    expect(quit_is(SIG_DFL));
}
END_TEST

static void *quit(void *arg)
{
    kill(getpid(), SIGQUIT);
    return arg;
}

static void run_quit(void *debug)
{
    setenv("BINE_DEBUG", debug, 1);
    signal(SIGQUIT, SIG_DFL);
    bine_run(quit, NULL, NULL);
}

START_TEST(without_debugging_sigquit_does_what_it_always_did)
{
    char text[256];
    int status = run_child(run_quit, "0", text, sizeof text);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    status = run_child(run_quit, "1", text, sizeof text);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static volatile sig_atomic_t own_quits;

static void on_own_quit(int number)
{
    (void)number;
    own_quits++;
}

START_TEST(a_program_that_handles_or_ignores_sigquit_keeps_that)
{
    setenv("BINE_DEBUG", "1", 1);
    reports_catch(); /* of hogs, where everything is slow */
    signal(SIGQUIT, on_own_quit);
    run_in_loop(quit, NULL);
    expect_int(own_quits, ==, 1);
    expect(quit_is(on_own_quit));
    signal(SIGQUIT, SIG_IGN);
    run_in_loop(quit, NULL);
    expect(quit_is(SIG_IGN));
}
END_TEST

static void *fork_and_quit(void *arg)
{
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        kill(getpid(), SIGQUIT); /* at its default again */
        _exit(0);
    }
    int status = 0;
    expect_int(waitpid(pid, &status, 0), ==, pid);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    return arg;
}

START_TEST(a_child_after_fork_is_ended_by_sigquit)
{
    setenv("BINE_DEBUG", "1", 1);
    reports_catch(); /* of hogs, where everything is slow */
    signal(SIGQUIT, SIG_DFL);
    run_in_loop(fork_and_quit, NULL);
}
END_TEST

SUPPORT_MAIN("debug_dump", a_dump_is_a_tree_where_there_is_memory_for_it,
             sigquit_dumps_every_task_and_the_run_goes_on, without_debugging_sigquit_does_what_it_always_did,
             a_program_that_handles_or_ignores_sigquit_keeps_that, a_child_after_fork_is_ended_by_sigquit)
