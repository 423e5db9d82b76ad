/* SPDX-License-Identifier: MIT
 *
 * Generators.
 *
 * A body has a stack and a machine context of its own, but no task: it runs as its consumer's.  Resuming
 * it is no switch of tasks, so it does not go through the door; if the body parks, the door saves the
 * consumer's task where it stands, which is on the generator's stack.
 *
 * Delegation.  A chain root -> ... -> leaf of generators that delegate to the next is entered at its leaf
 * and left to the root's consumer, both in one switch: `leaf` is kept in the root, `root` and `parent` in
 * the others.  When a leaf ends its parent goes on.
 *
 * A body stands suspended at its yield, a consumer at its call; neither has anything left to do when it goes
 * on but to return.  All that a switch entails is done by who leaves: he sets the state, moves the scopes,
 * hands over the value and says what the other's call is to return.  So both calls end in a jump to
 * bine__context_leap() where there is one: a return would be mispredicted each time, which costs several times
 * the rest (tests/bench: generators).
 *
 * Scopes that the body has opened are a segment of the consumer's chain: hung under its innermost scope at
 * each resume and taken off at each yield.  Off the chain a deadline still passes, but there is no task to
 * tell; it is told at the next resume. */
#include <stdlib.h>

#include "runtime/runtime.h"

#include <bine/gen.h>

enum { GEN_MAGIC = 0x67656e65, GEN_STACK = 64 << 10 };

enum gen_state { GEN_NEW, GEN_SUSPENDED, GEN_RUNNING, GEN_ENDED }; /* the middle two, of a root alone */

#if defined(BINE__CONTEXT_LEAPS) && !defined(BINE__ASAN) && !defined(BINE__TSAN)
#define LEAPS 1
#else
#define LEAPS 0
#endif
#ifndef BINE__CONTEXT_LEAPS
struct bine__leap {
    struct bine__context context;
    int said;
};
#endif

/* Where one of the two stands while the other runs. */
struct side {
    struct bine__leap leap; /* .said, by who comes back to it: what its call returns */
    int error;              /* and errno, if that is -1 and we do not leap */
    void **taker;           /* where it wants the value */
    struct bine__notes notes;
};

#define NOBODY ((struct bine_loop *)1)

/* The first two fields say at one look what most calls want to know. */
struct bine_gen {
    struct bine_loop *next_in;  /* its loop, if it stands at a yield and has nothing special about it; else NOBODY */
    struct bine_loop *yield_in; /* its loop, if its body is what runs and may hand out values; else NOBODY */
    struct side inside;         /* of a root: the body that stands at a yield, its own or its leaf's */
    struct side outside;        /* of a leaf: the consumer, while the body runs */
#ifdef BINE_CHECKED
    struct bine__stash *checked; /* src/check's own */
#endif
    struct bine_gen *leaf;   /* of a root: who is resumed; itself if it does not delegate */
    struct bine_gen *root;   /* whose consumer it yields to; itself if nobody delegates to it */
    struct bine_task *const *here;   /* who runs in its loop; outside of one, nobody */
    const struct bine_task *resumer; /* of a root: its consumer, while it runs */
    struct bine__scope *under;       /* and that one's innermost scope */
    void *unwanted;                    /* for a value that nobody asked for */
    enum gen_state state;
    uint32_t magic;
    bool closing; /* of a root: every yield in the chain fails */
    struct side delegating;  /* while another's body runs in place of its own */
    struct bine_gen *parent; /* who delegates to it, or NULL */
    bine_result result;
    bine_gen_fn *fn;
    void *arg;
    struct bine_loop *loop; /* that it belongs to, or NULL */
    struct bine__stacks *stacks;
    struct bine__stack stack;
    struct bine__scope *innermost, *outermost; /* its own scopes while it is suspended */
    struct bine__cxa *cxa_here;                /* this thread's C++ exception state; NULL without C++ */
    struct bine__cxa cxa;                      /* of the side that is not running */
};

