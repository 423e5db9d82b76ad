/* SPDX-License-Identifier: MIT
 *
 * The commands that show where tasks may be switched: list, annotate, why. */
#include "commands.h"
#include "output.h"
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool shown(const struct call *call)
{
    return call->colours && call->place.file && (options.system || !is_system(call->place.file));
}

static const char *site_text(const struct call *call)
{
    enum colour colour = call_colour(call);
    return format("%s() %s switch here: %s", call->from->name, colour == MAYBE ? "might" : "may",
                  chain_of(call));
}

/* Every site, or those of one source; counted. */
static void gather(struct report *report, const struct graph *graph, const char *source)
{
    long sites = 0, counts[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < graph->calls.count; i++) {
        const struct call *call = graph->calls.at[i];
        if (!shown(call) || (source && call->place.file != source))
            continue;
        enum colour colour = call_colour(call);
        if (call->kind == DIRECT || !call->passed_to) {
            sites++;
            counts[colour]++;
        }
        if (colour == QUIET)
            continue;
        report_chain(report_add(report, NOTE, "switch-point", call->place, call->from, site_text(call)),
                     call);
    }
    report_sort(report);
    report_total(report, "calls", sites);
    report_total(report, "switch", counts[YIELDS]);
    report_total(report, "through_pointer", counts[POINTER]);
    report_total(report, "maybe", counts[MAYBE]);
    report_unseen(report, graph);
    if (!source)
        PUSH(&report->asides,
             format("%ld calls: %ld may switch, %ld may through a pointer, %ld are open (maybe)", sites,
                    counts[YIELDS], counts[POINTER], counts[MAYBE]));
}

int command_list(char **words, size_t count)
{
    struct graph *graph = load(words, count);
    struct report report = {.command = "list"};
    gather(&report, graph, NULL);
    report_print(&report);
    return EXIT_CLEAN;
}

/* ---- annotate ------------------------------------------------------------------------------ */

/* The file of the graph that a path on the command line means. */
static const char *file_of_graph(const struct graph *graph, const char *path)
{
    const char *wanted = intern_text(begins(path, "./") ? path + 2 : path), *found = NULL;
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const char *file = graph->nodes.at[i]->defined ? graph->nodes.at[i]->place.file : NULL;
        if (file == wanted)
            return file;
        if (file && (ends(wanted, format("/%s", file)) || ends(file, format("/%s", wanted)) ||
                     !strcmp(base_of(file), base_of(wanted))))
            found = file;
    }
    return found;
}

static void mark(struct report *report, const struct finding *finding, const char *margin)
{
    const char *spaces = format("%*s", finding->place.column > 0 ? finding->place.column - 1 : 0, "");
    const char *chain = strstr(finding->text, " switch here: ");
    bool open = strstr(finding->text, " might switch") != NULL;
    PUSH(&report->lines,
         format("%s%s%s", margin, spaces,
                painted(format("^ %s%s", open ? "maybe: " : "", chain + strlen(" switch here: ")),
                        open ? PAINT_WARNING : PAINT_MARK)));
}

int command_annotate(char **words, size_t count)
{
    if (count == 0)
        usage("annotate: which source?");
    char *text = slurp(words[0], NULL);
    if (!text)
        fail("%s: %s", words[0], strerror(errno));
    free(text);
    struct graph *graph = load(words + 1, count - 1);
    struct report report = {.command = "annotate"};
    const char *file = file_of_graph(graph, words[0]);
    if (!file)
        fail("%s: no function of it is in the call graph: compile it with `bine-yields cc gcc ...`",
             words[0]);
    gather(&report, graph, file);
    struct source *source = source_open(intern_text(words[0]), NULL);
    size_t next = 0;
    const char *line;
    for (int number = 1; source && (line = source_line(source, number)) != NULL; number++) {
        size_t end = next;
        bool sure = false;
        while (end < report.findings.count && report.findings.at[end].place.line <= number)
            sure |= !strstr(report.findings.at[end++].text, " might switch");
        const char *sign = end == next ? " " : sure ? painted("~", PAINT_MARK) : painted("?", PAINT_WARNING);
        PUSH(&report.lines, format("%s %4d%s%s", sign, number, *line ? "  " : "", line));
        for (; next < end; next++)
            mark(&report, &report.findings.at[next], "        ");
    }
    report_print(&report);
    return EXIT_CLEAN;
}

