/* SPDX-License-Identifier: MIT
 *
 * Buffered streams: writing, two tasks at one stream, poison, misuse and shortage. */
#include "support/support.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/fault.h"

/* ---- Writing ----------------------------------------------------------------------------------------- */

LOOP_TEST(write_is_buffered_until_it_is_flushed)
{
    struct ends ends = ends_open();
    char buf[16] = "";

    expect_ok(bine_stream_write(ends.stream, "one ", 4));
    expect_ok(bine_stream_write(ends.stream, "", 0));
    expect_ok(bine_stream_write(ends.stream, NULL, 0));
    expect_ok(bine_stream_printf(ends.stream, "%d", 2));
    expect_int(bine_stream_unflushed(ends.stream), ==, 5);
    expect_fails(recv(ends.peer, buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    expect_ok(bine_stream_flush(ends.stream));
    expect_int(bine_stream_unflushed(ends.stream), ==, 0);
    expect_int(bine_read(ends.peer, buf, sizeof buf), ==, 5);
    expect_str(buf, "one 2");
    expect_ok(bine_stream_flush(ends.stream));
    ends_close(&ends);
}

LOOP_TEST(write_past_the_limit_buffers_nothing)
{
    struct ends ends = ends_open();
    char buf[32] = "";

    expect_ok(bine_stream_set_limits(ends.stream, 0, 10));
    expect_ok(bine_stream_write(ends.stream, "1234567", 7));
    expect_fails(bine_stream_write(ends.stream, "abcd", 4), ENOBUFS);
    expect_fails(bine_stream_write(ends.stream, "abcd", SIZE_MAX), ENOBUFS);
    expect_fails(bine_stream_printf(ends.stream, "%s", "abcd"), ENOBUFS);
    expect_int(bine_stream_unflushed(ends.stream), ==, 7);
    expect_ok(bine_stream_write(ends.stream, "89", 2));
    expect_ok(bine_stream_printf(ends.stream, "%c", '0')); /* fills it to the byte */
    expect_fails(bine_stream_write(ends.stream, "x", 1), ENOBUFS);
    expect_ok(bine_stream_set_limits(ends.stream, 0, 4)); /* below what is there */
    expect_fails(bine_stream_write(ends.stream, "x", 1), ENOBUFS);
    expect_ok(bine_stream_flush(ends.stream));
    expect_int(bine_read(ends.peer, buf, sizeof buf), ==, 10);
    expect_str(buf, "1234567890");
    ends_close(&ends);
}

LOOP_TEST(printf_grows_the_buffer_and_keeps_what_is_there)
{
    struct ends ends = ends_open();
    char *got = malloc(LIMIT + 1);
    size_t length = 0;

    for (int i = 0; i < 2000; i++) {
        expect_ok(bine_stream_printf(ends.stream, "%d-%s;", i, "text"));
        length += (size_t)snprintf(got + length, LIMIT - length, "%d-%s;", i, "text");
    }
    expect_ok(bine_stream_printf(ends.stream, "%s", ""));
    expect_int(bine_stream_unflushed(ends.stream), ==, length);
    expect_ok(bine_stream_flush(ends.stream));
    char *received = malloc(length);
    expect_int(bine_read_full(ends.peer, received, length), ==, length);
    expect_int(memcmp(received, got, length), ==, 0);
    free(received);
    free(got);
    ends_close(&ends);
}

LOOP_TEST(printf_that_fails_buffers_nothing)
{
    struct ends ends = ends_open();
    const wchar_t unwritable[] = {0x10FFFE, 0};

    expect_fails(bine_stream_printf(ends.stream, "%ls", unwritable), EILSEQ);
    expect_int(bine_stream_unflushed(ends.stream), ==, 0);
    expect_fails(bine_stream_printf(ends.stream, "%*s", LIMIT + 1, ""), ENOBUFS);
    expect_int(bine_stream_unflushed(ends.stream), ==, 0);
    expect_ok(bine_stream_printf(ends.stream, "%*s", LIMIT, ""));
    expect_int(bine_stream_unflushed(ends.stream), ==, LIMIT);
    ends_close(&ends);
}

VIRTUAL_TEST(flush_cut_short_goes_on_where_it_stopped)
{
    enum { SIZE = 2 * KIB * KIB };
    struct ends ends = ends_open();
    unsigned char *bytes = pattern_new(SIZE), *got = malloc(SIZE);
    size_t have = 0, left;

    expect_ok(bine_stream_set_limits(ends.stream, 0, SIZE));
    expect_ok(bine_stream_write(ends.stream, bytes, SIZE));
    BINE_TIMEOUT(BINE_SECOND)
        expect_fails(bine_stream_flush(ends.stream), ETIMEDOUT);
    left = bine_stream_unflushed(ends.stream);
    expect_uint(left, >, 0);
    expect_uint(left, <, SIZE);
    expect_int(bine_read_full(ends.peer, got, SIZE - left), ==, SIZE - left);
    have = SIZE - left;

    while (left > 0) {
        BINE_TIMEOUT(BINE_SECOND)
            (void)bine_stream_flush(ends.stream);
        size_t sent = left - bine_stream_unflushed(ends.stream);
        expect_uint(sent, >, 0);
        if (sent == 0)
            break;
        expect_int(bine_read_full(ends.peer, got + have, sent), ==, sent);
        have += sent;
        left -= sent;
    }
    expect_uint(have, ==, SIZE);
    expect(is_pattern(got, 0, have));
    free(bytes);
    free(got);
    ends_close(&ends);
}

LOOP_TEST(shutdown_flushes_and_leaves_the_other_direction_open)
{
    struct ends ends = ends_open();
    char buf[16] = "";

    expect_ok(bine_stream_write(ends.stream, "bye", 3));
    expect_ok(bine_stream_shutdown_write(ends.stream));
    expect_int(bine_read_full(ends.peer, buf, sizeof buf), ==, 3);
    expect_fails(bine_stream_write(ends.stream, "more", 4), EPIPE);
    expect_fails(bine_stream_printf(ends.stream, "more"), EPIPE);
    expect_ok(bine_stream_flush(ends.stream));
    expect_ok(bine_stream_shutdown_write(ends.stream));
    say(ends.peer, "answer\n");
    expect_int(bine_stream_read_line(ends.stream, buf, sizeof buf), ==, 7);
    ends_close(&ends);
}

LOOP_TEST(flush_to_nobody_fails_and_keeps_what_was_written)
{
    struct ends ends = ends_open();

    hang_up(&ends);
    expect_ok(bine_stream_write(ends.stream, "text", 4));
    expect_fails(bine_stream_flush(ends.stream), EPIPE);
    expect_fails(bine_stream_shutdown_write(ends.stream), EPIPE);
    expect_int(bine_stream_unflushed(ends.stream), ==, 4);
    ends_close(&ends);
}

/* ---- Two tasks --------------------------------------------------------------------------------------- */

struct user {
    bine_stream *stream;
    ssize_t result;
    int error;
};

static void *read_a_line(void *arg)
{
    struct user *user = arg;
    char line[16];
    user->result = bine_stream_read_line(user->stream, line, sizeof line);
    user->error = errno;
    return NULL;
}

static void *flush_all(void *arg)
{
    struct user *user = arg;
    user->result = bine_stream_flush(user->stream);
    user->error = errno;
    return NULL;
}

LOOP_TEST(second_reader_is_refused_and_a_writer_is_not)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    bine_task *reader = bine_spawn(read_a_line, &user);
    char buf[8];

    expect_ok(bine_yield());
    expect_fails(bine_stream_read(ends.stream, buf, 1), EBUSY);
    expect_fails(bine_stream_read_line(ends.stream, buf, sizeof buf), EBUSY);
    expect_fails(bine_stream_read_exactly(ends.stream, buf, 1), EBUSY);
    expect_ok(bine_stream_write(ends.stream, "x", 1));
    expect_ok(bine_stream_flush(ends.stream));
    say(ends.peer, "line\n");
    expect_ok(bine_join(reader, NULL));
    expect_int(user.result, ==, 5);
    say(ends.peer, "y");
    expect_int(bine_stream_read(ends.stream, buf, 1), ==, 1);
    ends_close(&ends);
}

/* More than a socket takes at once: a task that flushes it waits. */
enum { BULK = KIB * KIB };

static void write_bulk(bine_stream *stream)
{
    unsigned char *bytes = pattern_new(BULK);
    expect_ok(bine_stream_set_limits(stream, 0, BULK + 64 * KIB));
    expect_ok(bine_stream_write(stream, bytes, BULK));
    free(bytes);
}

/* That, and then the text. */
static void expect_bulk(int fd, const char *text)
{
    char *bytes = calloc(1, BULK + 1);
    expect_int(bine_read_full(fd, bytes, BULK), ==, BULK);
    expect(is_pattern(bytes, 0, BULK));
    expect_int(bine_read_full(fd, bytes, strlen(text)), ==, strlen(text));
    expect_int(memcmp(bytes, text, strlen(text)), ==, 0);
    free(bytes);
}

LOOP_TEST(flush_takes_along_what_is_written_meanwhile)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    char text[3 * KIB] = "", buf[8];

    write_bulk(ends.stream);
    bine_task *writer = bine_spawn(flush_all, &user);
    expect_ok(bine_yield());
    expect_fails(bine_stream_flush(ends.stream), EBUSY);
    expect_fails(bine_stream_shutdown_write(ends.stream), EBUSY);
    for (int i = 0; strlen(text) < sizeof text - 16; i++) { /* past what is allocated at first */
        char *end = text + strlen(text);
        const int length = snprintf(end, 16, "%d, ", i);
        expect_ok(i % 2 ? bine_stream_printf(ends.stream, "%s", end)
                        : bine_stream_write(ends.stream, end, (size_t)length));
    }
    say(ends.peer, "y");
    expect_int(bine_stream_read(ends.stream, buf, 1), ==, 1); /* a reader is not held up */
    expect_bulk(ends.peer, text);
    expect_ok(bine_join(writer, NULL));
    expect_int(user.result, ==, 0);
    expect_int(bine_stream_unflushed(ends.stream), ==, 0);
    ends_close(&ends);
}

