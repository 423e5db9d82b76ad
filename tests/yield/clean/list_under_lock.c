/* SPDX-License-Identifier: MIT
 *
 * A list that is walked with waits, and changed, under one lock. */
#include "../corpus.h"

struct node {
    int value;
    struct node *next;
};
static struct node *head;
static bine_mutex lock = BINE_MUTEX_INIT;
static int seen;

static void *walker(void *arg)
{
    bine_mutex_lock(&lock);
    for (struct node *n = head; n; n = n->next) {
        seen += n->value;
        bine_sleep(BINE_MS);
    }
    bine_mutex_unlock(&lock);
    return arg;
}

static void *remover(void *arg)
{
    bine_mutex_lock(&lock);
    while (head) {
        struct node *n = head;
        head = n->next;
        bine_yield();
        free(n);
    }
    bine_mutex_unlock(&lock);
    return arg;
}

static void *program(void *arg)
{
    for (int i = 1; i <= 3; i++) {
        struct node *n = malloc(sizeof *n);
        *n = (struct node){i, head};
        head = n;
    }
    both(walker, NULL, remover, NULL);
    EXPECT((seen == 6 || seen == 0) && !head);
    return arg;
}
PROGRAM(program)
