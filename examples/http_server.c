/* SPDX-License-Identifier: MIT
 *
 * An HTTP/1.1 server for the files of a directory.
 *
 *     http_server [OPTION]... [DIRECTORY]
 *         --address HOST:PORT    where to listen                            (127.0.0.1:8080; port 0: any)
 *         --idle MS              how long a connection may be silent between requests             (30000)
 *         --head MS              how long a request's head may take, and then its body            (10000)
 *         --stalled MS           how long a reader may read nothing                               (30000)
 *         --body BYTES           the largest request body that is read and ignored                (65536)
 *         --connections N        at once; more wait until one ends                             (no limit)
 *
 * Ends cleanly on SIGINT and SIGTERM: it takes no more connections and gives the open ones a second.
 * The work is done in lib/site.c, and it is straight-line code: read a request, answer it, again. */
#include <bine.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/program.h"
#include "lib/site.h"

struct server {
    struct site site;
    const char *address;
    int listener;
    bine_serve_options options;
    bine_task *waiting; /* for a signal */
};

static void *accept_all(void *arg)
{
    struct server *server = arg;
    bine_serve(server->listener, site_serve, &server->site, &server->options);
    if (bine_cancelled())
        return NULL;
    int error = errno;
    bine_cancel(server->waiting); /* what for? nobody is served any more */
    return bine_fail(error);
}

static void *serve_until_signal(void *arg)
{
    struct server *server = arg;
    server->listener = bine_listen("tcp", server->address, 0);
    if (server->listener < 0 || program_print_address(server->listener) < 0)
        return bine_fail(errno);

    bine_result result = {NULL, 0};
    server->waiting = bine_self();
    bine_task *accepting = bine_spawn(accept_all, server);
    if (!accepting)
        return bine_fail(errno);
    int error = program_wait_for_signal() < 0 ? errno : 0;
    bine_stop(accepting, &result);
    if (result.error)
        error = result.error;
    bine_close(server->listener);
    return error ? bine_fail(error) : NULL;
}

static _Noreturn void usage(const char *name, bool asked)
{
    fprintf(asked ? stdout : stderr, "usage: %s [--address HOST:PORT] [--idle MS] [--head MS] [--stalled MS]"
                                     " [--body BYTES]"
                    " [--connections N] [DIRECTORY]\n", name);
    exit(asked ? EXIT_SUCCESS : EXIT_FAILURE);
}

static uint64_t number(const char *name, const char *text)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno || end == text || *end || n > INT32_MAX)
        usage(name, false);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"address", required_argument, NULL, 'a'}, {"idle", required_argument, NULL, 'i'},
        {"head", required_argument, NULL, 'h'},    {"stalled", required_argument, NULL, 's'},
        {"body", required_argument, NULL, 'b'},    {"connections", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'H'},          {NULL, 0, NULL, 0},
    };
    struct server server = {
        .site = SITE_DEFAULTS,
        .address = "127.0.0.1:8080",
        .options = {.grace = BINE_SECOND, .name = "http"},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'a': server.address = optarg; break;
        case 'i': server.site.idle = (bine_ns)number(argv[0], optarg) * BINE_MS; break;
        case 'h': server.site.whole_head = (bine_ns)number(argv[0], optarg) * BINE_MS; break;
        case 's': server.site.stalled = (bine_ns)number(argv[0], optarg) * BINE_MS; break;
        case 'b': server.site.body_limit = number(argv[0], optarg); break;
        case 'c': server.options.max_connections = (unsigned)number(argv[0], optarg); break;
        default: usage(argv[0], option == 'H');
        }
    }
    const char *root = optind < argc ? argv[optind] : ".";
    if (optind + 1 < argc)
        usage(argv[0], false);
    if (site_open(&server.site, root) < 0) {
        perror(root);
        return EXIT_FAILURE;
    }
    program_raise_descriptors();

    bine_result result = {NULL, 0};
    int how = bine_run(serve_until_signal, &server, &result);
    int status = program_end(argv[0], how, result.error);
    site_close(&server.site);
    printf("%" PRIu64 " requests, %" PRIu64 " of them refused\n", server.site.requests, server.site.refused);
    return status;
}
