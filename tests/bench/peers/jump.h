/* SPDX-License-Identifier: MIT
 *
 * bine's context contract over Boost.Context's jump_fcontext(), with as little around it as can be: what
 * the one who is resumed must store, and no more.  Links libboost_context.a. */
#ifndef BINE_BENCH_JUMP_H
#define BINE_BENCH_JUMP_H

#include <stddef.h>

struct transfer {
    void *suspended;
    void *word;
};
struct transfer jump_fcontext(void *to, void *word);
void *make_fcontext(void *top, size_t size, void (*entry)(struct transfer));

struct bine__context {
    void *suspended;
};

static void (*jump_entry)(void); /* of the context that is started next */

static void jump_begin(struct transfer transfer)
{
    *(void **)transfer.word = transfer.suspended;
    jump_entry();
}

static inline void bine__context_make(struct bine__context *context, void *top, void (*entry)(void))
{
    jump_entry = entry;
    context->suspended = make_fcontext(top, 4096, jump_begin);
}

static inline __attribute__((always_inline)) void bine__context_switch(struct bine__context *from,
                                                                       struct bine__context *to)
{
    struct transfer transfer = jump_fcontext(to->suspended, &from->suspended);
    *(void **)transfer.word = transfer.suspended;
}

#endif
