/* SPDX-License-Identifier: MIT
 *
 * Waiting for the first to complete, and cancelling the rest.
 *
 *     first_completed [--real]
 *
 * By futures, as in asyncio: wait, cancel what is left, and wait for that too, since a task that was
 * cancelled may take its time. By a group that is content with the first success: the last two steps
 * cannot be forgotten.  In both a mirror that fails early is no winner. */
#include <bine.h>

#include <errno.h>
#include <string.h>

#include "../lib/trace.h"

struct mirror {
    const char *name;
    bine_ns takes;
    int error;
};

static struct mirror mirrors[] = {
    {"far", 3 * BINE_SECOND, 0},
    {"near", BINE_SECOND, 0},
    {"broken", BINE_SECOND / 2, EIO},
    {"busy", 2 * BINE_SECOND, 0},
};

static void *ask(void *arg)
{
    struct mirror *mirror = arg;
    if (bine_sleep(mirror->takes) < 0) {
        int error = errno;
        trace("  %s: cancelled", mirror->name);
        return bine_fail(error);
    }
    trace("  %s: %s", mirror->name, mirror->error ? strerror(mirror->error) : "answers");
    return mirror->error ? bine_fail(mirror->error) : mirror;
}

static void *first_of_futures(void)
{
    bine_future *asked[4];
    bool seen[4] = {false};
    bine_result result = {NULL, EIO};
    for (int i = 0; i < 4; i++)
        asked[i] = bine_task_future(bine_spawn(ask, &mirrors[i]));
    trace("%d done: one that fails is done, too", bine_wait(asked, 4, BINE_FIRST_COMPLETED));
    for (int i; result.error && (i = bine_next_done(asked, 4, seen)) >= 0;)
        bine_future_result(asked[i], &result);
    for (int i = 0; i < 4; i++)
        bine_future_cancel(asked[i]);
    bine_wait(asked, 4, BINE_ALL_COMPLETED);
    for (int i = 0; i < 4; i++)
        bine_future_unref(asked[i]);
    return result.value;
}

static void *first_of_group(void)
{
    bine_group group;
    bine_result first = {NULL, 0};
    bine_group_open(&group, BINE_GROUP_ANY);
    for (int i = 0; i < 4; i++)
        bine_group_spawn(&group, ask, &mirrors[i]);
    return bine_group_wait(&group, &first) < 0 ? NULL : first.value;
}

static void *run(void *arg)
{
    trace("futures");
    const struct mirror *first = first_of_futures();
    trace("%s was the first", first ? first->name : "none");
    trace_restart();
    trace("a group");
    first = first_of_group();
    trace("%s was the first", first ? first->name : "none");
    return arg;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
