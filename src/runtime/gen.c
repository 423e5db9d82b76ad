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
 * Scopes that the body has opened are a segment of the consumer's chain: hung under its innermost scope at
 * each resume and taken off at each yield.  Off the chain a deadline still passes, but there is no task to
 * tell; it is told at the next resume. */
#include <stdlib.h>

#include "runtime/runtime.h"

#include <bine/gen.h>

enum { GEN_MAGIC = 0x67656e65, GEN_STACK = 64 << 10 };

enum gen_state { GEN_NEW, GEN_SUSPENDED, GEN_RUNNING, GEN_DELEGATING, GEN_ENDED };

struct bine_gen {
    struct bine__context inside, outside;
    struct bine_gen *leaf;   /* of a root: who is resumed; itself if it does not delegate */
    struct bine_gen *root;   /* whose consumer it yields to; itself if nobody delegates to it */
    struct bine_gen *parent; /* who delegates to it, or NULL */
    enum gen_state state;
    uint32_t magic;
    int thrown;   /* to be raised at the yield it stands at */
    bool closing; /* of a root: every yield in the chain fails */
    void *passing; /* the value that is handed over, either way */
    bine_result result;
    bine_gen_fn *fn;
    void *arg;
    struct bine_loop *loop; /* that it belongs to, or NULL */
    struct bine__stacks *stacks;
    struct bine__stack stack;
    struct bine__scope *innermost, *outermost; /* its own scopes while it is suspended */
    struct bine__scope *under;                 /* the consumer's innermost scope, while it runs */
    struct bine__notes inside_notes, outside_notes;
    struct bine__cxa cxa; /* of the side that is not running */
};

/* Outside of a loop: the thread's stacks, and how many generators have one of them. */
static _Thread_local struct {
    struct bine__stacks stacks;
    unsigned users;
    struct bine__notes notes; /* of the thread's own stack */
} thread;

/* The generator whose body is entered for the first time, by the one switch that follows. */
static _Thread_local struct bine_gen *entering;

struct bine__cxa *__cxa_get_globals(void) __attribute__((weak));

/* ---- Switching ---------------------------------------------------------------------------------- */

static struct bine_task *consumer(const struct bine_gen *gen)
{
    return gen->loop ? gen->loop->current : NULL; /* on the loop's own stack: its root, which has no scopes */
}

static inline struct bine__notes *notes_here(const struct bine_gen *gen)
{
    return gen->loop ? &gen->loop->current->notes : &thread.notes;
}

/* C++ keeps a stack of the exceptions that are being handled: each body has its own. */
static inline void exchange_cxa(struct bine_gen *gen)
{
    if (bine__unlikely(__cxa_get_globals != NULL)) {
        struct bine__cxa *now = __cxa_get_globals(), kept = *now;
        *now = gen->cxa;
        gen->cxa = kept;
    }
}

/* From one context to another under the same consumer.  While a body runs, what is noted of its stack
 * stands in its consumer, for the door. */
static inline __attribute__((always_inline)) void cross(const struct bine_gen *root, struct bine__context *from,
                                                        struct bine__notes *from_notes, struct bine__context *to,
                                                        struct bine__notes *to_notes, bool dying)
{
    *from_notes = *notes_here(root);
    bine__notes_leave(from_notes, to_notes, dying);
    bine__context_switch(from, to);
    bine__notes_enter(from_notes);
}

/* Hangs the segment under what is innermost here. */
static void attach_scopes(struct bine_gen *gen)
{
    struct bine_task *task = consumer(gen);
    gen->under = task ? task->scope : NULL;
    if (bine__likely(!gen->innermost))
        return;
    for (struct bine__scope *scope = gen->innermost;; scope = scope->outer) {
        scope->task = task;
        if (scope == gen->outermost)
            break;
    }
    gen->outermost->outer = task->scope;
    bine__scope_attach(task, gen->innermost);
    gen->innermost = gen->outermost = NULL;
}

static void detach_scopes(struct bine_gen *gen)
{
    struct bine_task *task = consumer(gen);
    if (bine__likely(!task || task->scope == gen->under))
        return;
    gen->innermost = task->scope;
    for (struct bine__scope *scope = task->scope;; scope = scope->outer) {
        scope->task = NULL;
        if (scope->outer == gen->under) {
            gen->outermost = scope;
            break;
        }
    }
    bine__scope_attach(task, gen->under);
}

static void release_stack(struct bine_gen *gen)
{
    bine__notes_gone(&gen->inside_notes);
    bine__stack_release(gen->stacks, gen->stack);
    gen->stack.base = NULL;
    if (!gen->loop && --thread.users == 0)
        bine__stacks_free(&thread.stacks);
}

static void end(struct bine_gen *gen, bine_result result)
{
    gen->state = GEN_ENDED;
    gen->result = result;
}

/* Where a body begins. */
static void enter(void)
{
    struct bine_gen *gen = entering;
    bine__notes_enter(&gen->inside_notes);
    *notes_here(gen) = gen->inside_notes;
    struct bine_task *task = consumer(gen);
    struct bine__scope *scope = task ? task->scope : NULL;

    void *value = gen->fn(gen, gen->arg);

    task = consumer(gen);
    /* Below a parent without scopes of its own lies what the consumer has now, which may be another than
     * at first. */
    if (task && task->scope != gen->root->under && !(gen->parent && task->scope == scope))
        bine__fatal(task, "a generator ended inside an open scope");
    end(gen, bine__result_of(value));
    exchange_cxa(gen);
    struct bine_gen *root = gen->root, *parent = gen->parent;
    if (parent) {
        exchange_cxa(parent);
        root->leaf = parent;
        cross(root, &gen->inside, &gen->inside_notes, &parent->inside, &parent->inside_notes, true);
    } else {
        cross(root, &gen->inside, &gen->inside_notes, &root->outside, &root->outside_notes, true);
    }
    bine__fatal(task, "a generator that had ended was resumed");
}

