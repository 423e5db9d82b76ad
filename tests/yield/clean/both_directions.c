/* SPDX-License-Identifier: MIT
 *
 * One task reads and one writes the same socket. */
#include "../corpus.h"

static int fds[2];
static long sent, received;

static void *writer(void *arg)
{
    char block[1000] = {0};
    for (int i = 0; i < 500; i++)
        sent += bine_write_full(fds[0], block, sizeof block);
    bine_shutdown(fds[0], SHUT_WR);
    return arg;
}

static void *echo(void *arg)
{
    char block[4096];
    ssize_t n;
    while ((n = bine_read(fds[1], block, sizeof block)) > 0)
        bine_write_full(fds[1], block, (size_t)n);
    bine_shutdown(fds[1], SHUT_WR);
    return arg;
}

static void *reader(void *arg)
{
    char block[4096];
    ssize_t n;
    while ((n = bine_read(fds[0], block, sizeof block)) > 0)
        received += n;
    return arg;
}

static void *program(void *arg)
{
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    bine_task *e = bine_spawn(echo, NULL);
    both(writer, NULL, reader, NULL);
    bine_join(e, NULL);
    bine_close(fds[0]), bine_close(fds[1]);
    EXPECT(sent == received);
    return arg;
}
PROGRAM(program)
