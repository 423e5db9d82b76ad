/* SPDX-License-Identifier: MIT
 *
 * A term is compared, and then read once more as an index, before the log is written: the report names the comparison.
 * KIND: STALE-CHECK */
#include "../corpus.h"

static struct {
    unsigned term;
    int voted_for;
    unsigned entries[8];
} node;

static void write_log(void)
{
    node.entries[node.term % 8]++;
    bine_sleep(2 * BINE_MS); /* SITE gave-up */
}

static void vote(unsigned term, int candidate)
{
    if (term <= node.term) /* SITE looked */
        return;
#ifndef FIXED
    write_log();
#endif
    node.term = term; /* SITE wrote acted */
    node.voted_for = candidate;
#ifdef FIXED
    write_log();
#endif
}

static void *peer(void *arg)
{
    unsigned term = *(unsigned *)arg;
    bine_sleep((4 - term) * BINE_US);
    vote(term, (int)term);
    return NULL;
}

static void *program(void *arg)
{
    static unsigned terms[2] = {2, 3};
    both(peer, &terms[0], peer, &terms[1]);
    EXPECT(node.term == 3);
    return arg;
}
PROGRAM(program)