static void prepare(struct bine_gen *gen)
{
    if (gen->state == GEN_NEW)
        entering = gen;
    gen->state = GEN_RUNNING;
}

/* Lets the body run until it yields or ends.  Inlined, with what is between it and the public calls: each
 * return that follows a switch is one that the processor predicts wrongly. */
static inline __attribute__((always_inline)) void resume(struct bine_gen *root)
{
    struct bine_gen *leaf = root->leaf;
    attach_scopes(root);
    prepare(leaf);
    root->state = GEN_RUNNING;
    exchange_cxa(leaf);
    cross(root, &root->outside, &root->outside_notes, &leaf->inside, &leaf->inside_notes, false);
    *notes_here(root) = root->outside_notes;
    detach_scopes(root);
    if (root->state == GEN_ENDED)
        release_stack(root);
    else
        root->state = GEN_SUSPENDED;
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
    gen->stacks = gen->loop ? &gen->loop->stacks : &thread.stacks;
    int class = gen->loop ? gen->loop->default_class : bine__stack_class_of(GEN_STACK);
    if (bine__stack_take(gen->stacks, class, &gen->stack) != 0) {
        free(gen);
        return NULL;
    }
    if (!gen->loop) {
        if (thread.users++ == 0)
            bine__notes_thread(&thread.notes);
    }
    struct bine_task *nobody = bine__task_of(gen->stack); /* who looks for tasks in the stacks finds none here */
    nobody->magic = 0;
    char *top = (char *)nobody;
    bine__notes_made(&gen->inside_notes, gen->stack.base, (size_t)(top - gen->stack.base));
    bine__context_make(&gen->inside, top, enter);
    gen->leaf = gen->root = gen;
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
    if (gen->loop == bine__loop && bine_gen_close(gen) != 0 && errno == EBUSY) {
        bine__report(BINE_REPORT_MISUSE, bine_self(), EBUSY, "a generator was freed while it runs");
        return;
    }
    gen->magic = 0;
    free(gen);
}

/* ---- The consumer's side ------------------------------------------------------------------------ */

/* What the consumer is told after a resume: see bine_gen_next(). */
static inline int outcome(struct bine_gen *gen, void **out)
{
    void *value = NULL;
    int said = 1;
    if (gen->state != GEN_ENDED) {
        value = gen->passing;
    } else {
        value = gen->result.value;
        said = gen->result.error ? bine__error(gen->result.error) : 0;
    }
    if (out)
        *out = value;
    return said;
}

static inline __attribute__((always_inline)) int proceed(struct bine_gen *gen, void *in, int thrown, void **out)
{
    if (gen->state == GEN_ENDED) {
        if (out)
            *out = NULL;
        return gen->result.error ? bine__error(gen->result.error) : 0;
    }
    gen->passing = in;
    gen->leaf->thrown = thrown;
    resume(gen);
    return outcome(gen, out);
}

int bine_gen_next(bine_gen *gen, void **out)
{
    return ready(gen) != 0 ? -1 : proceed(gen, NULL, 0, out);
}

int bine_gen_send(bine_gen *gen, void *in, void **out)
{
    if (ready(gen) != 0)
        return -1;
    if (gen->state == GEN_NEW && in)
        return bine__error(EINVAL);
    return proceed(gen, in, 0, out);
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
    return proceed(gen, NULL, error, out);
}

int bine_gen_close(bine_gen *gen)
{
    if (ready(gen) != 0)
        return -1;
    if (gen->state == GEN_ENDED)
        return 0;
    if (gen->state == GEN_NEW) {
        end_unbegun(gen, 0);
        return 0;
    }
    gen->closing = true;
    gen->leaf->thrown = ECANCELED;
    resume(gen); /* to its end: no yield in it switches any more */
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
    if (gen->loop != bine__loop || gen->state != GEN_RUNNING || gen->root->leaf != gen)
        return bine__error(EPERM);
    return 0;
}

/* What was thrown, or sent, to the yield that was stood at. */
static inline int received(struct bine_gen *gen, void **sent)
{
    int thrown = gen->thrown;
    gen->thrown = 0;
    if (sent)
        *sent = thrown ? NULL : gen->root->passing;
    return thrown ? bine__error(thrown) : 0;
}

int bine_gen_yield(bine_gen *gen, void *value, void **sent)
{
    if (inside(gen) != 0)
        return -1;
    struct bine_gen *root = gen->root;
    if (root->closing)
        return bine__error(ECANCELED);
    root->passing = value;
    gen->state = GEN_SUSPENDED;
    exchange_cxa(gen);
    cross(root, &gen->inside, &gen->inside_notes, &root->outside, &root->outside_notes, false);
    *notes_here(gen) = gen->inside_notes;
    return received(gen, sent);
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
        root->leaf = leaf;
        root->passing = NULL;
        attach_scopes(sub);
        prepare(leaf);
        sub->state = GEN_RUNNING;
        gen->state = GEN_DELEGATING;
        exchange_cxa(gen);
        exchange_cxa(leaf);
        cross(root, &gen->inside, &gen->inside_notes, &leaf->inside, &leaf->inside_notes, false);
        /* Only sub's end leads here. */
        *notes_here(gen) = gen->inside_notes;
        gen->state = GEN_RUNNING;
        sub->parent = NULL;
        sub->root = sub->leaf = sub;
        release_stack(sub);
    }
    if (result)
        *result = sub->result.value;
    return sub->result.error ? bine__error(sub->result.error) : 0;
}
