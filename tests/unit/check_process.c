/* SPDX-License-Identifier: MIT
 *
 * Child processes: what they get, how they are talked to, awaited and ended; fork() in a task, and exec.
 *
 * The children are small shell scripts.  "Still running" is known by what a script has said over its pipe. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "support/fault.h"

enum { TEXT = 4096 };

/* A script; with its pipes where asked for. */
static bine_process *sh(const char *script, const bine_process_options *options, int pipes[3])
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    return bine_process_start(argv, options, pipes);
}

static bool gone(pid_t pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

/* Waits, frees, and tells the exit status. */
static int end_of(bine_process *process)
{
    bine_process_status status = {-2, -2, false};
    if (!process)
        return -3;
    expect_ok(bine_process_wait(process, &status));
    expect_ok(bine_process_free(process));
    return status.code;
}

/* What a script writes to its standard output; its exit status has to be 0. */
static const char *said(const char *script, bine_process_options options)
{
    static char text[TEXT];
    int pipes[3];
    options.out = BINE_PROCESS_PIPE;
    bine_process *process = sh(script, &options, pipes);
    expect(process != NULL);
    ssize_t n = process ? bine_read_full(pipes[1], text, sizeof text - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    expect_int(end_of(process), ==, 0);
    bine_close(pipes[1]);
    return text;
}

/* Reads one line: the script has come so far. */
static void await_line(int fd)
{
    char byte = 0;
    while (byte != '\n')
        if (bine_read(fd, &byte, 1) != 1) {
            expect_int(byte, ==, '\n');
            return;
        }
}

static const bine_process_options piped = {.out = BINE_PROCESS_PIPE};
static const char *const stubborn = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

/* ---- Start ------------------------------------------------------------------------- */

LOOP_TEST(its_exit_status_or_signal_is_told)
{
    bine_process_status status;
    expect_int(end_of(sh("exit 0", NULL, NULL)), ==, 0);
    expect_int(end_of(sh("exit 7", NULL, NULL)), ==, 7);
    bine_process *process = sh("kill -9 $$", NULL, NULL);
    expect_ok(bine_process_wait(process, &status));
    expect_int(status.code, ==, -1);
    expect_int(status.signal, ==, SIGKILL);
    expect(!status.dumped);
    expect_ok(bine_process_wait(process, NULL)); /* again */
    expect_ok(bine_process_wait_try(process, &status));
    expect_int(status.signal, ==, SIGKILL);
    expect_ok(bine_process_free(process));
}

LOOP_TEST(a_program_that_cannot_be_executed_says_why)
{
    char path[] = "/tmp/bine-XXXXXX";
    int file = mkstemp(path);
    char *const missing[] = {"bine-no-such-program", NULL}, *const plain[] = {path, NULL}, *const dir[] = {"/", NULL};
    const bine_process_options nowhere = {.cwd = "/bine-no-such-directory"};
    const bine_process_fd closed = {1000000, 5};
    const bine_process_options passing = {.fds = &closed, .fd_count = 1};
    close(file);
    expect_ok(setenv("PATH", "/usr/bin:/bin", 1)); /* one that may not be searched makes it EACCES */
    expect_null(bine_process_start(missing, NULL, NULL), ENOENT);
    expect_null(bine_process_start(plain, NULL, NULL), EACCES);
    expect_null(bine_process_start(dir, NULL, NULL), EACCES);
    expect_null(sh("exit 0", &nowhere, NULL), ENOENT);
    expect_null(sh("exit 0", &passing, NULL), EBADF);
    unlink(path);
    expect_int(waitpid(-1, NULL, WNOHANG), ==, -1); /* nobody is left */
    expect_int(errno, ==, ECHILD);
}

LOOP_TEST(it_is_talked_to_over_pipes)
{
    bine_process_options options = BINE_PROCESS_OPTIONS_INIT;
    char text[16] = "";
    int pipes[3];
    options.in = options.out = BINE_PROCESS_PIPE;
    bine_process *process = sh("read line; echo \"<$line>\"; read line || echo end", &options, pipes);
    expect_int(pipes[2], ==, -1);
    expect_int(bine_write(pipes[0], "hello\n", 6), ==, 6);
    expect_int(bine_read_full(pipes[1], text, 8), ==, 8);
    expect_str(text, "<hello>\n");
    expect_ok(bine_close(pipes[0]));
    expect_int(bine_read_full(pipes[1], text, sizeof text), ==, 4);
    expect_int(end_of(process), ==, 0);
    bine_close(pipes[1]);
}

LOOP_TEST(standard_error_goes_where_it_is_sent)
{
    char text[16] = "";
    int pipes[3];
    expect_str(said("echo out; echo err >&2", (bine_process_options){.err = BINE_PROCESS_STDOUT}), "out\nerr\n");
    expect_str(said("echo out; echo err >&2", (bine_process_options){.err = BINE_PROCESS_NULL}), "out\n");
    expect_str(said("cat", (bine_process_options){.in = BINE_PROCESS_NULL}), "");
    bine_process *process = sh("echo err >&2", &(bine_process_options){.err = BINE_PROCESS_PIPE}, pipes);
    expect_int(bine_read_full(pipes[2], text, sizeof text), ==, 4);
    expect_int(end_of(process), ==, 0);
    bine_close(pipes[2]);
}

LOOP_TEST(it_has_the_environment_and_directory_that_it_is_given)
{
    char *const env[] = {"BINE_TEST=here", NULL};
    setenv("BINE_TEST", "inherited", 1);
    expect_str(said("echo $BINE_TEST", (bine_process_options){.cwd = NULL}), "inherited\n");
    expect_str(said("echo $BINE_TEST", (bine_process_options){.env = env}), "here\n");
    expect_str(said("pwd", (bine_process_options){.cwd = "/"}), "/\n");
}

/* Of 3 to 40, which there are. */
static const char *const list_fds =
    "i=3; while [ $i -lt 40 ]; do [ -e /proc/$$/fd/$i ] && printf '%s ' $i; i=$((i+1)); done; :";

LOOP_TEST(it_has_the_descriptors_that_are_passed_and_no_others)
{
    int careless[20]; /* not close-on-exec */
    for (int i = 0; i < 20; i++)
        careless[i] = open("/dev/null", O_RDONLY);
    expect_str(said(list_fds, (bine_process_options){.cwd = NULL}), "");
    const bine_process_fd passed[] = {{careless[0], 7}, {careless[1], 9}};
    expect_str(said(list_fds, (bine_process_options){.fds = passed, .fd_count = 2}), "7 9 ");
    for (int i = 0; i < 20; i++)
        close(careless[i]);
}

LOOP_TEST(descriptors_change_places)
{
    int first[2], second[2];
    expect_ok(pipe2(first, O_CLOEXEC));
    expect_ok(pipe2(second, O_CLOEXEC));
    const bine_process_fd crossed[] = {
        {first[1], second[1]}, {second[1], first[1]}, {first[1], first[1]}, {second[1], 1}};
    const bine_process_options passing = {.fds = crossed, .fd_count = 4};
    char script[64], text[8] = "";
    /* The last one to a number holds: first's number means first, second's means first, output is second. */
    snprintf(script, sizeof script, "printf a >&%d; printf b >&%d; printf c", first[1], second[1]);
    char *const argv[] = {"bash", "-c", script, NULL};
    bine_process *process = bine_process_start(argv, &passing, NULL);
    if (!process) { /* a plain sh knows single digits alone */
        support_skip("descriptors_change_places", "no bash here");
    } else {
        expect_int(end_of(process), ==, 0);
        expect_int(read(first[0], text, sizeof text), ==, 2);
        expect_int(memcmp(text, "ab", 2), ==, 0);
        expect_int(read(second[0], text, sizeof text), ==, 1);
        expect_int(text[0], ==, 'c');
    }
    for (int i = 0; i < 2; i++)
        close(first[i]), close(second[i]);
}

static void handle(int number)
{
    (void)number;
}

static unsigned long long field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 16) : ~0ULL;
}

