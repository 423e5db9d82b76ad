/* SPDX-License-Identifier: MIT
 *
 * Between the files of bine-race. */
#ifndef BINE_TOOLS_RACE_H
#define BINE_TOOLS_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EXIT_CLEAN = 0, EXIT_USAGE = 2, EXIT_FINDINGS = 66, EXIT_CANNOT = 125 };

_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *need(void *); /* memory that was asked for */

/* A list of words that ends with NULL. */
struct words {
    char **at;
    size_t n, room;
};
void add(struct words *, const char *word);
char *join(const char *a, const char *b); /* the two as one */

/* target.c */
int run_command(char *const words[], bool quiet); /* its exit status, 128 + a signal's number */
const char *own_directory(void);

/* compile.c: the exit status. */
int compile(int count, char *words[]);

/* run.c */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };
struct run_options {
    enum format format;
    int colour; /* 0 never, 1 always, -1 on a terminal */
    const char *output;
    const char *settings; /* for BINE_RACE */
};
int run(const struct run_options *, char *program[]);

/* formats.c: of the log that the program wrote; how many findings. */
unsigned print_findings(FILE *out, FILE *log, enum format);

#endif
