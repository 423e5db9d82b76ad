/* SPDX-License-Identifier: MIT
 *
 * A stack's head is compared before it is replaced: it is the same node again, but the node behind it is not.
 * KIND: ABA STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

static struct node {
    int value;
    struct node *next;
} node[3];
static struct node *head;
#ifdef FIXED
static int version;
#endif

static struct node *pop(void)
{
    struct node *top = head;
    head = top->next; /* SITE wrote */
    top->value = -1;
#ifdef FIXED
    version++;
#endif
    return top;
}

static void push(struct node *n)
{
    n->next = head;
    head = n; /* SITE wrote */
    n->value = 1;
#ifdef FIXED
    version++;
#endif
}

static void *slow_pop(void *arg)
{
    struct node *top = head;       /* SITE looked */
    struct node *next = top->next; /* SITE looked */
#ifdef FIXED
    int was = version;
    bine_sleep(5 * BINE_MS);
    if (version != was)
        return arg;
#else
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#endif
    if (head == top)
        head = next; /* SITE acted */
    return arg;
}

static void *shuffle(void *arg)
{
    bine_sleep(BINE_MS);
    struct node *first = pop();
    pop();
    push(first);
    return arg;
}

static void *program(void *arg)
{
    for (int i = 0; i < 3; i++)
        push(&node[i]);
    both(slow_pop, NULL, shuffle, NULL);
    EXPECT(!head || head->value == 1);
    return arg;
}
PROGRAM(program)
