/* SPDX-License-Identifier: MIT
 *
 * A guest takes a table, comes late, and orders on the account of whoever sits there by then.  The repair asks
 * first: one variable is compared with another.
 * KIND: CLOBBERED STALE-CHECK */
#include "../corpus.h"

struct guest {
    unsigned number;
    unsigned dishes;
};
static struct {
    bool taken;
    unsigned guest;
} tables[2];
static unsigned ordered[8];

static int take(const struct guest *guest)
{
    for (int i = 0; i < 2; i++)
        if (!tables[i].taken) {
            tables[i].taken = true;
            tables[i].guest = guest->number; /* SITE looked wrote */
            return i;
        }
    return -1;
}

static void *late(void *arg)
{
    struct guest *guest = arg;
    int i = take(guest);
    if (i < 0)
        return NULL;
    bine_sleep(30 * BINE_MS); /* SITE gave-up */
#ifdef FIXED
    if (tables[i].guest != guest->number)
        return NULL;
#endif
    ordered[tables[i].guest] += guest->dishes; /* SITE acted */
    return NULL;
}

static void *head_waiter(void *arg)
{
    struct guest *other = arg;
    bine_sleep(10 * BINE_MS);
    tables[0].taken = false;
    int i = take(other);
    EXPECT(i == 0);
    return NULL;
}

static void *program(void *arg)
{
    static struct guest alice = {3, 2}, bob = {5, 0};
    both(late, &alice, head_waiter, &bob);
    EXPECT(ordered[5] == 0);
    return arg;
}
PROGRAM(program)
