/* SPDX-License-Identifier: MIT
 *
 * The least recently used entry is written back before it is removed; used meanwhile, it is removed all the same.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static struct entry {
    int key, used, dirty;
} cache[3] = {{1, 5, 0}, {2, 1, 1}, {3, 9, 0}};
static int clock_hand = 10;
static bool used_again;

static struct entry *oldest(void)
{
    struct entry *e = &cache[0];
    for (int i = 1; i < 3; i++)
        if (cache[i].used < e->used) /* SITE looked */
            e = &cache[i];
    return e;
}

static void *insert(void *arg)
{
    struct entry *e = oldest();
    bine_sleep(2 * BINE_MS); /* SITE gave-up: writes it back */
#ifdef FIXED
    e = oldest();
#endif
    e->key = 4;
    e->used = clock_hand++; /* SITE acted */
    return arg;
}

static void *lookup(void *arg)
{
    bine_sleep(BINE_MS);
    cache[1].used = clock_hand++; /* SITE wrote */
    used_again = cache[1].key == 2;
    return arg;
}

static void *program(void *arg)
{
    both(insert, NULL, lookup, NULL);
    EXPECT(!used_again || cache[1].key == 2);
    return arg;
}
PROGRAM(program)
