/* SPDX-License-Identifier: MIT
 *
 * Memory, strings and files: see text.h. */
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Noreturn void fail(const char *message, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("bine-yields: ", stderr);
    va_start(arguments, message);
    vfprintf(stderr, message, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILED);
}

void *allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        fail("out of memory");
    return memory;
}

void *grown(void *memory, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return memory;
    *room = *room ? *room * 2 : 8;
    memory = realloc(memory, *room * size);
    if (!memory)
        fail("out of memory");
    return memory;
}

/* FNV-1a. */
static size_t hash(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 29);
}

static struct {
    const char **at;
    size_t count, room;
} strings;

static void rehash(void)
{
    const char **old = strings.at;
    size_t room = strings.room;
    strings.room = room ? room * 2 : 4096;
    strings.at = allocate(strings.room * sizeof *strings.at);
    for (size_t i = 0; i < room; i++) {
        if (!old[i])
            continue;
        size_t place = hash(old[i], strlen(old[i])) & (strings.room - 1);
        while (strings.at[place])
            place = (place + 1) & (strings.room - 1);
        strings.at[place] = old[i];
    }
    free(old);
}

const char *intern(const char *text, size_t length)
{
    if (strings.count * 2 >= strings.room)
        rehash();
    size_t place = hash(text, length) & (strings.room - 1);
    while (strings.at[place]) {
        const char *here = strings.at[place];
        if (strncmp(here, text, length) == 0 && here[length] == '\0')
            return here;
        place = (place + 1) & (strings.room - 1);
    }
    char *copy = allocate(length + 1);
    memcpy(copy, text, length);
    strings.at[place] = copy;
    strings.count++;
    return copy;
}

const char *intern_text(const char *text)
{
    return intern(text, strlen(text));
}

const char *format(const char *message, ...)
{
    va_list arguments, again;
    va_start(arguments, message);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, message, arguments);
    va_end(arguments);
    char *text = allocate((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, message, again);
    va_end(again);
    const char *interned = intern(text, (size_t)length);
    free(text);
    return interned;
}

struct map_entry {
    const char *key;
    void *value;
};

static struct map_entry *entry(const struct map *map, const char *key)
{
    size_t place = hash((const char *)&key, sizeof key) & (map->room - 1);
    while (map->at[place].key && map->at[place].key != key)
        place = (place + 1) & (map->room - 1);
    return &map->at[place];
}

void *map_get(const struct map *map, const char *key)
{
    return map->room ? entry(map, key)->value : NULL;
}

void map_set(struct map *map, const char *key, void *value)
{
    if (map->count * 2 >= map->room) {
        struct map old = *map;
        map->room = old.room ? old.room * 2 : 64;
        map->at = allocate(map->room * sizeof *map->at);
        for (size_t i = 0; i < old.room; i++) {
            if (old.at[i].key)
                *entry(map, old.at[i].key) = old.at[i];
        }
        free(old.at);
    }
    struct map_entry *here = entry(map, key);
    if (!here->key)
        map->count++;
    here->key = key;
    here->value = value;
}

bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *slurp(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    VECTOR(char) text = {NULL, 0, 0};
    for (;;) {
        while (text.room - text.count < 65536)
            text.at = grown(text.at, text.room, &text.room, 1);
        size_t got = fread(text.at + text.count, 1, text.room - text.count - 1, file);
        text.count += got;
        if (got == 0)
            break;
    }
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error) {
        free(text.at);
        errno = error;
        return NULL;
    }
    text.at[text.count] = '\0';
    if (length)
        *length = text.count;
    return text.at;
}

const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return intern_text(".");
    return slash == path ? intern_text("/") : intern(path, (size_t)(slash - path));
}

bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool ends(const char *text, const char *with)
{
    size_t length = strlen(text), tail = strlen(with);
    return length >= tail && strcmp(text + length - tail, with) == 0;
}
