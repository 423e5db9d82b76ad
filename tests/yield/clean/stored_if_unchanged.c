/* SPDX-License-Identifier: MIT
 *
 * A document is fetched with its revision, edited for a while, and stored only if that revision still stands; who
 * changes it raises it, whether it asks or not. */
#include "../corpus.h"

static struct document {
    long words;
    unsigned revision;
} document;
static int refused;

static bool store(unsigned revision, long words)
{
    if (document.revision != revision)
        return false;
    document.words = words;
    document.revision++;
    return true;
}

static void *editor(void *arg)
{
    long mine = *(int *)arg;
    for (int i = 0; i < 3; i++)
        for (;;) {
            long words = document.words;
            unsigned revision = document.revision;
            bine_sleep(mine * BINE_MS);
            if (store(revision, words + mine))
                break;
            refused++;
        }
    return NULL;
}

static void *import(void *arg)
{
    bine_sleep(BINE_SECOND);
    document.words += 100;
    document.revision++;
    return arg;
}

static void *program(void *arg)
{
    static int id[2] = {1, 2};
    BINE_GROUP(group, BINE_GROUP_ALL) {
        bine_group_spawn(&group, editor, &id[0]);
        bine_group_spawn(&group, editor, &id[1]);
        bine_group_spawn(&group, import, NULL);
    }
    EXPECT(document.words == 109 && document.revision == 7);
    return arg;
}
PROGRAM(program)
