/* SPDX-License-Identifier: MIT
 *
 * The parts of the demo: the files it fetches, the clients that fetch them, and what they found. */
#ifndef EXAMPLES_DEMO_H
#define EXAMPLES_DEMO_H

#include <bine.h>

#include <time.h>

/* ---- demo_files.c ------------------------------------------------------------------------ */

struct demo_file {
    char *request; /* what asks for it */
    size_t request_length;
    char *path;
    char *content; /* what must come back, byte for byte */
    size_t size;
    struct timespec modified;
    bool changed; /* since it was read: not to be asked for any more */
};

struct demo_files {
    const char *root;
    struct demo_file *at;
    size_t count;
    size_t room;
    uint64_t bytes;
};
/* Reads the files beneath a directory: all but hidden ones, those in "build", and very large ones.  Blocks.
 * 0, or -1 with errno and nothing left behind (ENOENT: there are none). */
int demo_files_read(struct demo_files *, const char *root);
void demo_files_free(struct demo_files *);
/* Has somebody changed the file since it was read?  Remembers it in .changed.  Asks the disk. */
bool demo_file_has_changed(const struct demo_files *, struct demo_file *);

/* ---- histogram.c ------------------------------------------------------------------------- */

/* Counts of times, by powers of two in 32 steps each: right to 3 %. */
struct histogram {
    uint64_t total;
    bine_ns longest;
    uint64_t count[60 * 32];
};
void histogram_add(struct histogram *, bine_ns);
/* The time that this share (0.99: 99 %) did not exceed. */
bine_ns histogram_at(const struct histogram *, double share);

/* ---- demo_client.c ----------------------------------------------------------------------- */

struct demo {
    struct demo_files files;
    char address[80];
    size_t started;    /* clients */
    bool over;         /* clients finish the request that they are at, and end */
    uint64_t requests; /* answered, whole and right */
    uint64_t bytes;
    uint64_t errors;
    struct histogram latency;
};
/* Yields.  A client: fetches one file after the other over one connection, until .over. */
void *demo_client(void *demo);

/* ---- demo_report.c ----------------------------------------------------------------------- */

/* What one can see only while everybody is there. */
struct demo_crowd {
    size_t tasks;
    size_t servers; /* tasks called "server", and what their stacks have touched, bytes */
    size_t server_stack;
    size_t clients;
    size_t client_stack;
    long resident; /* bytes of the process; -1: unknown here */
};
long demo_resident(void);
void demo_look(struct demo_crowd *);

void demo_report_progress(const struct demo *, int second);
/* before: what the process took before there were tasks. */
void demo_report(const struct demo *, const struct demo_crowd *, long before, bine_ns duration);

#endif
