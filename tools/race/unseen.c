/* SPDX-License-Identifier: MIT
 *
 * Says of what is compiled and linked what the detector will not see: assembly inside of C, and objects and
 * archives that were compiled without instrumentation.  Shared libraries the program tells itself, when it
 * has run (src/check/race_unseen.c).
 *
 * An object that is instrumented names the hooks.  Assembly is looked for in the sources' own text, not in
 * what they include: the word, where a statement may begin, with a template that is not empty. */
#define _GNU_SOURCE
#include "race.h"

#include <ar.h>
#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
    const char *at;
    size_t size;
};

static struct bytes map(const char *path)
{
    struct bytes none = {NULL, 0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return none;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
        close(fd);
        return none;
    }
    void *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    return at == MAP_FAILED ? none : (struct bytes){at, (size_t)status.st_size};
}

static void unmap(struct bytes bytes) { munmap((void *)(uintptr_t)bytes.at, bytes.size); }

/* ---- Assembly in the text --------------------------------------------------------------------------- */

struct text {
    const char *at, *end;
    unsigned line;
};

static void pass(struct text *text)
{
    text->line += *text->at == '\n';
    text->at++;
}

static bool is_at(const struct text *text, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(text->end - text->at) >= length && memcmp(text->at, word, length) == 0;
}

/* Comments and literals; true if there was one. */
static bool pass_over(struct text *text)
{
    if (is_at(text, "//")) {
        while (text->at < text->end && *text->at != '\n')
            pass(text);
    } else if (is_at(text, "/*")) {
        while (text->at < text->end && !is_at(text, "*/"))
            pass(text);
        text->at += text->at < text->end ? 2 : 0;
    } else if (*text->at == '"' || *text->at == '\'') {
        char quote = *text->at;
        for (pass(text); text->at < text->end && *text->at != quote && *text->at != '\n'; pass(text))
            if (*text->at == '\\' && text->at + 1 < text->end)
                pass(text);
        text->at += text->at < text->end;
    } else {
        return false;
    }
    return true;
}

static void pass_blanks(struct text *text)
{
    while (text->at < text->end && (isspace((unsigned char)*text->at) || pass_over(text)))
        if (text->at < text->end && isspace((unsigned char)*text->at))
            pass(text);
}

static bool pass_word(struct text *text, const char *word)
{
    size_t length = strlen(word);
    if (!is_at(text, word) || (text->at + length < text->end &&
                               (isalnum((unsigned char)text->at[length]) || text->at[length] == '_')))
        return false;
    text->at += length;
    return true;
}

/* Behind the word: a statement that does something.  An empty template only holds the compiler back. */
static bool is_statement(struct text text, char before)
{
    bool qualified = false, any = true;
    while (any) {
        static const char *const qualifiers[] = {"__volatile__", "volatile", "goto", "inline", "__inline__"};
        pass_blanks(&text);
        any = false;
        for (size_t i = 0; i < sizeof qualifiers / sizeof *qualifiers; i++)
            any = any || pass_word(&text, qualifiers[i]);
        qualified = qualified || any;
    }
    if ((!qualified && !strchr(";{}", before)) || text.at == text.end || *text.at != '(')
        return false;
    text.at++;
    while (text.at < text.end && isspace((unsigned char)*text.at))
        pass(&text);
    return !is_at(&text, "\"\"");
}

/* The line, or 0. */
static unsigned line_of_assembly(struct bytes source)
{
    struct text text = {source.at, source.at + source.size, 1};
    char before = ';';
    while (text.at < text.end) {
        static const char *const words[] = {"__asm__", "__asm", "asm"};
        if (pass_over(&text))
            continue;
        if (!isalnum((unsigned char)*text.at) && *text.at != '_') {
            before = isspace((unsigned char)*text.at) ? before : *text.at;
            pass(&text);
            continue;
        }
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (pass_word(&text, words[i]) && is_statement(text, before))
                return text.line;
        while (text.at < text.end && (isalnum((unsigned char)*text.at) || *text.at == '_'))
            before = *text.at++;
    }
    return 0;
}

void say_what_is_unseen(const struct words *sources)
{
    for (size_t i = 0; i < sources->n; i++) {
        struct bytes source = map(sources->at[i]);
        unsigned line = source.at ? line_of_assembly(source) : 0;
        if (line)
            fprintf(stderr, "%s:%u: bine-race: note: what assembly reads and writes is not seen\n",
                    sources->at[i], line);
        if (source.at)
            unmap(source);
    }
}

/* ---- Objects and archives --------------------------------------------------------------------------- */

static bool is_bare_object(struct bytes file)
{
    const Elf64_Ehdr *header = (const void *)file.at;
    return file.size > sizeof *header && memcmp(file.at, ELFMAG, SELFMAG) == 0 && header->e_type == ET_REL &&
           !memmem(file.at, file.size, "__tsan_", 7);
}

static bool is_bare_archive(struct bytes file)
{
    size_t at = SARMAG;
    if (file.size < SARMAG || memcmp(file.at, ARMAG, SARMAG) != 0)
        return false;
    while (at + sizeof(struct ar_hdr) < file.size) {
        struct ar_hdr header;
        char digits[sizeof header.ar_size + 1] = "";
        memcpy(&header, file.at + at, sizeof header);
        memcpy(digits, header.ar_size, sizeof header.ar_size);
        size_t size = strtoul(digits, NULL, 10);
        at += sizeof header;
        if (size > file.size - at)
            break;
        /* members stand at even places, which for a copied header of ELF is too little */
        char *member = need(malloc(size + 1));
        memcpy(member, file.at + at, size);
        bool bare = is_bare_object((struct bytes){member, size});
        free(member);
        if (bare)
            return true;
        at += size + size % 2;
    }
    return false;
}

static bool is_bare(const char *path)
{
    struct bytes file = map(path);
    bool bare = file.at && (is_bare_object(file) || is_bare_archive(file));
    if (file.at)
        unmap(file);
    return bare;
}

/* The archive that -l means, in the directories given; NULL: a shared library, or the system's. */
static char *archive_of(const char *name, const struct words *linked)
{
    for (size_t i = 0; i < linked->n; i++) {
        const char *directory = strncmp(linked->at[i], "-L", 2) == 0 ? linked->at[i] + 2 : NULL;
        if (directory && !*directory && i + 1 < linked->n)
            directory = linked->at[i + 1];
        if (!directory)
            continue;
        char *path = join(directory, join("/lib", name)), *shared = join(path, ".so"),
             *archive = join(path, ".a");
        if (access(shared, R_OK) == 0)
            return NULL;
        if (access(archive, R_OK) == 0)
            return archive;
    }
    return NULL;
}

void say_what_is_not_instrumented(const struct words *linked, const struct words *but)
{
    size_t source = 0;
    for (size_t i = 0; i < linked->n; i++) {
        const char *path = linked->at[i];
        if (source < but->n && strcmp(path, but->at[source]) == 0) {
            source++;
            continue;
        }
        if (strncmp(path, "-l", 2) == 0 && path[2])
            path = archive_of(path + 2, linked);
        if (path && path[0] != '-' && is_bare(path))
            fprintf(
                stderr,
                "bine-race: note: %s is not compiled with instrumentation: what it reads and writes is not "
                "seen\n",
                path);
    }
}
