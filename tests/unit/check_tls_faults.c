/* SPDX-License-Identifier: MIT
 *
 * TLS where something is wrong: certificates that must be refused, peers that cut, reset, send garbage or nothing,
 * calls that fail.  Between the two ends stands a relay that does to the bytes what the test likes. */
#include "support/support.h"

#include <fcntl.h>

#include "support/certificates.h"
#include "support/fault.h"
#include "support/sockets.h"
#include "support/tls_ends.h"

/* ---- The relay --------------------------------------------------------------------------------------- */

enum cut { CUT_NOT, CUT_END, CUT_RESET, CUT_SPOIL };

struct direction {
    int from, to;
    enum cut cut;
    size_t after; /* bytes that pass before that */
    bool bytewise;
    size_t passed;
};

struct relay {
    struct direction way[2]; /* to the client, to the server */
    bine_task *tasks[2];
    int fd[2];
};

static void reset(int fd)
{
    const struct linger hard = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)bine_close(fd);
}

static void *pass(void *arg)
{
    struct direction *way = arg;
    char buf[1024];
    ssize_t n;

    while ((n = bine_read(way->from, buf, way->bytewise ? 1 : sizeof buf)) > 0) {
        size_t all = (size_t)n;
        if (way->cut != CUT_NOT && way->passed + all > way->after) {
            if (way->cut == CUT_SPOIL) {
                buf[way->after - way->passed] ^= 0x20;
                way->cut = CUT_NOT;
            } else {
                all = way->after - way->passed;
            }
        }
        if (all > 0 && bine_write_full(way->to, buf, all) != (ssize_t)all)
            break;
        way->passed += all;
        if (way->cut == CUT_RESET && way->passed >= way->after) {
            reset(way->to);
            reset(way->from);
            return NULL;
        }
        if (way->cut == CUT_END && way->passed >= way->after)
            break;
    }
    (void)bine_shutdown(way->to, SHUT_WR);
    return NULL;
}

static void relay_start(struct relay *relay, int fd[2])
{
    int client[2], server[2];

    pair_make(PAIR_TCP, client);
    pair_make(PAIR_TCP, server);
    fd[0] = client[0];
    fd[1] = server[0];
    relay->fd[0] = client[1];
    relay->fd[1] = server[1];
    for (int i = 0; i < 2; i++) {
        relay->way[i].from = relay->fd[!i];
        relay->way[i].to = relay->fd[i];
        relay->tasks[i] = bine_spawn(pass, &relay->way[i]);
    }
}

static void relay_stop(struct relay *relay)
{
    for (int i = 0; i < 2; i++)
        expect_ok(bine_stop(relay->tasks[i], NULL));
    for (int i = 0; i < 2; i++)
        (void)bine_close(relay->fd[i]); /* it may be closed */
}

/* ---- Two ends ---------------------------------------------------------------------------------------- */

struct end {
    bine_tls *tls;
    bine_ns patience; /* 0: for ever */
    int result, error; /* of all that it did */
    char why[160];
};

/* Hands shaken, a byte there and a byte back, and the end. */
static void *converse(void *arg)
{
    struct end *end = arg;
    char byte = 'x';
    bine_scope scope;

    bine_scope_open(&scope, end->patience ? end->patience : BINE_FOREVER);
    end->result = bine_tls_handshake(end->tls);
    if (end->result == 0 && bine_tls_write(end->tls, &byte, 1) != 1)
        end->result = -1;
    if (end->result == 0 && bine_tls_read(end->tls, &byte, 1) != 1)
        end->result = -1;
    if (end->result == 0)
        end->result = bine_tls_shutdown_write(end->tls);
    if (end->result == 0 && bine_tls_read(end->tls, &byte, 1) != 0)
        end->result = -1;
    end->error = end->result == 0 ? 0 : errno;
    snprintf(end->why, sizeof end->why, "%s", bine_tls_error(end->tls) ? bine_tls_error(end->tls) : "");
    (void)bine_tls_close(end->tls);
    bine_scope_close(&scope);
    return NULL;
}

