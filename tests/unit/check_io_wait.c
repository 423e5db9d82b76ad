/* SPDX-License-Identifier: MIT
 *
 * Waiting: many tasks on one descriptor, descriptors closed or reused under them, poll and select. */
#define _GNU_SOURCE
#include "support/support.h"
#include "support/tasks.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "support/sockets.h"

enum { MANY = 20 };

/* A task that makes one call on a descriptor and notes when it came back. */
struct waiter {
    int fd, id;
    enum { READ, WRITE, LOOK_IN, LOOK_OUT } what;
    ssize_t result;
    int error;
    char byte;
};

static int order[4 * MANY], finished;

static void *wait_it(void *arg)
{
    static const char big[1 << 16];
    struct waiter *w = arg;
    errno = 0;
    switch (w->what) {
    case READ:
        w->result = bine_read(w->fd, &w->byte, 1);
        break;
    case WRITE:
        w->result = bine_write(w->fd, big, sizeof big);
        break;
    case LOOK_IN:
        w->result = bine_poll_fd(w->fd, POLLIN);
        break;
    case LOOK_OUT:
        w->result = bine_poll_fd(w->fd, POLLOUT);
        break;
    }
    w->error = errno;
    order[finished++] = w->id;
    return NULL;
}

static void start(struct waiter *w, bine_task **task, int n, int fd)
{
    for (int i = 0; i < n; i++) {
        w[i] = (struct waiter){.fd = fd, .id = i, .what = w[i].what, .result = -2};
        task[i] = bine_spawn(wait_it, &w[i]);
    }
    settle();
    expect_int(finished, ==, 0);
}

LOOP_TEST(readers_are_served_in_the_order_in_which_they_came)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct waiter w[MANY] = {{.what = READ}}; /* READ is 0: all of them */
        bine_task *task[MANY];
        int fd[2];
        pair_make(kind, fd);
        finished = 0;
        start(w, task, MANY, fd[0]);
        for (int i = 0; i < MANY; i += 2) {
            char two[2] = {(char)('a' + i), (char)('a' + i + 1)};
            expect_int(bine_write(fd[1], two, 2), ==, 2);
            if (i % 4)
                settle();
        }
        for (int i = 0; i < MANY; i++) {
            join(task[i]);
            expect_int(w[i].result, ==, 1);
            expect_int(w[i].byte, ==, 'a' + i);
            expect_int(order[i], ==, i);
        }
        pair_close(fd);
    }
}

LOOP_TEST(a_cancelled_reader_loses_its_place_and_nobody_elses)
{
    struct waiter w[3] = {{.what = READ}, {.what = READ}, {.what = READ}};
    bine_task *task[3];
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    finished = 0;
    start(w, task, 3, fd[0]);
    bine_cancel(task[0]);
    expect_int(bine_write(fd[1], "x", 1), ==, 1);
    join(task[0]);
    join(task[1]);
    expect_int(w[0].error, ==, ECANCELED);
    expect_int(w[1].byte, ==, 'x');
    expect_int(w[2].result, ==, -2);
    expect_int(bine_write(fd[1], "y", 1), ==, 1);
    join(task[2]);
    expect_int(w[2].byte, ==, 'y');
    pair_close(fd);
}

/* The one that the event was for is cancelled in the same turn: the byte must not be lost with it. */
LOOP_TEST(an_event_for_a_cancelled_reader_reaches_the_next)
{
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        struct waiter w[2] = {{.what = READ}, {.what = READ}};
        bine_task *task[2];
        int fd[2];
        pair_make(PAIR_UNIX, fd);
        finished = 0;
        start(w, task, 2, fd[0]);
        if (cancel_first)
            bine_cancel(task[0]);
        expect_int(write(fd[1], "z", 1), ==, 1);
        if (!cancel_first)
            bine_cancel(task[0]);
        join(task[0]);
        if (w[0].result == 1)
            expect_int(bine_write(fd[1], "z", 1), ==, 1);
        join(task[1]);
        expect_int(w[1].byte, ==, 'z');
        pair_close(fd);
    }
}

