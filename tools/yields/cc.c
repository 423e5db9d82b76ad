/* SPDX-License-Identifier: MIT
 *
 * cc: runs a compiler with the flags that make it write what the other commands read, beside each object.
 *
 * The command is passed on as it is, the flags behind it.  If the compiler fails, what it has written of that
 * kind is removed: no command may take half a graph, or the last one, for the present one.  clang cannot
 * write it. */
#include "commands.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As bine.pc gives them to build systems (yields_cflags). */
static char *const flags[] = {"-fcallgraph-info=su,da", "-fdump-tree-ssa-lineno-asmname",
                              "-fdump-ipa-cgraph"};
enum { FLAGS = sizeof flags / sizeof *flags };

/* The first line of `compiler --version`. */
static const char *version_of(char *compiler)
{
    int ends[2];
    if (pipe(ends) != 0)
        fail("pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        fail("fork: %s", strerror(errno));
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp(compiler, compiler, "--version", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char text[512];
    size_t length = 0;
    for (ssize_t got; length < sizeof text - 1; length += (size_t)got) {
        got = read(ends[0], text + length, sizeof text - 1 - length);
        if (got <= 0)
            break;
    }
    close(ends[0]);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    text[length] = '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        fail("%s: cannot be run", compiler);
    return intern(text, strcspn(text, "\n"));
}

static bool is_source(const char *word)
{
    static const char *const endings[] = {".c", ".cc", ".cpp", ".cxx", ".C", ".c++", ".i", ".ii"};
    for (size_t i = 0; word[0] != '-' && i < sizeof endings / sizeof *endings; i++) {
        if (ends(word, endings[i]))
            return true;
    }
    return false;
}

static const char *without_extension(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && dot > base_of(path) ? intern(path, (size_t)(dot - path)) : path;
}

/* A path as glob() takes it literally. */
static const char *literal(const char *path)
{
    const char *text = "";
    for (; *path; path++)
        text = format("%s%s%c", text, strchr("*?[\\", *path) ? "\\" : "", *path);
    return text;
}

static void remove_matching(const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
        globfree(&found);
    }
}

/* Where gcc puts them: beside the object, named after it; linking at once, after the program and the source.
 */
static void remove_graphs(char **words, size_t count)
{
    const char *output = NULL;
    bool links = true;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(words[i], "-o") && i + 1 < count)
            output = words[i + 1];
        else if (begins(words[i], "-o") && words[i][2])
            output = words[i] + 2;
        else if (!strcmp(words[i], "-c") || !strcmp(words[i], "-S"))
            links = false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_source(words[i]) || (i > 0 && !strcmp(words[i - 1], "-o")))
            continue;
        const char *source = without_extension(base_of(words[i])), *stem = source;
        if (links)
            stem = format("%s-%s", output ? without_extension(output) : "a", source);
        else if (output)
            stem = without_extension(output);
        const char *extension = strrchr(words[i], '.');
        remove_matching(format("%s.ci", literal(stem)));
        remove_matching(format("%s%s.[0-9]*t.ssa", literal(stem), literal(extension)));
        remove_matching(format("%s%s.[0-9]*i.cgraph", literal(stem), literal(extension)));
    }
}

static bool optimises_when_linking(char *const *words, size_t count)
{
    bool does = false;
    for (size_t i = 0; i < count; i++) {
        if (begins(words[i], "-flto"))
            does = true;
        else if (!strcmp(words[i], "-fno-lto"))
            does = false;
    }
    return does;
}

/* The compiler's exit status. */
static int run(char *const *words)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork: %s", strerror(errno));
    if (child == 0) {
        execvp(words[0], words);
        fprintf(stderr, "bine-yields: %s: %s\n", words[0], strerror(errno));
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

int command_cc(char **words, size_t count)
{
    if (count == 0)
        usage("cc: give a compiler and its arguments: bine-yields cc gcc -c file.c");
    VECTOR(char *) command = {NULL, 0, 0};
    char *environment = getenv("CC");
    if (words[0][0] == '-' || is_source(words[0])) /* no compiler named */
        PUSH(&command, environment && *environment && !strchr(environment, ' ') ? environment : (char *)"cc");
    for (size_t i = 0; i < count; i++)
        PUSH(&command, words[i]);
    const char *version = version_of(command.at[0]);
    if (strstr(version, "clang")) {
        fprintf(stderr,
                "bine-yields: %s is clang, which writes no call graph (-fcallgraph-info is gcc's); nothing "
                "was compiled.\n"
                "bine-yields: compile for the analysis with gcc, beside your build with clang:\n"
                "bine-yields:     bine-yields cc gcc -c file.c -o graph/file.o && bine-yields check graph\n",
                command.at[0]);
        return EXIT_FAILED;
    }
    remove_graphs(command.at, command.count);
    const size_t given = command.count;
    for (size_t i = 0; i < FLAGS; i++)
        PUSH(&command, flags[i]);
    const bool lto = optimises_when_linking(command.at, given);
    if (lto) /* then gcc writes no graph: once without for the graph, and again for the object */
        PUSH(&command, (char *)"-fno-lto");
    PUSH(&command, NULL);
    int code = run(command.at);
    if (lto && code == 0) {
        command.at[given] = NULL;
        code = run(command.at);
    }
    if (code != 0) {
        remove_graphs(command.at, given);
        fprintf(stderr, "bine-yields: %s failed (%d); no call graph was kept\n", command.at[0], code);
    }
    return code;
}