/* Outside of a loop: the thread's stacks, and how many generators have one of them. */
struct outside {
    struct bine__stacks stacks;
    unsigned users;
    struct bine__notes notes; /* of the thread's own stack */
};
static _Thread_local struct outside thread;
static _Thread_local struct outside *outside; /* that, also where a body is a thread of its own; NULL: not used yet */
BINE__CARRIED(outside);

/* The generator whose body is entered for the first time, by the one switch that follows. */
static _Thread_local struct bine_gen *entering __attribute__((tls_model("initial-exec")));
BINE__CARRIED(entering);

static struct bine_task nobody, *const nobody_runs = &nobody; /* has no scopes, and never changes */

struct bine__cxa *__cxa_get_globals(void) __attribute__((weak));

/* ---- Switching ---------------------------------------------------------------------------------- */

static inline struct bine__notes *notes_here(const struct bine_gen *gen)
{
    return gen->loop ? &gen->loop->current->notes : &outside->notes;
}

/* Where its consumer stands.  If we leap, in the leaf, so that neither call has far to look; else in one place, for
 * not every kind of context can be copied. */
static inline struct side *outside_of(struct bine_gen *leaf)
{
    return LEAPS ? &leaf->outside : &leaf->root->outside;
}

static void leaf_is_now(struct bine_gen *root, struct bine_gen *leaf)
{
    if (LEAPS)
        leaf->outside = root->leaf->outside;
    root->leaf->yield_in = NOBODY;
    root->leaf = leaf;
    leaf->yield_in = root->closing || root->cxa_here ? NOBODY : root->loop;
}

/* C++ keeps a stack of the exceptions that are being handled: each body has its own. */
static inline void exchange_cxa(struct bine_gen *gen)
{
    if (bine__unlikely(gen->cxa_here != NULL)) {
        struct bine__cxa kept = *gen->cxa_here;
        *gen->cxa_here = gen->cxa;
        gen->cxa = kept;
    }
}

/* From one side to another under the same consumer.  While a body runs, what is noted of its stack stands in
 * its consumer, for the door. */
static inline __attribute__((always_inline)) void cross(const struct bine_gen *root, struct side *from,
                                                        struct side *to, bool dying)
{
    from->notes = *notes_here(root);
    bine__notes_leave(&from->notes, &to->notes, dying);
    bine__context_switch(&from->leap.context, &to->leap.context);
    bine__notes_enter(&from->notes);
    *notes_here(root) = from->notes;
}

/* What the call of the other side gives. */
static inline __attribute__((always_inline)) void say(struct side *to, int said, int error, void *value)
{
    to->leap.said = said;
    if (!LEAPS)
        to->error = error;
    else if (error)
        errno = error;
    *to->taker = value;
}

/* Lets the other side's call return; the result is what ours is to return. */
static inline __attribute__((always_inline)) int hand_over(const struct bine_gen *root, struct side *from,
                                                           struct side *to)
{
#if LEAPS
    (void)root;
    return bine__context_leap(&from->leap, &to->leap);
#else
    cross(root, from, to, false);
    if (from->error)
        errno = from->error;
    return from->leap.said;
#endif
}

static __attribute__((noinline)) void hang_scopes(struct bine_gen *gen, struct bine_task *task)
{
    for (struct bine__scope *scope = gen->innermost;; scope = scope->outer) {
        scope->task = task;
        if (scope == gen->outermost)
            break;
    }
    gen->outermost->outer = task->scope;
    bine__scope_attach(task, gen->innermost);
    gen->innermost = gen->outermost = NULL;
}

/* Hangs the segment under what is innermost here. */
static inline void attach_scopes(struct bine_gen *gen)
{
    struct bine_task *task = *gen->here;
    gen->resumer = task;
    gen->under = task->scope;
    if (bine__unlikely(gen->innermost != NULL))
        hang_scopes(gen, task);
}

static __attribute__((noinline)) void unhang_scopes(struct bine_gen *gen, struct bine_task *task)
{
    gen->innermost = task->scope;
    for (struct bine__scope *scope = task->scope; scope; scope = scope->outer) {
        scope->task = NULL;
        gen->outermost = scope;
        if (scope->outer == gen->under) {
            bine__scope_attach(task, gen->under);
            return;
        }
    }
    bine__fatal(task == &nobody ? NULL : task, "a generator closed a scope or group of its consumer's");
}

