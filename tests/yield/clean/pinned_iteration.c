/* SPDX-License-Identifier: MIT
 *
 * Who walks a list holds on to where it is; who removes leaves the last one to free it. */
#include "../corpus.h"

struct member {
    int id, pins;
    bool gone;
    struct member *next;
};
static struct member *room;
static int heard;

static void unpin(struct member *m)
{
    if (--m->pins == 0)
        free(m);
}

static void *broadcast(void *arg)
{
    struct member *m = room;
    if (m)
        m->pins++;
    while (m) {
        if (!m->gone)
            heard += m->id;
        bine_sleep(BINE_MS);
        struct member *next = m->next;
        if (next)
            next->pins++;
        unpin(m);
        m = next;
    }
    return arg;
}

static void *leave(void *arg)
{
    bine_yield();
    struct member *m = room;
    room = m->next;
    m->gone = true;
    unpin(m);
    return arg;
}

static void *program(void *arg)
{
    for (int i = 1; i <= 3; i++) {
        struct member *m = calloc(1, sizeof *m);
        *m = (struct member){i, 1, false, room};
        room = m;
    }
    both(broadcast, NULL, leave, NULL);
    EXPECT(heard == 6 || heard == 3);
    while (room) {
        struct member *m = room;
        room = m->next;
        unpin(m);
    }
    return arg;
}
PROGRAM(program)