LOOP_TEST(readers_and_writers_of_one_socket_do_not_disturb_each_other)
{
    struct waiter w[2] = {{.what = READ}, {.what = WRITE}};
    bine_task *task[2];
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    fill(fd[0]);
    finished = 0;
    start(w, task, 2, fd[0]);
    expect_int(bine_write(fd[1], "r", 1), ==, 1);
    join(task[0]);
    expect_int(w[1].result, ==, -2);
    while (w[1].result == -2) {
        drain(fd[1]);
        bine_yield();
    }
    join(task[1]);
    expect_int(w[1].result, >, 0);
    pair_close(fd);
}

LOOP_TEST(close_wakes_everybody_with_ebadf_in_order)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        for (int side = 0; side < (kind == PAIR_TCP ? 1 : 2); side++) { /* TCP may make room by itself */
            struct waiter w[MANY];
            bine_task *task[MANY];
            int fd[2];
            pair_make(kind, fd);
            if (side == 1)
                fill(fd[1]);
            for (int i = 0; i < MANY; i++)
                w[i].what = side == 0 ? READ : WRITE;
            finished = 0;
            start(w, task, MANY, fd[side]);
            expect_ok(bine_close(fd[side]));
            fd[side] = -1;
            for (int i = 0; i < MANY; i++) {
                join(task[i]);
                expect_int(w[i].result, ==, -1);
                expect_int(w[i].error, ==, EBADF);
                expect_int(order[i], ==, i);
            }
            pair_close(fd);
        }
    }
}

LOOP_TEST(close_wakes_those_who_poll_too)
{
    struct waiter w[4] = {{.what = LOOK_IN}, {.what = READ}, {.what = LOOK_IN}, {.what = READ}};
    bine_task *task[4];
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    finished = 0;
    start(w, task, 4, fd[0]);
    expect_ok(bine_close(fd[0]));
    fd[0] = -1;
    for (int i = 0; i < 4; i++) {
        join(task[i]);
        expect_int(w[i].result, ==, -1);
        expect_int(w[i].error, ==, EBADF);
    }
    pair_close(fd);
}

LOOP_TEST(a_number_given_out_again_is_another_descriptor)
{
    for (int round = 0; round < 3; round++) {
        struct waiter old = {.what = READ}, fresh = {.what = READ};
        bine_task *task[2];
        int fd[2], other[2];
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
        finished = 0;
        start(&old, &task[0], 1, fd[0]);
        expect_ok(bine_close(fd[0]));
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, other)); /* its first has the number again */
        expect_int(other[0], ==, fd[0]);
        fresh.fd = other[0];
        fresh.result = -2;
        task[1] = bine_spawn(wait_it, &fresh);
        settle();
        expect_int(old.error, ==, EBADF);
        expect_int(fresh.result, ==, -2);
        expect_int(bine_write(other[1], "n", 1), ==, 1);
        join(task[0]);
        join(task[1]);
        expect_int(fresh.byte, ==, 'n');
        pair_close(other);
        expect_ok(bine_close(fd[1]));
    }
}

/* Foreign code closes with close(2), and the number comes back as another file: the sweep finds out. */
LOOP_TEST(a_number_reused_behind_our_back_is_found_by_the_sweep)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct waiter w = {.what = READ}, fresh = {.what = READ};
        bine_task *task, *second;
        int fd[2], other[2];
        pair_make(kind, fd);
        pair_make(PAIR_UNIX, other);
        finished = 0;
        start(&w, &task, 1, fd[0]);
        expect_int(dup2(other[0], fd[0]), ==, fd[0]); /* closes the old one, silently */
        fresh.fd = fd[0];
        fresh.result = -2;
        second = bine_spawn(wait_it, &fresh);
        settle();
        expect_int(bine_write(other[1], "ab", 2), ==, 2);
        join(second);
        expect_int(fresh.result, ==, 1);
        join(task);
        expect(w.result == 1 || (w.result == -1 && w.error == EBADF));
        pair_close(fd);
        pair_close(other);
    }
}

LOOP_TEST(a_waiter_on_a_number_closed_behind_our_back_is_told)
{
    struct waiter w = {.what = READ};
    bine_task *task;
    int fd[2];
    pair_make(PAIR_TCP, fd);
    finished = 0;
    start(&w, &task, 1, fd[0]);
    close(fd[0]);
    join(task); /* nothing else happens: only the sweep can tell */
    expect_int(w.result, ==, -1);
    expect_int(w.error, ==, EBADF);
    bine_close(fd[1]);
}

