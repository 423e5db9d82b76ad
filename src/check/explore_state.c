/* SPDX-License-Identifier: MIT
 *
 * Is the state that a schedule has led to one that another schedule has led to before?  Then what follows
 * has been run, or will be, and this run can end (--merge).
 *
 * A state is a hash of all memory that the program can see: what can be written of the program and its
 * libraries, the heap, the stacks of its tasks from where they stand, and of each task what the runtime
 * knows of it.  Equal states go on equally, so long as nothing outside of memory matters.  What differs
 * without meaning anything is left out:
 *  - the explorer's own memory, the loop's, and its run queue, of which only who is in it counts;
 *  - of armed timers how they are linked; and, in programs where there are only sleeps and nobody reads
 *    the clock, when they are due, for any of them may be the next to end.  A sleeper's frames hold its
 *    deadline, too: in the innermost of them, which are the library's, such words are left out.  That a
 *    program is not one of these shows only as it runs: then all begins again, since states were taken for
 *    equal that were not (.time_needed).
 * Whatever else differs without meaning (what freed memory held, a frame's unused words) costs a merger,
 * never a schedule; what malloc() still has to give out at the heap's end is left out.  Descriptors are
 * looked into (explore_fds.c).  Where it is not known whether states can be compared they are not: where the
 * run uses what is not in its memory (explore_outside.c). */
#define _GNU_SOURCE
#include "check/explore.h"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RANGES = 128, OWN_WORDS = 128, PROBES = 64, STANDERS = 32, PAGES = 256 };

/* Bits of /proc/self/pagemap, of each page; without either nobody has touched it. */
#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)

struct range {
    const char *from, *to;
    const char *empty; /* from there on it is zero in the beginning */
};

static struct {
    struct range kept[RANGES]; /* program and libraries */
    unsigned n;
    const char *heap; /* where it begins */
    const char *top;  /* of the thread's own stack */
    bool impossible;
    unsigned touched;
    struct range left_out[BINE__OPTIONS];
    unsigned out;
    uint64_t hash;
} state;

/* ---- Hashing ----------------------------------------------------------------------------------------- */

