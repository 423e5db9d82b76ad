/* SPDX-License-Identifier: MIT
 *
 * A label is printed into a static buffer, and used when the printer is ready; the next label is made an hour later.
 * KIND: CLOBBERED */
#include "../corpus.h"

static char label[24];
static char printed[2][32];

static void *job(void *arg)
{
    int i = *(int *)arg;
    bine_sleep(i * 60 * BINE_MINUTE);
    snprintf(label, sizeof label, "box %d", i); /* SITE looked wrote */
    bine_sleep(BINE_SECOND);                    /* SITE gave-up */
#ifdef FIXED
    snprintf(label, sizeof label, "box %d", i);
#endif
    snprintf(printed[i], sizeof printed[i], "<%s>", label); /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static int number[2] = {0, 1};
    both(job, &number[0], job, &number[1]);
    EXPECT(strcmp(printed[0], "<box 0>") == 0);
    return arg;
}
PROGRAM(program)
