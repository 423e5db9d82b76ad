/* SPDX-License-Identifier: MIT
 *
 * Read-write lock: many that read or one that writes, in order of arrival.
 *
 * Who comes while somebody waits stands behind him, so the first in line is always one that cannot be let in
 * yet; and what lets him in is only that a holder leaves, or that he himself leaves: pass() is called in both
 * cases.  A reader that is let in takes the readers right behind along, up to the next writer.
 *
 * Readers are counted, not listed: unlocking in a task that holds another lock for reading cannot be told. */
#include <bine/sync.h>

#include <string.h>

#include "runtime/debug.h"
#include "sync/mutex.h"

struct bine__rwlock { /* what a public bine_rwlock holds */
    struct bine_task *writer;
    uint64_t readers;
    struct bine__line line;
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__rwlock) <= sizeof(bine_rwlock), "bine_rwlock has room");

struct turn { /* in the line */
    struct bine__turn turn;
    bool writes;
};

static struct bine__rwlock *inside(bine_rwlock *public)
{
    return (struct bine__rwlock *)public;
}

int bine_rwlock_init(bine_rwlock *public)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    return 0;
}

static bool admits(const struct bine__rwlock *lock, bool writes)
{
    return !lock->writer && (!writes || !lock->readers);
}

static void admit(struct bine__rwlock *lock, struct bine_task *task, bool writes)
{
    if (writes)
        lock->writer = task;
    else
        lock->readers++;
}

int bine_rwlock_destroy(bine_rwlock *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (!admits(inside(public), true)) /* nobody waits for one that nobody holds */
        return bine__error(EBUSY);
    return 0;
}

static void pass(struct bine__rwlock *lock)
{
    for (struct bine__turn *first; (first = bine__line_first(&lock->line));) {
        bool writes = bine__list_entry(first, struct turn, turn)->writes;
        if (!admits(lock, writes))
            return;
        admit(lock, first->task, writes);
        bine__line_serve(&lock->line);
    }
}

static int try(bine_rwlock *public, bool writes)
{
    struct bine__rwlock *lock = inside(public);
    if (!lock)
        return bine__error(EINVAL);
    struct bine_task *self = bine__current();
    if (!self)
        return -1;
    if (!bine__line_empty(&lock->line) || !admits(lock, writes))
        return bine__error(EBUSY);
    if (bine__holds_too_many(self))
        return bine__error(EAGAIN);
    admit(lock, self, writes);
    return bine__holds(self, lock, writes ? BINE__LOCK_EXCLUSIVE : BINE__LOCK_SHARED);
}

static int enter(bine_rwlock *public, bool writes)
{
    struct bine__rwlock *lock = inside(public);
    if (!lock)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (bine__holds_too_many(self))
        return bine__error(EAGAIN);
    if (lock->writer == self)
        return bine__error(EDEADLK);
    if (bine__line_empty(&lock->line) && admits(lock, writes)) {
        admit(lock, self, writes);
    } else {
        struct turn turn = {.writes = writes};
        bine__check_lock_wait(lock, lock->writer);
        int error = bine__line_wait(&lock->line, &turn.turn, self, BINE__WAIT_RWLOCK, lock);
        if (error) {
            if (error != EPERM)
                pass(lock); /* those behind a writer that gives up may be readers among readers */
            return bine__error(error);
        }
    }
    return bine__holds(self, lock, writes ? BINE__LOCK_EXCLUSIVE : BINE__LOCK_SHARED);
}

int bine_rwlock_read(bine_rwlock *public)
{
    return enter(public, false);
}

int bine_rwlock_read_try(bine_rwlock *public)
{
    return try(public, false);
}

int bine_rwlock_write(bine_rwlock *public)
{
    return enter(public, true);
}

int bine_rwlock_write_try(bine_rwlock *public)
{
    return try(public, true);
}

int bine_rwlock_unlock(bine_rwlock *public)
{
    struct bine__rwlock *lock = inside(public);
    if (!lock)
        return bine__error(EINVAL);
    struct bine_task *self = bine__current();
    if (!self)
        return -1;
    bool mine = lock->writer ? lock->writer == self : lock->readers && self->held;
    if (!mine || !bine__line_ours(&lock->line))
        return bine__error(EPERM);
    if (lock->writer)
        lock->writer = NULL;
    else
        lock->readers--;
    self->held--;
    bine__check_unlocked(lock, BINE__LOCK_EXCLUSIVE);
    pass(lock);
    return 0;
}

struct bine_task *bine__rwlock_writer(intptr_t object)
{
    return ((const struct bine__rwlock *)object)->writer;
}
