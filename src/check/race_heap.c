/* SPDX-License-Identifier: MIT
 *
 * The heap: malloc() and its kin of the whole program, so that memory that is freed and given out again
 * begins without records, and what tasks free stays in quarantine for a while, in which its use is told.
 *
 * glibc's own functions do the work.  Blocks that other threads free are noted here and cleared by the thread
 * that is watched, at its next switch. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "check/race.h"

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);
void *__libc_memalign(size_t, size_t);

#define HEAP __attribute__((visibility("default"), used))

/* ---- What others have freed ------------------------------------------------------------------------- */

enum { NOTED = 1024 };
static struct {
    _Atomic bool locked;
    _Atomic unsigned count;
    struct block {
        void *at;
        size_t size;
    } block[NOTED];
} noted;

static void lock(void)
{
    while (atomic_exchange_explicit(&noted.locked, true, memory_order_acquire))
        ;
}

static void unlock(void) { atomic_store_explicit(&noted.locked, false, memory_order_release); }

static void note(void *at, size_t size)
{
    lock();
    unsigned n = atomic_load_explicit(&noted.count, memory_order_relaxed);
    if (n < NOTED) {
        noted.block[n] = (struct block){at, size};
        atomic_store_explicit(&noted.count, n + 1, memory_order_relaxed);
    }
    unlock();
}

void bine__heap_tidy(void)
{
    if (bine__likely(!atomic_load_explicit(&noted.count, memory_order_relaxed)))
        return;
    lock();
    for (unsigned i = 0, n = atomic_load_explicit(&noted.count, memory_order_relaxed); i < n; i++)
        bine__race_clear((uintptr_t)noted.block[i].at, noted.block[i].size);
    atomic_store_explicit(&noted.count, 0, memory_order_relaxed);
    unlock();
}

/* ---- Quarantine ------------------------------------------------------------------------------------- */

enum { BLOCKS = 2048 };
static const size_t bytes_most = 4 << 20, block_most = 256 << 10;

static struct kept {
    void *at;
    size_t size;
    uint32_t record;
} kept[BLOCKS];
static unsigned kept_first, kept_next;
static size_t kept_bytes;

static void let_go(void)
{
    struct kept *oldest = &kept[kept_first++ % BLOCKS];
    kept_bytes -= oldest->size;
    bine__race_clear((uintptr_t)oldest->at, oldest->size);
    for (uint32_t number = oldest->record, next; number; number = next) {
        next = bine__record(number)->next;
        bine__record_free(number);
    }
    __libc_free(oldest->at);
}

static void double_free(struct bine__strand *self, const struct bine__record *first, void *at, uintptr_t pc)
{
    struct bine__finding finding = {.kind = "DOUBLE-FREE"};
    char name[64], how[64];
    const struct bine__left *left =
        first->w_slice != bine__race_slice ? bine__race_left_before(self, first->w_slice) : NULL;
    snprintf(finding.summary, sizeof finding.summary, "%s frees %p, which is free",
             bine__strand_name(name, self->number), at);
    if (left)
        bine__finding_site(&finding, "gave-up", left->pc, left->context, "%s gave up the loop in %s",
                           bine__strand_name(name, self->number), bine__left_name(how, left));
    bine__finding_site(&finding, "wrote", first->w_pc, first->w_context, "%s freed it",
                       bine__strand_name(name, first->strand));
    bine__finding_site(&finding, "acted", bine__race_short(pc), bine__race_here(self), "%s frees it again",
                       bine__strand_name(name, self->number));
    bine__finding_tell(&finding);
}

/* Where others used the block last: a chain, for whoever uses it after it was freed. */
static uint32_t last_uses(const struct bine__strand *self, uintptr_t first, size_t size)
{
    enum { USERS = 4 };
    static const size_t most = 4096;
    uint32_t chain = 0;
    unsigned users = 0;
    for (uintptr_t granule = first; granule < first + (size < most ? size : most); granule += 8) {
        const uint32_t *cell = bine__cell(granule);
        for (uint32_t i = cell ? *cell : 0; i; i = bine__record(i)->next) {
            const struct bine__record *one = bine__record(i);
            uint32_t found = chain;
            if (one->strand == self->number || one->kind == BINE__NOTHING || one->kind > BINE__UPDATE)
                continue;
            while (found && bine__record(found)->strand != one->strand)
                found = bine__record(found)->next;
            if (!found) {
                if (users == USERS || !(found = bine__record_new()))
                    continue;
                users++;
                bine__record(found)->next = chain;
                chain = found;
            }
            struct bine__record *use = bine__record(found);
            if (use->time < one->time) {
                use->strand = one->strand;
                use->time = one->time;
                use->pc = one->pc;
                use->context = one->context;
            }
        }
    }
    return chain;
}

