/* SPDX-License-Identifier: MIT
 *
 * An intrusive, circular, doubly linked list: how waiters stand in line.
 *
 * An unlinked node points to itself, so that unlinking twice is harmless.  A node often lies on a
 * parked task's stack: whoever wakes the task unlinks the node first and touches it no more. */
#ifndef BINE_RUNTIME_LIST_H
#define BINE_RUNTIME_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct bine__list {
    struct bine__list *next, *previous;
};

#define bine__list_entry(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

static inline void bine__list_init(struct bine__list *list)
{
    list->next = list->previous = list;
}

static inline bool bine__list_empty(const struct bine__list *list)
{
    return list->next == list;
}

static inline void bine__list_insert_before(struct bine__list *place, struct bine__list *node)
{
    node->next = place;
    node->previous = place->previous;
    place->previous->next = node;
    place->previous = node;
}

/* At the end of the line. */
static inline void bine__list_append(struct bine__list *list, struct bine__list *node)
{
    bine__list_insert_before(list, node);
}

static inline void bine__list_remove(struct bine__list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    bine__list_init(node);
}

#endif
