/* SPDX-License-Identifier: MIT
 *
 * A web server over TLS: every request is answered by what the server knows of the connection.
 *
 *     https_server CHAIN KEY [ADDRESS]     PEM files; ADDRESS: host:port, by default 127.0.0.1:7443
 *     curl --cacert CHAIN https://localhost:7443/
 *
 * The first read of a connection shakes hands, so a client that takes its time over that holds its own task
 * alone; a deadline around it all bounds how long.  Built only where OpenSSL is. */
#include <bine.h>
#include <bine/tls.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/program.h"

enum { MOST = 1000 /* connections at once */ };

static const bine_ns patience = 30 * BINE_SECOND;

struct site {
    bine_tls_config *config;
    const char *address;
};

/* The head of a request, of which nothing is looked at: 0, or -1 at its end or that of patience. */
static int read_head(bine_stream *stream)
{
    char line[1024];

    while (bine_stream_read_line(stream, line, sizeof line) > 0)
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0)
            return 0;
    return -1;
}

static int answer(bine_stream *stream, const bine_tls *tls)
{
    const char *host = bine_tls_server_name(tls), *protocol = bine_tls_alpn(tls);
    char text[512];
    const int length = snprintf(text, sizeof text, "%s, %s, for %s, %s\n", bine_tls_version(tls),
                                protocol ? protocol : "no protocol", host ? host : "nobody by name",
                                bine_tls_resumed(tls) ? "seen before" : "new");

    if (bine_stream_printf(stream, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
                           length, text) != 0)
        return -1;
    return bine_stream_shutdown_write(stream); /* flushes, and says that this was all */
}

static void talk(int fd, void *arg)
{
    const struct site *site = arg;
    bine_tls *tls = bine_tls_new(site->config, fd, NULL);
    bine_stream *stream = tls ? bine_tls_stream(tls) : NULL;

    if (!stream) { /* no memory, and nobody to tell */
        if (tls)
            bine_tls_close(tls);
        return;
    }
    BINE_TIMEOUT(patience) {
        if ((read_head(stream) != 0 || answer(stream, tls) != 0) && bine_tls_error(tls))
            fprintf(stderr, "https_server: %s\n", bine_tls_error(tls));
    }
    bine_stream_close(stream);
}

static void *serve(void *arg)
{
    struct site *site = arg;
    const bine_serve_options options = {.max_connections = MOST, .stack_size = BINE_TLS_STACK_SIZE, .name = "https"};
    int listener = bine_listen("tcp", site->address, 0);

    if (listener < 0 || program_print_address(listener) < 0)
        return bine_fail(errno);
    bine_serve(listener, talk, site, &options); /* returns only if something is wrong */
    return bine_fail(errno);
}

int main(int argc, char **argv)
{
    struct site site = {.config = bine_tls_config_new(BINE_TLS_SERVER),
                        .address = argc > 3 ? argv[3] : "127.0.0.1:7443"};
    bine_result result = {NULL, 0};
    int how;

    if (argc < 3 || !site.config) {
        fprintf(stderr, "usage: https_server CHAIN KEY [ADDRESS]\n");
        return 2;
    }
    if (bine_tls_config_certificate(site.config, argv[1], argv[2]) != 0 ||
        bine_tls_config_alpn(site.config, "http/1.1") != 0) {
        const char *why = bine_tls_config_error(site.config);
        fprintf(stderr, "https_server: %s\n", why ? why : strerror(errno));
        return 1;
    }
    how = bine_run(serve, &site, &result);
    bine_tls_config_free(site.config);
    return program_end(argv[0], how, result.error);
}
