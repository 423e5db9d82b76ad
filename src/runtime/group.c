/* SPDX-License-Identifier: MIT
 *
 * Groups: children that do not outlive their block.
 *
 * A group is a scope of the task that opened it, and the owner of its children's handles.  A child's end
 * is told to it on the child's own stack, where it must not switch: it counts, keeps the first result that
 * matters, cancels the others if that is its kind, and wakes the opener if that waits for this.
 *
 * The wait for the children cannot be cut short.  What fires outside meanwhile is passed on to the
 * children, once, and from then on the opener waits deaf.
 *
 * Whose group it is, its scope says: one that a generator opened goes with that from consumer to consumer, and
 * is nobody's while the generator is suspended. */
#include <string.h>

#include "runtime/debug.h"

#include <bine/group.h>

#define NAG_AFTER BINE_SECOND

enum { GROUP_MAGIC = 0x67726f75 };

struct group { /* what a public bine_group holds */
    struct bine__scope scope; /* the body's */
    struct bine__owner owner;
    struct bine_loop *loop;
    struct bine_task *waiting;    /* who waits for children, in this group; NULL: nobody does */
    struct bine__list children;   /* that have not ended */
    unsigned running;
    unsigned wake_at; /* .waiting is parked until no more than so many run */
    bool cancelled;   /* the children have been told */
    bool failed, succeeded;
    unsigned others; /* that failed, besides, where the first success counts */
    uint8_t kind;
    uint32_t magic;
    bine_result failure, success; /* the first of each, if there was one */
    bine_drop_fn *drop;           /* the success, if nobody claims it */
    struct bine__timer nag;       /* with BINE_DEBUG: children go on though they were cancelled */
} __attribute__((may_alias));
_Static_assert(sizeof(struct group) <= sizeof(bine_group), "bine_group has room");

static struct group *inside(bine_group *group)
{
    return (struct group *)group;
}

static bine_scope *scope_of(struct group *group)
{
    return (bine_scope *)(void *)&group->scope; /* of the public type only the private part is ever touched */
}

static void name_children(struct bine__timer *timer)
{
    struct group *group = bine__list_entry(timer, struct group, nag);
    for (struct bine__list *node = group->children.next; node != &group->children; node = node->next) {
        const struct bine_task *child = bine__list_entry(node, struct bine_task, siblings);
        bine__report(BINE_REPORT_LEFT_BEHIND, child, 0,
                     "was cancelled by its group a second ago and goes on (waits for: %s)",
                     child->wait ? bine__wait_names[child->wait] : "its turn");
    }
}

/* Once for a group. */
static void nag_later(struct group *group)
{
    struct bine_loop *loop = group->loop;
    if (!loop->debugging || group->cancelled)
        return;
    group->nag.fire = name_children;
    bine__timer_arm(&loop->wheel, &group->nag, bine__clock(loop) + NAG_AFTER);
}

static void cancel_children(struct group *group)
{
    nag_later(group);
    group->cancelled = true;
    for (struct bine__list *node = group->children.next; node != &group->children; node = node->next)
        bine_cancel(bine__list_entry(node, struct bine_task, siblings));
}

/* The first failure, or the first success, is kept for the group's wait; the rest is settled here.  Where one success
 * is enough, failures are what the others are for: they are lost only if there is none. */
static void keep_result(struct group *group, struct bine_task *child)
{
    bine_result result = child->result;
    bool told = result.error == ECANCELED && (child->flags & BINE__TASK_CANCELLED);
    if (result.error && !told && !group->failed) {
        group->failed = true;
        group->failure = result;
    } else if (result.error && !told && group->kind == BINE_GROUP_ANY) {
        group->others++;
    } else if (!result.error && group->kind == BINE_GROUP_ANY && !group->succeeded) {
        group->succeeded = true;
        group->success = result;
        group->drop = child->drop;
    } else {
        bine__task_settle(child);
    }
}

static __attribute__((noinline)) void weigh_result(struct group *group, struct bine_task *child)
{
    keep_result(group, child);
    bool decided = (group->kind == BINE_GROUP_ALL && group->failed) ||
                   (group->kind == BINE_GROUP_ANY && group->succeeded);
    if (decided && !group->cancelled)
        bine_group_cancel((bine_group *)(void *)group);
}

