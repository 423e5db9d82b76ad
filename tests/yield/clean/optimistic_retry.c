/* SPDX-License-Identifier: MIT
 *
 * Computed from what was read, stored only if that is still so, else done again. */
#include "../corpus.h"

static int total, tries;

static void *add(void *arg)
{
    int amount = *(int *)arg;
    for (;;) {
        int was = total;
        tries++;
        bine_sleep(amount * BINE_MS);
        if (total == was) {
            total = was + amount;
            return NULL;
        }
    }
}

static void *program(void *arg)
{
    static int amount[2] = {2, 3};
    both(add, &amount[0], add, &amount[1]);
    EXPECT(total == 5 && tries >= 2);
    return arg;
}
PROGRAM(program)
