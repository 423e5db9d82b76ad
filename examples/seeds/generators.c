/* SPDX-License-Identifier: MIT
 *
 * A generator, slide by slide: next, send, close, throw.
 *
 * It is a function that hands out values and stands still in between.  It has a stack of its own and needs
 * no loop: main() below has none.  Values are void *; these programs put small numbers into them. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void *boxed(intptr_t number)
{
    return (void *)number;
}

static void *fib(bine_gen *g, void *arg)
{
    intptr_t a = 0;
    intptr_t b = 1;
    for (intptr_t n = (intptr_t)arg; n > 0; n--) {
        if (bine_gen_yield(g, boxed(a), NULL) < 0)
            break;
        intptr_t sum = a + b;
        a = b;
        b = sum;
    }
    return NULL;
}

/* Hands out the sum of all that was sent to it. */
static void *running_sum(bine_gen *g, void *arg)
{
    intptr_t sum = 0;
    void *sent;
    (void)arg;
    while (bine_gen_yield(g, boxed(sum), &sent) == 0)
        sum += (intptr_t)sent;
    printf("  inside: %s\n", errno == ECANCELED ? "closed" : strerror(errno));
    return bine_fail(errno);
}

/* The same; what is thrown into it is answered once, and then it ends. */
static void *forgiving_sum(bine_gen *g, void *arg)
{
    static char error[] = "error";
    intptr_t sum = 0;
    void *sent;
    (void)arg;
    while (bine_gen_yield(g, boxed(sum), &sent) == 0)
        sum += (intptr_t)sent;
    bine_gen_yield(g, error, NULL);
    return NULL;
}

/* The first value sent would go nowhere, since nothing waits for it yet: a generator is begun with NULL. */
static bine_gen *begun(bine_gen_fn *fn)
{
    bine_gen *g = bine_gen_new(fn, NULL);
    void *value = NULL;
    if (!g)
        return NULL;
    printf("created: nothing has run; send(7) to it: %s\n",
           bine_gen_send(g, boxed(7), &value) < 0 ? strerror(errno) : "went");
    bine_gen_send(g, NULL, &value);
    printf("send(nothing) -> %" PRIdPTR "\n", (intptr_t)value);
    for (intptr_t i = 1; i <= 3; i++) {
        bine_gen_send(g, boxed(i), &value);
        printf("send(%" PRIdPTR ") -> %" PRIdPTR "\n", i, (intptr_t)value);
    }
    return g;
}

int main(void)
{
    void *value = NULL;
    bine_gen *g = bine_gen_new(fib, boxed(10));
    BINE_FOR_EACH(number, g)
        printf("%" PRIdPTR "\n", (intptr_t)number);
    bine_gen_free(g);

    puts("\nclose");
    g = begun(running_sum);
    printf("close -> %d\n", bine_gen_close(g));
    printf("next -> %d: it has ended\n", bine_gen_next(g, &value));
    bine_gen_free(g);

    puts("\nthrow");
    g = begun(running_sum);
    int how = bine_gen_throw(g, EIO, &value);
    printf("throw(EIO) -> %d: %s\n", how, strerror(errno));
    bine_gen_free(g);

    puts("\nthrow, handled");
    g = begun(forgiving_sum);
    how = bine_gen_throw(g, EIO, &value);
    printf("throw(EIO) -> %d: \"%s\"\n", how, (char *)value);
    printf("next -> %d: it has ended\n", bine_gen_next(g, &value));
    bine_gen_free(g);
    return 0;
}
