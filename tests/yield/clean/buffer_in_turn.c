/* SPDX-License-Identifier: MIT
 *
 * One buffer for all connections, each of which has it to itself between a lock and an unlock: what is received goes
 * through it to the other side in pieces, and is printed from it. */
#include "../corpus.h"

static char shared[64];
static bine_mutex turn = BINE_MUTEX_INIT;
static long moved;

static void *relay(void *arg)
{
    const int *fds = arg;
    for (;;) {
        bine_mutex_lock(&turn);
        bine_ns before = bine_now();
        ssize_t n = -1;
        BINE_TIMEOUT(BINE_MS)
            n = bine_read(fds[0], shared, sizeof shared - 1);
        if (n <= 0 && bine_now() - before < BINE_MS) {
            bine_mutex_unlock(&turn);
            return NULL;
        }
        if (n > 0) {
            char line[80];
            shared[n] = '\0';
            bine_sleep(BINE_MS);
            snprintf(line, sizeof line, "%s", shared);
            bine_write_full(fds[1], shared, (size_t)n);
            EXPECT(strlen(line) == (size_t)n);
            moved += n;
        }
        bine_mutex_unlock(&turn);
        bine_yield();
    }
}

static void *feed(void *arg)
{
    const int *fds = arg;
    char back[16];
    for (int i = 0; i < 5; i++) {
        bine_write_full(fds[0], "some bytes", 10);
        bine_read_full(fds[1], back, 10);
        EXPECT(memcmp(back, "some bytes", 10) == 0);
    }
    bine_shutdown(fds[0], SHUT_WR);
    return NULL;
}

static void *program(void *arg)
{
    int in[2][2], out[2][2], relays[2][2], feeds[2][2];
    bine_task *tasks[4];
    for (int i = 0; i < 2; i++) {
        bine_socketpair(AF_UNIX, SOCK_STREAM, 0, in[i]);
        bine_socketpair(AF_UNIX, SOCK_STREAM, 0, out[i]);
        relays[i][0] = in[i][1], relays[i][1] = out[i][0];
        feeds[i][0] = in[i][0], feeds[i][1] = out[i][1];
        tasks[i] = bine_spawn(relay, relays[i]);
        tasks[2 + i] = bine_spawn(feed, feeds[i]);
    }
    for (int i = 0; i < 4; i++)
        bine_join(tasks[i], NULL);
    EXPECT(moved == 100);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            bine_close(in[i][k]);
            bine_close(out[i][k]);
        }
    return arg;
}
PROGRAM(program)
