/* SPDX-License-Identifier: MIT
 *
 * A task of explicit style switches in a call that no await marks.
 * KIND: YIELD-IN-ATOMIC YIELD-OUTSIDE-AWAIT YIELD-UNMARKED IMPLICIT-YIELD */
#include "../corpus.h"

#include <bine/check.h>

static int steps;

static int fetch(void)
{
    bine_sleep(BINE_MS); /* SITE gave-up */
    return 1;
}

static void *careful(void *arg)
{
#ifdef FIXED
    steps += bine_await(fetch());
#else
    steps += fetch();
#endif
    return arg;
}

static void *program(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.style = BINE_EXPLICIT;
    bine_join(bine_spawn_with(&attr, careful, NULL), NULL);
    EXPECT(steps == 1);
    return arg;
}
PROGRAM(program)
