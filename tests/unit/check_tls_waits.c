/* SPDX-License-Identifier: MIT
 *
 * TLS connections whose calls are cut short by deadlines and cancellation, closed while somebody waits, used by two
 * tasks at once, or misused. */
#include "support/support.h"

#include "support/tls_ends.h"

/* ---- Deadlines and cancellation ---------------------------------------------------------------------- */

LOOP_TEST(a_handshake_cut_short_goes_on)
{
    struct world world = world_make();
    int fd[2], cut[2] = {0, 0}, done[2] = {-1, -1};
    bine_tls *ends[2];
    char byte = 0;

    pair_make(PAIR_TCP, fd);
    ends[0] = bine_tls_new(world.client_config, fd[0], "server.test");
    ends[1] = bine_tls_new(world.server_config, fd[1], NULL);
    for (int turn = 0; turn < 1000 && (done[0] != 0 || done[1] != 0); turn++)
        for (int i = 0; i < 2; i++)
            if (done[i] != 0)
                BINE_TIMEOUT(BINE_MS) {
                    done[i] = bine_tls_handshake(ends[i]);
                    cut[i] += done[i] != 0 && expect(errno == ETIMEDOUT);
                }
    expect_int(cut[0] + cut[1], >, 1);
    for (int i = 0; i < 2; i++)
        BINE_TIMEOUT(BINE_MS) /* reads, too, have lost nothing */
            expect_fails(bine_tls_read(ends[i], &byte, 1), ETIMEDOUT);
    expect_int(bine_tls_write(ends[0], "c", 1), ==, 1);
    expect_int(bine_tls_read(ends[1], &byte, 1), ==, 1);
    BINE_TIMEOUT(0) { /* nothing that could be answered at once is answered in a scope that has fired */
        expect_fails(bine_tls_read(ends[1], &byte, 1), ETIMEDOUT);
        expect_fails(bine_tls_write(ends[1], &byte, 1), ETIMEDOUT);
        expect_fails(bine_tls_handshake(ends[1]), ETIMEDOUT);
        expect_fails(bine_tls_shutdown_write(ends[1]), ETIMEDOUT);
    }
    expect_int(bine_tls_write(ends[1], "s", 1), ==, 1); /* that one had not begun */
    expect_int(bine_tls_read(ends[0], &byte, 1), ==, 1);
    for (int i = 0; i < 2; i++)
        expect_ok(bine_tls_close(ends[i]));
    world_free(&world);
}

LOOP_TEST(a_write_cut_short_is_the_last)
{
    struct world world = world_make();
    enum { MUCH = 16 << 20 };
    struct ends ends = ends_connected(&world, "server.test");
    char *much = calloc(1, MUCH), *buf = malloc(60000);
    ssize_t written = -2, got = 0, n;

    BINE_TIMEOUT(200 * BINE_MS)
        written = bine_tls_write(ends.client, much, MUCH);
    expect_int(errno, ==, ETIMEDOUT);
    expect_int(written, <, MUCH);
    expect_fails(bine_tls_write(ends.client, "x", 1), EPROTO);
    expect_fails(bine_tls_shutdown_write(ends.client), EPROTO);
    expect_has(bine_tls_error(ends.client), "cut short");
    expect_int(bine_tls_write(ends.server, "still", 5), ==, 5);
    expect_int(bine_tls_read(ends.client, buf, 60000), ==, 5); /* reading goes on */
    expect_ok(bine_tls_close(ends.client));
    while ((n = bine_tls_read(ends.server, buf, 60000)) > 0)
        got += n;
    expect_int(n, ==, -1); /* the peer does not take it for the end */
    expect_int(errno, ==, ECONNRESET);
    expect_int(got, >=, written);
    expect_ok(bine_tls_close(ends.server));
    free(much);
    free(buf);
    world_free(&world);
}

struct waiting {
    bine_tls *tls;
    int error;
};

static void *wait_for_bytes(void *arg)
{
    struct waiting *waiting = arg;
    char byte;

    expect_int(bine_tls_read(waiting->tls, &byte, 1), ==, -1);
    waiting->error = errno;
    return NULL;
}

LOOP_TEST(a_reader_is_cancelled_closed_on_and_alone)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    struct waiting waiting;
    char byte;

    waiting.tls = ends.client;
    bine_task *task = bine_spawn(wait_for_bytes, &waiting);
    for (int i = 0; i < 5; i++)
        expect_ok(bine_yield());
    expect_fails(bine_tls_read(ends.client, &byte, 1), EBUSY);
    expect_int(bine_tls_write(ends.client, "x", 1), ==, 1);
    expect_ok(bine_cancel(task));
    expect_ok(bine_join(task, NULL));
    expect_int(waiting.error, ==, ECANCELED);
    task = bine_spawn(wait_for_bytes, &waiting);
    for (int i = 0; i < 5; i++)
        expect_ok(bine_yield());
    expect_fails(bine_tls_close(ends.client), EBUSY);
    expect_fails(bine_tls_fd(ends.client), EBADF);
    expect_fails(bine_tls_read(ends.client, &byte, 1), EBADF);
    expect_ok(bine_join(task, NULL));
    expect_int(waiting.error, ==, EBADF);
    ends_close(&ends);
    world_free(&world);
}

