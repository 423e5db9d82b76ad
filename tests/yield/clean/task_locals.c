/* SPDX-License-Identifier: MIT
 *
 * Each task's own values, under one key. */
#include "../corpus.h"

static bine_key *key;

static void *task(void *arg)
{
    bine_local_set(key, arg);
    for (int i = 0; i < 3; i++) {
        bine_yield();
        int *mine = bine_local_get(key);
        EXPECT(mine == arg);
        (*mine)++;
    }
    return NULL;
}

static void *program(void *arg)
{
    static int n[2];
    key = bine_key_new(NULL);
    both(task, &n[0], task, &n[1]);
    bine_key_free(key);
    EXPECT(n[0] == 3 && n[1] == 3);
    return arg;
}
PROGRAM(program)
