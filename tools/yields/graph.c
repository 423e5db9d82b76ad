/* SPDX-License-Identifier: MIT
 *
 * The graph of calls: making it, and finding out what switches.  See graph.h.
 *
 * Colouring goes backwards from bine's own calls in three rounds, the surest first, each breadth first, so
 * that the chain kept for a function is a shortest one of its surest kind: over direct calls alone; then also
 * through pointers that were matched; last from pointers that nothing was found for.
 *
 * A generator's body is called by whoever asks it for a value, as through a pointer of its type.  That it hands a
 * value out takes it off the loop, but not who has asked. */
#include "graph.h"

#include "resolve.h"
#include "source.h"
#include "yielding.h"

#include <stdlib.h>
#include <string.h>

static struct node *node_new(struct graph *graph, struct unit *unit, const char *symbol)
{
    struct node *node = allocate(sizeof *node);
    node->symbol = node->name = symbol;
    node->unit = unit;
    node->frame = node->parameters = -1;
    PUSH(&graph->nodes, node);
    return node;
}

static const char *const resuming[] = {"bine_gen_next", "bine_gen_send", "bine_gen_throw", "bine_gen_close",
                                       "bine_gen_free"};

static void add_resuming(struct graph *graph, const char *symbol)
{
    struct node *node = node_new(graph, NULL, intern_text(symbol));
    struct call *call = graph_call(graph, node, NULL, node->place, INDIRECT);
    call->through = signature_of_pointer("void * (*<T1>) (struct bine_gen *, void *)");
    call->stacks = false;
    node->resumes = true;
    map_set(&graph->global, node->symbol, node);
}

struct graph *graph_new(void)
{
    struct graph *graph = allocate(sizeof *graph);
    for (size_t i = 0; i < yielding_count; i++) {
        if (yielding[i].as_callback)
            continue;
        /* A macro of that name adds the place or a size, and calls the one with the longer name. */
        static const char *const suffix[] = {"", "_at", "_sized"};
        for (size_t s = 0; s < sizeof suffix / sizeof *suffix; s++) {
            const char *symbol = format("%s%s", yielding[i].name, suffix[s]);
            if (map_get(&graph->global, symbol))
                continue;
            struct node *node = node_new(graph, NULL, symbol);
            /* As programs write it. */
            node->name = begins(symbol, "bine__group_") ? "BINE_GROUP" : yielding[i].name;
            node->ours = true;
            node->signature = signature_of_function(yielding[i].result, yielding[i].parameters);
            node->hands_out = !strcmp(symbol, "bine_gen_yield") || !strcmp(symbol, "bine_gen_from");
            map_set(&graph->global, symbol, node);
        }
    }
    for (size_t i = 0; i < sizeof resuming / sizeof *resuming; i++)
        add_resuming(graph, resuming[i]);
    return graph;
}

struct node *graph_node(struct graph *graph, struct unit *unit, const char *symbol, bool local)
{
    struct node *node = map_get(&unit->by_symbol, symbol);
    if (node)
        return node;
    if (!local)
        node = map_get(&graph->global, symbol);
    if (!node) {
        node = node_new(graph, local ? unit : NULL, symbol);
        if (!local)
            map_set(&graph->global, symbol, node);
    }
    map_set(&unit->by_symbol, symbol, node);
    if (!node->seen_in)
        node->seen_in = unit;
    return node;
}

struct node *graph_definition(struct graph *graph, struct unit *unit, const char *symbol, bool local)
{
    struct node *node = graph_node(graph, unit, symbol, local);
    if (node->defined && node->unit != unit) { /* another program's, as main() is */
        node = node_new(graph, unit, symbol);
        map_set(&unit->by_symbol, symbol, node);
    }
    node->defined = true;
    node->unit = unit;
    return node;
}

void graph_add_ours(struct graph *graph, const char *symbol)
{
    struct node *node = map_get(&graph->global, symbol);
    if (!node) {
        node = node_new(graph, NULL, symbol);
        map_set(&graph->global, symbol, node);
    }
    node->ours = true;
}

