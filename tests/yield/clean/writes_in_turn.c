/* SPDX-License-Identifier: MIT
 *
 * Messages to one socket, each written whole under a lock, or so short that they go at once. */
#include "../corpus.h"

enum { SIZE = 300000 };
static int fds[2];
static bine_mutex turn = BINE_MUTEX_INIT;
static char message[2][SIZE];

static void *speaker(void *arg)
{
    bine_mutex_lock(&turn);
    bine_write_full(fds[0], arg, SIZE);
    bine_write_full(fds[0], arg, 10);
    bine_mutex_unlock(&turn);
    return NULL;
}

static void *listener(void *arg)
{
    static char got[2 * SIZE + 20];
    bine_read_full(fds[1], got, sizeof got);
    EXPECT(memcmp(got, got + 1, SIZE + 9) == 0);
    return arg;
}

static void *program(void *arg)
{
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    memset(message[0], 'a', SIZE);
    memset(message[1], 'b', SIZE);
    bine_task *reader = bine_spawn(listener, NULL);
    both(speaker, message[0], speaker, message[1]);
    bine_join(reader, NULL);
    bine_close(fds[0]), bine_close(fds[1]);
    return arg;
}
PROGRAM(program)