LOOP_TEST(it_has_default_handlers_and_the_callers_mask)
{
    sigset_t set;
    signal(SIGUSR1, handle);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    const char *text = said("exec cat /proc/self/status", (bine_process_options){.cwd = NULL});
    expect_uint(field(text, "SigBlk:"), ==, 1ULL << (SIGHUP - 1));
    expect_uint(field(text, "SigIgn:") & (1ULL << (SIGPIPE - 1)), ==, 0);
    expect_uint(field(text, "SigIgn:") & (1ULL << (SIGUSR2 - 1)), !=, 0); /* as exec has it */
    expect_uint(field(text, "SigCgt:") & (1ULL << (SIGUSR1 - 1)), ==, 0);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

LOOP_TEST(others_run_while_it_does)
{
    int pipes[3];
    bine_process *process = sh("echo ready; read line", &(bine_process_options){.in = BINE_PROCESS_PIPE,
                                                                                .out = BINE_PROCESS_PIPE}, pipes);
    await_line(pipes[1]);
    expect_ok(bine_yield());
    expect_fails(bine_process_wait_try(process, NULL), EAGAIN);
    expect_int(bine_process_pid(process), >, 1);
    expect_ok(bine_process_kill(process, 0));
    bine_close(pipes[0]);
    expect_int(end_of(process), ==, 1);
    bine_close(pipes[1]);
}

/* ---- Wait -------------------------------------------------------------------------- */

static void *wait_for(void *process)
{
    bine_process_status status;
    return bine_process_wait(process, &status) == 0 && status.code == 3 ? NULL : bine_fail(errno);
}

static void several_wait(void)
{
    enum { WAITERS = 5 };
    bine_task *tasks[WAITERS];
    int pipes[3];
    bine_result result;
    bine_process *process = sh("read line; exit 3", &(bine_process_options){.in = BINE_PROCESS_PIPE}, pipes);
    for (int i = 0; i < WAITERS; i++)
        tasks[i] = bine_spawn(wait_for, process);
    for (int i = 0; i < 3; i++)
        bine_yield();
    expect_fails(bine_process_free(process), EBUSY);
    expect_fails(bine_process_detach(process), EBUSY);
    expect_ok(bine_stop(tasks[0], &result)); /* it leaves; the child does not notice */
    expect_int(result.error, ==, ECANCELED);
    expect_fails(bine_process_wait_try(process, NULL), EAGAIN);
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_process_wait(process, NULL), ETIMEDOUT);
    }
    bine_close(pipes[0]);
    for (int i = 1; i < WAITERS; i++) {
        expect_ok(bine_join(tasks[i], &result));
        expect_int(result.error, ==, 0);
    }
    expect_ok(bine_process_free(process));
}

