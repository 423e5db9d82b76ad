/* SPDX-License-Identifier: MIT
 *
 * Two tasks read a message of eight bytes each from one stream, which comes in pieces: each may get parts of both.
 * KIND: FD-BUSY */
#include "../corpus.h"

static int fds[2];
#ifdef FIXED
static bine_mutex turn = BINE_MUTEX_INIT;
#endif

static void *reader(void *arg)
{
    char message[8];
#ifdef FIXED
    bine_mutex_lock(&turn);
#endif
    ssize_t n = bine_read_full(fds[0], message, sizeof message); /* SITE looked wrote */
#ifdef FIXED
    bine_mutex_unlock(&turn);
#endif
    EXPECT(n == (ssize_t)sizeof message);
    return arg;
}

static void *sender(void *arg)
{
    for (int i = 0; i < 4; i++) {
        bine_sleep(BINE_MS);
        bine_write(fds[1], "1234", 4);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    bine_task *s = bine_spawn(sender, NULL);
    both(reader, NULL, reader, NULL);
    bine_join(s, NULL);
    bine_close(fds[0]), bine_close(fds[1]);
    return arg;
}
PROGRAM(program)
