/* SPDX-License-Identifier: MIT
 *
 * Printing findings: see output.h. */
#include "output.h"

#include "../json.h"

#include <bine/base.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum output_format output_format = AS_TEXT;
bool output_colour = false;

static const char *const level_name[] = {"note", "warning", "error"};
static const char *const level_paint[] = {PAINT_NOTE, PAINT_WARNING, PAINT_ERROR};

/* What code hosts show for a rule. */
static const struct {
    const char *id, *text;
} rules[] = {
    {"switch-point", "A call that may switch to another task"},
    {"switch-in-atomic", "A call that may switch to another task inside BINE_ATOMIC"},
    {"broken-promise", "A function marked BINE_NOYIELD that may switch to another task"},
    {"switch-not-awaited", "A call that may switch to another task and is not marked by bine_await()"},
    {"new-switch-point", "A call that may switch to another task and did not before"},
    {"lost-switch-point", "A function that no longer switches"},
    {"stack-depth", "How deep a function's stack may grow"},
};

const char *painted(const char *text, const char *paint)
{
    return output_colour ? format("\033[%sm%s\033[0m", paint, text) : text;
}

struct finding *report_add(struct report *report, enum level level, const char *rule, struct place place,
                           const struct node *in, const char *text)
{
    struct finding finding = {level, rule, place, in ? in->name : NULL, text, {NULL, 0, 0}};
    PUSH(&report->findings, finding);
    return &report->findings.at[report->findings.count - 1];
}

void report_remark(struct finding *finding, struct place place, const char *text)
{
    PUSH(&finding->remarks, ((struct remark){place, text}));
}

void report_chain(struct finding *finding, const struct call *call)
{
    const struct node *node = call->to;
    for (size_t i = 0; i < call->candidates.count; i++) {
        const struct node *candidate = call->candidates.at[i];
        if (!node || candidate->colour > node->colour || candidate->ours)
            node = candidate;
    }
    while (node && !node->ours && node->why) {
        if (node->why->place.file) /* not inside bine */
            report_remark(finding, node->why->place,
                          format("%s() calls %s here", node->name, step_of(node->why, node->next)));
        node = node->next;
    }
}

void report_total(struct report *report, const char *name, long value)
{
    PUSH(&report->totals, ((struct total){name, value}));
}

void report_unseen(struct report *report, const struct graph *graph)
{
    const char *names = "";
    size_t count = 0;
    for (size_t i = 0; i < graph->nodes.count; i++) {
        const struct node *node = graph->nodes.at[i];
        if (node->defined || node->ours || !node->callers.count || is_system(node->place.file) ||
            begins(node->symbol, "bine_") || begins(node->symbol, "__builtin_"))
            continue;
        if (++count <= 20)
            names = format("%s%s%s()", names, *names ? ", " : "", node->name);
    }
    if (count)
        PUSH(&report->asides, format("not in the graph, and taken not to switch: %s%s", names,
                                     count > 20 ? format(", and %zu more", count - 20) : ""));
    for (size_t i = 0; i < graph->assembly.count; i++)
        PUSH(&report->asides, format("%s is not looked into", graph->assembly.at[i]));
}

static int compare_places(struct place a, struct place b)
{
    int files = strcmp(a.file ? a.file : "", b.file ? b.file : "");
    if (files)
        return files;
    if (a.line != b.line)
        return a.line < b.line ? -1 : 1;
    return (a.column > b.column) - (a.column < b.column);
}

static int compare(const void *a, const void *b)
{
    const struct finding *one = a, *other = b;
    int order = compare_places(one->place, other->place);
    return order ? order : strcmp(one->text, other->text);
}

void report_sort(struct report *report)
{
    if (!report->findings.count)
        return;
    qsort(report->findings.at, report->findings.count, sizeof *report->findings.at, compare);
    size_t kept = 1;
    for (size_t i = 1; i < report->findings.count; i++) {
        if (compare(&report->findings.at[kept - 1], &report->findings.at[i]) != 0)
            report->findings.at[kept++] = report->findings.at[i];
    }
    report->findings.count = kept;
}

/* ---- Text ---------------------------------------------------------------------------------- */

static const char *place_text(struct place place)
{
    return place.file ? format("%s:%d:%d", place.file, place.line, place.column) : "<unknown>";
}