LOOP_TEST(several_tasks_wait_and_one_that_leaves_leaves_the_child)
{
    several_wait();
}

static bool forbid_pidfds(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

LOOP_TEST(without_pidfds_a_thread_waits)
{
    bine_process_status status;
    if (!forbid_pidfds())
        support_skip("without_pidfds_a_thread_waits", "no seccomp filter here");
    several_wait();
    bine_process *process = sh("sleep 1000", NULL, NULL);
    expect_ok(bine_process_stop(process, BINE_FOREVER, &status));
    expect_int(status.signal, ==, SIGTERM);
    expect_ok(bine_process_free(process));
}

LOOP_TEST(a_status_that_somebody_else_has_taken_is_lost)
{
    signal(SIGCHLD, SIG_IGN);
    bine_process *process = sh("exit 0", NULL, NULL);
    expect_fails(bine_process_wait(process, NULL), ECHILD);
    expect_fails(bine_process_wait_try(process, NULL), ECHILD);
    expect_ok(bine_process_free(process));
    signal(SIGCHLD, SIG_DFL);
}

VIRTUAL_TEST(virtual_time_stands_still_while_it_is_awaited)
{
    bine_ns before = bine_now();
    expect_int(end_of(sh("exit 3", NULL, NULL)), ==, 3);
    expect_int(bine_now(), ==, before);
}

/* ---- End --------------------------------------------------------------------------- */

LOOP_TEST(a_signal_reaches_it)
{
    bine_process_status status;
    bine_process *process = sh("sleep 1000", NULL, NULL);
    expect_fails(bine_process_kill(process, 1000), EINVAL);
    expect_ok(bine_process_kill(process, SIGHUP));
    expect_ok(bine_process_wait(process, &status));
    expect_int(status.signal, ==, SIGHUP);
    expect_fails(bine_process_kill(process, SIGHUP), ESRCH);
    expect_ok(bine_process_free(process));
}

LOOP_TEST(one_that_ignores_sigterm_is_killed_when_the_grace_has_passed)
{
    bine_process_status status;
    int pipes[3];
    bine_process *process = sh(stubborn, &piped, pipes);
    await_line(pipes[1]);
    bine_ns before = bine_now();
    expect_ok(bine_process_stop(process, 20 * BINE_MS, &status));
    expect_int(bine_now() - before, >=, 20 * BINE_MS);
    expect_int(status.signal, ==, SIGKILL);
    expect_ok(bine_process_stop(process, 0, &status)); /* again */
    expect_int(status.signal, ==, SIGKILL);
    expect_ok(bine_process_free(process));
    bine_close(pipes[1]);
}

LOOP_TEST(one_that_obeys_or_is_stopped_ends_by_sigterm)
{
    bine_process_status status;
    bine_process *process = sh("sleep 1000", NULL, NULL);
    expect_ok(bine_process_kill(process, SIGSTOP));
    expect_ok(bine_process_stop(process, BINE_FOREVER, &status));
    expect_int(status.signal, ==, SIGTERM);
    expect_ok(bine_process_free(process));
}

static void *stop_it(void *process)
{
    bine_process_status status;
    expect_ok(bine_process_stop(process, BINE_FOREVER, &status));
    expect_int(status.signal, ==, SIGKILL);
    expect_fails(bine_yield(), ECANCELED);
    return NULL;
}

LOOP_TEST(a_stop_that_is_cancelled_kills_at_once)
{
    int pipes[3];
    bine_process *process = sh(stubborn, &piped, pipes);
    await_line(pipes[1]);
    bine_task *task = bine_spawn(stop_it, process);
    bine_yield();
    expect_ok(bine_stop(task, NULL));
    expect_ok(bine_process_free(process));
    bine_close(pipes[1]);
}

LOOP_TEST(a_group_is_ended_as_a_whole)
{
    const bine_process_options options = {.out = BINE_PROCESS_PIPE, .group = true};
    char text[32] = "";
    int pipes[3];
    bine_process *process = sh("sleep 1000 & echo $!; wait", &options, pipes);
    for (size_t n = 0; n < sizeof text - 1 && !strchr(text, '\n'); n++)
        expect_int(bine_read(pipes[1], text + n, 1), ==, 1);
    pid_t child = (pid_t)atoi(text);
    expect_int(child, >, 1);
    expect_ok(bine_process_stop(process, BINE_FOREVER, NULL));
    /* The pipe ends when the last of them has. */
    expect_int(bine_read(pipes[1], text, 1), ==, 0);
    expect_ok(bine_process_free(process));
    bine_close(pipes[1]);
}

LOOP_TEST(one_that_is_given_up_leaves_no_zombie)
{
    int pipes[3];
    bine_process *process = sh("read line", &(bine_process_options){.in = BINE_PROCESS_PIPE}, pipes);
    pid_t pid = bine_process_pid(process);
    expect_fails(bine_process_free(process), EBUSY);
    expect_ok(bine_process_detach(process));
    bine_yield();
    expect(!gone(pid));
    bine_close(pipes[0]);
    while (!gone(pid))
        expect_ok(bine_sleep(BINE_MS));
    process = sh("exit 0", NULL, NULL);
    expect_ok(bine_process_wait(process, NULL));
    expect_ok(bine_process_detach(process)); /* the same as to free it, by then */
}

static pid_t left;
static int left_pipe;

static void *leave_one(void *arg)
{
    int pipes[3];
    bine_process *process = sh("read line", &(bine_process_options){.in = BINE_PROCESS_PIPE}, pipes);
    left = bine_process_pid(process);
    left_pipe = pipes[0];
    expect_ok(bine_process_detach(process));
    bine_yield();
    return arg;
}

static void *collect(void *arg)
{
    bine_close(left_pipe);
    while (!gone(left)) { /* it is waited for when others are started */
        expect_int(end_of(sh("exit 0", NULL, NULL)), ==, 0);
        expect_ok(bine_sleep(BINE_MS));
    }
    return arg;
}

START_TEST(one_that_outlives_the_run_is_waited_for_in_the_next)
{
    fixture_allow_left_tasks();
    run_in_loop(leave_one, NULL);
    run_in_loop(collect, NULL);
}
END_TEST

/* ---- fork() ------------------------------------------------------------------------ */

static void *in_child(void *arg)
{
    if (bine_process_wait(arg, NULL) == 0 || errno != EPERM) /* it is the parent's */
        return bine_fail(EDOM);
    return bine_sleep(0) == 0 && end_of(sh("exit 4", NULL, NULL)) == 4 ? NULL : bine_fail(errno);
}

LOOP_TEST(a_fork_in_a_task_has_no_loop_until_it_runs_one)
{
    int pipes[3], status = -1;
    if (support_instrumented() || support_emulated()) {
        /* ThreadSanitizer lets no child of a process with threads start any; the emulator fails at it. */
        support_skip("a_fork_in_a_task_has_no_loop_until_it_runs_one", "a child cannot start threads here");
        return;
    }
    bine_process *process = sh("echo ready; read line", &(bine_process_options){.in = BINE_PROCESS_PIPE,
                                                                                .out = BINE_PROCESS_PIPE}, pipes);
    await_line(pipes[1]);
    pid_t pid = fork();
    if (pid == 0) {
        bine_result result = {NULL, -1};
        bool right = bine_sleep(0) == -1 && errno == EPERM;
        close(pipes[0]); /* the child has copies of all descriptors: the other end would not see ours close */
        _exit(right && bine_run(in_child, process, &result) == 0 && result.error == 0 && support_failures() == 0 ? 0
                                                                                                            : 1);
    }
    expect_int(waitpid(pid, &status, 0), ==, pid);
    expect_int(status, ==, 0);
    bine_close(pipes[0]);
    expect_int(end_of(process), ==, 1);
    bine_close(pipes[1]);
}

/* ---- exec -------------------------------------------------------------------------- */

enum { NUMBERS = 1024 };
static bool open_before[NUMBERS];

static void keep_connection(int fd, void *arg)
{
    char byte;
    (void)arg;
    (void)bine_read(fd, &byte, 1);
}

static void *serve(void *listener)
{
    expect_fails(bine_serve(*(int *)listener, keep_connection, NULL, NULL), ECANCELED);
    return NULL;
}

static int same(const void *input, size_t size, void **output, size_t *output_size)
{
    (void)input, (void)size, (void)output, (void)output_size;
    return 0;
}

static const bine_process_options all_piped = {
    .in = BINE_PROCESS_PIPE, .out = BINE_PROCESS_PIPE, .err = BINE_PROCESS_PIPE};

/* Everything of the library's own that a descriptor may belong to. */
static void *use_everything(void *arg)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char name[64], byte;
    int pipes[3], inherited = 0, listener = bine_listen("tcp", "127.0.0.1:0", 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    snprintf(name, sizeof name, "@check-process-%d", (int)getpid());
    bine_process *process = sh("read line", &all_piped, pipes);
    bine_signals *signals = bine_signal_open(&set);
    bine_workers *workers = bine_workers_new(same, 1);
    bine_dir *dir = bine_opendir("/");
    int local = bine_listen("unix", name, 0), client = bine_dial("unix", name);
    int datagrams = bine_listen("udp", "127.0.0.1:0", 0);
    bine_task *server = bine_spawn(serve, &listener);
    expect(process && signals && workers && dir && server);
    expect(listener >= 0 && local >= 0 && client >= 0 && datagrams >= 0);
    expect_ok(bine_workers_call(workers, NULL, 0, NULL, NULL));
    expect_ok(getsockname(listener, (struct sockaddr *)&address, &length));
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect_ok(bine_connect(peer, (struct sockaddr *)&address, length));
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_recv(datagrams, &byte, 1, 0), ETIMEDOUT);
    }
    for (int fd = 0; fd < NUMBERS; fd++)
        if (!open_before[fd] && fcntl(fd, F_GETFD) != -1)
            inherited += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    expect_int(inherited, ==, 0);
    const int others[] = {peer, client, local, datagrams, pipes[0], pipes[1], pipes[2]};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect_ok(bine_close(others[i]));
    expect_int(end_of(process), ==, 1);
    expect_ok(bine_stop(server, NULL));
    expect_ok(bine_close(listener));
    expect_ok(bine_closedir(dir));
    expect_ok(bine_signal_close(signals));
    expect_ok(bine_workers_free(workers));
    return arg;
}

