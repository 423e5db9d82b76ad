/* SPDX-License-Identifier: MIT
 *
 * Two transfers in opposite directions take both accounts' locks, each in its own order.
 * KIND: DEADLOCK STUCK */
#include "../corpus.h"

static struct account {
    bine_mutex lock;
    int balance;
} a, b;

static void *transfer(void *arg)
{
    struct account *from = arg, *to = from == &a ? &b : &a;
    struct account *first = from, *second = to;
#ifdef FIXED
    if (first > second)
        first = to, second = from;
#endif
    if (bine_mutex_lock(&first->lock) < 0)
        return NULL;
    bine_sleep(BINE_MS);
    int got = bine_mutex_lock(&second->lock); /* SITE acted */
    if (got == 0) {
        from->balance--;
        to->balance++;
        bine_mutex_unlock(&second->lock);
    }
    bine_mutex_unlock(&first->lock);
    return NULL;
}

static void *program(void *arg)
{
    bine_scope patience;
    bine_scope_open(&patience, BINE_MINUTE);
    bine_group transfers;
    bine_group_open(&transfers, BINE_GROUP_COLLECT);
    bine_group_spawn(&transfers, transfer, &a);
    bine_group_spawn(&transfers, transfer, &b);
    bine_group_wait(&transfers, NULL);
    EXPECT(!bine_scope_close(&patience));
    return arg;
}
PROGRAM(program)
