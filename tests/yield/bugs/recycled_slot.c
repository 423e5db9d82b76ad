/* SPDX-License-Identifier: MIT
 *
 * A slot of a table is found, and released after a wait, when it is somebody else's already.
 * KIND: STALE-CHECK LOST-UPDATE */
#include "../corpus.h"

enum { FREE, ALICE, BOB, CAROL };
static int slots[4] = {ALICE, FREE, FREE, FREE};
static bool given;

static int find(int who)
{
    for (int i = 0; i < 4; i++)
        if (slots[i] == who) /* SITE looked */
            return i;
    return -1;
}

static void *session(void *arg)
{
    int i = find(ALICE);
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    i = find(ALICE);
    if (i < 0)
        return arg;
#endif
    slots[i] = FREE; /* SITE acted */
    return arg;
}

static void *kick_and_take(void *arg)
{
    bine_sleep(BINE_MS);
    int i = find(ALICE);
    if (i < 0)
        return arg;
    slots[i] = BOB; /* SITE wrote */
    given = true;
    return arg;
}

static void *program(void *arg)
{
    both(session, NULL, kick_and_take, NULL);
    EXPECT(!given || slots[0] == BOB);
    return arg;
}
PROGRAM(program)
