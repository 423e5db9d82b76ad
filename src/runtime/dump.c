/* SPDX-License-Identifier: MIT
 *
 * bine_dump(): every task of the loop, for people.  One task at a time goes through a buffer and write(2);
 * nothing is allocated. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/debug.h"

struct dump {
    int fd, error;
    bine_ns now;
};

static void put(struct dump *dump, const char *text, int length)
{
    while (length > 0 && !dump->error) {
        ssize_t n = write(dump->fd, text, (size_t)length);
        if (n < 0 && errno != EINTR)
            dump->error = errno;
        if (n > 0) {
            text += n;
            length -= (int)n;
        }
    }
}

static double seconds(bine_ns ns)
{
    return (double)ns / (double)BINE_SECOND;
}

static void put_task(struct dump *dump, const struct bine_task *task, const bine_task_info *info)
{
    static const char *const states[] = {"runnable", "running", "parked", "ended"};
    char line[512];
    int n = snprintf(line, sizeof line, "task %llu '%s' %s", (unsigned long long)info->id, info->name,
                     states[info->state]);
    size_t room = sizeof line;
#define ADD(...) n += n < (int)room ? snprintf(line + n, room - (size_t)n, __VA_ARGS__) : 0
    if (info->waits_for) {
        ADD(" in %s", info->waits_for);
        if (info->fd >= 0)
            ADD(" of descriptor %d", info->fd);
        if (info->waits_task)
            ADD(" %s task %llu", bine__blocks_how(task), (unsigned long long)info->waits_task);
        ADD(" for %.3f s", seconds(dump->now - info->since));
    }
    if (info->until != BINE_FOREVER)
        ADD(", deadline in %.3f s", seconds(info->until - dump->now));
    ADD(", spawned at %s by %llu, stack %zu of %zu bytes\n", info->site ? info->site : "?",
        (unsigned long long)info->parent, info->stack_used, info->stack_size);
#undef ADD
    put(dump, line, n < (int)room ? n : (int)room - 1);
}

static void dump_one(struct bine__stack stack, void *arg)
{
    struct dump *dump = arg;
    struct bine_task *task = bine__task_of(stack);
    if (task->magic != BINE__TASK_MAGIC || dump->error)
        return;
    bine_task_info info;
    bine__task_describe(task, &info);
    put_task(dump, task, &info);
    void *frames[BINE__FRAMES];
    int depth = 0;
    if (task == task->loop->current)
        depth = bine__backtrace(frames, BINE__FRAMES);
    else if (task->state == BINE__PARKED || task->state == BINE__RUNNABLE)
        depth = bine__backtrace_of(task, frames, BINE__FRAMES);
    if (depth > 0) {
        char trace[BINE__TRACE_SIZE];
        bine__format_trace(trace, sizeof trace, frames, depth);
        put(dump, "    at", 6);
        put(dump, trace, (int)strnlen(trace, sizeof trace));
        put(dump, "\n", 1);
    }
}

int bine_dump(int fd)
{
    struct bine_loop *loop = bine__loop;
    if (!loop)
        return bine__error(EPERM);
    struct dump dump = {.fd = fd, .now = bine__clock(loop)};
    char line[128];
    int n = snprintf(line, sizeof line, "bine: %llu tasks alive, %llu switches, %llu timers\n",
                     (unsigned long long)loop->alive, (unsigned long long)bine__switches(loop),
                     (unsigned long long)loop->wheel.armed);
    put(&dump, line, n);
    bine__stacks_each(&loop->stacks, dump_one, &dump);
    for (const struct bine__site *site = bine__debug_sites(loop); site && !dump.error; site = site->next) {
        char text[256];
        n = snprintf(text, sizeof text, "site %s: %llu tasks ended, deepest stack %zu of %zu bytes\n", site->site,
                     (unsigned long long)site->tasks, site->used, site->size);
        put(&dump, text, n < (int)sizeof text ? n : (int)sizeof text - 1);
    }
    return dump.error ? bine__error(dump.error) : 0;
}
