/* SPDX-License-Identifier: MIT
 *
 * An update that is finished in any case, also if the client has gone.
 *
 *     shielded_update [--real]
 *
 * Each handler is cancelled half-way through an update of two steps.  Unshielded, the second step never
 * happens.  In a BINE_SHIELD block the handler ends after the update; with bine_shield() it ends at once,
 * and the update goes on without it. */
#include <bine.h>

#include <errno.h>
#include <string.h>

#include "../lib/trace.h"

static void *update(void *arg)
{
    (void)arg;
    trace("    first half");
    if (bine_sleep(BINE_SECOND) < 0) {
        trace("    inconsistent: %s", strerror(errno));
        return bine_fail(errno);
    }
    trace("    second half");
    return NULL;
}

/* "return web.Response(text='OK')" */
static void *answer(int how)
{
    trace("  %s", how < 0 ? strerror(errno) : "OK");
    return how < 0 ? bine_fail(errno) : NULL;
}

static void *unshielded(void *arg)
{
    return answer(update(arg) ? -1 : 0);
}

static void *in_a_block(void *arg)
{
    BINE_SHIELD
        update(arg);
    return answer(bine_sleep(0)); /* what held off is felt from here on */
}

static void *by_a_call(void *arg)
{
    bine_result result = {NULL, 0};
    return answer(bine_shield(update, arg, NULL, &result));
}

static void *run(void *arg)
{
    static const struct {
        const char *name;
        bine_fn *handler;
    } handlers[] = {{"no shield", unshielded}, {"BINE_SHIELD", in_a_block}, {"bine_shield()", by_a_call}};
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        trace_restart();
        trace("%s", handlers[i].name);
        bine_task *handler = bine_spawn(handlers[i].handler, arg);
        if (!handler || bine_sleep(BINE_SECOND / 2) < 0)
            return bine_fail(errno);
        trace("  the client goes");
        bine_stop(handler, NULL);
        trace("  the handler has ended");
        bine_sleep(BINE_SECOND);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    return trace_main(argc, argv, run);
}
