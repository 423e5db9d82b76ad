/* SPDX-License-Identifier: MIT
 *
 * Each takes something off a stack, or out of a ring, works, and puts it back where there is room then. */
#include "../corpus.h"

enum { THINGS = 3, TURNS = 6, ROOM = 8 };

struct thing {
    int used;
};
static struct thing things[THINGS * 2];
static struct stack {
    struct thing *at[ROOM];
    int n;
} stack;
static struct ring {
    struct thing *at[ROOM];
    int head, tail;
} ring;

static __attribute__((__noinline__)) struct thing *pop(struct stack *s)
{
    if (s->n == 0)
        return NULL;
    struct thing *thing = s->at[--s->n];
    s->at[s->n] = NULL;
    return thing;
}

static __attribute__((__noinline__)) void push(struct stack *s, struct thing *thing)
{
    s->at[s->n++] = thing;
}

static __attribute__((__noinline__)) struct thing *take(struct ring *r)
{
    if (r->head == r->tail)
        return NULL;
    struct thing *thing = r->at[r->head];
    r->head = (r->head + 1) % ROOM;
    return thing;
}

static __attribute__((__noinline__)) void give(struct ring *r, struct thing *thing)
{
    r->at[r->tail] = thing;
    r->tail = (r->tail + 1) % ROOM;
}

static void *worker(void *arg)
{
    int pace = *(int *)arg;
    for (int turn = 0; turn < TURNS; turn++) {
        struct thing *thing = pop(&stack);
        bine_sleep((pace + turn % 2) * BINE_MS);
        if (thing) {
            thing->used++;
            push(&stack, thing);
        }
        thing = take(&ring);
        bine_sleep((pace + turn % 2) * BINE_MS);
        if (thing) {
            thing->used++;
            give(&ring, thing);
        }
    }
    return arg;
}

static void *program(void *arg)
{
    static int one = 1, two = 2;
    for (int i = 0; i < THINGS; i++) {
        push(&stack, &things[i]);
        give(&ring, &things[THINGS + i]);
    }
    both(worker, &one, worker, &two);
    EXPECT(stack.n == THINGS && (ring.tail + ROOM - ring.head) % ROOM == THINGS);
    return arg;
}
PROGRAM(program)
