/* SPDX-License-Identifier: MIT
 *
 * A server counts its connections once the greeting is sent, and accepts more than it may.
 * KIND: STALE-CHECK */
#include "../corpus.h"

enum { LIMIT = 1 };
static int clients, refused;

static void *connection(void *arg)
{
    int fd = *(int *)arg;
    if (clients >= LIMIT) { /* SITE looked */
        refused++;
        return NULL;
    }
#ifdef FIXED
    clients++;
#endif
    char greeting[8];
    bine_read_full(fd, greeting, sizeof greeting); /* SITE gave-up */
#ifndef FIXED
    clients++; /* SITE wrote acted */
#endif
    return NULL;
}

static void *dialer(void *arg)
{
    bine_sleep(BINE_MS);
    bine_write_full(*(int *)arg, "welcome", 8);
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    bine_task *one = bine_spawn(dialer, &a[1]), *two = bine_spawn(dialer, &b[1]);
    both(connection, &a[0], connection, &b[0]);
    bine_join(one, NULL);
    bine_join(two, NULL);
    EXPECT(clients <= LIMIT);
    bine_close(a[0]), bine_close(a[1]), bine_close(b[0]), bine_close(b[1]);
    return arg;
}
PROGRAM(program)
