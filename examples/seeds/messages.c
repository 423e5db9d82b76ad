/* SPDX-License-Identifier: MIT
 *
 * Messages at intervals: two wrong ways to wait, and the right one.
 *
 * busy(): looks at the clock until the time has come.  Whoever waits so holds the loop: the other has to
 * wait for the end. careless(): yields, but only if it finds that there is time left; with a short
 * interval it never does, and holds the loop too. right(): yields at least once, always.  That is
 * bine_sleep()'s promise, whatever the interval: right from the start. Each is run twice at the same time,
 * as "tick" and "tock": see who gets a word in. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>

#include "../lib/trace.h"

enum { MESSAGES = 3 };

static int busy(bine_ns interval)
{
    bine_ns expiry = bine_now() + interval;
    while (bine_now() < expiry)
        continue;
    return 0;
}

static int careless(bine_ns interval)
{
    bine_ns expiry = bine_now() + interval;
    while (bine_now() < expiry)
        if (bine_yield() < 0)
            return -1;
    return 0;
}

struct message {
    const char *text;
    int (*pause)(bine_ns);
    bine_ns interval;
};

static void *repetitive_message(void *arg)
{
    const struct message *message = arg;
    for (int i = 0; i < MESSAGES; i++) {
        printf(" %s", message->text);
        if (message->pause(message->interval) < 0)
            return bine_fail(errno);
    }
    return NULL;
}

static void show(const char *title, int (*pause)(bine_ns), bine_ns interval)
{
    struct message tick = {"tick", pause, interval};
    struct message tock = {"tock", pause, interval};
    printf("%-26s", title);
    BINE_GROUP(both, BINE_GROUP_ALL) {
        bine_group_spawn(&both, repetitive_message, &tick);
        bine_group_spawn(&both, repetitive_message, &tock);
    }
    putchar('\n');
}

static void *run(void *arg)
{
    (void)arg;
    show("busy, 1 ms:", busy, BINE_MS);
    show("careless, nothing:", careless, 0);
    show("right, 1 ms:", bine_sleep, BINE_MS);
    show("right, nothing:", bine_sleep, 0);
    return NULL;
}

int main(int argc, char **argv)
{
    (void)argc;
    /* Who is busy would wait for ever on the virtual clock. */
    return trace_main(2, (char *[]){argv[0], "--real", NULL}, run);
}
