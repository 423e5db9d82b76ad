/* SPDX-License-Identifier: MIT
 *
 * The new node points at the head; logging yields; the head is set, and the node that came between is lost.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

struct node {
    int value;
    struct node *next;
};
static struct node *head;

static void *insert(void *arg)
{
    struct node *n = arg;
#ifdef FIXED
    bine_yield();
    n->next = head;
    head = n;
#else
    n->next = head; /* SITE looked */
    bine_yield();   /* SITE gave-up */
    head = n;       /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static struct node n[2] = {{1, NULL}, {2, NULL}};
    both(insert, &n[0], insert, &n[1]);
    int sum = 0;
    for (struct node *i = head; i; i = i->next)
        sum += i->value;
    EXPECT(sum == 3);
    return arg;
}
PROGRAM(program)
