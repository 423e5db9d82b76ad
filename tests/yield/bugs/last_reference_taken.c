/* SPDX-License-Identifier: MIT
 *
 * The last reference is dropped, the object is saved, unlinked and freed; a look-up meanwhile takes it again.
 * KIND: USE-AFTER-FREE-ACROSS-YIELD STALE-CHECK */
#include "../corpus.h"

struct obj {
    int id, refs;
    long data;
    struct obj *next;
};

static struct obj *head;

static void save(struct obj *o)
{
    (void)o;
    bine_sleep(2 * BINE_MS);
}

static struct obj *get(int id)
{
    for (struct obj *o = head; o; o = o->next)
        if (o->id == id) {
            o->refs++;
            return o;
        }
    return NULL;
}

static void unlink_obj(struct obj *o)
{
    for (struct obj **p = &head; *p; p = &(*p)->next)
        if (*p == o) {
            *p = o->next;
            return;
        }
}

static void put(struct obj *o)
{
    if (--o->refs)
        return;
#ifdef FIXED
    unlink_obj(o);
    save(o);
#else
    save(o);
    unlink_obj(o);
#endif
    free(o); /* SITE wrote */
}

static void *first(void *arg)
{
    put(get(1));
    return arg;
}

static void *second(void *arg)
{
    bine_sleep(BINE_MS);
    struct obj *o = get(1); /* SITE looked */
    if (!o)
        return arg;
    bine_sleep(5 * BINE_MS); /* SITE gave-up */
    o->data++;               /* SITE acted */
    return arg;
}

static void *program(void *arg)
{
    head = calloc(1, sizeof *head);
    head->id = 1;
    both(first, NULL, second, NULL);
    return arg;
}
PROGRAM(program)
