/* SPDX-License-Identifier: MIT
 *
 * bine_dump(): every task of the loop, for people, each below the one that spawned it.  One task at a time
 * goes through a buffer and write(2).  Where there is no memory for the tree it is a list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/debug.h"

enum { INDENT = 2, DEEPEST = 40 }; /* columns; what lies deeper is not moved any further */

struct dump {
    int fd, error;
    bine_ns now;
    int indent;
    struct bine__named *known; /* frames that tasks share; NULL: no memory */
};

struct twig { /* a task in the tree */
    struct bine_task *task;
    struct twig *up, *next; /* who spawned it, and the next that this one has spawned */
    struct twig *child, **last;
};

struct tree {
    struct twig *twigs; /* by id */
    size_t n, room;
    struct twig *roots;
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
    int n = snprintf(line, sizeof line, "%*stask %llu '%s' %s", dump->indent, "",
                     (unsigned long long)info->id, info->name, states[info->state]);
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
        ADD(", deadline in %.3f s", seconds(info->until) - seconds(dump->now));
    ADD(", spawned at %s by %llu, stack %zu of %zu bytes\n", info->site ? info->site : "?",
        (unsigned long long)info->parent, info->stack_used, info->stack_size);
#undef ADD
    put(dump, line, n < (int)room ? n : (int)room - 1);
}

static void dump_task(struct dump *dump, struct bine_task *task)
{
    if (dump->error)
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
        char trace[BINE__TRACE_SIZE], indent[DEEPEST + 16];
        bine__format_trace(trace, sizeof trace, frames, depth, dump->known);
        put(dump, indent, snprintf(indent, sizeof indent, "%*s    at", dump->indent, ""));
        put(dump, trace, (int)strnlen(trace, sizeof trace));
        put(dump, "\n", 1);
    }
}

static void dump_one(struct bine__stack stack, void *arg)
{
    struct bine_task *task = bine__task_of(stack);
    if (task->magic == BINE__TASK_MAGIC)
        dump_task(arg, task);
}

/* ---- The tree ------------------------------------------------------------------------------------- */

static void count_one(struct bine__stack stack, void *arg)
{
    *(size_t *)arg += bine__task_of(stack)->magic == BINE__TASK_MAGIC;
}

static void add_one(struct bine__stack stack, void *arg)
{
    struct tree *tree = arg;
    struct bine_task *task = bine__task_of(stack);
    if (task->magic == BINE__TASK_MAGIC && tree->n < tree->room)
        tree->twigs[tree->n++].task = task;
}

static int by_id(const void *a, const void *b)
{
    const struct bine_task *left = ((const struct twig *)a)->task, *right = ((const struct twig *)b)->task;
    return (left->id > right->id) - (left->id < right->id);
}

static struct twig *twig_of(const struct tree *tree, uint64_t id)
{
    size_t low = 0, high = tree->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->twigs[middle].task->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->n && tree->twigs[low].task->id == id ? &tree->twigs[low] : NULL;
}

/* False: no memory. */
static bool grow(struct tree *tree, struct bine_loop *loop)
{
    struct twig **last = &tree->roots;
    bine__stacks_each(&loop->stacks, count_one, &tree->room);
    tree->twigs = calloc(tree->room ? tree->room : 1, sizeof *tree->twigs);
    if (!tree->twigs)
        return false;
    bine__stacks_each(&loop->stacks, add_one, tree);
    qsort(tree->twigs, tree->n, sizeof *tree->twigs, by_id);
    for (struct twig *twig = tree->twigs; twig < tree->twigs + tree->n; twig++) {
        twig->last = &twig->child;
        twig->up = twig_of(tree, twig->task->parent);
        struct twig ***end = twig->up ? &twig->up->last : &last; /* a parent's id is less: it is set up */
        **end = twig;
        *end = &twig->next;
    }
    return true;
}

static void dump_tree(struct dump *dump, const struct tree *tree)
{
    int depth = 0;
    for (struct twig *twig = tree->roots; twig;) {
        dump->indent = depth * INDENT < DEEPEST ? depth * INDENT : DEEPEST;
        dump_task(dump, twig->task);
        if (twig->child) {
            twig = twig->child;
            depth++;
            continue;
        }
        for (; twig && !twig->next; depth--)
            twig = twig->up;
        if (twig)
            twig = twig->next;
    }
}

static void dump_all(struct dump *dump, struct bine_loop *loop)
{
    struct tree tree = {.n = 0};
    bool grown = grow(&tree, loop);
    dump->known = calloc(BINE__NAMED, sizeof *dump->known);
    if (grown)
        dump_tree(dump, &tree);
    else
        bine__stacks_each(&loop->stacks, dump_one, dump);
    free(dump->known);
    free(tree.twigs);
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
    dump_all(&dump, loop);
    for (const struct bine__site *site = bine__debug_sites(loop); site && !dump.error; site = site->next) {
        char text[256];
        n = snprintf(text, sizeof text, "site %s: %llu tasks ended, deepest stack %zu of %zu bytes\n", site->site,
                     (unsigned long long)site->tasks, site->used, site->size);
        put(&dump, text, n < (int)sizeof text ? n : (int)sizeof text - 1);
    }
    return dump.error ? bine__error(dump.error) : 0;
}