static void run_everything(void *arg)
{
    for (int fd = 0; fd < NUMBERS; fd++)
        open_before[fd] = fcntl(fd, F_GETFD) != -1;
    expect_ok(bine_run(use_everything, arg, NULL));
    _exit(support_failures() ? 1 : 0);
}

START_TEST(what_the_library_opens_is_closed_by_exec)
{
    char text[1024]; /* in a child, since the pipe of signals stays open */
    expect_int(run_child(run_everything, NULL, text, sizeof text), ==, 0);
    expect_str(text, "");
    support_settle();
}
END_TEST

/* ---- Misuse and faults ------------------------------------------------------------- */

static bine_event called_back = BINE_EVENT_INIT;

static void call_back(void *process)
{
    expect_fails(bine_process_wait(process, NULL), EDEADLK);
    expect_fails(bine_process_stop(process, 0, NULL), EDEADLK);
    expect_null(sh("exit 0", NULL, NULL), EDEADLK);
    bine_event_set(&called_back);
}

static void *strange(void *process)
{
    expect_fails(bine_process_wait(process, NULL), EPERM);
    expect_fails(bine_process_wait_try(process, NULL), EPERM);
    expect_fails(bine_process_stop(process, 0, NULL), EPERM);
    expect_fails(bine_process_kill(process, 0), EPERM);
    expect_fails(bine_process_free(process), EPERM);
    expect_fails(bine_process_detach(process), EPERM);
    expect_null(sh("exit 0", NULL, NULL), EPERM);
    return NULL;
}