LOOP_TEST(flush_cut_short_keeps_the_order_of_what_was_written_meanwhile)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    size_t left;

    write_bulk(ends.stream);
    bine_task *writer = bine_spawn(flush_all, &user);
    expect_ok(bine_yield());
    expect_ok(bine_stream_write(ends.stream, "be", 2));
    expect_ok(bine_stop(writer, NULL));
    expect_int(user.error, ==, ECANCELED);
    left = bine_stream_unflushed(ends.stream);
    expect_ok(bine_stream_write(ends.stream, "hi", 2)); /* behind what there is */
    expect_ok(bine_stream_printf(ends.stream, "%s", "nd"));
    expect_uint(bine_stream_unflushed(ends.stream), ==, left + 4);
    expect_ok(bine_stream_set_limits(ends.stream, 0, left + 4));
    expect_fails(bine_stream_write(ends.stream, "x", 1), ENOBUFS);
    writer = bine_spawn(flush_all, &user);
    expect_bulk(ends.peer, "behind");
    expect_ok(bine_join(writer, NULL));
    expect_int(user.result, ==, 0);
    ends_close(&ends);
}

static void *shut_down(void *arg)
{
    struct user *user = arg;
    user->result = bine_stream_shutdown_write(user->stream);
    return NULL;
}

