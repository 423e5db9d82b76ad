/* SPDX-License-Identifier: MIT
 *
 * A callback on a future notes its result; a task waits for the same future. */
#include "../corpus.h"

static int noted;

static void note(bine_future *f, void *arg)
{
    bine_result result;
    bine_future_result(f, &result);
    *(int *)arg = *(int *)result.value;
}

static void *setter(void *arg)
{
    static int value = 9;
    bine_sleep(BINE_MS);
    bine_future_set(arg, &value);
    return NULL;
}

static void *waiter(void *arg)
{
    bine_result result;
    bine_future_await(arg, &result);
    EXPECT(*(int *)result.value == 9);
    return NULL;
}

static void *program(void *arg)
{
    bine_future *f = bine_future_new(NULL);
    bine_future_on_done(f, note, &noted);
    both(setter, f, waiter, f);
    bine_yield();
    EXPECT(noted == 9);
    bine_future_unref(f);
    return arg;
}
PROGRAM(program)