static void *write_for_ever(void *arg)
{
    static char lots[100000];

    while (bine_tls_write(arg, lots, sizeof lots) > 0)
        ;
    return (void *)(intptr_t)errno;
}

LOOP_TEST(a_writer_is_alone_and_woken_by_a_close)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    bine_result result;

    bine_task *task = bine_spawn(write_for_ever, ends.client);
    for (int i = 0; i < 200; i++)
        expect_ok(bine_sleep(BINE_MS / 10));
    expect_fails(bine_tls_write(ends.client, "x", 1), EBUSY);
    expect_fails(bine_tls_shutdown_write(ends.client), EBUSY);
    expect_fails(bine_tls_close(ends.client), EBUSY);
    expect_ok(bine_join(task, &result));
    expect_int((intptr_t)result.value, ==, EBADF);
    ends_close(&ends);
    world_free(&world);
}

/* ---- The goodbye ------------------------------------------------------------------------------------- */

struct relay {
    int from, to;
    unsigned records; /* that may pass; then it waits for more */
    bine_event more;
};

static void *pass_records(void *arg)
{
    struct relay *relay = arg;
    unsigned char record[5 + 18432];

    while (bine_read_full(relay->from, record, 5) == 5) {
        const size_t n = (size_t)record[3] << 8 | record[4];
        if (bine_read_full(relay->from, record + 5, n) != (ssize_t)n)
            break;
        while (relay->records == 0) {
            bine_event_clear(&relay->more);
            if (bine_event_wait(&relay->more) != 0)
                return NULL;
        }
        relay->records--;
        if (bine_write_full(relay->to, record, 5 + n) != (ssize_t)(5 + n))
            break;
    }
    return NULL;
}

static int give_a_large_ticket(SSL *ssl, void *arg)
{
    static const char more[4000];
    (void)arg;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), more, sizeof more);
}

static void *say_goodbye(void *arg)
{
    expect_ok(bine_tls_shutdown_write(arg));
    return NULL;
}

/* A ticket of several records, of which the first has come: OpenSSL says nothing before the last. */
LOOP_TEST(a_goodbye_waits_for_the_rest_of_a_ticket)
{
    struct world world = world_make();
    SSL_CTX *context = bine_tls_config_native(world.server_config);
    int near[2], far[2];
    char byte;

    expect(SSL_CTX_set_session_ticket_cb(context, give_a_large_ticket, NULL, NULL));
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_max_send_fragment(context, 512);
    pair_make(PAIR_UNIX, near);
    pair_make(PAIR_UNIX, far);
    struct ends ends = {bine_tls_new(world.client_config, near[0], "server.test"),
                        bine_tls_new(world.server_config, far[0], NULL)};
    struct relay back = {.from = far[1], .to = near[1], .records = 1000000};
    struct relay forth = {.from = near[1], .to = far[1], .records = 1000000};
    bine_event_init(&back.more);
    bine_event_init(&forth.more);
    bine_task *relays[] = {bine_spawn(pass_records, &back), bine_spawn(pass_records, &forth)};
    bine_task *task = bine_spawn(shake, ends.server);
    expect_ok(bine_tls_handshake(ends.client));
    expect_ok(bine_join(task, NULL));
    talk(&ends);

    back.records = 1;
    expect(SSL_new_session_ticket(bine_tls_native(ends.server)));
    expect_int(bine_tls_write(ends.server, "x", 1), ==, 1);
    bine_task *reader = bine_spawn(read_a_byte, ends.client);
    for (int i = 0; i < 100000 && !SSL_in_init(bine_tls_native(ends.client)); i++)
        expect_ok(bine_yield());
    expect(SSL_in_init(bine_tls_native(ends.client)));
    task = bine_spawn(say_goodbye, ends.client);
    expect_ok(bine_yield());
    back.records = 1000000;
    bine_event_set(&back.more);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_join(reader, NULL));
    expect_int(bine_tls_read(ends.server, &byte, 1), ==, 0);
    for (int i = 0; i < 2; i++)
        expect_ok(bine_stop(relays[i], NULL));
    ends_close(&ends);
    expect_ok(bine_close(near[1]));
    expect_ok(bine_close(far[1]));
    world_free(&world);
}

