/* SPDX-License-Identifier: MIT
 *
 * A descriptor's number comes back, and its old owner knows that it has none any more. */
#include "../corpus.h"

static void *use(void *arg)
{
    for (int i = 0; i < 4; i++) {
        int fds[2];
        char c;
        bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
        bine_write(fds[0], "x", 1);
        bine_sleep(BINE_MS);
        bine_read(fds[1], &c, 1);
        bine_close(fds[0]);
        bine_yield();
        bine_close(fds[1]);
    }
    return arg;
}

static void *program(void *arg)
{
    both(use, NULL, use, NULL);
    return arg;
}
PROGRAM(program)
