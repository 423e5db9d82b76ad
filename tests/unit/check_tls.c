/* SPDX-License-Identifier: MIT
 *
 * TLS where all goes well: handshakes, transfers, what is agreed upon, resumption, streams.  Refusals and faults are
 * check_tls_faults.c; other implementations' programs as peers, check_tls_peers.c. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>

#include "support/certificates.h"
#include "support/server.h"
#include "support/sockets.h"
#include "support/tls_ends.h"

LOOP_TEST(both_versions_shake_hands_talk_and_end)
{
    static const bine_tls_protocol versions[] = {BINE_TLS_1_2, BINE_TLS_1_3};
    struct world world = world_make();

    for (int i = 0; i < 2; i++) {
        char name[64], byte;
        expect_ok(bine_tls_config_versions(world.client_config, versions[i], versions[i]));
        struct ends ends = ends_connected(&world, "server.test");
        talk(&ends);
        expect_str(bine_tls_version(ends.client), i ? "TLSv1.3" : "TLSv1.2");
        expect_str(bine_tls_version(ends.server), i ? "TLSv1.3" : "TLSv1.2");
        expect_str(bine_tls_server_name(ends.server), "server.test");
        expect_int(bine_tls_peer(ends.client, name, sizeof name), ==, 9);
        expect_str(name, "CN=server");
        expect_int(bine_tls_peer(ends.client, name, 4), ==, 9);
        expect_str(name, "CN=");
        expect_int(bine_tls_peer(ends.server, name, sizeof name), ==, 0);
        expect(!bine_tls_alpn(ends.client) && !bine_tls_error(ends.client) && bine_tls_native(ends.client));
        expect_int(bine_tls_fd(ends.client), >=, 0);
        expect_int(bine_tls_read(ends.client, &byte, 0), ==, 0);
        expect_int(bine_tls_write(ends.client, NULL, 0), ==, 0);
        /* One direction ends, the other goes on. */
        expect_ok(bine_tls_shutdown_write(ends.client));
        expect_ok(bine_tls_shutdown_write(ends.client));
        expect_fails(bine_tls_write(ends.client, "x", 1), EPIPE);
        expect_int(bine_tls_read(ends.server, &byte, 1), ==, 0);
        expect_int(bine_tls_read(ends.server, &byte, 1), ==, 0);
        expect_int(bine_tls_write(ends.server, "y", 1), ==, 1);
        expect_int(bine_tls_read(ends.client, &byte, 1), ==, 1);
        expect_ok(bine_tls_close(ends.server)); /* says so, too */
        expect_int(bine_tls_read(ends.client, &byte, 1), ==, 0);
        expect_ok(bine_tls_close(ends.client));
    }
    world_free(&world);
}

/* Whoever reads or writes first shakes hands, and two tasks may do so at once. */
LOOP_TEST(the_first_read_or_write_shakes_hands)
{
    struct world world = world_make();
    struct ends ends = ends_open(&world, "server.test");
    bine_task *tasks[] = {bine_spawn(read_a_byte, ends.client), bine_spawn(read_a_byte, ends.server)};

    expect_ok(bine_yield());
    expect_int(bine_tls_write(ends.client, "c", 1), ==, 1);
    expect_int(bine_tls_write(ends.server, "s", 1), ==, 1);
    for (int i = 0; i < 2; i++)
        expect_ok(bine_join(tasks[i], NULL));
    ends_close(&ends);
    world_free(&world);
}

/* With a key of the other kind; where making one takes too long, of the same. */
static struct identity identity_with_rsa(const struct identity *by)
{
    struct identity made = identity_make((struct wish){.name = "rsa", .hosts = "DNS:server.test", .by = by});

    if (support_slow())
        return made;
    EVP_PKEY_free(made.key);
    made.key = EVP_RSA_gen(2048u);
    X509_set_pubkey(made.certificate, made.key);
    expect_int(X509_sign(made.certificate, by->key, EVP_sha256()), >, 0);
    identity_write(&made);
    return made;
}

static void *shake_and_close(void *arg)
{
    expect_ok(bine_tls_handshake(arg));
    expect_ok(bine_tls_shutdown_write(arg));
    return NULL;
}

