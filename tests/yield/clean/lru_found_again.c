/* SPDX-License-Identifier: MIT
 *
 * LRU with a list: after each wait everything is looked up again; eviction under the limit. */
#include "../corpus.h"
#include <sys/queue.h>

struct item {
    int key, val;
    TAILQ_ENTRY(item) lru;
};

static TAILQ_HEAD(, item) lru = TAILQ_HEAD_INITIALIZER(lru);
static int count;
enum { MOST = 3 };
static struct item *find(int k)
{
    struct item *i;
    TAILQ_FOREACH(i, &lru, lru) if (i->key == k) return i;
    return NULL;
}

static int get(int k)
{
    struct item *i = find(k);
    if (!i) {
        bine_sleep(BINE_MS);
        i = find(k);
    }
    if (!i) {
        i = calloc(1, sizeof *i);
        i->key = k;
        i->val = k * k;
        TAILQ_INSERT_HEAD(&lru, i, lru);
        count++;
    } else {
        TAILQ_REMOVE(&lru, i, lru);
        TAILQ_INSERT_HEAD(&lru, i, lru);
    }
    while (count > MOST) {
        struct item *old = find(TAILQ_FIRST(&lru)->key);
        for (struct item *x = old; x; x = TAILQ_NEXT(x, lru))
            old = x;
        TAILQ_REMOVE(&lru, old, lru);
        count--;
        int v = old->val;
        free(old);
        bine_yield(); /* told to the log */
        (void)v;
    }
    return k * k;
}

static void *user(void *arg)
{
    for (int i = 0; i < 8; i++)
        EXPECT(get((i * *(int *)arg) % 5) >= 0);
    return NULL;
}

static void *program(void *arg)
{
    static int a = 1, b = 3;
    both(user, &a, user, &b);
    while (!TAILQ_EMPTY(&lru)) {
        struct item *i = TAILQ_FIRST(&lru);
        TAILQ_REMOVE(&lru, i, lru);
        free(i);
    }
    return arg;
}
PROGRAM(program)
