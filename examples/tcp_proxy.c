/* SPDX-License-Identifier: MIT
 *
 * Passes TCP connections on to another address.
 *
 *     tcp_proxy LISTEN TARGET      both host:port; tcp_proxy 127.0.0.1:7009 example.org:80
 *
 * A connection has two directions and so two tasks, each a loop of read and write.  When one side says that
 * it will send no more, that is passed on, and the other direction goes on: half closing works. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/program.h"

#define DIAL_TIMEOUT (10 * BINE_SECOND)
enum { PIECE = 16 * 1024 };

struct direction {
    int from;
    int to;
};

static void *pump(void *arg)
{
    const struct direction *direction = arg;
    char *buf = malloc(PIECE); /* not on the stack: it would stay with each task for its life */
    ssize_t n = -1;
    while (buf && (n = bine_read(direction->from, buf, PIECE)) > 0) {
        if (bine_write_full(direction->to, buf, (size_t)n) < n) {
            n = -1;
            break;
        }
    }
    if (n == 0) {
        bine_shutdown(direction->to, SHUT_WR);
    } else { /* broken or cancelled: then the other direction is of no use either, and meets its end */
        bine_shutdown(direction->from, SHUT_RDWR);
        bine_shutdown(direction->to, SHUT_RDWR);
    }
    free(buf);
    return NULL;
}

static void pass_on(int client, void *target)
{
    int server = -1;
    BINE_TIMEOUT(DIAL_TIMEOUT)
        server = bine_dial("tcp", target);
    if (server < 0) {
        perror(target);
        return; /* bine_serve() closes the client's connection */
    }
    struct direction there = {client, server};
    struct direction back = {server, client};
    bine_task *backward = bine_spawn(pump, &back);
    if (backward) {
        pump(&there);
        if (bine_join(backward, NULL) < 0) /* cancelled: it must not outlive .back */
            bine_stop(backward, NULL);
    }
    bine_close(server);
}

struct program {
    const char *address;
    char *target;
};

static void *serve(void *arg)
{
    struct program *program = arg;
    int listener = bine_listen("tcp", program->address, 0);
    if (listener < 0 || program_print_address(listener) < 0)
        return bine_fail(errno);
    bine_serve(listener, pass_on, program->target, NULL);
    return bine_fail(errno);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s LISTEN TARGET\n", argv[0]);
        return EXIT_FAILURE;
    }
    struct program program = {argv[1], argv[2]};
    bine_result result = {NULL, 0};
    program_raise_descriptors();
    int how = bine_run(serve, &program, &result);
    return program_end(argv[0], how, result.error);
}
