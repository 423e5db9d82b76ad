/* SPDX-License-Identifier: MIT
 *
 * Waiting for futures: one, the first of several, or all; and the shield, which is a wait that can be
 * given up.
 *
 * A wait stands in the line of every future that is pending, with nodes in its own storage.  Whoever
 * completes a future unlinks the node; the wait unlinks what is left when it ends. */
#include "runtime/future.h"

#include <stdlib.h>

enum { NODES = 8 }; /* on the task's stack; for more futures they are allocated */

static void stand_in_line(struct bine__future_waiter *nodes, bine_future *const futures[], size_t n,
                          struct bine__future_wait *wait)
{
    for (size_t i = 0; i < n; i++) {
        bine__list_init(&nodes[i].node);
        nodes[i].wait = wait;
        if (!futures[i]->done)
            bine__list_append(&futures[i]->waiters, &nodes[i].node);
    }
}

/* Parks until so many of those that are pending are done.  0 or an errno value. */
static int park(struct bine_task *self, bine_future *const futures[], size_t n, size_t needed, bool on_failure)
{
    struct bine__future_waiter few[NODES], *nodes = few;
    struct bine__future_wait wait = {.task = self, .needed = needed, .on_failure = on_failure};
    if (n > NODES && !(nodes = malloc(n * sizeof *nodes)))
        return ENOMEM;
    stand_in_line(nodes, futures, n, &wait);
    int error = bine__park(self->loop, self, BINE__WAIT_FUTURE, n == 1 ? (intptr_t)futures[0] : 0);
    for (size_t i = 0; i < n; i++)
        bine__list_remove(&nodes[i].node);
    if (nodes != few)
        free(nodes);
    return error;
}

static bool all_valid(bine_future *const futures[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!bine__future_valid(futures[i]))
            return false;
    return true;
}

int bine_future_await(bine_future *future, bine_result *result)
{
    struct bine_task *self = bine__begin();
    if (!self || !bine__future_valid(future))
        return -1;
    bine_future_ref(future); /* somebody may give it up meanwhile */
    int error = future->done ? 0 : park(self, &future, 1, 1, false);
    if (!error && result)
        bine_future_result(future, result);
    bine_future_unref(future);
    return error ? bine__error(error) : 0;
}

static size_t count_done(bine_future *const futures[], size_t n, bool *failed)
{
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        done += futures[i]->done;
        *failed |= futures[i]->done && futures[i]->result.error;
    }
    return done;
}

int bine_wait(bine_future *const futures[], size_t n, int until)
{
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if ((n && !futures) || n > INT32_MAX || until < BINE_FIRST_COMPLETED || until > BINE_ALL_COMPLETED)
        return bine__error(EINVAL);
    if (!all_valid(futures, n))
        return -1;
    bool failed = false;
    size_t done = count_done(futures, n, &failed);
    bool enough = done == n || (until == BINE_FIRST_COMPLETED && done > 0) || (until == BINE_FIRST_FAILURE && failed);
    if (!enough) {
        size_t needed = until == BINE_FIRST_COMPLETED ? 1 : n - done;
        int error = park(self, futures, n, needed, until == BINE_FIRST_FAILURE);
        if (error)
            return bine__error(error);
        done = count_done(futures, n, &failed);
    }
    return (int)done;
}

/* The unseen one that was done first, or n. */
static size_t first_unseen(bine_future *const futures[], size_t n, const bool seen[], bool *pending)
{
    size_t first = n;
    for (size_t i = 0; i < n; i++) {
        if (seen[i])
            continue;
        if (!futures[i]->done)
            *pending = true;
        else if (first == n || futures[i]->order < futures[first]->order)
            first = i;
    }
    return first;
}

int bine_next_done(bine_future *const futures[], size_t n, bool seen[])
{
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if ((n && (!futures || !seen)) || n > INT32_MAX)
        return bine__error(EINVAL);
    if (!all_valid(futures, n))
        return -1;
    for (;;) {
        bool pending = false;
        size_t first = first_unseen(futures, n, seen, &pending);
        if (first < n) {
            seen[first] = true;
            return (int)first;
        }
        if (!pending)
            return bine__error(ENOENT);
        int error = park(self, futures, n, 1, false);
        if (error)
            return bine__error(error);
    }
}

int bine_shield_at(bine_fn *fn, void *arg, bine_drop_fn *drop, bine_result *result, const char *site)
{
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    const bine_attr attr = {.drop_result = drop};
    bine_future *future = bine_future_new(drop);
    bine_task *task = future ? bine__spawn(self->loop, &attr, fn, arg, NULL, 0, site) : NULL;
    if (!task) {
        int failure = errno;
        if (future)
            bine_future_cancel(future);
        bine_future_unref(future);
        return bine__error(failure);
    }
    bine__future_bind(future, task);
    int status = bine_future_await(future, result);
    int error = errno;
    bine_future_unref(future);
    errno = error;
    return status;
}
