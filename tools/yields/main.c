/* SPDX-License-Identifier: MIT
 *
 * bine-yields: where may a task be switched?  The command line; what the commands do stands in their own
 * files. */
#include "commands.h"
#include "output.h"

#include "../json.h"

#include <bine/base.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options options;

static const char help[] =
    "usage: bine-yields [option ...] command [argument ...]\n"
    "\n"
    "  cc COMPILER ARG...      compile, and write the call graph beside each object (gcc 12 or newer)\n"
    "  list [GRAPH...]         every call that may switch tasks, and the chain by which it does\n"
    "  annotate FILE [GRAPH...]  the source, with a mark at each of these calls\n"
    "  why FUNCTION [GRAPH...] the chain, step by step\n"
    "  check [GRAPH...]        BINE_ATOMIC blocks and BINE_NOYIELD functions that may switch\n"
    "  diff OLD NEW            what may switch in NEW and did not in OLD\n"
    "  stack FUNCTION [GRAPH...]  how deep the stack may grow, and what could not be counted\n"
    "\n"
    "A GRAPH is a .ci file, an object with one beside it, or a directory that is searched; none: this "
    "directory.\n"
    "\n"
    "  --format=text|json|sarif   what to print (text)\n"
    "  --color=auto|always|never  auto: on a terminal, unless NO_COLOR is set\n"
    "  --yields=NAME[,NAME...]    further functions that switch, of which there is no graph\n"
    "  --explicit                 check: every call that may switch must stand in bine_await()\n"
    "  --system                   show also what stands in headers of the system and of bine\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 clean, 66 findings (check, diff, stack without a bound), 2 usage, 1 anything else that "
    "failed;\n"
    "cc: the compiler's.  bine-yields(1) says what cannot be seen.\n";

_Noreturn void usage(const char *message, ...)
{
    va_list arguments;
    fputs("bine-yields: ", stderr);
    va_start(arguments, message);
    vfprintf(stderr, message, arguments);
    va_end(arguments);
    fputs("\nbine-yields --help shows how it is used\n", stderr);
    exit(EXIT_USAGE);
}

struct graph *load(char *const *paths, size_t count)
{
    struct graph *graph = graph_new();
    for (size_t i = 0; i < options.yields.count; i++)
        graph_add_ours(graph, options.yields.at[i]);
    read_units(graph, paths, count);
    graph_finish(graph);
    return graph;
}

static void add_yields(const char *names)
{
    while (*names) {
        size_t length = strcspn(names, ",");
        if (length)
            PUSH(&options.yields, intern(names, length));
        names += length + (names[length] == ',');
    }
}

static _Noreturn void end_said(void)
{
    if (!stdout_written())
        fail("cannot write: %s", strerror(errno));
    exit(EXIT_CLEAN);
}

static void choose_format(const char *word)
{
    if (!strcmp(word, "text"))
        output_format = AS_TEXT;
    else if (!strcmp(word, "json"))
        output_format = AS_JSON;
    else if (!strcmp(word, "sarif"))
        output_format = AS_SARIF;
    else
        usage("unknown format: %s", word);
}

static void choose_colour(const char *word)
{
    if (!strcmp(word, "always"))
        output_colour = true;
    else if (!strcmp(word, "never"))
        output_colour = false;
    else if (strcmp(word, "auto") != 0)
        usage("unknown way to colour: %s", word);
}

/* Those that take a value, which stands after '=', or is the next word. */
static const struct {
    const char *name;
    void (*take)(const char *value);
} valued[] = {
    {"--format", choose_format}, {"--color", choose_colour}, {"--colour", choose_colour}, {"--yields", add_yields},
};

/* True: the next word is its value. */
static bool option(const char *word, const char *next)
{
    for (size_t i = 0; i < sizeof valued / sizeof *valued; i++) {
        const size_t length = strlen(valued[i].name);
        if (!begins(word, valued[i].name) || (word[length] != '=' && word[length] != '\0'))
            continue;
        if (!word[length] && !next)
            usage("%s wants an argument", word);
        valued[i].take(word[length] ? word + length + 1 : next);
        return !word[length];
    }
    if (!strcmp(word, "--help")) {
        fputs(help, stdout);
        end_said();
    } else if (!strcmp(word, "--version")) {
        puts("bine-yields " BINE_VERSION);
        end_said();
    } else if (!strcmp(word, "--explicit")) {
        options.explicit_style = true;
    } else if (!strcmp(word, "--system")) {
        options.system = true;
    } else {
        usage("unknown option: %s", word);
    }
    return false;
}

static const struct {
    const char *name;
    int (*run)(char **words, size_t count);
} commands[] = {
    {"list", command_list}, {"annotate", command_annotate}, {"why", command_why}, {"check", command_check},
    {"diff", command_diff}, {"stack", command_stack},       {"cc", command_cc},
};

int main(int argc, char **argv)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    output_colour = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(no_colour && *no_colour);
    const char *name = NULL;
    VECTOR(char *) words = {NULL, 0, 0};
    bool end = false; /* of the options */
    for (int i = 1; i < argc; i++) {
        if (name && !strcmp(name, "cc")) { /* all that follows is the compiler's */
            PUSH(&words, argv[i]);
        } else if (!end && !strcmp(argv[i], "--")) {
            end = true;
        } else if (!end && argv[i][0] == '-' && argv[i][1]) {
            i += option(argv[i], argv[i + 1]);
        } else if (!name) {
            name = argv[i];
        } else {
            PUSH(&words, argv[i]);
        }
    }
    if (!name)
        usage("no command");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!strcmp(name, commands[i].name))
            return commands[i].run(words.at, words.count);
    }
    usage("unknown command: %s", name);
}
