/* SPDX-License-Identifier: MIT
 *
 * Reading and writing over sockets and pipes: what is moved, when a task parks, when it wakes, and what
 * it is told at the end.  Sockets' own calls stand in check_io_socket.c, waiters in line and closed
 * descriptors in check_io_wait.c, files in check_io_file.c, bad arguments in check_io_misuse.c. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>

#include "support/sockets.h"
#include "support/transfers.h"

/* ---- Moving bytes -------------------------------------------------------------------------------------- */

LOOP_TEST(read_parks_until_there_is_something)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char buf[16] = "";
        pair_make(kind, fd);
        struct transfer t = {fd[0], buf, sizeof buf, -2, 0};
        bine_task *task = bine_spawn(read_it, &t);
        settle();
        expect_int(t.moved, ==, -2);
        expect_int(bine_write(fd[1], "hello", 5), ==, 5);
        join(task);
        expect_int(t.moved, ==, 5);
        expect_str(buf, "hello");
        pair_close(fd);
    }
}

LOOP_TEST(read_returns_what_is_there_and_then_the_end)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char buf[16];
        pair_make(kind, fd);
        expect_int(bine_write(fd[1], "abc", 3), ==, 3);
        expect_int(bine_read(fd[0], buf, 2), ==, 2);
        expect_int(bine_read(fd[0], buf, sizeof buf), ==, 1);
        expect_int(bine_read(fd[0], buf, 0), ==, 0);
        expect_ok(bine_close(fd[1]));
        fd[1] = -1;
        for (int i = 0; i < 3; i++)
            expect_int(bine_read(fd[0], buf, sizeof buf), ==, 0);
        pair_close(fd);
    }
}

LOOP_TEST(the_end_wakes_a_parked_reader)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char buf[16];
        pair_make(kind, fd);
        struct transfer t = {fd[0], buf, sizeof buf, -2, 0};
        bine_task *task = bine_spawn(read_it, &t);
        settle();
        close(fd[1]);
        fd[1] = -1;
        join(task);
        expect_int(t.moved, ==, 0);
        pair_close(fd);
    }
}

/* Data and end together, before and while the reader waits: a short read must not make it wait for more. */
LOOP_TEST(data_followed_by_the_end_hangs_nobody)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        for (int parked = 0; parked < 2; parked++) {
            int fd[2];
            char buf[64];
            pair_make(kind, fd);
            struct transfer t = {fd[0], buf, sizeof buf, -2, 0};
            bine_task *task = parked ? bine_spawn(read_it_full, &t) : NULL;
            settle();
            expect_int(write(fd[1], "0123456789", 10), ==, 10);
            if (kind == PAIR_PIPE) {
                close(fd[1]);
                fd[1] = -1;
            } else {
                expect_ok(shutdown(fd[1], SHUT_WR));
            }
            if (!parked)
                task = bine_spawn(read_it_full, &t);
            join(task);
            expect_int(t.moved, ==, 10);
            expect_int(t.error, ==, 0);
            expect_int(bine_read(fd[0], buf, sizeof buf), ==, 0);
            if (fd[1] >= 0) { /* only half of it is closed */
                expect_int(bine_write(fd[0], "back", 4), ==, 4);
                expect_int(bine_read(fd[1], buf, sizeof buf), ==, 4);
            }
            pair_close(fd);
        }
    }
}

LOOP_TEST(write_parks_when_the_kernel_takes_no_more)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char buf[4] = "data";
        pair_make(kind, fd);
        size_t filled = fill(fd[1]);
        struct transfer t = {fd[1], buf, sizeof buf, -2, 0};
        bine_task *task = bine_spawn(write_it_full, &t);
        settle();
        if (kind != PAIR_TCP) /* which may make room by itself */
            expect_int(t.moved, ==, -2);
        size_t got = 0;
        while (t.moved == -2) {
            got += drain(fd[0]);
            bine_yield();
        }
        join(task);
        expect_int(t.moved, ==, 4);
        bine_close(fd[1]);
        fd[1] = -1;
        char rest[4096];
        for (ssize_t n; (n = bine_read(fd[0], rest, sizeof rest)) > 0;)
            got += (size_t)n;
        expect_uint(got, ==, filled + 4);
        pair_close(fd);
    }
}

