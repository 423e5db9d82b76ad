/* SPDX-License-Identifier: MIT
 *
 * A bit is set in a byte of flags that was read before a wait; another's bit goes lost.
 * KIND: LOST-UPDATE
 * STAGGERED: yes */
#include "../corpus.h"

static struct {
    unsigned char id, flags, other[6];
} connection = {1, 0, {0}};

static void *mark(void *arg)
{
    unsigned char bit = *(unsigned char *)arg;
#ifdef FIXED
    bine_sleep(BINE_MS);
    connection.flags |= bit;
#else
    unsigned char flags = connection.flags;          /* SITE looked */
    bine_sleep(BINE_MS);                             /* SITE gave-up */
    connection.flags = (unsigned char)(flags | bit); /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static unsigned char bit[2] = {1, 2};
    both(mark, &bit[0], mark, &bit[1]);
    EXPECT(connection.flags == 3);
    return arg;
}
PROGRAM(program)