static inline void detach_scopes(struct bine_gen *gen)
{
    struct bine_task *task = *gen->here;
    if (bine__unlikely(task->scope != gen->under))
        unhang_scopes(gen, task);
}

static void end(struct bine_gen *gen, bine_result result)
{
    gen->state = GEN_ENDED;
    gen->result = result;
}

/* The body has ended and runs no more. */
static void release_stack(struct bine_gen *gen)
{
    if (!gen->stack.base)
        return;
    bine__notes_gone(&gen->inside.notes);
    bine__context_close(&gen->inside.leap.context);
    bine__stack_release(gen->stacks, gen->stack);
    gen->stack.base = NULL;
    if (!gen->loop && --bine__list_entry(gen->stacks, struct outside, stacks)->users == 0)
        bine__stacks_free(gen->stacks);
}

/* Where a body begins. */
static void enter(void)
{
    struct bine_gen *gen = entering;
    bine__notes_enter(&gen->inside.notes);
    *notes_here(gen) = gen->inside.notes;
    struct bine_task *task = *gen->here;
    struct bine__scope *scope = task->scope;

    void *value = gen->fn(gen, gen->arg);

    task = *gen->here;
    /* Below a parent without scopes of its own lies what the consumer has now, which may be another than
     * at first. */
    if (task->scope != gen->root->under && !(gen->parent && task->scope == scope))
        bine__fatal(task == &nobody ? NULL : task, "a generator ended inside an open scope");
    end(gen, bine__result_of(value));
    exchange_cxa(gen);
    struct bine_gen *root = gen->root, *parent = gen->parent;
    if (parent) {
        exchange_cxa(parent);
        leaf_is_now(root, parent);
        cross(root, &gen->inside, &parent->delegating, true);
    } else {
        const int error = gen->result.error;
        detach_scopes(root);
        gen->yield_in = NOBODY;
        say(outside_of(gen), error ? -1 : 0, error, gen->result.value);
        bine__check_gen_out(&root->checked);
        cross(root, &gen->inside, outside_of(gen), true);
    }
    bine__fatal(NULL, "a generator that had ended was resumed");
}

/* Lets the body run until it yields or ends, and returns what the consumer's call is to return. */
static inline __attribute__((always_inline)) int resume(struct bine_gen *root, void *in, int thrown, void **out)
{
    struct bine_gen *leaf = root->leaf;
    struct side *from = outside_of(leaf);
    attach_scopes(root);
    if (root->state == GEN_NEW)
        entering = root;
    root->state = GEN_RUNNING;
    root->next_in = NOBODY;
    leaf_is_now(root, leaf);
    from->taker = out ? out : &root->unwanted;
    say(&root->inside, thrown ? -1 : 0, thrown, in);
    exchange_cxa(leaf);
    bine__check_gen_in(&root->checked);
    return hand_over(root, from, &root->inside);
}

/* ---- Create and destroy ------------------------------------------------------------------------- */

