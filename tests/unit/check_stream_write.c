/* SPDX-License-Identifier: MIT
 *
 * Buffered streams: writing, and two tasks at one stream. */
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

SUPPORT_MAIN("stream_write", write_is_buffered_until_it_is_flushed, write_past_the_limit_buffers_nothing,
             printf_grows_the_buffer_and_keeps_what_is_there, printf_that_fails_buffers_nothing,
             flush_cut_short_goes_on_where_it_stopped, shutdown_flushes_and_leaves_the_other_direction_open,
             flush_to_nobody_fails_and_keeps_what_was_written, second_reader_is_refused_and_a_writer_is_not,
             flush_takes_along_what_is_written_meanwhile,
             flush_cut_short_keeps_the_order_of_what_was_written_meanwhile,
             nothing_is_written_to_a_stream_that_is_being_shut,
             close_wakes_the_reader_and_frees_when_it_has_left,
             close_wakes_the_writer_and_frees_when_it_has_left, waiting_reader_holds_no_buffer)