static void meet(struct world *world, const char *host, struct relay *relay, struct end ends[2])
{
    int fd[2];
    bine_task *tasks[2];

    if (relay)
        relay_start(relay, fd);
    else
        pair_make(PAIR_TCP, fd);
    ends[0].tls = bine_tls_new(world->client_config, fd[0], host);
    ends[1].tls = bine_tls_new(world->server_config, fd[1], NULL);
    expect(ends[0].tls && ends[1].tls);
    for (int i = 0; i < 2; i++)
        tasks[i] = bine_spawn(converse, &ends[i]);
    for (int i = 0; i < 2; i++)
        expect_ok(bine_join(tasks[i], NULL));
    if (relay)
        relay_stop(relay);
}

/* ---- Certificates ------------------------------------------------------------------------------------ */

/* The client refuses, for this reason. */
static void refused(struct world *world, const char *host, const char *why)
{
    struct end ends[2] = {{0}, {0}};

    meet(world, host, NULL, ends);
    expect_int(ends[0].result, ==, -1);
    expect_int(ends[0].error, ==, EACCES);
    expect_str(ends[0].why, why);
    expect_int(ends[1].result, ==, -1); /* and the server is told */
    expect(ends[1].error == EPROTO || ends[1].error == ECONNRESET || ends[1].error == EPIPE);
}

static void accepted(struct world *world, const char *host)
{
    struct end ends[2] = {{0}, {0}};

    meet(world, host, NULL, ends);
    for (int i = 0; i < 2; i++) {
        expect_int(ends[i].result, ==, 0);
        expect_str(ends[i].why, "");
    }
}

static void with_certificate(struct world *world, struct wish wish, const char *why)
{
    struct identity identity;

    wish.name = "wrong";
    if (!wish.hosts)
        wish.hosts = "DNS:server.test";
    identity = identity_make(wish);
    identity_use(world->server_config, &identity);
    refused(world, "server.test", why);
    identity_free(&identity);
}

LOOP_TEST(a_client_refuses_bad_certificates_by_name)
{
    struct world world = world_make();
    struct identity stranger = authority_make("Stranger");

    for (int version = 0; version < 2; version++) {
        expect_ok(bine_tls_config_versions(world.client_config, version ? BINE_TLS_1_3 : BINE_TLS_1_2,
                                           version ? BINE_TLS_1_3 : BINE_TLS_1_2));
        with_certificate(&world, (struct wish){.by = &world.authority, .from = -7200, .until = -3600},
                         "certificate expired");
        with_certificate(&world, (struct wish){.by = &world.authority, .from = 3600}, "certificate not yet valid");
        with_certificate(&world, (struct wish){0}, "self-signed certificate");
        with_certificate(&world, (struct wish){.by = &stranger}, "unknown authority");
        with_certificate(&world, (struct wish){.by = &world.authority, .hosts = "DNS:other.test"}, "wrong host");
        with_certificate(&world, (struct wish){.by = &world.authority, .purpose = "clientAuth"},
                         "certificate for another purpose");
        identity_use(world.server_config, &world.server);
        refused(&world, "other.test", "wrong host");
        refused(&world, "a.b.wild.test", "wrong host"); /* a star is one label */
        refused(&world, "wild.test", "wrong host");
        refused(&world, "127.0.0.2", "wrong host");
        refused(&world, "::1", "wrong host");
        accepted(&world, "server.test");
        accepted(&world, "a.wild.test");
        accepted(&world, "127.0.0.1");
    }
    identity_free(&stranger);
    world_free(&world);
}

LOOP_TEST(a_client_told_to_verify_nothing_talks_to_anybody)
{
    struct world world = world_make();
    struct identity self = identity_make((struct wish){.name = "self", .from = -7200, .until = -3600});

    identity_use(world.server_config, &self);
    expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_NONE));
    accepted(&world, "server.test");
    accepted(&world, NULL);
    /* What was resumable then is not once verification is back. */
    expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED));
    refused(&world, "server.test", "self-signed certificate");
    identity_free(&self);
    world_free(&world);
}

