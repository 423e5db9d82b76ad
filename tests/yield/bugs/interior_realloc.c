/* SPDX-License-Identifier: MIT
 *
 * The same by realloc().
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

static int *numbers;
static size_t count = 4;

static void *add_up(void *arg)
{
    int sum = 0;
    for (size_t i = 0; i < 2; i++) {
        int *n = &numbers[i];
#ifdef FIXED
        bine_yield();
        n = &numbers[i];
#else
        bine_yield(); /* SITE gave-up */
#endif
        sum += *n; /* SITE acted */
    }
    EXPECT(sum == 1);
    return arg;
}

static void *grow(void *arg)
{
    count = 100000;
    numbers = realloc(numbers, count * sizeof *numbers); /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (int)i;
    both(add_up, NULL, grow, NULL);
    free(numbers);
    return arg;
}
PROGRAM(program)
