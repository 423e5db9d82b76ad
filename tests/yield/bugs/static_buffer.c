/* SPDX-License-Identifier: MIT
 *
 * A name is formatted into a static buffer, and sent after a wait.
 * KIND: CLOBBERED */
#include "../corpus.h"

#ifndef FIXED
static char buffer[32];
#endif
static char said[3];

static char *decimal(char *to, int n)
{
    char *p = to;
    *p++ = 'n';
    *p++ = (char)('0' + n); /* SITE looked wrote */
    *p = 0;
    return to;
}

static void *say(void *arg)
{
    int n = *(int *)arg;
#ifdef FIXED
    char buffer[32];
#endif
    const char *text = decimal(buffer, n);
    bine_sleep(BINE_MS); /* SITE gave-up */
    said[n] = text[1];   /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static int n[2] = {1, 2};
    both(say, &n[0], say, &n[1]);
    EXPECT(said[1] == '1' && said[2] == '2');
    return arg;
}
PROGRAM(program)
