/* SPDX-License-Identifier: MIT
 *
 * Buffered streams: reading, and above all what a read that fails leaves behind.  Writing, and
 * two tasks at one stream, is check_stream_write.c. */
#include "support/support.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/fault.h"

/* ---- Lines ------------------------------------------------------------------------------------------- */

LOOP_TEST(line_keeps_its_ending_and_the_last_may_lack_it)
{
    struct ends ends = ends_open();
    char line[32];

    say(ends.peer, "GET /\r\n\nlast");
    hang_up(&ends);
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 7);
    expect_str(line, "GET /\r\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 1);
    expect_str(line, "\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 4);
    expect_str(line, "last");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 0);
    expect_str(line, "");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 0);
    ends_close(&ends);
}

static void *say_slowly(void *arg)
{
    const struct ends *ends = arg;
    const char *text = "slow\nnext";
    for (size_t i = 0; text[i]; i++) {
        expect_ok(bine_sleep(BINE_SECOND));
        expect_int(bine_write(ends->peer, &text[i], 1), ==, 1);
    }
    return NULL;
}

VIRTUAL_TEST(line_that_comes_a_byte_a_second_is_whole)
{
    struct ends ends = ends_open();
    bine_ns begin = bine_now();
    bine_task *writer = bine_spawn(say_slowly, &ends);
    char line[32];

    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 5);
    expect_str(line, "slow\n");
    expect_int(bine_now() - begin, >=, 5 * BINE_SECOND);
    expect_ok(bine_join(writer, NULL));
    ends_close(&ends);
}

LOOP_TEST(line_longer_than_the_array_fails_and_stays)
{
    struct ends ends = ends_open();
    char line[8];

    say(ends.peer, "1234567\n89\n");
    expect_fails(bine_stream_read_line(ends.stream, line, 8), EMSGSIZE);
    expect_fails(bine_stream_read_line(ends.stream, line, 1), EMSGSIZE);
    expect_int(bine_stream_unread(ends.stream), ==, 11);
    expect_int(bine_stream_read(ends.stream, line, 5), ==, 5);
    expect_int(bine_stream_read_line(ends.stream, line, 4), ==, 3); /* fits to the byte */
    expect_str(line, "67\n");
    expect_fails(bine_stream_read_line(ends.stream, line, 3), EMSGSIZE);
    expect_int(bine_stream_read_line(ends.stream, line, 4), ==, 3);
    expect_str(line, "89\n");
    ends_close(&ends);
}

LOOP_TEST(unended_line_may_fill_the_array_and_no_more)
{
    struct ends ends = ends_open();
    char line[8];

    say(ends.peer, "1234567");
    hang_up(&ends);
    expect_fails(bine_stream_read_line(ends.stream, line, 7), EMSGSIZE);
    expect_int(bine_stream_read_line(ends.stream, line, 8), ==, 7);
    expect_str(line, "1234567");
    ends_close(&ends);
}

LOOP_TEST(line_longer_than_the_limit_fails_and_stays)
{
    struct ends ends = ends_open();
    char line[64];

    expect_ok(bine_stream_set_limits(ends.stream, 16, 0));
    say(ends.peer, "123456789012345\nabcdefghijklmnopq\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 16);
    expect_fails(bine_stream_read_line(ends.stream, line, sizeof line), EMSGSIZE);
    expect_int(bine_stream_unread(ends.stream), ==, 16);
    expect_ok(bine_stream_set_limits(ends.stream, 18, 0));
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 18);
    expect_str(line, "abcdefghijklmnopq\n");
    ends_close(&ends);
}

LOOP_TEST(line_with_room_for_nothing_waits_for_the_end_of_file)
{
    struct ends ends = ends_open();
    char nothing[1] = "";

    hang_up(&ends);
    expect_int(bine_stream_read_line(ends.stream, nothing, 1), ==, 0);
    ends_close(&ends);
}

struct pieces {
    int fd;
    const char *text;
    size_t cut;
};

