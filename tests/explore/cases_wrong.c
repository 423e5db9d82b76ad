/* SPDX-License-Identifier: MIT
 *
 * Small programs for bine-explore(1), by name: cases <name> [<number>...].
 * Here: what goes wrong.  Each says beside it what exploration finds;
 * check.sh holds it to that. */
#define _GNU_SOURCE
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- What goes wrong ------------------------------------------------------------------------------- */

static bine_mutex locks[2] = {BINE_MUTEX_INIT, BINE_MUTEX_INIT};

static void *two_locks(void *first)
{
    int i = *(int *)first;
    bine_mutex_lock(&locks[i]);
    bine_yield();
    bine_mutex_lock(&locks[!i]);
    bine_mutex_unlock(&locks[!i]);
    bine_mutex_unlock(&locks[i]);
    return NULL;
}
void *run_deadlock(void *unused)
{
    static int zero = 0, one = 1;
    bine_task *a = bine_spawn(two_locks, &zero), *b = bine_spawn(two_locks, &one);
    bine_join(a, NULL);
    bine_join(b, NULL);
    return unused;
}

static bool flag;
static int ends[2];

static void *setter(void *unused)
{
    bine_sleep(BINE_MS);
    flag = true;
    return unused;
}
/* Ends, since no schedule is unfair for ever. */
void *run_spin(void *unused)
{
    bine_task *task = bine_spawn(setter, NULL);
    while (!flag)
        bine_sleep(BINE_MS);
    bine_join(task, NULL);
    return unused;
}

void *run_round(void *unused)
{
    for (;;)
        bine_yield();
    return unused;
}

void *run_hog(void *unused)
{
    bine_yield();
    while (!*(volatile bool *)&flag)
        ;
    return unused;
}

void *run_flood(void *unused)
{
    static char much[1 << 20];
    while (write(STDOUT_FILENO, much, sizeof much) > 0)
        ;
    pause();
    return unused;
}

/* Not all that is written is text. */
void *run_binary(void *unused)
{
    static const char bytes[] = "\0\303\274\374\033\n";
    if (write(STDOUT_FILENO, bytes, sizeof bytes - 1) > 0)
        exit(9);
    return unused;
}

static void *crasher(void *unused)
{
    bine_yield();
    if (flag)
        raise(SIGSEGV);
    return unused;
}
static void *raiser(void *unused)
{
    bine_yield();
    flag = true;
    return unused;
}
/* In the schedules in which the second is faster. */
void *run_crash(void *unused)
{
    bine_task *a = bine_spawn(crasher, NULL), *b = bine_spawn(raiser, NULL);
    bine_join(a, NULL);
    bine_join(b, NULL);
    return unused;
}

void *run_stuck(void *unused)
{
    char byte;
    assert(bine_pipe(ends) == 0);
    (void)bine_read(ends[0], &byte, 1);
    return unused;
}

static void *failing(void *unused)
{
    (void)unused;
    return bine_fail(EIO);
}
void *run_lost(void *unused)
{
    bine_spawn(failing, NULL);
    bine_yield();
    return unused;
}

/* The child process writes when it likes: nothing the explorer could decide. */
void *run_child(void *unused)
{
    char byte;
    assert(bine_pipe(ends) == 0);
    pid_t pid = fork();
    assert(pid != -1);
    if (pid == 0) {
        usleep(1000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    assert(bine_read(ends[0], &byte, 1) == 1);
    return unused;
}

static void *asks_a_process(void *unused)
{
    char *argv[] = {"echo", "x", NULL};
    bine_process_options options = BINE_PROCESS_OPTIONS_INIT;
    bine_process_status status;
    int pipes[3] = {-1, -1, -1};
    char text[8];
    options.out = BINE_PROCESS_PIPE;
    bine_process *process = bine_process_start(argv, &options, pipes);
    assert(process && bine_read_full(pipes[1], text, sizeof text) == 2);
    assert(bine_process_wait(process, &status) == 0 && status.code == 0);
    bine_close(pipes[1]);
    bine_process_free(process);
    return unused;
}
/* How fast the children are today makes no difference. */
void *run_children(void *unused)
{
    spawn_all(asks_a_process);
    return unused;
}

/* Never the same twice running: the file that $MOODY names grows by a byte each time. */
void *run_moody(void *unused)
{
    struct stat status = {0};
    int fd = open(getenv("MOODY"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fstat(fd, &status) != 0)
        abort();
    close(fd);
    number[0] = status.st_size % 2 ? 2 : 3;
    number[1] = 2;
    spawn_all(slices);
    return unused;
}

