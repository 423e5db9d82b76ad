/* SPDX-License-Identifier: MIT
 *
 * Context variables.
 *
 * The values of a context are an array, indexed by the variables' slots, that is counted and copied on
 * write: to inherit is to take a reference, to get is to look into the array, to set copies it only if
 * somebody else has it too.  An array that has two references is never written; one that has a single one
 * belongs to who holds that.  Counts are atomic because a context may be handed to another thread.
 *
 * Who holds one: a task (BINE__TASK_VALUES says so), a loop for its callbacks and posted tasks (its root),
 * a thread, and a context that nobody is in.  While somebody is in a context, the holder has its array,
 * and the frame of bine_context_run() keeps the holder's own: so the current array is always in the same
 * place.
 *
 * A context has an identity besides, for tokens: the task's id, or a number from another range. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <bine/context.h>

#include "runtime/runtime.h"
#include "runtime/slot.h"

enum { VAR_MAGIC = 0x76617262, CONTEXT_MAGIC = 0x63747874, FIRST_SIZE = 4 };

struct bine_var {
    uint64_t serial;
    void *initial;
    uint32_t slot;
    uint32_t magic;
    char name[];
};

struct value {
    uint64_t serial; /* of the variable that is set; 0: none is */
    void *value;
};

struct bine__values {
    _Atomic uint32_t references;
    uint32_t size;
    struct value value[];
};

struct bine_context {
    struct bine__values *values; /* while nobody is in it; NULL: none is set */
    uint64_t id;
    _Atomic bool entered;
    uint32_t magic;
};

struct bine__frame { /* on the stack of bine_context_run() */
    bine_context *context;
    struct bine__values *outside; /* the holder's, meanwhile */
    struct bine__frame *outer;
};

struct token { /* what a public bine_token holds */
    uint64_t serial; /* of the variable; 0: it has been used */
    uint64_t context;
    void *former;
    uint64_t was_set;
} __attribute__((may_alias));
_Static_assert(sizeof(struct token) <= sizeof(bine_token), "bine_token has room");

static struct bine__slots vars;

/* Ids of contexts that are no task's: tasks' are counted from below. */
static _Atomic uint64_t last_context = (uint64_t)1 << 63;

static uint64_t new_id(void)
{
    return atomic_fetch_add_explicit(&last_context, 1, memory_order_relaxed) + 1; /* uniqueness alone */
}

/* ---- Arrays of values ----------------------------------------------------------------------------- */

static struct bine__values *reference(struct bine__values *values)
{
    if (values)
        atomic_fetch_add_explicit(&values->references, 1, memory_order_relaxed); /* its holder has one */
    return values;
}

static void release(struct bine__values *values)
{
    /* Release: what was read from it has been read; acquire: before it is freed. */
    if (values && atomic_fetch_sub_explicit(&values->references, 1, memory_order_acq_rel) == 1)
        free(values);
}

/* Makes an array that only this holder has, with room for the slot.  0, or -1/ENOMEM and nothing has
 * changed. */
static int make_own(struct bine__values **holder, uint32_t slot)
{
    struct bine__values *shared = *holder;
    uint32_t old = shared ? shared->size : 0, size = old ? old : FIRST_SIZE;
    /* Acquire: pairs with release() in other threads, which have read it. */
    if (shared && slot < old && atomic_load_explicit(&shared->references, memory_order_acquire) == 1)
        return 0;
    while (size <= slot)
        size *= 2;
    struct bine__values *own = malloc(sizeof *own + size * sizeof own->value[0]);
    if (!own)
        return -1;
    atomic_init(&own->references, 1);
    own->size = size;
    if (old)
        memcpy(own->value, shared->value, old * sizeof own->value[0]);
    memset(own->value + old, 0, (size - old) * sizeof own->value[0]);
    release(shared);
    *holder = own;
    return 0;
}

