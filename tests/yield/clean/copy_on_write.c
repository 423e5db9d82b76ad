/* SPDX-License-Identifier: MIT
 *
 * Readers use the configuration that was current when they began; the writer replaces the whole. */
#include "../corpus.h"

struct config {
    int refs, a, b;
};
static struct config *current;

static struct config *make(int a)
{
    struct config *c = malloc(sizeof *c);
    *c = (struct config){1, a, -a};
    return c;
}

static void put(struct config *c)
{
    if (--c->refs == 0)
        free(c);
}

static void *reader(void *arg)
{
    for (int i = 0; i < 4; i++) {
        struct config *c = current;
        c->refs++;
        int a = c->a;
        bine_sleep(BINE_MS);
        EXPECT(a + c->b == 0);
        put(c);
    }
    return arg;
}

static void *writer(void *arg)
{
    for (int i = 2; i < 5; i++) {
        bine_sleep(BINE_MS);
        struct config *next = make(i), *old = current;
        current = next;
        put(old);
    }
    return arg;
}

static void *program(void *arg)
{
    current = make(1);
    both(reader, NULL, writer, NULL);
    put(current);
    return arg;
}
PROGRAM(program)