/* True: it is kept, or was free already. */
static bool keep(struct bine__strand *self, void *at, size_t size, uintptr_t pc)
{
    uintptr_t first = (uintptr_t)at;
    uint32_t *cell = bine__cell_made(first);
    if (!cell)
        return false;
    if (*cell && bine__record(*cell)->kind == BINE__FREED && bine__record(*cell)->val == first) {
        double_free(self, bine__record(*cell), at, pc);
        return true;
    }
    uint32_t number = size <= block_most ? bine__record_new() : 0;
    uint32_t uses = number ? last_uses(self, first, size) : 0;
    bine__race_clear(first, size);
    if (!number)
        return false;
    *bine__record(number) = (struct bine__record){.kind = BINE__FREED,
                                                  .val = first,
                                                  .w_old = size,
                                                  .next = uses,
                                                  .strand = self->number,
                                                  .w_slice = bine__race_slice,
                                                  .w_pc = bine__race_short(pc),
                                                  .w_context = bine__race_here(self)};
    for (uintptr_t granule = first; granule < first + size; granule += 8)
        if ((cell = bine__cell_made(granule)) != NULL)
            bine__cell_fill(cell, granule, number);
    while (kept_next - kept_first == BLOCKS || (kept_bytes + size > bytes_most && kept_next != kept_first))
        let_go();
    kept[kept_next++ % BLOCKS] = (struct kept){at, size, number};
    kept_bytes += size;
    return true;
}

static void release(void *at, uintptr_t pc)
{
    struct bine__strand *self = bine__race_self;
    if (!at)
        return;
    if (self)
        bine__race_settle(self); /* while it can be read */
    if (!bine__race_touched()) {
        __libc_free(at);
        return;
    }
    size_t size = malloc_usable_size(at);
    if (self && !bine__race_is_library(pc)) {
        self->undos = 0;
        if (bine__race_options.predict)
            bine__predict_free(self, (uintptr_t)at, size, pc);
        if (keep(self, at, size, pc))
            return;
    } else if (self || bine__race_is_owner()) {
        bine__race_clear((uintptr_t)at, size);
    } else {
        note(at, size);
    }
    __libc_free(at);
}

/* ---- Who made it ------------------------------------------------------------------------------------- */

enum { MADE = 1 << 14 };
static struct made {
    uintptr_t at;
    size_t size;
    uint32_t strand;
} made[MADE];
static unsigned made_next;

static void *made_by(void *at, size_t size)
{
    const struct bine__strand *self = bine__race_self;
    if (self && at)
        made[made_next++ % MADE] = (struct made){(uintptr_t)at, size, self->number};
    return at;
}

/* Of blocks made long ago it is not known. */
bool bine__heap_made(uintptr_t at, uint32_t strand)
{
    for (unsigned i = 0; i < MADE && i < made_next; i++) {
        const struct made *one = &made[(made_next - 1 - i) % MADE];
        if (at - one->at < one->size)
            return one->strand == strand;
    }
    return false;
}

unsigned bine__heap_count(void) { return made_next; }

/* What is in none of the blocks that are known, nor at the end of one, was there before. */
bool bine__heap_made_before(uintptr_t at, unsigned count)
{
    for (unsigned i = made_next; i != count && made_next - i < MADE; i--)
        if (at - made[(i - 1) % MADE].at <= made[(i - 1) % MADE].size)
            return false;
    return true;
}

HEAP void *malloc(size_t size) { return made_by(__libc_malloc(size), size); }

HEAP void *calloc(size_t n, size_t size) { return made_by(__libc_calloc(n, size), n * size); }

HEAP void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

HEAP void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

HEAP int posix_memalign(void **out, size_t alignment, size_t size)
{
    int error = errno;
    if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment)
        return EINVAL;
    void *at = __libc_memalign(alignment, size);
    errno = error;
    if (!at)
        return ENOMEM;
    *out = at;
    return 0;
}

HEAP void free(void *at)
{
    int error = errno;
    release(at, (uintptr_t)__builtin_return_address(0));
    errno = error;
}

/* Always to another place while a task runs: who kept a pointer into the old one is told. */
HEAP void *realloc(void *at, size_t size)
{
    uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    if (!at || !size || !bine__race_self || bine__race_is_library(pc)) {
        size_t before = at && bine__race_touched() ? malloc_usable_size(at) : 0;
        void *now = __libc_realloc(at, size);
        if (now && now != at && before && bine__race_is_owner())
            bine__race_clear((uintptr_t)at, before);
        return now;
    }
    size_t before = malloc_usable_size(at);
    void *now = malloc(size);
    if (!now)
        return NULL;
    memcpy(now, at, before < size ? before : size);
    release(at, pc);
    return now;
}