LOOP_TEST(a_server_refuses_clients_without_a_good_certificate)
{
    struct world world = world_make();
    struct identity stranger = authority_make("Stranger");
    struct identity fake = identity_make((struct wish){.name = "fake", .by = &stranger});
    struct end ends[2] = {{0}, {0}};

    identity_trust(world.server_config, &world.authority);
    for (int version = 0; version < 2; version++) {
        bine_tls_config *bare = bine_tls_config_new(BINE_TLS_CLIENT), *trusted = world.client_config;
        identity_trust(bare, &world.authority);
        world.client_config = bare;
        expect_ok(bine_tls_config_versions(bare, version ? BINE_TLS_1_3 : BINE_TLS_1_2,
                                           version ? BINE_TLS_1_3 : BINE_TLS_1_2));
        expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_REQUIRED));
        meet(&world, "server.test", NULL, ends);
        expect_int(ends[1].error, ==, EACCES);
        expect_str(ends[1].why, "no certificate");
        expect_int(ends[0].result, ==, -1);
        expect_has(ends[0].why, "the peer's alert: ");
        expect_int(ends[0].error, ==, EPROTO);
        identity_use(bare, &fake);
        for (int optional = 0; optional < 2; optional++) {
            expect_ok(bine_tls_config_verify(world.server_config, optional ? BINE_TLS_VERIFY_OPTIONAL
                                                                           : BINE_TLS_VERIFY_REQUIRED));
            meet(&world, "server.test", NULL, ends);
            expect_int(ends[1].error, ==, EACCES);
            expect_str(ends[1].why, "unknown authority");
            expect_int(ends[0].result, ==, -1);
        }
        world.client_config = trusted;
        bine_tls_config_free(bare);
    }
    identity_free(&fake);
    identity_free(&stranger);
    world_free(&world);
}

/* The server's certificates are its own and so many of links, the last of which the authority has signed. */
static void with_links(struct world *world, const struct identity *links, size_t count)
{
    struct identity server =
        identity_make((struct wish){.name = "server", .hosts = "DNS:server.test", .by = &links[count - 1]});
    const size_t room = (count + 1) * (strlen(links[0].chain) + 256);
    char *chain = calloc(1, room);

    strcpy(chain, server.chain);
    for (size_t i = count; i-- > 0;)
        strcat(chain, links[i].chain);
    expect_ok(bine_tls_config_certificate_pem(world->server_config, chain, strlen(chain), server.key_text,
                                              strlen(server.key_text)));
    free(chain);
    identity_free(&server);
}

LOOP_TEST(long_chains_are_followed_and_endless_ones_refused)
{
    enum { LONG = 30, TOO_LONG = 110, TOO_LARGE = 400 };
    struct world world = world_make();
    struct identity links[TOO_LARGE];
    struct end ends[2] = {{0}, {0}};

    for (int i = 0; i < TOO_LONG; i++) {
        char name[16];
        snprintf(name, sizeof name, "link %d", i);
        links[i] = identity_make((struct wish){
            .name = name, .by = i ? &links[i - 1] : &world.authority, .authority = true});
    }
    for (int i = TOO_LONG; i < TOO_LARGE; i++)
        links[i] = links[TOO_LONG - 1]; /* again and again */
    with_links(&world, links, TOO_LONG);
    refused(&world, "server.test", "certificate chain too long");
    with_links(&world, links, TOO_LARGE);
    meet(&world, "server.test", NULL, ends);
    expect_int(ends[0].error, ==, EPROTO);
    expect_str(ends[0].why, "excessive message size");
    expect_int(ends[1].result, ==, -1);
    with_links(&world, links, LONG); /* the last: a ticket of it would do for all */
    accepted(&world, "server.test");
    for (int i = 0; i < TOO_LONG; i++)
        identity_free(&links[i]);
    world_free(&world);
}