LOOP_TEST(nothing_is_written_to_a_stream_that_is_being_shut)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};

    write_bulk(ends.stream);
    bine_task *writer = bine_spawn(shut_down, &user);
    expect_ok(bine_yield());
    expect_fails(bine_stream_write(ends.stream, "x", 1), EBUSY);
    expect_fails(bine_stream_printf(ends.stream, "x"), EBUSY);
    expect_ok(bine_stop(writer, NULL));
    expect_ok(bine_stream_write(ends.stream, "x", 1)); /* it was not, after all */
    writer = bine_spawn(shut_down, &user);
    expect_bulk(ends.peer, "x");
    expect_ok(bine_join(writer, NULL));
    expect_int(user.result, ==, 0);
    expect_fails(bine_stream_write(ends.stream, "x", 1), EPIPE);
    ends_close(&ends);
}

LOOP_TEST(close_wakes_the_reader_and_frees_when_it_has_left)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    bine_task *reader = bine_spawn(read_a_line, &user);

    say(ends.peer, "half");
    expect_ok(bine_yield());
    expect_ok(bine_yield());
    expect_fails(bine_stream_close(ends.stream), EBUSY);
    expect_fails(bine_stream_fd(ends.stream), EBADF);
    expect_fails(bine_stream_write(ends.stream, "x", 1), EBADF);
    expect_fails(bine_stream_close(ends.stream), EBUSY);
    expect_ok(bine_join(reader, NULL));
    expect_int(user.result, ==, -1);
    expect_int(user.error, ==, EBADF);
    ends_close(&ends);
}

