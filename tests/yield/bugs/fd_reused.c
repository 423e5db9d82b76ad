/* SPDX-License-Identifier: MIT
 *
 * A descriptor's number is kept across a wait; meanwhile it is closed, and the number belongs to another file.
 * KIND: FD-REUSED */
#include "../corpus.h"

static int a[2], b[2];

static void *writer(void *arg)
{
    int fd = a[0];
    bine_write(fd, "1", 1);
    bine_sleep(10 * BINE_MS);
#ifdef FIXED
    if (a[0] < 0)
        return arg;
#endif
    bine_write(fd, "2", 1); /* SITE acted */
    return arg;
}

static void *closer(void *arg)
{
    bine_sleep(BINE_MS);
    int fd = a[0];
    a[0] = -1;
    bine_close(fd); /* SITE wrote */
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    return arg;
}

static void *program(void *arg)
{
    char got;
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    both(writer, NULL, closer, NULL);
    EXPECT(bine_recv(b[1], &got, 1, MSG_DONTWAIT) < 0);
    bine_close(a[1]), bine_close(b[0]), bine_close(b[1]);
    return arg;
}
PROGRAM(program)
