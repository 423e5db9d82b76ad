/* SPDX-License-Identifier: MIT
 *
 * An event loop in ten lines: run(a(), b()).
 *
 *     scheduler [--real]
 *
 * A generator that wants to sleep yields for how long; run() resumes each when its time has come.  Only
 * generators are used, no loop of bine's: this is what a loop is made of.  --real sleeps; else time jumps
 * to the next one's turn. */
#include <bine.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

static bine_ns clock_now; /* since the start of the trace */
static bool real;

static void trace(const char *what)
{
    printf("%d.%03d %s\n", (int)(clock_now / BINE_SECOND), (int)(clock_now / BINE_MS % 1000), what);
}

static int pause_for(bine_gen *g, bine_ns time)
{
    return bine_gen_yield(g, &time, NULL);
}

static void *a(bine_gen *g, void *arg)
{
    (void)arg;
    trace("a enter");
    pause_for(g, BINE_SECOND);
    trace("a exit");
    return NULL;
}

static void *b(bine_gen *g, void *arg)
{
    (void)arg;
    trace("b enter");
    pause_for(g, BINE_SECOND / 2);
    trace("b middle");
    pause_for(g, BINE_SECOND / 2);
    trace("b exit");
    return NULL;
}

/* Sleeping as a generator of its own, delegated to: the slide's "yield from sleep(1)". */
static void *nap(bine_gen *g, void *arg)
{
    trace("sleep enter");
    pause_for(g, *(const bine_ns *)arg);
    trace("sleep exit");
    return NULL;
}

static void *foo(bine_gen *g, void *arg)
{
    bine_ns second = BINE_SECOND;
    bine_gen *sub = bine_gen_new(nap, &second);
    (void)arg;
    trace("foo enter");
    if (!sub || bine_gen_from(g, sub, NULL) < 0)
        trace("foo failed");
    else
        trace("foo exit");
    if (sub)
        bine_gen_free(sub);
    return NULL;
}

static void advance_to(bine_ns time)
{
    bine_ns left = time - clock_now;
    if (left > 0 && real)
        nanosleep(&(struct timespec){left / BINE_SECOND, left % BINE_SECOND}, NULL);
    if (left > 0)
        clock_now = time;
}

static void run(bine_gen *gens[], size_t n)
{
    bine_ns wakes[4] = {0};
    clock_now = 0;
    for (;;) {
        size_t first = n;
        for (size_t i = 0; i < n; i++)
            if (gens[i] && (first == n || wakes[i] < wakes[first]))
                first = i;
        if (first == n)
            return;
        void *pause = NULL;
        advance_to(wakes[first]);
        if (bine_gen_next(gens[first], &pause) == 1) {
            wakes[first] = clock_now + *(const bine_ns *)pause;
        } else {
            bine_gen_free(gens[first]);
            gens[first] = NULL;
        }
    }
}

int main(int argc, char **argv)
{
    real = argc > 1 && strcmp(argv[1], "--real") == 0;
    run((bine_gen *[]){bine_gen_new(a, NULL), bine_gen_new(b, NULL)}, 2);
    puts("");
    run((bine_gen *[]){bine_gen_new(foo, NULL)}, 1);
    return 0;
}
