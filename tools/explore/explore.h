/* SPDX-License-Identifier: MIT
 *
 * bine-explore: runs a program under many schedules and says which of them fail.
 *
 * main.c reads the command line; target.c runs the program, a schedule at a time, in several processes at
 * once; search.c decides which schedules; shrink.c makes a failing one simpler; path.c writes schedules
 * down; output.c says what came of it.  What the tool and the program share is in
 * src/check/explore_share.h. */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "check/explore_share.h"

enum {
    EXIT_CLEAN = 0,
    EXIT_CANNOT = 1,   /* the program cannot be explored */
    EXIT_USAGE = 2,
    EXIT_PARTIAL = 3,  /* none failed, but a limit was reached, or the program is not deterministic */
    EXIT_MISFIT = 4,   /* the path given does not fit the program */
    EXIT_FINDINGS = 66
};

enum mode { MODE_ALL, MODE_RANDOM, MODE_PCT, MODE_PATH };
enum merge { MERGE_LATE, MERGE_ALWAYS, MERGE_NEVER }; /* late: once it takes long */
enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

struct options {
    enum mode mode;
    unsigned long runs; /* of MODE_RANDOM and MODE_PCT */
    const char *path;
    uint64_t seed;
    unsigned depth, unfair, max_steps, jobs, timers;
    double time, run_time; /* seconds; 0: no limit */
    double patience;       /* seconds */
    bool unfair_given, fifo, eager_io, keep_going, race, shrink, quiet, colour;
    enum merge merge;
    enum format format;
    char **program;
};
extern struct options options;

_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
double now(void); /* seconds, on a clock of its own */

/* ---- Schedules (path.c) ------------------------------------------------------------ */

struct path {
    struct bine__explore_pick *pick;
    unsigned n;
};
bool path_parse(struct path *, const char *); /* false: it is none */
char *path_text(const struct path *);         /* malloc()ed */
void path_of_run(struct path *, const struct bine__explore_share *); /* as it went; malloc()ed */

/* ---- Running (target.c) ------------------------------------------------------------ */

enum verdict {
    RUN_CLEAN,
    RUN_REPORTED, /* ended well, but something was reported */
    RUN_EXIT,     /* ended with another status than 0 */
    RUN_SIGNAL,
    RUN_STUCK,    /* nothing could ever happen any more */
    RUN_STEPS,    /* too many */
    RUN_TIME,     /* too long */
    RUN_OUTPUT,   /* too much */
    RUN_MISFIT    /* the path did not fit */
};

struct target {
    pid_t server;
    int commands, replies, output;
    struct bine__explore_share *share;
    bool busy, killed, flooded;
    double started;
    uint64_t task; /* what the search runs in it */
};

/* Starts the program's server.  Ends the tool if that cannot be. */
void target_start(struct target *);
void target_stop(struct target *);
/* No state is known any more.  Nothing runs. */
void target_forget_states(void);
/* What is loaded into it; NULL: it is linked with the checked runtime. */
const char *target_library(void);
/* The picks and the policy are set in .share; begins a run. */
void target_run(struct target *);
/* Waits until one of them has ended its run, at most so many seconds; ends runs that exceed their limits.
 * NULL: none has yet.  *status: as of waitpid(). */
struct target *target_wait(struct target *, unsigned n, double seconds, int *status);
/* The whole of a run, with these picks. */
enum verdict target_replay(struct target *, const struct path *, bool strictly, bool tell, int *status);
enum verdict target_verdict(const struct target *, int status);
void target_configure(struct target *, enum bine__explore_policy, uint64_t seed, const struct path *);

/* ---- Findings and results ----------------------------------------------------------- */

struct finding {
    enum verdict verdict;
    int status;
    char *title;  /* one line */
    char **reports;
    unsigned n_reports;
    struct path path;
    char *trace, *output;
    uint32_t steps;
    unsigned long found_at; /* the how-manieth schedule */
    uint64_t seed;          /* of its run, if it was drawn */
    bool again;             /* it failed in the same way when run once more */
    unsigned unfair;        /* with which it does */
};

struct result {
    unsigned long schedules, failed, different, left, diverged, merged;
    unsigned long before; /* schedules that were run before states were compared, and do not count */
    bool complete, trimmed, outside, truncated, interrupted, timed_out, full, no_loop;
    bool merging, descriptors, unseen; /* states are compared; what stands in the way of that */
    uint32_t most_points, most_steps;
    double seconds;
    struct finding *findings;
    unsigned n_findings;
};

extern volatile int interrupted;

/* search.c */
void search(struct result *);
/* shrink.c: fewer picks with which it fails in the same way. */
void shrink(struct target *, struct finding *);
/* findings.c */
struct finding *finding_add(struct result *, const struct target *, int status);
bool finding_same(const struct finding *, const struct target *, int status);
void finding_complete(struct target *, struct finding *);

/* output.c */
void progress(const struct result *, unsigned long waiting);
void progress_end(void);
void output_result(const struct result *);
void output_json(const struct result *);  /* formats.c */
void output_sarif(const struct result *); /* formats.c */

#endif
