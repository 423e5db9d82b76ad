/* SPDX-License-Identifier: MIT
 *
 * Memory, strings and files, as all parts of bine-yields use them.
 *
 * The program lives for one command: what is allocated is kept until it ends.  Out of memory ends it with a
 * message. Interned strings are equal exactly if their pointers are. */
#ifndef YIELDS_TEXT_H
#define YIELDS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_FINDINGS = 66 };

/* A growing array: PUSH(&vector, item). */
#define VECTOR(type)  \
    struct {          \
        type *at;     \
        size_t count; \
        size_t room;  \
    }
#define PUSH(vector, item)                                                                          \
    do {                                                                                            \
        (vector)->at = grown((vector)->at, (vector)->count, &(vector)->room, sizeof *(vector)->at); \
        (vector)->at[(vector)->count++] = (item);                                                   \
    } while (0)

void *allocate(size_t size); /* zeroed */
void *grown(void *memory, size_t count, size_t *room, size_t size);
const char *intern(const char *text, size_t length);
const char *intern_text(const char *text);
const char *format(const char *format, ...) __attribute__((format(printf, 1, 2))); /* interned */

/* A map from interned strings. */
struct map {
    struct map_entry *at;
    size_t count, room;
};
void *map_get(const struct map *, const char *key);
void map_set(struct map *, const char *key, void *value);

/* The whole file, ended by a NUL; NULL and errno.  A directory is EISDIR. */
char *slurp(const char *path, size_t *length);
bool is_directory(const char *path);
const char *directory_of(const char *path); /* interned, "." if it has none */
const char *base_of(const char *path);
bool begins(const char *text, const char *with);
bool ends(const char *text, const char *with);

/* Prints "bine-yields: ..." and ends the program. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
