/* SPDX-License-Identifier: MIT
 *
 * TLS with other implementations' programs at the other end: curl, openssl s_client, openssl s_server.  Each test is
 * left out where the program is not installed. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "support/certificates.h"
#include "support/server.h"

extern char **environ;

/* ---- Programs ---------------------------------------------------------------------------------------- */

struct program {
    pid_t pid;
    int in, out; /* its standard input and output */
};

static bool installed(const char *name)
{
    char command[64];

    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", name);
    if (system(command) == 0)
        return true;
    printf("no %s here: left out\n", name);
    return false;
}

static struct program program_start(char *const arguments[])
{
    struct program program = {0};
    posix_spawn_file_actions_t actions;
    int in[2], out[2];

    expect_ok(pipe2(in, O_CLOEXEC));
    expect_ok(pipe2(out, O_CLOEXEC));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    expect_int(posix_spawnp(&program.pid, arguments[0], &actions, NULL, arguments, environ), ==, 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    program.in = in[1];
    program.out = out[0];
    return program;
}

/* Reads all that it says, and waits for its end: its exit status. */
static int program_end(struct program *program, char *text, size_t size)
{
    size_t used = 0;
    ssize_t n;
    int status = -1;

    while (used < size - 1 && (n = bine_read(program->out, text + used, size - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    for (int i = 0; i < 60000 && waitpid(program->pid, &status, WNOHANG) == 0; i++)
        bine_sleep(BINE_MS);
    bine_close(program->out);
    if (program->in >= 0)
        bine_close(program->in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- Our server -------------------------------------------------------------------------------------- */

struct page_server {
    struct server server;
    bine_tls_config *config;
    char path[3][64]; /* of the authority, the chain, the key */
};

static void serve_page(int fd, void *arg)
{
    struct page_server *pages = arg;
    bine_tls *tls = bine_tls_new(pages->config, fd, NULL);
    bine_stream *stream = bine_tls_stream(tls);
    char line[512], host[64];

    begin(&pages->server);
    if (bine_tls_handshake(tls) == 0) {
        const char *asked = bine_tls_server_name(tls);
        snprintf(host, sizeof host, "%s", asked ? asked : "nobody");
        while (bine_stream_read_line(stream, line, sizeof line) > 2)
            ;
        bine_stream_printf(stream, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\nhello, %s", 7 + strlen(host), host);
        bine_stream_flush(stream);
        bine_stream_shutdown_write(stream);
    }
    expect_ok(bine_stream_close(stream));
    end(&pages->server);
}

static void pages_open(struct page_server *pages, struct world *world, bine_conn_fn *fn)
{
    const char *const text[] = {world->authority.chain, world->server.chain, world->server.key_text};

    pages->config = world->server_config;
    for (int i = 0; i < 3; i++) {
        strcpy(pages->path[i], "/tmp/bine-tls-XXXXXX");
        int fd = mkstemp(pages->path[i]);
        expect_int(write(fd, text[i], strlen(text[i])), >, 0);
        expect_ok(close(fd));
    }
    server_start(&pages->server, fn);
}

static void pages_close(struct page_server *pages)
{
    server_stop(&pages->server, ECANCELED);
    for (int i = 0; i < 3; i++)
        expect_ok(unlink(pages->path[i]));
}

LOOP_TEST(curl_fetches_from_our_server)
{
    struct world world = world_make();
    struct page_server pages = {.config = NULL};
    char url[128], resolve[2][128], text[4096];

    if (!installed("curl"))
        goto end;
    pages_open(&pages, &world, serve_page);
    for (int i = 0; i < 2; i++)
        snprintf(resolve[i], sizeof resolve[i], "%s.test:%d:127.0.0.1", i ? "other" : "server", pages.server.port);
    static const char *const hosts[] = {"server.test", "127.0.0.1", "other.test"};
    for (int i = 0; i < 3; i++) {
        snprintf(url, sizeof url, "https://%s:%d/", hosts[i], pages.server.port);
        struct program curl = program_start((char *[]){"curl", "-sS", "--noproxy", "*", "--max-time", "60", "--cacert",
                                                       pages.path[0], "--resolve", resolve[i == 2], url, NULL});
        const int status = program_end(&curl, text, sizeof text);
        if (i == 2) {
            expect_int(status, ==, 60); /* curl(1): the certificate is not accepted */
        } else {
            expect_int(status, ==, 0);
            expect_str(text, i ? "hello, nobody" : "hello, server.test");
        }
    }
    pages_close(&pages);
end:
    world_free(&world);
}

LOOP_TEST(openssl_talks_to_our_server)
{
    struct world world = world_make();
    struct page_server pages = {.config = NULL};
    static char *const versions[] = {"-tls1_2", "-tls1_3"};
    char address[64], text[8192];

    if (!installed("openssl"))
        goto end;
    pages_open(&pages, &world, serve_page);
    snprintf(address, sizeof address, "127.0.0.1:%d", pages.server.port);
    for (int i = 0; i < 2; i++) {
        struct program client = program_start(
            (char *[]){"openssl", "s_client", "-connect", address, "-CAfile", pages.path[0], "-verify_return_error",
                       "-verify_hostname", "server.test", "-servername", "server.test", "-quiet", versions[i], NULL});
        expect_int(bine_write(client.in, "GET /\n\r\n", 8), ==, 8);
        expect_int(program_end(&client, text, sizeof text), ==, 0);
        expect_has(text, "hello, server.test");
    }
    pages_close(&pages);
end:
    world_free(&world);
}

/* ---- Our client -------------------------------------------------------------------------------------- */

/* "ACCEPT 127.0.0.1:43210", among what it says first; 0: it does not say so. */
static int port_of_server(struct program *server)
{
    char text[512];
    size_t used = 0;
    ssize_t n;

    while (used < sizeof text - 1 && (n = bine_read(server->out, text + used, sizeof text - 1 - used)) > 0) {
        const char *found;
        used += (size_t)n;
        text[used] = '\0';
        found = strstr(text, "ACCEPT 127.0.0.1:");
        if (found && strchr(found, '\n'))
            return atoi(found + 17);
    }
    return 0;
}

LOOP_TEST(we_talk_to_openssls_server)
{
    struct world world = world_make();
    struct page_server pages = {.config = NULL};
    static char *const versions[] = {"-tls1_2", "-tls1_3"};
    char line[1024], text[8192];

    if (!installed("openssl"))
        goto end;
    pages_open(&pages, &world, serve_page);
    for (int i = 0; i < 2; i++) {
        struct program server = program_start((char *[]){"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                                                         pages.path[1], "-key", pages.path[2], "-www", versions[i],
                                                         NULL});
        int port = port_of_server(&server), ok = 0, lines = 0;
        expect_int(port, >, 0);
        for (int round = 0; port > 0 && round < 2; round++) {
            bine_tls *tls = bine_tls_dial(world.client_config, "tcp", at("127.0.0.1", port));
            expect_ok(bine_tls_handshake(tls));
            expect_str(bine_tls_version(tls), i ? "TLSv1.3" : "TLSv1.2");
            bine_stream *stream = bine_tls_stream(tls);
            expect_ok(bine_stream_printf(stream, "GET / HTTP/1.0\r\n\r\n"));
            expect_ok(bine_stream_flush(stream));
            while (bine_stream_read_line(stream, line, sizeof line) > 0) {
                lines++;
                ok += strncmp(line, "HTTP/1.0 200", 12) == 0;
            }
            expect(bine_tls_resumed(tls) == (round == 1));
            expect_ok(bine_stream_close(stream));
        }
        expect_int(ok, ==, 2);
        expect_int(lines, >, 20);
        if (port > 0) {
            bine_tls *tls = bine_tls_dial(world.client_config, "tcp", at("localhost", port));
            expect_fails(bine_tls_handshake(tls), EACCES);
            expect_str(bine_tls_error(tls), "wrong host");
            expect_ok(bine_tls_close(tls));
        }
        expect_ok(kill(server.pid, SIGTERM));
        program_end(&server, text, sizeof text);
    }
    pages_close(&pages);
end:
    world_free(&world);
}

/* ---- Renegotiation: OpenSSL's programs begin it when they are told to ----------------------------------- */

struct talk {
    bine_tls *tls;
    struct program *program;
    unsigned lines; /* that we read */
    unsigned heard; /* and it */
    bool enough, over;
};

static unsigned handshakes; /* done since they are counted: OpenSSL counts only those that this end asked for */

static void count_handshakes(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    handshakes += where == SSL_CB_HANDSHAKE_DONE;
}

/* Whatever the program says, so that it never waits for us. */
static void *drain(void *arg)
{
    struct talk *talk = arg;
    char buf[4096];
    ssize_t n;

    while ((n = bine_read(talk->program->out, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++)
            talk->heard += buf[i] == '~';
    return NULL;
}

static void *write_lines(void *arg)
{
    struct talk *talk = arg;

    while (!talk->enough) {
        if (!expect(bine_tls_write(talk->tls, "~ a line\n", 9) == 9))
            break;
        expect_ok(bine_sleep(100 * BINE_US));
    }
    return NULL;
}

static void *read_lines(void *arg)
{
    struct talk *talk = arg;
    char buf[64];
    ssize_t n;

    while ((n = bine_tls_read(talk->tls, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++)
            talk->lines += buf[i] == '\n';
    expect(talk->enough);
    talk->over = true;
    return NULL;
}

static bool wait_for(const struct talk *talk, const unsigned *count, unsigned n)
{
    for (int i = 0; i < 60000 && *count < n && !talk->over; i++)
        expect_ok(bine_sleep(BINE_MS));
    return expect(*count >= n);
}

/* The program sends a line, begins a renegotiation, sends another, while we read, and write unless it is s_client,
 * which takes what comes between its request and our answer for a breach of protocol. */
static void renegotiate_with(struct talk *talk, const char *command, bool client)
{
    bine_task *reader = bine_spawn(read_lines, talk), *drainer = bine_spawn(drain, talk);
    bine_task *writer = client ? NULL : bine_spawn(write_lines, talk);

    handshakes = 0;
    SSL_set_info_callback(bine_tls_native(talk->tls), count_handshakes);
    for (unsigned i = 0; i < 3; i++) {
        expect_int(bine_write(talk->program->in, "line\n", 5), ==, 5);
        if (!wait_for(talk, &talk->lines, 2 * i + 1))
            break;
        expect_int(bine_write(talk->program->in, command, 2), ==, 2);
        if (!wait_for(talk, &handshakes, i + 1))
            break;
        expect_int(bine_write(talk->program->in, "line\n", 5), ==, 5);
        if (client)
            expect_int(bine_tls_write(talk->tls, "~ a line\n", 9), ==, 9);
        if (!wait_for(talk, &talk->lines, 2 * i + 2) || !wait_for(talk, &talk->heard, i + 1))
            break;
    }
    talk->enough = true;
    if (writer)
        expect_ok(bine_join(writer, NULL));
    expect_ok(kill(talk->program->pid, SIGTERM));
    expect_ok(bine_join(reader, NULL));
    expect_ok(bine_join(drainer, NULL));
}

struct renegotiated {
    struct page_server pages;
    struct program client;
    bool done;
};

static void serve_renegotiation(int fd, void *arg)
{
    struct renegotiated *server = arg;
    bine_tls *tls = bine_tls_new(server->pages.config, fd, NULL);
    struct talk talk = {.tls = tls, .program = &server->client};

    begin(&server->pages.server);
    if (bine_tls_handshake(tls) == 0)
        renegotiate_with(&talk, "R\n", true);
    else
        expect_str(bine_tls_error(tls), "");
    expect_ok(bine_tls_close(tls));
    end(&server->pages.server);
    server->done = true;
}

LOOP_TEST(openssls_client_renegotiates)
{
    struct world world = world_make();
    struct renegotiated server = {.done = false};
    char address[64], text[8192];

    if (!installed("openssl"))
        goto end;
    expect_ok(bine_tls_config_renegotiation(world.server_config, BINE_TLS_RENEGOTIATION_BOTH));
    pages_open(&server.pages, &world, serve_renegotiation);
    snprintf(address, sizeof address, "127.0.0.1:%d", server.pages.server.port);
    server.client = program_start((char *[]){"openssl", "s_client", "-connect", address, "-CAfile",
                                             server.pages.path[0], "-servername", "server.test", "-tls1_2", NULL});
    for (int i = 0; i < 60000 && !server.done; i++)
        expect_ok(bine_sleep(BINE_MS));
    expect(server.done);
    program_end(&server.client, text, sizeof text);
    pages_close(&server.pages);
end:
    world_free(&world);
}

LOOP_TEST(openssls_server_renegotiates)
{
    struct world world = world_make();
    struct page_server pages = {.config = NULL};
    char text[8192];

    if (!installed("openssl"))
        goto end;
    pages_open(&pages, &world, serve_page);
    struct program server = program_start((char *[]){"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                                                     pages.path[1], "-key", pages.path[2], "-tls1_2", NULL});
    int port = port_of_server(&server);
    expect_int(port, >, 0);
    if (port > 0) {
        struct talk talk = {.program = &server};
        talk.tls = bine_tls_dial(world.client_config, "tcp", at("127.0.0.1", port));
        expect_ok(bine_tls_handshake(talk.tls));
        renegotiate_with(&talk, "r\n", false);
        expect_ok(bine_tls_close(talk.tls));
    }
    program_end(&server, text, sizeof text);
    pages_close(&pages);
end:
    world_free(&world);
}

SUPPORT_MAIN("tls_peers", curl_fetches_from_our_server, openssl_talks_to_our_server, we_talk_to_openssls_server,
             openssls_client_renegotiates, openssls_server_renegotiates)
