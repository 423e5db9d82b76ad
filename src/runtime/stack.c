/* SPDX-License-Identifier: MIT
 *
 * Stacks.
 *
 * Address space is reserved in slabs, which grow from 1 MiB to 64 MiB; memory is used only as it is
 * touched. Stacks of one class are carved from a slab in batches, each with a guard page at its base:
 * MADV_GUARD_INSTALL where the kernel really has it, which splits no mapping and costs, in a batch, about
 * two thirds of a call each (measured on Linux 6.18: 460 against 650 ns); mprotect elsewhere, which costs
 * two mappings a stack.  Whether the kernel has it is found out by touching: qemu-user answers 0 and
 * installs nothing.
 *
 * A released stack goes to the end of an array and is taken from there, so the warmest is reused first.
 * The array has room for every stack there is: releasing never fails.  No link stands in the stack itself:
 * a stack whose memory was given back stays so until it is taken.
 *
 * A top is staggered by its address within the page, in lines: without that, the control blocks of all
 * tasks fall into the same cache sets (tests/bench: yield with 1000 tasks). */
#define _GNU_SOURCE
#include "runtime/stack.h"
#include "runtime/notes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000) /* Linux 6.14: the calling thread, in place of a descriptor */
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

enum {
    SLAB_MIN = 1 << 20,
    SLAB_MAX = 64 << 20,
    BATCH = 64,          /* stacks carved at once, at the most */
    POPULATED = 16,      /* in a batch of so many, the stacks get their first page with it */
    KEPT_WARM = 16,      /* of each class, whatever the decay says */
    GIVEN_AT_ONCE = 256  /* stacks given back in one decay: a bound on how long the loop is held */
};

struct bine__slab {
    struct bine__slab *next;
    char *base;
    uint32_t count, carved; /* stacks */
    unsigned *notes;        /* Valgrind's number for each; NULL without Valgrind */
};

/* ---- Guards ------------------------------------------------------------------------------------- */

static struct {
    pthread_once_t once;
    size_t size;   /* of a page, and so of a guard */
    bool cheap;    /* MADV_GUARD_INSTALL works */
    bool vectored; /* ... also for many at once, through process_madvise on ourselves */
} guard = {PTHREAD_ONCE_INIT, 4096, false, false};

/* A page that the kernel cannot read from is guarded.  A SIGSEGV would say the same less politely. */
static bool unreadable(const char *page)
{
    int fd[2];
    if (pipe(fd) != 0)
        return false;
    bool refused = write(fd[1], page, 1) == -1 && errno == EFAULT;
    close(fd[0]);
    close(fd[1]);
    return refused;
}

/* madvise(2) for many ranges of our own at once. */
static long vectored(const struct iovec *pages, size_t n, int advice)
{
#ifdef SYS_process_madvise
    return syscall(SYS_process_madvise, PIDFD_SELF, pages, n, advice, 0u);
#else
    (void)pages, (void)n, (void)advice;
    errno = ENOSYS;
    return -1;
#endif
}

static void probe(void)
{
    guard.size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, 2 * guard.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    guard.cheap = madvise(page, guard.size, MADV_GUARD_INSTALL) == 0 && unreadable(page);
    if (guard.cheap && !bine__notes_wants_stacks()) { /* Valgrind does not know the call */
        struct iovec second = {page + guard.size, guard.size};
        guard.vectored = vectored(&second, 1, MADV_GUARD_INSTALL) == (long)guard.size && unreadable(second.iov_base);
    }
    munmap(page, 2 * guard.size);
}

size_t bine__stack_guard(void)
{
    return guard.size;
}

static int guard_one(char *base)
{
    if (guard.cheap && madvise(base, guard.size, MADV_GUARD_INSTALL) == 0)
        return 0; /* else: locked memory refuses it */
    return mprotect(base, guard.size, PROT_NONE);
}

/* One call that faults the top pages of many stacks in, which each of them is about to touch: about a sixth
 * cheaper than the faults (measured on Linux 6.18: 1.7 against 2.0 µs).  Whether it works does not matter. */
