/* SPDX-License-Identifier: MIT
 *
 * A context manager made of a generator: what stands before its yield opens, what stands after it closes.
 *
 *     context_manager [--real]
 *
 * "async with" over contextlib.asynccontextmanager.  BINE_FOR_EACH is just that for a generator of one
 * value: the block runs once, and the generator goes on to its end however the block is left, also if the
 * task is cancelled inside.  Both halves may wait.  transaction.c is the same done with a macro of its
 * own, over a real database. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/trace.h"

static void *resource(bine_gen *g, void *arg)
{
    char name[32];
    trace("  initialize");
    if (bine_sleep(BINE_SECOND / 4) < 0)
        return bine_fail(errno);
    snprintf(name, sizeof name, "%s", (const char *)arg);

    bine_gen_yield(g, name, NULL);

    BINE_SHIELD_FOR(BINE_SECOND) {
        trace("  finalize %s", name);
        bine_sleep(BINE_SECOND / 4);
    }
    trace("  finalized %s", name);
    return NULL;
}

static void *use(void *arg)
{
    static char name[] = "connection";
    const char *how = arg;
    bine_gen *g = bine_gen_new(resource, name);
    BINE_FOR_EACH(it, g) {
        trace("uses %s, %s", (const char *)it, how);
        if (strcmp(how, "breaks") == 0)
            break;
        bine_sleep(strcmp(how, "waits") == 0 ? BINE_MINUTE : 0);
    }
    trace("after the block: %s", bine_cancelled() ? strerror(bine_cancelled()) : "fine");
    bine_gen_free(g);
    return NULL;
}

static void *run(void *arg)
{
    static char ends[] = "reaches the end";
    static char breaks[] = "breaks";
    static char waits[] = "waits";
    (void)arg;
    use(ends);
    use(breaks);
    bine_task *task = bine_spawn(use, waits);
    if (!task || bine_sleep(BINE_SECOND) < 0)
        return bine_fail(errno);
    trace("cancel");
    bine_stop(task, NULL);
    trace("the task has ended");
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