LOOP_TEST(a_large_transfer_arrives_whole)
{
    enum { SIZE = 3 << 20 };
    unsigned char *out = malloc(SIZE), *in = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        out[i] = (unsigned char)(i * 2654435761u >> 13);
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        pair_make(kind, fd);
        memset(in, 0, SIZE);
        struct transfer w = {fd[1], out, SIZE, 0, 0}, r = {fd[0], in, SIZE, 0, 0};
        bine_task *writer = bine_spawn(write_it_full, &w), *reader = bine_spawn(read_it_full, &r);
        join(writer);
        join(reader);
        expect_int(w.moved, ==, SIZE);
        expect_int(r.moved, ==, SIZE);
        expect(memcmp(in, out, SIZE) == 0);
        pair_close(fd);
    }
    free(in);
    free(out);
}

LOOP_TEST(a_deadline_in_the_middle_gives_the_short_count_and_the_reason)
{
    enum { SIZE = 8 << 20 };
    char *big = calloc(1, SIZE);
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char buf[100];
        pair_make(kind, fd);
        BINE_TIMEOUT(100 * BINE_MS) {
            errno = 0;
            ssize_t n = bine_write_full(fd[1], big, SIZE);
            expect_int(errno, ==, ETIMEDOUT);
            expect_int(n, >, 0);
            expect_int(n, <, SIZE);
            expect_fails(bine_write_full(fd[1], big, SIZE), ETIMEDOUT); /* nothing moved now */
        }
        pair_close(fd);
        pair_make(kind, fd);
        expect_int(bine_write(fd[1], "abc", 3), ==, 3);
        expect_int(bine_poll_fd(fd[0], POLLIN), ==, POLLIN);
        BINE_TIMEOUT(100 * BINE_MS) {
            errno = 0;
            expect_int(bine_read_full(fd[0], buf, sizeof buf), ==, 3);
            expect_int(errno, ==, ETIMEDOUT);
            expect(memcmp(buf, "abc", 3) == 0);
        }
        expect_int(bine_write(fd[1], "de", 2), ==, 2); /* nothing was lost */
        expect_int(bine_read(fd[0], buf, sizeof buf), ==, 2);
        pair_close(fd);
    }
    free(big);
}

LOOP_TEST(vectors_are_read_and_written)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        char a[4] = "", b[9] = "";
        pair_make(kind, fd);
        struct iovec out[] = {{(void *)(uintptr_t)"one", 3}, {NULL, 0}, {(void *)(uintptr_t)"twothree", 8}};
        struct iovec in[] = {{a, 3}, {b, 8}};
        expect_int(bine_writev(fd[1], out, 3), ==, 11);
        expect_int(bine_readv(fd[0], in, 2), ==, 11);
        expect_str(a, "one");
        expect_str(b, "twothree");
        pair_close(fd);
    }
}

/* ---- What is left alone -------------------------------------------------------------------------------- */

LOOP_TEST(a_broken_pipe_is_an_error_and_no_signal)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        pair_make(kind, fd);
        close(fd[0]);
        fd[0] = -1;
        ssize_t n = 0;
        for (int i = 0; i < 60000 && n >= 0; i++) { /* TCP learns of it from the answer to what it sends */
            n = bine_write(fd[1], "x", 1);
            if (n >= 0)
                expect_ok(bine_sleep(i < 100 ? 0 : BINE_MS));
        }
        expect_int(n, ==, -1);
        expect(errno == EPIPE || errno == ECONNRESET);
        expect_fails(bine_write(fd[1], "x", 1), EPIPE);
        if (kind != PAIR_PIPE) {
            expect_fails(bine_send(fd[1], "x", 1, 0), EPIPE);
            struct iovec iov = {(void *)(uintptr_t)"x", 1};
            struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
            expect_fails(bine_sendmsg(fd[1], &message, 0), EPIPE);
            expect_fails(bine_writev(fd[1], &iov, 1), EPIPE);
        }
        pair_close(fd);
    }
}

