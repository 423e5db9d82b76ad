/* SPDX-License-Identifier: MIT
 *
 * stack f: how deep the stack of a task that begins in f may grow.  The deepest path over gcc's figures for
 * each frame, through pointers to whatever they may hold; and, said with it, what could not be counted:
 * recursion, frames of no fixed size, pointers that nothing was found for, functions of which there is no
 * graph. */
#include "commands.h"
#include "output.h"

#include <string.h>

enum {
    RESERVE = 8 * 1024,   /* for bine's own calls (about 1 KiB), string.h and a signal's frame */
    SMALLEST = 16 * 1024, /* of bine's stacks; the others are twice as large each */
    LARGEST = 8 * 1024 * 1024
};

enum { UNSEEN = 0, ENTERED, LEFT };

struct walk {
    struct report *report;
    long *depth;               /* by node: its own and what is below it */
    const struct node **below; /* the next on the deepest path */
    VECTOR(const struct node *) path;
    VECTOR(const char *) not_counted; /* functions */
    long unbounded;                   /* what makes the figure no bound */
};

static void once(struct walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->not_counted.count; i++) {
        if (walk->not_counted.at[i] == name)
            return;
    }
    PUSH(&walk->not_counted, name);
}

static void tell_recursion(struct walk *walk, const struct node *node, const struct call *call)
{
    const char *circle = format("%s()", node->name);
    size_t from = walk->path.count;
    while (from > 0 && walk->path.at[from - 1] != node)
        from--;
    for (size_t i = from; i < walk->path.count; i++)
        circle = format("%s -> %s()", circle, walk->path.at[i]->name);
    report_add(walk->report, WARNING, "stack-depth", call->place, call->from,
               format("recursion, counted once, so that there is no bound: %s -> %s()", circle, node->name));
    walk->unbounded++;
}

static void visit(struct walk *walk, struct node *node);

static void step_to(struct walk *walk, struct node *node, struct node *to, const struct call *call,
                    long *deepest)
{
    if (to->mark == ENTERED) {
        tell_recursion(walk, to, call);
        return;
    }
    visit(walk, to);
    long depth = walk->depth[to->index];
    if (depth > *deepest) {
        *deepest = depth;
        walk->below[node->index] = to;
    }
}

static void visit(struct walk *walk, struct node *node)
{
    if (node->mark != UNSEEN)
        return;
    node->mark = ENTERED;
    PUSH(&walk->path, node);
    long deepest = 0;
    if (node->frame < 0) {
        if (!begins(node->symbol, "__builtin_"))
            once(walk, node->name);
    } else if (node->unbounded) {
        report_add(
            walk->report, WARNING, "stack-depth", node->place, node,
            format("%s() has a frame of no fixed size (alloca or an array of variable length)", node->name));
        walk->unbounded++;
    }
    for (size_t i = 0; i < node->calls.count; i++) {
        const struct call *call = node->calls.at[i];
        if (!call->stacks)
            continue;
        if (call->to) {
            step_to(walk, node, call->to, call, &deepest);
        } else if (!call->found) {
            report_add(walk->report, WARNING, "stack-depth", call->place, node,
                       format("not counted: a call through %s that no function in the graph goes with",
                              call->through && call->through->text ? call->through->text : "a pointer"));
            walk->unbounded++;
        }
        for (size_t c = 0; c < call->candidates.count; c++)
            step_to(walk, node, call->candidates.at[c], call, &deepest);
    }
    walk->path.count--;
    node->mark = LEFT;
    walk->depth[node->index] = (node->frame > 0 ? node->frame : 0) + deepest;
}

static const char *path_text(const struct walk *walk, const struct node *node)
{
    const char *text = "";
    for (int steps = 0; node && steps < 1000; node = walk->below[node->index], steps++) {
        text = format("%s%s%s() %s", text, *text ? " -> " : "", node->name,
                      node->frame >= 0 ? format("%ld", node->frame) : "?");
    }
    return text;
}

static long stack_size(long bytes)
{
    long size = SMALLEST;
    while (size < bytes + RESERVE && size < LARGEST)
        size *= 2;
    return size;
}

int command_stack(char **words, size_t count)
{
    if (count == 0)
        usage("stack: which function?");
    struct graph *graph = load(words + 1, count - 1);
    struct nodes found = find_functions(graph, words[0]);
    struct report report = {.command = "stack"};
    struct walk walk = {.report = &report};
    walk.depth = allocate(graph->nodes.count * sizeof *walk.depth);
    walk.below = allocate(graph->nodes.count * sizeof *walk.below);
    for (size_t i = 0; i < graph->nodes.count; i++)
        graph->nodes.at[i]->index = i;
    long most = 0;
    for (size_t i = 0; i < found.count; i++) {
        struct node *node = found.at[i];
        if (node->frame < 0)
            fail("%s: its frame is not in the graph: compile it with `bine-yields cc gcc ...`", words[0]);
        visit(&walk, node);
        long bytes = walk.depth[node->index];
        if (bytes > most)
            most = bytes;
        report_add(&report, NOTE, "stack-depth", node->place, node,
                   format("%s() needs %s %ld bytes of stack: %s", node->name,
                          walk.unbounded || walk.not_counted.count ? "at least" : "at most", bytes,
                          path_text(&walk, node)));
    }
    const char *names = "";
    for (size_t i = 0; i < walk.not_counted.count && i < 20; i++)
        names = format("%s%s%s()", names, *names ? ", " : "", walk.not_counted.at[i]);
    if (walk.not_counted.count > 20)
        names = format("%s, and %zu more", names, walk.not_counted.count - 20);
    if (walk.not_counted.count)
        report_add(&report, NOTE, "stack-depth", found.at[0]->place, found.at[0],
                   format("not counted, as they are not in the graph: %s", names));
    report_add(&report, NOTE, "stack-depth", found.at[0]->place, found.at[0],
               format("ask for .stack_size = %ld: %ld bytes, and %d for bine's own calls and a signal",
                      stack_size(most), most, (int)RESERVE));
    report_sort(&report);
    report_total(&report, "bytes", most);
    report_total(&report, "stack_size", stack_size(most));
    report_total(&report, "not_counted", (long)walk.not_counted.count);
    report_total(&report, "unbounded", walk.unbounded);
    report_print(&report);
    return walk.unbounded ? EXIT_FINDINGS : EXIT_CLEAN;
}