LOOP_TEST(a_small_stack_is_enough_for_a_handshake)
{
    struct world world = world_make();
    struct identity rsa = identity_with_rsa(&world.authority);
    bine_attr attr = BINE_ATTR_INIT;

    attr.stack_size = support_instrumented() ? 4 * BINE_TLS_STACK_SIZE : BINE_TLS_STACK_SIZE;
    identity_trust(world.server_config, &world.authority);
    expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_REQUIRED));
    identity_use(world.client_config, &rsa);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            identity_use(world.server_config, &rsa);
        expect_ok(bine_tls_config_versions(world.client_config, i % 2 ? BINE_TLS_1_3 : BINE_TLS_1_2,
                                           i % 2 ? BINE_TLS_1_3 : BINE_TLS_1_2));
        expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED));
        struct ends ends = ends_open(&world, "server.test");
        bine_task *tasks[] = {bine_spawn_with(&attr, shake_and_close, ends.client),
                              bine_spawn_with(&attr, shake_and_close, ends.server)};
        for (int side = 0; side < 2; side++)
            expect_ok(bine_join(tasks[side], NULL));
        ends_close(&ends);
    }
    identity_free(&rsa);
    world_free(&world);
}

/* ---- Many bytes -------------------------------------------------------------------------------------- */

LOOP_TEST(large_transfers_go_both_ways_at_once)
{
    struct world world = world_make();

    for (int version = 0; version < 2; version++) {
        expect_ok(bine_tls_config_versions(world.client_config, version ? BINE_TLS_1_3 : BINE_TLS_1_2,
                                           version ? BINE_TLS_1_3 : BINE_TLS_1_2));
        struct ends ends = ends_connected(&world, "server.test");
        flow_both_ways(&ends, support_slow() ? LOTS / 16 : LOTS);
        talk(&ends);
        ends_close(&ends);
    }
    world_free(&world);
}

/* ---- New keys while bytes flow ----------------------------------------------------------------------- */

struct renewal {
    struct ends *ends;
    bool stop;
    int asked;
};

static void *renew(void *arg)
{
    struct renewal *renewal = arg;

    for (int i = 0; i < 10 && !renewal->stop; i++) {
        /* Not while the last one is still under way. */
        renewal->asked += SSL_key_update(bine_tls_native(renewal->ends->client), SSL_KEY_UPDATE_REQUESTED);
        renewal->asked += SSL_key_update(bine_tls_native(renewal->ends->server), SSL_KEY_UPDATE_REQUESTED);
        for (int turns = 0; turns < 20; turns++)
            expect_ok(bine_yield());
    }
    return NULL;
}

LOOP_TEST(keys_are_updated_while_both_ends_write_and_read)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    struct renewal renewal = {.ends = &ends};
    bine_task *task = bine_spawn(renew, &renewal);

    flow_both_ways(&ends, LOTS / 8);
    renewal.stop = true;
    expect_ok(bine_join(task, NULL));
    expect_int(renewal.asked, >, 0);
    talk(&ends);
    ends_close(&ends);
    world_free(&world);
}

/* ---- What is agreed upon ----------------------------------------------------------------------------- */

LOOP_TEST(the_server_prefers_among_application_protocols)
{
    struct world world = world_make();
    char longest[256] = "";

    struct ends ends = ends_connected(&world, "server.test");
    expect(!bine_tls_alpn(ends.client));
    ends_close(&ends);
    expect_ok(bine_tls_config_alpn(world.server_config, "h2,http/1.1"));
    ends = ends_connected(&world, "server.test"); /* a client that offers none is served */
    expect(!bine_tls_alpn(ends.server));
    ends_close(&ends);
    expect_ok(bine_tls_config_alpn(world.client_config, "http/1.1,h2"));
    ends = ends_connected(&world, "server.test");
    expect_str(bine_tls_alpn(ends.client), "h2");
    expect_str(bine_tls_alpn(ends.server), "h2");
    ends_close(&ends);
    memset(longest, 'p', sizeof longest - 1);
    expect_ok(bine_tls_config_alpn(world.server_config, longest));
    expect_ok(bine_tls_config_alpn(world.client_config, longest));
    ends = ends_connected(&world, "server.test");
    expect_str(bine_tls_alpn(ends.client), longest);
    ends_close(&ends);
    expect_fails(bine_tls_config_alpn(world.client_config, ""), EINVAL);
    expect_fails(bine_tls_config_alpn(world.client_config, "h2,,x"), EINVAL);
    expect_fails(bine_tls_config_alpn(world.client_config, NULL), EINVAL);
    world_free(&world);
}

