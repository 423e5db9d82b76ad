/* SPDX-License-Identifier: MIT
 *
 * A broadcast walks the list of members and sends to each; a member leaves, and is freed, meanwhile.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD */
#include "../corpus.h"

struct member {
    int id;
#ifdef FIXED
    int pinned;
    bool gone;
#endif
    struct member *next;
};
static struct member *room;
static int heard;

static void join_room(int id)
{
    struct member *m = calloc(1, sizeof *m);
    m->id = id;
    m->next = room;
    room = m;
}

static void *broadcast(void *arg)
{
    struct member *m, *next;
    for (m = room; m; m = next) {
#ifdef FIXED
        m->pinned++;
#endif
        bine_sleep(2 * BINE_MS); /* SITE gave-up */
        heard += m->id;          /* SITE acted */
        next = m->next;
#ifdef FIXED
        if (--m->pinned == 0 && m->gone)
            free(m);
#endif
    }
    return arg;
}

static void *leave(void *arg)
{
    bine_sleep(BINE_MS);
    struct member *m = room;
    room = m->next;
#ifdef FIXED
    m->gone = true;
    if (m->pinned == 0)
#endif
    free(m); /* SITE wrote */
    return arg;
}

static void *program(void *arg)
{
    for (int i = 1; i <= 3; i++)
        join_room(i);
    both(broadcast, NULL, leave, NULL);
    while (room) {
        struct member *m = room;
        room = m->next;
        free(m);
    }
    return arg;
}
PROGRAM(program)
