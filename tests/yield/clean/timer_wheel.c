/* SPDX-License-Identifier: MIT
 *
 * Timers in a wheel of intrusive lists; the ticker moves it, tasks add and cancel. */
#include "../corpus.h"

#define SLOTS 8
struct tm_ {
    struct tm_ *next, **link;
    unsigned due;
    int fired;
    bool armed;
};

static struct {
    struct tm_ *slot[SLOTS];
    unsigned now;
    int pending;
} w;

static void arm(struct tm_ *t, unsigned in)
{
    struct tm_ **s = &w.slot[(w.now + in) % SLOTS];
    t->due = w.now + in;
    t->next = *s;
    t->link = s;
    if (*s)
        (*s)->link = &t->next;
    *s = t;
    t->armed = true;
    w.pending++;
}

static void disarm(struct tm_ *t)
{
    if (!t->armed)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->armed = false;
    w.pending--;
}

static void *ticker(void *arg)
{
    while (w.now < 12) {
        bine_sleep(BINE_MS);
        w.now++;
        struct tm_ *t;
        while ((t = w.slot[w.now % SLOTS]) != NULL) {
            disarm(t);
            t->fired++;
            bine_yield(); /* the callback */
        }
    }
    return arg;
}

static void *client(void *arg)
{
    struct tm_ *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    arm(a, 3);
    arm(b, 5);
    bine_sleep(2 * BINE_MS);
    disarm(a);
    bine_sleep(8 * BINE_MS);
    EXPECT(a->fired <= 1 && b->fired <= 1);
    disarm(b);
    free(a);
    free(b);
    return arg;
}

static void *clients(void *arg)
{
    both(client, NULL, client, NULL);
    return arg;
}

static void *program(void *arg)
{
    both(ticker, NULL, clients, NULL);
    EXPECT(w.pending == 0);
    return arg;
}
PROGRAM(program)
