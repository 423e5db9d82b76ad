/* SPDX-License-Identifier: MIT
 *
 * Two values change together inside atomic blocks, and a reader finds them so. */
#include "../corpus.h"

#include <bine/check.h>

static int a = 100, b;

static bool conserved(void *arg)
{
    (void)arg;
    return a + b == 100;
}

static void *mover(void *arg)
{
    for (int i = 0; i < 5; i++) {
        BINE_ATOMIC
        {
            a -= 3;
            b += 3;
        }
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    bine_together("ab", &a, sizeof a);
    bine_together("ab", &b, sizeof b);
    bine_invariant("conserved", conserved, NULL);
    both(mover, NULL, mover, NULL);
    EXPECT(a == 70 && b == 30);
    bine_invariant_drop(conserved, NULL);
    return arg;
}
PROGRAM(program)
