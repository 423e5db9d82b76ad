/* SPDX-License-Identifier: MIT
 *
 * The date is taken apart in libc's own place, and printed after a wait: by then it is another's.
 * KIND: CLOBBERED */
#include "../corpus.h"

#include <time.h>

struct letter {
    time_t written;
    char year[8];
};

static void find_paper(void) { bine_sleep(BINE_MS); /* SITE gave-up */ }

static void *date(void *arg)
{
    struct letter *letter = (struct letter *)arg;
#ifdef FIXED
    find_paper();
#endif
    struct tm *date = gmtime(&letter->written); /* SITE looked wrote */
#ifndef FIXED
    find_paper();
#endif
    strftime(letter->year, sizeof letter->year, "%Y", date); /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static struct letter old = {.written = 0}, new = {.written = 1000000000};
    both(date, &old, date, &new);
    EXPECT(strcmp(old.year, "1970") == 0 && strcmp(new.year, "2001") == 0);
    return arg;
}
PROGRAM(program)
