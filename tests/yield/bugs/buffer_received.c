/* SPDX-License-Identifier: MIT
 *
 * A command is received into one buffer for all connections, logged, which waits, and then looked at.
 * KIND: CLOBBERED */
#include "../corpus.h"

enum { SIZE = 64 };
#ifndef FIXED
static char shared[SIZE];
#endif
static int sold, bought;

static void *connection(void *arg)
{
    int fd = *(int *)arg;
#ifdef FIXED
    char buffer[SIZE], *command = buffer;
#else
    char *command = shared;
#endif
    if (bine_read(fd, command, SIZE - 1) < 4) /* SITE looked wrote */
        return NULL;
    bine_sleep(BINE_MS); /* SITE gave-up */
    if (command[0] == 's') /* SITE acted */
        sold++;
    else
        bought++;
    return NULL;
}

static void *program(void *arg)
{
    int seller[2], buyer[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, seller);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, buyer);
    bine_write_full(seller[1], "sell", 4);
    bine_write_full(buyer[1], "buy!", 4);
    both(connection, &seller[0], connection, &buyer[0]);
    EXPECT(sold == 1 && bought == 1);
    for (int i = 0; i < 2; i++) {
        bine_close(seller[i]);
        bine_close(buyer[i]);
    }
    return arg;
}
PROGRAM(program)
