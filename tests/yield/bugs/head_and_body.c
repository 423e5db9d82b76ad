/* SPDX-License-Identifier: MIT
 *
 * Two tasks answer on one connection, a head and a body each: the body is larger than what the socket takes, and
 * the other's head is written while it waits.
 * KIND: FD-BUSY
 * STAGGERED: no */
#include "../corpus.h"

enum { SIZE = 700000 };
static int fds[2];
static char body[SIZE];
#ifdef FIXED
static bine_mutex turn = BINE_MUTEX_INIT;
#endif

static void *answer(void *arg)
{
    char head[16];
    snprintf(head, sizeof head, "%d\n", SIZE);
#ifdef FIXED
    bine_mutex_lock(&turn);
#endif
    bine_write_full(fds[0], head, strlen(head)); /* SITE wrote */
    bine_write_full(fds[0], body, SIZE);         /* SITE looked */
#ifdef FIXED
    bine_mutex_unlock(&turn);
#endif
    return arg;
}

static void *client(void *arg)
{
    static char got[2 * (SIZE + 7)];
    EXPECT(bine_read_full(fds[1], got, sizeof got) == (ssize_t)sizeof got);
    return arg;
}

static void *program(void *arg)
{
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    bine_task *reader = bine_spawn(client, NULL);
    both(answer, NULL, answer, NULL);
    bine_join(reader, NULL);
    bine_close(fds[0]), bine_close(fds[1]);
    return arg;
}
PROGRAM(program)
