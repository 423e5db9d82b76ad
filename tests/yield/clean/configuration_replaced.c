/* SPDX-License-Identifier: MIT
 *
 * Copy-on-write configuration with references. */
#include "../corpus.h"

struct cfg {
    int refs, level;
    char name[16];
};

static struct cfg *cur;

static struct cfg *take(void)
{
    cur->refs++;
    return cur;
}

static void drop(struct cfg *c)
{
    if (--c->refs == 0)
        free(c);
}

static void *request(void *arg)
{
    for (int i = 0; i < 3; i++) {
        struct cfg *c = take();
        bine_sleep(2 * BINE_MS);
        EXPECT(c->level > 0 && c->name[0] == 'c');
        drop(c);
    }
    return arg;
}

static void *reload(void *arg)
{
    for (int i = 2; i < 5; i++) {
        bine_sleep(BINE_MS);
        struct cfg *n = malloc(sizeof *n), *old = cur;
        *n = (struct cfg){1, i, "cfg"};
        cur = n;
        drop(old);
    }
    return arg;
}

static void *program(void *arg)
{
    cur = calloc(1, sizeof *cur);
    *cur = (struct cfg){1, 1, "cfg"};
    both(request, NULL, reload, NULL);
    drop(cur);
    return arg;
}
PROGRAM(program)
