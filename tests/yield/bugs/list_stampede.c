/* SPDX-License-Identifier: MIT
 *
 * A table of lists: nobody has the page yet, so it is rendered and added; two do, and it is there twice.
 * KIND: STALE-CHECK LOST-UPDATE
 * STAGGERED: no */
#include "../corpus.h"

enum { LISTS = 4 };
struct page {
    struct page *next;
    int number;
    double weight;
};
static struct page *pages[LISTS];

static struct page **list_of(int number)
{
    unsigned hash = 5381;
    for (int left = number; left > 0; left /= 10)
        hash = hash * 33 + (unsigned)(left % 10);
    return &pages[hash % LISTS];
}

static struct page *cached(int number)
{
    struct page *page = *list_of(number); /* SITE looked */
    while (page && page->number != number)
        page = page->next;
    return page;
}

static double render(int number)
{
    bine_sleep(number * BINE_MS); /* SITE gave-up */
    return number * 1.5;
}

static void add(int number, double weight)
{
    struct page *page = calloc(1, sizeof *page);
    page->number = number;
    page->weight = weight;
    page->next = *list_of(number);
    *list_of(number) = page; /* SITE wrote acted */
}

static void *visit(void *arg)
{
    int number = *(int *)arg;
    if (!cached(number)) {
        double weight = render(number);
#ifdef FIXED
        if (!cached(number))
#endif
            add(number, weight);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int number = 17;
    int count = 0;
    both(visit, &number, visit, &number);
    for (int i = 0; i < LISTS; i++)
        for (struct page *page = pages[i], *next; page; page = next, count++) {
            next = page->next;
            free(page);
        }
    EXPECT(count == 1);
    return arg;
}
PROGRAM(program)
