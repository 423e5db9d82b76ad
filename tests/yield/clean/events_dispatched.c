/* SPDX-License-Identifier: MIT
 *
 * A loop takes events and calls a function of a table for each: what one of them has looked at, another need not
 * look at again.  It belongs to another event. */
#include "../corpus.h"

enum kind { CHECK, REPORT, RESET, KINDS };
static int level;
static int reports;

static void check(void)
{
    if (level > 2)
        reports++;
}

static void report(void)
{
    bine_sleep(BINE_MS);
    reports++;
}

static void reset(void) { level = 0; }

static void (*const handlers[KINDS])(void) = {check, report, reset};

static void *dispatcher(void *arg)
{
    bine_chan *events = arg;
    enum kind kind;
    while (bine_chan_recv(events, &kind) == 0)
        handlers[kind]();
    return NULL;
}

static void *meter(void *arg)
{
    for (int i = 0; i < 5; i++) {
        level++;
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    static const enum kind kinds[] = {CHECK, REPORT, RESET, CHECK, REPORT, RESET};
    bine_chan *events = bine_chan_new(sizeof(enum kind), 8, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        bine_chan_send(events, &kinds[i]);
    bine_chan_close(events);
    both(dispatcher, events, meter, NULL);
    bine_chan_free(events);
    EXPECT(reports >= 2);
    return arg;
}
PROGRAM(program)
