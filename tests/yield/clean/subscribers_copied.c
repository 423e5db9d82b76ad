/* SPDX-License-Identifier: MIT
 *
 * Publishing: the array of subscribers is copied with references, and sent to one by one; others leave. */
#include "../corpus.h"

struct sub {
    int refs, got;
    bool gone;
};

static struct sub *subs[8];
static int n;

static void put(struct sub *s)
{
    if (--s->refs == 0)
        free(s);
}

static void publish(int v)
{
    struct sub *copy[8];
    int k = n;
    for (int i = 0; i < k; i++) {
        copy[i] = subs[i];
        copy[i]->refs++;
    }
    for (int i = 0; i < k; i++) {
        bine_sleep(BINE_MS);
        if (!copy[i]->gone)
            copy[i]->got += v;
        put(copy[i]);
    }
}

static void *subscriber(void *arg)
{
    struct sub *s = calloc(1, sizeof *s);
    s->refs = 2;
    subs[n++] = s;
    bine_sleep(*(int *)arg * BINE_MS);
    for (int i = 0; i < n; i++)
        if (subs[i] == s) {
            subs[i] = subs[--n];
            put(s);
            break;
        }
    s->gone = true;
    put(s);
    return NULL;
}

static void *publisher(void *arg)
{
    for (int i = 0; i < 4; i++) {
        publish(1);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    static int t[3] = {2, 4, 9};
    BINE_GROUP(g, BINE_GROUP_ALL)
    {
        for (int i = 0; i < 3; i++)
            bine_group_spawn(&g, subscriber, &t[i]);
        bine_group_spawn(&g, publisher, NULL);
    }
    return arg;
}
PROGRAM(program)
