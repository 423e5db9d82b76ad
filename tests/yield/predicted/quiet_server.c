/* SPDX-License-Identifier: MIT
 *
 * Two connections change one counter around a read; the second client speaks when the first has left.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static int visitors;

static void *connection(void *arg)
{
    char c = 0;
    int fd = *(int *)arg;
    bine_read(fd, &c, 1);
#ifdef FIXED
    bine_read(fd, &c, 1);
    int n = visitors;
#else
    int n = visitors;     /* SITE looked */
    bine_read(fd, &c, 1); /* SITE gave-up */
#endif
    visitors = n + 1; /* SITE wrote acted */
    return NULL;
}

static void *clients(void *arg)
{
    int *fd = arg;
    for (int i = 0; i < 2; i++) {
        bine_write(fd[i], "a", 1);
        bine_sleep(BINE_MS);
        bine_write(fd[i], "b", 1);
        bine_sleep(BINE_MS);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2], mine[2], theirs[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    mine[0] = a[0], mine[1] = b[0], theirs[0] = a[1], theirs[1] = b[1];
    bine_task *c = bine_spawn(clients, theirs);
    both(connection, &mine[0], connection, &mine[1]);
    bine_join(c, NULL);
    bine_close(a[0]), bine_close(a[1]), bine_close(b[0]), bine_close(b[1]);
    EXPECT(visitors == 2);
    return arg;
}
PROGRAM(program)
