/* SPDX-License-Identifier: MIT
 *
 * A connection's state is set, something waits, and it is asked whether the state still stands; others close it. */
#include "../corpus.h"

enum st { NONE, CONNECTING, UP, CLOSED };
static struct link {
    enum st st;
    int ups, closes;
} l;

static int dial(void)
{
    return bine_sleep(2 * BINE_MS);
}

static void *connect_(void *arg)
{
    l.st = CONNECTING;
    dial();
    if (l.st != CONNECTING)
        return arg;
    l.st = UP;
    l.ups++;
    return arg;
}

static void *shut(void *arg)
{
    bine_sleep(BINE_MS);
    l.st = CLOSED;
    l.closes++;
    return arg;
}

static void *program(void *arg)
{
    both(connect_, NULL, shut, NULL);
    EXPECT(l.ups + l.closes >= 1);
    return arg;
}
PROGRAM(program)
