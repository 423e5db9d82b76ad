/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2's renegotiation, asked for by either end, while tasks read and write and while none does.  Against
 * OpenSSL's own programs: check_tls_peers.c. */
#define _GNU_SOURCE
#include "support/support.h"

#include "support/tls_ends.h"

static struct ends ends_of_1_2(struct world *world, bine_tls_renegotiation server_allows)
{
    expect_ok(bine_tls_config_versions(world->client_config, BINE_TLS_1_2, BINE_TLS_1_2));
    expect_ok(bine_tls_config_renegotiation(world->server_config, server_allows));
    return ends_connected(world, "server.test");
}

/* ---- While both ends read and write ------------------------------------------------------------------ */

struct talker {
    bine_tls *tls;
    const bool *enough;
    size_t written, read;
};

static void *write_until_enough(void *arg)
{
    struct talker *talker = arg;
    char buf[3000];

    do {
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = (char)((talker->written + i) * 31 % 251);
        if (!expect(bine_tls_write(talker->tls, buf, sizeof buf) == (ssize_t)sizeof buf))
            return NULL;
        talker->written += sizeof buf;
        expect_ok(bine_yield());
    } while (!*talker->enough);
    expect_ok(bine_tls_shutdown_write(talker->tls));
    return NULL;
}

static void *read_to_the_end(void *arg)
{
    struct talker *talker = arg;
    char buf[5000];
    ssize_t n;
    bool right = true;

    while ((n = bine_tls_read(talker->tls, buf, sizeof buf)) > 0) {
        for (size_t i = 0; i < (size_t)n; i++)
            right = right && buf[i] == (char)((talker->read + i) * 31 % 251);
        talker->read += (size_t)n;
    }
    expect_int(n, ==, 0);
    expect(right);
    return NULL;
}

/* A request of the server's has been answered. */
static void wait_until_renegotiated(bine_tls *server)
{
    SSL *ssl = bine_tls_native(server);

    for (int i = 0; i < 60000 && (SSL_renegotiate_pending(ssl) || SSL_in_init(ssl)); i++)
        expect_ok(bine_sleep(BINE_MS));
    expect(!SSL_renegotiate_pending(ssl));
}

static void renegotiate_among_flows(bool by_server)
{
    struct world world = world_make();
    struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
    bool enough = false;
    struct talker client = {.tls = ends.client, .enough = &enough};
    struct talker server = {.tls = ends.server, .enough = &enough};

    BINE_GROUP(group, BINE_GROUP_ALL) {
        for (int i = 0; i < 2; i++) {
            bine_group_spawn(&group, write_until_enough, i ? &server : &client);
            bine_group_spawn(&group, read_to_the_end, i ? &server : &client);
        }
        for (int i = 0; i < 5; i++) {
            expect_ok(bine_tls_renegotiate(by_server ? ends.server : ends.client));
            if (by_server)
                wait_until_renegotiated(ends.server);
        }
        enough = true;
    }
    expect_int(SSL_num_renegotiations(bine_tls_native(ends.client)), >=, 5);
    expect_int(client.read, ==, server.written);
    expect_int(server.read, ==, client.written);
    ends_close(&ends);
    world_free(&world);
}

LOOP_TEST(a_server_renegotiates_while_both_ends_read_and_write)
{
    renegotiate_among_flows(true);
}

LOOP_TEST(a_client_renegotiates_while_both_ends_read_and_write)
{
    renegotiate_among_flows(false);
}

/* ---- While one of them does not ---------------------------------------------------------------------- */

/* Readers wait, one write asks, the other waits for its end. */
LOOP_TEST(a_renegotiation_parks_and_goes_on)
{
    struct world world = world_make();
    struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_SERVER);

    talk(&ends);
    for (int i = 0; i < 3; i++) {
        bine_task *tasks[] = {bine_spawn(read_a_byte, ends.client), bine_spawn(read_a_byte, ends.server)};
        expect_ok(bine_yield());
        expect_int(SSL_renegotiate(bine_tls_native(ends.server)), ==, 1); /* what the next call says */
        expect_int(bine_tls_write(ends.server, "n", 1), ==, 1);
        expect_int(bine_tls_write(ends.client, "c", 1), ==, 1);
        for (int side = 0; side < 2; side++)
            expect_ok(bine_join(tasks[side], NULL));
    }
    expect_int(SSL_num_renegotiations(bine_tls_native(ends.server)), >, 0);
    ends_close(&ends);
    world_free(&world);
}

struct bulk {
    bine_tls *tls;
    size_t n;
};

static void *write_bulk(void *arg)
{
    const struct bulk *bulk = arg;
    char *buf = malloc(bulk->n);

    for (size_t i = 0; i < bulk->n; i++)
        buf[i] = (char)(i * 31 % 251);
    expect_int(bine_tls_write(bulk->tls, buf, bulk->n), ==, bulk->n);
    free(buf);
    return NULL;
}

