/* SPDX-License-Identifier: MIT
 *
 * A search for a prime of thirteen digits, and a task that watches it through a future.
 *
 *     prime_search [--real]
 *
 * First with a future that the search sets, or fails.  Then without: a task is a future.  The monitor
 * never learns which it has got.  bine_wait() waits for both ends, so that nothing is destroyed while it
 * is pending. The search rests 50 ms after each item, so that there is something to wait for. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>

#include "../lib/lucas.h"
#include "../lib/trace.h"

static uint64_t found;

static bool is_prime(uint64_t n)
{
    if (n < 4 || n % 2 == 0)
        return n == 2 || n == 3;
    for (uint64_t d = 3; d <= n / d; d += 2)
        if (n % d == 0)
            return false;
    return true;
}

/* arg: how many items to look at; NULL: all. */
static void *search(void *arg)
{
    void *result = bine_fail(ENOENT);
    bine_gen *items = bine_gen_new(lucas, arg);
    if (!items)
        return bine_fail(errno);
    BINE_FOR_EACH(item, items) {
        found = *(const uint64_t *)item;
        if (count_digits(found) == 13 && is_prime(found)) {
            result = &found;
            break;
        }
        if (bine_sleep(50 * BINE_MS) < 0) {
            result = bine_fail(errno);
            break;
        }
    }
    bine_gen_free(items);
    return result;
}

static void *monitored_search(void *future)
{
    bine_result result = {NULL, 0};
    bine_task *searching = bine_spawn(search, NULL);
    if (!searching || bine_join(searching, &result) < 0)
        result.error = errno;
    if (result.error)
        bine_future_fail(future, result.error);
    else
        bine_future_set(future, result.value);
    return NULL;
}

static void *monitor(void *future)
{
    while (!bine_future_done(future)) {
        trace("Waiting...");
        if (bine_sleep(BINE_SECOND) < 0)
            return bine_fail(errno);
    }
    trace("Done");
    return NULL;
}

static void print(bine_future *future)
{
    bine_result result = {NULL, 0};
    bine_future_result(future, &result);
    if (result.error)
        trace("%s", why(result.error));
    else
        trace("%" PRIu64, *(const uint64_t *)result.value);
}

/* Watches the future, waits for it and for the watch, and lets both go. */
static void watch(bine_future *future)
{
    bine_future *both[] = {future, bine_task_future(bine_spawn(monitor, future))};
    if (both[1])
        bine_wait(both, 2, BINE_ALL_COMPLETED);
    print(future);
    bine_future_unref(both[1]);
    bine_future_unref(future);
}

static void *run(void *arg)
{
    static unsigned few = 20;
    (void)arg;
    trace("a future that the search sets");
    bine_future *future = bine_future_new(NULL);
    bine_task *searching = future ? bine_spawn(monitored_search, future) : NULL;
    if (!searching)
        return bine_fail(errno);
    watch(bine_future_ref(future));
    bine_join(searching, NULL);
    bine_future_unref(future);

    trace("the search's task itself");
    watch(bine_task_future(bine_spawn(search, NULL)));
    trace("a search that fails");
    watch(bine_task_future(bine_spawn(search, &few)));
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