static void child_ended(struct bine__owner *owner, struct bine_task *child)
{
    struct group *group = bine__list_entry(owner, struct group, owner);
    bine__list_remove(&child->siblings);
    group->running--;
    if (bine__unlikely(child->result.error || child->result.value || group->kind == BINE_GROUP_ANY))
        weigh_result(group, child);
    if (group->waiting && group->running <= group->wake_at) {
        bine__wake(group->waiting);
        group->waiting = NULL;
    }
}

void bine_group_open(bine_group *public, unsigned kind)
{
    struct group *group = inside(public);
    struct bine_task *self = bine__current();
    bool open = group && self && bine__scope_place(self, &group->scope);
    bool wrong = !group || kind > BINE_GROUP_COLLECT || open;
    if (group && !open)
        memset(group, 0, sizeof *group);
    if (wrong)
        errno = EINVAL;
    if (wrong || !self)
        return;
    group->owner.ended = child_ended;
    group->loop = self->loop;
    bine__list_init(&group->children);
    group->kind = (uint8_t)kind;
    group->magic = GROUP_MAGIC;
    bine_scope_open(scope_of(group), BINE_FOREVER);
}

/* An open group of this loop's. */
static struct group *valid(bine_group *public)
{
    struct group *group = inside(public);
    if (!group)
        errno = EINVAL;
    else if (!bine__loop || group->magic != GROUP_MAGIC || group->loop != bine__loop)
        errno = EPERM;
    else
        return group;
    return NULL;
}

static inline bine_task *adopt(struct group *group, bine_task *child)
{
    if (bine__unlikely(!child))
        return NULL;
    child->flags |= BINE__TASK_OWNED;
    child->owner = &group->owner;
    bine__list_append(&group->children, &child->siblings);
    group->running++;
    if (bine__unlikely(group->cancelled))
        bine_cancel(child);
    return child;
}

static bine_task *spawn(bine_group *public, const bine_attr *attr, bine_fn *fn, void *arg, const void *copy,
                        size_t size, const char *site)
{
    struct group *group = valid(public);
    return group ? adopt(group, bine__spawn(bine__loop, attr, fn, arg, copy, size, site)) : NULL;
}

bine_task *bine_group_spawn_at(bine_group *group, bine_fn *fn, void *arg, const char *site)
{
    struct group *inner = valid(group);
    return inner ? adopt(inner, bine_spawn_at(fn, arg, site)) : NULL;
}

bine_task *bine_group_spawn_copy_at(bine_group *group, bine_fn *fn, const void *arg, size_t size, const char *site)
{
    if (!arg) {
        errno = EINVAL;
        return NULL;
    }
    return spawn(group, NULL, fn, NULL, arg, size, site);
}

bine_task *bine_group_spawn_with_at(bine_group *group, const bine_attr *given, size_t size, bine_fn *fn, void *arg,
                                    const char *site)
{
    bine_attr attr = BINE_ATTR_INIT;
    if (given)
        memcpy(&attr, given, size < sizeof attr ? size : sizeof attr);
    attr.detached = false; /* the group has its handle */
    return spawn(group, &attr, fn, arg, NULL, 0, site);
}

void bine_group_cancel(bine_group *public)
{
    struct group *group = valid(public);
    if (!group)
        return;
    cancel_children(group);
    bine_scope_cancel(scope_of(group));
}

unsigned bine_group_running(const bine_group *public)
{
    const struct group *group = (const struct group *)public;
    return group && group->magic == GROUP_MAGIC ? group->running : 0;
}

/* The running task's own open group. */
static struct group *own(bine_group *public, struct bine_task **self)
{
    struct group *group = inside(public);
    *self = bine__current();
    if (!*self)
        return NULL;
    if (!group || group->magic != GROUP_MAGIC)
        errno = EINVAL;
    else if (group->scope.task != *self)
        errno = EPERM;
    else
        return group;
    return NULL;
}

