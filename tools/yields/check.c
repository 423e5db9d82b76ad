/* SPDX-License-Identifier: MIT
 *
 * check: nothing inside BINE_ATOMIC, and nothing in a function marked BINE_NOYIELD, may switch, however deep;
 * with
 * --explicit, nothing may that is not inside bine_await().  The marks are found in the sources by their
 * words, so that they count also where the program is compiled with the checks off. */
#include "commands.h"
#include "output.h"
#include "source.h"

#include <string.h>

typedef VECTOR(struct source *) sources;

static void add_source(sources *all, struct map *seen, const char *file, const struct unit *unit, int depth)
{
    if (!file || is_system(file) || map_get(seen, file))
        return;
    map_set(seen, file, all);
    struct source *source = source_open(file, unit);
    if (!source)
        return;
    PUSH(all, source);
    /* A header beside it may hold promises about functions that are declared nowhere else. */
    for (size_t i = 0; depth < 8 && i < source->includes.count; i++)
        add_source(all, seen, source_beside(file, source->includes.at[i]), unit, depth + 1);
}

static sources all_sources(const struct graph *graph)
{
    sources all = {NULL, 0, 0};
    struct map seen = {NULL, 0, 0};
    for (size_t i = 0; i < graph->units.count; i++) {
        const struct unit *unit = graph->units.at[i];
        const char *file = intern_text(begins(unit->source, "./") ? unit->source + 2 : unit->source);
        if (!source_open(file, unit))
            fail("%s: cannot be read, so its marks cannot be checked (compiled into %s; run this where it "
                 "was compiled)",
                 file, unit->path);
        add_source(&all, &seen, file, unit, 0);
    }
    for (size_t i = 0; i < graph->nodes.count; i++)
        add_source(&all, &seen, graph->nodes.at[i]->place.file, graph->nodes.at[i]->unit, 0);
    return all;
}

static void check_blocks(struct report *report, const struct graph *graph)
{
    for (size_t i = 0; i < graph->calls.count; i++) {
        const struct call *call = graph->calls.at[i];
        if (!call->colours || is_system(call->place.file) || call_colour(call) == QUIET)
            continue;
        struct source *source = source_open(call->place.file, call->from->unit);
        const struct region *region = source ? source_region(source, ATOMIC_BLOCK, call->place) : NULL;
        bool open = call_colour(call) == MAYBE;
        if (region) {
            struct finding *finding = report_add(
                report, open ? WARNING : ERROR, "switch-in-atomic", call->place, call->from,
                format("%s switch inside BINE_ATOMIC: %s", open ? "might" : "may", chain_of(call)));
            report_remark(finding, region->at, "the block begins here");
            report_chain(finding, call);
        }
        if (options.explicit_style && source && !source_region(source, AWAITED, call->place))
            report_chain(report_add(report, open ? NOTE : ERROR, "switch-not-awaited", call->place,
                                    call->from,
                                    format("%s switch outside bine_await(): %s", open ? "might" : "may",
                                           chain_of(call))),
                         call);
    }
}

static void check_promise(struct report *report, const struct graph *graph, const struct source *source,
                          const struct promise *promise, struct map *told)
{
    bool header = !ends(source->known, ".c") && !ends(source->known, ".cc") && !ends(source->known, ".cpp") &&
                  !ends(source->known, ".cxx");
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const struct node *node = graph->nodes.at[i];
        bool same = node->defined &&
                    (!strcmp(node->symbol, promise->function) || !strcmp(node->name, promise->function) ||
                     ends(node->name, format("::%s", promise->function)) ||
                     strstr(node->name, format("%s(", promise->function)));
        /* A promise in a source is about its own function, or the one that all see. */
        if (!same ||
            (!header && node->place.file != source->known && map_get(&graph->global, node->symbol) != node))
            continue;
        if (node->colour == QUIET || map_get(told, format("%p", (const void *)node)))
            continue;
        map_set(told, format("%p", (const void *)node), told);
        bool open = node->colour == MAYBE;
        struct finding *finding =
            report_add(report, open ? WARNING : ERROR, "broken-promise", node->why->place, node,
                       format("%s() is marked BINE_NOYIELD, and %s switch here: %s", node->name,
                              open ? "might" : "may", chain_of(node->why)));
        report_remark(finding, promise->at, "the promise is made here");
        report_chain(finding, node->why);
    }
}

int command_check(char **words, size_t count)
{
    struct graph *graph = load(words, count);
    struct report report = {.command = "check"};
    sources all = all_sources(graph);
    struct map told = {NULL, 0, 0};
    long blocks = 0, promises = 0, errors = 0, warnings = 0;
    for (size_t i = 0; i < all.count; i++) {
        for (size_t p = 0; p < all.at[i]->promises.count; p++)
            check_promise(&report, graph, all.at[i], &all.at[i]->promises.at[p], &told);
        promises += (long)all.at[i]->promises.count;
        for (size_t r = 0; r < all.at[i]->regions.count; r++)
            blocks += all.at[i]->regions.at[r].kind == ATOMIC_BLOCK;
    }
    check_blocks(&report, graph);
    report_sort(&report);
    for (size_t i = 0; i < report.findings.count; i++) {
        errors += report.findings.at[i].level == ERROR;
        warnings += report.findings.at[i].level == WARNING;
    }
    report_total(&report, "blocks", blocks);
    report_total(&report, "promises", promises);
    report_total(&report, "errors", errors);
    report_total(&report, "warnings", warnings);
    report_unseen(&report, graph);
    for (size_t i = 0; i < all.count; i++) {
        for (size_t h = 0; h < all.at[i]->hidden.count; h++) {
            const struct hidden_mark *hidden = &all.at[i]->hidden.at[h];
            PUSH(&report.asides, format("%s:%d: %s in the macro %s is not followed", all.at[i]->known, hidden->line,
                                        hidden->mark, hidden->macro));
        }
    }
    PUSH(&report.asides,
         format("%ld atomic blocks and %ld BINE_NOYIELD marks looked at: %ld errors, %ld warnings", blocks,
                promises, errors, warnings));
    report_print(&report);
    return errors + warnings ? EXIT_FINDINGS : EXIT_CLEAN;
}