LOOP_TEST(shutdown_wakes_the_readers_with_the_end)
{
    struct waiter w[3] = {{.what = READ}, {.what = READ}, {.what = READ}};
    bine_task *task[3];
    int fd[2];
    pair_make(PAIR_TCP, fd);
    finished = 0;
    start(w, task, 3, fd[0]);
    expect_ok(bine_shutdown(fd[0], SHUT_RD));
    for (int i = 0; i < 3; i++) {
        join(task[i]);
        expect_int(w[i].result, ==, 0);
    }
    pair_close(fd);
}

/* ---- poll and select ----------------------------------------------------------------------------------- */

LOOP_TEST(poll_fd_is_level_triggered)
{
    int fd[2];
    char buf[8];
    pair_make(PAIR_UNIX, fd);
    expect_int(bine_poll_fd(fd[0], POLLOUT), ==, POLLOUT);
    expect_int(bine_write(fd[1], "12", 2), ==, 2);
    for (int i = 0; i < 3; i++)
        expect_int(bine_poll_fd(fd[0], POLLIN), ==, POLLIN);
    expect_int(read(fd[0], buf, 1), ==, 1); /* another library reads behind our back */
    expect_int(bine_poll_fd(fd[0], POLLIN), ==, POLLIN);
    expect_int(read(fd[0], buf, 1), ==, 1);
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_poll_fd(fd[0], POLLIN), ETIMEDOUT);
    bine_close(fd[1]);
    fd[1] = -1;
    expect_int(bine_poll_fd(fd[0], POLLIN) & (POLLIN | POLLHUP), ==, POLLIN | POLLHUP);
    pair_close(fd);
}

LOOP_TEST(an_event_wakes_all_who_poll_and_one_who_reads)
{
    struct waiter w[4] = {{.what = LOOK_IN}, {.what = LOOK_IN}, {.what = READ}, {.what = LOOK_IN}};
    bine_task *task[4];
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    finished = 0;
    start(w, task, 4, fd[0]);
    expect_int(bine_write(fd[1], "12", 2), ==, 2);
    for (int i = 0; i < 4; i++)
        join(task[i]);
    expect_int(w[0].result, ==, POLLIN);
    expect_int(w[1].result, ==, POLLIN);
    expect_int(w[2].result, ==, 1);
    expect_int(w[3].result, ==, POLLIN);
    pair_close(fd);
}

static void *write_later(void *arg)
{
    bine_sleep(BINE_MS);
    expect_int(bine_write(*(int *)arg, "x", 1), ==, 1);
    return NULL;
}

LOOP_TEST(poll_behaves_as_poll_does)
{
    int a[2], b[2];
    pair_make(PAIR_UNIX, a);
    pair_make(PAIR_PIPE, b);
    struct pollfd fds[] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}, {-1, POLLIN, 99}, {a[0], POLLOUT, 0}};
    expect_int(bine_poll(fds, 2, 0), ==, 0);
    bine_ns begin = bine_now();
    expect_int(bine_poll(fds, 2, 3), ==, 0);
    expect_int(bine_now() - begin, >=, 3 * BINE_MS);
    expect_int(bine_poll(NULL, 0, 1), ==, 0); /* a portable sleep */
    expect_int(bine_poll(fds, 4, -1), ==, 1);
    expect_int(fds[2].revents, ==, 0);
    expect_int(fds[3].revents, ==, POLLOUT);
    bine_task *task = bine_spawn(write_later, &b[1]);
    expect_int(bine_poll(fds, 2, -1), ==, 1);
    expect_int(fds[0].revents, ==, 0);
    expect_int(fds[1].revents, ==, POLLIN);
    join(task);
    expect_int(bine_write(a[1], "x", 1), ==, 1);
    expect_int(bine_poll(fds, 2, -1), ==, 2);
    BINE_TIMEOUT(BINE_MS) {
        struct pollfd one = {a[1], POLLIN, 0};
        expect_fails(bine_poll(&one, 1, -1), ETIMEDOUT); /* a scope's, not poll's own */
    }
    int closed = dup(a[0]);
    close(closed);
    fds[0].fd = closed;
    fds[1].events = 0;
    expect_int(bine_poll(fds, 2, 1000), ==, 1);
    expect_int(fds[0].revents, ==, POLLNVAL);
    fds[0].fd = b[0];
    fds[0].events = 0;
    bine_close(b[1]);
    b[1] = -1;
    expect_int(bine_poll(fds, 1, -1), ==, 1); /* hang-ups are told unasked */
    expect(fds[0].revents & POLLHUP);
    pair_close(a);
    pair_close(b);
}

