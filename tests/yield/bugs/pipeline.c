/* SPDX-License-Identifier: MIT
 *
 * The answer that is expected next is remembered in the connection, not with the request.
 * KIND: CLOBBERED */
#include "../corpus.h"

static struct {
    int expected;
    int fd[2];
} redis;

static void *request(void *arg)
{
    int id = *(int *)arg, answer = 0;
#ifdef FIXED
    static bine_mutex turn = BINE_MUTEX_INIT;
    int expected = id;
    bine_mutex_lock(&turn);
    bine_write(redis.fd[0], &id, sizeof id);
    bine_read(redis.fd[0], &answer, sizeof answer);
    bine_mutex_unlock(&turn);
    EXPECT(answer == expected);
#else
    redis.expected = id;                            /* SITE looked wrote */
    bine_write(redis.fd[0], &id, sizeof id);
    bine_read(redis.fd[0], &answer, sizeof answer); /* SITE gave-up */
    EXPECT(answer == redis.expected);               /* SITE acted */
#endif
    return NULL;
}

static void *server(void *arg)
{
    int id;
    while (bine_read(redis.fd[1], &id, sizeof id) == (ssize_t)sizeof id) {
        bine_sleep(BINE_MS);
        bine_write(redis.fd[1], &id, sizeof id);
    }
    return arg;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    bine_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, redis.fd);
    bine_task *it = bine_spawn(server, NULL);
    both(request, &id[0], request, &id[1]);
    bine_close(redis.fd[0]);
    bine_join(it, NULL);
    bine_close(redis.fd[1]);
    return arg;
}
PROGRAM(program)