static bool populate_tops(char *base, size_t stride, uint32_t n)
{
    struct iovec pages[BATCH];
    for (uint32_t i = 0; i < n; i++)
        pages[i] = (struct iovec){base + (i + 1) * stride - guard.size, guard.size};
    return vectored(pages, n, MADV_POPULATE_WRITE) > 0;
}

/* Guards n stacks from base on.  Returns how many it managed; less than n: errno. */
static uint32_t guard_batch(char *base, size_t stride, uint32_t n)
{
    struct iovec pages[BATCH];
    uint32_t done = 0;
    if (guard.vectored && n > 1) {
        for (uint32_t i = 0; i < n; i++)
            pages[i] = (struct iovec){base + i * stride, guard.size};
        long bytes = vectored(pages, n, MADV_GUARD_INSTALL);
        done = bytes > 0 ? (uint32_t)((size_t)bytes / guard.size) : 0;
    }
    while (done < n && guard_one(base + done * stride) == 0)
        done++;
    return done;
}

/* ---- Slabs -------------------------------------------------------------------------------------- */

/* Of the mapping: what the context takes for itself included. */
static size_t class_size(int class)
{
    return bine__stack_span((struct bine__stack){NULL, class});
}

int bine__stack_class_of(size_t bytes)
{
    for (int class = 0; class < BINE__STACK_CLASSES; class++)
        if (bytes <= bine__stack_size((struct bine__stack){NULL, class}))
            return class;
    return -1;
}

static int grow(struct bine__stack_class *c, int class)
{
    size_t size = class_size(class), bytes = SLAB_MIN;
    if (c->slabs)
        bytes = (size_t)c->slabs->count * size * 2;
    if (bytes > SLAB_MAX)
        bytes = SLAB_MAX;
    uint32_t count = bytes > size ? (uint32_t)(bytes / size) : 1;

    struct bine__stack *room = realloc(c->free, (c->room + count) * sizeof *room);
    if (!room)
        return -1;
    c->free = room;
    struct bine__slab *slab = calloc(1, sizeof *slab);
    if (!slab)
        return -1;
    if (bine__notes_wants_stacks())
        slab->notes = calloc(count, sizeof *slab->notes);
    slab->base = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->base == MAP_FAILED) {
        free(slab->notes);
        free(slab);
        errno = ENOMEM;
        return -1;
    }
#ifdef MADV_NOHUGEPAGE
    madvise(slab->base, count * size, MADV_NOHUGEPAGE); /* one touch would cost 2 MiB; refusal is harmless */
#endif
    slab->count = count;
    slab->next = c->slabs;
    c->slabs = slab;
    c->room += count;
    return 0;
}

int bine__stacks_carve(struct bine__stacks *stacks, int class)
{
    struct bine__stack_class *c = &stacks->classes[class];
    pthread_once(&guard.once, probe);
    if ((!c->slabs || c->slabs->carved == c->slabs->count) && grow(c, class) != 0)
        return -1;

    struct bine__slab *slab = c->slabs;
    uint32_t n = c->carved / 4 + 1;
    if (n > BATCH)
        n = BATCH;
    if (n > slab->count - slab->carved)
        n = slab->count - slab->carved;
    char *base = slab->base + slab->carved * class_size(class);
    uint32_t guarded = guard_batch(base, class_size(class), n);
    if (guarded == 0) {
        errno = ENOMEM;
        return -1;
    }
    /* The lowest address is taken first: neighbours share page tables. */
    for (uint32_t i = guarded; i-- > 0;)
        c->free[c->count++] = (struct bine__stack){base + i * class_size(class), class};
    for (uint32_t i = 0; slab->notes && i < guarded; i++)
        slab->notes[slab->carved + i] = bine__notes_stack(base + i * class_size(class), class_size(class));
    bool warm = guard.vectored && guarded >= POPULATED && populate_tops(base, class_size(class), guarded);
    c->low = c->clean = warm ? 0 : c->count; /* none was free before */
    slab->carved += guarded;
    c->carved += guarded;
    return 0;
}