LOOP_TEST(ends_that_have_nothing_in_common_say_so)
{
    struct world world = world_make();
    struct end ends[2] = {{0}, {0}};

    expect_ok(bine_tls_config_alpn(world.server_config, "h2"));
    expect_ok(bine_tls_config_alpn(world.client_config, "http/1.1"));
    meet(&world, "server.test", NULL, ends);
    expect_int(ends[1].error, ==, EPROTO);
    expect_str(ends[1].why, "no application protocol in common");
    expect_int(ends[0].error, ==, EPROTO);
    expect_has(ends[0].why, "the peer's alert: ");
    expect_ok(bine_tls_config_alpn(world.client_config, "h2"));
    expect_ok(bine_tls_config_versions(world.server_config, BINE_TLS_1_3, BINE_TLS_1_3));
    expect_ok(bine_tls_config_versions(world.client_config, BINE_TLS_1_2, BINE_TLS_1_2));
    meet(&world, "server.test", NULL, ends);
    for (int i = 0; i < 2; i++)
        expect_int(ends[i].error, ==, EPROTO);
    expect_ok(bine_tls_config_versions(world.client_config, BINE_TLS_1_2, BINE_TLS_1_3));
    accepted(&world, "server.test");
    world_free(&world);
}

/* ---- Peers that cut, reset, spoil -------------------------------------------------------------------- */

/* However the connection ends at whatever byte: both ends fail, or it was over. */
static void cut_everywhere(enum cut cut, bine_tls_protocol version)
{
    struct world world = world_make();
    const size_t step = support_slow() ? 397 : 41;
    size_t all[2];

    expect_ok(bine_tls_config_versions(world.client_config, version, version));
    for (int way = -1; way < 2; way++) {
        for (size_t after = 0; after == 0 || (way >= 0 && after < all[way]); after += step) {
            struct relay relay = {0};
            struct end ends[2] = {{0}, {0}};
            expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED)); /* no tickets */
            if (way >= 0)
                relay.way[way] = (struct direction){.cut = cut, .after = after};
            meet(&world, "server.test", &relay, ends);
            if (way < 0) { /* the first passes whole, and tells how much there is to cut */
                all[0] = relay.way[0].passed;
                all[1] = relay.way[1].passed;
                expect_int(ends[0].result, ==, 0);
                expect_int(ends[1].result, ==, 0);
                break;
            }
            expect(ends[0].result != 0 || ends[1].result != 0);
            for (int i = 0; i < 2; i++)
                if (ends[i].result != 0) {
                    expect(ends[i].error == ECONNRESET || ends[i].error == EPIPE || ends[i].error == EPROTO);
                    expect(ends[i].why[0] != '\0');
                }
        }
    }
    world_free(&world);
}

LOOP_TEST(a_connection_may_end_at_any_byte)
{
    cut_everywhere(CUT_END, BINE_TLS_1_2);
    cut_everywhere(CUT_END, BINE_TLS_1_3);
}

LOOP_TEST(a_connection_may_be_reset_at_any_byte)
{
    cut_everywhere(CUT_RESET, BINE_TLS_1_2);
    cut_everywhere(CUT_RESET, BINE_TLS_1_3);
}

/* A bit that is wrong anywhere is found by one end at least, or was of no consequence (a version's low byte). */
LOOP_TEST(a_connection_may_be_spoilt_at_any_byte)
{
    struct world world = world_make();
    int found = 0, tried = 0;

    for (int way = 0; way < 2; way++)
        for (size_t after = 3; after < 900; after += support_slow() ? 199 : 23) {
            struct relay relay = {0};
            /* A length made larger: the rest never comes. */
            struct end ends[2] = {{.patience = 100 * BINE_MS}, {.patience = 100 * BINE_MS}};
            relay.way[way] = (struct direction){.cut = CUT_SPOIL, .after = after};
            expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED));
            meet(&world, "server.test", &relay, ends);
            tried++;
            found += ends[0].result != 0 || ends[1].result != 0;
        }
    expect_int(found, >, tried / 2);
    world_free(&world);
}

LOOP_TEST(bytes_may_come_one_by_one)
{
    struct world world = world_make();
    struct relay relay = {.way = {{.bytewise = true}, {.bytewise = true}}};
    struct end ends[2] = {{0}, {0}};

    meet(&world, "server.test", &relay, ends);
    for (int i = 0; i < 2; i++)
        expect_int(ends[i].result, ==, 0);
    world_free(&world);
}

