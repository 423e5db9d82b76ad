/* SPDX-License-Identifier: MIT
 *
 * Descriptors: two tasks in the middle of writing one stream, a number that is closed twice, a number that
 * was kept across a switch while it became another file; and what the runtime finds itself: failures that
 * nobody looked at, tasks left behind, all stuck, switches in atomic blocks, broken invariants.
 *
 * A task knows a number as the file that it used it for last.  A program that learns the number anew (by a
 * call that makes descriptors) is told so here by the library; who keeps numbers in memory is judged by their
 * use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bine/debug.h>

#include "check/race.h"
#include "runtime/debug.h"
#include "runtime/section.h"

enum { FDS = 1 << 16, USERS = 4 };

struct use { /* of a descriptor, by a strand */
    uint32_t strand, generation, slice;
    uint32_t pc, context;
};

static struct fd {
    uint32_t generation;
    bool open, closed; /* by calls of the library, as far as known */
    struct use made, close;
    struct use busy[2];     /* who is in the middle of a transfer; strand 0: nobody */
    struct use user[USERS]; /* the last that used it */
    unsigned users;
} * fds[FDS >> 8];

static __attribute__((noinline)) struct fd *page_made(int number)
{
    struct fd **page = &fds[number >> 8];
    *page = calloc(256, sizeof **page);
    return *page ? &(*page)[number & 255] : NULL;
}

static inline struct fd *fd_of(int number)
{
    if ((unsigned)number >= FDS)
        return NULL;
    struct fd *page = fds[number >> 8];
    return bine__likely(page != NULL) ? &page[number & 255] : page_made(number);
}

static inline struct use use_now(struct bine__strand *self, const struct fd *fd)
{
    uintptr_t pc = self->called ? self->called : bine__race_caller(NULL);
    return (struct use){self->number, fd->generation, self->slice, bine__race_short(pc),
                        bine__race_here(self)};
}

static void tell_left(struct bine__finding *finding, const struct bine__strand *self, uint32_t slice)
{
    char name[64], how[64];
    const struct bine__left *left = bine__race_left_before(self, slice);
    if (left)
        bine__finding_site(finding, "gave-up", left->pc, left->context, "%s gave up the loop in %s",
                           bine__strand_name(name, self->number), bine__left_name(how, left));
}

/* ---- Numbers that change hands ---------------------------------------------------------------------- */

static __attribute__((noinline)) void used_otherwise(struct bine__strand *self, struct fd *fd, int number,
                                                     struct use *mine)
{
    if (mine && mine->generation != fd->generation && fd->close.strand && fd->close.strand != self->number &&
        fd->made.strand != self->number && fd->close.slice > mine->slice &&
        !bine__race_knows(self, fd->close.strand, fd->close.slice)) {
        struct bine__finding finding = {.kind = "FD-REUSED"};
        char name[64];
        const struct use now = use_now(self, fd);
        bine__strand_name(name, self->number);
        snprintf(finding.summary, sizeof finding.summary,
                 "descriptor %d is another file than the one that %s used", number, name);
        bine__finding_site(&finding, "looked", mine->pc, mine->context, "%s used it here", name);
        tell_left(&finding, self, fd->close.slice);
        bine__finding_site(&finding, "wrote", fd->close.pc, fd->close.context, "%s closed it meanwhile",
                           bine__strand_name(name, fd->close.strand));
        if (fd->made.generation == fd->generation)
            bine__finding_site(&finding, "made", fd->made.pc, fd->made.context, "%s got the same number",
                               bine__strand_name(name, fd->made.strand));
        bine__finding_site(&finding, "acted", now.pc, now.context, "%s uses it as before",
                           bine__strand_name(name, self->number));
        bine__finding_tell(&finding);
    }
    if (!mine)
        mine = &fd->user[fd->users++ % USERS];
    *mine = use_now(self, fd);
}

static struct use *use_of(const struct bine__strand *self, struct fd *fd)
{
    for (unsigned i = 0; i < USERS && i < fd->users; i++)
        if (fd->user[i].strand == self->number)
            return &fd->user[i];
    return NULL;
}