bine_gen *bine_gen_new(bine_gen_fn *fn, void *arg)
{
    if (!fn) {
        errno = EINVAL;
        return NULL;
    }
    struct bine_gen *gen = calloc(1, sizeof *gen);
    if (!gen)
        return NULL;
    gen->loop = bine__loop;
    if (!gen->loop && !outside)
        outside = &thread;
    gen->stacks = gen->loop ? &gen->loop->stacks : &outside->stacks;
    int class = gen->loop ? gen->loop->default_class : bine__stack_class_of(GEN_STACK);
    if (bine__stack_take(gen->stacks, class, &gen->stack) != 0) {
        free(gen);
        return NULL;
    }
    bine__check_stack(gen->stack.base, bine__stack_span(gen->stack));
    struct bine_task *none = bine__task_of(gen->stack); /* who looks for tasks in the stacks finds none here */
    none->magic = 0;
    char *top = (char *)none;
    bine__notes_made(&gen->inside.notes, gen->stack.base, (size_t)(top - gen->stack.base));
    if (bine__context_open(&gen->inside.leap.context, gen->stack.base, top, enter) != 0) {
        bine__notes_gone(&gen->inside.notes);
        bine__stack_release(gen->stacks, gen->stack);
        free(gen);
        return NULL;
    }
    if (!gen->loop && outside->users++ == 0)
        bine__notes_thread(&outside->notes);
    gen->inside.taker = &gen->unwanted;
    gen->cxa_here = !BINE__CONTEXT_THREADS && __cxa_get_globals ? __cxa_get_globals() : NULL;
    gen->leaf = gen->root = gen;
    gen->here = gen->loop ? &gen->loop->current : &nobody_runs;
    gen->next_in = gen->yield_in = NOBODY;
    gen->state = GEN_NEW;
    gen->magic = GEN_MAGIC;
    gen->fn = fn;
    gen->arg = arg;
    return gen;
}

/* A generator that may be asked for something now. */
static inline int ready(const struct bine_gen *gen)
{
    if (!gen || gen->magic != GEN_MAGIC)
        return bine__error(EINVAL);
    if (gen->loop != bine__loop)
        return bine__error(EPERM);
    if (gen->state == GEN_RUNNING || gen->parent)
        return bine__error(EBUSY);
    return 0;
}

void bine_gen_free(bine_gen *gen)
{
    if (!gen)
        return;
    (void)bine_gen_close(gen); /* fails with whatever the body failed with, too */
    if (gen->state != GEN_ENDED) {
        const bool here = gen->loop == bine__loop;
        bine__report(BINE_REPORT_MISUSE, bine_self(), here ? EBUSY : EPERM, "a generator was freed %s",
                     here ? "while it runs" : "where it does not belong");
        return;
    }
    release_stack(gen);
    bine__check_gen_gone(&gen->checked);
    gen->magic = 0;
    free(gen);
}

/* ---- The consumer's side ------------------------------------------------------------------------ */

/* What a call says of one that had ended before. */
static int ended(struct bine_gen *gen, void **out)
{
    release_stack(gen);
    if (out)
        *out = NULL;
    return gen->result.error ? bine__error(gen->result.error) : 0;
}

static __attribute__((noinline)) int next_slowly(bine_gen *gen, void **out)
{
    if (ready(gen) != 0)
        return -1;
    return gen->state == GEN_ENDED ? ended(gen, out) : resume(gen, NULL, 0, out);
}

int bine_gen_next(bine_gen *gen, void **out)
{
    if (bine__unlikely(!gen || gen->next_in != bine__loop))
        return next_slowly(gen, out);
    struct bine_gen *leaf = gen->leaf;
    const struct bine_task *task = *gen->here;
    struct side *from = outside_of(leaf);
    gen->resumer = task;
    gen->under = task->scope;
    gen->state = GEN_RUNNING;
    leaf->yield_in = gen->next_in;
    gen->next_in = NOBODY;
    from->taker = out ? out : &gen->unwanted;
    say(&gen->inside, 0, 0, NULL);
    bine__check_gen_in(&gen->checked);
    return hand_over(gen, from, &gen->inside);
}

int bine_gen_send(bine_gen *gen, void *in, void **out)
{
    if (ready(gen) != 0)
        return -1;
    if (gen->state == GEN_NEW && in)
        return bine__error(EINVAL);
    if (gen->state == GEN_ENDED)
        return ended(gen, out);
    return resume(gen, in, 0, out);
}

/* One that has not begun never does. */
static void end_unbegun(struct bine_gen *gen, int error)
{
    end(gen, (bine_result){NULL, error});
    release_stack(gen);
}

int bine_gen_throw(bine_gen *gen, int error, void **out)
{
    if (ready(gen) != 0)
        return -1;
    if (error <= 0)
        return bine__error(EINVAL);
    if (gen->state == GEN_NEW)
        end_unbegun(gen, error);
    if (gen->state == GEN_ENDED)
        return ended(gen, out);
    return resume(gen, NULL, error, out);
}

