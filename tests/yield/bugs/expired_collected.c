/* SPDX-License-Identifier: MIT
 *
 * Entries that have expired are collected, the store is told, and they are removed, though one was renewed.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { N = 4 };
static struct entry {
    long expires;
    bool live;
} table[N] = {{5, true}, {50, true}, {7, true}, {60, true}};

static int renewed_but_gone;

static void tell_store(int n)
{
    (void)n;
    bine_sleep(4 * BINE_MS); /* SITE gave-up */
}

static void *sweep(void *arg)
{
    int dead[N], n = 0;
    long now = 10;
    for (int i = 0; i < N; i++)
        if (table[i].live && table[i].expires < now) /* SITE looked */
            dead[n++] = i;
    tell_store(n);
    for (int k = 0; k < n; k++) {
#ifdef FIXED
        if (table[dead[k]].expires >= now)
            continue;
#endif
        if (table[dead[k]].live)
            renewed_but_gone += 0;
        table[dead[k]].expires = 0; /* SITE acted */
        table[dead[k]].live = false;
    }
    return arg;
}

static void *renew(void *arg)
{
    bine_sleep(BINE_MS);
    table[2].expires = 100; /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    both(sweep, NULL, renew, NULL);
    EXPECT(table[2].expires == 100);
    return arg;
}
PROGRAM(program)