static void used(struct bine__strand *self, struct fd *fd, int number)
{
    struct use *mine = use_of(self, fd);
    if (mine && mine->generation == fd->generation)
        *mine = use_now(self, fd);
    else
        used_otherwise(self, fd, number, mine);
}

/* The same, if it is the only user, has used it before, and is near: what most do. */
static inline bool used_again(struct bine__strand *self, struct fd *fd)
{
    struct use *mine = &fd->user[0];
    uint32_t context = self->frames[self->depth - 1].context;
    if (mine->strand != self->number || mine->generation != fd->generation || !context ||
        !bine__race_near(self->called))
        return false;
    mine->slice = self->slice;
    mine->pc = (uint32_t)(self->called - bine__race_base);
    mine->context = context;
    return true;
}

/* ---- Two in the middle ------------------------------------------------------------------------------ */

static void tell_busy(struct bine__strand *self, const struct use *busy, const struct use *now, int number,
                      bool out)
{
    struct bine__finding finding = {.kind = "FD-BUSY"};
    char name[64];
    snprintf(finding.summary, sizeof finding.summary, "descriptor %d: two tasks %s one stream at once",
             number, out ? "write" : "read");
    bine__finding_site(&finding, "looked", busy->pc, busy->context, "%s is in the middle of %s",
                       bine__strand_name(name, busy->strand), out ? "writing" : "reading");
    bine__finding_site(&finding, "wrote", now->pc, now->context, "%s %s meanwhile",
                       bine__strand_name(name, self->number), out ? "writes" : "reads");
    bine__finding_tell(&finding);
}

/* Who has moved a part of what it means to move, and waits to move the rest, is in the middle. */
static __attribute__((noinline)) void in_the_middle(struct bine__strand *self, struct fd *fd, int number,
                                                    bool out, enum bine__io_step step, size_t moved)
{
    struct use *busy = &fd->busy[out];
    if (step == BINE__IO_BEGIN && !used_again(self, fd))
        used(self, fd, number);
    if (!busy->strand && (step != BINE__IO_PIECE || !moved))
        return;
    if (busy->strand && (busy->generation != fd->generation || !bine__race_strand(busy->strand)))
        busy->strand = 0;
    if (busy->strand && busy->strand != self->number && (moved || (out && step == BINE__IO_BEGIN))) {
        const struct use now = use_now(self, fd);
        tell_busy(self, busy, &now, number, out);
    }
    if (step == BINE__IO_PIECE && moved && !busy->strand)
        *busy = use_now(self, fd);
    else if (step == BINE__IO_END && busy->strand == self->number)
        busy->strand = 0;
}

void bine__check_io(int number, bool out, enum bine__io_step step, size_t moved)
{
    struct bine__strand *self = bine__race_self;
    struct fd *fd = self ? fd_of(number) : NULL;
    if (!fd)
        return;
    bool simple = step == BINE__IO_BEGIN ? used_again(self, fd) : step == BINE__IO_END || !moved;
    if (!simple || fd->busy[out].strand)
        in_the_middle(self, fd, number, out, step, moved);
}

/* ---- Made, used, closed ------------------------------------------------------------------------------ */

void bine__check_fd_made(int number)
{
    struct bine__strand *self = bine__race_self;
    struct fd *fd = bine__race_is_owner() ? fd_of(number) : NULL;
    if (!fd)
        return;
    fd->generation++;
    fd->open = true;
    fd->busy[0].strand = fd->busy[1].strand = 0;
    if (self) {
        self->called = bine__race_caller(&self->library);
        fd->made = use_now(self, fd);
    }
}

void bine__check_fd_used(int number)
{
    struct bine__strand *self = bine__race_self;
    struct fd *fd = self ? fd_of(number) : NULL;
    if (fd)
        used(self, fd, number);
}

