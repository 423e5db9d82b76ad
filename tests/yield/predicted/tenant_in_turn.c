/* SPDX-License-Identifier: MIT
 *
 * Whose request it is stands in a global pointer while the request is worked on; the requests come one by one today.
 * KIND: CLOBBERED */
#include "../corpus.h"

struct tenant {
    int quota, spent;
};
static struct tenant tenants[2] = {{10, 0}, {20, 0}};
static struct tenant *tenant;

static void lookup(void) { bine_sleep(2 * BINE_MS); } /* SITE gave-up */

static void *request(void *arg)
{
    int i = *(int *)arg;
    bine_sleep(i * BINE_SECOND);
    tenant = &tenants[i]; /* SITE looked wrote */
#ifdef FIXED
    struct tenant *mine = tenant;
    lookup();
    mine->spent++;
#else
    lookup();
    tenant->spent++; /* SITE acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int number[2] = {0, 1};
    both(request, &number[0], request, &number[1]);
    EXPECT(tenants[0].spent == 1 && tenants[1].spent == 1);
    return arg;
}
PROGRAM(program)
