/* SPDX-License-Identifier: MIT
 *
 * Which schedules are run.
 *
 * All of them: a tree.  Its root is the schedule in which every choice is the first one, which is what
 * happens without the explorer.  A child picks one more choice, at a point after its parent's last pick;
 * so every schedule is in the tree once.  Those with few picks are run first: most bugs need few
 * (Musuvathi and Qadeer's observation about preemptions), and what is found is as simple as can be.
 *
 * A task that gives up a wait because somebody cancels it could have been given what it waits for just
 * before. The program notes where that would make a difference (.touched), and it is one more child: the
 * same choice, with that completion before it (.quiet).
 *
 * Where schedules come to the same state one of them goes on (--merge).  That costs, and does not see what is
 * outside of memory; so it begins only when a search has taken some time, from the start, and never if a run
 * has used descriptors or anything else that its memory does not tell of.  If that shows later, all begins
 * again without.
 *
 * The program has to behave in the same way under the same picks.  Each run's choices up to the last pick
 * are compared, by a hash, with its parent's; where they differ nothing below is explored, and it is told. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

enum { PLAIN_SECONDS = 2 }; /* then states are compared */
enum { NODES = 12000000, LEVELS = BINE__EXPLORE_PICKS, NONE = -1 };

struct node {
    int32_t parent;
    uint32_t point;
    uint16_t choice, of;
    uint32_t quiet;
    uint32_t hash; /* of what was offered up to there */
};

struct level {
    int32_t *node;
    size_t n, taken, room;
};

static struct {
    struct node *node;
    size_t n, room;
    struct level level[LEVELS];
    size_t waiting;
    unsigned lowest;
} tree;

static struct {
    uint64_t *hash; /* open addressing; 0: free */
    size_t n, room;
} seen;

volatile int interrupted;

/* ---- The tree ---------------------------------------------------------------------- */

static void *grown(void *memory, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return memory;
    *room = *room ? *room * 2 : 256;
    memory = realloc(memory, *room * size);
    if (!memory)
        fail(EXIT_CANNOT, "out of memory");
    return memory;
}

static unsigned depth_of(int32_t node)
{
    unsigned depth = 0;
    for (; tree.node[node].parent != NONE; node = tree.node[node].parent)
        depth++;
    return depth;
}

static void add_node(struct result *result, struct node node, unsigned depth)
{
    if (tree.n == NODES || depth >= LEVELS) {
        result->full = true;
        return;
    }
    tree.node = grown(tree.node, tree.n, &tree.room, sizeof node);
    tree.node[tree.n] = node;
    struct level *level = &tree.level[depth];
    level->node = grown(level->node, level->n, &level->room, sizeof *level->node);
    level->node[level->n++] = (int32_t)tree.n++;
    tree.waiting++;
    if (depth < tree.lowest)
        tree.lowest = depth;
}

static int32_t take_node(void)
{
    while (tree.level[tree.lowest].taken == tree.level[tree.lowest].n) {
        struct level *level = &tree.level[tree.lowest];
        free(level->node);
        *level = (struct level){NULL, 0, 0, 0};
        tree.lowest++;
    }
    tree.waiting--;
    return tree.level[tree.lowest].node[tree.level[tree.lowest].taken++];
}

/* A pick of a child at the point of its parent's last pick replaces it. */
static void path_to(struct path *path, int32_t node)
{
    path->n = 0;
    uint32_t last = UINT32_MAX;
    for (; tree.node[node].parent != NONE; node = tree.node[node].parent) {
        const struct node *at = &tree.node[node];
        if (at->point == last)
            continue;
        last = at->point;
        path->pick[path->n++] = (struct bine__explore_pick){at->point, at->choice, at->of, at->quiet};
    }
    for (unsigned i = 0; i < path->n / 2; i++) {
        struct bine__explore_pick swap = path->pick[i];
        path->pick[i] = path->pick[path->n - 1 - i];
        path->pick[path->n - 1 - i] = swap;
    }
}

/* ---- All schedules ----------------------------------------------------------------- */

