/* SPDX-License-Identifier: MIT
 *
 * The stacks of tasks that have ended are given to others, and to generators; what stood there is gone, and nobody
 * asks for it. */
#include "../corpus.h"

struct slip {
    int number;
    struct slip *next;
    char text[24];
};
static struct slip *head;
static int sum;

static void *clerk(void *arg)
{
    struct slip slip = {(int)(intptr_t)arg, head, ""};
    head = &slip;
    snprintf(slip.text, sizeof slip.text, "slip %d", slip.number);
    bine_yield();
    sum += slip.number;
    for (struct slip **at = &head; *at; at = &(*at)->next)
        if (*at == &slip) {
            *at = slip.next;
            break;
        }
    return NULL;
}

static void *squares(bine_gen *gen, void *arg)
{
    int row[8] = {0};
    for (int i = 0; i < *(int *)arg; i++) {
        row[i % 8] += i * i;
        if (bine_gen_yield(gen, &row[i % 8], NULL) < 0)
            break;
    }
    return NULL;
}

static void *program(void *arg)
{
    for (int round = 0; round < 4; round++) {
        int n = 5;
        void *square;
        both(clerk, (void *)1, clerk, (void *)2);
        bine_gen *gen = bine_gen_new(squares, &n);
        EXPECT(gen != NULL);
        while (bine_gen_next(gen, &square) == 1)
            sum += *(int *)square;
        bine_gen_free(gen);
    }
    EXPECT(sum == 4 * (3 + 30) && head == NULL);
    return arg;
}
PROGRAM(program)
