/* SPDX-License-Identifier: MIT
 *
 * Neighbouring bytes of one word, one for each task. */
#include "../corpus.h"

static unsigned char state[8];

static void *owner(void *arg)
{
    unsigned char *mine = &state[*(int *)arg];
    for (int i = 0; i < 5; i++) {
        unsigned char was = *mine;
        bine_sleep(BINE_MS);
        *mine = (unsigned char)(was + 1);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int place[2] = {2, 3};
    both(owner, &place[0], owner, &place[1]);
    EXPECT(state[2] == 5 && state[3] == 5);
    return arg;
}
PROGRAM(program)
