/* SPDX-License-Identifier: MIT
 *
 * A structure goes to and fro between two tasks that wake each other by hand. */
#include "../corpus.h"

static struct {
    int turn, hits;
} ball;
static bine_task *player[2];

static void *play(void *arg)
{
    int me = *(int *)arg;
    for (int i = 0; i < 5; i++) {
        while (ball.turn != me)
            bine_park();
        int hits = ball.hits;
        ball.hits = hits + 1;
        ball.turn = !me;
        if (hits + 1 < 10)
            bine_wake(player[!me]);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {0, 1};
    player[0] = bine_spawn(play, &id[0]);
    player[1] = bine_spawn(play, &id[1]);
    bine_join(player[0], NULL);
    bine_join(player[1], NULL);
    EXPECT(ball.hits == 10);
    return arg;
}
PROGRAM(program)