static void *renegotiate(void *arg)
{
    expect_ok(bine_tls_renegotiate(arg));
    return NULL;
}

/* What the server had written before it knew stays readable, in order, also where it is more than is laid by; and
 * a client that nobody reads from gets through as long as it is less. */
LOOP_TEST(bytes_that_come_meanwhile_are_read_later)
{
    static const size_t sizes[] = {1, 40000, 300000};
    struct world world = world_make();

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
        struct bulk bulk = {ends.server, sizes[s]};
        char buf[10000];
        size_t done = 0;
        bool right = true;
        bine_task *reader = bine_spawn(read_a_byte, ends.server), *writer = bine_spawn(write_bulk, &bulk);
        expect_ok(bine_yield());
        bine_task *renewal = bine_spawn(renegotiate, ends.client);
        if (sizes[s] < 60000)
            expect_ok(bine_join(renewal, NULL));
        else
            for (int i = 0; i < 100; i++)
                expect_ok(bine_yield());
        while (done < sizes[s]) {
            const ssize_t n = bine_tls_read(ends.client, buf, sizeof buf);
            if (!expect(n > 0))
                break;
            for (size_t i = 0; i < (size_t)n; i++)
                right = right && buf[i] == (char)((done + i) * 31 % 251);
            done += (size_t)n;
        }
        expect(right);
        if (sizes[s] >= 60000)
            expect_ok(bine_join(renewal, NULL));
        expect_ok(bine_join(writer, NULL));
        expect_int(bine_tls_write(ends.client, "c", 1), ==, 1);
        expect_ok(bine_join(reader, NULL));
        expect_int(SSL_num_renegotiations(bine_tls_native(ends.client)), ==, 1);
        talk(&ends);
        ends_close(&ends);
    }
    world_free(&world);
}

/* Closing wakes a client that waits for somebody to read what was laid by. */
static void *renegotiate_in_vain(void *arg)
{
    expect_fails(bine_tls_renegotiate(arg), EBADF);
    return NULL;
}

static void *write_in_vain(void *arg)
{
    const struct bulk *bulk = arg;
    char *buf = calloc(1, bulk->n);

    expect_int(bine_tls_write(bulk->tls, buf, bulk->n), <, bulk->n);
    free(buf);
    return NULL;
}

LOOP_TEST(closing_ends_a_wait_for_a_reader)
{
    struct world world = world_make();
    struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
    struct bulk bulk = {ends.server, 64 << 20}; /* more than the sockets hold and is laid by */
    bine_task *writer = bine_spawn(write_in_vain, &bulk), *renewal;

    for (int i = 0; i < 100; i++)
        expect_ok(bine_yield());
    renewal = bine_spawn(renegotiate_in_vain, ends.client);
    for (int i = 0; i < 100; i++)
        expect_ok(bine_yield());
    expect_fails(bine_tls_close(ends.client), EBUSY);
    expect_ok(bine_join(renewal, NULL));
    expect_ok(bine_tls_close(ends.client));
    expect_ok(bine_join(writer, NULL));
    expect_ok(bine_tls_close(ends.server));
    world_free(&world);
}

/* ---- Cut short, refused, broken off ------------------------------------------------------------------ */

static void *renegotiate_until_cancelled(void *arg)
{
    expect_fails(bine_tls_renegotiate(arg), ECANCELED);
    return NULL;
}

LOOP_TEST(a_renegotiation_that_is_cut_short_goes_on)
{
    struct world world = world_make();
    struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
    bine_task *task = bine_spawn(renegotiate_until_cancelled, ends.client);

    for (int i = 0; i < 10000 && !SSL_in_init(bine_tls_native(ends.client)); i++)
        expect_ok(bine_yield());
    expect_ok(bine_cancel(task)); /* it waits, for the server does not read */
    expect_ok(bine_join(task, NULL));
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_tls_write(ends.client, "lost", 4), ETIMEDOUT); /* nothing of it has been sent */
    task = bine_spawn(read_a_byte, ends.server);
    expect_ok(bine_tls_handshake(ends.client));
    expect_int(SSL_num_renegotiations(bine_tls_native(ends.client)), ==, 1);
    expect_int(bine_tls_write(ends.client, "c", 1), ==, 1);
    expect_ok(bine_join(task, NULL));
    talk(&ends);
    ends_close(&ends);
    world_free(&world);
}

static void *read_a_refusal(void *arg)
{
    char byte;
    expect_fails(bine_tls_read(arg, &byte, 1), EPROTO);
    expect(bine_tls_error(arg) != NULL);
    return NULL;
}

