/* SPDX-License-Identifier: MIT
 *
 * Whether there is room is computed from two fields; the bytes arrive, and then count.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

struct buf {
    size_t cap, used;
    char data[16];
};

static struct buf *out;

static inline size_t room(const struct buf *b)
{
    return b->cap - b->used; /* SITE looked */
}

static void *append(void *arg)
{
    const char *s = arg;
    size_t n = strlen(s);
    if (n > room(out))
        return NULL;
#ifndef FIXED
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    memcpy(out->data + n % 4, s, 4);
    out->used += n; /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    static char x[] = "0123456789";
    out = calloc(1, sizeof *out);
    out->cap = 16;
    both(append, x, append, x);
    EXPECT(out->used <= out->cap);
    free(out);
    return arg;
}
PROGRAM(program)
