/* SPDX-License-Identifier: MIT
 *
 * A cache whose misses are fetched outside of it, and whose table changes without a switch. */
#include "../corpus.h"

enum { N = 4 };
static struct entry {
    int key, value;
    unsigned used;
} cache[N];
static unsigned clock_hand;
static int misses;

static struct entry *find(int key)
{
    for (int i = 0; i < N; i++)
        if (cache[i].key == key) {
            cache[i].used = ++clock_hand;
            return &cache[i];
        }
    return NULL;
}

static int get(int key)
{
    struct entry *e = find(key);
    if (e)
        return e->value;
    misses++;
    bine_sleep(BINE_MS);
    int value = key * key;
    e = find(key);
    if (!e) {
        e = &cache[0];
        for (int i = 1; i < N; i++)
            if (cache[i].used < e->used)
                e = &cache[i];
        *e = (struct entry){key, value, ++clock_hand};
    }
    return value;
}

static void *client(void *arg)
{
    for (int i = 0; i < 20; i++) {
        int key = 1 + (i * *(int *)arg) % 7;
        EXPECT(get(key) == key * key);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int step[2] = {3, 5};
    both(client, &step[0], client, &step[1]);
    EXPECT(misses > 0);
    return arg;
}
PROGRAM(program)
