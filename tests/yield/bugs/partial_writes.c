/* SPDX-License-Identifier: MIT
 *
 * Two tasks write a message each to one socket, larger than its buffer: the messages are mixed.
 * KIND: FD-BUSY */
#include "../corpus.h"

enum { SIZE = 1 << 20 };
static int fds[2];
static char message[2][SIZE];
#ifdef FIXED
static bine_mutex turn = BINE_MUTEX_INIT;
#endif

static void *speaker(void *arg)
{
#ifdef FIXED
    bine_mutex_lock(&turn);
#endif
    bine_write_full(fds[0], arg, SIZE); /* SITE looked wrote */
#ifdef FIXED
    bine_mutex_unlock(&turn);
#endif
    return NULL;
}

static void *listener(void *arg)
{
    static char got[2 * SIZE];
    bine_read_full(fds[1], got, sizeof got);
    EXPECT(memcmp(got, got + 1, SIZE - 1) == 0);
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
