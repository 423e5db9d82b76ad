/* SPDX-License-Identifier: MIT
 *
 * Buffered streams that are poisoned, misused, or short of memory, and calls that fail. */
#include "support/support.h"

#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/fault.h"

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
    bine_stream *stream = arg;
    char buf[4];

    expect_fails(bine_stream_read(stream, buf, 1), EDEADLK);
    expect_fails(bine_stream_read_line(stream, buf, sizeof buf), EDEADLK);
    expect_fails(bine_stream_flush(stream), EDEADLK);
    expect_fails(bine_stream_shutdown_write(stream), EDEADLK);
    expect_ok(bine_stream_write(stream, "x", 1));
}

LOOP_TEST(callback_may_write_and_not_wait)
{
    struct ends ends = ends_open();
    char byte;

    expect_ok(bine_call_soon(use_in_a_callback, ends.stream));
    while (bine_stream_unflushed(ends.stream) == 0)
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

SUPPORT_MAIN("stream_misuse", poisoned_stream_can_only_be_closed, nothing_is_a_misuse,
             outside_a_loop_only_what_never_switches_works, use_after_close_is_told_while_debugging,
             shortage_of_memory_is_an_error_and_loses_nothing, huge_exact_read_without_memory_loses_nothing,
             callback_may_write_and_not_wait, call_that_failed_can_be_made_again)
