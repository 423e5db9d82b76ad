/* SPDX-License-Identifier: MIT
 *
 * A counter is printed before and after, and changed in one step. */
#include "../corpus.h"

static int requests;

static void *serve(void *arg)
{
    printf("request, %d so far\n", requests);
    bine_sleep(BINE_MS);
    requests++;
    bine_sleep(BINE_MS);
    printf("answer, %d so far\n", requests);
    return arg;
}

static void *program(void *arg)
{
    both(serve, NULL, serve, NULL);
    EXPECT(requests == 2);
    return arg;
}
PROGRAM(program)
