/* SPDX-License-Identifier: MIT
 *
 * Two counters in one word of eight bytes. */
#include "../corpus.h"

static struct {
    int left, right;
} count;

static void *owner(void *arg)
{
    int *mine = arg;
    for (int i = 0; i < 5; i++) {
        int was = *mine;
        if (was < 100) {
            bine_sleep(BINE_MS);
            *mine = was + 1;
        }
    }
    return NULL;
}

static void *program(void *arg)
{
    both(owner, &count.left, owner, &count.right);
    EXPECT(count.left == 5 && count.right == 5);
    return arg;
}
PROGRAM(program)
