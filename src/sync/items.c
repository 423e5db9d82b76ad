/* SPDX-License-Identifier: MIT
 *
 * A ring and a binary heap: see items.h. */
#include "sync/items.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 8 };

static bool grow(struct bine__items *items)
{
    size_t each = items->order == BINE_QUEUE_PRIORITY ? sizeof *items->at.heap : sizeof *items->at.ring;
    size_t room = items->room ? items->room * 2 : FIRST_ROOM, bytes;
    if (room < items->room || __builtin_mul_overflow(room, each, &bytes))
        return false;
    void *memory = realloc(items->at.memory, bytes);
    if (!memory)
        return false;
    items->at.memory = memory;
    /* What had wrapped round to the ring's beginning goes on behind its former end. */
    if (items->order != BINE_QUEUE_PRIORITY && items->head)
        memcpy(items->at.ring + items->room, items->at.ring, items->head * each);
    items->room = room;
    return true;
}

static bool before(const struct bine__item *a, const struct bine__item *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->order < b->order;
}

static void rise(struct bine__item *heap, size_t at, struct bine__item item)
{
    for (size_t above; at > 0 && before(&item, &heap[above = (at - 1) / 2]); at = above)
        heap[at] = heap[above];
    heap[at] = item;
}

static void sink(struct bine__item *heap, size_t length, struct bine__item item)
{
    size_t at = 0;
    for (size_t below; (below = 2 * at + 1) < length; at = below) {
        if (below + 1 < length && before(&heap[below + 1], &heap[below]))
            below++;
        if (!before(&heap[below], &item))
            break;
        heap[at] = heap[below];
    }
    heap[at] = item;
}

bool bine__items_push(struct bine__items *items, void *value, int64_t priority)
{
    if (items->length == items->room && !grow(items))
        return false;
    if (items->order == BINE_QUEUE_PRIORITY)
        rise(items->at.heap, items->length, (struct bine__item){priority, items->puts++, value});
    else
        items->at.ring[(items->head + items->length) & (items->room - 1)] = value;
    items->length++;
    return true;
}

void *bine__items_pop(struct bine__items *items)
{
    void *value = NULL;
    items->length--;
    switch (items->order) {
    case BINE_QUEUE_FIFO:
        value = items->at.ring[items->head];
        items->head = (items->head + 1) & (items->room - 1);
        break;
    case BINE_QUEUE_LIFO:
        value = items->at.ring[items->length]; /* its head stays 0 */
        break;
    case BINE_QUEUE_PRIORITY:
        value = items->at.heap[0].value;
        if (items->length)
            sink(items->at.heap, items->length, items->at.heap[items->length]);
        break;
    }
    return value;
}

void bine__items_free(struct bine__items *items)
{
    free(items->at.memory);
    *items = (struct bine__items){.order = items->order};
}