LOOP_TEST(close_wakes_the_writer_and_frees_when_it_has_left)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};

    write_bulk(ends.stream);
    bine_task *writer = bine_spawn(flush_all, &user);
    expect_ok(bine_yield());
    expect_ok(bine_stream_write(ends.stream, "x", 1)); /* freed as well */
    expect_fails(bine_stream_close(ends.stream), EBUSY);
    expect_ok(bine_join(writer, NULL));
    expect_int(user.result, ==, -1);
    expect_int(user.error, ==, EBADF);
    ends_close(&ends);
}

/* ---- Poison, misuse, shortage ------------------------------------------------------------------------ */

LOOP_TEST(poisoned_stream_can_only_be_closed)
{
    struct ends ends = ends_open();
    char buf[8];

    say(ends.peer, "line\n");
    bine_stream_poison(ends.stream);
    expect_fails(bine_stream_read(ends.stream, buf, 1), EPROTO);
    expect_fails(bine_stream_read_exactly(ends.stream, buf, 1), EPROTO);
    expect_fails(bine_stream_read_line(ends.stream, buf, sizeof buf), EPROTO);
    expect_fails(bine_stream_write(ends.stream, "x", 1), EPROTO);
    expect_fails(bine_stream_printf(ends.stream, "x"), EPROTO);
    expect_fails(bine_stream_flush(ends.stream), EPROTO);
    expect_fails(bine_stream_shutdown_write(ends.stream), EPROTO);
    expect_fails(bine_stream_set_limits(ends.stream, 1, 1), EPROTO);
    expect_fails(bine_stream_fd(ends.stream), EPROTO);
    bine_stream_poison(ends.stream);
    ends_close(&ends);
}

LOOP_TEST(nothing_is_a_misuse)
{
    struct ends ends = ends_open();
    char buf[8];

    expect_null(bine_stream_new(-1), EBADF);
    expect_fails(bine_stream_read(NULL, buf, 1), EINVAL);
    expect_fails(bine_stream_read(ends.stream, NULL, 1), EINVAL);
    expect_fails(bine_stream_read_exactly(NULL, buf, 1), EINVAL);
    expect_fails(bine_stream_read_exactly(ends.stream, NULL, 1), EINVAL);
    expect_fails(bine_stream_read(ends.stream, buf, SIZE_MAX), EINVAL);
    expect_fails(bine_stream_read_exactly(ends.stream, buf, SIZE_MAX), EINVAL);
    expect_fails(bine_stream_read_line(NULL, buf, sizeof buf), EINVAL);
    expect_fails(bine_stream_read_line(ends.stream, NULL, 8), EINVAL);
    expect_fails(bine_stream_read_line(ends.stream, buf, 0), EINVAL);
    expect_fails(bine_stream_read_until(ends.stream, NULL, 1, buf, 8), EINVAL);
    expect_fails(bine_stream_read_until(ends.stream, "x", 0, buf, 8), EINVAL);
    expect_fails(bine_stream_write(NULL, buf, 1), EINVAL);
    expect_fails(bine_stream_write(ends.stream, NULL, 1), EINVAL);
    expect_fails(bine_stream_printf(NULL, "x"), EINVAL);
    expect_fails(bine_stream_flush(NULL), EINVAL);
    expect_fails(bine_stream_shutdown_write(NULL), EINVAL);
    expect_fails(bine_stream_close(NULL), EINVAL);
    expect_fails(bine_stream_fd(NULL), EINVAL);
    expect_fails(bine_stream_set_limits(NULL, 1, 1), EINVAL);
    expect_fails(bine_stream_set_limits(ends.stream, SIZE_MAX, 0), EINVAL);
    expect_fails(bine_stream_set_limits(ends.stream, 0, SIZE_MAX), EINVAL);
    expect_uint(bine_stream_unread(NULL), ==, 0);
    expect_uint(bine_stream_unflushed(NULL), ==, 0);
    bine_stream_poison(NULL);
    ends_close(&ends);
}

