/* SPDX-License-Identifier: MIT
 *
 * vfork() and exec: see launch.h.
 *
 * The child shares our memory until it execs, so it only makes system calls, and writes to nothing but what is
 * made for it here.  No signal handler of the program's may run in it: all signals are blocked until it has put
 * them back to their defaults.  This thread waits meanwhile, the others go on; a large program is started as fast as a
 * small one, which is why this is not fork().
 *
 * What fails in the child is told over a pipe that exec closes, not in shared memory: some emulators and
 * checkers make a fork of it after all.
 *
 * Every descriptor beyond the standard ones is made close-on-exec, also those of code that forgot to, and then
 * the wanted ones get their numbers: first all are copied to numbers above those that are wanted, so that none
 * is overwritten before it has been copied itself. */
#define _GNU_SOURCE
#include "io/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_OTHER = 3 };
enum { NOT_EXECUTED = 127 }; /* exit status, as the shell's */

/* ---- In the child -------------------------------------------------------------------------------------- */

static void default_signals(const struct bine__launch *launch)
{
    struct sigaction action;

    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 &&
            ((action.sa_flags & SA_SIGINFO) || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)))
            signal(number, SIG_DFL);
    if (launch->default_pipe)
        signal(SIGPIPE, SIG_DFL);
}

static void close_others_on_exec(void)
{
#ifdef SYS_close_range
    enum { ON_EXEC = 1 << 2 }; /* CLOSE_RANGE_CLOEXEC */
    if (syscall(SYS_close_range, (unsigned)FIRST_OTHER, ~0U, (unsigned)ON_EXEC) == 0)
        return;
#endif
    for (long fd = FIRST_OTHER, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

/* False: with errno. */
static bool move_all(const struct bine__launch *launch, int *report)
{
    int above = FIRST_OTHER;

    for (size_t i = 0; i < launch->move_count; i++)
        if (launch->moves[i].to >= above)
            above = launch->moves[i].to + 1;
    *report = fcntl(*report, F_DUPFD_CLOEXEC, above);
    if (*report == -1)
        return false;
    for (size_t i = 0; i < launch->move_count; i++) {
        struct bine__move *move = &launch->moves[i];
        move->from = fcntl(move->from, F_DUPFD_CLOEXEC, above);
        if (move->from == -1)
            return false;
    }
    for (size_t i = 0; i < launch->move_count; i++)
        if (dup2(launch->moves[i].from, launch->moves[i].to) == -1)
            return false;
    return true;
}

static _Noreturn void child(const struct bine__launch *launch, int report)
{
    int told = report;

    default_signals(launch);
    close_others_on_exec();
    if ((!launch->group || setpgid(0, 0) == 0) && (!launch->cwd || chdir(launch->cwd) == 0) &&
        move_all(launch, &report)) {
        told = report;
        sigprocmask(SIG_SETMASK, &launch->mask, NULL);
        execvpe(launch->argv[0], launch->argv, launch->env);
    }
    const int error = errno;
    while (write(told, &error, sizeof error) == -1 && errno == EINTR)
        ;
    _exit(NOT_EXECUTED);
}

/* ---- Here ------------------------------------------------------------------------------------------------ */

/* In a frame of its own, which both return through. */
static __attribute__((noinline)) pid_t start(const struct bine__launch *launch, int report)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): see the head */

    if (pid == 0)
        child(launch, report); /* NOLINT(clang-analyzer-unix.Vfork): it makes system calls alone */
    return pid;
}

int bine__launch(struct bine__launch *launch)
{
    int report[2], error = 0;
    ssize_t n;

    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    launch->pid = start(launch, report[1]);
    if (launch->pid == -1)
        error = errno;
    close(report[1]);
    if (!error) {
        do
            n = read(report[0], &error, sizeof error);
        while (n == -1 && errno == EINTR);
        if (n == (ssize_t)sizeof error)
            while (waitpid(launch->pid, NULL, 0) == -1 && errno == EINTR)
                ;
        else
            error = 0;
    }
    close(report[0]);
    return error;
}