LOOP_TEST(misuse_is_an_error)
{
    char *const none[] = {NULL};
    const bine_process_fd negative = {-1, 3};
    pthread_t thread;
    expect_null(bine_process_start(NULL, NULL, NULL), EINVAL);
    expect_null(bine_process_start(none, NULL, NULL), EINVAL);
    expect_null(sh("exit 0", &piped, NULL), EINVAL);
    expect_null(sh("exit 0", &(bine_process_options){.in = BINE_PROCESS_STDOUT}, NULL), EINVAL);
    expect_null(sh("exit 0", &(bine_process_options){.out = 9}, NULL), EINVAL);
    expect_null(sh("exit 0", &(bine_process_options){.fd_count = 1}, NULL), EINVAL);
    expect_null(sh("exit 0", &(bine_process_options){.fds = &negative, .fd_count = 1}, NULL), EINVAL);
    expect_fails(bine_process_wait(NULL, NULL), EINVAL);
    expect_fails(bine_process_wait_try(NULL, NULL), EINVAL);
    expect_fails(bine_process_kill(NULL, 0), EINVAL);
    expect_fails(bine_process_stop(NULL, 0, NULL), EINVAL);
    expect_fails(bine_process_free(NULL), EINVAL);
    expect_fails(bine_process_detach(NULL), EINVAL);
    expect_fails(bine_process_pid(NULL), EINVAL);
    bine_process *process = sh("sleep 1000", NULL, NULL);
    expect_ok(pthread_create(&thread, NULL, strange, process));
    pthread_join(thread, NULL);
    expect_ok(bine_call_soon(call_back, process));
    expect_ok(bine_event_wait(&called_back));
    BINE_TIMEOUT(0) {
        expect_null(sh("exit 0", NULL, NULL), ETIMEDOUT);
        expect_fails(bine_process_wait(process, NULL), ETIMEDOUT);
    }
    bine_scope scope;
    bine_scope_open(&scope, BINE_FOREVER);
    bine_scope_cancel(&scope);
    expect_null(sh("exit 0", NULL, NULL), ECANCELED);
    bine_scope_close(&scope);
    expect_ok(bine_process_stop(process, 0, NULL));
    expect_ok(bine_process_free(process));
}

