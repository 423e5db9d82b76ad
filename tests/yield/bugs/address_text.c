/* SPDX-License-Identifier: MIT
 *
 * inet_ntoa()'s buffer is kept across a wait.
 * KIND: CLOBBERED */
#include "../corpus.h"
#include <arpa/inet.h>

static char seen[2][32];

static void *name(void *arg)
{
    int i = *(int *)arg;
    struct in_addr a = {htonl(0x7f000001u + (unsigned)i)};
#ifdef FIXED
    char mine[32];
    const char *s = inet_ntop(AF_INET, &a, mine, sizeof mine);
#else
    const char *s = inet_ntoa(a); /* SITE looked wrote */
#endif
    bine_yield();       /* SITE gave-up */
    strcpy(seen[i], s); /* SITE acted */
    return NULL;
}

static void *program(void *arg)
{
    static int z = 0, o = 1;
    both(name, &z, name, &o);
    EXPECT(strcmp(seen[0], seen[1]));
    return arg;
}
PROGRAM(program)
