/* SPDX-License-Identifier: MIT
 *
 * Two functions that sleep, at the same time: what every talk on asynchronous programs begins with.
 *
 *     sleep_trace [--virtual]      --virtual: time jumps, and the program ends at once
 *
 * a() and b() are ordinary functions with ordinary calls in them.  Each runs in a task, so that they sleep
 * together and not one after the other; foo() shows that a call which sleeps may itself be called. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/program.h"

static bine_ns start;

static void trace(const char *what)
{
    bine_ns ms = (bine_now() - start) / BINE_MS;
    printf("%d.%03d %s\n", (int)(ms / 1000), (int)(ms % 1000), what);
}

static void *a(void *arg)
{
    (void)arg;
    trace("a enter");
    if (bine_sleep(BINE_SECOND) < 0)
        return bine_fail(errno);
    trace("a exit");
    return NULL;
}

static void *b(void *arg)
{
    (void)arg;
    trace("b enter");
    if (bine_sleep(BINE_SECOND / 2) < 0)
        return bine_fail(errno);
    trace("b middle");
    if (bine_sleep(BINE_SECOND / 2) < 0)
        return bine_fail(errno);
    trace("b exit");
    return NULL;
}

static int nap(void)
{
    trace("sleep enter");
    int slept = bine_sleep(BINE_SECOND);
    trace("sleep exit");
    return slept;
}

static void *foo(void *arg)
{
    (void)arg;
    trace("foo enter");
    if (nap() < 0)
        return bine_fail(errno);
    trace("foo exit");
    return NULL;
}

/* Runs the functions together and waits for all of them. */
static int together(bine_fn *const fns[], size_t n)
{
    bine_task *tasks[2];
    size_t spawned = 0;
    int error = 0;
    start = bine_now();
    while (spawned < n && (tasks[spawned] = bine_spawn(fns[spawned], NULL)))
        spawned++;
    if (spawned < n)
        error = errno;
    for (size_t i = 0; i < spawned; i++) {
        bine_result result = {NULL, 0};
        if (bine_join(tasks[i], &result) < 0)
            error = errno;
        else if (result.error)
            error = result.error;
    }
    return error;
}

static void *both(void *arg)
{
    static bine_fn *const a_and_b[] = {a, b};
    static bine_fn *const nested[] = {foo};
    (void)arg;
    int error = together(a_and_b, 2);
    if (!error) {
        printf("\n");
        error = together(nested, 1);
    }
    return error ? bine_fail(error) : NULL;
}

int main(int argc, char **argv)
{
    bine_options options = BINE_OPTIONS_INIT;
    bine_result result = {NULL, 0};
    options.virtual_clock = argc > 1 && strcmp(argv[1], "--virtual") == 0;
    int how = bine_run_with(&options, both, NULL, &result);
    return program_end(argv[0], how, result.error);
}
