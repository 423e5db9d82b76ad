/* SPDX-License-Identifier: MIT
 *
 * The seat is taken off the free ones, the payment runs into its deadline, and nobody gives the seat back.
 * KIND: INVARIANT */
#include "../corpus.h"

#include <bine/check.h>

enum { SEATS = 10 };
static int free_seats = SEATS, sold, held;

static bool counted(void *arg)
{
    (void)arg;
    return free_seats + sold + held == SEATS;
}

static bool pay(void)
{
    return bine_sleep(BINE_MINUTE) == 0; /* SITE gave-up */
}

static void *book(void *arg)
{
    free_seats--;
#ifdef FIXED
    held++;
#endif
    bool paid = false;
    BINE_TIMEOUT(BINE_SECOND)
    {
        paid = pay();
    }
#ifdef FIXED
    held--;
    if (paid)
        sold++;
    else
        free_seats++;
#else
    if (paid)
        sold++;
#endif
    return arg;
}

static void *program(void *arg)
{
    bine_invariant("every seat is somewhere", counted, NULL);
    bine_join(bine_spawn(book, NULL), NULL);
    EXPECT(counted(NULL));
    bine_invariant_drop(counted, NULL);
    return arg;
}
PROGRAM(program)
