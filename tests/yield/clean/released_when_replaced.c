/* SPDX-License-Identifier: MIT
 *
 * Each brings a newer list and sets it in place of what is there, which is released; who finds a list after all keeps
 * the newer of the two. */
#include "../corpus.h"

struct list {
    int version;
};
struct store {
    struct list *list;
    int versions;
};

static struct list *load(struct store *store)
{
    struct list *list = (struct list *)calloc(1, sizeof *list);
    bine_sleep(BINE_MS);
    list->version = ++store->versions;
    return list;
}

static void replace(struct list **place, struct list *list)
{
    if (*place)
        free(*place);
    *place = list;
}

static void *refresher(void *arg)
{
    struct store *store = (struct store *)arg;
    for (int i = 0; i < 3; i++)
        replace(&store->list, load(store));
    return NULL;
}

static void *reader(void *arg)
{
    struct store *store = (struct store *)arg;
    for (int i = 0; i < 3; i++) {
        bine_yield();
        if (store->list)
            continue;
        struct list *list = load(store);
        if (store->list && store->list->version > list->version)
            free(list);
        else
            replace(&store->list, list);
    }
    return NULL;
}

static void *program(void *arg)
{
    struct store store = {NULL, 0};
    both(reader, &store, refresher, &store);
    EXPECT(store.list && store.list->version >= 3);
    replace(&store.list, NULL);
    return arg;
}
PROGRAM(program)
