/* SPDX-License-Identifier: MIT
 *
 * The lock is a remote one, and giving it back sends a message: what stands behind the release runs without it.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static bine_sem remote = BINE_SEM_INIT(1);
static int balance;

static void release(void)
{
    bine_sem_post(&remote);
    bine_sleep(BINE_MS); /* SITE gave-up: the server acknowledges */
}

static void *deposit(void *arg)
{
    bine_sem_wait(&remote);
    int now = balance; /* SITE looked */
#ifdef FIXED
    balance = now + 10;
    release();
#else
    release();
    balance = now + 10; /* SITE wrote acted */
#endif
    return arg;
}

static void *program(void *arg)
{
    both(deposit, NULL, deposit, NULL);
    EXPECT(balance == 20);
    return arg;
}
PROGRAM(program)
