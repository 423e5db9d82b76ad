/* SPDX-License-Identifier: MIT
 *
 * diff OLD NEW: what may switch in the new graph and did not in the old one, for code review.
 *
 * A function is the same in both if its symbol is, and, for one of a unit's own, the name of its source.  Its
 * switch points are compared as sequences, by what they call, so that lines that only moved are not reported.
 */
#include "commands.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

typedef VECTOR(const struct call *) sequence;

/* How a function is found again, tried from the strictest to the loosest. */
static const char *key_of(const struct graph *graph, const struct node *node, int looseness)
{
    if (map_get(&graph->global, node->symbol) == node)
        return node->symbol;
    const char *source = node->unit ? node->unit->source : "";
    if (looseness == 0)
        return format("%s/%s:%s", base_of(directory_of(source)), base_of(source), node->symbol);
    return looseness == 1 ? format("%s:%s", base_of(source), node->symbol) : format(":%s", node->symbol);
}

static struct map index_of(const struct graph *graph)
{
    struct map index = {NULL, 0, 0};
    for (int looseness = 0; looseness < 3; looseness++) {
        for (size_t i = 0; i < graph->nodes.count; i++) {
            struct node *node = graph->nodes.at[i];
            const char *key = node->defined ? key_of(graph, node, looseness) : NULL;
            if (key && !map_get(&index, key))
                map_set(&index, key, node);
        }
    }
    return index;
}

static const struct node *counterpart(const struct map *index, const struct graph *graph,
                                      const struct node *node)
{
    const struct node *found = NULL;
    for (int looseness = 0; looseness < 2 && !found; looseness++)
        found = map_get(index, key_of(graph, node, looseness));
    return found ? found : map_get(index, node->symbol);
}

static int by_place(const void *a, const void *b)
{
    const struct call *one = *(const struct call *const *)a, *other = *(const struct call *const *)b;
    if (one->place.line != other->place.line)
        return one->place.line < other->place.line ? -1 : 1;
    return (one->place.column > other->place.column) - (one->place.column < other->place.column);
}

static sequence points_of(const struct node *node)
{
    sequence points = {NULL, 0, 0};
    for (size_t i = 0; i < node->calls.count; i++) {
        if (node->calls.at[i]->colours && call_colour(node->calls.at[i]) != QUIET)
            PUSH(&points, node->calls.at[i]);
    }
    if (points.count)
        qsort(points.at, points.count, sizeof *points.at, by_place);
    return points;
}

static bool same_point(const struct call *a, const struct call *b)
{
    if (a->kind != b->kind || (call_colour(a) == MAYBE && call_colour(b) != MAYBE))
        return false;
    if (a->to)
        return a->to->symbol == b->to->symbol;
    const char *one = a->through && a->through->text ? a->through->text : "";
    const char *other = b->through && b->through->text ? b->through->text : "";
    return !strcmp(one, other);
}

/* What a match is worth: of several alike, those that stand where they stood. */
static unsigned worth(const struct call *a, const struct call *b)
{
    if (!same_point(a, b))
        return 0;
    bool line = a->place.line == b->place.line ||
                a->place.line - a->from->place.line == b->place.line - b->from->place.line;
    return 8u + (line ? 2u : 0u) + (a->place.column == b->place.column ? 1u : 0u);
}

/* Marks the points of `after` that the best common subsequence with `before` leaves out. */
static bool *added(const sequence *before, const sequence *after)
{
    size_t n = before->count, m = after->count, width = m + 1;
    unsigned *best = allocate((n + 1) * width * sizeof *best);
    bool *is_new = allocate((m + 1) * sizeof *is_new);
    for (size_t i = n; i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            unsigned down = best[(i + 1) * width + j], right = best[i * width + j + 1];
            unsigned match = worth(before->at[i], after->at[j]);
            unsigned most = down > right ? down : right;
            if (match && best[(i + 1) * width + j + 1] + match > most)
                most = best[(i + 1) * width + j + 1] + match;
            best[i * width + j] = most;
        }
    }
    size_t i = 0, j = 0;
    while (j < m) {
        unsigned match = i < n ? worth(before->at[i], after->at[j]) : 0;
        if (match && best[i * width + j] == best[(i + 1) * width + j + 1] + match) {
            i++;
            j++;
        } else if (i < n && best[(i + 1) * width + j] >= best[i * width + j + 1]) {
            i++;
        } else {
            is_new[j++] = true;
        }
    }
    free(best);
    return is_new;
}

static long compare_function(struct report *report, const struct node *before, const struct node *after)
{
    sequence old = points_of(before), new = points_of(after);
    bool *is_new = added(&old, &new);
    long found = 0;
    for (size_t i = 0; i < new.count; i++) {
        const struct call *call = new.at[i];
        if (!is_new[i] || (!options.system && is_system(call->place.file)))
            continue;
        const char *first = before->colour == QUIET ? ", which did not switch at all before" : "";
        struct finding *finding =
            report_add(report, WARNING, "new-switch-point", call->place, after,
                       format("%s() %s switch here now%s: %s", after->name,
                              call_colour(call) == MAYBE ? "might" : "may", first, chain_of(call)));
        report_chain(finding, call);
        found++;
    }
    if (before->colour != QUIET && after->colour == QUIET)
        report_add(report, NOTE, "lost-switch-point", after->place, after,
                   format("%s() no longer switches", after->name));
    return found;
}

int command_diff(char **words, size_t count)
{
    if (count != 2)
        usage("diff: give the old and the new graph");
    struct graph *old = load(words, 1), *new = load(words + 1, 1);
    struct map before = index_of(old), seen = {NULL, 0, 0};
    struct report report = {.command = "diff"};
    long found = 0, fresh = 0;
    for (size_t i = 0; i < new->nodes.count; i++) {
        const struct node *node = new->nodes.at[i];
        if (!node->defined || (!options.system && is_system(node->place.file)))
            continue;
        const struct node *was = counterpart(&before, new, node);
        if (was) {
            found += compare_function(&report, was, node);
        } else if (node->colour != QUIET && !map_get(&seen, node->symbol)) {
            map_set(&seen, node->symbol, new);
            report_add(&report, NOTE, "new-switch-point", node->place, node,
                       format("new function %s() %s switch: %s", node->name,
                              node->colour == MAYBE ? "might" : "may", chain_from(node)));
            fresh++;
        }
    }
    report_sort(&report);
    report_total(&report, "new_points", found);
    report_total(&report, "new_functions", fresh);
    report_print(&report);
    return found ? EXIT_FINDINGS : EXIT_CLEAN;
}
