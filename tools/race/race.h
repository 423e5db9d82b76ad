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
int run_command(char *const words[], bool *ended_by_signal); /* its exit status, 128 + a signal's number */
bool holds_the_detector(const char *program); /* or is a script, or not there */
bool copy_file(const char *from, const char *to);
const char *own_directory(void);

/* response.c: a word, or those that the file holds whose name follows an '@'. */
void add_with_files(struct words *, const char *word);

/* unseen.c: on standard error. */
void say_what_is_unseen(const struct words *sources);
void say_what_is_not_instrumented(const struct words *linked, const struct words *but);

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
