/* SPDX-License-Identifier: MIT
 *
 * Calls a compiler with the instrumentation that the detector takes, and links with the checked library in
 * place of the plain one and of the compiler's own runtime.
 *
 * Each source is compiled apart from the link, since a compiler that is asked for -fsanitize=thread in the
 * same call would link its own runtime. */
#define _GNU_SOURCE
#include "race.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BINE_RACE_LIBS
#define BINE_RACE_LIBS ""
#endif

enum { OLDEST_GCC = 12, OLDEST_CLANG = 14 };

/* Functions of libc that compilers like to replace by code of their own, which nothing would announce. */
#define CALLED                                                                                               \
    "-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset", "-fno-builtin-memcmp",             \
        "-fno-builtin-strcpy", "-fno-builtin-strncpy", "-fno-builtin-strcat", "-fno-builtin-strcmp",         \
        "-fno-builtin-strncmp", "-fno-builtin-sprintf", "-fno-builtin-snprintf"

static const char *const gcc_flags[] = {
    "-g", "-fno-inline", "-fno-ipa-sra", /* what is read through a pointer is read where it stands */
    CALLED, "-fno-ssa-phiopt", "-fsanitize=thread", "-fsanitize-coverage=trace-cmp", NULL};
static const char *const clang_flags[] = {"-g",
                                          "-fno-inline",
                                          CALLED,
                                          "-fsanitize=thread",
                                          "-mllvm",
                                          "-tsan-instrument-read-before-write",
                                          "-mllvm",
                                          "-simplifycfg-sink-common=false", /* each line its own code */
                                          "-fno-unroll-loops", /* a loop is known by its coming again */
                                          "-fsanitize-coverage=func,trace-pc-guard,trace-cmp,no-prune",
                                          NULL};