LOOP_TEST(what_it_lacks_is_an_error)
{
    int pipes[3];
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_null(sh("exit 0", NULL, NULL), ENOMEM);
    fault_arm_call("pipe", 1, 1, EMFILE);
    expect_null(sh("exit 0", &piped, pipes), EMFILE);
    fault_arm_call("pipe", 2, 1, EMFILE); /* the one that tells of exec */
    expect_null(sh("exit 0", &piped, pipes), EMFILE);
    fault_disarm();
    expect_int(end_of(sh("exit 0", NULL, NULL)), ==, 0);
}

static void *start_without_thread(void *arg)
{
    fault_arm_call("pthread_create", 1, 1, EAGAIN);
    expect_null(sh("exit 0", NULL, NULL), EAGAIN);
    fault_disarm();
    return arg;
}

START_TEST(without_a_thread_nothing_is_started)
{
    run_in_loop(start_without_thread, NULL);
}
END_TEST

SUPPORT_MAIN("process", its_exit_status_or_signal_is_told, a_program_that_cannot_be_executed_says_why,
             it_is_talked_to_over_pipes, standard_error_goes_where_it_is_sent,
             it_has_the_environment_and_directory_that_it_is_given,
             it_has_the_descriptors_that_are_passed_and_no_others, descriptors_change_places,
             it_has_default_handlers_and_the_callers_mask, others_run_while_it_does,
             several_tasks_wait_and_one_that_leaves_leaves_the_child, without_pidfds_a_thread_waits,
             a_status_that_somebody_else_has_taken_is_lost, virtual_time_stands_still_while_it_is_awaited,
             a_signal_reaches_it, one_that_ignores_sigterm_is_killed_when_the_grace_has_passed,
             one_that_obeys_or_is_stopped_ends_by_sigterm, a_stop_that_is_cancelled_kills_at_once,
             a_group_is_ended_as_a_whole, one_that_is_given_up_leaves_no_zombie,
             one_that_outlives_the_run_is_waited_for_in_the_next, a_fork_in_a_task_has_no_loop_until_it_runs_one,
             what_the_library_opens_is_closed_by_exec, misuse_is_an_error, what_it_lacks_is_an_error,
             without_a_thread_nothing_is_started)
