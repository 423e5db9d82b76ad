/* SPDX-License-Identifier: MIT
 *
 * The depth bench: what a context switch costs where it is really made, some calls deep in a task.
 *
 * A switch that ends in something other than the `ret` its `call` promised leaves the processor's return
 * stack out of step, and the frames above pay for it; two contexts playing ping-pong in a loop never show
 * that.  So each context here descends 0 to 16 frames, switches to the next in a ring of 2 or 1000, and when it
 * is resumed returns all the way up, and again.
 *
 * As in the library the switch stands in one function that is not inlined, door(); "pingpong" alone has it
 * inlined into two loops.  Built once for each way to switch (tests/bench/run.sh): -DSWITCH names the header.
 *
 * Prints "pingpong", and "depth-CONTEXTS-FRAMES": ns for a descent, a switch and the return. */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>

#ifndef SWITCH
#define SWITCH "arch/context.h"
#endif
#include SWITCH

#include "../measure.h"

enum { MOST = 1000, STACK = 64 * 1024, SWITCHES = 2000000, LINE = 64, LINES_OF_A_PAGE = 64 };
enum { BARE = 10 }; /* times as many switches where there is nothing but them: a run must last */

struct node {
    struct bine__context context;
    struct node *next;
} __attribute__((aligned(64)));

static struct node ring[MOST];
static int frames;            /* how deep the switch is made */
static struct node *starting; /* a new context learns here which it is */

#define REAL_CALL __attribute__((noinline, noclone))

static REAL_CALL void door(struct node *self)
{
    bine__context_switch(&self->context, &self->next->context);
}

static REAL_CALL void descend(struct node *self, int more)
{
    if (more == 0)
        door(self);
    else
        descend(self, more - 1);
    __asm__ volatile("" : : : "memory"); /* so that the call above is no tail call */
}

/* All contexts run the same code, as the tasks of a server do. */
static REAL_CALL void run_deep(struct node *self, long rounds)
{
    while (rounds-- > 0) {
        if (frames == 0)
            door(self);
        else
            descend(self, frames - 1);
    }
}

/* Ping-pong: two loops with nothing but the switch in them. */
static REAL_CALL void run_inlined(struct node *self, long rounds)
{
    while (rounds-- > 0)
        bine__context_switch(&self->context, &self->next->context);
}

static struct node *begin(void)
{
    struct node *self = starting;
    starting = self->next;
    return self;
}

static void serve_deep(void)
{
    run_deep(begin(), LONG_MAX);
}

static void serve_inlined(void)
{
    struct node *self = begin();
    for (;;)
        bine__context_switch(&self->context, &self->next->context);
}

/* ring[0] is this context; the others are new, each on a stack of its own whose top is staggered by lines. */
static double measure(int n, char *stacks, void (*entry)(void))
{
    void (*run)(struct node *, long) = entry == serve_deep ? run_deep : run_inlined;
    long rounds = (entry == serve_deep ? SWITCHES : SWITCHES * BARE) / n;
    for (int i = 0; i < n; i++) {
        ring[i].next = &ring[(i + 1) % n];
        if (i > 0)
            bine__context_make(&ring[i].context,
                               stacks + (size_t)(i + 1) * STACK - (size_t)(i % LINES_OF_A_PAGE) * LINE, entry);
    }
    starting = &ring[1];
    run(&ring[0], rounds / 10 + 1); /* in the first of these all are started */
    int64_t start = cpu_now();
    run(&ring[0], rounds);
    return (double)(cpu_now() - start) / ((double)rounds * n);
}

int main(void)
{
    static const int depths[] = {0, 1, 2, 4, 8, 16};
    static const int sizes[] = {2, MOST};
    char *stacks = mmap(NULL, (size_t)MOST * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        return 1;
    figure("pingpong", measure(2, stacks, serve_inlined), "ns");
    for (int s = 0; s < 2; s++)
        for (int d = 0; d < 6; d++) {
            char name[32];
            frames = depths[d];
            snprintf(name, sizeof name, "depth-%d-%d", sizes[s], depths[d]);
            figure(name, measure(sizes[s], stacks, serve_deep), "ns");
        }
    return 0;
}
