/* SPDX-License-Identifier: MIT
 *
 * Finds the units of a program: .ci files, named one by one, by their objects, or by a directory that is
 * searched with all below it; and beside each the dumps of the same compilation.
 *
 * For "dir/shape.c.ci" the dumps are "dir/shape.c.c.021t.ssa" and "dir/shape.c.c.000i.cgraph": the extension
 * of the source, and a number that differs from one gcc to the next. */
#include "graph.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 32 };

typedef VECTOR(const char *) paths;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void entries(const char *directory, paths *found)
{
    DIR *open = opendir(directory);
    if (!open)
        fail("%s: %s", directory, strerror(errno));
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        if (entry->d_name[0] != '.')
            PUSH(found, intern_text(entry->d_name));
    }
    closedir(open);
    if (found->count)
        qsort(found->at, found->count, sizeof *found->at, by_name);
}

static void search(const char *directory, paths *found, int depth)
{
    paths names = {NULL, 0, 0};
    entries(directory, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *path = !strcmp(directory, ".") ? names.at[i] : format("%s/%s", directory, names.at[i]);
        struct stat status;
        if (lstat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode) && depth < DEEPEST)
            search(path, found, depth + 1);
        else if (S_ISREG(status.st_mode) && ends(path, ".ci"))
            PUSH(found, path);
    }
}

/* The dump "<stem>.<extension>.<digits><letter>.<kind>"; NULL. */
static const char *dump_of(const char *ci, const char *source, const char *kind)
{
    const char *directory = directory_of(ci), *base = base_of(ci);
    const char *stem = intern(base, strlen(base) - strlen(".ci"));
    const char *dot = strrchr(base_of(source), '.');
    const char *start = format("%s%s.", stem, dot ? dot : "");
    static struct map listings; /* directory -> its names */
    paths *names = map_get(&listings, directory);
    if (!names) {
        names = allocate(sizeof *names);
        entries(directory, names);
        map_set(&listings, directory, names);
    }
    const char *found = NULL;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->at[i];
        if (!begins(name, start))
            continue;
        const char *number = name + strlen(start);
        size_t digits = strspn(number, "0123456789");
        if (digits && isalpha((unsigned char)number[digits]) && number[digits + 1] == '.' &&
            !strcmp(number + digits + 2, kind))
            found = name; /* the last: another gcc's number may have been left behind */
    }
    return found ? format("%s/%s", directory, found) : NULL;
}

static void read_unit(struct graph *graph, const char *path)
{
    struct unit *unit = allocate(sizeof *unit);
    unit->path = path;
    PUSH(&graph->units, unit);
    unit->source = source_of_ci(path);
    const char *ssa = dump_of(path, unit->source, "ssa"), *taken = dump_of(path, unit->source, "cgraph");
    unit->typed = ssa != NULL;
    unit->knows_taken = taken != NULL;
    read_ci(graph, unit);
    if (taken)
        read_taken(graph, unit, taken);
    if (ssa)
        read_ssa(graph, unit, ssa);
}

void read_units(struct graph *graph, char *const *arguments, size_t count)
{
    paths found = {NULL, 0, 0};
    static char *const here[] = {"."};
    if (count == 0) {
        arguments = here;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = arguments[i];
        size_t before = found.count;
        struct stat status;
        if (is_directory(path)) {
            search(path, &found, 0);
            if (found.count == before)
                fail("%s: no call graph (.ci) in it: compile with `bine-yields cc gcc ...`, or without -flto", path);
            continue;
        }
        if (stat(path, &status) != 0)
            fail("%s: %s", path, strerror(errno));
        if (ends(path, ".o")) {
            const char *ci = format("%.*s.ci", (int)strlen(path) - 2, path);
            if (stat(ci, &status) != 0)
                fail("%s: no call graph beside it (%s): compile it with `bine-yields cc gcc ...`", path, ci);
            path = ci;
        }
        PUSH(&found, intern_text(path));
    }
    struct map seen = {NULL, 0, 0};
    for (size_t i = 0; i < found.count; i++) {
        if (map_get(&seen, found.at[i]))
            continue;
        map_set(&seen, found.at[i], graph);
        read_unit(graph, found.at[i]);
    }
}