START_TEST(outside_a_loop_only_what_never_switches_works)
{
    int fd[2];
    char buf[8];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    bine_stream *stream = bine_stream_new(fd[0]);
    ck_assert_ptr_nonnull(stream);
    expect_int(bine_stream_fd(stream), ==, fd[0]);
    expect_ok(bine_stream_write(stream, "x", 1));
    expect_ok(bine_stream_printf(stream, "%d", 1));
    expect_fails(bine_stream_flush(stream), EPERM);
    expect_fails(bine_stream_shutdown_write(stream), EPERM);
    expect_fails(bine_stream_read(stream, buf, 1), EPERM);
    expect_fails(bine_stream_read_exactly(stream, buf, 1), EPERM);
    expect_fails(bine_stream_read_line(stream, buf, sizeof buf), EPERM);
    expect_int(bine_stream_unflushed(stream), ==, 2);
    expect_ok(bine_stream_close(stream));
    close(fd[1]);
}
END_TEST

static void use_after_close(void)
{
    struct ends ends = ends_open();
    bine_stream *stream = ends.stream;

    reports_catch();
    ends_close(&ends);
    expect_fails(bine_stream_write(stream, "x", 1), EINVAL);
    expect_ptr(reports_find(BINE_REPORT_MISUSE, "after bine_stream_close()"), !=, NULL);
    expect_fails(bine_stream_close(stream), EINVAL);
    reports_clear();
}

static void *use_after_close_task(void *arg)
{
    (void)arg;
    use_after_close();
    return NULL;
}

START_TEST(use_after_close_is_told_while_debugging)
{
    setenv("BINE_DEBUG", "1", 1);
    run_in_loop(use_after_close_task, NULL);
}
END_TEST

LOOP_TEST(shortage_of_memory_is_an_error_and_loses_nothing)
{
    struct ends ends = ends_open();
    int fd = bine_dup(ends.peer);
    char line[16];

    fault_arm_call("calloc", 1, 1, 0);
    expect_null(bine_stream_new(fd), ENOMEM);
    fault_disarm();
    expect_ok(bine_close(fd)); /* it stayed the caller's */

    fault_arm_call("realloc", 1, 1, 0);
    expect_fails(bine_stream_write(ends.stream, "x", 1), ENOMEM);
    fault_arm_call("realloc", 1, 1, 0);
    expect_fails(bine_stream_printf(ends.stream, "x"), ENOMEM);
    say(ends.peer, "line\n");
    fault_arm_call("realloc", 1, 1, 0);
    expect_fails(bine_stream_read_line(ends.stream, line, sizeof line), ENOMEM);
    fault_disarm();
    expect_int(bine_stream_unflushed(ends.stream), ==, 0);
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 5);
    ends_close(&ends);
}

LOOP_TEST(huge_exact_read_without_memory_loses_nothing)
{
    enum { SIZE = 600 * KIB };
    struct ends ends = ends_open();
    struct bulk bulk = {ends.peer, SIZE};
    bine_task *writer = bine_spawn(send_pattern, &bulk);
    char *bytes = malloc(SIZE);

    expect_int(bine_stream_read_exactly(ends.stream, bytes, 1), ==, 1);
    fault_arm_call("realloc", 2, 1, 0);
    expect_fails(bine_stream_read_exactly(ends.stream, bytes + 1, SIZE - 1), ENOMEM);
    fault_disarm();
    expect_int(bine_stream_read_exactly(ends.stream, bytes + 1, SIZE - 1), ==, SIZE - 1);
    expect(is_pattern(bytes, 0, SIZE));
    expect_ok(bine_join(writer, NULL));
    free(bytes);
    ends_close(&ends);
}

static void use_in_a_callback(void *arg)
{
    struct user *user = arg;
    char buf[4];

    expect_fails(bine_stream_read(user->stream, buf, 1), EDEADLK);
    expect_fails(bine_stream_read_line(user->stream, buf, sizeof buf), EDEADLK);
    expect_fails(bine_stream_flush(user->stream), EDEADLK);
    expect_fails(bine_stream_shutdown_write(user->stream), EDEADLK);
    expect_ok(bine_stream_write(user->stream, "x", 1));
    user->result = 1;
}

