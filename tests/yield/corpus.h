/* SPDX-License-Identifier: MIT
 *
 * What the programs of the corpus share: a run on the virtual clock, first in first out unless CORPUS_SEED in the
 * environment draws another schedule; two tasks at once; and an expectation that is recorded.  A program exits with
 * 1 if one of its expectations was not met, so that a schedule that does damage shows without any detector.
 *
 * Built with -DSTAGGERED the second of two tasks begins only long after the first has ended: nothing interferes,
 * and nothing would prevent it. */
#ifndef CORPUS_H
#define CORPUS_H

#include <bine.h>

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int corpus_broken;

#define EXPECT(condition) expect((condition), __FILE__, __LINE__, #condition)
static inline void expect(bool good, const char *file, int line, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    corpus_broken = 1;
}

/* Two tasks, joined; the first is spawned first. */
static inline void both(bine_fn *f, void *x, bine_fn *g, void *y)
{
    bine_result ignored;
    bine_task *first = bine_spawn(f, x);
#ifdef STAGGERED
    bine_sleep(BINE_MINUTE);
#endif
    bine_task *second = bine_spawn(g, y);
    bine_join(first, &ignored);
    bine_join(second, &ignored);
}

static inline int corpus_run(bine_fn *fn)
{
    bine_options options = BINE_OPTIONS_INIT;
    bine_result result = {NULL, 0};
    const char *seed = getenv("CORPUS_SEED");
    options.virtual_clock = true;
    options.seed = seed ? strtoull(seed, NULL, 10) : 0;
    if (bine_run_with(&options, fn, NULL, &result) < 0 || result.error) {
        fprintf(stderr, "the run failed: %s\n", strerror(result.error ? result.error : errno));
        return 1;
    }
    return corpus_broken;
}

#define PROGRAM(fn) \
    int main(void) { return corpus_run(fn); }

#endif
