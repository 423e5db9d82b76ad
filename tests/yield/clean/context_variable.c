/* SPDX-License-Identifier: MIT
 *
 * A request's identifier, set for one task and those that it spawns. */
#include "../corpus.h"

static bine_var *request_id;

static void *inner(void *arg)
{
    bine_sleep(BINE_MS);
    EXPECT(bine_var_get(request_id) == arg);
    return NULL;
}

static void *handler(void *arg)
{
    bine_var_set(request_id, arg, NULL);
    bine_task *child = bine_spawn(inner, arg);
    bine_yield();
    EXPECT(bine_var_get(request_id) == arg);
    bine_join(child, NULL);
    return NULL;
}

static void *program(void *arg)
{
    static char one[] = "1", two[] = "2";
    request_id = bine_var_new("request", NULL);
    both(handler, one, handler, two);
    bine_var_free(request_id);
    return arg;
}
PROGRAM(program)
