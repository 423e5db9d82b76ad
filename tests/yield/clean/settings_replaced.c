/* SPDX-License-Identifier: MIT
 *
 * Settings are copied, changed and stored under a lock, over a wait, twice by each task: what a task has stored the
 * first time others have replaced when it takes the lock anew, and it takes them as they are. */
#include "../corpus.h"

struct settings {
    int revision, workers;
    char owner[16];
};
static struct settings settings;
static bine_mutex turn = BINE_MUTEX_INIT;

static void change(const char *owner)
{
    bine_mutex_lock(&turn);
    struct settings next = settings;
    bine_sleep(BINE_MS);
    next.revision++;
    next.workers += 2;
    snprintf(next.owner, sizeof next.owner, "%s %d", owner, next.revision);
    settings = next;
    bine_mutex_unlock(&turn);
}

static void *administrator(void *arg)
{
    change(arg);
    bine_yield();
    change(arg);
    return NULL;
}

static void *program(void *arg)
{
    static char eve[] = "eve", bob[] = "bob";
    both(administrator, eve, administrator, bob);
    EXPECT(settings.revision == 4 && settings.workers == 8);
    return arg;
}
PROGRAM(program)
