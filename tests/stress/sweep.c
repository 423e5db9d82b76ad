/* SPDX-License-Identifier: MIT
 *
 * The fault sweep: a small whole program (a server, clients, files, timers, name look-ups, posts) is run with
 * its first wrapped call failing, then its second, and so on until a run has no failure left.
 *
 * Whatever failed, the run ends with success or an error; nothing is left mapped, open or allocated; it
 * neither crashes nor hangs.  The warm sweep repeats in one process and compares; the cold one forks for each
 * failure, so that what is set up once in a process fails too.
 *
 *   sweep [call]      only failures of that call (see wrap.list)
 *   SECONDS           how long at the most (default 20 for each sweep, 6 under an emulator; a fifth of it for the
 *                     seeded one)
 *   SEED              of the failures drawn at random, several in a run */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/fault.h"

enum { HANG_SECONDS = 120, CLIENTS = 3, RESERVED = 200 };

static const char *only;
static long nth;
static bool cold;

/* ---- The program --------------------------------------------------------------------------------------- */

static void serve_one(int fd, void *arg)
{
    (void)arg;
    int own = bine_dup(fd); /* the stream closes its descriptor, bine_serve() closes fd */
    bine_stream *stream = own >= 0 ? bine_stream_new(own) : NULL;
    if (!stream) {
        if (own >= 0)
            bine_close(own);
        return;
    }
    char line[64];
    while (bine_stream_read_line(stream, line, sizeof line) > 0)
        if (bine_stream_printf(stream, "you said %s", line) != 0 || bine_stream_flush(stream) != 0)
            break;
    bine_stream_close(stream);
}

static int served; /* why the server ended */

static void *run_server(void *arg)
{
    bine_serve_options options = BINE_SERVE_OPTIONS_INIT;
    options.grace = BINE_MS;
    if (bine_serve(*(int *)arg, serve_one, NULL, &options) == -1)
        served = errno;
    bine_close(*(int *)arg); /* resets those who still wait to be accepted */
    *(int *)arg = -1;
    return NULL;
}

static char address[64];

static void *run_client(void *arg)
{
    char answer[64];
    (void)arg;
    int fd = bine_dial("tcp", address);
    if (fd < 0)
        return bine_fail(errno);
    for (int i = 0; i < 2; i++) {
        if (bine_write_full(fd, "hello\n", 6) != 6 || bine_read_full(fd, answer, 15) != 15)
            break;
        if (memcmp(answer, "you said hello\n", 15) != 0)
            support_record(__FILE__, __LINE__, "a wrong answer with failure %ld", nth);
    }
    bine_close(fd);
    return NULL;
}

