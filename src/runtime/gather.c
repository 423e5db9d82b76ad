/* SPDX-License-Identifier: MIT
 *
 * bine_gather() and bine_map(): many calls at once, a result for each, over a group. */
#include <stdlib.h>

#include "runtime/runtime.h"

#include <bine/group.h>

struct gathering { /* the caller's, shared by its children; outlives them, since the group is awaited */
    int error;     /* the first failure: of a call, or of what would have begun one */
};

static void note_failure(struct gathering *gathering, int error)
{
    if (!gathering->error)
        gathering->error = error;
}

struct call {
    struct gathering *gathering;
    bine_fn *fn;
    void *arg;
    bine_result *out;
};

static void *run(void *arg)
{
    struct call *call = arg;
    *call->out = bine__result_of(call->fn(call->arg));
    bool told = call->out->error == ECANCELED && (bine_self()->flags & BINE__TASK_CANCELLED);
    if (!told) /* or the reason is the caller's */
        note_failure(call->gathering, call->out->error);
    return NULL; /* whoever gathers looks at the results */
}

/* fn: of each, or one for all if each is NULL.  A call that could not begin has the reason for its result. */
static int gather(size_t n, bine_fn *const each[], bine_fn *one, void *const arg[], unsigned limit, bine_result out[])
{
    struct gathering gathering = {0};
    bine_group group;
    bool begun = true;
    for (size_t i = 0; i < n; i++)
        out[i] = (bine_result){NULL, ECANCELED};
    bine_group_open(&group, BINE_GROUP_COLLECT);
    for (size_t i = 0; i < n && begun; i++) {
        struct call call = {&gathering, each ? each[i] : one, arg ? arg[i] : NULL, &out[i]};
        if ((limit && bine_group_admit(&group, limit) != 0) ||
            !bine_group_spawn_copy(&group, run, &call, sizeof call)) {
            note_failure(&gathering, out[i].error = errno);
            begun = false;
            bine_group_cancel(&group);
        }
    }
    if (bine_group_wait(&group, NULL) != 0)
        note_failure(&gathering, errno);
    return gathering.error ? bine__error(gathering.error) : 0;
}

static bool complete(bine_fn *const fn[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!fn[i])
            return false;
    return true;
}

int bine_gather(size_t n, bine_fn *const fn[], void *const arg[], bine_result out[])
{
    if (!bine__begin())
        return -1;
    if (n && (!fn || !out || !complete(fn, n)))
        return bine__error(EINVAL);
    return gather(n, fn, NULL, arg, 0, out);
}

int bine_map(size_t n, bine_fn *fn, void *const arg[], unsigned limit, bine_result out[])
{
    if (!bine__begin())
        return -1;
    if (!fn || (n && !out))
        return bine__error(EINVAL);
    return gather(n, NULL, fn, arg, limit, out);
}
