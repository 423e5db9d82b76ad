/* SPDX-License-Identifier: MIT
 *
 * Counters of eight bytes that begin at 0, shown before and after a wait; and a bit field whose neighbour in the
 * word is counted by others. */
#include "../corpus.h"

#include <stdint.h>

static struct {
    uint64_t begun, ended, bytes;
    unsigned open : 20, unsaved : 4;
#ifdef __clang__ /* which tells of the whole word, whatever field is meant */
    unsigned writer;
#else
    unsigned writer : 8;
#endif
} totals;
static char shown[80];
static int saves;

static void show(void)
{
    snprintf(shown, sizeof shown, "%llu of %llu, %u open", (unsigned long long)totals.ended,
             (unsigned long long)totals.begun, totals.open);
    bine_yield();
}

static void save(void)
{
    if (totals.writer) {
        bine_sleep(BINE_MS);
        saves++;
        totals.writer = 0;
    }
}

static void *transfer(void *arg)
{
    int size = *(int *)arg;
    for (int i = 0; i < 3; i++) {
        totals.begun++;
        totals.open++;
        show();
        bine_sleep(size * BINE_MS);
        totals.bytes += (unsigned)size;
        totals.open--;
        totals.ended++;
        show();
    }
    return NULL;
}

static void *saver(void *arg)
{
    save();
    return arg;
}

static void *program(void *arg)
{
    static int a = 1, b = 2;
    bine_result ignored;
    totals.writer = 1;
    bine_task *third = bine_spawn(saver, NULL);
    both(transfer, &a, transfer, &b);
    bine_join(third, &ignored);
    EXPECT(totals.begun == 6 && totals.ended == 6 && totals.bytes == 9 && totals.open == 0 && saves == 1);
    return arg;
}
PROGRAM(program)