LOOP_TEST(a_server_has_a_certificate_for_each_host)
{
    struct world world = world_make();
    struct identity second =
        identity_make((struct wish){.name = "second", .hosts = "DNS:second.test", .by = &world.authority});
    struct identity third =
        identity_make((struct wish){.name = "third", .hosts = "DNS:*.third.test", .by = &world.authority});
    static const char *const hosts[][2] = {
        {"server.test", "CN=server"}, {"second.test", "CN=second"}, {"SECOND.test", "CN=second"},
        {"a.third.test", "CN=third"}, {"b.third.test", "CN=third"}, {"any.wild.test", "CN=server"}};
    bine_tls_config *others[] = {bine_tls_config_new(BINE_TLS_SERVER), bine_tls_config_new(BINE_TLS_SERVER)};

    identity_use(others[0], &second);
    identity_use(others[1], &third);
    expect_ok(bine_tls_config_host(world.server_config, "second.test", others[0]));
    expect_ok(bine_tls_config_host(world.server_config, "*.third.test", others[1]));
    expect_fails(bine_tls_config_host(world.server_config, "", others[1]), EINVAL);
    expect_fails(bine_tls_config_host(world.server_config, "x", world.server_config), EINVAL);
    expect_fails(bine_tls_config_host(world.client_config, "x", others[0]), EINVAL);
    for (int i = 0; i < 2; i++)
        bine_tls_config_free(others[i]); /* the first one keeps them */
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char name[64];
        struct ends ends = ends_connected(&world, hosts[i][0]);
        bine_tls_peer(ends.client, name, sizeof name);
        expect_str(name, hosts[i][1]);
        ends_close(&ends);
    }
    identity_free(&second);
    identity_free(&third);
    world_free(&world);
}

LOOP_TEST(a_complete_name_is_expected_without_its_dot)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test.");

    expect_str(bine_tls_server_name(ends.server), "server.test");
    ends_close(&ends);
    world_free(&world);
}

LOOP_TEST(a_server_is_known_by_its_address_too)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "127.0.0.1");

    expect(!bine_tls_server_name(ends.server)); /* addresses are not told */
    ends_close(&ends);
    world_free(&world);
}

LOOP_TEST(tickets_shorten_the_next_handshake)
{
    struct world world = world_make();

    for (int version = 0; version < 2; version++) {
        expect_ok(bine_tls_config_versions(world.client_config, version ? BINE_TLS_1_3 : BINE_TLS_1_2,
                                           version ? BINE_TLS_1_3 : BINE_TLS_1_2));
        expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED)); /* forgets */
        struct ends ends = ends_connected(&world, "server.test");
        expect(!bine_tls_resumed(ends.client));
        talk(&ends); /* with the first bytes the tickets come */
        ends_close(&ends);
        ends = ends_connected(&world, "server.test");
        expect(bine_tls_resumed(ends.client));
        expect(bine_tls_resumed(ends.server));
        expect_str(bine_tls_server_name(ends.server), "server.test"); /* known all the same */
        talk(&ends);
        ends_close(&ends);
        ends = ends_connected(&world, "127.0.0.1"); /* somebody else, so far as the client knows */
        expect(!bine_tls_resumed(ends.client));
        talk(&ends);
        ends_close(&ends);
        expect_ok(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_REQUIRED));
        ends = ends_connected(&world, "server.test");
        expect(!bine_tls_resumed(ends.client));
        ends_close(&ends);
    }
    for (int i = 0; i < 40; i++) { /* more servers than there is room for */
        char host[32];
        snprintf(host, sizeof host, "s%d.wild.test", i);
        struct ends ends = ends_connected(&world, host);
        talk(&ends);
        ends_close(&ends);
    }
    world_free(&world);
}

