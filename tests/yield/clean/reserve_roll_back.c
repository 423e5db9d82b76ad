/* SPDX-License-Identifier: MIT
 *
 * A place is reserved before the wait and given back if what follows fails. */
#include "../corpus.h"

static int free_places = 1, sold;

static bool pay(bool solvent)
{
    bine_sleep(BINE_MS);
    return solvent;
}

static void *book(void *arg)
{
    if (free_places == 0)
        return arg;
    free_places--;
    if (pay(*(bool *)arg))
        sold++;
    else
        free_places++;
    return NULL;
}

static void *program(void *arg)
{
    static bool poor = false, rich = true;
    both(book, &poor, book, &rich);
    both(book, &rich, book, &rich);
    EXPECT(sold == 1 && free_places == 0);
    return arg;
}
PROGRAM(program)
