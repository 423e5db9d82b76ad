/* SPDX-License-Identifier: MIT
 *
 * The demo: a web server that serves this repository's files, and a thousand clients that fetch them.
 *
 *     demo [--seconds N] [--clients N] [--root DIRECTORY]          defaults: 5, 1000, .
 *     demo --serve [--port N] [--root DIRECTORY]                   the server alone, for a browser; port 8080
 *
 * Server and clients are tasks of one loop, on one processor, and talk over real loopback sockets.  Every
 * answer is compared with the file, byte for byte.  Exits with 0 only if nothing at all went wrong. */
#include <bine.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/demo.h"
#include "lib/program.h"
#include "lib/site.h"

/* Descriptors that a client takes: its socket, the server's, and the file being sent; and some to spare. */
enum { DESCRIPTORS_A_CLIENT = 3, DESCRIPTORS_SPARE = 64 };

static struct demo demo;
static struct site site = SITE_DEFAULTS;
static size_t clients = 1000;
static int seconds = 5;
static int port = -1;
static bool serve_only;

static void *accept_all(void *listener)
{
    bine_serve_options options = {.name = "server", .grace = BINE_SECOND};
    bine_serve(*(int *)listener, site_serve, &site, &options);
    return bine_cancelled() ? NULL : bine_fail(errno);
}

/* Runs the clients for a while, and waits until the last has had its answer. */
static int drive(void)
{
    bine_attr attr = {.name = "client"};
    bine_task **tasks = calloc(clients, sizeof *tasks);
    long resident = demo_resident();
    bine_ns start = bine_now();
    size_t spawned = 0;
    while (tasks && spawned < clients && (tasks[spawned] = bine_spawn_with(&attr, demo_client, &demo)))
        spawned++;
    int error = spawned < clients ? errno : 0;
    for (int second = 1; !error && second <= seconds; second++) {
        if (bine_sleep_until(start + second * BINE_SECOND) < 0)
            error = errno;
        demo_report_progress(&demo, second);
    }
    struct demo_crowd crowd;
    demo_look(&crowd);

    demo.over = true;
    for (size_t i = 0; i < spawned; i++)
        if (bine_join(tasks[i], NULL) < 0)
            bine_stop(tasks[i], NULL);
    demo_report(&demo, &crowd, resident, bine_now() - start);
    free(tasks);
    errno = error;
    return error ? -1 : 0;
}

static void *run(void *arg)
{
    char address[32];
    bine_result result = {NULL, 0};
    (void)arg;
    snprintf(address, sizeof address, "127.0.0.1:%d", port < 0 ? 0 : port);
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0 || program_address(listener, demo.address, sizeof demo.address) < 0)
        return bine_fail(errno);
    bine_task *server = bine_spawn(accept_all, &listener);
    if (!server)
        return bine_fail(errno);

    printf("serving %s at http://%s/\n", site.root, demo.address);
    if (!serve_only)
        printf("%zu clients fetch %zu files of %.1f MB for %d s\n", clients, demo.files.count,
               (double)demo.files.bytes / 1e6, seconds);
    fflush(stdout);
    int error = (serve_only ? program_wait_for_signal() : drive()) < 0 ? errno : 0;
    if (bine_stop(server, &result) < 0 || result.error)
        error = result.error ? result.error : errno;
    bine_close(listener);
    return error ? bine_fail(error) : NULL;
}

static _Noreturn void usage(const char *name, bool asked)
{
    fprintf(asked ? stdout : stderr, "usage: %s [--seconds N] [--clients N] [--root DIRECTORY]\n"
                                     "       %s --serve [--port N] [--root DIRECTORY]\n", name, name);
    exit(asked ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void take_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"clients", required_argument, NULL, 'c'},
        {"root", required_argument, NULL, 'r'},    {"port", required_argument, NULL, 'p'},
        {"serve", no_argument, NULL, 'S'},         {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    site.root = ".";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 's': seconds = atoi(optarg); break;
        case 'c': clients = (size_t)atoi(optarg); break;
        case 'r': site.root = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'S': serve_only = true; break;
        default: usage(argv[0], option == 'h');
        }
    }
    if (serve_only && port < 0)
        port = 8080;
    if (optind < argc || seconds < 1 || seconds > 86400 || clients < 1 || clients > 100000 || port > 65535)
        usage(argv[0], false);
}

int main(int argc, char **argv)
{
    take_options(argc, argv);
    size_t descriptors = program_raise_descriptors();
    size_t most = 1;
    if (descriptors > DESCRIPTORS_SPARE + DESCRIPTORS_A_CLIENT)
        most = (descriptors - DESCRIPTORS_SPARE) / DESCRIPTORS_A_CLIENT;
    if (!serve_only && clients > most) {
        printf("only %zu clients: ulimit -Hn allows no more descriptors\n", most);
        clients = most;
    }
    if ((!serve_only && demo_files_read(&demo.files, site.root) < 0) || site_open(&site, site.root) < 0) {
        perror(site.root);
        return EXIT_FAILURE;
    }
    bine_result result = {NULL, 0};
    int how = bine_run(run, NULL, &result);
    int status = program_end(argv[0], how, result.error);
    site_close(&site);
    demo_files_free(&demo.files);
    return demo.errors > 0 || (!serve_only && demo.requests == 0) ? EXIT_FAILURE : status;
}
