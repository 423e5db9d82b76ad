/* SPDX-License-Identifier: MIT
 *
 * TLS peers that stay within the protocol and still ask for trouble: answers that are demanded and never
 * taken, a client's certificate shown to one of several hosts, a refusal that comes while the refused one writes. */
#include "support/support.h"

#include "support/certificates.h"
#include "support/sockets.h"
#include "support/tls_ends.h"

/* ---- Answers that nobody takes ------------------------------------------------------------------------- */

enum { UPDATES = 300, ROUNDS = 30, PATIENCE = 1000 /* milliseconds */ };

struct demands {
    bine_tls *tls;
    int rounds; /* written so far */
};

/* Every update of keys demands one in return. */
static void *demand(void *arg)
{
    struct demands *demands = arg;
    SSL *ssl = bine_tls_native(demands->tls);

    const int rounds = support_slow() ? 2 : ROUNDS;

    for (; demands->rounds < rounds; demands->rounds++) {
        for (int i = 0; i < UPDATES; i++) {
            expect_int(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), ==, 1);
            expect_int(SSL_do_handshake(ssl), ==, 1);
        }
        if (!expect(bine_tls_write(demands->tls, "x", 1) == 1))
            return NULL;
    }
    expect_ok(bine_tls_shutdown_write(demands->tls));
    return NULL;
}

static void *read_to_the_end(void *arg)
{
    char buf[256];
    ssize_t n;

    while ((n = bine_tls_read(arg, buf, sizeof buf)) > 0)
        ;
    expect_int(n, ==, 0);
    return NULL;
}

/* A reader that went on would keep all answers in memory.  It stops, so the one who demands has to; and both go
 * on when the answers are taken. */
LOOP_TEST(answers_that_nobody_takes_hold_the_reader_up)
{
    struct world world = world_make();
    struct ends ends;
    struct demands demands = {0};
    bine_task *reader, *writer;
    const int small = 16384;
    int fd[2], before = -1;

    pair_make(PAIR_UNIX, fd);
    for (int i = 0; i < 2; i++)
        expect_ok(setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    demands.tls = ends.client = bine_tls_new(world.client_config, fd[0], "server.test");
    ends.server = bine_tls_new(world.server_config, fd[1], NULL);
    reader = bine_spawn(shake, ends.server);
    expect_ok(bine_tls_handshake(ends.client));
    expect_ok(bine_join(reader, NULL));
    reader = bine_spawn(read_to_the_end, ends.server);
    writer = bine_spawn(demand, &demands);
    while (before < demands.rounds) {
        before = demands.rounds;
        expect_ok(bine_sleep(PATIENCE * BINE_MS));
    }
    expect_int(demands.rounds, <, ROUNDS); /* where all is slow they are too few to tell */
    bine_task *taker = bine_spawn(read_to_the_end, ends.client);
    expect_ok(bine_join(writer, NULL));
    expect_ok(bine_join(reader, NULL));
    expect_ok(bine_tls_shutdown_write(ends.server));
    expect_ok(bine_join(taker, NULL));
    ends_close(&ends);
    world_free(&world);
}

/* ---- Hosts and clients' certificates -------------------------------------------------------------------- */

LOOP_TEST(a_host_of_its_own_demands_what_the_server_demands)
{
    struct world world = world_make();
    struct identity second =
        identity_make((struct wish){.name = "second", .hosts = "DNS:second.test", .by = &world.authority});
    struct identity client = identity_make((struct wish){.name = "client", .by = &world.authority});
    bine_tls_config *other = bine_tls_config_new(BINE_TLS_SERVER);

    identity_use(other, &second);
    identity_use(world.client_config, &client);
    identity_trust(world.server_config, &world.authority);
    expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_REQUIRED));
    expect_ok(bine_tls_config_host(world.server_config, "second.test", other));
    for (bine_tls_protocol version = BINE_TLS_1_2; version <= BINE_TLS_1_3; version++) {
        char name[64];
        expect_ok(bine_tls_config_versions(world.client_config, version, version));
        struct ends ends = ends_connected(&world, "second.test");
        bine_tls_peer(ends.server, name, sizeof name);
        expect_str(name, "CN=client");
        bine_tls_peer(ends.client, name, sizeof name);
        expect_str(name, "CN=second");
        talk(&ends);
        ends_close(&ends);
    }
    bine_tls_config_free(other);
    identity_free(&client);
    identity_free(&second);
    world_free(&world);
}

/* ---- Refusals ------------------------------------------------------------------------------------------- */

static void *refuse(void *arg)
{
    expect_int(bine_tls_handshake(arg), ==, -1);
    expect_int(errno, ==, EACCES);
    expect_ok(bine_tls_close(arg));
    return NULL;
}

/* In TLS 1.3 a client has shaken hands before it is refused, and may be writing by then. */
LOOP_TEST(a_refusal_is_read_by_who_could_not_write)
{
    struct world world = world_make();
    char byte;
    int tries = 0;

    identity_trust(world.server_config, &world.authority);
    expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_REQUIRED));
    expect_ok(bine_tls_config_versions(world.client_config, BINE_TLS_1_3, BINE_TLS_1_3));
    struct ends ends = ends_open(&world, "server.test");
    bine_task *server = bine_spawn(refuse, ends.server);
    expect_ok(bine_tls_handshake(ends.client));
    expect_ok(bine_join(server, NULL));
    while (tries < PATIENCE && bine_tls_write(ends.client, "hello", 5) == 5) {
        tries++;
        expect_ok(bine_sleep(BINE_MS));
    }
    expect_int(tries, <, PATIENCE);
    expect_int(errno, ==, EPIPE);
    expect_int(bine_tls_write(ends.client, "hello", 5), ==, -1);
    expect_int(errno, ==, EPIPE);
    expect_int(bine_tls_read(ends.client, &byte, 1), ==, -1);
    expect_int(errno, ==, EPROTO);
    expect(strstr(bine_tls_error(ends.client), "certificate required"));
    expect_ok(bine_tls_close(ends.client));
    world_free(&world);
}

SUPPORT_MAIN("tls_hostile", answers_that_nobody_takes_hold_the_reader_up,
             a_host_of_its_own_demands_what_the_server_demands, a_refusal_is_read_by_who_could_not_write)
