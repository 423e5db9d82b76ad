/* SPDX-License-Identifier: MIT
 *
 * The descriptor table: slots, their identity, what a reactor's report does, and the sweep.
 *
 * The directory of chunks may move, a chunk never does: a task that is parked keeps a pointer to its slot.
 * Slots are made only for numbers that are open, so a wild number costs nothing.
 *
 * No wake-up is lost: an event wakes the head of its line, and from then on that task holds the baton.
 * It tries again; if the kernel says that it would block, whatever the event announced is used up, and the
 * next change is a new event, for which the task has gone back to its place.  In every other case
 * (success, failure, cancellation) bine__waiter_leave() wakes the next in line, unless a short read has
 * shown that nothing is left.  HUP and ERR are never used up, so they wake all at once.
 *
 * The sweep is for numbers that foreign code closed with plain close(2) under a waiter or behind the
 * table's back: the kernel then sends no events, ever.  Each 100 ms a twentieth of the table is looked at,
 * and the reactor asked about descriptors on which a task has waited since before the last sweep, and about
 * those whose files it holds open: their peers would never learn of such a close. */
#define _GNU_SOURCE
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Slots ------------------------------------------------------------------------------------------- */

static int grow_directory(struct bine__io *io, uint32_t chunk)
{
    uint32_t count = io->chunk_count ? io->chunk_count : 4;
    struct bine__fd **chunks;

    while (count <= chunk)
        count *= 2;
    chunks = realloc(io->chunks, count * sizeof *chunks);
    if (!chunks)
        return -1;
    memset(chunks + io->chunk_count, 0, (count - io->chunk_count) * sizeof *chunks);
    io->chunks = chunks;
    io->chunk_count = count;
    return 0;
}

static struct bine__fd *make_slot(struct bine__io *io, int fd)
{
    uint32_t chunk = (uint32_t)fd >> BINE__CHUNK_SHIFT;
    struct bine__fd *slots;

    if (chunk >= io->chunk_count && grow_directory(io, chunk) != 0)
        return NULL;
    slots = aligned_alloc(BINE__CACHE_LINE, BINE__CHUNK_SLOTS * sizeof *slots); /* each in one line */
    if (!slots)
        return NULL;
    memset(slots, 0, BINE__CHUNK_SLOTS * sizeof *slots);
    for (unsigned i = 0; i < BINE__CHUNK_SLOTS; i++) {
        bine__list_init(&slots[i].line[BINE__IN]);
        bine__list_init(&slots[i].line[BINE__OUT]);
        bine__list_init(&slots[i].lookers);
    }
    io->chunks[chunk] = slots;
    io->chunks_made++;
    return &slots[fd & (BINE__CHUNK_SLOTS - 1)];
}

struct bine__fd *bine__fd_get(struct bine__io *io, int fd)
{
    struct bine__fd *slot = bine__fd_find(io, fd);

    if (bine__likely(slot != NULL))
        return slot;
    if (fcntl(fd, F_GETFD) == -1)
        return NULL;
    slot = make_slot(io, fd);
    if (!slot)
        errno = ENOMEM;
    return slot;
}

struct bine_task *bine__begin_on_slowly(int fd, const void *from)
{
    struct bine_task *self = bine__current();
    const struct bine__fd *slot;
    uint32_t generation;

    if (!self)
        return NULL;
    bine__check_call(self);
    if (bine__explored(self->loop))
        bine__explore_call(self);
    slot = bine__fd_find(self->loop->io, fd);
    generation = slot ? slot->generation : 0;
    self = bine__begin_slowly(self->loop, self, from);
    if (!slot || !self || slot->generation == generation)
        return self;
    errno = EBADF;
    return NULL;
}

void bine__fd_free_all(struct bine__io *io)
{
    for (uint32_t i = 0; i < io->chunk_count; i++)
        free(io->chunks[i]);
    free(io->chunks);
    io->chunks = NULL;
    io->chunk_count = 0;
}

/* ---- What a descriptor is ---------------------------------------------------------- */

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

