/* SPDX-License-Identifier: MIT
 *
 * "yield from": a generator that hands out all that another gives, and gets what that one returns.
 *
 * fetcher() passes each value on by hand; delegate() leaves it to bine_gen_from(), at a cost per value
 * that does not grow with the depth.  And what a generator of Python needs this for most, to call
 * something that yields on its behalf, is a plain call here: the body has a stack, so one_and_two() may
 * yield from inside any function (last part). */
#include <bine.h>

#include <inttypes.h>
#include <stdio.h>

static void *boxed(intptr_t number)
{
    return (void *)number;
}

static void *count_to_four(bine_gen *g, void *arg)
{
    (void)arg;
    for (intptr_t i = 0; i < 4; i++)
        if (bine_gen_yield(g, boxed(i), NULL) < 0)
            break;
    return NULL;
}

static void *fetcher(bine_gen *g, void *sub)
{
    BINE_FOR_EACH(value, sub)
        if (bine_gen_yield(g, value, NULL) < 0)
            break;
    return NULL;
}

static void *delegate(bine_gen *g, void *sub)
{
    void *returned = NULL;
    if (bine_gen_from(g, sub, &returned) == 0 && returned)
        printf("  it returned %" PRIdPTR "\n", (intptr_t)returned);
    return returned;
}

static int one_and_two(bine_gen *g)
{
    return bine_gen_yield(g, boxed(1), NULL) < 0 ? -1 : bine_gen_yield(g, boxed(2), NULL);
}

static void *gen1(bine_gen *g, void *arg)
{
    (void)arg;
    return one_and_two(g) < 0 ? NULL : boxed(3);
}

/* What Python's generators are sugar for: a state, and what comes next. */
struct by_hand {
    int next;
};

static bool by_hand_next(struct by_hand *state, intptr_t *value)
{
    *value = state->next++;
    return *value <= 2;
}

static void *call_it_directly(bine_gen *g, void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++)
        if (one_and_two(g) < 0)
            return NULL;
    return boxed(3);
}

static void show(const char *title, bine_gen *g, bine_gen *sub)
{
    bine_result result = {NULL, 0};
    puts(title);
    BINE_FOR_EACH(value, g)
        printf("%" PRIdPTR "\n", (intptr_t)value);
    if (bine_gen_result(g, &result) == 0 && result.value)
        printf("%s returned %" PRIdPTR "\n", title, (intptr_t)result.value);
    bine_gen_free(g);
    if (sub)
        bine_gen_free(sub);
}

int main(void)
{
    bine_gen *sub = bine_gen_new(count_to_four, NULL);
    show("fetcher", bine_gen_new(fetcher, sub), sub);
    sub = bine_gen_new(count_to_four, NULL);
    show("delegate", bine_gen_new(delegate, sub), sub);
    sub = bine_gen_new(gen1, NULL);
    show("gen2", bine_gen_new(delegate, sub), sub);

    /* A chain of a hundred: the leaf is entered directly, and its value goes straight to the consumer. */
    bine_gen *chain[101];
    void *value = NULL;
    chain[0] = bine_gen_new(count_to_four, NULL);
    for (int i = 1; i <= 100; i++)
        chain[i] = bine_gen_new(delegate, chain[i - 1]);
    puts("a hundred deep");
    while (bine_gen_next(chain[100], &value) == 1)
        printf("%" PRIdPTR "\n", (intptr_t)value);
    for (int i = 100; i >= 0; i--)
        bine_gen_free(chain[i]);

    puts("by hand");
    struct by_hand state = {1};
    for (intptr_t i; by_hand_next(&state, &i);)
        printf("%" PRIdPTR "\n", i);
    show("plain calls", bine_gen_new(call_it_directly, NULL), NULL);
    return 0;
}
