/* SPDX-License-Identifier: MIT
 *
 * Deadlines, cancellation, shields.
 *
 * Scopes nest, and are level-triggered: once one has fired (its deadline passed, or somebody cancelled
 * it) every yielding call inside fails, again and again, until the scope is left.  A shield holds what
 * happens outside it off.  A scope belongs to the task that opened it and lies in that task's storage. */
#ifndef BINE_SCOPE_H
#define BINE_SCOPE_H

#include <bine/base.h>

BINE_BEGIN_DECLS

typedef struct bine_scope {
    uint64_t bine__private[16];
} bine_scope;

/* Opens a scope inside the current one.  Never switches.  timeout: from now; BINE_FOREVER: no deadline;
 * zero or negative: fires at once.  Outside a task the scope stays shut: errno EPERM, and close says so. */
BINE_EXPORT void bine_scope_open(bine_scope *, bine_ns timeout);
BINE_EXPORT void bine_scope_open_at(bine_scope *, bine_ns deadline);
/* A scope inside which outer deadlines and cancellations are not seen.  It has no deadline of its own
 * until bine_scope_extend() gives it one. */
BINE_EXPORT void bine_scope_open_shield(bine_scope *);

/* 1 if a call failed because of this scope, else 0; keeps errno then.  -1/EINVAL: not the innermost, or
 * not open; EPERM: another task's, or outside a task. */
BINE_EXPORT int bine_scope_close(bine_scope *);

/* True if and only if a call failed because of this scope.  Also after it was closed. */
BINE_EXPORT bool bine_scope_fired(const bine_scope *);

/* From any task of the loop, and from callbacks: yielding calls inside fail with ECANCELED from now on. */
BINE_EXPORT void bine_scope_cancel(bine_scope *);

/* deadline = now + timeout; may shorten.  A deadline that has already passed inside is not undone. */
BINE_EXPORT void bine_scope_extend(bine_scope *, bine_ns timeout);

/* The nearest deadline that holds here; BINE_FOREVER: none. */
BINE_EXPORT bine_ns bine_deadline(void);

/* Would the next yielding call fail, and with what: 0, ECANCELED or ETIMEDOUT.  Tells a scope's
 * ETIMEDOUT from the kernel's.  Keeps errno. */
BINE_EXPORT int bine_cancelled(void);

/* ---- Blocks: left by their end, break, continue, return or goto alike; errno is kept ---------------
 * break and continue act on the block itself, not on a loop around it. */

/* BINE_TIMEOUT(2 * BINE_SECOND) { ... } */
#define BINE_TIMEOUT(ns) BINE__SCOPE_BLOCK(bine__scope_begin, NULL, (ns))
/* BINE_SHIELD { ... }: what happens outside waits.  BINE_SHIELD_FOR: for so long at the most. */
#define BINE_SHIELD BINE__SCOPE_BLOCK(bine__scope_begin_shield, NULL, BINE_FOREVER)
#define BINE_SHIELD_FOR(ns) BINE__SCOPE_BLOCK(bine__scope_begin_shield, NULL, (ns))
/* BINE_SCOPE(&s, ns) { ... } over a scope of the caller's, to cancel it, extend it, or ask if it fired.  NULL: over
 * one of the block's own, as BINE_TIMEOUT(ns). */
#define BINE_SCOPE(scope, ns) BINE__SCOPE_BLOCK(bine__scope_begin, (scope), (ns))

/* ---- How the blocks are made; not for use --------------------------------------------------------- */

struct bine__scope_block {
    bine_scope *open; /* NULL once the block has ended */
    bine_scope own;
};

static inline bool bine__scope_begin(struct bine__scope_block *block, bine_scope *given, bine_ns timeout)
{
    block->open = given ? given : &block->own;
    bine_scope_open(block->open, timeout);
    return true;
}

BINE_EXPORT void bine__scope_open_shield(bine_scope *, bine_ns timeout);

static inline bool bine__scope_begin_shield(struct bine__scope_block *block, bine_scope *given, bine_ns timeout)
{
    block->open = given ? given : &block->own;
    bine__scope_open_shield(block->open, timeout);
    return true;
}

/* Closes; the report of a misuse (closing out of order) is the library's. */
BINE_EXPORT void bine__scope_end(bine_scope *);

static inline void bine__scope_leave(struct bine__scope_block *block)
{
    if (block->open)
        bine__scope_end(block->open);
    block->open = NULL;
}

#define BINE__SCOPE_BLOCK(begin, scope, ns) \
    BINE__SCOPE_BLOCK_(begin, scope, ns, BINE__UNIQUE(bine__scope_block_))
#define BINE__SCOPE_BLOCK_(begin, scope, ns, block)                                      \
    for (struct bine__scope_block block __attribute__((__cleanup__(bine__scope_leave))), \
         *BINE__JOIN(block, _once) __attribute__((__unused__)) = begin(&block, scope, ns) ? &block : NULL; \
         block.open; bine__scope_leave(&block))

BINE_END_DECLS
#endif
