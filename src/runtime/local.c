/* SPDX-License-Identifier: MIT
 *
 * Task locals: values that a task has for itself, under keys.
 *
 * They are an array indexed by the keys' slots that a task gets with its first one.  Each value is kept
 * with its destructor, so that nothing of a key is looked at that another thread may free meanwhile. */
#include <stdlib.h>
#include <string.h>

#include <bine/context.h>

#include "runtime/runtime.h"
#include "runtime/slot.h"

/* Rounds: a destructor may set values again; after so many what is left is forgotten, as POSIX allows with
 * its keys. */
enum { KEY_MAGIC = 0x6b657962, FIRST_SIZE = 4, ROUNDS = 4 };

struct bine_key {
    uint64_t serial;
    void (*destructor)(void *);
    uint32_t slot;
    uint32_t magic;
};

struct local {
    uint64_t serial; /* of its key */
    void *value;
    void (*destructor)(void *);
};

struct bine__locals {
    uint32_t size;
    struct local local[];
};

static struct bine__slots keys;

bine_key *bine_key_new(void (*destructor)(void *))
{
    struct bine_key *key = malloc(sizeof *key);
    if (!key)
        return NULL;
    int slot = bine__slot_take(&keys, &key->serial);
    if (slot < 0) {
        free(key);
        errno = EAGAIN;
        return NULL;
    }
    key->slot = (uint32_t)slot;
    key->destructor = destructor;
    key->magic = KEY_MAGIC;
    return key;
}

void bine_key_free(bine_key *key)
{
    if (!key)
        return;
    bine__assert(key->magic == KEY_MAGIC);
    key->magic = 0;
    bine__slot_release(&keys, key->slot);
    free(key);
}

static int check_key(const bine_key *key)
{
    return bine__likely(key && key->magic == KEY_MAGIC) ? 0 : bine__error(EINVAL);
}

void *bine_local_get(const bine_key *key)
{
    if (check_key(key) != 0)
        return NULL;
    const struct bine_loop *loop = bine__loop;
    if (!loop || !(loop->current->flags & BINE__TASK_LOCALS))
        return NULL;
    const struct bine__locals *locals = loop->current->locals;
    return key->slot < locals->size && locals->local[key->slot].serial == key->serial
               ? locals->local[key->slot].value
               : NULL;
}

static int make_room(struct bine_task *task, uint32_t slot)
{
    struct bine__locals *old = task->flags & BINE__TASK_LOCALS ? task->locals : NULL;
    uint32_t had = old ? old->size : 0, size = had ? had : FIRST_SIZE;
    if (slot < had)
        return 0;
    while (size <= slot)
        size *= 2;
    struct bine__locals *locals = realloc(old, sizeof *locals + size * sizeof locals->local[0]);
    if (!locals)
        return -1;
    memset(locals->local + had, 0, (size - had) * sizeof locals->local[0]);
    locals->size = size;
    task->locals = locals;
    task->flags |= BINE__TASK_LOCALS;
    return 0;
}

int bine_local_set(bine_key *key, void *value)
{
    if (check_key(key) != 0)
        return -1;
    struct bine_task *self = bine__current();
    if (!self || make_room(self, key->slot) != 0)
        return -1;
    self->locals->local[key->slot] = (struct local){key->serial, value, key->destructor};
    return 0;
}

/* ---- At the task's end ----------------------------------------------------------------------------- */

/* Of the values that are not NULL the one with the greatest serial below this. */
static struct local *youngest(struct bine__locals *locals, uint64_t below)
{
    struct local *found = NULL;
    for (uint32_t i = 0; i < locals->size; i++) {
        struct local *local = &locals->local[i];
        if (local->value && local->serial < below && (!found || local->serial > found->serial) &&
            bine__slot_held(&keys, i, local->serial))
            found = local;
    }
    return found;
}

/* False: there was nothing to destroy. */
static bool destroy_round(struct bine_task *self)
{
    uint64_t below = UINT64_MAX;
    for (struct local *local; (local = youngest(self->locals, below));) {
        struct local taken = *local;
        local->value = NULL;
        below = taken.serial;
        if (taken.destructor)
            taken.destructor(taken.value); /* may set locals: the array may move */
    }
    return below != UINT64_MAX;
}

void bine__locals_end(struct bine_task *self)
{
    for (int round = 0; round < ROUNDS && destroy_round(self); round++)
        ;
    free(self->locals);
    self->flags &= (uint16_t)~BINE__TASK_LOCALS;
}
