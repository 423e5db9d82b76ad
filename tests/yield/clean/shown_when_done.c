/* SPDX-License-Identifier: MIT
 *
 * A result is worked out across waits, and put where others find it only when it is done; who finds it there frees
 * it. */
#include "../corpus.h"

struct result {
    int lines, words;
};
static struct result *done;

static void *worker(void *arg)
{
    struct result *result = calloc(1, sizeof *result);
    result->lines++;
    bine_sleep(BINE_MS);
    result->words += 7;
    bine_sleep(BINE_MS);
    result->lines++;
    done = result;
    return arg;
}

static void *reader(void *arg)
{
    while (!done)
        bine_sleep(3 * BINE_MS);
    struct result *result = done;
    EXPECT(result->lines == 2 && result->words == 7);
    free(result);
    done = NULL;
    return arg;
}

static void *program(void *arg)
{
    both(worker, NULL, reader, NULL);
    EXPECT(!done);
    return arg;
}
PROGRAM(program)