void bine__check_fd_closed(int number, int error)
{
    struct bine__strand *self = bine__race_self;
    struct fd *fd = self ? fd_of(number) : NULL;
    if (!fd)
        return;
    self->called = bine__race_caller(&self->library);
    const struct use now = use_now(self, fd);
    if (error == EBADF && fd->closed) {
        struct bine__finding finding = {.kind = "DOUBLE-CLOSE"};
        char name[64];
        snprintf(finding.summary, sizeof finding.summary, "descriptor %d is closed, and closed again",
                 number);
        if (self->slice != fd->close.slice)
            tell_left(&finding, self, fd->close.slice > 0 ? fd->close.slice : 1);
        bine__finding_site(&finding, "wrote", fd->close.pc, fd->close.context, "%s closed it",
                           bine__strand_name(name, fd->close.strand));
        bine__finding_site(&finding, "acted", now.pc, now.context, "%s closes it again",
                           bine__strand_name(name, self->number));
        bine__finding_tell(&finding);
        return;
    }
    if (error && error != EINTR && error != EIO)
        return;
    bine__check_fd_used(number);
    fd->closed = true;
    fd->open = false;
    fd->close = now;
    fd->generation++;
}

/* ---- What the runtime finds ------------------------------------------------------------------------- */

static const char *spawned_at(const struct bine__strand *strand)
{
    return strand && strand->site ? strand->site : "?";
}

/* Ends the process: it would wait for ever. */
void bine__check_stuck(struct bine_loop *loop)
{
    if (!bine__race_is_owner() || !bine__race_hooked)
        return;
    struct bine__finding finding = {.kind = "STUCK"};
    char name[64];
    unsigned waiting = 0;
    for (uint32_t i = 1; i < bine__race_strands(); i++) {
        const struct bine__strand *strand = bine__race_strand(i);
        const struct bine__left *left = strand && strand->number == i && !strand->ended
                                            ? bine__race_left_before(strand, UINT32_MAX)
                                            : NULL;
        if (!left || left->wait == BINE__WAIT_NONE)
            continue;
        waiting++;
        bine__finding_site(&finding, "gave-up", left->pc, left->context, "%s waits: %s",
                           bine__strand_name(name, i), bine__wait_names[left->wait]);
    }
    snprintf(finding.summary, sizeof finding.summary, "nothing can ever run again: %u task%s wait", waiting,
             waiting == 1 ? "" : "s");
    bine__finding_tell(&finding);
    bine__stuck_report(loop);
    exit(BINE__RACE_EXIT);
}

void bine__check_left_behind(const struct bine_task *task)
{
    struct bine__finding finding = {.kind = "TASK-LEFT-BEHIND"};
    const struct bine__strand *strand = task->checked;
    if (!strand || task->joiner || (task->flags & BINE__TASK_TAKEN))
        return;
    char name[64];
    snprintf(finding.summary, sizeof finding.summary,
             "%s is cancelled as the run ends: nobody has waited for it",
             bine__strand_name(name, strand->number));
    bine__finding_place(&finding, "looked", spawned_at(strand), "it was started here");
    bine__finding_tell(&finding);
}

void bine__check_reported(const struct bine_report *report, const struct bine_task *task)
{
    static const char *const kinds[] = {
        [BINE_REPORT_LOST_ERROR] = "LOST-ERROR",
        [BINE_REPORT_LEFT_BEHIND] = "TASK-LEFT-BEHIND",
        [BINE_REPORT_ATOMIC] = "YIELD-IN-ATOMIC",
        [BINE_REPORT_INVARIANT] = "INVARIANT",
    };
    if ((size_t)report->kind >= sizeof kinds / sizeof *kinds || !kinds[report->kind] ||
        !bine__race_is_owner() || !bine__race_hooked)
        return;
    struct bine__strand *strand = task ? task->checked : NULL;
    struct bine__finding finding = {.kind = kinds[report->kind]};
    char name[64];
    snprintf(finding.summary, sizeof finding.summary, "%s%s%.170s",
             strand ? bine__strand_name(name, strand->number) : "", strand ? ": " : "", report->message);
    switch (report->kind) {
    case BINE_REPORT_ATOMIC:
    case BINE_REPORT_INVARIANT:
        if (strand)
            bine__finding_site(&finding, "gave-up", bine__race_short(bine__race_caller(NULL)),
                               bine__race_here(strand), "it gives up the loop here");
        if (report->kind == BINE_REPORT_ATOMIC && task && bine__section_site(task->loop))
            bine__finding_place(&finding, "block", bine__section_site(task->loop),
                                "which this block promises not to do");
        break;
    default:
        if (strand)
            bine__finding_place(&finding, "looked", spawned_at(strand), "it was started here");
        break;
    }
    bine__finding_tell(&finding);
}