void bine__stacks_free(struct bine__stacks *stacks)
{
    for (int class = 0; class < BINE__STACK_CLASSES; class++) {
        struct bine__stack_class *c = &stacks->classes[class];
        while (c->slabs) {
            struct bine__slab *slab = c->slabs;
            c->slabs = slab->next;
            for (uint32_t i = 0; slab->notes && i < slab->carved; i++)
                bine__notes_unstack(slab->notes[i]);
            free(slab->notes);
            munmap(slab->base, slab->count * class_size(class));
            free(slab);
        }
        free(c->free);
    }
    memset(stacks, 0, sizeof *stacks);
}

/* ---- Giving back -------------------------------------------------------------------------------- */

void bine__stack_clean(struct bine__stack stack)
{
    madvise(stack.base + guard.size, bine__stack_span(stack) - guard.size, MADV_DONTNEED);
}

bool bine__stacks_decay(struct bine__stacks *stacks)
{
    bool more = false;
    for (int class = 0; class < BINE__STACK_CLASSES; class++) {
        struct bine__stack_class *c = &stacks->classes[class];
        if (c->clean > c->low)
            c->clean = c->low;
        uint32_t idle = c->low - c->clean; /* warm, and not needed since last time */
        uint32_t give = (idle + 1) / 2;
        if (c->count - c->clean <= KEPT_WARM)
            give = 0;
        else if (give > c->count - c->clean - KEPT_WARM)
            give = c->count - c->clean - KEPT_WARM;
        if (give > GIVEN_AT_ONCE)
            give = GIVEN_AT_ONCE;
        for (; give > 0; give--)
            bine__stack_clean(c->free[c->clean++]);
        c->low = c->count;
        more |= c->count - c->clean > KEPT_WARM;
    }
    return more;
}

/* ---- Asking ------------------------------------------------------------------------------------- */

size_t bine__stack_used(struct bine__stack stack)
{
    unsigned char resident[128];
    size_t span = bine__stack_span(stack), size = bine__stack_size(stack), pages = span / guard.size, page = 1;
    while (page < pages) { /* page 0 is the guard */
        size_t n = pages - page < sizeof resident ? pages - page : sizeof resident;
        if (mincore(stack.base + page * guard.size, n * guard.size, (void *)resident) != 0)
            return 0;
        for (size_t i = 0; i < n; i++)
            if (resident[i] & 1) {
                size_t used = span - (page + i) * guard.size;
                return used < size - guard.size ? used : size - guard.size;
            }
        page += n;
    }
    return 0;
}

void bine__stacks_each(struct bine__stacks *stacks, void (*visit)(struct bine__stack, void *), void *arg)
{
    for (int class = 0; class < BINE__STACK_CLASSES; class++)
        for (struct bine__slab *slab = stacks->classes[class].slabs; slab; slab = slab->next)
            for (uint32_t i = 0; i < slab->carved; i++)
                visit((struct bine__stack){slab->base + i * class_size(class), class}, arg);
}

size_t bine__stacks_mapped(const struct bine__stacks *stacks)
{
    size_t bytes = 0;
    for (int class = 0; class < BINE__STACK_CLASSES; class++)
        for (const struct bine__slab *slab = stacks->classes[class].slabs; slab; slab = slab->next)
            bytes += slab->count * class_size(class);
    return bytes;
}

bool bine__stack_is_free(const struct bine__stacks *stacks, struct bine__stack stack)
{
    const struct bine__stack_class *c = &stacks->classes[stack.class];
    for (uint32_t i = 0; i < c->count; i++)
        if (c->free[i].base == stack.base)
            return true;
    return false;
}

bool bine__stacks_guard_at(const struct bine__stacks *stacks, const char *address, struct bine__stack *stack)
{
    for (int class = 0; class < BINE__STACK_CLASSES; class++)
        for (const struct bine__slab *slab = stacks->classes[class].slabs; slab; slab = slab->next) {
            if (address < slab->base || address >= slab->base + slab->carved * class_size(class))
                continue;
            size_t offset = (size_t)(address - slab->base) % class_size(class);
            *stack = (struct bine__stack){slab->base + (size_t)(address - slab->base) - offset, class};
            return offset < guard.size;
        }
    return false;
}
