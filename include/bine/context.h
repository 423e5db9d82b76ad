/* SPDX-License-Identifier: MIT
 *
 * Context variables after PEP 567, and values that each task has for itself.
 *
 * A context is what the variables are set to.  A task begins with its parent's, in constant time; what
 * either sets afterwards the other does not see.  A generator's body runs as its consumer's task: what it
 * sets its consumer sees.  Posted tasks and callbacks see the context that the run was begun in; a thread
 * has one, too, for use outside of a run. Values are borrowed: whoever sets one keeps it alive until no
 * context can give it any more. */
#ifndef BINE_CONTEXT_H
#define BINE_CONTEXT_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

/* ---- Variables: of the whole process, set in contexts -------------------------------------------------- */

typedef struct bine_var bine_var;

/* What bine_var_reset() needs to take one bine_var_set() back; the caller's storage. */
typedef struct bine_token {
    uint64_t bine__private[4];
} bine_token;

/* From any thread.  The name (may be NULL) is copied.  NULL/EAGAIN: there are 1024 already; ENOMEM.  Meant
 * to be made once and kept; after the free no context gives the variable's values any more. */
BINE_EXPORT bine_var *bine_var_new(const char *name, void *default_value);
BINE_EXPORT void bine_var_free(bine_var *);
BINE_EXPORT const char *bine_var_name(const bine_var *); /* "" if it has none */

/* In the current context: what it is set to, else the default.  Callable from anywhere. */
BINE_EXPORT void *bine_var_get(const bine_var *);
/* token (may be NULL): for the way back.  ENOMEM; EDEADLK in a callback, which has no context of its own. */
BINE_EXPORT int bine_var_set(bine_var *, void *value, bine_token *token);
/* As it was before the set that filled in the token, also: not set.  Once for each token, in the context
 * of the set, else EINVAL. ENOMEM (the token stays good), EDEADLK. */
BINE_EXPORT int bine_var_reset(bine_var *, bine_token *);

/* ---- Contexts ------------------------------------------------------------------------------------------ */

typedef struct bine_context bine_context;

BINE_EXPORT bine_context *bine_context_new(void);  /* nothing is set in it; NULL/ENOMEM */
BINE_EXPORT bine_context *bine_context_copy(void); /* of the current one, in constant time; NULL/ENOMEM */
BINE_EXPORT int bine_context_free(bine_context *); /* EBUSY: somebody is in it */

/* Yields if fn does.  Calls fn(arg) in the calling task with this as the current context; what is set
 * stays there, for the next time.  0, with what fn returned in *result (may be NULL); EBUSY: somebody is
 * in it; EDEADLK in a callback.  A generator must not hand out values from within fn. */
BINE_EXPORT int bine_context_run(bine_context *, bine_fn *fn, void *arg, bine_result *result);

/* ---- Task locals: never inherited ---------------------------------------------------------------------- */

typedef struct bine_key bine_key;

/* From any thread.  destructor (may be NULL): gets each value that is not NULL when its task ends, in that
 * task, which may still yield; the youngest key's first.  NULL/EAGAIN: there are 1024 already; ENOMEM.
 * After the free no destructor is called. */
BINE_EXPORT bine_key *bine_key_new(void (*destructor)(void *));
BINE_EXPORT void bine_key_free(bine_key *);

/* The running task's value; NULL if it has set none, and outside of a task. */
BINE_EXPORT void *bine_local_get(const bine_key *);
/* The former value stays the caller's.  EPERM outside a loop, EDEADLK in a callback, ENOMEM. */
BINE_EXPORT int bine_local_set(bine_key *, void *value);

BINE_END_DECLS
#endif
