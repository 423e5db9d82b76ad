/* SPDX-License-Identifier: MIT
 *
 * Calls a compiler with the instrumentation that the detector takes, and links with the checked library in
 * place of the plain one and of the compiler's own runtime.
 *
 * Each source is compiled apart from the link, since a compiler that is asked for -fsanitize=thread in the
 * same call would link its own runtime. */
#define _GNU_SOURCE
#include "race.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BINE_RACE_LIBS
#define BINE_RACE_LIBS ""
#endif

enum { OLDEST_GCC = 12, OLDEST_CLANG = 14 };

/* Functions of libc that compilers like to replace by code of their own, which nothing would announce. */
#define CALLED                                                                                              \
    "-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset", "-fno-builtin-memcmp",            \
        "-fno-builtin-strcpy", "-fno-builtin-strncpy", "-fno-builtin-strcat", "-fno-builtin-strcmp",        \
        "-fno-builtin-strncmp", "-fno-builtin-sprintf", "-fno-builtin-snprintf"

static const char *const gcc_flags[] = {"-g", "-fno-inline", CALLED, "-fno-ssa-phiopt", "-fsanitize=thread",
                                        "-fsanitize-coverage=trace-cmp", NULL};
static const char *const clang_flags[] = {"-g",
                                          "-fno-inline",
                                          CALLED,
                                          "-fsanitize=thread",
                                          "-mllvm",
                                          "-tsan-instrument-read-before-write",
                                          "-mllvm",
                                          "-simplifycfg-sink-common=false", /* each line its own code */
                                          "-fsanitize-coverage=func,trace-pc-guard,trace-cmp,no-prune",
                                          NULL};

struct job {
    struct words compile, link; /* words for both, and for one of the two */
    struct words sources, objects;
    const char *output, *language;
    bool compiles_only;
    bool clang;
};

/* ---- The compiler ----------------------------------------------------------------------------------- */

static bool asks(const char *compiler, const char *option, char *answer, size_t size)
{
    char *command = join(compiler, join(" ", join(option, " 2>/dev/null")));
    FILE *pipe = popen(command, "r");
    free(command);
    bool got = pipe && fgets(answer, (int)size, pipe) != NULL;
    return pipe && pclose(pipe) == 0 && got;
}

static void know(struct job *job, const char *compiler)
{
    char answer[256] = "", version[64] = "";
    if (strpbrk(compiler, " \t'\"$;&|<>()`\\*?\n"))
        fail(EXIT_USAGE, "'%s' is no compiler's name", compiler);
    if (!asks(compiler, "--version", answer, sizeof answer) ||
        !asks(compiler, "-dumpversion", version, sizeof version))
        fail(EXIT_USAGE, "cannot run the compiler %s", compiler);
    job->clang = strstr(answer, "clang") != NULL;
    int number = atoi(version), oldest = job->clang ? OLDEST_CLANG : OLDEST_GCC;
    if (number < oldest)
        fail(EXIT_USAGE, "%s is %s %d: %d or newer is needed", compiler, job->clang ? "clang" : "gcc", number,
             oldest);
}

/* ---- Its arguments ---------------------------------------------------------------------------------- */

static bool ends(const char *word, const char *with)
{
    size_t n = strlen(word), m = strlen(with);
    return n >= m && strcmp(word + n - m, with) == 0;
}

static bool is_source(const char *word)
{
    static const char *const endings[] = {".c", ".i", ".cc", ".cp", ".cpp", ".cxx", ".c++", ".C", ".ii"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends(word, endings[i]))
            return true;
    return false;
}

static bool is_one_of(const char *word, const char *const list[])
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* The plain library, however it is named. */
static bool is_plain_library(const char *word)
{
    return strcmp(word, "-lbine") == 0 || ends(word, "/libbine.a") || ends(word, "/libbine.so") ||
           strcmp(word, "libbine.a") == 0 || strcmp(word, "libbine.so") == 0 ||
           strcmp(word, "-l:libbine.a") == 0;
}

static void sort_out(struct job *job, int count, char *words[])
{
    static const char *const only[] = {
        "-c",   "-S",        "-E",           "-M",           "-MM", "-fsyntax-only",
        "-###", "--version", "-dumpversion", "-dumpmachine", "-v",  NULL};
    static const char *const with_value[] = {
        "-I",       "-D",    "-U",      "-include",  "-isystem",       "-idirafter", "-iquote",
        "-imacros", "-MF",   "-MT",     "-MQ",       "-Xpreprocessor", "-Xclang",    "-mllvm",
        "--param",  "-arch", "-target", "-isysroot", "--sysroot",      NULL};
    static const char *const link_value[] = {"-L", "-l", "-Xlinker", "-T", "-u", "-z", NULL};
    for (int i = 1; i < count; i++) {
        const char *word = words[i];
        bool last = i + 1 == count;
        if (is_one_of(word, only))
            job->compiles_only = true;
        if (strcmp(word, "-o") == 0 && !last) {
            job->output = words[++i];
        } else if (strncmp(word, "-o", 2) == 0 && word[2]) {
            job->output = word + 2;
        } else if (strcmp(word, "-x") == 0 && !last) {
            job->language = words[++i];
        } else if (is_one_of(word, with_value) && !last) {
            add(&job->compile, word);
            add(&job->compile, words[++i]);
        } else if (is_one_of(word, link_value) && !last) {
            if (strcmp(words[i + 1], "bine") == 0 && strcmp(word, "-l") == 0) {
                i++;
                continue;
            }
            add(&job->objects, word);
            add(&job->objects, words[++i]);
        } else if (strncmp(word, "-fsanitize=", 11) == 0) {
            if (strcmp(word, "-fsanitize=thread") != 0)
                fail(EXIT_USAGE, "%s: another sanitizer cannot be had at the same time", word);
        } else if (strncmp(word, "-Wl,", 4) == 0 || strncmp(word, "-l", 2) == 0 ||
                   strncmp(word, "-L", 2) == 0) {
            if (!is_plain_library(word))
                add(&job->objects, word);
        } else if (word[0] == '-' && word[1]) {
            add(&job->compile, word);
            if (strncmp(word, "-I", 2) != 0 && strncmp(word, "-D", 2) != 0 && strncmp(word, "-M", 2) != 0)
                add(&job->link, word);
        } else if (job->language || is_source(word)) {
            add(&job->sources, word);
            add(&job->objects, word); /* its place in the link */
        } else if (!is_plain_library(word)) {
            add(&job->objects, word);
        }
    }
}