LOOP_TEST(callback_may_write_and_not_wait)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    char byte;

    expect_ok(bine_call_soon(use_in_a_callback, &user));
    while (!user.result)
        expect_ok(bine_yield());
    expect_ok(bine_stream_flush(ends.stream));
    expect_int(bine_read(ends.peer, &byte, 1), ==, 1);
    ends_close(&ends);
}

/* The test's own calls are among those that fail. */
static void answer(int fd, const char *text)
{
    ssize_t n = -1;
    for (int tries = 2; tries > 0 && n < 0; tries--)
        n = send(fd, text, strlen(text), MSG_DONTWAIT);
    expect_int(n, ==, strlen(text));
}

static void hear(int fd, const char *text)
{
    char got[16] = "";
    ssize_t n = -1;
    for (int tries = 2; tries > 0 && n < 0; tries--)
        n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
    expect_str(got, text);
}

/* Says something and hears the answer; what fails is done again. */
static void converse(struct ends *ends)
{
    char line[16] = "";
    int tries = 4;

    while (tries > 0 && bine_stream_printf(ends->stream, "%s\n", "question") != 0)
        tries--;
    while (tries > 0 && bine_stream_flush(ends->stream) != 0)
        tries--;
    hear(ends->peer, "question\n");
    answer(ends->peer, "ans");
    BINE_TIMEOUT(BINE_MS)
    {
        while (tries > 0 && bine_stream_read_line(ends->stream, line, sizeof line) < 0 && errno != ETIMEDOUT)
            tries--;
    }
    answer(ends->peer, "wer\n");
    while (tries > 0 && bine_stream_read_line(ends->stream, line, sizeof line) < 0)
        tries--;
    expect_str(line, "answer\n");
    expect_int(tries, >, 0);
}

VIRTUAL_TEST(call_that_failed_can_be_made_again)
{
    bool more = true;

    for (long nth = 1; more && nth < 200; nth++) {
        struct ends ends = ends_open();
        fault_arm(nth);
        converse(&ends);
        more = fault_injected() > 0;
        fault_disarm();
        ends_close(&ends);
    }
    expect(!more);
}

LOOP_TEST(waiting_reader_holds_no_buffer)
{
    struct ends ends = ends_open();
    struct user user = {ends.stream, 0, 0};
    char line[16];

    say(ends.peer, "first\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 6);
    expect_ok(bine_stream_printf(ends.stream, "answer\n"));
    expect_ok(bine_stream_flush(ends.stream));
    bine_task *reader = bine_spawn(read_a_line, &user);
    long before = fixture_blocks();
    expect_ok(bine_yield());
    expect_int(fixture_blocks(), ==, before);
    say(ends.peer, "second\n");
    expect_ok(bine_join(reader, NULL));
    expect_int(user.result, ==, 7);
    ends_close(&ends);
}

SUPPORT_MAIN("stream_write", callback_may_write_and_not_wait, call_that_failed_can_be_made_again,
             write_is_buffered_until_it_is_flushed, write_past_the_limit_buffers_nothing,
             printf_grows_the_buffer_and_keeps_what_is_there, printf_that_fails_buffers_nothing,
             flush_cut_short_goes_on_where_it_stopped, shutdown_flushes_and_leaves_the_other_direction_open,
             flush_to_nobody_fails_and_keeps_what_was_written, second_reader_is_refused_and_a_writer_is_not,
             flush_takes_along_what_is_written_meanwhile,
             flush_cut_short_keeps_the_order_of_what_was_written_meanwhile,
             nothing_is_written_to_a_stream_that_is_being_shut,
             close_wakes_the_reader_and_frees_when_it_has_left,
             close_wakes_the_writer_and_frees_when_it_has_left, poisoned_stream_can_only_be_closed,
             nothing_is_a_misuse, outside_a_loop_only_what_never_switches_works,
             use_after_close_is_told_while_debugging, shortage_of_memory_is_an_error_and_loses_nothing,
             huge_exact_read_without_memory_loses_nothing, waiting_reader_holds_no_buffer)
