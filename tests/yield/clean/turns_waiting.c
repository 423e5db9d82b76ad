/* SPDX-License-Identifier: MIT
 *
 * Two tasks wait for their turns.  The first turn is there already and needs no wait, the second comes later: what a
 * task looked at in one turn it sets in the next. */
#include "../corpus.h"

static bine_sem turns[2] = {BINE_SEM_INIT(1), BINE_SEM_INIT(1)};
static int level = 1, shown;

static void *player(void *arg)
{
    bine_sem *turn = arg;
    for (int i = 0; i < 2; i++) {
        bine_sem_wait(turn);
        if (i > 0)
            level = 5;
        else if (level > 0)
            shown++;
    }
    return NULL;
}

static void *program(void *arg)
{
    bine_task *first = bine_spawn(player, &turns[0]), *second = bine_spawn(player, &turns[1]);
    for (int i = 0; i < 2; i++) {
        bine_sleep(BINE_MS);
        bine_sem_post(&turns[i]);
    }
    bine_join(first, NULL);
    bine_join(second, NULL);
    EXPECT(level == 5 && shown == 2);
    return arg;
}
PROGRAM(program)