static const struct value *find(const struct bine__values *values, const struct bine_var *var)
{
    return values && var->slot < values->size && values->value[var->slot].serial == var->serial
               ? &values->value[var->slot]
               : NULL;
}

/* ---- Who holds the current one ---------------------------------------------------------------------- */

/* Outside of a run. */
static _Thread_local struct {
    struct bine__values *values;
    struct bine__frame *frame;
    uint64_t id;
} thread;
BINE__CARRIED(thread);

static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

static void end_thread(void *arg)
{
    (void)arg;
    release(thread.values);
    thread.values = NULL;
    thread.id = 0; /* what is set from now on asks for another end */
}

static void make_key(void)
{
    key_error = pthread_key_create(&at_thread_end, end_thread);
}

static const struct bine__values *current_values(void)
{
    const struct bine_loop *loop = bine__loop;
    if (bine__unlikely(!loop))
        return thread.values;
    return loop->current->flags & BINE__TASK_VALUES ? loop->current->values : NULL;
}

struct here {
    struct bine__values **values;
    struct bine__frame **frame; /* of the innermost bine_context_run(), or NULL */
    uint64_t id;                /* of the current context */
};

static int find_thread(struct here *here)
{
    if (!thread.id) {
        pthread_once(&once, make_key);
        int error = key_error ? key_error : pthread_setspecific(at_thread_end, &thread);
        if (error)
            return bine__error(error);
        thread.id = new_id();
    }
    *here = (struct here){&thread.values, &thread.frame, thread.id};
    return 0;
}

/* The holder that may be changed here; -1: EDEADLK in a callback, ENOMEM. */
static int find_here(struct here *here)
{
    struct bine_loop *loop = bine__loop;
    if (!loop) {
        if (find_thread(here) != 0)
            return -1;
    } else {
        struct bine_task *self = bine__current();
        if (!self)
            return -1;
        if (!(self->flags & BINE__TASK_VALUES)) {
            self->values = NULL;
            self->frame = NULL;
            self->flags |= BINE__TASK_VALUES;
        } else if (!(self->flags & BINE__TASK_ENTERED)) {
            self->frame = NULL; /* not set when it inherited */
        }
        *here = (struct here){&self->values, &self->frame, self->id};
    }
    if (*here->frame)
        here->id = (*here->frame)->context->id;
    return 0;
}

void bine__values_inherit(struct bine_task *child, struct bine_task *parent)
{
    child->values = reference(parent->values);
    child->flags |= BINE__TASK_VALUES;
}

void bine__values_drop(struct bine_task *task)
{
    if (task->flags & BINE__TASK_ENTERED)
        bine__fatal(task, "ended inside bine_context_run()");
    release(task->values);
    task->flags &= (uint16_t)~BINE__TASK_VALUES;
}

void bine__values_open(struct bine_loop *loop)
{
    if (!thread.values)
        return;
    loop->root.values = reference(thread.values);
    loop->root.flags |= BINE__TASK_VALUES;
}

/* ---- Variables ----------------------------------------------------------------------------------- */

bine_var *bine_var_new(const char *name, void *default_value)
{
    size_t length = name ? strlen(name) : 0;
    struct bine_var *var = malloc(sizeof *var + length + 1);
    if (!var)
        return NULL;
    int slot = bine__slot_take(&vars, &var->serial);
    if (slot < 0) {
        free(var);
        errno = EAGAIN;
        return NULL;
    }
    var->slot = (uint32_t)slot;
    var->initial = default_value;
    var->magic = VAR_MAGIC;
    if (length)
        memcpy(var->name, name, length);
    var->name[length] = '\0';
    return var;
}

void bine_var_free(bine_var *var)
{
    if (!var)
        return;
    bine__assert(var->magic == VAR_MAGIC);
    var->magic = 0;
    bine__slot_release(&vars, var->slot);
    free(var);
}

static int check_var(const bine_var *var)
{
    return bine__likely(var && var->magic == VAR_MAGIC) ? 0 : bine__error(EINVAL);
}

