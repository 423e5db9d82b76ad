/* SPDX-License-Identifier: MIT
 *
 * Insertions at a list's head that log half-way; the second starts when the first is done.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

struct node {
    int value;
    struct node *next;
};
static struct node *head, node[2] = {{1, NULL}, {2, NULL}};

static void push(struct node *n)
{
#ifdef FIXED
    bine_yield();
    n->next = head;
#else
    n->next = head; /* SITE looked */
    bine_yield();   /* SITE gave-up */
#endif
    head = n; /* SITE wrote acted */
}

static void *first(void *arg)
{
    push(&node[0]);
    return arg;
}

static void *second(void *arg)
{
    bine_sleep(BINE_SECOND);
    push(&node[1]);
    return arg;
}

static void *program(void *arg)
{
    both(first, NULL, second, NULL);
    EXPECT(head && head->next);
    return arg;
}
PROGRAM(program)
