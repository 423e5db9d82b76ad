/* SPDX-License-Identifier: MIT
 *
 * The same contract over Boost.Context's assembly functions, for every CPU that it supports.  Links the
 * packaged archive libboost_context.a, of which only the assembly is drawn in; no C++. */
#ifndef BINE_ARCH_FCONTEXT_H
#define BINE_ARCH_FCONTEXT_H

#include <stddef.h>

struct bine__landing { /* what a jump hands to where it lands: who jumped, suspended, and its word */
    void *suspended;
    void *word;
};
struct bine__landing jump_fcontext(void *to, void *word);
void *make_fcontext(void *top, size_t size, void (*entry)(struct bine__landing));

struct bine__context {
    void *suspended;
    void (*entry)(void);
};

/* Who is resumed stores where the one before it is suspended: only the jump itself knows. */
static inline void bine__context_landed(struct bine__landing transfer)
{
    ((struct bine__context **)transfer.word)[0]->suspended = transfer.suspended;
}

static inline void bine__context_begin(struct bine__landing transfer)
{
    struct bine__context *to = ((struct bine__context **)transfer.word)[1];
    bine__context_landed(transfer);
    to->entry();
}

static inline void bine__context_make(struct bine__context *context, void *top, void (*entry)(void))
{
    context->entry = entry;
    /* The size is only said, never used, by the assembly. */
    context->suspended = make_fcontext(top, 4096, bine__context_begin);
}

static inline struct bine__context *bine__context_switch(struct bine__context *from, struct bine__context *to)
{
    struct bine__context *both[2] = {from, to}; /* read on the other stack, while this frame still stands */
    bine__context_landed(jump_fcontext(to->suspended, both));
    return from;
}

/* Near where a suspended context goes on in its stack: only to be prefetched. */
static inline const char *bine__context_sp(const struct bine__context *context)
{
    return context->suspended;
}

#endif
