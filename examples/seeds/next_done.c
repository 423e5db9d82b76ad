/* SPDX-License-Identifier: MIT
 *
 * A list of futures: in the order in which they were asked for, and in the order in which they are done.
 *
 *     next_done [--real]
 *
 * get_lines() yields futures and not lines: the requests are all on their way before the first answer is
 * waited for.  say() is the "hello, world" of the talks; bine_gather() waits for both, and a failure among
 * its functions stops the others. */
#include <bine.h>

#include <errno.h>
#include <string.h>

#include "../lib/trace.h"

static const bine_ns takes[] = {3 * BINE_SECOND, BINE_SECOND, 2 * BINE_SECOND};
static char *lines[] = {"first line", "second line", "third line"};

static void *request(void *arg)
{
    const int *number = arg;
    return bine_sleep(takes[*number]) < 0 ? bine_fail(errno) : lines[*number];
}

static void *get_lines(bine_gen *g, void *arg)
{
    static int numbers[] = {0, 1, 2};
    (void)arg;
    for (int i = 0; i < 3; i++) {
        bine_future *line = bine_task_future(bine_spawn(request, &numbers[i]));
        if (!line || bine_gen_yield(g, line, NULL) < 0)
            break;
    }
    return NULL;
}

/* One request at a time: each future is awaited before the next is asked for. */
static void one_at_a_time(void)
{
    bine_gen *g = bine_gen_new(get_lines, NULL);
    BINE_FOR_EACH(future, g) {
        bine_result line = {NULL, 0};
        bine_future_await(future, &line);
        trace("%s", line.value ? (char *)line.value : strerror(line.error));
        bine_future_unref(future);
    }
    bine_gen_free(g);
}

static void all_at_once(void)
{
    bine_future *futures[3] = {NULL};
    bool seen[3] = {false};
    size_t n = 0;
    bine_gen *g = bine_gen_new(get_lines, NULL);
    BINE_FOR_EACH(future, g)
        futures[n++] = future;
    bine_gen_free(g);
    for (int i; (i = bine_next_done(futures, n, seen)) >= 0;) {
        bine_result line = {NULL, 0};
        bine_future_result(futures[i], &line);
        trace("%s", line.value ? (char *)line.value : strerror(line.error));
    }
    trace("no more: %s", errno == ENOENT ? "all are seen" : strerror(errno));
    for (size_t i = 0; i < n; i++)
        bine_future_unref(futures[i]);
}

struct words {
    const char *what;
    bine_ns when;
};

static void *say(void *arg)
{
    const struct words *words = arg;
    if (bine_sleep(words->when) < 0)
        return bine_fail(errno);
    trace("%s", words->what);
    return words->what ? arg : NULL;
}

static void *run(void *arg)
{
    static struct words hello = {"hello", BINE_SECOND / 2};
    static struct words world = {"world", BINE_SECOND};
    bine_result said[2];
    (void)arg;
    one_at_a_time();
    trace_restart();
    all_at_once();
    trace_restart();
    bine_gather(2, (bine_fn *const[]){say, say}, (void *const[]){&hello, &world}, said);
    trace("said %s and %s", ((struct words *)said[0].value)->what, ((struct words *)said[1].value)->what);
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