LOOP_TEST(clients_show_their_certificates)
{
    struct world world = world_make();
    struct identity me = identity_make((struct wish){.name = "client", .by = &world.authority});
    char name[64];

    identity_trust(world.server_config, &world.authority);
    expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_OPTIONAL));
    struct ends ends = ends_connected(&world, "server.test");
    expect_int(bine_tls_peer(ends.server, name, sizeof name), ==, 0);
    ends_close(&ends);
    identity_use(world.client_config, &me);
    for (int i = 0; i < 3; i++) { /* resumed, too */
        expect_ok(bine_tls_config_verify(world.server_config, BINE_TLS_VERIFY_REQUIRED));
        ends = ends_connected(&world, i == 0 ? "server.test" : "x.wild.test");
        expect_int(bine_tls_peer(ends.server, name, sizeof name), ==, 9);
        expect_str(name, "CN=client");
        talk(&ends);
        ends_close(&ends);
    }
    identity_free(&me);
    world_free(&world);
}

/* ---- Dialling, and the system's authorities ---------------------------------------------------------- */

struct echo_server {
    struct server server;
    bine_tls_config *config;
};

static void serve_echo_with(int fd, void *arg)
{
    struct echo_server *echo = arg;
    bine_tls *tls = bine_tls_new(echo->config, fd, NULL);
    char buf[64];
    ssize_t n;

    begin(&echo->server);
    while ((n = bine_tls_read(tls, buf, sizeof buf)) > 0)
        expect_int(bine_tls_write(tls, buf, (size_t)n), ==, n);
    expect_int(n, ==, 0);
    expect_ok(bine_tls_close(tls));
    end(&echo->server);
}

LOOP_TEST(a_server_is_dialled_with_the_systems_authorities)
{
    struct world world = world_make();
    struct echo_server echo = {.config = world.server_config,
                               .server.options = {.stack_size = BINE_TLS_STACK_SIZE}};
    bine_tls_config *config = bine_tls_config_new(BINE_TLS_CLIENT);
    char path[] = "/tmp/bine-tls-XXXXXX", buf[8];
    int file = mkstemp(path);

    /* Some hundred, as systems have, and ours at the end. */
    for (int i = 0; i < 100; i++) {
        struct identity other = authority_make("Somebody Else");
        expect_int(write(file, other.chain, strlen(other.chain)), >, 0);
        identity_free(&other);
    }
    expect_int(write(file, world.authority.chain, strlen(world.authority.chain)), >, 0);
    expect_ok(close(file));
    expect_ok(setenv("SSL_CERT_FILE", path, 1));
    server_start(&echo.server, serve_echo_with);
    for (int i = 0; i < 2; i++) {
        bine_tls *tls = bine_tls_dial(config, "tcp", at("127.0.0.1", echo.server.port));
        expect_int(bine_tls_write(tls, "hello", 5), ==, 5);
        expect_int(bine_tls_read(tls, buf, sizeof buf), ==, 5);
        expect(bine_tls_resumed(tls) == (i == 1));
        expect_ok(bine_tls_close(tls));
    }
    expect_null(bine_tls_dial(config, "unix", "/x"), EINVAL);
    expect_null(bine_tls_dial(world.server_config, "tcp", "127.0.0.1:1"), EINVAL);
    expect_null(bine_tls_dial(NULL, "tcp", "127.0.0.1:1"), EINVAL);
    for (int i = 0; i < 1000 && echo.server.now; i++)
        expect_ok(bine_sleep(BINE_MS));
    server_stop(&echo.server, ECANCELED);
    expect_null(bine_tls_dial(config, "tcp", at("127.0.0.1", echo.server.port)), ECONNREFUSED);
    expect_ok(unsetenv("SSL_CERT_FILE"));
    expect_ok(unlink(path));
    bine_tls_config_free(config);
    world_free(&world);
}

/* ---- Streams ----------------------------------------------------------------------------------------- */

static void *answer_lines(void *arg)
{
    bine_stream *stream = arg;
    char line[64];
    ssize_t n;

    while ((n = bine_stream_read_line(stream, line, sizeof line)) > 0) {
        expect_ok(bine_stream_printf(stream, "you said %s", line));
        expect_ok(bine_stream_flush(stream));
    }
    expect_int(n, ==, 0);
    expect_ok(bine_stream_shutdown_write(stream));
    return NULL;
}