static void *say_in_two(void *arg)
{
    const struct pieces *pieces = arg;
    expect_int(bine_write(pieces->fd, pieces->text, pieces->cut), ==, pieces->cut);
    expect_ok(bine_sleep(BINE_MS)); /* the reader has seen the first by then */
    say(pieces->fd, pieces->text + pieces->cut);
    return NULL;
}

VIRTUAL_TEST(delimiter_is_found_wherever_it_is_cut)
{
    const char *text = "a: \r\n\r \n\rb\r\n\r\nbody";
    for (size_t cut = 1; cut < strlen(text); cut++) {
        struct ends ends = ends_open();
        struct pieces pieces = {ends.peer, text, cut};
        bine_task *writer = bine_spawn(say_in_two, &pieces);
        char head[64], body[8] = "";

        expect_int(bine_stream_read_until(ends.stream, "\r\n\r\n", 4, head, sizeof head), ==, 14);
        expect_str(head, "a: \r\n\r \n\rb\r\n\r\n");
        expect_int(bine_stream_read_exactly(ends.stream, body, 4), ==, 4);
        expect_str(body, "body");
        expect_ok(bine_join(writer, NULL));
        ends_close(&ends);
    }
}

LOOP_TEST(delimiter_longer_than_what_may_be_read_is_never_found)
{
    struct ends ends = ends_open();
    char buf[4];

    say(ends.peer, "12345");
    expect_fails(bine_stream_read_until(ends.stream, "12345", 5, buf, sizeof buf), EMSGSIZE);
    expect_int(bine_stream_unread(ends.stream), ==, 5);
    ends_close(&ends);
}

/* ---- Counts ------------------------------------------------------------------------------------------ */

LOOP_TEST(read_gives_what_there_is)
{
    struct ends ends = ends_open();
    char buf[8 * KIB];

    say(ends.peer, "hello");
    expect_int(bine_stream_read(ends.stream, buf, 0), ==, 0);
    expect_int(bine_stream_read(ends.stream, buf, 3), ==, 3);
    expect_int(bine_stream_unread(ends.stream), ==, 2);
    expect_int(bine_stream_read(ends.stream, buf, sizeof buf), ==, 2);
    say(ends.peer, "again");
    expect_int(bine_stream_read(ends.stream, buf, sizeof buf), ==, 5);
    hang_up(&ends);
    expect_int(bine_stream_read(ends.stream, buf, 1), ==, 0);
    expect_int(bine_stream_read(ends.stream, buf, sizeof buf), ==, 0);
    ends_close(&ends);
}

LOOP_TEST(exact_read_is_short_only_at_end_of_file)
{
    struct ends ends = ends_open();
    char buf[8 * KIB] = "";

    say(ends.peer, "123456");
    expect_int(bine_stream_read_exactly(ends.stream, buf, 0), ==, 0);
    expect_int(bine_stream_read_exactly(ends.stream, buf, 4), ==, 4);
    hang_up(&ends);
    expect_int(bine_stream_read_exactly(ends.stream, buf, sizeof buf), ==, 2);
    expect_int(memcmp(buf, "56", 2), ==, 0);
    expect_int(bine_stream_read_exactly(ends.stream, buf, 1), ==, 0);
    ends_close(&ends);
}

LOOP_TEST(exact_read_may_exceed_the_limit)
{
    struct ends ends = ends_open();
    struct bulk bulk = {ends.peer, 700 * KIB + 5};
    bine_task *writer = bine_spawn(send_pattern, &bulk);
    char *bytes = malloc(bulk.n);

    expect_int(bine_stream_read_exactly(ends.stream, bytes, 5), ==, 5); /* so that some are buffered */
    expect_int(bine_stream_unread(ends.stream), >, 0);
    expect_int(bine_stream_read_exactly(ends.stream, bytes + 5, bulk.n - 5), ==, bulk.n - 5);
    expect(is_pattern(bytes, 0, bulk.n));
    expect_ok(bine_join(writer, NULL));
    free(bytes);
    ends_close(&ends);
}

/* The first half arrives, and no more before the deadline: for a count that is read through the buffer, and
 * for one that goes past it. */
