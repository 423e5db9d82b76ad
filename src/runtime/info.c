/* SPDX-License-Identifier: MIT
 *
 * Who is there and what happens: bine_tasks(), bine_stats().  Reads, never changes. */
#include <string.h>

#include "runtime/debug.h"

static bine_task_state public_state(const struct bine_task *task)
{
    switch ((enum bine__state)task->state) {
    case BINE__RUNNABLE:
        return task == task->loop->current ? BINE_TASK_RUNNING : BINE_TASK_RUNNABLE;
    case BINE__PARKED:
        return BINE_TASK_PARKED;
    case BINE__ENDED:
        break;
    }
    return BINE_TASK_ENDED;
}

void bine__task_describe(const struct bine_task *task, bine_task_info *info)
{
    *info = (bine_task_info){
        .id = task->id,
        .parent = task->parent,
        .state = public_state(task),
        .fd = -1,
        .until = task->state == BINE__ENDED ? BINE_FOREVER : task->deadline,
        .site = task->site,
        .stack_size = bine__stack_size(task->stack),
        .stack_used = bine__stack_used(task->stack),
    };
    strcpy(info->name, bine__task_name(task));
    if (task->state != BINE__PARKED)
        return;
    info->waits_for = bine__wait_names[task->wait];
    info->since = task->since;
    if (task->wait == BINE__WAIT_READ || task->wait == BINE__WAIT_WRITE || task->wait == BINE__WAIT_POLL)
        info->fd = (int)task->object;
    const struct bine_task *blocker = task->wait == BINE__WAIT_GROUP ? NULL : bine__blocker(task, NULL);
    if (blocker)
        info->waits_task = blocker->id;
}

struct listing {
    char *next;
    size_t size, room, found;
};

static void list_one(struct bine__stack stack, void *arg)
{
    struct listing *listing = arg;
    const struct bine_task *task = bine__task_of(stack);
    if (task->magic != BINE__TASK_MAGIC)
        return; /* a free stack */
    if (listing->found++ >= listing->room)
        return;
    bine_task_info info;
    bine__task_describe(task, &info);
    memset(listing->next, 0, listing->size); /* what a newer caller asks for and nobody knows here */
    memcpy(listing->next, &info, listing->size < sizeof info ? listing->size : sizeof info);
    listing->next += listing->size;
}

size_t bine_tasks_sized(bine_task_info *info, size_t max, size_t size)
{
    if (!bine__loop)
        return 0;
    struct listing listing = {.next = (char *)info, .size = size, .room = info ? max : 0};
    bine__stacks_each(&bine__loop->stacks, list_one, &listing);
    return listing.found;
}

int bine_stats_sized(bine_statistics *out, size_t size)
{
    const struct bine_loop *loop = bine__loop;
    if (!loop)
        return bine__error(EPERM);
    if (!out)
        return bine__error(EINVAL);
    uint64_t mapped = 0, unused = 0;
    for (int class = 0; class < BINE__STACK_CLASSES; class++) {
        mapped += loop->stacks.classes[class].carved;
        unused += loop->stacks.classes[class].count;
    }
    const bine_statistics now = {
        .switches = bine__switches(loop),
        .turns = loop->turns,
        .polls = loop->polls,
        .spawned = loop->spawned,
        .alive = loop->alive,
        .timers = loop->wheel.armed,
        .offloaded = loop->offloaded,
        .stacks_mapped = mapped,
        .stacks_free = unused,
    };
    memset(out, 0, size);
    memcpy(out, &now, size < sizeof now ? size : sizeof now);
    return 0;
}