static void *use_files(void *arg)
{
    char buf[32], path[] = "/tmp/sweep-XXXXXX";
    int file = mkstemp(path);
    (void)arg;
    if (file < 0)
        return NULL;
    unlink(path);
    int fd = bine_open("/dev/null", O_RDWR);
    (void)bine_pwrite(file, "some bytes", 10, 0);
    (void)bine_fsync(file);
    (void)bine_pread(file, buf, sizeof buf, 0);
    if (fd >= 0) {
        off_t offset = 0;
        (void)bine_sendfile(fd, file, &offset, 10);
        bine_close(fd);
    }
    bine_close(file);
    struct addrinfo *list = NULL;
    if (bine_resolve("127.0.0.1", "80", NULL, &list) == 0)
        freeaddrinfo(list);
    return NULL;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void *posted(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

static void *use_the_rest(void *arg)
{
    int fd[2], fired = 0, ran = 0;
    bine_timer timer;
    (void)arg;
    bine_timer_init(&timer, count, &fired);
    bine_timer_start(&timer, BINE_MS);
    (void)bine_call_soon(count, &fired);
    int accepted = bine_post(bine_this_loop(), posted, &ran) == 0;
    if (bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0) {
        struct pollfd one = {fd[0], POLLIN, 0};
        char byte;
        (void)bine_poll(&one, 1, 1);
        BINE_TIMEOUT(BINE_MS)
            (void)bine_read(fd[0], &byte, 1);
        if (bine_write(fd[1], "x", 1) == 1)
            (void)bine_read(fd[0], &byte, 1);
        bine_close(fd[0]);
        bine_close(fd[1]);
    }
    if (bine_pipe(fd) == 0) {
        char byte;
        BINE_TIMEOUT(BINE_MS)
            (void)bine_read(fd[0], &byte, 1);
        if (bine_write(fd[1], "x", 1) == 1)
            (void)bine_read(fd[0], &byte, 1);
        bine_close(fd[0]);
        bine_close(fd[1]);
    }
    bine_timer_cancel(&timer);
    while (ran < accepted)
        if (bine_yield() != 0)
            break;
    return NULL;
}

static bool timed_out;

static void *program(void *arg)
{
    bine_task *task[CLIENTS + 2] = {NULL}, *server = NULL;
    (void)arg;
    bine_scope scope;
    BINE_SCOPE(&scope, HANG_SECONDS / 2 * BINE_SECOND) {
        int listener = bine_listen("tcp", "127.0.0.1:0", 0);
        if (listener >= 0) {
            struct sockaddr_in name;
            socklen_t n = sizeof name;
            if (getsockname(listener, (struct sockaddr *)&name, &n) == 0) {
                snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(name.sin_port));
                server = bine_spawn(run_server, &listener);
            }
        }
        for (int i = 0; i < CLIENTS && server; i++)
            task[i] = bine_spawn(run_client, NULL);
        bine_attr attr = BINE_ATTR_INIT;
        attr.stack_size = 256 << 10; /* name look-ups run on threads, mkstemp() here */
        task[CLIENTS] = bine_spawn_with(&attr, use_files, NULL);
        task[CLIENTS + 1] = bine_spawn(use_the_rest, NULL);
        for (int i = 0; i < CLIENTS + 2; i++) {
            bine_result result;
            if (task[i] && bine_join(task[i], &result) != 0)
                bine_stop(task[i], &result);
        }
        bine_result result;
        if (server)
            bine_stop(server, &result);
        if (listener >= 0)
            bine_close(listener);
    }
    timed_out = bine_scope_fired(&scope);
    return NULL;
}

/* ---- The sweep ----------------------------------------------------------------------------------------- */

static void die(int number)
{
    char text[160];
    int n = snprintf(text, sizeof text, "FAIL: %s with call %ld failing (%s): signal %d\n",
                     cold ? "cold" : "warm", nth, fault_last(), number);
    if (write(1, text, (size_t)n) < 0)
        _exit(2);
    signal(number, SIG_DFL);
    if (number == SIGALRM)
        _exit(1);
    raise(number);
}

static uint64_t seed; /* of many failures in one run; 0: one */

static void arm(void)
{
    if (seed)
        fault_arm_seeded(seed, 10 + (unsigned)(seed % 90));
    else if (only)
        fault_arm_call(only, nth, 1, 0);
    else
        fault_arm(nth);
}

/* One run with the nth call failing; whether one did. */
static bool once(void)
{
    bine_result result = {NULL, 0};
    timed_out = false;
    served = 0;
    alarm(HANG_SECONDS);
    arm();
    errno = 0;
    int done = bine_run(program, NULL, &result);
    int error = errno;
    bool injected = fault_injected() > 0;
    fault_disarm();
    alarm(0);
    if (done != 0 && (done != -1 || error == 0))
        support_record(__FILE__, __LINE__, "the run returned %d with errno %d", done, error);
    if (timed_out)
        support_record(__FILE__, __LINE__, "the program had to be cut short (server: %s)", strerror(served));
    return injected;
}

static unsigned failures, runs;

static void verdict(const char *what)
{
    const char *leak = fixture_leak();
    if (leak)
        support_record(__FILE__, __LINE__, "leaked: %s", leak);
    if (support_failures() > 0) {
        failures++;
        printf("FAIL: %s with call %ld failing (%s):%s\n", what, nth, fault_last(), support_recorded());
        support_forget();
    }
}

static double seconds_since(bine_ns begin)
{
    return (double)(bine_now() - begin) / (double)BINE_SECOND;
}

static bool sweep_warm(double seconds)
{
    bine_ns begin = bine_now();
    nth = 1000000000; /* none */
    for (int i = 0; i < 3; i++)
        once();
    verdict("the warm-up");
    fixture_mark();
    long blocks = fixture_blocks();
    for (nth = 1; seconds_since(begin) < seconds; nth++) {
        runs++;
        bool injected = once();
        if (fixture_blocks() > blocks) {
            support_record(__FILE__, __LINE__, "%ld heap blocks before, %ld after", blocks, fixture_blocks());
            blocks = fixture_blocks();
        }
        verdict("warm");
        if (!injected)
            return true;
    }
    return false;
}

/* Failures drawn at random, so that what cleans up after one fails too. */
static unsigned sweep_seeded(double seconds)
{
    bine_ns begin = bine_now();
    uint64_t first = support_seed();
    long blocks = fixture_blocks();
    unsigned n = 0;
    nth = 0;
    for (seed = first; seconds_since(begin) < seconds; seed++, n++) {
        runs++;
        once();
        if (fixture_blocks() > blocks) {
            support_record(__FILE__, __LINE__, "%ld heap blocks before, %ld after", blocks, fixture_blocks());
            blocks = fixture_blocks();
        }
        if (support_failures() || fixture_leak())
            printf("with SEED=%llu:\n", (unsigned long long)seed);
        verdict("seeded");
    }
    seed = 0;
    return n;
}

static bool sweep_cold(double seconds)
{
    bine_ns begin = bine_now();
    cold = true;
    fixture_mark();
    for (nth = 1; seconds_since(begin) < seconds; nth++) {
        runs++;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            failures = 0;
            bool injected = once();
            verdict("cold");
            fflush(NULL);
            _exit(failures ? 1 : injected ? 0 : 9);
        }
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
            return true;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            failures++;
            printf("FAIL: cold with call %ld failing: wait status %d\n", nth, status);
        }
    }
    return false;
}

static void hook(const bine_report *report)
{
    (void)report; /* failures that nobody looks at are what this is about */
}

int main(int argc, char **argv)
{
    double seconds = support_seconds(support_emulated() ? 6 : 20);
    only = argc > 1 ? argv[1] : NULL;
    bine_set_report(hook);
    signal(SIGALRM, die);
    if (!support_instrumented()) {
        static char stack[RESERVED << 10];
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = die;
        action.sa_flags = SA_ONSTACK;
        sigaltstack(&alternate, NULL);
        sigaction(SIGSEGV, &action, NULL);
        sigaction(SIGABRT, &action, NULL);
        sigaction(SIGBUS, &action, NULL);
    }
    bool whole_cold = sweep_cold(seconds);
    unsigned cold_runs = runs;
    cold = false;
    bool whole_warm = sweep_warm(seconds);
    printf("cold sweep: %u failures injected%s; warm sweep: %u%s\n", cold_runs - whole_cold,
           whole_cold ? ", to the end" : ", out of time", runs - cold_runs - whole_warm,
           whole_warm ? ", to the end" : ", out of time");
    if (!only)
        printf("seeded sweep: %u runs\n", sweep_seeded(seconds / 5));
    printf("%u passed, %u failed\n", runs - failures, failures);
    return failures ? 1 : 0;
}
