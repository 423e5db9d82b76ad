/* SPDX-License-Identifier: MIT
 *
 * An iterator that waits for each value, and one whose cleaning up waits as well.
 *
 *     async_iterator [--real]
 *
 * "async for" is BINE_FOR_EACH: a generator may call anything that yields, and it is its consumer's task
 * that waits. However the loop is left, the generator is closed before what follows, inside the run: its
 * cleaning up may sleep, and may not be forgotten.  lines() is what could not be written in the talk: a
 * request, and then a value for each line of the answer. */
#include <bine.h>

#include <errno.h>
#include <string.h>

#include "../lib/trace.h"

static void *ticks(bine_gen *g, void *arg)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    (void)arg;
    trace("  opened");
    for (int i = 0; i < 4; i++) {
        char name[8];
        if (bine_sleep(BINE_SECOND / 4) < 0)
            break;
        if (bine_gen_yield(g, strcpy(name, names[i]), NULL) < 0)
            break;
    }
    int error = errno;
    BINE_SHIELD_FOR(BINE_SECOND)
        bine_sleep(BINE_SECOND / 8); /* "finally": says goodbye */
    trace("  closed");
    return error ? bine_fail(error) : NULL;
}

static void *request(void *buffer)
{
    bine_sleep(BINE_SECOND / 2);
    return strcpy(buffer, "alpha\nbeta\ngamma\n");
}

static void *lines(bine_gen *g, void *arg)
{
    char answer[64];
    char *rest = request(answer);
    (void)arg;
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        if (bine_gen_yield(g, line, NULL) < 0)
            break;
    return NULL;
}

static void *other(void *arg)
{
    for (int i = 0; i < 3 && bine_sleep(BINE_SECOND / 3) == 0; i++)
        trace("    (another task)");
    return arg;
}

static void *run(void *arg)
{
    (void)arg;
    bine_task *beside = bine_spawn(other, NULL);
    bine_gen *g = bine_gen_new(ticks, NULL);
    errno = 0;
    BINE_FOR_EACH(name, g)
        trace("%s", (const char *)name);
    bine_gen_free(g);
    bine_join(beside, NULL);

    trace("left early");
    g = bine_gen_new(ticks, NULL);
    BINE_FOR_EACH(name, g) {
        trace("%s", (const char *)name);
        if (strcmp(name, "two") == 0)
            break;
    }
    trace("after the loop");
    bine_gen_free(g);

    trace("cut off by a deadline");
    g = bine_gen_new(ticks, NULL);
    BINE_TIMEOUT(3 * BINE_SECOND / 5) {
        BINE_FOR_EACH(name, g)
            trace("%s", (const char *)name);
    }
    bine_result result = {NULL, 0};
    bine_gen_result(g, &result);
    trace("after the loop: %s", strerror(result.error));
    bine_gen_free(g);

    g = bine_gen_new(lines, NULL);
    BINE_FOR_EACH(line, g)
        trace("%s", (const char *)line);
    bine_gen_free(g);
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