static void mix(uint64_t word)
{
    state.hash = (state.hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    state.hash ^= state.hash >> 29;
}

static void mix_memory(const char *from, const char *to);

/* Ports that the kernel has chosen are told by who has them (explore_fds.c). */
static void mix_but_for_ports(const char *from, const char *to)
{
    const char *port;
    size_t size;
    uint64_t name;
    while ((port = bine__explore_next_port(from, to, &size, &name))) {
        mix_memory(from, port);
        mix(name);
        from = port + size;
    }
    mix_memory(from, to);
}

/* Four at once: what is hashed is some hundred kilobytes, at each choice. */
static void mix_memory(const char *from, const char *to)
{
    uint64_t lane[4] = {1, 2, 3, 4}, word[4];
    for (; to - from >= 32; from += 32) {
        memcpy(word, from, 32);
        for (int i = 0; i < 4; i++) {
            lane[i] = (lane[i] ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
            lane[i] = lane[i] << 23 | lane[i] >> 41;
        }
    }
    for (int i = 0; i < 4; i++)
        mix(lane[i]);
    for (; from < to; from++)
        mix((unsigned char)*from);
}

static void leave_out(const void *from, size_t size)
{
    if (state.out == BINE__OPTIONS)
        state.impossible = true;
    else
        state.left_out[state.out++] = (struct range){from, (const char *)from + size, NULL};
}

/* But for what is left out. */
static void mix_range(const char *from, const char *to)
{
    while (from < to) {
        const struct range *next = NULL;
        for (unsigned i = 0; i < state.out; i++) {
            const struct range *one = &state.left_out[i];
            if (one->to > from && one->from < to && (!next || one->from < next->from))
                next = one;
        }
        mix_but_for_ports(from, next && next->from > from ? next->from : next ? from : to);
        from = next ? next->to : to;
    }
}

/* ---- Pages that hold nothing --------------------------------------------------------------------------- */

static size_t page_size;

/* What the kernel tells of each page from here on; false: nothing that can be relied upon, for of a page that
 * is written just now it does not say so. */
static bool look_at_pages(int pagemap, const char *from, uint64_t entry[PAGES])
{
    volatile char here = 1;
    const uintptr_t at[2] = {(uintptr_t)&here / page_size, (uintptr_t)&state / page_size};
    uint64_t known;
    (void)here;
    state.touched++;
    for (int i = 0; i < 2; i++) {
        bine__explore_own_read();
        if (pread(pagemap, &known, sizeof known, (off_t)(at[i] * sizeof known)) != sizeof known ||
            !(known & PRESENT))
            return false;
    }
    bine__explore_own_read();
    const ssize_t size = PAGES * sizeof entry[0];
    return pread(pagemap, entry, (size_t)size, (off_t)((uintptr_t)from / page_size * sizeof known)) == size;
}

static bool is_zero(const char *at, const char *end)
{
    uint64_t word[16], any = 0;
    for (; end - at >= (ptrdiff_t)sizeof word && !any; at += sizeof word) {
        memcpy(word, at, sizeof word);
        for (int i = 0; i < 16; i++)
            any |= word[i];
    }
    for (; at < end && !any; at++)
        any = (unsigned char)*at;
    return !any;
}

static bool holds_nothing(uint64_t entry, const char *from, const char *to, const char *empty)
{
    return from >= empty && (!(entry & (PRESENT | SWAPPED)) || is_zero(from, to));
}

/* Most pages of a program that is linked with the checkers hold nothing but zeroes.  These are left out,
 * whether the kernel has made them yet or not. */
static void mix_written(const char *from, const char *to, const char *empty)
{
    uint64_t entry[PAGES];
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool told = pagemap != -1;
    const char *at = from, *written = NULL;

    while (at < to) {
        const char *first = at;
        told = told && look_at_pages(pagemap, first, entry);
        for (unsigned i = 0; i < PAGES && at < to; i++) {
            const char *next = (const char *)(((uintptr_t)at | (page_size - 1)) + 1);
            next = next < to ? next : to;
            if (!told || !holds_nothing(entry[i], at, next, empty)) {
                written = written ? written : at;
            } else if (written) {
                mix((uintptr_t)written);
                mix_range(written, at);
                written = NULL;
            }
            at = next;
        }
    }
    if (written) {
        mix((uintptr_t)written);
        mix_range(written, to);
    }
    if (pagemap != -1)
        close(pagemap);
}

/* ---- What there is ----------------------------------------------------------------------------------- */

static int add_module(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (strstr(info->dlpi_name, "/ld-") || strstr(info->dlpi_name, "/libbine-check."))
        return 0; /* the loader's own counts; ours, if it is apart: what counts of it is told below */
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *from = (const char *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_TLS && info->dlpi_tls_data && !strstr(info->dlpi_name, "libc.so"))
            from = info->dlpi_tls_data;
        else if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
            continue;
        if (state.n == RANGES)
            state.impossible = true;
        else
            state.kept[state.n++] = (struct range){
                from, from + segment->p_memsz, segment->p_type == PT_TLS ? from : from + segment->p_filesz};
    }
    return 0;
}

static void find_heap(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    state.heap = NULL;
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long from;
        if (strstr(line, "[heap]") && sscanf(line, "%lx", &from) == 1 && !state.heap)
            state.heap = (const char *)from;
    }
    if (maps)
        fclose(maps);
    state.impossible |= !state.heap;
}

/* In the server, before any run: what is allocated is in one place from then on. */
void bine__explore_state_prepare(void)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    free(malloc(1));
    dl_iterate_phdr(add_module, NULL);
    find_heap();
    state.top = (const char *)environ;
}

/* ---- A state ----------------------------------------------------------------------------------------- */

static enum bine__explore_time time_needed(struct bine__explore *explore)
{
    if (explore->share->timers != BINE__TIMERS_ANY)
        bine__explore_need_time(explore, BINE__TIME_RELATIVE);
    for (unsigned i = 0; i < explore->armed.n; i++)
        if (!bine__explore_is_sleep(explore->armed.timer[i]))
            bine__explore_need_time(explore, BINE__TIME_RELATIVE);
    return (enum bine__explore_time)explore->share->time_needed;
}

static void mix_time(const struct bine__explore *explore, bine_ns time)
{
    const bine_ns now = explore->loop->now;
    switch ((enum bine__explore_time)explore->share->time_needed) {
    case BINE__TIME_NONE:
        break;
    case BINE__TIME_RELATIVE:
        mix((uint64_t)(time == BINE_FOREVER ? time : time <= now ? 0 : time - now));
        break;
    case BINE__TIME_ABSOLUTE:
        mix((uint64_t)time);
        break;
    }
}

static void mix_timer(const struct bine__explore *explore, unsigned i)
{
    const struct bine__timer *timer = explore->armed.timer[i];
    mix((uintptr_t)timer);
    mix((uintptr_t)timer->fire);
    mix(timer->owner);
    mix_time(explore, timer->deadline);
    for (unsigned k = 0; k < i; k++) /* of one task's: which is due earlier, and which was set earlier */
        if (bine__explore_owner(explore->armed.timer[k]) == bine__explore_owner(timer)) {
            mix((uintptr_t)explore->armed.timer[k]);
            mix(explore->armed.timer[k]->order < timer->order);
        }
}