LOOP_TEST(flags_that_others_share_stay_as_they_were)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        for (int nonblock = 0; nonblock < 2; nonblock++) {
            int fd[2];
            char buf[16];
            pair_make(kind, fd);
            for (int i = 0; i < 2 && nonblock; i++) /* set by the user: calls park all the same */
                expect_ok(fcntl(fd[i], F_SETFL, fcntl(fd[i], F_GETFL) | O_NONBLOCK));
            int before[2] = {fcntl(fd[0], F_GETFL), fcntl(fd[1], F_GETFL)};
            struct transfer t = {fd[0], buf, sizeof buf, -2, 0};
            bine_task *task = bine_spawn(read_it, &t);
            settle();
            expect_int(t.moved, ==, -2);
            expect_int(fcntl(fd[0], F_GETFL), ==, before[0]); /* also while it waits */
            expect_int(bine_write(fd[1], "flags", 5), ==, 5);
            join(task);
            fill(fd[1]);
            struct transfer w = {fd[1], buf, sizeof buf, -2, 0};
            task = bine_spawn(write_it_full, &w);
            settle();
            expect_int(fcntl(fd[1], F_GETFL), ==, before[1]);
            while (w.moved == -2) {
                drain(fd[0]);
                bine_yield();
            }
            join(task);
            expect_int(fcntl(fd[0], F_GETFL), ==, before[0]);
            expect_int(fcntl(fd[1], F_GETFL), ==, before[1]);
            pair_close(fd);
        }
    }
}

static bool reading;
static unsigned turns;

static void *count_turns(void *arg)
{
    while (reading) {
        turns++;
        bine_yield();
    }
    return arg;
}

LOOP_TEST(a_call_that_always_succeeds_still_lets_others_run)
{
    char buf[64];
    int zero = bine_open("/dev/zero", O_RDONLY), null = bine_open("/dev/null", O_WRONLY), fd[2];
    expect_int(zero, >=, 0);
    expect_int(null, >=, 0);
    pair_make(PAIR_UNIX, fd);
    reading = true;
    bine_task *task = bine_spawn(count_turns, NULL);
    for (int i = 0; i < 20000; i++) {
        expect_int(bine_write(fd[1], "x", 1), ==, 1);
        expect_int(bine_read(fd[0], buf, sizeof buf), ==, 1);
    }
    expect_uint(turns, >, 10);
    turns = 0;
    for (int i = 0; i < 5000; i++) {
        expect_int(bine_read(zero, buf, sizeof buf), ==, sizeof buf);
        expect_int(bine_write(null, buf, sizeof buf), ==, sizeof buf);
    }
    expect_uint(turns, >, 10);
    reading = false;
    join(task);
    bine_close(zero);
    bine_close(null);
    pair_close(fd);
}

static void on_signal(int signal)
{
    (void)signal;
}

static void *raise_some(void *arg)
{
    for (int i = 0; i < 20; i++) {
        kill(getpid(), SIGUSR1);
        bine_sleep(BINE_MS / 4);
    }
    int fd = *(int *)arg;
    bine_write(fd, "done", 4);
    return NULL;
}

LOOP_TEST(signals_never_show_as_eintr)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* without SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    int fd[2];
    char buf[16];
    pair_make(PAIR_PIPE, fd);
    bine_task *task = bine_spawn(raise_some, &fd[1]);
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 4);
    join(task);
    pair_close(fd);
}

SUPPORT_MAIN("io", read_parks_until_there_is_something, read_returns_what_is_there_and_then_the_end,
             the_end_wakes_a_parked_reader, data_followed_by_the_end_hangs_nobody,
             write_parks_when_the_kernel_takes_no_more, a_large_transfer_arrives_whole,
             a_deadline_in_the_middle_gives_the_short_count_and_the_reason, vectors_are_read_and_written,
             a_broken_pipe_is_an_error_and_no_signal, flags_that_others_share_stay_as_they_were,
             a_call_that_always_succeeds_still_lets_others_run, signals_never_show_as_eintr)
