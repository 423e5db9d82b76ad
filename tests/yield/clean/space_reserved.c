/* SPDX-License-Identifier: MIT
 *
 * What is stored, what is reserved and what is wanted must not be more than there is; what is wanted is reserved at
 * once, and turned into what is stored when it has come. */
#include "../corpus.h"

static struct disk {
    unsigned long stored, reserved, room;
    unsigned refused;
} disk = {0, 0, 90, 0};

static int receive(unsigned long size)
{
    bine_sleep((bine_ns)(size % 5 + 1) * BINE_MS);
    return size == 17 ? -1 : 0;
}

static void store(struct disk *on, unsigned long size)
{
    if (on->stored + on->reserved + size > on->room) {
        on->refused++;
        return;
    }
    on->reserved += size;
    int failed = receive(size);
    on->reserved -= size;
    if (!failed)
        on->stored += size;
}

static void *upload(void *arg)
{
    static const unsigned long sizes[] = {28, 17, 22, 35};
    for (unsigned i = 0; i < 4; i++) {
        unsigned long size = sizes[(i + (unsigned)(uintptr_t)arg) % 4];
        store(&disk, size);
        bine_sleep(BINE_MS);
    }
    return NULL;
}

static void *program(void *arg)
{
    BINE_GROUP(group, BINE_GROUP_ALL)
        for (uintptr_t i = 0; i < 3; i++)
            bine_group_spawn(&group, upload, (void *)i);
    EXPECT(disk.reserved == 0 && disk.stored <= disk.room && disk.refused > 0);
    return arg;
}
PROGRAM(program)