/* An upper layer on the connection (kernel TLS) hands out records: there a short read proves nothing. */
static bool has_upper_layer(int fd)
{
#ifdef TCP_ULP
    char name[16] = "";
    socklen_t length = sizeof name;

    return getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &length) == 0 && length > 0 && name[0] != '\0';
#else
    (void)fd;
    return true;
#endif
}

static enum bine__kind socket_kind(int fd)
{
    if (socket_option(fd, SO_TYPE) != SOCK_STREAM)
        return BINE__KIND_DATAGRAM;
#ifdef SO_PROTOCOL
    if (socket_option(fd, SO_PROTOCOL) == IPPROTO_TCP && !has_upper_layer(fd))
        return BINE__KIND_TCP;
#endif
    return BINE__KIND_STREAM;
}

int bine__fd_detect(int fd, struct bine__fd *slot)
{
    struct stat status;

    if (slot->kind != BINE__KIND_UNKNOWN)
        return 0;
    if (fstat(fd, &status) != 0)
        return -1;
    if (S_ISSOCK(status.st_mode))
        slot->kind = (uint8_t)socket_kind(fd);
    else if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode))
        slot->kind = BINE__KIND_FILE;
    else
        slot->kind = BINE__KIND_POLLABLE;
    return 0;
}

int bine__set_nonblock(int fd, struct bine__fd *slot)
{
    int flags;

    if ((slot->flags & BINE__FD_CREATED) && (slot->flags & BINE__FD_NONBLOCK))
        return 0;
    flags = fcntl(fd, F_GETFL);
    if (flags == -1)
        return -1;
    if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
        return -1;
    slot->flags |= BINE__FD_NONBLOCK;
    return 0;
}

/* ---- Identity ---------------------------------------------------------------------- */

static void wake_first(struct bine__io *io, struct bine__list *line)
{
    struct bine__waiter *waiter = bine__list_entry(line->next, struct bine__waiter, node);

    bine__list_remove(&waiter->node);
    waiter->woken = true;
    io->woken++;
    bine__wake(waiter->task);
}

static void wake_line(struct bine__io *io, struct bine__list *line, bool all)
{
    while (!bine__list_empty(line)) {
        wake_first(io, line);
        if (!all)
            return;
    }
}

/* Lookers stay linked: they are one call's, which takes them all out when it runs. */
static void wake_lookers(struct bine__io *io, struct bine__fd *slot, unsigned events)
{
    for (struct bine__list *node = slot->lookers.next; node != &slot->lookers; node = node->next) {
        struct bine__looker *looker = bine__list_entry(node, struct bine__looker, node);
        if (events & ((unsigned)looker->events | BINE__BROKEN)) {
            io->woken++;
            bine__look_wake(looker->look);
        }
    }
}

void bine__fd_retire(struct bine__io *io, int fd, struct bine__fd *slot)
{
    io->reactor->unwatch(io, fd, slot);
    slot->generation++;
    bine__fd_forget(slot);
    wake_line(io, &slot->line[BINE__IN], true);
    wake_line(io, &slot->line[BINE__OUT], true);
    wake_lookers(io, slot, POLLHUP);
}

void bine__fd_closing(int fd)
{
    struct bine_loop *loop = bine__loop;
    struct bine__fd *slot = loop && loop->io ? bine__fd_find(loop->io, fd) : NULL;

    if (slot)
        bine__fd_retire(loop->io, fd, slot);
}

void bine__fd_fresh(int fd, enum bine__kind kind)
{
    struct bine_loop *loop = bine__loop;
    struct bine__fd *slot;

    if (!loop || !loop->io || fd < 0)
        return;
    slot = bine__fd_find(loop->io, fd);
    if (slot)
        bine__fd_retire(loop->io, fd, slot);
    else
        slot = make_slot(loop->io, fd);
    if (!slot)
        return; /* it gets one when it is used, as a stranger */
    slot->kind = (uint8_t)kind;
    slot->flags = BINE__FD_CREATED;
    bine__check_fd_made(fd);
}

void bine__fd_return(int fd, struct bine__fd *slot)
{
    if (--slot->lent > 0 || !(slot->flags & BINE__FD_CLOSING))
        return;
    slot->flags &= (uint8_t)~BINE__FD_CLOSING;
    (void)close(fd); /* nobody is left to be told */
}

