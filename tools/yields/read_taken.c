/* SPDX-License-Identifier: MIT
 *
 * Reads what gcc -fdump-ipa-cgraph writes: the symbols of a unit, among them the functions whose address is
 * taken, in code, in initialisers or in virtual tables.
 *
 *     work/0 (work) @0x7fbff7b67000
 *       Type: function definition analyzed
 *       Visibility: public
 *       Address is taken.
 *
 * It also tells which functions other units see, also where link-time optimisation keeps them out of the .ci;
 * which of them are weak; and which symbols are other names of a function (alias), among them most
 * constructors and destructors of C++, or of what a resolver picks when the program is loaded (ifunc). */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A function as the dump tells of it. */
struct told {
    const char *symbol;
    bool function, body, alias, implicit, picked; /* picked: by the resolver that it is an alias of */
    VECTOR(const char *) aliased, addressed;
};

/* "  References: work/0 (alias) rest/3 (addr) table/7 (read)" */
static void read_references(struct told *told, const char *line)
{
    for (const char *at = line + strcspn(line, ":") + 1; *at;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        const char *name = at + (*at == '*'), *slash = memchr(at, '/', length);
        at += length;
        if (!slash || begins(at, " (addr)") + begins(at, " (alias)") == 0)
            continue;
        const char *symbol = intern(name, (size_t)(slash - name));
        if (begins(at, " (alias)"))
            PUSH(&told->aliased, symbol);
        else
            PUSH(&told->addressed, symbol);
    }
}

static struct node *node_in(struct graph *graph, struct unit *unit, const char *symbol)
{
    return graph_node(graph, unit, symbol, false);
}

static void leads_to(struct graph *graph, struct node *from, struct node *to)
{
    for (size_t i = 0; i < from->calls.count; i++)
        if (from->calls.at[i]->to == to)
            return; /* the dump tells all twice */
    graph_call(graph, from, to, from->place, DIRECT);
}

static void other_name(struct graph *graph, struct unit *unit, const struct told *told, struct map *all)
{
    struct node *alias = node_in(graph, unit, told->symbol);
    for (size_t i = 0; i < told->aliased.count; i++) {
        struct node *target = node_in(graph, unit, told->aliased.at[i]);
        const struct told *resolver = map_get(all, told->aliased.at[i]);
        if (alias == target || alias->ours)
            continue;
        if (told->implicit) {
            alias->alias_of = target;
            continue;
        }
        alias->defined = true;
        alias->unit = unit;
        if (!alias->place.file)
            alias->place = target->place;
        if (!told->picked) {
            alias->signature = target->signature;
            leads_to(graph, alias, target);
        }
        for (size_t a = 0; told->picked && resolver && a < resolver->addressed.count; a++)
            leads_to(graph, alias, node_in(graph, unit, resolver->addressed.at[a]));
    }
}

static void note_visibility(struct graph *graph, struct unit *unit, struct told *told, const char *line)
{
    bool seen = strstr(line, " public") && !strstr(line, " external");
    told->picked |= strstr(line, " ifunc_resolver") != NULL;
    if (!seen || !told->body || told->alias)
        return;
    if (!strstr(line, " comdat") && !strstr(line, " weak"))
        graph_definition(graph, unit, told->symbol, false);
    struct node *node = map_get(&unit->by_symbol, told->symbol);
    if (node)
        node->shared = strstr(line, " weak") || strstr(line, " comdat");
}

void read_taken(struct graph *graph, struct unit *unit, const char *path)
{
    char *text = slurp(path, NULL);
    if (!text)
        fail("%s: %s", path, strerror(errno));
    struct map all = {NULL, 0, 0};
    VECTOR(struct told *) aliases = {NULL, 0, 0};
    struct told *told = NULL;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (line[0] != ' ') {
            /* "symbol/12 (name) @0x..." */
            const char *slash = strchr(line, '/'), *start = line + (line[0] == '*');
            told = NULL;
            if (!slash || !strstr(line, " @0x"))
                continue;
            const char *symbol = intern(start, (size_t)(slash - start));
            told = map_get(&all, symbol);
            if (!told) {
                told = allocate(sizeof *told);
                told->symbol = symbol;
                map_set(&all, symbol, told);
            }
            continue;
        }
        if (!told)
            continue;
        if (begins(line, "  Type: ")) {
            told->function = begins(line, "  Type: function");
            told->body = told->function && strstr(line, "definition analyzed");
            told->implicit |= strstr(line, " cpp_implicit_alias") != NULL;
            if (told->function && strstr(line, " alias") && !told->alias) {
                told->alias = true;
                PUSH(&aliases, told);
            }
        } else if (!told->function) {
            continue;
        } else if (begins(line, "  Visibility:")) {
            note_visibility(graph, unit, told, line);
        } else if (begins(line, "  References:")) {
            read_references(told, line);
        } else if (begins(line, "  Address is taken")) {
            graph_node(graph, unit, told->symbol, told->body && !map_get(&graph->global, told->symbol))->taken =
                true;
        }
    }
    for (size_t i = 0; i < aliases.count; i++)
        other_name(graph, unit, aliases.at[i], &all);
    free(text);
}
