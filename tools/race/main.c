/* SPDX-License-Identifier: MIT
 *
 * bine-race: builds a program with the detector of races across yield points, and runs it. */
#include "race.h"

#include "../json.h"

#include <bine/base.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BINE_RACE_RULES
#define BINE_RACE_RULES "" /* the Makefile takes their names from src/check/race_run.c */
#endif

void fail(int status, const char *format, ...)
{
    va_list args;
    fputs("bine-race: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

void *need(void *memory)
{
    if (!memory)
        fail(EXIT_CANNOT, "out of memory");
    return memory;
}

void add(struct words *words, const char *word)
{
    if (words->n + 1 >= words->room) {
        words->room = words->room ? words->room * 2 : 32;
        words->at = need(realloc(words->at, words->room * sizeof *words->at));
    }
    words->at[words->n++] = word ? need(strdup(word)) : NULL;
    words->at[words->n] = NULL;
}

char *join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 1;
    char *both = need(malloc(size));
    snprintf(both, size, "%s%s", a, b);
    return both;
}

static void help_rules(void)
{
    enum { INDENT = 28, WIDTH = 100 };
    size_t column = WIDTH;
    char *rules = need(strdup(BINE_RACE_RULES)), *left;
    for (char *rule = strtok_r(rules, " ", &left); rule; rule = strtok_r(NULL, " ", &left)) {
        if (column + strlen(rule) >= WIDTH)
            column = (size_t)printf("\n%*s", INDENT - 1, "") - 1;
        column += (size_t)printf(" %s", rule);
    }
    putchar('\n');
    free(rules);
}

static void help(void)
{
    fputs(
        "usage: bine-race COMPILER ARGUMENT...\n"
        "       bine-race run [OPTION...] PROGRAM [ARGUMENT...]\n"
        "\n"
        "The first form calls gcc (12 or newer) or clang (14 or newer), for C or C++, with what the detector "
        "needs:\n"
        "\n"
        "  bine-race cc -O1 -c server.c\n"
        "  bine-race cc -o server server.o\n"
        "\n"
        "The second runs a program that was built so, and tells where a task looks at something, gives up "
        "the loop,\n"
        "and acts though another task has written there meanwhile.  The program may be run without it, too.\n"
        "\n"
        "  --format=text|json|sarif  text (the default) goes to standard error as it is found\n"
        "  --output=FILE             where json and sarif go, in place of standard output\n"
        "  --predict                 also what could happen with another schedule\n"
        "  --off=RULE[,RULE...]      rules to do without:",
        stdout);
    help_rules();
    fputs(
        "  --color=auto|always|never\n"
        "  --help, --version\n"
        "\n"
        "Exit status: the program's, if there is nothing to tell; 66 if there are findings; 2 for a usage "
        "error;\n"
        "125 if bine-race itself fails, 126 if the program cannot be run, 127 if it is not there.\n",
        stdout);
}

static int said(void)
{
    if (!stdout_written())
        fail(EXIT_CANNOT, "standard output cannot be written");
    return EXIT_CLEAN;
}

static void choose_format(struct run_options *options, const char *word)
{
    static const char *const names[] = {"text", "json", "sarif"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(word, names[i]) == 0) {
            options->format = (enum format)i;
            return;
        }
    fail(EXIT_USAGE, "--format is text, json or sarif, not %s", word);
}

static void choose_colour(struct run_options *options, const char *word)
{
    if (strcmp(word, "always") == 0)
        options->colour = 1;
    else if (strcmp(word, "never") == 0)
        options->colour = 0;
    else if (strcmp(word, "auto") == 0)
        options->colour = -1;
    else
        fail(EXIT_USAGE, "--color is auto, always or never, not %s", word);
}

static char *with(const char *settings, const char *more)
{
    return join(settings, join(*settings ? "," : "", more));
}

static void switch_off(struct run_options *options, const char *rules)
{
    char *copy = need(strdup(rules)), *left;
    for (char *rule = strtok_r(copy, ",", &left); rule; rule = strtok_r(NULL, ",", &left)) {
        if (strchr(rule, ' ') || !strstr(" " BINE_RACE_RULES " ", join(" ", join(rule, " "))))
            fail(EXIT_USAGE, "--off: there is no rule '%s'", rule);
        options->settings = with(options->settings, join("no-", rule));
    }
    free(copy);
}

static int run_by(int count, char *words[])
{
    enum { FORMAT = 256, OUTPUT, PREDICT, OFF, COLOUR, HELP, VERSION };
    static const struct option known[] = {{"format", required_argument, NULL, FORMAT},
                                          {"output", required_argument, NULL, OUTPUT},
                                          {"predict", no_argument, NULL, PREDICT},
                                          {"off", required_argument, NULL, OFF},
                                          {"color", required_argument, NULL, COLOUR},
                                          {"colour", required_argument, NULL, COLOUR},
                                          {"help", no_argument, NULL, HELP},
                                          {"version", no_argument, NULL, VERSION},
                                          {NULL, 0, NULL, 0}};
    struct run_options options = {.colour = -1, .settings = ""};
    for (int option; (option = getopt_long(count, words, "+", known, NULL)) != -1;) {
        switch (option) {
        case FORMAT: choose_format(&options, optarg); break;
        case OUTPUT: options.output = optarg; break;
        case PREDICT: options.settings = with(options.settings, "predict"); break;
        case OFF: switch_off(&options, optarg); break;
        case COLOUR: choose_colour(&options, optarg); break;
        case HELP: help(); return said();
        case VERSION: puts("bine-race " BINE_VERSION); return said();
        default: fail(EXIT_USAGE, "see bine-race --help");
        }
    }
    if (optind == count)
        fail(EXIT_USAGE, "run what?  See bine-race --help");
    return run(&options, words + optind);
}

int main(int count, char *words[])
{
    if (count < 2) {
        fputs("bine-race: build or run what?  See bine-race --help\n", stderr);
        return EXIT_USAGE;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        help();
        return said();
    }
    if (strcmp(words[1], "--version") == 0) {
        puts("bine-race " BINE_VERSION);
        return said();
    }
    if (strcmp(words[1], "run") == 0)
        return run_by(count - 1, words + 1);
    if (words[1][0] == '-')
        fail(EXIT_USAGE, "unknown option %s; see bine-race --help", words[1]);
    return compile(count - 1, words + 1);
}
