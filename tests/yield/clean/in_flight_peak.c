/* SPDX-License-Identifier: MIT
 *
 * How many are in flight is counted, and the most there were is kept: the comparison is of the task's own update. */
#include "../corpus.h"

static int in_flight, peak;

static void begin(void)
{
    in_flight++;
}

static void *request(void *arg)
{
    begin();
    if (in_flight > peak)
        peak = in_flight;
    bine_sleep(BINE_MS);
    in_flight--;
    return arg;
}

static void *program(void *arg)
{
    both(request, NULL, request, NULL);
    EXPECT(in_flight == 0 && peak >= 1);
    return arg;
}
PROGRAM(program)
