/* SPDX-License-Identifier: MIT
 *
 * Reads what gcc -fcallgraph-info=su,da writes: a line for each function (its place, the size of its frame,
 * whether that is bounded) and for each call.  In such a file a function of the unit's own is titled
 * "file:symbol", one that all units see by its symbol alone; all calls through pointers go to one
 * placeholder. */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char placeholder[] = "__indirect_call";

/* The text of `key: "..."` in a line; NULL if it is not there.  gcc writes a quote in a file's name as it is, so
 * what follows tells which one ends the text. */
static const char *field(const char *line, const char *key)
{
    static const char *const after[] = {"\n", " }", " label: \"", " targetname: \"", " shape : "};
    const char *found = strstr(line, key);
    if (!found)
        return NULL;
    found += strlen(key);
    const char *end = found + strcspn(found, "\"");
    for (const char *quote = end; *quote; quote += 1 + strcspn(quote + 1, "\"")) {
        bool ends_here = !quote[1];
        for (size_t i = 0; i < sizeof after / sizeof *after && !ends_here; i++)
            ends_here = begins(quote + 1, after[i]);
        if (ends_here) {
            end = quote;
            break;
        }
    }
    return intern(found, (size_t)(end - found));
}

/* A title's symbol; whether it is the unit's own. */
static const char *symbol_of(const char *title, bool *local)
{
    const char *colon = strrchr(title, ':');
    *local = colon != NULL;
    const char *symbol = colon ? colon + 1 : title;
    return intern_text(symbol[0] == '*' ? symbol + 1 : symbol);
}

static struct node *node_of(struct graph *graph, struct unit *unit, const char *title)
{
    bool local;
    const char *symbol = symbol_of(title, &local);
    return graph_node(graph, unit, symbol, local);
}

/* "virtual int D::run(int) const" without what is around the name; what is cut short or a lambda's stays. */
static const char *cxx_name(const char *label, size_t length, const char *symbol)
{
    const char *text = intern(label, length), *name = text;
    if (!strncmp(text, ")", 1)) /* gcc has cut its beginning off */
        return symbol;
    if (strstr(text, "<lambda") || strstr(text, "operator"))
        return text;
    int depth = 0;
    for (const char *at = text; *at; at++) {
        if (*at == '<')
            depth++;
        else if (*at == '>')
            depth--;
        else if (*at == ' ' && depth == 0)
            name = at + 1 + strspn(at + 1, "*&");
        else if (*at == '(' && depth == 0 && at > name)
            return intern(name, (size_t)(at - name));
    }
    return text;
}

static void read_node(struct graph *graph, struct unit *unit, const char *line, bool body)
{
    const char *title = field(line, "title: \""), *label = field(line, "label: \"");
    if (!title || !label)
        fail("%s: damaged: a node without title or label", unit->path);
    if (!strcmp(title, placeholder))
        return;
    const char *second = strstr(label, "\\n"), *bytes = strstr(label, " bytes (");
    if (!second || (body && !bytes))
        return;
    bool local;
    const char *symbol = symbol_of(title, &local);
    struct node *node =
        body ? graph_definition(graph, unit, symbol, local) : graph_node(graph, unit, symbol, local);
    if (!node->ours && (body || !node->defined))
        node->name = unit->cxx || begins(symbol, "_Z") ? cxx_name(label, (size_t)(second - label), symbol)
                                                       : intern(label, (size_t)(second - label));
    second += 2;
    const char *end = strstr(second, "\\n");
    if (!node->place.file || body)
        node->place = place_of(second, end ? (size_t)(end - second) : strlen(second));
    if (!body)
        return;
    if (begins(label, "virtual ")) /* it stands in a table */
        node->taken = true;
    const char *digits = bytes;
    while (digits > label && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    node->frame = strtol(digits, NULL, 10);
    node->unbounded = begins(bytes, " bytes (dynamic)");
}

static void read_edge(struct graph *graph, struct unit *unit, const char *line)
{
    const char *from = field(line, "sourcename: \""), *to = field(line, "targetname: \"");
    const char *label = field(line, "label: \"");
    if (!from || !to)
        fail("%s: damaged: an edge without its ends", unit->path);
    struct place place = {NULL, 0, 0};
    if (label) {
        const char *end = strstr(label, "\\n");
        place = place_of(label, end ? (size_t)(end - label) : strlen(label));
    }
    struct node *caller = node_of(graph, unit, from);
    bool indirect = !strcmp(to, placeholder);
    struct call *call = graph_call(graph, caller, indirect ? NULL : node_of(graph, unit, to), place,
                                   indirect ? INDIRECT : DIRECT);
    call->colours = !unit->typed;
}

static char *contents(const char *path)
{
    char *text = slurp(path, NULL);
    if (!text)
        fail("%s: %s", path, strerror(errno));
    if (!begins(text, "graph: { title: \""))
        fail("%s: not a call graph of gcc -fcallgraph-info", path);
    return text;
}

const char *source_of_ci(const char *path)
{
    char *text = contents(path);
    const char *source = field(text, "title: \"");
    free(text);
    return source;
}

void read_ci(struct graph *graph, struct unit *unit)
{
    char *text = contents(unit->path);
    unit->cxx = unit->source && !ends(unit->source, ".c");
    bool complete = false;
    /* Bodies first: a symbol that another program of the graph defines too must be known as this unit's own.
     */
    VECTOR(const char *) lines = {NULL, 0, 0};
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (begins(line, "node: {") && !strstr(line, "shape : ellipse"))
            read_node(graph, unit, line, true);
        else if (begins(line, "node: {") || begins(line, "edge: {"))
            PUSH(&lines, line);
        else if (!strcmp(line, "}"))
            complete = true;
    }
    for (size_t i = 0; i < lines.count; i++) {
        if (begins(lines.at[i], "node: {"))
            read_node(graph, unit, lines.at[i], false);
        else
            read_edge(graph, unit, lines.at[i]);
    }
    free(lines.at);
    free(text);
    if (!complete)
        fail("%s: cut short; compile it again", unit->path);
}
