/* SPDX-License-Identifier: MIT
 *
 * Looked up for reading; where missing, looked up again for writing, and put in. */
#include "../corpus.h"

static bine_rwlock lock = BINE_RWLOCK_INIT;
static int table[8], inserted;

static void *insert(void *arg)
{
    int key = *(int *)arg;
    bine_rwlock_read(&lock);
    bool missing = table[key] == 0;
    bine_sleep(BINE_MS);
    bine_rwlock_unlock(&lock);
    if (missing) {
        bine_rwlock_write(&lock);
        if (table[key] == 0) {
            bine_sleep(BINE_MS);
            table[key] = key + 100;
            inserted++;
        }
        bine_rwlock_unlock(&lock);
    }
    return NULL;
}

static void *program(void *arg)
{
    static int key = 3;
    both(insert, &key, insert, &key);
    EXPECT(inserted == 1);
    return arg;
}
PROGRAM(program)
