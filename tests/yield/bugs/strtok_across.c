/* SPDX-License-Identifier: MIT
 *
 * strtok() remembers its place in a variable of the C library.
 * KIND: CLOBBERED LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static void *parse(void *arg)
{
    char *text = arg;
    int words = 0;
#ifdef FIXED
    char *place;
    for (char *w = strtok_r(text, " ", &place); w; w = strtok_r(NULL, " ", &place)) {
        words++;
        bine_sleep(BINE_MS);
    }
#else
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) { /* SITE looked wrote acted */
        words++;
        bine_sleep(BINE_MS); /* SITE gave-up */
    }
#endif
    EXPECT(words == 3);
    return NULL;
}

static void *program(void *arg)
{
    static char one[] = "get a b", two[] = "set c d";
    both(parse, one, parse, two);
    return arg;
}
PROGRAM(program)
