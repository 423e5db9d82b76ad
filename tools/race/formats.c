/* SPDX-License-Identifier: MIT
 *
 * Prints the log of a program's findings (src/check/race_finding.c says how it is written) as JSON, or as
 * SARIF 2.1.0, which code hosts show in reviews.  A finding's place is where the task acted: its last site.
 */
#define _GNU_SOURCE
#include "race.h"

#include "../json.h"

#include <bine/base.h>
#include <stdlib.h>
#include <string.h>

enum { SITES = 8, FRAMES = 20, KINDS = 64 };

struct frame {
    char *function, *file;
    unsigned long line;
};

struct site {
    char *role, *text;
    struct frame frame[FRAMES];
    unsigned frames;
};

struct finding {
    char *kind, *summary;
    struct site site[SITES];
    unsigned sites;
};

static void print_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\"%s\":", name);
    json_string(out, text);
}

/* ---- The log ---------------------------------------------------------------------------------------- */

/* "a<tab>b": cut in two. */
static char *cut(char *text)
{
    char *tab = strchr(text, '\t');
    if (!tab)
        return text + strlen(text);
    *tab = '\0';
    return tab + 1;
}

static void add_frame(struct site *site, char *text)
{
    if (site->frames == FRAMES)
        return;
    struct frame *frame = &site->frame[site->frames++];
    char *where = cut(text), *colon = strrchr(where, ':');
    frame->line = colon ? strtoul(colon + 1, NULL, 10) : 0;
    if (colon && frame->line)
        *colon = '\0';
    frame->function = need(strdup(text));
    frame->file = need(strdup(where));
}

static void forget(struct finding *finding)
{
    for (unsigned i = 0; i < finding->sites; i++) {
        struct site *site = &finding->site[i];
        for (unsigned k = 0; k < site->frames; k++) {
            free(site->frame[k].function);
            free(site->frame[k].file);
        }
        free(site->role);
        free(site->text);
    }
    free(finding->kind);
    free(finding->summary);
    memset(finding, 0, sizeof *finding);
}

/* False: there are no more.  One that breaks off, since the program was killed, is not told. */
static bool read_finding(FILE *log, struct finding *finding)
{
    char *line = NULL;
    size_t room = 0;
    bool whole = false;
    forget(finding);
    for (ssize_t n; !whole && (n = getline(&line, &room, log)) > 0;) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        char *rest = strchr(line, ' ');
        rest = rest ? rest + 1 : line + strlen(line);
        if (strncmp(line, "finding ", 8) == 0) {
            forget(finding);
            char *summary = cut(rest);
            finding->kind = need(strdup(rest));
            finding->summary = need(strdup(summary));
        } else if (strncmp(line, "site ", 5) == 0 && finding->sites < SITES) {
            struct site *site = &finding->site[finding->sites++];
            char *text = cut(rest);
            site->role = need(strdup(rest));
            site->text = need(strdup(text));
        } else if (strncmp(line, "frame ", 6) == 0 && finding->sites) {
            add_frame(&finding->site[finding->sites - 1], rest);
        } else if (strcmp(line, "end") == 0) {
            whole = finding->kind != NULL;
        }
    }
    free(line);
    return whole;
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

static void print_json(FILE *out, const struct finding *finding)
{
    fputc('{', out);
    print_member(out, "kind", finding->kind);
    fputc(',', out);
    print_member(out, "summary", finding->summary);
    fputs(",\"sites\":[", out);
    for (unsigned i = 0; i < finding->sites; i++) {
        const struct site *site = &finding->site[i];
        fputs(i ? ",{" : "{", out);
        print_member(out, "role", site->role);
        fputc(',', out);
        print_member(out, "text", site->text);
        fputs(",\"frames\":[", out);
        for (unsigned k = 0; k < site->frames; k++) {
            fputs(k ? ",{" : "{", out);
            print_member(out, "function", site->frame[k].function);
            fputc(',', out);
            print_member(out, "file", site->frame[k].file);
            fprintf(out, ",\"line\":%lu}", site->frame[k].line);
        }
        fputs("]}", out);
    }
    fputs("]}", out);
}

/* ---- SARIF ------------------------------------------------------------------------------------------ */

static void print_location(FILE *out, const struct frame *frame, const char *text)
{
    fputs("{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", out);
    json_uri(out, frame->file);
    fprintf(out, "},\"region\":{\"startLine\":%lu}},\"logicalLocations\":[{", frame->line ? frame->line : 1);
    print_member(out, "name", frame->function);
    fputs("}],\"message\":{", out);
    print_member(out, "text", text);
    fputs("}}", out);
}

static void print_sarif(FILE *out, const struct finding *finding)
{
    const struct site *last = finding->sites ? &finding->site[finding->sites - 1] : NULL;
    fputc('{', out);
    print_member(out, "ruleId", finding->kind);
    fputs(",\"level\":\"error\",\"message\":{", out);
    print_member(out, "text", finding->summary);
    fputs("},\"locations\":[", out);
    if (last && last->frames)
        print_location(out, &last->frame[0], last->text);
    fputc(']', out);
    bool any = false;
    for (unsigned i = 0; i < finding->sites; i++) {
        if (!finding->site[i].frames)
            continue;
        fputs(any ? ",{\"location\":" : ",\"codeFlows\":[{\"threadFlows\":[{\"locations\":[{\"location\":", out);
        print_location(out, &finding->site[i].frame[0], finding->site[i].text);
        fputc('}', out);
        any = true;
    }
    fputs(any ? "]}]}]}" : "}", out); /* a flow has at least one place */
}

unsigned print_findings(FILE *out, FILE *log, enum format format)
{
    struct finding finding;
    unsigned found = 0;
    memset(&finding, 0, sizeof finding);
    if (format == FORMAT_SARIF)
        fputs("{\"$schema\":\"https://json.schemastore.org/"
              "sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":"
              "{\"driver\":{\"name\":\"bine-race\",\"version\":\"" BINE_VERSION "\"}},\"results\":[",
              out);
    else
        fputs("{\"tool\":\"bine-race\",\"version\":\"" BINE_VERSION "\",\"findings\":[", out);
    while (read_finding(log, &finding)) {
        if (found++)
            fputc(',', out);
        (format == FORMAT_SARIF ? print_sarif : print_json)(out, &finding);
    }
    forget(&finding);
    fputs(format == FORMAT_SARIF ? "]}]}\n" : "]}\n", out);
    return found;
}