static void print_text(const struct report *report)
{
    for (size_t i = 0; i < report->lines.count; i++)
        puts(report->lines.at[i]);
    for (size_t i = 0; i < report->findings.count && !report->lines.count; i++) {
        const struct finding *finding = &report->findings.at[i];
        printf("%s: %s %s [%s]\n", painted(place_text(finding->place), PAINT_BOLD),
               painted(format("%s:", level_name[finding->level]), level_paint[finding->level]), finding->text,
               finding->rule);
        for (size_t r = 0; r < finding->remarks.count && finding->level != NOTE; r++)
            printf("%s: %s %s\n", painted(place_text(finding->remarks.at[r].place), PAINT_BOLD),
                   painted("note:", PAINT_NOTE), finding->remarks.at[r].text);
    }
    fflush(stdout);
    for (size_t i = 0; i < report->asides.count; i++)
        fprintf(stderr, "bine-yields: note: %s\n", report->asides.at[i]);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void quote(const char *text)
{
    json_string(stdout, text);
}

static void json_place(struct place place)
{
    printf("\"file\": ");
    quote(place.file ? place.file : "");
    printf(", \"line\": %d, \"column\": %d", place.line, place.column);
}

static void print_json(const struct report *report)
{
    printf(
        "{\n  \"tool\": \"bine-yields\",\n  \"version\": \"%s\",\n  \"command\": \"%s\",\n  \"findings\": [",
        BINE_VERSION, report->command);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct finding *finding = &report->findings.at[i];
        printf("%s\n    {\"rule\": \"%s\", \"level\": \"%s\", ", i ? "," : "", finding->rule,
               level_name[finding->level]);
        json_place(finding->place);
        printf(", \"function\": ");
        quote(finding->function);
        printf(", \"message\": ");
        quote(finding->text);
        printf(", \"related\": [");
        for (size_t r = 0; r < finding->remarks.count; r++) {
            printf("%s{", r ? ", " : "");
            json_place(finding->remarks.at[r].place);
            printf(", \"message\": ");
            quote(finding->remarks.at[r].text);
            putchar('}');
        }
        printf("]}");
    }
    printf("%s],\n  \"notes\": [", report->findings.count ? "\n  " : "");
    for (size_t i = 0; i < report->asides.count; i++) {
        printf("%s\n    ", i ? "," : "");
        quote(report->asides.at[i]);
    }
    printf("%s],\n  \"summary\": {", report->asides.count ? "\n  " : "");
    for (size_t i = 0; i < report->totals.count; i++)
        printf("%s\"%s\": %ld", i ? ", " : "", report->totals.at[i].name, report->totals.at[i].value);
    printf("}\n}\n");
}

/* ---- SARIF 2.1.0 --------------------------------------------------------------------------- */

static void sarif_location(struct place place)
{
    printf("\"physicalLocation\": {\"artifactLocation\": {\"uri\": ");
    json_uri(stdout, place.file ? place.file : "unknown");
    printf("}, \"region\": {\"startLine\": %d, \"startColumn\": %d}}", place.line ? place.line : 1,
           place.column ? place.column : 1);
}

static void print_sarif(const struct report *report)
{
    printf("{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"version\": \"2.1.0\",\n"
           "  \"runs\": [{\n    \"tool\": {\"driver\": {\"name\": \"bine-yields\", \"version\": \"%s\", "
           "\"rules\": [",
           BINE_VERSION);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        printf("%s\n      {\"id\": \"%s\", \"shortDescription\": {\"text\": \"%s\"}}", i ? "," : "",
               rules[i].id, rules[i].text);
    printf("\n    ]}},\n    \"columnKind\": \"unicodeCodePoints\",\n    \"results\": [");
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct finding *finding = &report->findings.at[i];
        printf("%s\n      {\"ruleId\": \"%s\", \"level\": \"%s\", \"message\": {\"text\": ", i ? "," : "",
               finding->rule, level_name[finding->level]);
        quote(finding->text);
        printf("}, \"locations\": [{");
        sarif_location(finding->place);
        printf("}], \"relatedLocations\": [");
        for (size_t r = 0; r < finding->remarks.count; r++) {
            printf("%s{\"id\": %zu, ", r ? ", " : "", r);
            sarif_location(finding->remarks.at[r].place);
            printf(", \"message\": {\"text\": ");
            quote(finding->remarks.at[r].text);
            printf("}}");
        }
        printf("]}");
    }
    printf("%s]\n  }]\n}\n", report->findings.count ? "\n    " : "");
}

void report_print(const struct report *report)
{
    if (output_format == AS_JSON)
        print_json(report);
    else if (output_format == AS_SARIF)
        print_sarif(report);
    else
        print_text(report);
    if (!stdout_written())
        fail("cannot write: %s", strerror(errno));
}