const char *bine_var_name(const bine_var *var)
{
    return check_var(var) == 0 ? var->name : NULL;
}

void *bine_var_get(const bine_var *var)
{
    if (check_var(var) != 0)
        return NULL;
    const struct value *set = find(current_values(), var);
    return set ? set->value : var->initial;
}

int bine_var_set(bine_var *var, void *value, bine_token *public)
{
    struct here here;
    if (check_var(var) != 0 || find_here(&here) != 0 || make_own(here.values, var->slot) != 0)
        return -1;
    struct value *place = &(*here.values)->value[var->slot];
    bool was_set = place->serial == var->serial;
    if (public) {
        struct token *token = (struct token *)public;
        *token = (struct token){var->serial, here.id, was_set ? place->value : NULL, was_set};
    }
    *place = (struct value){var->serial, value};
    return 0;
}

int bine_var_reset(bine_var *var, bine_token *public)
{
    struct token *token = (struct token *)public;
    struct here here;
    if (check_var(var) != 0)
        return -1;
    if (!token || token->serial != var->serial)
        return bine__error(EINVAL);
    if (find_here(&here) != 0)
        return -1;
    if (token->context != here.id)
        return bine__error(EINVAL);
    if (make_own(here.values, var->slot) != 0)
        return -1;
    (*here.values)->value[var->slot] = (struct value){token->was_set ? var->serial : 0, token->former};
    token->serial = 0;
    return 0;
}

/* ---- Contexts ------------------------------------------------------------------------------------ */

bine_context *bine_context_new(void)
{
    bine_context *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    context->id = new_id();
    context->magic = CONTEXT_MAGIC;
    return context;
}

bine_context *bine_context_copy(void)
{
    bine_context *context = bine_context_new();
    if (context)
        context->values = reference((struct bine__values *)current_values()); /* shared, so never written */
    return context;
}

/* True: it is ours until leave(). */
static bool enter(bine_context *context)
{
    /* Acquire: pairs with leave() in the thread that was in it last. */
    return !atomic_exchange_explicit(&context->entered, true, memory_order_acquire);
}

static void leave(bine_context *context)
{
    atomic_store_explicit(&context->entered, false, memory_order_release); /* pairs with enter() */
}

int bine_context_free(bine_context *context)
{
    if (!context)
        return 0;
    if (context->magic != CONTEXT_MAGIC)
        return bine__error(EINVAL);
    if (!enter(context))
        return bine__error(EBUSY);
    context->magic = 0;
    release(context->values);
    free(context);
    return 0;
}

/* In whatever task it is that runs: see below. */
static void mark_entered(bool entered)
{
    if (!bine__loop)
        return;
    struct bine_task *self = bine__loop->current;
    self->flags = (uint16_t)(entered ? self->flags | BINE__TASK_ENTERED : self->flags & ~BINE__TASK_ENTERED);
}

int bine_context_run(bine_context *context, bine_fn *fn, void *arg, bine_result *result)
{
    struct here here;
    if (!context || context->magic != CONTEXT_MAGIC || !fn)
        return bine__error(EINVAL);
    if (find_here(&here) != 0)
        return -1;
    if (!enter(context))
        return bine__error(EBUSY);
    struct bine__frame frame = {context, *here.values, *here.frame};
    *here.values = context->values;
    *here.frame = &frame;
    mark_entered(true);

    bine_result ended = bine__result_of(fn(arg));

    /* A generator that handed out a value from within fn may come back here in another consumer's task. */
    struct here now;
    if (find_here(&now) != 0 || now.frame != here.frame || *now.frame != &frame)
        bine__fatal(bine_self(), "bine_context_run() was left in another task, or out of order");
    context->values = *here.values;
    *here.values = frame.outside;
    *here.frame = frame.outer;
    mark_entered(frame.outer != NULL);
    leave(context);
    if (result)
        *result = ended;
    return 0;
}
