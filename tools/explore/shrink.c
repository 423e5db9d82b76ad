/* SPDX-License-Identifier: MIT
 *
 * Makes a failing schedule simpler: leaves picks out, first many at once, then one by one, as long as it
 * goes on failing in the same way.  A schedule that was drawn picks at nearly every point; few of these
 * matter.  Bounded in runs and in time: it is a convenience. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS = 300, SECONDS = 10 };

/* Keeps it if it still fails so: as it went this time, which need not be as it was picked. */
static bool try_path(struct target *target, struct finding *finding, const struct path *path)
{
    int status;
    struct path went;
    if (target_replay(target, path, false, false, &status) == RUN_MISFIT ||
        !finding_same(finding, target, status))
        return false;
    path_of_run(&went, target->share);
    if (went.n >= finding->path.n) {
        free(went.pick);
        return false;
    }
    free(finding->path.pick);
    finding->path = went;
    return true;
}

void shrink(struct target *target, struct finding *finding)
{
    struct path path = {calloc(BINE__EXPLORE_PICKS, sizeof *path.pick), 0};
    const double until = now() + SECONDS;
    unsigned runs = 0;

    if (!path.pick)
        fail(EXIT_CANNOT, "out of memory");
    for (unsigned size = finding->path.n; size > 0; size /= 2) {
        for (unsigned at = 0; at < finding->path.n && runs < RUNS && now() < until && !interrupted; runs++) {
            unsigned out = size < finding->path.n - at ? size : finding->path.n - at;
            path.n = finding->path.n - out;
            memcpy(path.pick, finding->path.pick, at * sizeof *path.pick);
            memcpy(path.pick + at, finding->path.pick + at + out, (path.n - at) * sizeof *path.pick);
            if (!try_path(target, finding, &path))
                at += out;
        }
    }
    free(path.pick);
}
