/* SPDX-License-Identifier: MIT
 *
 * Event: stays set until it is cleared.
 *
 * Who waited when it was set has been served, though it be cleared again before he runs. */
#include <bine/sync.h>

#include <string.h>

#include "sync/line.h"

struct bine__event { /* what a public bine_event holds */
    uint64_t set;
    struct bine__line line; /* empty while it is set */
} __attribute__((may_alias));

_Static_assert(sizeof(struct bine__event) <= sizeof(bine_event), "bine_event has room");

static struct bine__event *inside(bine_event *public)
{
    return (struct bine__event *)public;
}

int bine_event_init(bine_event *public)
{
    if (!public)
        return bine__error(EINVAL);
    memset(public, 0, sizeof *public);
    return 0;
}

int bine_event_destroy(bine_event *public)
{
    if (!public)
        return bine__error(EINVAL);
    if (!bine__line_empty(&inside(public)->line))
        return bine__error(EBUSY);
    return 0;
}

int bine_event_wait(bine_event *public)
{
    struct bine__event *event = inside(public);
    if (!event)
        return bine__refuse(EINVAL);
    struct bine_task *self = bine__begin();
    if (!self)
        return -1;
    if (event->set) {
        bine__check_found(event, false);
        return 0;
    }
    struct bine__turn turn;
    return bine__outcome(bine__line_wait(&event->line, &turn, self, BINE__WAIT_EVENT, event));
}

int bine_event_set(bine_event *public)
{
    struct bine__event *event = inside(public);
    if (!event)
        return bine__error(EINVAL);
    if (!bine__line_ours(&event->line))
        return bine__error(EPERM);
    event->set = true;
    bine__check_put(event);
    bine__line_serve_all(&event->line);
    return 0;
}

int bine_event_clear(bine_event *public)
{
    if (!public)
        return bine__error(EINVAL);
    inside(public)->set = false;
    return 0;
}

bool bine_event_is_set(const bine_event *public)
{
    return public && ((const struct bine__event *)public)->set;
}