struct job {
    struct words compiler;      /* what stands before its arguments: it, and a launcher before it */
    struct words compile, link; /* words for both, and for one of the two */
    struct words inputs;        /* files, in order */
    struct words sources, languages, objects;
    const char *output;
    bool compiles_only, depends, makes_part, clang;
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

static bool is_assembly(const char *word)
{
    return ends(word, ".S") || ends(word, ".s") || ends(word, ".sx");
}

static bool is_source(const char *word)
{
    static const char *const endings[] = {".c", ".i", ".cc", ".cp", ".cpp", ".cxx", ".c++", ".C", ".ii"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends(word, endings[i]))
            return true;
    return is_assembly(word);
}

/* Some source may be; what C++ sources are given says nothing to those of C. */
static bool is_cxx(const struct job *job)
{
    const char *compiler = job->compiler.at[job->compiler.n - 1], *slash = strrchr(compiler, '/');
    bool cxx = strstr(slash ? slash : compiler, "++") != NULL;
    for (size_t i = 0; i < job->sources.n; i++)
        cxx |= strncmp(job->languages.at[i], "c++", 3) == 0 ||
               !(ends(job->sources.at[i], ".c") || ends(job->sources.at[i], ".i") ||
                 is_assembly(job->sources.at[i]));
    return cxx;
}

static bool is_one_of(const char *word, const char *const list[])
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static bool begins_with_one_of(const char *word, const char *const list[])
{
    for (; *list; list++)
        if (strncmp(word, *list, strlen(*list)) == 0)
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

static void add_input(struct job *job, const char *word, const char *language)
{
    if (is_plain_library(word))
        return;
    add(&job->inputs, word);
    add(&job->objects, word); /* its place in the link */
    if (*language || is_source(word)) {
        add(&job->sources, word);
        add(&job->languages, language);
    }
}

/* Which step a word is for; clang complains of those that are not for what it does. */
static void add_option(struct job *job, const char *word)
{
    static const char *const only[] = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-###", NULL};
    static const char *const link_only[] = {"-pie",      "-no-pie",        "-shared",           "-rdynamic",
                                            "-nostdlib", "-nostartfiles",  "-nodefaultlibs",    "-s",
                                            "-r",        "-static-libgcc", "-static-libstdc++", NULL};
    static const char *const link_with[] = {"-Wl,", "-l", "-L", "-fuse-ld=", "--ld-path=", NULL};
    static const char *const compile_with[] = {"-I", "-D", "-U", "-M", "-gsplit-dwarf", NULL};
    if (strcmp(word, "-static") == 0 || strcmp(word, "-static-pie") == 0)
        fail(EXIT_USAGE, "%s: the heap and libc's calls are watched in a shared libc only", word);
    if (strncmp(word, "-fsanitize=", 11) == 0) {
        if (strcmp(word, "-fsanitize=thread") != 0)
            fail(EXIT_USAGE, "%s: another sanitizer cannot be had at the same time", word);
        return;
    }
    job->compiles_only |= is_one_of(word, only);
    job->depends |= strcmp(word, "-MD") == 0 || strcmp(word, "-MMD") == 0;
    job->makes_part |= strcmp(word, "-r") == 0;
    if (is_one_of(word, link_only)) {
        add(&job->link, word);
    } else if (begins_with_one_of(word, link_with)) {
        if (!is_plain_library(word))
            add(&job->objects, word);
    } else {
        add(&job->compile, word);
        if (!begins_with_one_of(word, compile_with))
            add(&job->link, word);
    }
}

static void sort_out(struct job *job, int count, char *words[])
{
    static const char *const compile_value[] = {
        "-I",  "-D",          "-U",        "-include", "-isystem", "-idirafter",     "-iquote",
        "-MF", "-MT",         "-MQ",       "-mllvm",   "-imacros", "-Xpreprocessor", "-Xclang",
        "-MJ", "-Xassembler", "-aux-info", NULL};
    static const char *const both_value[] = {"--param",   "-arch", "-target", "-isysroot",
                                             "--sysroot", "-B",    NULL};
    static const char *const link_value[] = {"-L", "-l", "-Xlinker", "-T", "-u", "-z", "-e", NULL};
    const char *language = "";
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        bool last = i + 1 == count;
        if (strcmp(word, "-o") == 0 && !last) {
            job->output = words[++i];
        } else if (strncmp(word, "-o", 2) == 0 && word[2]) {
            job->output = word + 2;
        } else if (strncmp(word, "-x", 2) == 0 && (word[2] || !last)) {
            language = word[2] ? word + 2 : words[++i];
            if (strcmp(language, "none") == 0)
                language = "";
        } else if ((is_one_of(word, compile_value) || is_one_of(word, both_value)) && !last) {
            add(&job->compile, word);
            add(&job->compile, words[i + 1]);
            if (is_one_of(word, both_value)) {
                add(&job->link, word);
                add(&job->link, words[i + 1]);
            }
            job->depends &= strcmp(word, "-MF") != 0;
            i++;
        } else if (is_one_of(word, link_value) && !last) {
            i++;
            if (strcmp(word, "-l") != 0 || strcmp(words[i], "bine") != 0) {
                add(&job->objects, word);
                add(&job->objects, words[i]);
            }
        } else if (word[0] == '-' && word[1]) {
            add_option(job, word);
        } else {
            add_input(job, word, language);
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

static void add_headers(struct words *words, bool cxx)
{
    static const char *const beside[] = {"/../include", "/include"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *header = existing(own_directory(), beside[i], "/bine/check.h");
        if (header) {
            add(words, "-I");
            add(words, join(own_directory(), beside[i]));
            free(header);
            header = existing(own_directory(), beside[i], "/bine/race_cxx.h");
            if (header && cxx) {
                add(words, "-include");
                add(words, header);
            }
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

/* gcc instruments what it links of -flto, and is not asked to there. */
static void add_compile_words(struct words *words, const struct job *job)
{
    add_all(words, &job->compile);
    if (!job->clang)
        add(words, "-fno-lto");
    add(words, "-U_FORTIFY_SOURCE"); /* which has libc's headers call functions that are not known here */
    add_headers(words, is_cxx(job));
}

static int compile_only(const struct job *job)
{
    struct words words = {NULL, 0, 0};
    size_t source = 0;
    bool assembly = true;
    for (size_t i = 0; i < job->sources.n; i++)
        assembly = assembly && is_assembly(job->sources.at[i]);
    add_all(&words, &job->compiler);
    if (!assembly)
        add_instrumentation(&words, job);
    add_compile_words(&words, job);
    if (job->output) {
        add(&words, "-o");
        add(&words, job->output);
    }
    for (size_t i = 0; i < job->inputs.n; i++) {
        bool is_next = source < job->sources.n && strcmp(job->inputs.at[i], job->sources.at[source]) == 0;
        const char *language = is_next ? job->languages.at[source++] : "";
        add(&words, "-x");
        add(&words, *language ? language : "none");
        add(&words, job->inputs.at[i]);
    }
    say_what_is_unseen(&job->sources);
    return run_command(words.at, NULL);
}

static int compile_one(const struct job *job, size_t source, const char *object)
{
    struct words words = {NULL, 0, 0};
    add_all(&words, &job->compiler);
    if (!is_assembly(job->sources.at[source]))
        add_instrumentation(&words, job);
    add_compile_words(&words, job);
    if (job->depends) {
        add(&words, "-MQ");
        add(&words, job->output ? job->output : "a.out");
    }
    add(&words, "-gno-split-dwarf"); /* the object does not stay */
    add(&words, "-c");
    add(&words, "-o");
    add(&words, object);
    if (*job->languages.at[source]) {
        add(&words, "-x");
        add(&words, job->languages.at[source]);
    }
    add(&words, job->sources.at[source]);
    return run_command(words.at, NULL);
}

/* "prog-source.d" as gcc calls it; "prog.d" if the source is called so. */
static char *beside(const char *output, const char *name)
{
    const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output;
    size_t length = strlen(base);
    bool same = strncmp(name, base, length) == 0 && name[length] == '.';
    return join(output, same ? name + length : join("-", name));
}

/* What compilers write beside an object (.d, .su, .i) goes beside the program. */
static void clear(const char *directory, const char *output)
{
    DIR *list = opendir(directory);
    for (const struct dirent *entry; list && (entry = readdir(list));) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = join(directory, join("/", entry->d_name));
        if (ends(path, ".o") || copy_file(path, beside(output, entry->d_name)))
            unlink(path);
        free(path);
    }
    if (list)
        closedir(list);
    rmdir(directory);
}

static int build(struct job *job)
{
    struct words words = {NULL, 0, 0};
    int status = 0;
    size_t source = 0;
    const char *place = getenv("TMPDIR"), *output = job->output ? job->output : "a.out";
    char *directory = join(place && *place ? place : "/tmp", "/bine-race.XXXXXX");
    if (job->sources.n && !mkdtemp(directory))
        fail(EXIT_CANNOT, "cannot make the directory %s: %s", directory, strerror(errno));
    add_all(&words, &job->compiler);
    add_all(&words, &job->link);
    add(&words, "-o");
    add(&words, output);
    for (size_t i = 0; i < job->objects.n && status == 0; i++) {
        if (source == job->sources.n || strcmp(job->objects.at[i], job->sources.at[source]) != 0) {
            add(&words, job->objects.at[i]);
            continue;
        }
        char *name = join(directory, strrchr(join("/", job->sources.at[source]), '/'));
        char *end = strrchr(name, '.');
        if (end && !strchr(end, '/'))
            *end = '\0';
        while (access(join(name, ".o"), F_OK) == 0) /* of another directory */
            name = join(name, "-");
        add(&words, join(name, ".o"));
        status = compile_one(job, source++, words.at[words.n - 1]);
    }
    if (!job->makes_part) {
        add_libraries(&words);
        add(&words, "-gz=none"); /* the tables of lines are read as they are */
    }
    if (status == 0)
        status = run_command(words.at, NULL);
    if (status == 0) {
        say_what_is_unseen(&job->sources);
        say_what_is_not_instrumented(&job->objects, &job->sources);
    }
    if (job->sources.n)
        clear(directory, output);
    return status;
}

/* What caches and distributes compilations and is written before the compiler. */
static bool is_launcher(const char *word)
{
    static const char *const known[] = {"ccache", "distcc", "sccache", "icecc", NULL};
    const char *slash = strrchr(word, '/');
    return is_one_of(slash ? slash + 1 : word, known);
}

int compile(int count, char *words[])
{
    struct job job;
    int at = 0;
    memset(&job, 0, sizeof job);
    while (at + 1 < count && is_launcher(words[at]))
        add(&job.compiler, words[at++]);
    add(&job.compiler, words[at]);
    know(&job, words[at++]);
    struct words arguments = {NULL, 0, 0};
    for (int i = at; i < count; i++)
        add_with_files(&arguments, words[i]);
    sort_out(&job, (int)arguments.n, arguments.at);
    if (!job.sources.n &&
        (job.compiles_only || !job.objects.n)) /* a question: --version, -print-file-name= */
        return run_command(words, NULL);
    return job.compiles_only ? compile_only(&job) : build(&job);
}
