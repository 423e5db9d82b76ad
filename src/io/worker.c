/* SPDX-License-Identifier: MIT
 *
 * The nursery and the workers, from fork() to _exit(): see worker.h.
 *
 * Nothing of bine runs here: there is no loop, and every call blocks. */
#define _GNU_SOURCE
#include "io/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, FIRST_FOREIGN = 4 }; /* descriptors: beside these, a worker has the standard ones */

/* ---- Leaving the program behind ---------------------------------------------------------------------- */

/* What was ignored stays so, as over exec; what the program handled has nobody to handle it here. */
static void default_signals(void)
{
    struct sigaction action;

    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 &&
            ((action.sa_flags & SA_SIGINFO) || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)))
            signal(number, SIG_DFL);
}

static void close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    for (long fd = first, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
}

/* ---- A worker ---------------------------------------------------------------------------------------- */

static void take(int fd, void *to, size_t size)
{
    for (char *at = to; size > 0;) {
        ssize_t n = read(fd, at, size);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            _exit(0); /* the program does not want it any more, or is gone */
        }
    }
}

static void give(int fd, const void *from, size_t size)
{
    for (const char *at = from; size > 0;) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n >= 0) {
            at += n;
            size -= (size_t)n;
        } else if (errno != EINTR) {
            _exit(0);
        }
    }
}

static _Noreturn void worker(int fd, bine_work_fn *fn)
{
    const int32_t pid = (int32_t)getpid();

    give(fd, &pid, sizeof pid);
    for (;;) {
        struct bine__answer answer = {.error = ENOMEM};
        uint64_t size;
        void *output = NULL;
        size_t output_size = 0;

        take(fd, &size, sizeof size);
        void *input = malloc(size ? size : 1);
        if (!input)
            _exit(1);
        take(fd, input, size);
        answer.error = fn(input, size, &output, &output_size);
        answer.size = answer.error || !output ? 0 : output_size;
        free(input);
        give(fd, &answer, sizeof answer);
        give(fd, output, answer.size);
        free(output);
    }
}

/* ---- The nursery --------------------------------------------------------------------------------------- */

/* A descriptor that came with the message, or -1. */
static int passed(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* The worker begins when this process has closed its own copy of the socket: from then on the socket ends with the
 * worker, and the program sees at its next write that there is none. */
static void start_worker(int fd, bine_work_fn *fn)
{
    int gate[2] = {-1, -1};
    char nothing;
    pid_t pid = pipe(gate) == 0 ? fork() : -1;

    if (pid == 0) {
        close(CONTROL);
        close(gate[1]);
        while (read(gate[0], &nothing, 1) == -1 && errno == EINTR)
            ;
        close(gate[0]);
        worker(fd, fn);
    }
    close(fd); /* if there is no worker, this tells the program */
    if (gate[0] != -1) {
        close(gate[0]);
        close(gate[1]);
    }
}

/* Also of one that has ended: it is awaited only here, so until now the number was its own. */
static void kill_worker(pid_t pid)
{
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
        ;
}

static _Noreturn void end_all(void)
{
    if (getpgrp() == getpid())
        kill(0, SIGKILL);
    _exit(0);
}

_Noreturn void bine__nursery(int control, bine_work_fn *fn, const sigset_t *mask)
{
    default_signals();
    setpgid(0, 0); /* a terminal's Ctrl-C is the program's affair; and so end_all() reaches everybody */
    if (control != CONTROL && dup2(control, CONTROL) == -1)
        _exit(1);
    close_from(FIRST_FOREIGN);
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (;;) {
        struct bine__order order;
        union { /* aligned as the macros want it */
            struct cmsghdr header;
            char room[CMSG_SPACE(sizeof(int))];
        } with;
        struct iovec iov = {&order, sizeof order};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof with};
        ssize_t n = recvmsg(CONTROL, &message, 0);

        if (n == -1 && errno == EINTR)
            continue;
        if (n != sizeof order)
            end_all();
        int fd = passed(&message);
        if (order.kind == BINE__WORKER_START && fd != -1)
            start_worker(fd, fn);
        else if (order.kind == BINE__WORKER_KILL)
            kill_worker(order.pid);
    }
}