static void add_children(struct result *result, int32_t index, const struct bine__explore_share *share)
{
    const bool root = tree.node[index].parent == NONE;
    const uint32_t last = root ? 0 : tree.node[index].point;
    const unsigned depth = depth_of(index) + 1;

    for (uint32_t i = last; i < share->points; i++) {
        const struct bine__explore_point point = share->point[i];
        const bool fresh = root || i > last;
        for (uint16_t choice = 0; fresh && choice < point.of; choice++)
            if (choice != point.chosen)
                add_node(result, (struct node){index, i, choice, point.of, 0, point.hash}, depth);
        for (unsigned bit = 0; bit < 32; bit++) {
            const uint32_t one = UINT32_C(1) << bit;
            if ((point.touched & one) && one > point.quiet) /* each set of them once */
                add_node(result,
                         (struct node){index, i, point.chosen, point.of, point.quiet | one, point.hash},
                         depth);
        }
    }
}

/* False: it did not go as its parent did, up to its last pick. */
static bool went_as_expected(int32_t index, const struct bine__explore_share *share)
{
    const struct node *node = &tree.node[index];
    return node->parent == NONE ||
           (share->points > node->point && share->point[node->point].hash == node->hash &&
            share->point[node->point].of == node->of);
}

/* ---- Drawn schedules --------------------------------------------------------------- */

static uint64_t hash_of_run(const struct bine__explore_share *share)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < share->points; i++) {
        const struct bine__explore_point *point = &share->point[i];
        hash = (hash ^ ((uint64_t)point->chosen << 32 ^ point->quiet)) * UINT64_C(0x100000001b3);
        hash = (hash ^ point->hash) * UINT64_C(0x100000001b3);
    }
    return hash ? hash : 1;
}

static bool insert(uint64_t hash)
{
    size_t at = hash & (seen.room - 1);
    while (seen.hash[at] && seen.hash[at] != hash)
        at = (at + 1) & (seen.room - 1);
    bool fresh = !seen.hash[at];
    seen.hash[at] = hash;
    return fresh;
}

static bool is_new(uint64_t hash)
{
    if (2 * seen.n >= seen.room) {
        uint64_t *old = seen.hash;
        size_t room = seen.room;
        seen.room = room ? 2 * room : 1024;
        seen.hash = calloc(seen.room, sizeof *seen.hash);
        if (!seen.hash)
            fail(EXIT_CANNOT, "out of memory");
        for (size_t i = 0; i < room; i++)
            if (old[i])
                insert(old[i]);
        free(old);
    }
    bool fresh = insert(hash);
    seen.n += fresh;
    return fresh;
}

/* ---- Both -------------------------------------------------------------------------- */

static unsigned long begun;
/* States: whether they are compared, and with how much of time in them; and the same as it ought to be. */
static struct comparison {
    bool states;
    uint32_t time;
} as_is, wanted;

static bool all_begins_again(void)
{
    return as_is.states != wanted.states || as_is.time != wanted.time;
}

/* Something is left to run, and may be begun. */
static bool more(const struct result *result)
{
    if (interrupted || result->timed_out || (result->n_findings && !options.keep_going) || all_begins_again())
        return false;
    return options.mode == MODE_ALL ? tree.waiting > 0 : begun < options.runs;
}

/* Of two seeds that differ little no two runs are drawn alike (Steele and others, SplitMix64, 2014). */
static uint64_t spread(uint64_t seed)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

static void begin(struct target *target, struct path *path, const struct result *result)
{
    if (options.mode == MODE_ALL) {
        int32_t node = take_node();
        path_to(path, node);
        target->task = (uint64_t)node;
        target_configure(target, BINE__EXPLORE_FIRST, 0, path);
        target->share->merge = as_is.states;
        target->share->time_needed = as_is.time;
    } else {
        target->task = spread(options.seed) + begun;
        target_configure(target, options.mode == MODE_PCT ? BINE__EXPLORE_PCT : BINE__EXPLORE_RANDOM,
                         target->task, NULL);
        target->share->expected_points = result->most_points ? result->most_points : 16;
    }
    begun++;
    target_run(target);
}

/* One run of the same failure is enough, the first of those with fewest picks. */
static void note_failure(struct result *result, const struct target *target, int status)
{
    result->failed++;
    for (unsigned i = 0; i < result->n_findings; i++)
        if (finding_same(&result->findings[i], target, status))
            return;
    struct finding *finding = finding_add(result, target, status);
    finding->seed = target->task;
}

