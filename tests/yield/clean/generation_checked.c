/* SPDX-License-Identifier: MIT
 *
 * A slot's generation is looked at again after the wait, before the slot is used. */
#include "../corpus.h"

static struct slot {
    unsigned generation;
    int value;
} slot[4];
static int stale, stored;

static void *user(void *arg)
{
    struct slot *s = &slot[1];
    unsigned generation = s->generation;
    bine_sleep(2 * BINE_MS);
    if (s->generation != generation) {
        stale++;
        return arg;
    }
    s->value = 7;
    stored++;
    return arg;
}

static void *recycler(void *arg)
{
    bine_sleep(BINE_MS);
    slot[1].generation++;
    slot[1].value = 1;
    return arg;
}

static void *program(void *arg)
{
    both(user, NULL, recycler, NULL);
    EXPECT(stale + stored == 1);
    return arg;
}
PROGRAM(program)