struct call *graph_call(struct graph *graph, struct node *from, struct node *to, struct place place,
                        enum kind kind)
{
    struct call *call = allocate(sizeof *call);
    call->from = from;
    call->to = to;
    call->place = place;
    call->kind = kind;
    call->arguments = -1;
    call->colours = call->stacks = true;
    PUSH(&from->calls, call);
    PUSH(&graph->calls, call);
    return call;
}

struct place place_of(const char *text, size_t length)
{
    struct place place = {NULL, 0, 0};
    int colon[2] = {-1, -1};
    size_t digits = length;
    for (int i = 1; i >= 0; i--) {
        while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9')
            digits--;
        if (digits == 0 || text[digits - 1] != ':' || text[digits] < '0' || text[digits] > '9')
            return place;
        colon[i] = (int)--digits;
    }
    place.line = atoi(text + colon[0] + 1);
    place.column = atoi(text + colon[1] + 1);
    while (colon[0] > 2 && text[0] == '.' && text[1] == '/') {
        text += 2;
        colon[0] -= 2;
    }
    place.file = intern(text, (size_t)colon[0]);
    return place;
}

bool is_system(const char *file)
{
    return !file || begins(file, "/usr/include/") || begins(file, "/usr/lib/") || begins(file, "<") ||
           strstr(file, "include/bine/") != NULL;
}

/* ---- Colouring ----------------------------------------------------------------------------- */

static enum colour through(const struct call *call, const struct node *target)
{
    enum colour colour = target->ours ? YIELDS : target->colour;
    return call->kind != DIRECT && colour == YIELDS ? POINTER : colour;
}

/* Whether a call through a pointer is open because a candidate is.  Where there are functions of the pointer's own
 * type, those that only go with it by a `void *` make it no maybe: that would be a guess upon a guess. */
static bool opens(const struct call *call, const struct node *target)
{
    for (size_t i = call->exact; call->exact > 0 && i < call->candidates.count; i++) {
        if (call->candidates.at[i] == target)
            return false;
    }
    return true;
}

/* next: through whom, if through anybody. */
static enum colour strongest(const struct call *call, const struct node **next)
{
    *next = call->to;
    if (call->to)
        return through(call, call->to);
    enum colour best = call->found ? QUIET : MAYBE;
    for (size_t i = 0; i < call->candidates.count; i++) {
        const struct node *target = call->candidates.at[i];
        enum colour colour = through(call, target);
        if (colour <= best || (colour == MAYBE && !opens(call, target)) ||
            (call->from->resumes && !target->switches))
            continue;
        best = colour;
        *next = target;
    }
    return best;
}

enum colour call_colour(const struct call *call)
{
    const struct node *next;

    return strongest(call, &next);
}

struct queue {
    struct node **at;
    size_t count, room;
};

static void reach(struct queue *queue, struct node *node, enum colour colour, const struct call *why,
                  const struct node *next)
{
    if (node->ours || node->colour >= colour)
        return;
    node->colour = colour;
    node->why = why;
    node->next = next;
    PUSH(queue, node);
}

/* Everybody who reaches what is in the queue gets the colour; direct: over direct calls alone. */
static void spread(struct queue *queue, enum colour colour, bool direct)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct node *node = queue->at[i];
        for (size_t c = 0; c < node->callers.count; c++) {
            struct call *call = node->callers.at[c];
            if (call->from->resumes && !node->ours && !node->switches)
                continue;
            if (call->colours && (!direct || call->kind == DIRECT) && (colour != MAYBE || opens(call, node)))
                reach(queue, call->from, colour, call, node);
        }
    }
}

static void find_switching(struct graph *graph)
{
    struct queue queue = {NULL, 0, 0};
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i];
        bool open = false;
        for (size_t c = 0; c < node->calls.count && !node->resumes; c++) {
            const struct call *call = node->calls.at[c];
            open |= call->colours && call->kind == INDIRECT && !call->found;
        }
        node->switches = open || (node->ours && !node->hands_out);
        if (node->switches)
            PUSH(&queue, node);
    }
    for (size_t i = 0; i < queue.count; i++) {
        for (size_t c = 0; c < queue.at[i]->callers.count; c++) {
            const struct call *call = queue.at[i]->callers.at[c];
            if (!call->colours || call->from->switches)
                continue;
            call->from->switches = true;
            PUSH(&queue, call->from);
        }
    }
    free(queue.at);
}

