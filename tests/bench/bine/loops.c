/* SPDX-License-Identifier: MIT
 *
 * bine's side of the work over several loops: an echo server, a task a connection.
 *
 *   loops PORT LOOPS own      each loop has a listener of its own, and the kernel shares the connections out
 *   loops PORT LOOPS shared   all accept from one listener that was made before them
 *
 * It serves until it is ended by a signal. */
#include <bine.h>

#include <errno.h>
#include <unistd.h>

#include "../measure.h"

enum { BUFFER = 4096 };

static char address[32];
static int shared = -1;

static void serve_echo(int fd, void *arg)
{
    char buffer[BUFFER];
    ssize_t n;
    (void)arg;
    while ((n = bine_read(fd, buffer, sizeof buffer)) > 0)
        if (bine_write_full(fd, buffer, (size_t)n) != n)
            break;
}

static void *serve(void *arg)
{
    int listener = shared != -1 ? shared : bine_listen("tcp", address, 0);
    (void)arg;
    if (listener < 0)
        return bine_fail(errno);
    bine_serve(listener, serve_echo, NULL, NULL);
    return bine_fail(errno);
}

int main(int argc, char **argv)
{
    const char *how = argc == 4 ? argv[3] : "";
    snprintf(address, sizeof address, "127.0.0.1:%ld", count_argument(argc, argv, 1, 0));
    unsigned loops = (unsigned)count_argument(argc, argv, 2, 1);
    if (strcmp(how, "shared") == 0) {
        shared = bine_listen("tcp", address, 0);
    } else if (strcmp(how, "own") != 0) {
        fprintf(stderr, "usage: loops PORT LOOPS own | shared\n");
        return 2;
    }
    bine_cluster(loops, serve, NULL);
    perror("bine_cluster");
    return 1;
}
