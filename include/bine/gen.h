/* SPDX-License-Identifier: MIT
 *
 * Generators: PEP 342 and PEP 380 on a stack of their own.
 *
 * A generator's body runs as part of whoever asks it for the next value, with or without a loop.  In a
 * loop it may call anything that yields: the consumer's task is what parks, so an asynchronous generator
 * is the same thing.  It belongs to the loop (or, outside of one, the thread) that made it, and any task
 * of that may be its consumer, one at a time. */
#ifndef BINE_GEN_H
#define BINE_GEN_H

#include <bine/base.h>
#include <bine/task.h>

BINE_BEGIN_DECLS

typedef struct bine_gen bine_gen;
/* Its return value ends it: `return bine_fail(EIO);` ends it as failed. */
typedef void *bine_gen_fn(bine_gen *, void *arg);

/* Has not begun.  NULL/ENOMEM, EINVAL.  Whoever made it frees it, before the run that it was made in ends. */
BINE_EXPORT bine_gen *bine_gen_new(bine_gen_fn *, void *arg);
/* Yields if the body does.  Closes it first. */
BINE_EXPORT void bine_gen_free(bine_gen *);

/* Yield if the body does.  1: a value, in *out (may be NULL); 0: it has returned, *out is what; -1: it has
 * failed, errno says with what.  Ended already: 0 with NULL, or -1 as before.  EBUSY: it is running.
 * send: the value that bine_gen_yield() gives inside; NULL to one that has not begun (EINVAL).  throw:
 * bine_gen_yield() fails inside; one that has not begun never does. */
BINE_EXPORT int bine_gen_next(bine_gen *, void **out);
BINE_EXPORT int bine_gen_send(bine_gen *, void *in, void **out);
BINE_EXPORT int bine_gen_throw(bine_gen *, int error, void **out);
/* Yields if the body does.  Throws ECANCELED, now and at each yield to come, until it has ended.  0: it
 * has, or had; -1: it failed with another error. */
BINE_EXPORT int bine_gen_close(bine_gen *);
/* How it ended; EAGAIN: it has not. */
BINE_EXPORT int bine_gen_result(bine_gen *, bine_result *);

/* Inside: hands a value to the consumer and waits for it to come back: 0, with what it sent in *sent (may
 * be NULL); -1, with what was thrown in errno.  EPERM: called from elsewhere. */
BINE_EXPORT int bine_gen_yield(bine_gen *, void *value, void **sent);
/* Inside: hands out all that sub gives, as if it were our own, at a cost per value that does not depend on
 * the depth.  0, with what sub returned in *result (may be NULL); -1: it failed.  EBUSY: it runs, or
 * another delegates to it. */
BINE_EXPORT int bine_gen_from(bine_gen *, bine_gen *sub, void **result);

/* BINE_FOR_EACH(v, g) { use(v); }   v: a void *.  However it is left, g is closed, not freed: bine_gen_result() tells
 * how it ended. */
#define BINE_FOR_EACH(v, generator) BINE__FOR_EACH(v, generator, BINE__UNIQUE(bine__each_))

/* ---- How the loop is made; not for use --------------------------------------------------------------------- */

struct bine__each {
    bine_gen *gen;
    bool over;
};

static inline void bine__each_leave(struct bine__each *each)
{
    bine_gen_close(each->gen);
}

#define BINE__FOR_EACH(v, generator, each)                                                             \
    for (struct bine__each each __attribute__((__cleanup__(bine__each_leave))) = {(generator), false}; \
         !each.over; each.over = true)                                                                 \
        for (void *v = NULL; bine_gen_next(each.gen, &v) == 1;)

BINE_END_DECLS
#endif
