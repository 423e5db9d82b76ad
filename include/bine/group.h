/* SPDX-License-Identifier: MIT
 *
 * Structured concurrency: no child outlives its block, however the block is left (trio's nursery,
 * asyncio's TaskGroup).
 *
 * A group is a scope too: cancelling it cancels its children and the yielding calls of its body.  What a
 * child points to is declared before the group, or copied: the block's own locals are dead while it waits
 * for the children. */
#ifndef BINE_GROUP_H
#define BINE_GROUP_H

#include <bine/base.h>
#include <bine/scope.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

typedef struct bine_group {
    uint64_t bine__private[40];
} bine_group;

enum {
    BINE_GROUP_ALL = 0,    /* the first failure cancels the rest */
    BINE_GROUP_ANY = 1,    /* the first success cancels the rest */
    BINE_GROUP_COLLECT = 2 /* neither: each goes on to its end */
};

/* Never switches.  Ends with bine_group_wait(). */
BINE_EXPORT void bine_group_open(bine_group *, unsigned flags);

/* As bine_spawn() and its kin.  The handle is borrowed: for names and bine_cancel(), until the child ends;
 * not to be joined, stopped or detached (EINVAL).  NULL/EPERM: the group is not open here. */
#define bine_group_spawn(group, fn, arg) bine_group_spawn_at((group), (fn), (arg), BINE__SITE)
#define bine_group_spawn_copy(group, fn, arg, size) bine_group_spawn_copy_at((group), (fn), (arg), (size), BINE__SITE)
#define bine_group_spawn_with(group, attr, fn, arg) \
    bine_group_spawn_with_at((group), (attr), sizeof(bine_attr), (fn), (arg), BINE__SITE)
BINE_EXPORT bine_task *bine_group_spawn_at(bine_group *, bine_fn *, void *arg, const char *site);
BINE_EXPORT bine_task *bine_group_spawn_copy_at(bine_group *, bine_fn *, const void *arg, size_t, const char *site);
BINE_EXPORT bine_task *bine_group_spawn_with_at(bine_group *, const bine_attr *, size_t, bine_fn *, void *arg,
                                                const char *site);

/* Yields until fewer than limit children run: then there is room for another (aiojobs). */
BINE_EXPORT int bine_group_admit(bine_group *, unsigned limit);

/* Yields until every child has ended, always, and closes the group.  0; or -1 with errno: the first
 * child's failure, else the reason that came from outside.  *first (may be NULL): of the failure, or with
 * ANY of the first success.  With ANY, -1 only if no child succeeded.  Only the task that opened the group
 * may wait (EPERM), once (EINVAL). */
BINE_EXPORT int bine_group_wait(bine_group *, bine_result *first);

/* From any task of the loop: cancels the children and the body.  The group then ends with ECANCELED unless
 * a child had failed. */
BINE_EXPORT void bine_group_cancel(bine_group *);
BINE_EXPORT unsigned bine_group_running(const bine_group *); /* children that have not ended */

/* Yield until all have ended.  Calls fn[i](arg[i]), each in a task of its own, and gives the result of
 * each in out[i]; arg may be NULL.  0, or -1 with the first failure's errno, or the reason from outside:
 * then all are cancelled and awaited. */
BINE_EXPORT int bine_gather(size_t n, bine_fn *const fn[], void *const arg[], bine_result out[]);
/* The same function for all, at most limit at once (0: no limit). */
BINE_EXPORT int bine_map(size_t n, bine_fn *fn, void *const arg[], unsigned limit, bine_result out[]);

/* BINE_GROUP(g, BINE_GROUP_ALL) { bine_group_spawn(&g, a, x); ... } Left by its end or continue: waits.
 * By break, return or goto: cancels, then waits.  A failure that nobody could see goes to the report hook:
 * to see it, open and wait by hand. */
#define BINE_GROUP(group, flags) BINE__GROUP_BLOCK(group, (flags), BINE__UNIQUE(bine__group_block_))

/* ---- How the block is made; not for use -------------------------------------------------------------------- */

BINE_EXPORT bine_group *bine__group_begin(bine_group *, unsigned flags); /* opens; its argument */
BINE_EXPORT bine_group *bine__group_end(bine_group *);                   /* waits; NULL */
BINE_EXPORT void bine__group_leave(bine_group *);                        /* if still open: cancels, then waits */

#define BINE__GROUP_BLOCK(group, flags, block)                                       \
    for (bine_group group __attribute__((__cleanup__(bine__group_leave))),           \
         *block = bine__group_begin(&group, flags);                                  \
         block; block = bine__group_end(&group))

BINE_END_DECLS
#endif
