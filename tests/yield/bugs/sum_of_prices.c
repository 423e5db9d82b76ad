/* SPDX-License-Identifier: MIT
 *
 * total + price(): which is read first is the compiler's choice, and price() asks a server.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static int total;

static int price(int id)
{
    bine_sleep(id * BINE_MS); /* SITE gave-up */
    return 10 * id;
}

static void *add(void *arg)
{
    int id = *(int *)arg;
#ifdef FIXED
    int p = price(id);
    total = total + p;
#else
    int before = total;
    total = before + /* SITE wrote acted */
            price(id);
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    both(add, &id[0], add, &id[1]);
    EXPECT(total == 30);
    return arg;
}
PROGRAM(program)