LOOP_TEST(streams_over_tls_read_lines_and_end)
{
    struct world world = world_make();
    struct ends ends = ends_open(&world, "server.test");
    bine_stream *client = bine_tls_stream(ends.client), *server = bine_tls_stream(ends.server);
    bine_task *task = bine_spawn(answer_lines, server);
    char line[64];

    expect_int(bine_stream_fd(client), ==, bine_tls_fd(ends.client));
    for (int i = 0; i < 50; i++) {
        expect_ok(bine_stream_printf(client, "number %d\n", i));
        expect_ok(bine_stream_flush(client));
        expect_int(bine_stream_read_line(client, line, sizeof line), >, 0);
        expect(strncmp(line, "you said number ", 16) == 0 && atoi(line + 16) == i);
    }
    expect_ok(bine_stream_shutdown_write(client));
    expect_int(bine_stream_read_line(client, line, sizeof line), ==, 0);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_stream_close(client));
    expect_ok(bine_stream_close(server));
    expect_null(bine_tls_stream(NULL), EINVAL);
    world_free(&world);
}

/* Nothing is lost, and nothing comes twice. */
LOOP_TEST(a_stream_over_tls_goes_on_after_its_deadlines)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    bine_stream *client = bine_tls_stream(ends.client), *server = bine_tls_stream(ends.server);
    enum { MUCH = 8 << 20 };
    char *text = malloc(MUCH), *got = malloc(MUCH);
    int result = -1, cut = 0;
    size_t have = 0;

    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char)(i * 131 % 253);
    expect_ok(bine_stream_set_limits(client, 0, MUCH));
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_stream_read(server, got, 1), ETIMEDOUT);
    expect_ok(bine_stream_write(client, text, MUCH));
    for (int turns = 0; turns < 100000 && (result != 0 || have < MUCH); turns++) {
        if (result != 0)
            BINE_TIMEOUT(BINE_MS) {
                result = bine_stream_flush(client);
                cut += result != 0 && expect(errno == ETIMEDOUT);
            }
        BINE_TIMEOUT(BINE_MS) {
            ssize_t n = bine_stream_read(server, got + have, 60000);
            have += n > 0 ? (size_t)n : 0;
        }
    }
    expect_int(result, ==, 0);
    expect_int(cut, >, 0);
    expect_uint(have, ==, MUCH);
    expect(memcmp(text, got, MUCH) == 0);
    free(text);
    free(got);
    expect_ok(bine_stream_close(client));
    expect_ok(bine_stream_close(server));
    world_free(&world);
}

static void *read_until_closed(void *arg)
{
    char byte;
    expect_fails(bine_stream_read(arg, &byte, 1), EBADF);
    return NULL;
}

LOOP_TEST(a_stream_over_tls_closed_under_its_reader_wakes_it)
{
    struct world world = world_make();
    struct ends ends = ends_connected(&world, "server.test");
    bine_stream *stream = bine_tls_stream(ends.client);
    bine_task *task = bine_spawn(read_until_closed, stream);

    for (int i = 0; i < 5; i++)
        expect_ok(bine_yield());
    expect_fails(bine_stream_close(stream), EBUSY);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_stream_close(stream));
    expect_ok(bine_tls_close(ends.server));
    world_free(&world);
}

/* ---- Configurations ---------------------------------------------------------------------------------- */