static void cut_short(size_t n)
{
    struct ends ends = ends_open();
    unsigned char *bytes = pattern_new(n);
    char *got = malloc(n);

    expect_int(bine_write(ends.peer, bytes, n / 2), ==, n / 2);
    expect_int(bine_stream_read_exactly(ends.stream, got, 3), ==, 3);
    BINE_TIMEOUT(BINE_SECOND)
    {
        memset(got + 3, 0, n - 3);
        expect_fails(bine_stream_read_exactly(ends.stream, got + 3, n - 3), ETIMEDOUT);
        expect_fails(bine_stream_read_exactly(ends.stream, got + 3, n - 3), ETIMEDOUT);
    }
    expect_int(bine_stream_unread(ends.stream), ==, n / 2 - 3);
    expect_int(bine_write(ends.peer, bytes + n / 2, n - n / 2), ==, n - n / 2);
    expect_int(bine_stream_read_exactly(ends.stream, got + 3, n - 3), ==, n - 3);
    expect(is_pattern(got, 0, n));
    free(bytes);
    free(got);
    ends_close(&ends);
}

VIRTUAL_TEST(exact_read_cut_short_loses_nothing)
{
    cut_short(100);
    cut_short(5 * KIB);
    cut_short(90 * KIB);
}

VIRTUAL_TEST(line_cut_short_loses_nothing)
{
    struct ends ends = ends_open();
    char line[32];

    say(ends.peer, "half ");
    BINE_TIMEOUT(BINE_SECOND)
        expect_fails(bine_stream_read_line(ends.stream, line, sizeof line), ETIMEDOUT);
    expect_int(bine_stream_unread(ends.stream), ==, 5);
    say(ends.peer, "a line\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 12);
    expect_str(line, "half a line\n");
    ends_close(&ends);
}

LOOP_TEST(fired_scope_fails_what_the_buffer_could_answer)
{
    struct ends ends = ends_open();
    char line[32];

    say(ends.peer, "one\ntwo\n");
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 4);
    BINE_TIMEOUT(0)
    {
        expect_fails(bine_stream_read_line(ends.stream, line, sizeof line), ETIMEDOUT);
        expect_fails(bine_stream_read(ends.stream, line, 1), ETIMEDOUT);
        expect_fails(bine_stream_read(ends.stream, line, 0), ETIMEDOUT);
        expect_fails(bine_stream_flush(ends.stream), ETIMEDOUT);
        expect_ok(bine_stream_write(ends.stream, "x", 1)); /* it does not yield */
    }
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 4);
    expect_str(line, "two\n");
    ends_close(&ends);
}

static void *count_turns(void *arg)
{
    int *turns = arg;
    while (bine_yield() == 0)
        ++*turns;
    return NULL;
}

LOOP_TEST(lines_that_are_buffered_do_not_starve_others)
{
    struct ends ends = ends_open();
    int turns = 0;
    bine_task *other = bine_spawn(count_turns, &turns);
    char text[4 * KIB + 1], line[8];

    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    say(ends.peer, text);
    expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 1);
    turns = 0;
    while (bine_stream_unread(ends.stream) > 0)
        expect_int(bine_stream_read_line(ends.stream, line, sizeof line), ==, 1);
    expect_int(turns, >, 0);
    expect_ok(bine_stop(other, NULL));
    ends_close(&ends);
}

/* ---- Other descriptors ------------------------------------------------------------------------------- */

LOOP_TEST(stream_over_a_pipe_reads_and_cannot_be_shut_down)
{
    int fd[2];
    char line[16];

    expect_ok(bine_pipe(fd));
    bine_stream *in = bine_stream_new(fd[0]), *out = bine_stream_new(fd[1]);
    expect_ok(bine_stream_printf(out, "%s\n", "through"));
    expect_ok(bine_stream_flush(out));
    expect_int(bine_stream_read_line(in, line, sizeof line), ==, 8);
    expect_fails(bine_stream_shutdown_write(out), ENOTSOCK);
    expect_ok(bine_stream_write(out, "x", 1));
    expect_ok(bine_stream_close(out));
    expect_int(bine_stream_read_line(in, line, sizeof line), ==, 0); /* what was not flushed is gone */
    expect_ok(bine_stream_close(in));
}

