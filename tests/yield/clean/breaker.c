/* SPDX-License-Identifier: MIT
 *
 * A breaker counts what fails, and opens at the third: others may have failed meanwhile, and it asks the same of
 * the new count as it did of the old one. */
#include "../corpus.h"

enum { MOST = 3 };
static struct {
    int failures, calls, refused;
    bine_ns closed_until;
} breaker;

static int backend(int request)
{
    bine_sleep(request * BINE_MS);
    return request % 4 == 0 ? 0 : -1;
}

static int call(int request)
{
    if (breaker.failures >= MOST) {
        if (bine_now() < breaker.closed_until) {
            breaker.refused++;
            return -1;
        }
        breaker.failures = 0;
    }
    breaker.calls++;
    int result = backend(request);
    if (result < 0 && ++breaker.failures >= MOST)
        breaker.closed_until = bine_now() + 2 * BINE_MS;
    return result;
}

static void *user(void *arg)
{
    for (int i = 1; i < 9; i++) {
        call(i);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(user, NULL, user, NULL);
    EXPECT(breaker.calls + breaker.refused == 16);
    return arg;
}
PROGRAM(program)
