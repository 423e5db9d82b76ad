/* SPDX-License-Identifier: MIT
 *
 * Task and Scheduler by hand: results and failures by the task's id.
 *
 * A task is a generator and a number.  It yields nothing, only its turn; what it returns is its result.
 * The scheduler keeps a round of runnable tasks and gives each one step at a time.  No loop of bine's is
 * used. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../lib/lucas.h"

enum { TASKS_MAX = 8 };

struct task {
    bine_gen *routine;
    unsigned id;
};

struct scheduler {
    struct task runnable[TASKS_MAX]; /* a ring */
    unsigned first, count;
    unsigned next_id;
    bine_result ended[TASKS_MAX]; /* by id */
};

static void append(struct scheduler *s, struct task task)
{
    s->runnable[(s->first + s->count++) % TASKS_MAX] = task;
}

static unsigned add(struct scheduler *s, bine_gen *routine)
{
    append(s, (struct task){routine, s->next_id});
    return s->next_id++;
}

static void run_to_completion(struct scheduler *s)
{
    while (s->count > 0) {
        struct task task = s->runnable[s->first];
        void *value = NULL;
        s->first = (s->first + 1) % TASKS_MAX;
        s->count--;
        printf("Running task %u ... ", task.id);
        int how = bine_gen_next(task.routine, &value);
        if (how == 1) {
            puts("now yielded");
            append(s, task);
            continue;
        }
        bine_gen_result(task.routine, &s->ended[task.id]);
        if (how == 0)
            printf("completed with result: %" PRIu64 "\n", *(const uint64_t *)value);
        else
            printf("failed: %s\n", why(errno));
        bine_gen_free(task.routine);
    }
}

struct search {
    unsigned items;  /* how far it looks */
    unsigned digits; /* what it looks for */
    uint64_t found;
};

/* A search made cooperative: the same, with a yield after each item. */
static void *async_search(bine_gen *g, void *arg)
{
    struct search *search = arg;
    bine_gen *items = bine_gen_new(lucas, &search->items);
    void *result = bine_fail(items ? ENOENT : ENOMEM);
    void *item = NULL;
    while (items && bine_gen_next(items, &item) == 1) {
        search->found = *(const uint64_t *)item;
        if (count_digits(search->found) >= search->digits) {
            result = &search->found;
            break;
        }
        if (bine_gen_yield(g, NULL, NULL) < 0)
            break;
    }
    if (items)
        bine_gen_free(items);
    return result;
}

int main(void)
{
    struct scheduler scheduler = {.next_id = 0};
    struct search searches[] = {{90, 3, 0}, {4, 6, 0}, {90, 2, 0}};
    for (int i = 0; i < 3; i++)
        add(&scheduler, bine_gen_new(async_search, &searches[i]));
    run_to_completion(&scheduler);
    for (unsigned id = 0; id < scheduler.next_id; id++) {
        bine_result result = scheduler.ended[id];
        if (result.error)
            printf("%u failed: %s\n", id, why(result.error));
        else
            printf("%u found %" PRIu64 "\n", id, *(const uint64_t *)result.value);
    }
    return EXIT_SUCCESS;
}
