/* SPDX-License-Identifier: MIT
 *
 * strtok() by two tasks, each from its first call to its last without a switch. */
#include "../corpus.h"

#include <time.h>

static void *parse(void *arg)
{
    for (int i = 0; i < 3; i++) {
        char text[32];
        int words = 0;
        strcpy(text, arg);
        for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
            words++;
        time_t t = 86400 * i;
        EXPECT(gmtime(&t)->tm_mday == 1 + i);
        bine_sleep(BINE_MS);
        EXPECT(words == 3);
    }
    return NULL;
}

static void *program(void *arg)
{
    static char one[] = "get a b", two[] = "set c d";
    both(parse, one, parse, two);
    return arg;
}
PROGRAM(program)
