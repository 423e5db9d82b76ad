/* SPDX-License-Identifier: MIT
 *
 * Which reactor a run gets, and what sandboxes and kernels that know less cost it. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "io/io.h"
#include "support/fault.h"
#include "support/sockets.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* the same for each CPU */
#endif

static const char *const backends[] = {
    "epoll", "poll",
#ifdef BINE_KQUEUE
    "kqueue",
#endif
    "io_uring", /* the last: the kernel ends a wait that follows a ring's end early */
};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

#ifdef BINE_KQUEUE
#define NEXT_BEST "kqueue"
#else
#define NEXT_BEST "poll"
#endif

/* What the fixture's run and the tests' own wait with; the backends are chosen by name. */
static __attribute__((constructor)) void choose_for_ourselves(void)
{
    setenv("BINE_REACTOR", "epoll", 1);
}

START_TEST(the_reactor_is_picked_by_name_then_by_environment_then_by_what_works)
{
    struct bine_loop *loop = calloc(1, sizeof *loop);
    ck_assert_ptr_nonnull(loop);
    expect_fails(bine__poller_open(loop, "no such"), EINVAL);
    setenv("BINE_REACTOR", "no such", 1);
    expect_fails(bine__poller_open(loop, NULL), EINVAL);
    setenv("BINE_REACTOR", "poll", 1);
    expect_ok(bine__poller_open(loop, NULL));
    expect_str(loop->io->reactor->name, "poll");
    loop->poller.close(loop);
    expect_ok(bine__poller_open(loop, "epoll"));
    expect_str(loop->io->reactor->name, "epoll");
    loop->poller.close(loop);
    setenv("BINE_REACTOR", "", 1);
    expect_ok(bine__poller_open(loop, NULL));
    expect_str(loop->io->reactor->name, "epoll");
    loop->poller.close(loop);
    fault_arm_call("epoll_create1", 1, 1, ENOSYS); /* as in a sandbox */
    expect_ok(bine__poller_open(loop, NULL));
    expect_str(loop->io->reactor->name, NEXT_BEST);
    loop->poller.close(loop);
    fault_arm_call("epoll_create1", 1, 100, ENOSYS);
    expect_ok(bine__poller_open(loop, "io_uring")); /* a wish, unlike the others */
    expect(strstr("poll kqueue", loop->io->reactor->name) != NULL);
    fault_disarm();
    loop->poller.close(loop);
    free(loop);
}
END_TEST

/* What sandboxes answer to a call that they do not know.  False where none can be set up: under qemu. */
static bool forbid(unsigned a, unsigned b, unsigned c, unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, a, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, b, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, c, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { NO_FILTER = 77 }; /* exit status */

static void *sleep_and_read(void *arg)
{
    char byte;
    int fd[2];
    bine_ns before = bine_now();
    expect_ok(bine_sleep(2 * BINE_MS));
    expect_int(bine_now() - before, >=, 2 * BINE_MS);
    expect_ok(bine_pipe(fd));
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_read(fd[0], &byte, 1), ETIMEDOUT);
    }
    expect_int(bine_write(fd[1], "x", 1), ==, 1);
    expect_int(bine_read(fd[0], &byte, 1), ==, 1);
    bine_close(fd[0]);
    bine_close(fd[1]);
    int file = bine_open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    expect_int(bine_read(file, &byte, 1), ==, 1);
    bine_close(file);
    return arg;
}

static void run_forbidden(void *arg)
{
    const unsigned before = support_failures(), error = *(unsigned *)arg;
    const bool all = error != EINVAL; /* of a read that has another meaning */
    if (!forbid(SYS_epoll_pwait2, all ? SYS_preadv2 : SYS_epoll_pwait2, all ? SYS_pwritev2 : SYS_epoll_pwait2, error))
        _exit(NO_FILTER);
    for (int i = 0; i < BACKENDS; i++) {
        bine_options options = BINE_OPTIONS_INIT;
        options.reactor = backends[i];
        bine_result result = {NULL, -1};
        expect_ok(bine_run_with(&options, sleep_and_read, arg, &result));
        expect_ptr(result.value, ==, arg);
    }
    if (support_failures() != before)
        _exit(1);
}

START_TEST(a_sandbox_that_forbids_the_newer_calls_costs_nothing_but_speed)
{
    static unsigned errors[] = {EPERM, ENOSYS, EINVAL};
    char text[1024];
    for (int i = 0; i < 3; i++) {
        int status = run_child(run_forbidden, &errors[i], text, sizeof text);
        if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER) {
            support_skip("a_sandbox_that_forbids_the_newer_calls_costs_nothing_but_speed", "no seccomp filter here");
            return;
        }
        expect_int(status, ==, 0);
        expect_str(text, "");
    }
}
END_TEST

static void *write_a_byte(void *fd)
{
    expect_int(write(*(int *)fd, "x", 1), ==, 1);
    return NULL;
}

/* A pipe whose kernel knows no RWF_NOWAIT: poll(2) is asked, which a signal can end.  Taken for "ready", the
 * read(2) that follows would hold the loop, and the writer with it. */
LOOP_TEST(a_question_that_a_signal_ends_holds_no_loop)
{
    char byte = 0;
    int fd[2];
    pair_make(PAIR_PIPE, fd);
    bine__fd_get(bine_this_loop()->io, fd[0])->no_nowait = 3;
    bine_task *writer = bine_spawn(write_a_byte, &fd[1]);
    fault_arm_call("poll", 1, 3, EINTR);
    expect_int(bine_read(fd[0], &byte, 1), ==, 1);
    fault_disarm();
    expect_int(byte, ==, 'x');
    expect_ok(bine_join(writer, NULL));
    pair_close(fd);
}

SUPPORT_MAIN("reactor_choice", the_reactor_is_picked_by_name_then_by_environment_then_by_what_works,
             a_sandbox_that_forbids_the_newer_calls_costs_nothing_but_speed,
             a_question_that_a_signal_ends_holds_no_loop)