static void colour(struct graph *graph)
{
    struct queue sure = {NULL, 0, 0}, pointed = {NULL, 0, 0}, unsure = {NULL, 0, 0};
    find_switching(graph);
    for (int handing = 0; handing < 2; handing++) {
        for (size_t i = 0; i < graph->nodes.count; i++) {
            if (graph->nodes.at[i]->ours && graph->nodes.at[i]->hands_out == handing)
                PUSH(&sure, graph->nodes.at[i]);
        }
        spread(&sure, YIELDS, true);
    }
    for (size_t i = 0; i < sure.count; i++)
        PUSH(&pointed, sure.at[i]);
    spread(&pointed, POINTER, false);
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->colours && call->kind == INDIRECT && !call->found)
            reach(&unsure, call->from, MAYBE, call, NULL);
    }
    spread(&unsure, MAYBE, false);
}

/* What no unit has the body of, and is declared with BINE_YIELDS. */
static void believe_declarations(struct graph *graph)
{
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i];
        if (node->defined || node->ours || is_system(node->place.file))
            continue;
        struct source *source = source_open(node->place.file, node->seen_in);
        if (source && map_get(&source->yielding, node->symbol))
            node->ours = true;
    }
}

/* What a function is passed that a later unit turned out to have: it is followed there. */
static void forget_passed(struct graph *graph)
{
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->passed_to && call->passed_to->defined)
            call->colours = false;
    }
}

/* Calls of another unit's weak or inline function lead there; and those of a weak one, in its own unit too, to
 * the function that takes its place. */
static void find_shared(struct graph *graph)
{
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i], *global = map_get(&graph->global, node->symbol);
        if (!node->shared || !node->defined || global == node || node->ours)
            continue;
        if (!global)
            map_set(&graph->global, node->symbol, node);
        else if (!global->defined && !global->alias_of && !global->ours)
            global->alias_of = node;
        else if (global->defined && global->unit != node->unit)
            node->alias_of = global;
    }
}

static struct node *behind(struct node *node)
{
    for (int steps = 0; node && node->alias_of && steps < 8; steps++)
        node = node->alias_of;
    return node;
}

/* Whoever calls one name calls the function. */
static void follow_aliases(struct graph *graph)
{
    for (size_t i = 0; i < graph->calls.count; i++)
        graph->calls.at[i]->to = behind(graph->calls.at[i]->to);
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i], *function = behind(node);
        if (node != function && node->taken)
            function->taken = true;
    }
}

void graph_finish(struct graph *graph)
{
    find_shared(graph);
    follow_aliases(graph);
    believe_declarations(graph);
    forget_passed(graph);
    resolve(graph);
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->to)
            PUSH(&call->to->callers, call);
        for (size_t c = 0; c < call->candidates.count; c++)
            PUSH(&call->candidates.at[c]->callers, call);
    }
    colour(graph);
}

/* ---- Telling why --------------------------------------------------------------------------- */

static const char *pointer_text(const struct call *call)
{
    return call->through && call->through->text ? call->through->text : "a pointer";
}

const char *step_of(const struct call *call, const struct node *next)
{
    if (call->kind == INDIRECT && !next)
        return format("a call through %s that no function in the graph goes with", pointer_text(call));
    if (call->kind == INDIRECT && call->passed_to)
        return format("%s() calling %s back as %s()", call->passed_to->name, pointer_text(call), next->name);
    if (call->kind == INDIRECT)
        return format("%s as %s()", pointer_text(call), next->name);
    if (call->kind == CALLED_BACK)
        return format("%s() calling back %s()", call->passed_to->name, next->name);
    return format("%s()", next->name);
}

const char *chain_from(const struct node *node)
{
    const char *chain = "";
    /* Each step leads to a function that was coloured earlier, so this ends. */
    while (node && node->why) {
        chain = format("%s%s%s", chain, *chain ? " -> " : "", step_of(node->why, node->next));
        node = node->next;
    }
    return chain;
}

const char *chain_of(const struct call *call)
{
    const struct node *next;
    (void)strongest(call, &next);
    const char *rest = next && !next->ours ? chain_from(next) : "";
    return format("%s%s%s", step_of(call, next), *rest ? " -> " : "", rest);
}
