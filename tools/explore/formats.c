/* SPDX-License-Identifier: MIT
 *
 * What bine-explore says to programs: JSON, and SARIF 2.1.0, which code hosts show in reviews.
 *
 * A failure's place is where, in its schedule, a task gave up the loop last: the nearest thing to a line that
 * there is. */
#include "explore.h"

#include "../json.h"

#include <bine/base.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void print_member(const char *name, const char *text)
{
    printf("\"%s\":", name);
    json_string(stdout, text);
}

static const char *rule_of(const struct finding *finding)
{
    static const char *const names[] = {"clean", "report", "exit-status", "signal", "stuck", "too-many-steps",
                                        "time-limit", "output-limit", "misfit"};
    return names[finding->verdict];
}

/* ---- JSON -------------------------------------------------------------------------- */

static void print_trace(const char *trace)
{
    bool first = true;
    fputs("\"trace\":[", stdout);
    while (*trace) {
        size_t length = strcspn(trace, "\n");
        char *line = strndup(trace, length);
        if (!line)
            fail(EXIT_CANNOT, "out of memory");
        if (!first)
            putchar(',');
        json_string(stdout, line);
        free(line);
        first = false;
        trace += length + (trace[length] == '\n');
    }
    putchar(']');
}

static void print_finding(const struct finding *finding)
{
    char *path = path_text(&finding->path);
    putchar('{');
    print_member("rule", rule_of(finding));
    putchar(',');
    print_member("message", finding->title);
    putchar(',');
    print_member("path", path);
    printf(",\"schedule\":%lu,\"repeatable\":%s,\"reports\":[", finding->found_at,
           finding->again ? "true" : "false");
    for (unsigned i = 0; i < finding->n_reports; i++) {
        if (i)
            putchar(',');
        json_string(stdout, finding->reports[i]);
    }
    fputs("],", stdout);
    print_trace(finding->trace);
    putchar(',');
    print_member("output", finding->output);
    putchar('}');
    free(path);
}

void output_json(const struct result *result)
{
    static const char *const modes[] = {"all", "random", "pct", "path"};
    fputs("{\"tool\":\"bine-explore\",\"version\":\"" BINE_VERSION "\",\"program\":[", stdout);
    for (char **word = options.program; *word; word++) {
        if (word != options.program)
            putchar(',');
        json_string(stdout, *word);
    }
    printf("],\"mode\":\"%s\",\"seed\":%llu,\"schedules\":%lu,\"failed\":%lu,\"complete\":%s,\"left\":%lu,"
           "\"merged\":%lu,\"states_compared\":%s,\"different\":%lu,\"diverged\":%lu,\"bounded\":%s,"
           "\"outside\":%s,\"choices\":%u,\"steps\":%u,\"seconds\":%.3f,\"findings\":[",
           modes[options.mode], (unsigned long long)options.seed, result->schedules, result->failed,
           result->complete ? "true" : "false", result->left, result->merged,
           result->merging ? "true" : "false", result->different, result->diverged,
           result->trimmed ? "true" : "false", result->outside ? "true" : "false", result->most_points,
           result->most_steps, result->seconds);
    bool first = true;
    for (unsigned i = 0; i < result->n_findings; i++) {
        if (result->findings[i].verdict == RUN_CLEAN)
            continue;
        if (!first)
            putchar(',');
        first = false;
        print_finding(&result->findings[i]);
    }
    putchar(']');
    if (options.mode == MODE_PATH && result->findings[0].verdict == RUN_CLEAN) { /* what happens was asked for */
        putchar(',');
        print_trace(result->findings[0].trace);
        putchar(',');
        print_member("output", result->findings[0].output);
    }
    puts("}");
}

/* ---- SARIF ------------------------------------------------------------------------- */

struct place {
    char file[256];
    int line;
};

/* The first "file:line" after `at `; false: there is none in this line. */
static bool place_in(const char *line, size_t length, struct place *place)
{
    for (size_t i = 0; i + 4 < length; i++) {
        int used = 0;
        char format_buffer[512];
        if (strncmp(line + i, " at ", 4) != 0)
            continue;
        snprintf(format_buffer, sizeof format_buffer, "%.*s", (int)(length - i - 4), line + i + 4);
        char *colon = strchr(format_buffer, ':');
        if (!colon || !isdigit((unsigned char)colon[1]) || colon - format_buffer >= (long)sizeof place->file)
            continue;
        *colon = '\0';
        strcpy(place->file, format_buffer);
        return sscanf(colon + 1, "%d%n", &place->line, &used) == 1;
    }
    return false;
}

static void print_location(const struct place *place)
{
    fputs("{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", stdout);
    json_uri(stdout, place->file);
    printf("},\"region\":{\"startLine\":%d}}", place->line);
}

static void print_flow(const char *trace)
{
    bool first = true;
    struct place place;
    fputs("\"codeFlows\":[{\"threadFlows\":[{\"locations\":[", stdout);
    for (; *trace; trace += *trace == '\n') {
        size_t length = strcspn(trace, "\n");
        if (place_in(trace, length, &place)) {
            char *line = strndup(trace, length);
            if (!line)
                fail(EXIT_CANNOT, "out of memory");
            fputs(first ? "{\"location\":" : ",{\"location\":", stdout);
            print_location(&place);
            fputs(",\"message\":{", stdout);
            print_member("text", line + strspn(line, " "));
            fputs("}}}", stdout);
            free(line);
            first = false;
        }
        trace += length;
    }
    fputs("]}]}]", stdout);
}

static void print_result(const struct finding *finding)
{
    struct place place = {.line = 0}, one;
    char *path = path_text(&finding->path);
    for (const char *trace = finding->trace; *trace; trace += strcspn(trace, "\n"), trace += *trace == '\n')
        if (place_in(trace, strcspn(trace, "\n"), &one))
            place = one;
    putchar('{');
    print_member("ruleId", rule_of(finding));
    fputs(",\"level\":\"error\",\"message\":{", stdout);
    print_member("text", finding->title);
    fputs("},\"locations\":[", stdout);
    if (place.line) {
        print_location(&place);
        putchar('}');
    }
    fputs("],", stdout);
    if (place.line) {
        print_flow(finding->trace);
        putchar(',');
    }
    fputs("\"properties\":{", stdout);
    print_member("path", path);
    fputs("}}", stdout);
    free(path);
}

void output_sarif(const struct result *result)
{
    static const char *const rules[][2] = {
        {"report", "A schedule in which bine reports something"},
        {"exit-status", "A schedule in which the program fails"},
        {"signal", "A schedule in which the program crashes"},
        {"stuck", "A schedule in which nothing can ever run again"},
        {"too-many-steps", "A schedule that does not end"},
        {"time-limit", "A schedule that does not end"},
        {"output-limit", "A schedule that writes without end"},
    };
    fputs("{\"$schema\":\"https://json.schemastore.org/"
          "sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":"
          "{\"driver\":{\"name\":\"bine-explore\",\"version\":\"" BINE_VERSION "\",\"rules\":[",
          stdout);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        printf("%s{\"id\":\"%s\",\"shortDescription\":{\"text\":\"%s\"}}", i ? "," : "", rules[i][0],
               rules[i][1]);
    }
    fputs("]}},\"results\":[", stdout);
    bool first = true;
    for (unsigned i = 0; i < result->n_findings; i++) {
        if (result->findings[i].verdict == RUN_CLEAN)
            continue;
        if (!first)
            putchar(',');
        first = false;
        print_result(&result->findings[i]);
    }
    puts("]}]}");
}
