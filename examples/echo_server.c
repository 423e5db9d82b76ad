/* SPDX-License-Identifier: MIT
 *
 * An echo server: the shortest useful program.
 *
 *     echo_server [ADDRESS]        ADDRESS: host:port, by default 127.0.0.1:7007; port 0 takes any
 *     nc 127.0.0.1 7007
 *
 * echo() runs once for each connection, in a task of its own.  It reads as if it were alone: where
 * bine_read() would block, the other connections' tasks run. */
#include <bine.h>

#include <errno.h>

#include "lib/program.h"

static void echo(int fd, void *arg)
{
    char buf[1024];
    ssize_t n;
    (void)arg;
    while ((n = bine_read(fd, buf, sizeof buf)) > 0)
        if (bine_write_full(fd, buf, (size_t)n) < n)
            break; /* the client is gone; bine_serve() closes fd */
}

static void *serve(void *address)
{
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0 || program_print_address(listener) < 0)
        return bine_fail(errno);
    bine_serve(listener, echo, NULL, NULL); /* returns only if something is wrong */
    return bine_fail(errno);
}

int main(int argc, char **argv)
{
    static char usual[] = "127.0.0.1:7007";
    bine_result result = {NULL, 0};
    int how = bine_run(serve, argc > 1 ? argv[1] : usual, &result);
    return program_end(argv[0], how, result.error);
}
