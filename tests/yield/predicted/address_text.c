/* SPDX-License-Identifier: MIT
 *
 * An address is printed into a static buffer, and only its end differs from the next one's.
 * KIND: CLOBBERED */
#include "../corpus.h"

static char said[2][32];

static const char *address_text(unsigned last)
{
    static char text[16];
    snprintf(text, sizeof text, "10.1.2.%u.0/32", last); /* SITE looked wrote */
    return text;
}

static void *peer(void *arg)
{
    unsigned n = *(unsigned *)arg;
    bine_sleep(n * BINE_MINUTE);
#ifdef FIXED
    bine_sleep(BINE_MS);
    const char *text = address_text(n);
#else
    const char *text = address_text(n);
    bine_sleep(BINE_MS); /* SITE gave-up */
#endif
    snprintf(said[n], sizeof said[n], "from %s", text); /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static unsigned number[2] = {0, 1};
    both(peer, &number[0], peer, &number[1]);
    EXPECT(strcmp(said[0], "from 10.1.2.0.0/32") == 0);
    return arg;
}
PROGRAM(program)
