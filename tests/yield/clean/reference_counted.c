/* SPDX-License-Identifier: MIT
 *
 * A reference is held for as long as an object is used. */
#include "../corpus.h"

struct session {
    int refs, uses;
};
static struct session *current;
static int freed;

static struct session *hold(struct session *s)
{
    s->refs++;
    return s;
}

static void drop(struct session *s)
{
    if (--s->refs == 0) {
        freed++;
        free(s);
    }
}

static void *handler(void *arg)
{
    if (!current)
        return arg;
    struct session *s = hold(current);
    for (int i = 0; i < 3; i++) {
        bine_sleep(BINE_MS);
        s->uses++;
    }
    drop(s);
    return arg;
}

static void *logout(void *arg)
{
    bine_sleep(2 * BINE_MS);
    struct session *s = current;
    current = NULL;
    drop(s);
    return arg;
}

static void *program(void *arg)
{
    current = calloc(1, sizeof *current);
    current->refs = 1;
    bine_task *other = bine_spawn(handler, NULL);
    both(handler, NULL, logout, NULL);
    bine_join(other, NULL);
    EXPECT(freed == 1);
    return arg;
}
PROGRAM(program)