LOOP_TEST(an_end_without_close_notify_is_no_end)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    char buf[8];

    expect_int(bine_tls_write(ends.client, "abc", 3), ==, 3);
    expect_ok(shutdown(bine_tls_fd(ends.client), SHUT_WR));
    expect_int(bine_tls_read(ends.server, buf, sizeof buf), ==, 3); /* what came before is good */
    expect_fails(bine_tls_read(ends.server, buf, sizeof buf), ECONNRESET);
    expect_has(bine_tls_error(ends.server), "truncated");
    expect_fails(bine_tls_read(ends.server, buf, sizeof buf), ECONNRESET); /* and so ever after */
    expect_fails(bine_tls_write(ends.server, "x", 1), ECONNRESET);
    ends_close(&ends);
    world_free(&world);
}

LOOP_TEST(what_is_no_tls_is_refused)
{
    struct world world = world_make();
    uint64_t seed = 42;

    for (int round = 0; round < 40; round++) {
        const bool client = round % 2;
        char noise[300] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        int fd[2];
        if (round > 1)
            for (size_t i = 0; i < sizeof noise; i++)
                noise[i] = (char)support_random(&seed);
        pair_make(PAIR_TCP, fd);
        bine_tls *tls = client ? bine_tls_new(world.client_config, fd[0], "server.test")
                               : bine_tls_new(world.server_config, fd[0], NULL);
        expect_int(bine_write(fd[1], noise, sizeof noise), ==, sizeof noise);
        expect_ok(bine_shutdown(fd[1], SHUT_WR));
        expect_int(bine_tls_handshake(tls), ==, -1);
        expect(errno == EPROTO || errno == ECONNRESET);
        expect(bine_tls_error(tls) != NULL);
        expect_ok(bine_tls_close(tls));
        expect_ok(bine_close(fd[1]));
    }
    world_free(&world);
}

/* ---- Calls that fail ---------------------------------------------------------------------------------- */

/* Whichever call fails: the two ends still end, and nothing is left behind. */
LOOP_TEST(a_conversation_survives_the_failure_of_any_call)
{
    struct world world = world_make();
    bool more = true;
    int failed = 0;

    for (long nth = 1; more && nth < 400; nth += support_slow() ? 7 : 1) {
        struct end ends[2] = {{0}, {0}};
        bine_task *tasks[2] = {NULL, NULL};
        int fd[2];
        pair_make(PAIR_TCP, fd);
        fault_arm(nth);
        ends[0].tls = bine_tls_new(world.client_config, fd[0], "server.test");
        ends[1].tls = bine_tls_new(world.server_config, fd[1], NULL);
        for (int i = 0; i < 2; i++) {
            tasks[i] = ends[i].tls ? bine_spawn(converse, &ends[i]) : NULL;
            if (!tasks[i]) {
                if (ends[i].tls)
                    expect_ok(bine_tls_close(ends[i].tls));
                else
                    expect_ok(bine_close(fd[i]));
            }
        }
        for (int i = 0; i < 2; i++)
            if (tasks[i])
                expect_ok(bine_join(tasks[i], NULL));
        more = fault_injected() > 0;
        fault_disarm();
        failed += ends[0].result != 0 || ends[1].result != 0;
    }
    expect(support_slow() || !more);
    expect_int(failed, >, 0);
    world_free(&world);
}

SUPPORT_MAIN("tls_faults", a_client_refuses_bad_certificates_by_name,
             a_client_told_to_verify_nothing_talks_to_anybody,
             a_server_refuses_clients_without_a_good_certificate,
             long_chains_are_followed_and_endless_ones_refused, ends_that_have_nothing_in_common_say_so,
             a_connection_may_end_at_any_byte, a_connection_may_be_reset_at_any_byte,
             a_connection_may_be_spoilt_at_any_byte, bytes_may_come_one_by_one,
             an_end_without_close_notify_is_no_end, what_is_no_tls_is_refused,
             a_conversation_survives_the_failure_of_any_call)