int bine_gen_close(bine_gen *gen)
{
    if (ready(gen) != 0)
        return -1;
    if (gen->state == GEN_ENDED) {
        release_stack(gen);
        return 0;
    }
    if (gen->state == GEN_NEW) {
        end_unbegun(gen, 0);
        return 0;
    }
    gen->closing = true;
    (void)resume(gen, NULL, ECANCELED, NULL); /* to its end: no yield in it switches any more */
    release_stack(gen);
    int error = gen->result.error;
    return error && error != ECANCELED ? bine__error(error) : 0;
}

int bine_gen_result(bine_gen *gen, bine_result *result)
{
    if (!gen || gen->magic != GEN_MAGIC || !result)
        return bine__error(EINVAL);
    if (gen->state != GEN_ENDED)
        return bine__error(EAGAIN);
    *result = gen->result;
    return 0;
}

/* ---- The body's side ----------------------------------------------------------------------------- */

/* Is it the body that runs? */
static inline int inside(const struct bine_gen *gen)
{
    if (!gen || gen->magic != GEN_MAGIC)
        return bine__error(EINVAL);
    const struct bine_gen *root = gen->root;
    if (gen->loop != bine__loop || root->state != GEN_RUNNING || root->leaf != gen || root->resumer != *gen->here)
        return bine__error(EPERM);
    return 0;
}

static __attribute__((noinline)) int yield_slowly(bine_gen *gen, void *value, void **sent)
{
    if (inside(gen) != 0)
        return -1;
    struct bine_gen *root = gen->root;
    if (root->closing)
        return bine__error(ECANCELED);
    detach_scopes(root);
    if (!root->innermost && !root->cxa_here)
        root->next_in = root->loop;
    gen->yield_in = NOBODY;
    root->state = GEN_SUSPENDED;
    root->inside.taker = sent ? sent : &gen->unwanted;
    say(outside_of(gen), 1, 0, value);
    exchange_cxa(gen);
    bine__check_gen_out(&root->checked);
    return hand_over(root, &root->inside, outside_of(gen));
}

int bine_gen_yield(bine_gen *gen, void *value, void **sent)
{
    if (bine__unlikely(!gen || gen->yield_in != bine__loop))
        return yield_slowly(gen, value, sent);
    struct bine_gen *root = gen->root;
    const struct bine_task *task = *gen->here;
    if (bine__unlikely(task->scope != root->under || task != root->resumer))
        return yield_slowly(gen, value, sent);
    root->next_in = gen->yield_in;
    gen->yield_in = NOBODY;
    root->state = GEN_SUSPENDED;
    root->inside.taker = sent ? sent : &gen->unwanted;
    say(outside_of(gen), 1, 0, value);
    bine__check_gen_out(&root->checked);
    return hand_over(root, &root->inside, outside_of(gen));
}

int bine_gen_from(bine_gen *gen, bine_gen *sub, void **result)
{
    if (inside(gen) != 0 || ready(sub) != 0)
        return -1;
    struct bine_gen *root = gen->root;
    if (sub->state != GEN_ENDED) {
        for (struct bine_gen *each = sub->leaf;; each = each->parent) { /* sub may have delegated already */
            each->root = root;
            if (each == sub)
                break;
        }
        struct bine_gen *leaf = sub->leaf;
        sub->parent = gen;
        sub->next_in = NOBODY;
        attach_scopes(sub);
        if (sub->state == GEN_NEW)
            entering = sub;
        sub->state = GEN_RUNNING;
        leaf_is_now(root, leaf);
        say(&sub->inside, 0, 0, NULL);
        exchange_cxa(gen);
        exchange_cxa(leaf);
        bine__check_gen_in(&sub->checked);
        cross(root, &gen->delegating, &sub->inside, false);
        /* Only sub's end leads here. */
        sub->parent = NULL;
        sub->root = sub->leaf = sub;
        release_stack(sub);
    }
    if (result)
        *result = sub->result.value;
    return sub->result.error ? bine__error(sub->result.error) : 0;
}
