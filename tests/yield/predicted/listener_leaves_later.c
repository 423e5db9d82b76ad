/* SPDX-License-Identifier: MIT
 *
 * Listeners are told one after the other, and each may take its time; today none leaves before all have been told.
 * KIND: USE-AFTER-FREE */
#include "../corpus.h"

struct listener {
    struct listener *next;
    int id, told;
};
static struct listener *first;

static void *tell_all(void *arg)
{
#ifdef FIXED
    int ids[4], n = 0;
    for (struct listener *one = first; one; one = one->next)
        ids[n++] = one->id;
    for (int i = 0; i < n; i++) {
        bine_sleep(BINE_MS);
        for (struct listener *one = first; one; one = one->next)
            one->told += one->id == ids[i];
    }
#else
    for (struct listener *one = first; one; one = one->next) { /* SITE acted */
        one->told++;                                           /* SITE looked */
        bine_sleep(BINE_MS);                                   /* SITE gave-up acted */
    }
#endif
    return arg;
}

static void *leave(void *arg)
{
    bine_sleep(BINE_MINUTE);
    for (struct listener **link = &first; *link; link = &(*link)->next)
        if ((*link)->id == 2) {
            struct listener *gone = *link;
            *link = gone->next;
            free(gone); /* SITE wrote */
            break;
        }
    return arg;
}

static void *program(void *arg)
{
    for (int i = 1; i <= 3; i++) {
        struct listener *one = calloc(1, sizeof *one);
        one->id = i;
        one->next = first;
        first = one;
    }
    both(tell_all, NULL, leave, NULL);
    for (struct listener *next; first; first = next) {
        next = first->next;
        EXPECT(first->told == 1);
        free(first);
    }
    return arg;
}
PROGRAM(program)
