/* SPDX-License-Identifier: MIT
 *
 * A list: somebody is looked up, asked, and another one is pushed at its head. */
#include "../corpus.h"

struct user {
    int id, visits;
    struct user *next;
};

static struct user *users;

static struct user *find(int id)
{
    for (struct user *u = users; u; u = u->next)
        if (u->id == id)
            return u;
    return NULL;
}

static void push(int id)
{
    struct user *u = calloc(1, sizeof *u);
    u->id = id;
    u->next = users;
    users = u;
}

static void *invite(void *arg)
{
    int me = *(int *)arg;
    struct user *u = find(1);
    u->visits++;
    bine_sleep(me * BINE_MS);
    push(me * 100);
    bine_yield();
    EXPECT(find(me * 100) != NULL);
    return NULL;
}

static void *program(void *arg)
{
    static int a = 1, b = 2;
    push(1);
    both(invite, &a, invite, &b);
    for (struct user *u = users, *n; u; u = n) {
        n = u->next;
        free(u);
    }
    return arg;
}
PROGRAM(program)