int bine__fd_close_later(int fd)
{
    struct bine_loop *loop = bine__loop;
    struct bine__fd *slot = loop && loop->io ? bine__fd_find(loop->io, fd) : NULL;

    if (!slot || slot->lent == 0)
        return 0;
    if (slot->flags & BINE__FD_CLOSING)
        return bine__error(EBADF);
    slot->flags |= BINE__FD_CLOSING;
    return 1;
}

int bine__end_take(struct bine__io *io, int fd, struct bine__end *end)
{
    struct bine__fd *slot = bine__fd_get(io, fd);

    if (!slot)
        return -1;
    *end = (struct bine__end){fd, slot, slot->generation};
    return 0;
}

/* ---- Events ------------------------------------------------------------------------ */

short bine__fd_interest(const struct bine__fd *slot)
{
    int events = 0;

    if (!bine__list_empty(&slot->line[BINE__IN]))
        events |= POLLIN;
    if (!bine__list_empty(&slot->line[BINE__OUT]))
        events |= POLLOUT;
    for (const struct bine__list *node = slot->lookers.next; node != &slot->lookers; node = node->next)
        events |= bine__list_entry(node, const struct bine__looker, node)->events;
    return (short)events;
}

void bine__fd_fetch_waiter(const struct bine__io *io, int fd)
{
    const struct bine__fd *slot = bine__fd_find(io, fd);

    if (slot)
        __builtin_prefetch(slot->line[BINE__IN].next, 1);
}

void bine__fd_fetch_task(const struct bine__io *io, int fd)
{
    const struct bine__fd *slot = bine__fd_find(io, fd);

    if (slot && !bine__list_empty(&slot->line[BINE__IN]))
        __builtin_prefetch(bine__list_entry(slot->line[BINE__IN].next, struct bine__waiter, node)->task, 1);
}

void bine__fd_ready(struct bine__io *io, int fd, uint32_t generation, unsigned events)
{
    struct bine__fd *slot = bine__fd_find(io, fd);
    bool broken = (events & BINE__BROKEN) != 0;

    if (!slot || slot->generation != generation)
        return;
    if (events & BINE__UNUSUAL)
        slot->flags |= BINE__FD_UNUSUAL;
    if (events & ~(unsigned)POLLOUT) {
        slot->flags &= (uint8_t)~BINE__FD_DRAINED;
        wake_line(io, &slot->line[BINE__IN], broken);
    }
    if (broken || (events & POLLOUT))
        wake_line(io, &slot->line[BINE__OUT], broken);
    if (bine__unlikely(!bine__list_empty(&slot->lookers)))
        wake_lookers(io, slot, events);
}

/* ---- The sweep --------------------------------------------------------------------- */

bool bine__fd_waited_long(const struct bine__io *io, const struct bine__fd *slot)
{
    /* 2: parked before the previous sweep, so for longer than a period */
    return bine__fd_waited_for(slot) && (uint16_t)(io->sweep - slot->parked) >= 2;
}

static void sweep_chunk(struct bine__io *io, uint32_t chunk)
{
    struct bine__fd *slots = io->chunks[chunk];

    for (unsigned i = 0; i < BINE__CHUNK_SLOTS; i++) {
        struct bine__fd *slot = &slots[i];
        int fd = (int)((chunk << BINE__CHUNK_SHIFT) | i);

        if (!(slot->flags & BINE__FD_HELD) && !bine__fd_waited_long(io, slot))
            continue;
        if (io->reactor->recheck(io, fd, slot) != 0 && errno == EBADF)
            bine__fd_retire(io, fd, slot);
    }
}

void bine__fd_sweep(struct bine__io *io)
{
    uint32_t left = (io->chunks_made + BINE__SWEEP_SLICES - 1) / BINE__SWEEP_SLICES;

    io->sweep++;
    for (uint32_t looked = 0; looked < io->chunk_count && left > 0; looked++) {
        if (io->cursor >= io->chunk_count)
            io->cursor = 0;
        if (io->chunks[io->cursor]) {
            sweep_chunk(io, io->cursor);
            left--;
        }
        io->cursor++;
    }
}