/* They are sorted by deadline.  Where any may be the next, that says nothing of two tasks' timers: these count in
 * any order. */
static void mix_timers(const struct bine__explore *explore)
{
    const bool any = explore->share->timers == BINE__TIMERS_ANY;
    const uint64_t before = state.hash;
    uint64_t sum = 0;
    for (unsigned i = 0; i < explore->armed.n; i++) {
        if (any)
            state.hash = before;
        mix_timer(explore, i);
        sum += state.hash;
        leave_out(explore->armed.timer[i], sizeof *explore->armed.timer[i]);
    }
    if (any) {
        state.hash = before;
        mix(sum);
    }
    if (explore->share->time_needed == BINE__TIME_ABSOLUTE)
        mix((uint64_t)explore->loop->now);
}

struct tasks {
    const struct bine__explore *explore;
    uint64_t n;
    struct stander { /* a task that stands in a generator's body */
        const char *sp;
        bine_ns deadline; /* of its sleep; BINE_FOREVER: none */
    } away[STANDERS];
    unsigned aways;
};

/* All that was ever used of it: of a generator's that stands at a yield, and of a task's that stands in a
 * generator's body, nobody here knows how far it reaches. */
static void mix_whole(struct bine__stack stack, const char *top)
{
    mix_range(stack.base + bine__stack_span(stack) - bine__stack_used(stack), top);
}

/* As far as it is in use.  The innermost frames are the library's. */
static void mix_in_use(const char *sp, const char *top, bine_ns deadline)
{
    const unsigned out = state.out;
    const char *own = sp + OWN_WORDS * 8 < top ? sp + OWN_WORDS * 8 : top;
    uint64_t word;

    if (deadline != BINE_FOREVER)
        for (const char *at = sp; at + 8 <= own; at += 8) {
            memcpy(&word, at, 8);
            if (word == (uint64_t)deadline)
                leave_out(at, 8);
        }
    mix_range(sp, top);
    state.out = out;
}

static void mix_stack(const struct bine_task *task, struct bine__stack stack, bine_ns deadline)
{
    const char *sp = bine__context_sp(&task->context), *top = (const char *)task;
    if (sp >= stack.base && sp < top) {
        mix_in_use(sp, top, deadline);
    } else {
        mix((uintptr_t)sp);
        mix_whole(stack, top);
    }
}

/* A time that its frames hold, and that is no part of the state: BINE_FOREVER, none. */
static bine_ns sleeps_until(const struct bine__explore *explore, const struct bine_task *task)
{
    bine_ns deadline = BINE_FOREVER;
    for (unsigned i = 0; i < explore->armed.n; i++)
        if (explore->armed.timer[i]->owner == task->id && bine__explore_is_sleep(explore->armed.timer[i]))
            deadline = explore->armed.timer[i]->deadline;
    return explore->share->time_needed == BINE__TIME_ABSOLUTE ? BINE_FOREVER : deadline;
}

static void mix_task(const struct tasks *tasks, const struct bine_task *task, struct bine__stack stack)
{
    mix(task->id);
    mix((uint64_t)task->state << 32 | (uint64_t)task->wait << 16 | task->flags);
    mix(task->interrupted);
    mix(task->alert);
    mix((uint64_t)(int64_t)task->failing);
    mix((uintptr_t)task->cause);
    mix((uintptr_t)task->scope);
    mix(task->wait ? (uint64_t)task->object : 0);
    mix((uintptr_t)task->joiner);
    mix((uintptr_t)task->fn);
    mix((uintptr_t)task->arg);
    mix((uintptr_t)task->drop);
    mix((uintptr_t)task->result.value);
    mix((uint64_t)(int64_t)task->result.error);
    mix(task->held);
    mix(task->parent);
    mix((uintptr_t)task->site);
    mix(task->flags & BINE__TASK_OWNED ? (uintptr_t)task->owner : 0);
    mix(task->flags & BINE__TASK_VALUES ? (uintptr_t)task->values : 0);
    mix(task->flags & BINE__TASK_ENTERED ? (uintptr_t)task->frame : 0);
    mix(task->flags & BINE__TASK_LOCALS ? (uintptr_t)task->locals : 0);
    mix_memory(bine__task_name(task), bine__task_name(task) + strlen(bine__task_name(task)));
    mix_time(tasks->explore, task->deadline);
    if (task->state == BINE__ENDED)
        return;
    mix_stack(task, stack, sleeps_until(tasks->explore, task));
}

/* True: a task stands in this generator's body. */
static bool mix_stood_in(const struct tasks *tasks, struct bine__stack stack)
{
    const char *top = stack.base + bine__stack_span(stack);
    for (unsigned i = 0; i < tasks->aways; i++)
        if (tasks->away[i].sp >= stack.base && tasks->away[i].sp < top) {
            mix_in_use(tasks->away[i].sp, top, tasks->away[i].deadline);
            return true;
        }
    return false;
}