LOOP_TEST(stream_over_a_file_reads_lines)
{
    char path[] = "/tmp/bine-check-XXXXXX", line[16];
    int fd = mkstemp(path);

    expect_int(fd, >=, 0);
    expect_int(write(fd, "one\ntwo", 7), ==, 7);
    expect_int(lseek(fd, 0, SEEK_SET), ==, 0);
    unlink(path);
    bine_stream *stream = bine_stream_new(fd);
    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 4);
    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 3);
    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 0);
    expect_ok(bine_stream_close(stream));
}

/* A connection over TCP; the first end resets when it is closed. */
static void connect_tcp(int fd[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    struct linger linger = {1, 0};
    int listener = bine_socket(AF_INET, SOCK_STREAM, 0);

    expect_ok(bind(listener, (struct sockaddr *)&address, length));
    expect_ok(listen(listener, 1));
    expect_ok(getsockname(listener, (struct sockaddr *)&address, &length));
    fd[0] = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_ok(bine_connect(fd[0], (struct sockaddr *)&address, length));
    fd[1] = bine_accept(listener, NULL, NULL);
    expect_int(fd[1], >=, 0);
    expect_ok(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    expect_ok(bine_close(listener));
}

LOOP_TEST(reset_is_an_error_and_what_came_before_stays)
{
    int fd[2];
    char line[16];

    connect_tcp(fd);
    bine_stream *stream = bine_stream_new(fd[1]);
    say(fd[0], "whole\nhalf");
    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 6);
    expect_ok(bine_close(fd[0]));
    expect_fails(bine_stream_read_line(stream, line, sizeof line), ECONNRESET);
    expect_int(bine_stream_unread(stream), ==, 4);
    expect_int(bine_stream_read(stream, line, sizeof line), ==, 4);
    expect_ok(bine_stream_close(stream));
}

/* ---- Whatever comes, in whatever way it is read ------------------------------------------------------- */

struct mixture {
    int fd;
    uint64_t seed;
};

enum { MIXTURE = 200 * KIB };

static void *send_mixture(void *arg)
{
    struct mixture *mixture = arg;
    unsigned char *bytes = pattern_new(MIXTURE);
    for (size_t sent = 0; sent < MIXTURE;) {
        size_t n = 1 + support_random(&mixture->seed) % (support_random(&mixture->seed) % 2 ? 20 : 9000);
        if (n > MIXTURE - sent)
            n = MIXTURE - sent;
        expect_int(bine_write_full(mixture->fd, bytes + sent, n), ==, n);
        sent += n;
        if (support_random(&mixture->seed) % 3 == 0)
            expect_ok(bine_yield());
    }
    free(bytes);
    expect_ok(bine_shutdown(mixture->fd, SHUT_WR));
    return NULL;
}

LOOP_TEST(bytes_come_in_order_by_any_mixture_of_reads)
{
    uint64_t seed = support_seed();
    struct ends ends = ends_open();
    struct mixture mixture = {ends.peer, seed};
    bine_task *writer = bine_spawn(send_mixture, &mixture);
    enum { MOST = 10000 };
    char *buf = malloc(MOST + 1);
    size_t have = 0;
    ssize_t n = 1;

    while (n > 0) {
        size_t ask = 1 + support_random(&seed) % (support_random(&seed) % 2 ? 30 : MOST);
        switch (support_random(&seed) % 3) {
        case 0:
            n = bine_stream_read(ends.stream, buf, ask);
            break;
        case 1:
            n = bine_stream_read_exactly(ends.stream, buf, ask);
            break;
        default:
            n = bine_stream_read_until(ends.stream, "\x42", 1, buf, ask + 1);
            if (n < 0 && errno == EMSGSIZE) /* nothing was taken out */
                n = bine_stream_read_exactly(ends.stream, buf, ask);
            break;
        }
        expect_int(n, >=, 0);
        if (n > 0 && !expect(is_pattern(buf, have, (size_t)n)))
            break;
        have += n > 0 ? (size_t)n : 0;
    }
    expect_uint(have, ==, MIXTURE);
    expect_ok(bine_join(writer, NULL));
    free(buf);
    ends_close(&ends);
}

/* ---- Over something else ----------------------------------------------------------------------------- */

/* A transport that gives and takes at most three bytes at a time, and knows what was done to it. */
struct parcel {
    char given[32], taken[32];
    size_t used, held;
    int flushed, closed, busy;
};

static ssize_t parcel_read(void *object, void *buf, size_t n)
{
    struct parcel *parcel = object;
    size_t left = strlen(parcel->given + parcel->used);
    n = n < 3 ? n : 3;
    n = n < left ? n : left;
    memcpy(buf, parcel->given + parcel->used, n);
    parcel->used += n;
    return (ssize_t)n;
}

static ssize_t parcel_write(void *object, const void *buf, size_t n)
{
    struct parcel *parcel = object;
    n = n < 3 ? n : 3;
    parcel->flushed += n == 0;
    memcpy(parcel->taken + parcel->held, buf, n);
    parcel->held += n;
    return (ssize_t)n;
}

static int parcel_close(void *object)
{
    struct parcel *parcel = object;
    parcel->closed++;
    if (parcel->busy-- > 0) {
        errno = EBUSY;
        return -1;
    }
    return 0;
}

LOOP_TEST(stream_over_a_transport_reads_writes_and_closes)
{
    static const bine_transport transport = {parcel_read, parcel_write, NULL, parcel_close, NULL};
    bine_transport lame = transport;
    struct parcel parcel = {.given = "one\ntwo three\n"};
    bine_stream *stream = bine_stream_over(&transport, &parcel);
    char line[16] = "";

    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 4);
    expect_str(line, "one\n");
    expect_int(bine_stream_read_exactly(stream, line, 9), ==, 9);
    expect(memcmp(line, "two three", 9) == 0);
    expect_int(bine_stream_read(stream, line, sizeof line), ==, 1);
    expect_int(bine_stream_read(stream, line, sizeof line), ==, 0);
    expect_ok(bine_stream_write(stream, "12345678", 8));
    expect_ok(bine_stream_flush(stream));
    expect_str(parcel.taken, "12345678");
    expect_int(parcel.flushed, ==, 1);
    expect_fails(bine_stream_fd(stream), ENOTSUP);
    expect_fails(bine_stream_shutdown_write(stream), ENOTSUP);
    parcel.busy = 1;
    expect_fails(bine_stream_close(stream), EBUSY); /* called again, and so is the transport's */
    expect_ok(bine_stream_close(stream));
    expect_int(parcel.closed, ==, 2);

    expect_null(bine_stream_over(NULL, &parcel), EINVAL);
    lame.write = NULL;
    expect_null(bine_stream_over(&lame, &parcel), EINVAL);
    fault_arm_call("calloc", 1, 1, 0);
    expect_null(bine_stream_over(&transport, &parcel), ENOMEM);
    fault_disarm();
}

SUPPORT_MAIN("stream", stream_over_a_transport_reads_writes_and_closes,
             line_keeps_its_ending_and_the_last_may_lack_it,
             line_that_comes_a_byte_a_second_is_whole, line_longer_than_the_array_fails_and_stays,
             unended_line_may_fill_the_array_and_no_more, line_longer_than_the_limit_fails_and_stays,
             line_with_room_for_nothing_waits_for_the_end_of_file, delimiter_is_found_wherever_it_is_cut,
             delimiter_longer_than_what_may_be_read_is_never_found, read_gives_what_there_is,
             exact_read_is_short_only_at_end_of_file, exact_read_may_exceed_the_limit,
             exact_read_cut_short_loses_nothing, line_cut_short_loses_nothing,
             fired_scope_fails_what_the_buffer_could_answer, lines_that_are_buffered_do_not_starve_others,
             stream_over_a_pipe_reads_and_cannot_be_shut_down, stream_over_a_file_reads_lines,
             reset_is_an_error_and_what_came_before_stays, bytes_come_in_order_by_any_mixture_of_reads)