/* The way is full with what is no TLS at all, and free once the test has taken that out at the other end. */
LOOP_TEST(a_streams_goodbye_that_was_cut_short_is_said_again)
{
    struct world world = world_make();
    static char filling[65536];
    size_t filled = 0;
    int pair[2];
    ssize_t n;
    char byte;

    pair_make(PAIR_UNIX, pair);
    bine_tls *server = bine_tls_new(world.server_config, pair[1], NULL);
    bine_tls *client = bine_tls_new(world.client_config, pair[0], "server.test");
    bine_task *task = bine_spawn(shake, server);
    expect_ok(bine_tls_handshake(client));
    expect_ok(bine_join(task, NULL));
    bine_stream *stream = bine_tls_stream(client);
    while ((n = send(pair[0], filling, sizeof filling, MSG_DONTWAIT)) > 0)
        filled += (size_t)n;
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_stream_shutdown_write(stream), ETIMEDOUT);
    for (n = 1; filled > 0 && n > 0; filled -= n > 0 ? (size_t)n : 0)
        n = bine_read(pair[1], filling, filled < sizeof filling ? filled : sizeof filling);
    expect_uint(filled, ==, 0);
    expect_ok(bine_stream_shutdown_write(stream));
    expect_int(bine_tls_read(server, &byte, 1), ==, 0);
    expect_ok(bine_stream_flush(stream)); /* nothing is left to say */
    expect_ok(bine_stream_shutdown_write(stream));
    expect_ok(bine_stream_close(stream));
    expect_ok(bine_tls_close(server));
    world_free(&world);
}

/* ---- Misuse, and calls that fail --------------------------------------------------------------------- */

static void in_a_callback(void *arg)
{
    char byte;
    expect_fails(bine_tls_read(arg, &byte, 1), EDEADLK);
    expect_fails(bine_tls_write(arg, "x", 1), EDEADLK);
    expect_fails(bine_tls_handshake(arg), EDEADLK);
    expect_fails(bine_tls_shutdown_write(arg), EDEADLK);
}

LOOP_TEST(misuse_is_an_error)
{
    struct world world = world_make();
    struct ends ends;
    char byte, name[300];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    expect_null(bine_tls_new(NULL, 0, "x"), EINVAL);
    expect_null(bine_tls_new(world.client_config, 0, NULL), EINVAL); /* whom does it expect? */
    expect_null(bine_tls_new(world.client_config, 0, ""), EINVAL);
    expect_null(bine_tls_new(world.client_config, 0, name), EINVAL);
    expect_null(bine_tls_new(world.server_config, 0, "server.test"), EINVAL);
    expect_null(bine_tls_new(world.client_config, -1, "server.test"), EBADF);
    expect_fails(bine_tls_read(NULL, &byte, 1), EINVAL);
    expect_fails(bine_tls_write(NULL, &byte, 1), EINVAL);
    expect_fails(bine_tls_handshake(NULL), EINVAL);
    expect_fails(bine_tls_shutdown_write(NULL), EINVAL);
    expect_fails(bine_tls_close(NULL), EINVAL);
    expect_fails(bine_tls_fd(NULL), EINVAL);
    expect(!bine_tls_error(NULL) && !bine_tls_alpn(NULL) && !bine_tls_version(NULL) && !bine_tls_native(NULL));
    expect(!bine_tls_server_name(NULL) && !bine_tls_resumed(NULL));
    expect_int(bine_tls_peer(NULL, NULL, 0), ==, 0);
    ends = ends_connected(&world, "server.test");
    expect_fails(bine_tls_read(ends.client, NULL, 1), EINVAL);
    expect_fails(bine_tls_write(ends.client, NULL, 1), EINVAL);
    expect_ok(bine_call_soon(in_a_callback, ends.client));
    expect_ok(bine_sleep(BINE_MS));
    ends_close(&ends);
    world_free(&world);
}

START_TEST(outside_a_loop_connections_are_made_and_closed)
{
    struct world world = world_make();
    int fd[2];
    char byte;

    expect_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    bine_tls *tls = bine_tls_new(world.client_config, fd[0], "server.test");
    expect_fails(bine_tls_handshake(tls), EPERM);
    expect_fails(bine_tls_read(tls, &byte, 1), EPERM);
    expect_ok(bine_tls_close(tls));
    close(fd[1]);
    world_free(&world);
    support_settle();
}
END_TEST

SUPPORT_MAIN("tls_waits", a_handshake_cut_short_goes_on, a_write_cut_short_is_the_last,
             a_reader_is_cancelled_closed_on_and_alone, a_writer_is_alone_and_woken_by_a_close,
             a_goodbye_waits_for_the_rest_of_a_ticket, a_streams_goodbye_that_was_cut_short_is_said_again,
             misuse_is_an_error, outside_a_loop_connections_are_made_and_closed)