static void *close_later(void *arg)
{
    settle();
    expect_ok(bine_close(*(int *)arg));
    return NULL;
}

LOOP_TEST(poll_of_several_ends_when_one_of_them_is_closed)
{
    int a[2], b[2];
    pair_make(PAIR_UNIX, a);
    pair_make(PAIR_UNIX, b);
    struct pollfd fds[] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}};
    bine_task *task = bine_spawn(close_later, &b[0]);
    errno = 0;
    int n = bine_poll(fds, 2, -1);
    expect((n == -1 && errno == EBADF) || (n == 1 && fds[1].revents == POLLNVAL));
    join(task);
    b[0] = -1;
    pair_close(a);
    pair_close(b);
}

LOOP_TEST(select_behaves_as_select_does)
{
    int fd[2];
    fd_set in, out;
    pair_make(PAIR_UNIX, fd);
    int n = (fd[0] > fd[1] ? fd[0] : fd[1]) + 1;
    FD_ZERO(&in);
    FD_SET(fd[0], &in);
    struct timeval none = {0, 0}, wrong = {0, 1000001}, negative = {-1, 0};
    expect_int(bine_select(n, &in, NULL, NULL, &none), ==, 0);
    expect(!FD_ISSET(fd[0], &in));
    FD_SET(fd[0], &in);
    FD_ZERO(&out);
    FD_SET(fd[1], &out);
    expect_int(bine_select(n, &in, &out, NULL, NULL), ==, 1);
    expect(!FD_ISSET(fd[0], &in));
    expect(FD_ISSET(fd[1], &out));
    bine_task *task = bine_spawn(write_later, &fd[1]);
    FD_SET(fd[0], &in);
    expect_int(bine_select(n, &in, NULL, NULL, NULL), ==, 1);
    expect(FD_ISSET(fd[0], &in));
    join(task);
    struct timeval some = {0, 3000};
    bine_ns begin = bine_now();
    expect_int(bine_select(0, NULL, NULL, NULL, &some), ==, 0);
    expect_int(bine_now() - begin, >=, 3 * BINE_MS);
    expect_fails(bine_select(n, &in, NULL, NULL, &negative), EINVAL);
    expect_fails(bine_select(n, &in, NULL, NULL, &wrong), EINVAL);
    expect_fails(bine_select(-1, &in, NULL, NULL, &none), EINVAL);
    expect_fails(bine_select(FD_SETSIZE + 1, &in, NULL, NULL, &none), EINVAL);
    int closed = dup(fd[0]);
    close(closed);
    FD_ZERO(&in);
    FD_SET(closed, &in);
    expect_fails(bine_select(closed + 1, &in, NULL, NULL, NULL), EBADF);
    pair_close(fd);
}

/* ---- Running out --------------------------------------------------------------------------------------- */

LOOP_TEST(running_out_of_descriptors_is_an_error_and_the_loop_goes_on)
{
    struct sockaddr_in address;
    int listener = listener_make(&address, 4), fd[2];
    int client = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_ok(bine_connect(client, (struct sockaddr *)&address, sizeof address));
    struct rlimit before, tight;
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    int lowest = dup(0);
    close(lowest);
    tight.rlim_cur = (rlim_t)lowest;
    expect_ok(setrlimit(RLIMIT_NOFILE, &tight));
    expect_fails(bine_accept(listener, NULL, NULL), EMFILE);
    expect_fails(bine_socket(AF_INET, SOCK_STREAM, 0), EMFILE);
    expect_fails(bine_pipe(fd), EMFILE);
    expect_fails(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd), EMFILE);
    expect_fails(bine_dup(client), EMFILE);
    expect_fails(bine_open("/dev/null", O_RDONLY), EMFILE);
    expect_ok(bine_sleep(BINE_MS));
    expect_ok(setrlimit(RLIMIT_NOFILE, &before));
    int server = bine_accept(listener, NULL, NULL); /* the connection has waited */
    expect_int(server, >=, 0);
    bine_close(server);
    bine_close(client);
    bine_close(listener);
}

