/* SPDX-License-Identifier: MIT
 *
 * A generator that hands out an object once and then only changes it; and one that is there to receive.
 *
 * Saves memory, and is as dangerous as in Python: what the consumer holds changes under its hands.  Here
 * that is plain to see, since the object lies on the generator's stack: freed with the generator, so keep
 * no pointer past that. */
#include <bine.h>

#include <stdio.h>

struct dict {
    bool has_value;
    int value;
};

static void *counting(bine_gen *g, void *arg)
{
    struct dict d = {false, 0};
    (void)arg;
    if (bine_gen_yield(g, &d, NULL) < 0)
        return NULL;
    d.has_value = true;
    while (bine_gen_yield(g, NULL, NULL) == 0)
        d.value++;
    return NULL;
}

static void print(const struct dict *d)
{
    if (d->has_value)
        printf("{'value': %d}\n", d->value);
    else
        puts("{}");
}

static void *writer(bine_gen *g, void *arg)
{
    void *text;
    (void)arg;
    while (bine_gen_yield(g, NULL, &text) == 0)
        printf("was received: %s\n", (const char *)text);
    return NULL;
}

/* The first slide of all: 10, then 20. */
static void *once_and_twice(bine_gen *g, void *arg)
{
    int x = *(const int *)arg;
    int twice = 2 * x;
    if (bine_gen_yield(g, &x, NULL) == 0)
        bine_gen_yield(g, &twice, NULL);
    return NULL;
}

int main(void)
{
    int ten = 10;
    void *value = NULL;
    bine_gen *g = bine_gen_new(once_and_twice, &ten);
    while (bine_gen_next(g, &value) == 1)
        printf("%d\n", *(const int *)value);
    bine_gen_free(g);

    g = bine_gen_new(counting, NULL);
    bine_gen_next(g, &value);
    const struct dict *d = value;
    print(d);
    bine_gen_next(g, NULL);
    print(d); /* the same object */
    bine_gen_next(g, NULL);
    print(d);
    bine_gen_free(g);

    static char words[] = "some text";
    static char number[] = "10";
    bine_gen *w = bine_gen_new(writer, NULL);
    bine_gen_send(w, NULL, NULL); /* up to its first yield */
    bine_gen_send(w, number, NULL);
    bine_gen_send(w, words, NULL);
    bine_gen_free(w);
    return 0;
}
