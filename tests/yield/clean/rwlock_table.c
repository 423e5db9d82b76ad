/* SPDX-License-Identifier: MIT
 *
 * Readers read and a writer writes under a read-write lock, with waits inside. */
#include "../corpus.h"

static bine_rwlock lock = BINE_RWLOCK_INIT;
static int a = 1, b = -1;

static void *reader(void *arg)
{
    for (int i = 0; i < 5; i++) {
        bine_rwlock_read(&lock);
        int x = a;
        bine_sleep(BINE_MS);
        EXPECT(x + b == 0);
        bine_rwlock_unlock(&lock);
        bine_yield();
    }
    return arg;
}

static void *writer(void *arg)
{
    for (int i = 2; i < 6; i++) {
        bine_rwlock_write(&lock);
        a = i;
        bine_sleep(BINE_MS);
        b = -i;
        bine_rwlock_unlock(&lock);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *program(void *arg)
{
    both(reader, NULL, writer, NULL);
    return arg;
}
PROGRAM(program)
