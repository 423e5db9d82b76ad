/* SPDX-License-Identifier: MIT
 *
 * Readers go over a list with waits between, all with the lock for reading; who removes from it, and frees, holds it
 * for writing. */
#include "../corpus.h"

struct entry {
    struct entry *next;
    int hits;
};
static struct entry *entries;
static bine_rwlock lock = BINE_RWLOCK_INIT;
static int seen;

static void *reader(void *arg)
{
    for (int i = 0; i < 3; i++) {
        bine_rwlock_read(&lock);
        for (struct entry *e = entries; e; e = e->next) {
            seen++;
            bine_sleep(BINE_MS);
            seen += e->hits;
        }
        bine_rwlock_unlock(&lock);
        bine_sleep(BINE_MS);
    }
    return arg;
}

static void *remover(void *arg)
{
    for (int i = 0; i < 3; i++) {
        bine_sleep(4 * BINE_MS);
        bine_rwlock_write(&lock);
        struct entry *e = entries;
        if (e) {
            entries = e->next;
            free(e);
        }
        bine_rwlock_unlock(&lock);
    }
    return arg;
}

static void *program(void *arg)
{
    for (int i = 0; i < 3; i++) {
        struct entry *e = calloc(1, sizeof *e);
        e->next = entries;
        entries = e;
    }
    both(reader, NULL, remover, NULL);
    EXPECT(!entries && seen >= 0);
    return arg;
}
PROGRAM(program)