LOOP_TEST(a_renegotiation_is_refused)
{
    struct world world = world_make();
    struct ends ends;
    bine_task *task;

    expect_fails(bine_tls_config_renegotiation(NULL, BINE_TLS_RENEGOTIATION_NONE), EINVAL);
    expect_fails(bine_tls_config_renegotiation(world.client_config, (bine_tls_renegotiation)3), EINVAL);

    /* Servers refuse what clients ask for, unless told otherwise; OpenSSL's clients then give up. */
    ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_SERVER);
    task = bine_spawn(read_a_refusal, ends.server);
    expect_fails(bine_tls_renegotiate(ends.client), EPROTO);
    expect_str(bine_tls_error(ends.client), "no renegotiation");
    expect_ok(bine_join(task, NULL));
    ends_close(&ends);

    /* One's own configuration. */
    ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_NONE);
    expect_fails(bine_tls_renegotiate(ends.server), EOPNOTSUPP);
    talk(&ends);
    ends_close(&ends);

    /* A client's that refuses. */
    expect_ok(bine_tls_config_renegotiation(world.client_config, BINE_TLS_RENEGOTIATION_NONE));
    ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_SERVER);
    expect_fails(bine_tls_renegotiate(ends.client), EOPNOTSUPP);
    expect_ok(bine_tls_renegotiate(ends.server));
    task = bine_spawn(read_a_refusal, ends.server);
    read_a_refusal(ends.client); /* it says so, and hears that the server gave up */
    expect_ok(bine_join(task, NULL));
    ends_close(&ends);

    /* TLS 1.3 has none. */
    expect_ok(bine_tls_config_renegotiation(world.client_config, BINE_TLS_RENEGOTIATION_BOTH));
    expect_ok(bine_tls_config_versions(world.client_config, BINE_TLS_1_3, BINE_TLS_1_3));
    ends = ends_connected(&world, "server.test");
    expect_fails(bine_tls_renegotiate(ends.client), EOPNOTSUPP);
    expect_fails(bine_tls_renegotiate(ends.server), EOPNOTSUPP);
    talk(&ends);
    ends_close(&ends);
    expect_fails(bine_tls_renegotiate(NULL), EINVAL);
    world_free(&world);
}

/* The server ends the connection instead of answering: an end for a reader, an error for who must shake hands. */
LOOP_TEST(an_end_in_the_middle_of_a_renegotiation)
{
    struct world world = world_make();

    for (int properly = 0; properly < 2; properly++) {
        struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
        char byte;
        if (properly)
            expect_ok(bine_tls_shutdown_write(ends.server));
        else
            expect_ok(bine_shutdown(bine_tls_fd(ends.server), SHUT_WR));
        expect_fails(bine_tls_renegotiate(ends.client), ECONNRESET);
        expect_fails(bine_tls_write(ends.client, "x", 1), ECONNRESET);
        if (properly)
            expect_int(bine_tls_read(ends.client, &byte, 1), ==, 0);
        else
            expect_fails(bine_tls_read(ends.client, &byte, 1), ECONNRESET);
        expect(bine_tls_error(ends.client) != NULL);
        ends_close(&ends);
    }
    world_free(&world);
}

/* What cannot be answered any more is not begun, and what is left to say can still be said. */
LOOP_TEST(an_end_that_is_known_is_not_renegotiated_with)
{
    struct world world = world_make();
    char byte;

    for (int by_server = 0; by_server < 2; by_server++) {
        struct ends ends = ends_of_1_2(&world, BINE_TLS_RENEGOTIATION_BOTH);
        bine_tls *one = by_server ? ends.server : ends.client, *other = by_server ? ends.client : ends.server;
        expect_ok(bine_tls_shutdown_write(other));
        expect_fails(bine_tls_renegotiate(other), EPIPE);
        expect_int(bine_tls_read(one, &byte, 1), ==, 0);
        expect_fails(bine_tls_renegotiate(one), EOPNOTSUPP);
        expect_int(bine_tls_write(one, "x", 1), ==, 1);
        expect_int(bine_tls_read(other, &byte, 1), ==, 1);
        expect_ok(bine_tls_shutdown_write(one));
        expect_int(bine_tls_read(other, &byte, 1), ==, 0);
        ends_close(&ends);
    }
    world_free(&world);
}

SUPPORT_MAIN("tls_renegotiate", a_server_renegotiates_while_both_ends_read_and_write,
             a_client_renegotiates_while_both_ends_read_and_write, a_renegotiation_parks_and_goes_on,
             bytes_that_come_meanwhile_are_read_later, closing_ends_a_wait_for_a_reader,
             a_renegotiation_that_is_cut_short_goes_on, a_renegotiation_is_refused,
             an_end_in_the_middle_of_a_renegotiation, an_end_that_is_known_is_not_renegotiated_with)