LOOP_TEST(configurations_refuse_what_cannot_be)
{
    struct world world = world_make();
    struct identity other = authority_make("Other");
    char path[] = "/tmp/bine-tls-XXXXXX";
    BIO *bio = BIO_new(BIO_s_mem());

    expect_null(bine_tls_config_new((bine_tls_role)7), EINVAL);
    expect_fails(bine_tls_config_certificate_pem(world.server_config, "x", 1, "y", 1), EINVAL);
    expect_has(bine_tls_config_error(world.server_config), "cannot read the certificate");
    expect_fails(bine_tls_config_certificate_pem(world.server_config, other.chain, strlen(other.chain), "y", 1),
                 EINVAL);
    expect_has(bine_tls_config_error(world.server_config), "cannot read the key");
    expect_fails(bine_tls_config_certificate_pem(world.server_config, other.chain, strlen(other.chain),
                                                 world.server.key_text, strlen(world.server.key_text)),
                 EINVAL);
    expect_has(bine_tls_config_error(world.server_config), "the key is not the certificate's");
    /* A key under a password is refused, and nobody is asked for one. */
    expect_int(PEM_write_bio_PrivateKey(bio, other.key, EVP_aes_128_cbc(), (const unsigned char *)"pw", 2, NULL,
                                        NULL), ==, 1);
    free(other.key_text);
    other.key_text = text_of_bio(bio);
    expect_fails(bine_tls_config_certificate_pem(world.server_config, other.chain, strlen(other.chain),
                                                 other.key_text, strlen(other.key_text)), EINVAL);
    expect_fails(bine_tls_config_trust_pem(world.client_config, "nothing", 7), EINVAL);
    expect_fails(bine_tls_config_trust_pem(world.client_config, NULL, 7), EINVAL);
    expect_fails(bine_tls_config_trust(world.client_config, "/nosuch"), ENOENT);
    expect_fails(bine_tls_config_certificate(world.client_config, "/nosuch", "/nosuch"), ENOENT);
    expect_fails(bine_tls_config_certificate(world.client_config, NULL, NULL), EINVAL);
    expect_fails(bine_tls_config_verify(world.client_config, BINE_TLS_VERIFY_OPTIONAL), EINVAL);
    expect_fails(bine_tls_config_verify(NULL, BINE_TLS_VERIFY_NONE), EINVAL);
    expect_fails(bine_tls_config_versions(world.client_config, BINE_TLS_1_3, BINE_TLS_1_2), EINVAL);
    expect(!bine_tls_config_native(NULL) && bine_tls_config_native(world.client_config));
    expect(!bine_tls_config_error(NULL));
    /* From files. */
    int file = mkstemp(path);
    expect_int(write(file, world.server.chain, strlen(world.server.chain)), >, 0);
    expect_int(write(file, world.server.key_text, strlen(world.server.key_text)), >, 0);
    expect_ok(close(file));
    expect_ok(bine_tls_config_trust(world.server_config, path));
    expect_fails(bine_tls_config_certificate(world.server_config, path, "/dev/null"), EINVAL);
    expect_ok(unlink(path));
    identity_free(&other);
    world_free(&world);
}

START_TEST(configurations_are_set_up_outside_a_loop)
{
    struct world world = world_make();
    char path[2][32] = {"/tmp/bine-tls-XXXXXX", "/tmp/bine-tls-XXXXXX"};
    const char *const text[] = {world.server.chain, world.server.key_text};

    for (int i = 0; i < 2; i++) {
        int file = mkstemp(path[i]);
        expect_int(write(file, text[i], strlen(text[i])), >, 0);
        expect_ok(close(file));
    }
    expect_ok(bine_tls_config_certificate(world.server_config, path[0], path[1]));
    expect_ok(bine_tls_config_trust(world.client_config, path[0]));
    expect_fails(bine_tls_config_certificate(world.server_config, path[1], path[0]), EINVAL);
    for (int i = 0; i < 2; i++)
        expect_ok(unlink(path[i]));
    world_free(&world);
    support_settle();
}
END_TEST

SUPPORT_MAIN("tls", both_versions_shake_hands_talk_and_end, the_first_read_or_write_shakes_hands,
             a_small_stack_is_enough_for_a_handshake,
             large_transfers_go_both_ways_at_once, keys_are_updated_while_both_ends_write_and_read,
             the_server_prefers_among_application_protocols,
             a_server_has_a_certificate_for_each_host, a_complete_name_is_expected_without_its_dot,
             a_server_is_known_by_its_address_too,
             tickets_shorten_the_next_handshake, clients_show_their_certificates,
             a_server_is_dialled_with_the_systems_authorities, streams_over_tls_read_lines_and_end,
             a_stream_over_tls_goes_on_after_its_deadlines, a_stream_over_tls_closed_under_its_reader_wakes_it,
             configurations_refuse_what_cannot_be, configurations_are_set_up_outside_a_loop)
