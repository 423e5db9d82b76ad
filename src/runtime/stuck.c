/* SPDX-License-Identifier: MIT
 *
 * Nothing can ever run again: says which tasks wait, what for, and whose doing that is; and the first
 * circle among them.
 *
 * The search for a circle is a depth-first one over the edges that bine__blocker() tells.  Its path is
 * kept in the nodes, not on the stack: a chain may be as long as there are tasks. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/debug.h"

enum { TOLD = 100, TEXT_SIZE = 384 }; /* tasks that are told one by one; what a message has for the circle */

enum colour { UNSEEN, ON_PATH, DONE };

struct node {
    struct bine_task *task;
    struct bine_task *tried; /* the edge that was followed last */
    struct node *from;       /* on the path */
    enum colour colour;
};

struct graph {
    struct node *nodes; /* by address of the task */
    size_t n, room;
};

/* ---- The graph ------------------------------------------------------------------------------------ */

static bool waits(const struct bine_task *task)
{
    return task->magic == BINE__TASK_MAGIC && task->state == BINE__PARKED;
}

static void count_one(struct bine__stack stack, void *arg)
{
    *(size_t *)arg += waits(bine__task_of(stack));
}

static void add_one(struct bine__stack stack, void *arg)
{
    struct graph *graph = arg;
    struct bine_task *task = bine__task_of(stack);
    if (waits(task) && graph->n < graph->room)
        graph->nodes[graph->n++] = (struct node){.task = task};
}

static int by_address(const void *a, const void *b)
{
    const struct bine_task *left = ((const struct node *)a)->task, *right = ((const struct node *)b)->task;
    return (left > right) - (left < right);
}

static int by_id(const void *a, const void *b)
{
    const struct bine_task *left = ((const struct node *)a)->task, *right = ((const struct node *)b)->task;
    return (left->id > right->id) - (left->id < right->id);
}

static struct node *node_of(const struct graph *graph, struct bine_task *task)
{
    struct node key = {.task = task};
    return task ? bsearch(&key, graph->nodes, graph->n, sizeof key, by_address) : NULL;
}

/* Follows edges from here.  The last node of a circle, whose first is its .tried; NULL: there is none. */
static struct node *search(const struct graph *graph, struct node *node)
{
    node->colour = ON_PATH;
    while (node) {
        node->tried = bine__blocker(node->task, node->tried);
        if (!node->tried) {
            node->colour = DONE;
            node = node->from;
            continue;
        }
        struct node *next = node_of(graph, node->tried);
        if (!next || next->colour == DONE)
            continue;
        if (next->colour == ON_PATH)
            return node;
        next->colour = ON_PATH;
        next->from = node;
        node = next;
    }
    return NULL;
}

static struct node *find_circle(const struct graph *graph)
{
    for (size_t i = 0; i < graph->n; i++) {
        struct node *last = graph->nodes[i].colour == UNSEEN ? search(graph, &graph->nodes[i]) : NULL;
        if (last)
            return last;
    }
    return NULL;
}

/* ---- In words ------------------------------------------------------------------------------------ */

/* "task 2 'a' -> mutex -> task 3 'b' -> mutex -> task 2 'a'"; where it is too long the end is left out. */
static void draw_circle(char *text, size_t size, const struct graph *graph, const struct node *first)
{
    size_t n = 0;
    const struct node *node = first;
    do {
        n += (size_t)snprintf(text + n, size - n, "task %llu '%s' -> %s -> ",
                              (unsigned long long)node->task->id, bine__task_name(node->task),
                              bine__wait_names[node->task->wait]);
        node = node_of(graph, node->tried); /* on the path each has the next one's edge */
    } while (node != first && n < size);
    if (n < size)
        n += (size_t)snprintf(text + n, size - n, "task %llu '%s'", (unsigned long long)first->task->id,
                              bine__task_name(first->task));
    if (n >= size)
        snprintf(text + size - 4, 4, "...");
}

static void tell(const struct bine_task *task)
{
    const char *what = bine__wait_names[task->wait];
    const struct bine_task *blocker = bine__blocker(task, NULL);
    if (!blocker)
        bine__report(BINE_REPORT_STUCK, task, 0, "waits for ever: %s", what);
    else
        bine__report(BINE_REPORT_STUCK, task, 0, "waits for ever: %s %s task %llu '%s'%s", what,
                     bine__blocks_how(task), (unsigned long long)blocker->id, bine__task_name(blocker),
                     bine__blocker(task, blocker) ? " and others" : "");
}

static void tell_all(const struct graph *graph)
{
    char circle[TEXT_SIZE] = "";
    struct node *last = find_circle(graph);
    if (last)
        draw_circle(circle, sizeof circle, graph, node_of(graph, last->tried));
    bine__report(BINE_REPORT_STUCK, NULL, 0, "nothing can ever run again: %zu tasks wait%s%s", graph->n,
                 last ? "; in a circle: " : "", circle);
    qsort(graph->nodes, graph->n, sizeof *graph->nodes, by_id);
    for (size_t i = 0; i < graph->n && i < TOLD; i++)
        if (waits(graph->nodes[i].task)) /* the hook may have done something about it */
            tell(graph->nodes[i].task);
    if (graph->n > TOLD)
        bine__report(BINE_REPORT_STUCK, NULL, 0, "and %zu more tasks wait", graph->n - TOLD);
}

void bine__stuck_report(struct bine_loop *loop)
{
    struct graph graph = {.n = 0};
    bine__stacks_each(&loop->stacks, count_one, &graph.room);
    graph.nodes = calloc(graph.room ? graph.room : 1, sizeof *graph.nodes);
    if (!graph.nodes) {
        bine__report(BINE_REPORT_STUCK, NULL, 0, "nothing can ever run again: %zu tasks wait", graph.room);
        return;
    }
    bine__stacks_each(&loop->stacks, add_one, &graph);
    qsort(graph.nodes, graph.n, sizeof *graph.nodes, by_address);
    tell_all(&graph);
    free(graph.nodes);
}
