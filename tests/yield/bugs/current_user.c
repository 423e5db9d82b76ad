/* SPDX-License-Identifier: MIT
 *
 * Who the current user is stands in a global variable, as it may in a process that serves one request at a time.
 * KIND: CLOBBERED */
#include "../corpus.h"

enum { ALICE, BOB };
static int orders[2];
#ifdef FIXED
static bine_key *user_key;
#else
static int current_user;
#endif

static void *handle(void *arg)
{
#ifdef FIXED
    bine_local_set(user_key, arg);
    bine_sleep(BINE_MS);
    orders[*(int *)bine_local_get(user_key)]++;
#else
    current_user = *(int *)arg; /* SITE looked wrote */
    bine_sleep(BINE_MS);        /* SITE gave-up */
    orders[current_user]++;     /* SITE acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    static int alice = ALICE, bob = BOB;
#ifdef FIXED
    user_key = bine_key_new(NULL);
#endif
    both(handle, &alice, handle, &bob);
#ifdef FIXED
    bine_key_free(user_key);
#endif
    EXPECT(orders[ALICE] == 1 && orders[BOB] == 1);
    return arg;
}
PROGRAM(program)