static void note(struct result *result, const struct target *target, int status)
{
    const struct bine__explore_share *share = target->share;
    const int32_t node = options.mode == MODE_ALL ? (int32_t)target->task : NONE;
    enum verdict verdict = target_verdict(target, status);

    if (target->killed && interrupted)
        return;
    result->descriptors |= share->descriptors;
    result->unseen |= share->unseen;
    if (as_is.states && share->time_needed > wanted.time)
        wanted.time = share->time_needed;
    if (as_is.states && share->unseen)
        wanted = (struct comparison){false, 0};
    if (all_begins_again())
        return;
    if (verdict == RUN_MISFIT || (node != NONE && !went_as_expected(node, share))) {
        result->diverged++;
        if (verdict == RUN_MISFIT)
            return;
    }
    result->schedules++;
    if (share->points > result->most_points)
        result->most_points = share->points;
    if (share->steps > result->most_steps)
        result->most_steps = share->steps;
    result->merged += share->outcome == BINE__EXPLORE_MERGED;
    result->trimmed |= share->trimmed;
    result->outside |= share->outside;
    result->truncated |= share->truncated;
    result->no_loop |= !share->ran;
    if (verdict != RUN_CLEAN)
        note_failure(result, target, status);
    if (node == NONE)
        result->different += is_new(hash_of_run(share));
    else if (went_as_expected(node, share))
        add_children(result, node, share);
}

/* It takes long, and states may help; failures that are known already are to be counted as they are. */
static bool compare_from_now_on(const struct result *result)
{
    return options.mode == MODE_ALL && options.merge == MERGE_LATE && !options.race && !options.fifo &&
           !as_is.states && !wanted.states && !result->before && tree.waiting && !result->failed &&
           !result->unseen && !result->diverged && !result->outside &&
           !result->truncated && result->seconds > PLAIN_SECONDS;
}

/* A loop that waits ends where states come again, too. */
static void choose_fairness(void)
{
    if (!options.unfair_given)
        options.unfair = as_is.states ? BINE__EXPLORE_UNFAIR_MERGED : BINE__EXPLORE_UNFAIR;
}

static void begin_again(struct result *result)
{
    for (unsigned i = 0; i < LEVELS; i++) {
        free(tree.level[i].node);
        tree.level[i] = (struct level){NULL, 0, 0, 0};
    }
    tree.n = tree.waiting = 0;
    tree.lowest = 0;
    *result = (struct result){.before = result->before + result->schedules,
                              .merging = wanted.states,
                              .descriptors = result->descriptors,
                              .unseen = result->unseen,
                              .seconds = result->seconds};
    as_is = wanted;
    choose_fairness();
    target_forget_states();
    add_node(result, (struct node){.parent = NONE}, 0);
}

static bool any_busy(const struct target *target, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (target[i].busy)
            return true;
    return false;
}

void search(struct result *result)
{
    struct target target[64];
    struct path path = {calloc(BINE__EXPLORE_PICKS, sizeof *path.pick), 0};
    const double start = now();
    double shown = start;
    int status;

    if (!path.pick)
        fail(EXIT_CANNOT, "out of memory");
    as_is.states = wanted.states = result->merging = options.merge == MERGE_ALWAYS;
    choose_fairness();
    for (unsigned i = 0; i < options.jobs; i++)
        target_start(&target[i]);
    if (options.mode == MODE_ALL)
        add_node(result, (struct node){.parent = NONE}, 0);
    for (;;) {
        result->seconds = now() - start;
        result->timed_out =
            options.time > 0 && result->seconds > options.time && (tree.waiting || options.mode != MODE_ALL);
        if (compare_from_now_on(result))
            wanted.states = true;
        for (unsigned i = 0; i < options.jobs; i++)
            if (!target[i].busy && more(result))
                begin(&target[i], &path, result);
        if (!any_busy(target, options.jobs)) {
            if (!all_begins_again() || interrupted || result->timed_out)
                break;
            begin_again(result);
            continue;
        }
        struct target *done = target_wait(target, options.jobs, 0.1, &status);
        if (done)
            note(result, done, status);
        if (now() - shown > 0.1) {
            shown = now();
            progress(result, tree.waiting);
        }
    }
    progress_end();
    result->interrupted = interrupted;
    result->left = options.mode == MODE_ALL ? tree.waiting : options.runs - begun;
    result->complete = result->left == 0 && !result->full && !result->interrupted && !result->diverged;
    for (unsigned i = 0; i < result->n_findings && interrupted < 2; i++) {
        if (options.shrink)
            shrink(&target[0], &result->findings[i]);
        finding_complete(&target[0], &result->findings[i]);
    }
    for (unsigned i = 0; i < options.jobs; i++)
        target_stop(&target[i]);
    free(path.pick);
}
