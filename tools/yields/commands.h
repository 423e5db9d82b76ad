/* SPDX-License-Identifier: MIT
 *
 * The commands.  Each gets the words after its name and gives the exit status. */
#ifndef YIELDS_COMMANDS_H
#define YIELDS_COMMANDS_H

#include "graph.h"

struct options {
    bool system;                 /* also what stands in the system's and bine's own headers */
    bool explicit_style;         /* check: every switch must be awaited */
    VECTOR(const char *) yields; /* further functions that switch */
};

extern struct options options;

/* Reads the units and colours. */
struct graph *load(char *const *paths, size_t count);
/* The functions of that name: a symbol, a C++ name, or "file.c:name"; none is an error. */
struct nodes find_functions(const struct graph *, const char *name);
_Noreturn void usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

int command_list(char **words, size_t count);
int command_annotate(char **words, size_t count);
int command_why(char **words, size_t count);
int command_check(char **words, size_t count);
int command_diff(char **words, size_t count);
int command_stack(char **words, size_t count);
int command_cc(char **words, size_t count);

#endif