/* Where tasks stand is known before any stack is looked at. */
static void note_where(struct bine__stack stack, void *arg)
{
    struct tasks *tasks = arg;
    const struct bine_task *task = bine__task_of(stack);
    if (bine__stack_is_free(&tasks->explore->loop->stacks, stack) || task->magic != BINE__TASK_MAGIC ||
        task->state == BINE__ENDED || tasks->aways == STANDERS)
        return;
    const char *sp = bine__context_sp(&task->context);
    if (sp < stack.base || sp >= (const char *)task)
        tasks->away[tasks->aways++] = (struct stander){sp, sleeps_until(tasks->explore, task)};
}

/* A task's, or a generator's: that one itself is in the heap. */
static void mix_stack_in_use(struct bine__stack stack, void *arg)
{
    struct tasks *tasks = arg;
    const struct bine_task *task = bine__task_of(stack);
    if (bine__stack_is_free(&tasks->explore->loop->stacks, stack))
        return;
    tasks->n++;
    if (task->magic == BINE__TASK_MAGIC)
        mix_task(tasks, task, stack);
    else if (!mix_stood_in(tasks, stack))
        mix_whole(stack, stack.base + bine__stack_span(stack));
}

/* Without malloc()'s last block, which is free, if that is what stands there: another allocator's memory need
 * not be.  A block begins with two words, the second of them its size and flags. */
static const char *end_of_heap(void)
{
    const char *end = sbrk(0);
    const size_t last = mallinfo2().keepcost;
    size_t word;
    if (last < sizeof word * 2 || last > (size_t)(end - state.heap))
        return end;
    memcpy(&word, end - last + sizeof word, sizeof word);
    return (word & ~(size_t)7) == last ? end - last : end;
}

static uint64_t stacks_in_use(const struct bine_loop *loop)
{
    uint64_t n = 0;
    for (int class = 0; class < BINE__STACK_CLASSES; class++)
        n += loop->stacks.classes[class].carved - loop->stacks.classes[class].count;
    return n;
}

/* 0: cannot be told. */
static uint64_t hash_state(struct bine__explore *explore)
{
    struct bine_loop *loop = explore->loop;
    struct tasks tasks = {.explore = explore};
    uint64_t descriptors = 0, slow = 0;

    if (bine__explore_look_outside(explore, &descriptors) != BINE__COMPARABLE_YES || state.impossible ||
        explore->armed.more)
        return 0;
    state.hash = UINT64_C(0xcbf29ce484222325);
    state.out = 0;
    leave_out(explore, sizeof *explore);
    leave_out(&state, sizeof state);
    bine__explore_fds_apart(leave_out);
    bine__explore_outside_apart(leave_out);
    bine__explore_io_apart(loop, leave_out);
    leave_out(loop, sizeof *loop);
    leave_out(loop->queue, (loop->mask + (size_t)1) * sizeof *loop->queue);
    mix(loop->ending);
    mix(loop->next_id);
    mix(time_needed(explore));
    mix_timers(explore);
    for (unsigned i = 0; i < explore->slows; i++) /* in any order */
        slow += explore->slow[i] * UINT64_C(0x9e3779b97f4a7c15);
    mix(slow);
    mix(descriptors);
    bine__stacks_each(&loop->stacks, note_where, &tasks);
    bine__stacks_each(&loop->stacks, mix_stack_in_use, &tasks);
    if (tasks.n != stacks_in_use(loop))
        return 0;
    for (unsigned i = 0; i < state.n; i++)
        mix_written(state.kept[i].from, state.kept[i].to, state.kept[i].empty);
    mix_written(state.heap, end_of_heap(), state.heap);
    mix_range(explore->base, state.top);
    return state.impossible ? 0 : state.hash | 1;
}

/* ---- Known states ------------------------------------------------------------------------------------ */

bool bine__explore_known(struct bine__explore *explore)
{
    struct bine__explore_known *known = explore->known;
    uint64_t hash = known ? hash_state(explore) : 0;

    if (!hash)
        return false;
    for (uint64_t i = 0; i < PROBES; i++) {
        _Atomic uint64_t *slot = &known->state[((hash >> 20 ^ hash) + i) & (BINE__EXPLORE_STATES - 1)];
        uint64_t found = 0;
        /* No data goes with it: who finds it only stops. */
        if (atomic_compare_exchange_strong_explicit(slot, &found, hash, memory_order_relaxed,
                                                    memory_order_relaxed))
            return false;
        if (found == hash)
            return true;
    }
    return false; /* no room: run it */
}