static void *set_true(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

/* A call that fails at once is charged to the budget, too: who ignores its error does not stop the others. */
LOOP_TEST(calls_that_keep_failing_starve_nobody)
{
    enum { CALLS = 4, BOUND = 100000 };
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
    int fd[2], socket = bine_socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    expect_ok(bine_pipe(fd));
    for (int call = 0; call < CALLS; call++) {
        bool ran = false;
        bine_task *task = bine_spawn(set_true, &ran);
        for (int i = 0; i < BOUND && !ran; i++) {
            ssize_t result = call == 0   ? bine_read(-1, &byte, 1)
                             : call == 1 ? bine_accept(fd[0], NULL, NULL)
                             : call == 2 ? bine_connect(socket, (struct sockaddr *)&nowhere, sizeof nowhere)
                                         : bine_poll_fd(-1, POLLIN);
            expect_int(result, ==, -1);
        }
        expect(ran);
        expect_ok(bine_join(task, NULL));
    }
    bine_close(socket);
    bine_close(fd[0]);
    bine_close(fd[1]);
}

/* poll(2) then refuses to look at so many at once. */
static void *read_byte(void *arg)
{
    char byte;
    expect_int(bine_read(*(int *)arg, &byte, 1), ==, 1);
    return NULL;
}

LOOP_TEST(a_limit_lowered_below_the_open_descriptors_keeps_nobody_waiting)
{
    enum { ROUNDS = 3, PAIRS = 14 * ROUNDS };
    static const rlim_t allowed[ROUNDS] = {PAIRS, 8, 0}; /* with none even poll(2) of a single one is refused */
    int fd[PAIRS][2];
    bine_task *tasks[PAIRS];
    struct rlimit before, low;

    for (int i = 0; i < PAIRS; i++) {
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd[i])); /* read and written without poll(2) */
        tasks[i] = bine_spawn(read_byte, &fd[i][0]);
    }
    expect_ok(bine_yield());
    expect_ok(getrlimit(RLIMIT_NOFILE, &before));
    low = before;
    for (int round = 0; round < ROUNDS; round++) {
        low.rlim_cur = allowed[round];
        expect_ok(setrlimit(RLIMIT_NOFILE, &low));
        for (int i = round * PAIRS / ROUNDS; i < (round + 1) * PAIRS / ROUNDS; i++) {
            expect_ok(bine_sleep(100 * BINE_US)); /* nothing is there: it waits */
            expect_int(bine_write(fd[i][1], "x", 1), ==, 1);
            expect_ok(bine_join(tasks[i], NULL));
        }
    }
    expect_ok(setrlimit(RLIMIT_NOFILE, &before));
    for (int i = 0; i < PAIRS; i++)
        for (int end = 0; end < 2; end++)
            expect_ok(bine_close(fd[i][end]));
}

SUPPORT_MAIN("io_wait", readers_are_served_in_the_order_in_which_they_came,
             a_cancelled_reader_loses_its_place_and_nobody_elses,
             an_event_for_a_cancelled_reader_reaches_the_next,
             readers_and_writers_of_one_socket_do_not_disturb_each_other,
             close_wakes_everybody_with_ebadf_in_order, close_wakes_those_who_poll_too,
             a_number_given_out_again_is_another_descriptor,
             a_number_reused_behind_our_back_is_found_by_the_sweep,
             a_waiter_on_a_number_closed_behind_our_back_is_told, shutdown_wakes_the_readers_with_the_end,
             poll_fd_is_level_triggered, an_event_wakes_all_who_poll_and_one_who_reads,
             poll_behaves_as_poll_does, poll_of_several_ends_when_one_of_them_is_closed,
             select_behaves_as_select_does, running_out_of_descriptors_is_an_error_and_the_loop_goes_on,
             calls_that_keep_failing_starve_nobody,
             a_limit_lowered_below_the_open_descriptors_keeps_nobody_waiting)