/* ---- why ----------------------------------------------------------------------------------- */

struct nodes find_functions(const struct graph *graph, const char *name)
{
    struct nodes found = {NULL, 0, 0};
    const char *colon = strchr(name, ':');
    bool qualified = colon && colon[1] != ':' && colon > name && colon[-1] != ':';
    const char *symbol = qualified ? colon + 1 : name;
    struct node *uncalled = NULL; /* one of bine's calls */
    for (size_t i = 0; i < graph->nodes.count; i++) {
        struct node *node = graph->nodes.at[i];
        if (!node->defined && !node->callers.count) {
            if (node->ours && !strcmp(node->symbol, symbol))
                uncalled = node;
            continue;
        }
        size_t length = strlen(symbol);
        bool same = !strcmp(node->symbol, symbol) || !strcmp(node->name, symbol) ||
                    (!strncmp(node->name, symbol, length) &&
                     (node->name[length] == '(' || node->name[length] == '<')) ||
                    (ends(node->name, symbol) && ends(node->name, format("::%s", symbol)));
        if (same && qualified) {
            const char *file = intern(name, (size_t)(colon - name));
            same =
                node->place.file && (node->place.file == file || ends(node->place.file, format("/%s", file)));
        }
        if (same)
            PUSH(&found, node);
    }
    if (!found.count && uncalled)
        PUSH(&found, uncalled);
    if (!found.count)
        fail("%s: no such function in the call graph", name);
    return found;
}

int command_why(char **words, size_t count)
{
    if (count == 0)
        usage("why: which function?");
    struct graph *graph = load(words + 1, count - 1);
    struct nodes found = find_functions(graph, words[0]);
    struct report report = {.command = "why"};
    long may = 0;
    for (size_t i = 0; i < found.count; i++) {
        const struct node *node = found.at[i];
        if (node->ours) {
            report_add(&report, NOTE, "switch-point", node->place, node,
                       format("%s() is one of bine's calls that may switch", node->name));
            may++;
        } else if (!node->why) {
            report_add(&report, NOTE, "switch-point", node->place, node,
                       node->defined
                           ? format("%s() does not switch", node->name)
                           : format("%s() is not in the graph, and taken not to switch", node->name));
        } else {
            struct finding *finding =
                report_add(&report, NOTE, "switch-point", node->place, node,
                           format("%s() %s switch: %s", node->name, node->colour == MAYBE ? "might" : "may",
                                  chain_from(node)));
            may++;
            for (const struct node *at = node; at && at->why; at = at->next) {
                const struct call *call = at->why;
                const char *to = call->kind == INDIRECT && call->through && call->through->text
                                     ? call->through->text
                                 : at->next ? format("%s()", at->next->name)
                                            : "a pointer";
                const char *as =
                    call->kind == INDIRECT && at->next ? format(", which may be %s()", at->next->name) : "";
                report_remark(finding, call->place, format("%s() calls %s%s", at->name, to, as));
            }
            if (output_format == AS_TEXT) { /* here the steps are the answer */
                for (size_t r = 0; r < finding->remarks.count; r++)
                    report_add(&report, NOTE, "switch-point", finding->remarks.at[r].place, NULL,
                               finding->remarks.at[r].text);
            }
        }
    }
    report_total(&report, "functions", (long)found.count);
    report_total(&report, "switch", may);
    report_print(&report);
    return EXIT_CLEAN;
}
