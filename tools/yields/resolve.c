/* SPDX-License-Identifier: MIT
 *
 * Which functions a call through a pointer may reach: those whose address is taken somewhere in the graph and
 * whose type goes with the pointer's.
 *
 * Where a unit was compiled without the dumps, its source stands in: the number of arguments at the call
 * against the number of parameters of the definition, and a function's address counts as taken if its name
 * stands anywhere but before a parenthesis.  A call for which nothing goes is left open ("maybe"): who is
 * called is not in the graph. */
#include "resolve.h"

#include "graph.h"
#include "source.h"

/* What a unit without dumps leaves out, from its source. */
static void fill_in(struct graph *graph)
{
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i];
        if (!node->defined || node->signature || is_system(node->place.file))
            continue;
        struct source *source = source_open(node->place.file, node->unit);
        if (source)
            node->parameters = source_parameters(source, node->place);
    }
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->kind != INDIRECT || !call->colours || call->through || is_system(call->place.file))
            continue;
        struct source *source = source_open(call->place.file, call->from->unit);
        if (source)
            call->arguments = source_arguments(source, call->place);
    }
    for (size_t i = 0; i < graph->units.count; i++) {
        struct unit *unit = graph->units.at[i];
        if (unit->knows_taken)
            continue;
        struct source *source = source_open(unit->source, unit);
        for (size_t n = 0; n < graph->nodes.count; n++) {
            struct node *node = graph->nodes.at[n];
            /* Without the source nothing is known: all may be. */
            if (!source ? map_get(&unit->by_symbol, node->symbol) == node
                        : source_takes(source, node->symbol))
                node->taken = true;
        }
    }
}

static enum match reaches(const struct call *call, const struct node *node)
{
    if (call->through && node->signature)
        return may_hold(call->through, node->signature);
    int passed = call->through ? (int)call->through->count : call->arguments;
    int wanted = node->signature ? (int)node->signature->count : node->parameters;
    return passed < 0 || wanted < 0 || passed == wanted ? LOOSE_MATCH : NO_MATCH; /* what is not known goes with all */
}

static const char *key_of(const struct call *call)
{
    return format("%s:%d:%d", call->place.file ? call->place.file : "", call->place.line, call->place.column);
}

/* The .ci knows the frames, and of pointers only where they are called; the dump of the same unit knows the
 * rest. */
static void share_candidates(struct graph *graph)
{
    struct map typed = {NULL, 0, 0};
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->kind == INDIRECT && call->colours && !call->stacks && !call->passed_to && call->place.file)
            map_set(&typed, key_of(call), call);
    }
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        const struct call *known =
            call->kind == INDIRECT && !call->colours ? map_get(&typed, key_of(call)) : NULL;
        if (known) {
            call->through = known->through;
            call->found = known->found;
            call->candidates = known->candidates;
            call->exact = known->exact;
        }
    }
}

void resolve(struct graph *graph)
{
    fill_in(graph);
    VECTOR(struct node *) taken = {NULL, 0, 0};
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i];
        if (node->taken && (node->defined || node->ours))
            PUSH(&taken, node);
    }
    for (size_t i = 0; i < graph->calls.count; i++) {
        struct call *call = graph->calls.at[i];
        if (call->kind != INDIRECT || !call->colours)
            continue;
        for (enum match wanted = EXACT_MATCH; wanted > NO_MATCH; wanted--) {
            for (size_t t = 0; t < taken.count; t++) {
                if (reaches(call, taken.at[t]) == wanted)
                    PUSH(&call->candidates, taken.at[t]);
            }
            if (wanted == EXACT_MATCH)
                call->exact = call->candidates.count;
        }
        call->found = call->candidates.count > 0;
    }
    share_candidates(graph);
}