/* Parks until no more than so many children run. */
static int wait_until(struct group *group, struct bine_task *self, unsigned running, unsigned deaf)
{
    group->wake_at = running;
    group->waiting = self;
    int error = bine__park(self->loop, self, BINE__WAIT_GROUP | deaf, (intptr_t)group);
    group->waiting = NULL;
    return error;
}

int bine_group_admit(bine_group *public, unsigned limit)
{
    struct bine_task *self;
    struct group *group = own(public, &self);
    if (!group)
        return bine__refuse(errno);
    if (limit == 0)
        return bine__refuse(EINVAL);
    if (!bine__begin())
        return -1;
    while (group->running >= limit) {
        int error = wait_until(group, self, limit - 1, 0);
        if (error)
            return bine__error(error);
    }
    bine__check_found(&group->owner, false);
    return 0;
}

static int wait_for_children(struct group *group, struct bine_task *self)
{
    unsigned deaf = 0;
    int outer = 0;
    bine__say_may_yield(self);
    if (group->running == 0) /* nothing to wait for: a loop of such groups must starve nobody */
        bine__charge_call(self->loop, self);
    while (group->running > 0) {
        int error = wait_until(group, self, 0, deaf);
        if (error) {
            outer = error;
            deaf = BINE__PARK_DEAF;
            cancel_children(group);
        }
    }
    bine__check_found(&group->owner, false);
    return outer;
}

/* How the group has ended: 0 or an errno value.  first may be NULL. */
static int verdict(const struct group *group, int outer, bine_result *first)
{
    bine_result result = {NULL, outer};
    if (group->succeeded)
        result = group->success;
    else if (group->failed)
        result = group->failure;
    if (first)
        *first = result;
    else if (result.value && group->drop)
        group->drop(result.value);
    if (group->others && !group->succeeded)
        bine__report(BINE_REPORT_LOST_ERROR, bine_self(), 0, "%u more children of its group failed and nobody looked",
                     group->others);
    return result.error;
}

/* Closes the group after its children: 0 or an errno value.  first may be NULL. */
static int finish(struct group *group, struct bine_task *self, bine_result *first)
{
    int outer = wait_for_children(group, self);
    bine__timer_disarm(&self->loop->wheel, &group->nag);
    bool by_hand = group->scope.cancelled;
    group->magic = 0;
    if (bine_scope_close(scope_of(group)) < 0)
        bine__fatal(self, "a group was left while a scope inside it is open");
    if (self->failing && outer)
        outer = self->failing; /* from outside; and not the group's own scope, which is closed */
    else if (by_hand && !outer)
        outer = ECANCELED;
    return verdict(group, outer, first);
}

int bine_group_wait(bine_group *public, bine_result *first)
{
    struct bine_task *self;
    struct group *group = own(public, &self);
    if (!group)
        return bine__refuse(errno);
    if (self->scope != &group->scope)
        return bine__refuse(EINVAL); /* a scope inside it is open */
    int error = finish(group, self, first);
    return error ? bine__error(error) : 0;
}

/* ---- The block ---------------------------------------------------------------------------------- */

bine_group *bine__group_begin(bine_group *group, unsigned kind)
{
    bine_group_open(group, kind);
    return group;
}

bine_group *bine__group_end(bine_group *public)
{
    int kept = errno;
    struct bine_task *self;
    struct group *group = own(public, &self);
    if (group) {
        finish(group, self, NULL);
        if (group->failed && !group->succeeded)
            bine__report(BINE_REPORT_LOST_ERROR, self, group->failure.error,
                         "a child of its group failed and nobody looked");
    }
    errno = kept;
    return NULL;
}

void bine__group_leave(bine_group *public)
{
    if (inside(public)->magic != GROUP_MAGIC)
        return;
    int kept = errno;
    bine_group_cancel(public);
    bine__group_end(public);
    errno = kept;
}

/* ---- For the diagnostics ------------------------------------------------------------------------- */

struct bine_task *bine__group_child(intptr_t object, const struct bine_task *after)
{
    const struct group *group = (const struct group *)object;
    const struct bine__list *node = after ? after->siblings.next : group->children.next;
    return node == &group->children ? NULL : bine__list_entry(node, struct bine_task, siblings);
}
