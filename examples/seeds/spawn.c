/* SPDX-License-Identifier: MIT
 *
 * Spawning without finalisation, and what cures it.
 *
 *     spawn [--real]
 *
 * go() forgets its child, which writes to a file that has been closed since.  by_hand() stops its child on
 * the way out: right, until a return is added that forgets to.  in_a_group() cannot forget: no child
 * outlives its block.  limited() is what aiojobs is for: many jobs, so many at once. */
#include <bine.h>

#include <errno.h>

#include "../lib/trace.h"

struct file {
    const char *name;
    bool open;
};

static void *write_later(void *arg)
{
    const struct file *file = arg;
    if (bine_sleep(BINE_SECOND) < 0) {
        trace("  child: cancelled, tidies up while %s is %s", file->name, file->open ? "open" : "CLOSED");
        return bine_fail(errno);
    }
    trace("  child: writes to %s, which is %s", file->name, file->open ? "open" : "CLOSED");
    return NULL;
}

static void work(void)
{
    bine_sleep(BINE_SECOND / 2); /* "some code after" */
}

static void go(struct file *file)
{
    bine_task *child = bine_spawn(write_later, file);
    if (child)
        bine_detach(child);
    work();
}

static void by_hand(struct file *file)
{
    bine_task *child = bine_spawn(write_later, file);
    work();
    if (child)
        bine_stop(child, NULL);
}

static void in_a_group(struct file *file)
{
    BINE_GROUP(children, BINE_GROUP_ALL) {
        bine_group_spawn(&children, write_later, file);
        work();
    } /* waits; left by break or return it would cancel first */
}

static void left_early(struct file *file)
{
    BINE_GROUP(children, BINE_GROUP_ALL) {
        bine_group_spawn(&children, write_later, file);
        work();
        return; /* cancels, then waits */
    }
}

static void *job(void *arg)
{
    const int *number = arg;
    trace("  job %d begins", *number);
    if (bine_sleep(*number * BINE_SECOND) < 0)
        return bine_fail(errno);
    trace("  job %d ends", *number);
    return NULL;
}

static void limited(struct file *file)
{
    static int numbers[] = {1, 2, 3, 4};
    (void)file;
    BINE_GROUP(jobs, BINE_GROUP_COLLECT) {
        for (int i = 0; i < 4; i++)
            if (bine_group_admit(&jobs, 2) == 0)
                bine_group_spawn(&jobs, job, &numbers[i]);
    }
}

static void *run(void *arg)
{
    static const struct {
        const char *name;
        void (*fn)(struct file *);
    } ways[] = {{"go", go},
                {"by hand", by_hand},
                {"in a group", in_a_group},
                {"left early", left_early},
                {"limited", limited}};
    static struct file files[] = {{"a.txt", 0}, {"b.txt", 0}, {"c.txt", 0}, {"d.txt", 0}, {"", 0}};
    (void)arg;
    for (int i = 0; i < 5; i++) {
        trace_restart();
        trace("%s", ways[i].name);
        files[i].open = true;
        ways[i].fn(&files[i]);
        files[i].open = false;
        trace("%s: over", ways[i].name);
        bine_sleep(BINE_SECOND);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