/* ---- What is ours ----------------------------------------------------------------------------------- */

static char *existing(const char *directory, const char *beside, const char *name)
{
    char *path = join(directory, join(beside, name));
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* Installed, or where it was built. */
static const char *library(void)
{
    static const char *const beside[] = {"/../lib/", "/", "-check/", "/../lib64/"};
    const char *given = getenv("BINE_LIBDIR");
    char *path = given ? existing(given, "/", "libbine-check.a") : NULL;
    for (size_t i = 0; !path && i < sizeof beside / sizeof *beside; i++)
        path = existing(own_directory(), beside[i], "libbine-check.a");
#ifdef BINE_LIBDIR
    if (!path)
        path = existing(BINE_LIBDIR, "/", "libbine-check.a");
#endif
    if (!path)
        fail(EXIT_CANNOT, "there is no libbine-check.a beside this program; BINE_LIBDIR can say where it is");
    return path;
}

static void add_headers(struct words *words)
{
    static const char *const beside[] = {"/../include", "/include"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *header = existing(own_directory(), beside[i], "/bine/check.h");
        if (header) {
            add(words, "-I");
            add(words, join(own_directory(), beside[i]));
            free(header);
            return;
        }
    }
}

static void add_all(struct words *to, const struct words *from)
{
    for (size_t i = 0; i < from->n; i++)
        add(to, from->at[i]);
}

static void add_instrumentation(struct words *words, const struct job *job)
{
    for (const char *const *flag = job->clang ? clang_flags : gcc_flags; *flag; flag++)
        add(words, *flag);
}

static void add_libraries(struct words *words)
{
    char *ours = need(strdup(BINE_RACE_LIBS)), *left;
    for (char *word = strtok_r(ours, " ", &left); word; word = strtok_r(NULL, " ", &left))
        add(words, strcmp(word, "@LIBRARY@") == 0 ? library() : word);
    free(ours);
}

/* ---- The two steps ---------------------------------------------------------------------------------- */

static int compile_only(const struct job *job, const char *compiler)
{
    struct words words = {NULL, 0, 0};
    add(&words, compiler);
    if (job->sources.n)
        add_instrumentation(&words, job);
    add_all(&words, &job->compile);
    add_headers(&words);
    if (job->output) {
        add(&words, "-o");
        add(&words, job->output);
    }
    if (job->language) {
        add(&words, "-x");
        add(&words, job->language);
    }
    add_all(&words, &job->sources);
    return run_command(words.at, false);
}

static int compile_one(const struct job *job, const char *compiler, const char *source, const char *object)
{
    struct words words = {NULL, 0, 0};
    add(&words, compiler);
    add_instrumentation(&words, job);
    add_all(&words, &job->compile);
    add_headers(&words);
    add(&words, "-c");
    add(&words, "-o");
    add(&words, object);
    if (job->language) {
        add(&words, "-x");
        add(&words, job->language);
    }
    add(&words, source);
    return run_command(words.at, false);
}

static bool is_linked_only(const struct job *job) { return job->sources.n == 0; }

static int build(struct job *job, const char *compiler)
{
    char directory[] = "/tmp/bine-race.XXXXXX";
    struct words words = {NULL, 0, 0}, temporary = {NULL, 0, 0};
    int status = 0;
    size_t source = 0;
    if (!is_linked_only(job) && !mkdtemp(directory))
        fail(EXIT_CANNOT, "cannot make a directory in /tmp: %s", strerror(errno));
    add(&words, compiler);
    add_all(&words, &job->link);
    add(&words, "-o");
    add(&words, job->output ? job->output : "a.out");
    for (size_t i = 0; i < job->objects.n && status == 0; i++) {
        if (source == job->sources.n || strcmp(job->objects.at[i], job->sources.at[source]) != 0) {
            add(&words, job->objects.at[i]);
            continue;
        }
        char name[32];
        snprintf(name, sizeof name, "/%zu.o", source);
        char *object = join(directory, name);
        add(&temporary, object);
        status = compile_one(job, compiler, job->sources.at[source++], object);
        add(&words, object);
        free(object);
    }
    add_libraries(&words);
    if (status == 0)
        status = run_command(words.at, false);
    for (size_t i = 0; i < temporary.n; i++)
        unlink(temporary.at[i]);
    if (!is_linked_only(job))
        rmdir(directory);
    return status;
}

int compile(int count, char *words[])
{
    struct job job;
    memset(&job, 0, sizeof job);
    sort_out(&job, count, words);
    know(&job, words[0]);
    if (job.compiles_only)
        return compile_only(&job, words[0]);
    if (!job.sources.n && !job.objects.n)
        fail(EXIT_USAGE, "nothing to compile or to link");
    return build(&job, words[0]);
}
