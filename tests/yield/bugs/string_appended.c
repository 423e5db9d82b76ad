/* SPDX-License-Identifier: MIT
 *
 * The end of a text is found, something is waited for, and text is put at what was its end.
 * KIND: LOST-UPDATE CLOBBERED STALE-CHECK */
#include "../corpus.h"

static struct {
    size_t length;
    char text[64];
} log_buffer;

static void *append(void *arg)
{
    const char *word = arg;
#ifdef FIXED
    bine_yield();
#endif
    size_t at = log_buffer.length; /* SITE looked */
#ifndef FIXED
    bine_yield(); /* SITE gave-up */
#endif
    memcpy(log_buffer.text + at, word, strlen(word) + 1);
    log_buffer.length = at + strlen(word); /* SITE wrote acted */
    return NULL;
}

static void *program(void *arg)
{
    static char one[] = "one ", two[] = "two ";
    both(append, one, append, two);
    EXPECT(strlen(log_buffer.text) == 8);
    return arg;
}
PROGRAM(program)
