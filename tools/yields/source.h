/* SPDX-License-Identifier: MIT
 *
 * What is found in the sources themselves, by their words: blocks that must not switch, functions that
 * promise not to, places that are marked as awaited, and, where the compiler left no types, numbers of
 * arguments.
 *
 * Comments, strings and preprocessor directives are passed over.  Macros are not expanded, but one that stands
 * for a mark is a mark. */
#ifndef YIELDS_SOURCE_H
#define YIELDS_SOURCE_H

#include "graph.h"

enum region_kind { ATOMIC_BLOCK, AWAITED };

struct region {
    enum region_kind kind;
    struct place from, to; /* both inside */
    struct place at;       /* the word that opened it */
};

struct promise { /* BINE_NOYIELD */
    const char *function;
    struct place at;
};

struct hidden_mark { /* in the body of a macro: what it marks is not known */
    const char *mark, *macro;
    int line;
};

struct token {
    const char *text;
    size_t length;
    int line, column; /* in bytes, from 1 */
};

struct source {
    const char *path;  /* as it could be opened */
    const char *known; /* as the compiler was given it */
    char *text;
    VECTOR(const char *) lines; /* where each begins, once one was asked for */
    VECTOR(struct token) tokens;
    VECTOR(struct region) regions;
    VECTOR(struct promise) promises;
    VECTOR(struct hidden_mark) hidden;
    struct map yielding;           /* functions declared with BINE_YIELDS */
    struct map macros;             /* name -> what it stands for, as a source */
    VECTOR(const char *) includes; /* "..." ones */
    struct map values;             /* names that stand where no call is */
};

/* Opened once and kept; NULL if it cannot be.  Looked for from here, and from the directory of the unit's .ci
 * and those above it. */
struct source *source_open(const char *file, const struct unit *);
/* What a source means by #include "name". */
const char *source_beside(const char *file, const char *name);
/* The innermost region of that kind around a place; NULL. */
const struct region *source_region(const struct source *, enum region_kind, struct place);
int source_arguments(const struct source *, struct place call);        /* -1: it cannot be told */
int source_parameters(const struct source *, struct place definition); /* -1 */
bool source_takes(const struct source *, const char *function);        /* its address */
/* The line, without its end; NULL past the last. */
const char *source_line(struct source *, int line);

#endif
