/* SPDX-License-Identifier: MIT
 *
 * There is no spare connection, so one is made; when it is given back, others have given theirs back, too. */
#include "../corpus.h"

struct connection {
    int number, requests;
    struct connection *next;
};
static struct connection *spare;
static int made;

static struct connection *take(void)
{
    struct connection *it = spare;
    if (it) {
        spare = it->next;
        return it;
    }
    it = calloc(1, sizeof *it);
    it->number = ++made;
    bine_sleep(BINE_MS);
    return it;
}

static void give_back(struct connection *it)
{
    it->requests++;
    it->next = spare;
    spare = it;
}

static void *request(void *arg)
{
    struct connection *it = take();
    bine_sleep(*(int *)arg * BINE_MS);
    give_back(it);
    return NULL;
}

static void *program(void *arg)
{
    static int a = 1, b = 2;
    both(request, &a, request, &b);
    int count = 0;
    for (struct connection *next; spare; spare = next, count++) {
        next = spare->next;
        free(spare);
    }
    EXPECT(count == made);
    return arg;
}
PROGRAM(program)
