/* SPDX-License-Identifier: MIT
 *
 * Both halves of a connection close it when they are done, and between look and close they flush.
 * KIND: DOUBLE-CLOSE STALE-CHECK */
#include "../corpus.h"

static int fds[2];
static int closed;

static void *half(void *arg)
{
    int fd = fds[0];
    bine_sleep(BINE_MS); /* flushes */
#ifdef FIXED
    if (fds[0] < 0)
        return arg;
    fds[0] = -1;
#endif
    if (bine_close(fd) == 0) /* SITE wrote acted */
        closed++;
    return arg;
}

static void *program(void *arg)
{
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    both(half, NULL, half, NULL);
    bine_close(fds[1]);
    EXPECT(closed == 1);
    return arg;
}
PROGRAM(program)
