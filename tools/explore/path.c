/* SPDX-License-Identifier: MIT
 *
 * Schedules as text: "5:1/3,9:2/2q1".  At the point of choice numbered 5 the second of three, at 9 the
 * third of two, and so on; "q" and a bit set in hexadecimal: which others complete before that, unseen.
 * At all other points it is the first choice.  "first": that everywhere. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

bool path_parse(struct path *path, const char *text)
{
    *path = (struct path){calloc(BINE__EXPLORE_PICKS, sizeof *path->pick), 0};
    if (!path->pick)
        fail(EXIT_CANNOT, "out of memory");
    int n = bine__explore_parse(path->pick, text);
    path->n = n < 0 ? 0 : (unsigned)n;
    return n >= 0;
}

char *path_text(const struct path *path)
{
    enum { PICK = 40 };
    char *text = malloc((path->n + 1) * (size_t)PICK), *end = text;
    if (!text)
        fail(EXIT_CANNOT, "out of memory");
    strcpy(text, "first");
    for (unsigned i = 0; i < path->n; i++) {
        const struct bine__explore_pick *pick = &path->pick[i];
        end += sprintf(end, "%s%u:%u/%u", i ? "," : "", pick->point, pick->choice, pick->of);
        if (pick->quiet)
            end += sprintf(end, "q%x", pick->quiet);
    }
    return text;
}

void path_of_run(struct path *path, const struct bine__explore_share *share)
{
    *path = (struct path){calloc(BINE__EXPLORE_PICKS, sizeof *path->pick), 0};
    if (!path->pick)
        fail(EXIT_CANNOT, "out of memory");
    for (uint32_t i = 0; i < share->points && path->n < BINE__EXPLORE_PICKS; i++) {
        const struct bine__explore_point *point = &share->point[i];
        if (point->chosen || point->quiet)
            path->pick[path->n++] = (struct bine__explore_pick){i, point->chosen, point->of, point->quiet};
    }
}
