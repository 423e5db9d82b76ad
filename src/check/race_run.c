/* SPDX-License-Identifier: MIT
 *
 * What the runtime tells (runtime/check.h): tasks, switches, wake-ups.  Strands, options, and the end.
 *
 * A strand lives as long as its task's handle; of one that is gone the name is kept for a while. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/race.h"

struct bine__race_options bine__race_options = {.rules = ~0U, .most = 100, .own_read = BINE__OWN_READ};
_Thread_local struct bine__strand *bine__race_self __attribute__((tls_model("initial-exec")));
uint32_t bine__race_slice = 1;

enum { GONE = 4096 };

static struct bine__strand **strands; /* by number; NULL: gone */
static uint32_t strand_count = 1, strand_room, alive;
static struct bine__strand gone[2]; /* what bine__race_strand() gives for one that is gone */
static struct former {
    uint32_t number;
    uint64_t task;
    char name[BINE__NAMES];
} formers[GONE];

/* A thread by an address of its own; where tasks are threads, all of a loop by that of its first. */
static _Thread_local uintptr_t token;
BINE__CARRIED(token);
BINE__CARRIED(bine__race_self);

static _Atomic(uintptr_t) owner; /* the thread that is watched */
static _Atomic bool others;      /* another thread has run a loop */

static uintptr_t this_thread(void)
{
    if (!token)
        token = (uintptr_t)&token;
    return token;
}

bool bine__race_owner(void)
{
    uintptr_t none = 0, self = this_thread();
    if (atomic_load_explicit(&owner, memory_order_relaxed) == self)
        return true;
    return atomic_compare_exchange_strong(&owner, &none, self);
}

bool bine__race_is_owner(void)
{
    return atomic_load_explicit(&owner, memory_order_relaxed) == this_thread();
}

struct bine__strand *bine__race_strand(uint32_t number)
{
    static unsigned turn;
    if (number < strand_count && strands[number])
        return strands[number];
    const struct former *former = &formers[number % GONE];
    if (former->number != number)
        return NULL;
    struct bine__strand *one = &gone[turn++ % 2];
    one->task = former->task;
    memcpy(one->name, former->name, sizeof one->name);
    return one;
}

struct bine__strand *bine__race_strand_of(const struct bine_task *task) { return task->checked; }

uint32_t bine__race_strands(void) { return strand_count; }

/* ---- Where the program called the library ----------------------------------------------------------- */

extern const char text_start[] __asm__("__start_bine_text") __attribute__((visibility("hidden")));
extern const char text_stop[] __asm__("__stop_bine_text") __attribute__((visibility("hidden")));

uintptr_t bine__race_text, bine__race_text_size;

struct link { /* a frame, of either processor's ABI */
    const struct link *outer;
    uintptr_t back;
};

uintptr_t bine__race_caller(uintptr_t *library)
{
    enum { DEEPEST = 64 };
    const struct link *frame = __builtin_frame_address(0);
    uintptr_t before = 0, back = frame->back;
    const uintptr_t from = (uintptr_t)text_start, size = (uintptr_t)text_stop - from;
    for (unsigned left = DEEPEST; back - from < size; back = frame->back) {
        const struct link *outer = frame->outer;
        before = back;
        if (outer <= frame || !--left)
            break;
        frame = outer;
    }
    if (library)
        *library = before;
    return back;
}

/* ---- Tasks ------------------------------------------------------------------------------------------ */

static bool grow(void)
{
    uint32_t room = strand_room ? strand_room * 2 : 256;
    struct bine__strand **more = realloc(strands, room * sizeof(*strands));
    if (!more)
        return false;
    memset(more + strand_room, 0, (room - strand_room) * sizeof *more);
    strands = more;
    strand_room = room;
    return true;
}

static struct bine__strand *new_strand(struct bine_task *task, const char *name)
{
    if (strand_count + 1 >= strand_room && !grow())
        return NULL;
    struct bine__strand *strand = calloc(1, sizeof *strand);
    if (!strand)
        return NULL;
    if (!bine__race_outermost(strand)) {
        free(strand);
        return NULL;
    }
    strand->number = strand_count++;
    strand->alone = bine__race_beginning(&(struct bine__record){.strand = strand->number});
    strand->predicts = bine__race_options.predict;
    strand->task = task->id;
    strand->site = task->site;
    snprintf(strand->name, sizeof strand->name, "%.23s", name);
    strands[strand->number] = strand;
    task->checked = strand;
    if (alive++ == 0) /* kept for each task by the door */
        bine__check_benign(&errno, sizeof errno, "each task has its own");
    return strand;
}

/* Callbacks run on the loop's own stack. */
static struct bine__strand *of_root(struct bine_task *root) { return new_strand(root, "a callback"); }

void bine__check_spawn(struct bine_task *child)
{
    child->checked = NULL;
    if (bine__race_options.off)
        return;
    if (!bine__race_owner()) {
        atomic_store_explicit(&others, true, memory_order_relaxed);
        return;
    }
    struct bine__strand *parent = bine__race_self, *strand = new_strand(child, bine__task_name(child));
    if (!strand)
        return;
    strand->stack = (uintptr_t)child->stack.base;
    strand->stack_end = strand->stack + bine__stack_span(child->stack);
    bine__check_stack(child->stack.base, bine__stack_span(child->stack));
    if (parent) {
        strand->parent = parent->number;
        bine__race_tell(strand, parent, true);
    }
}

void bine__check_end(struct bine_task *task)
{
    struct bine__strand *self = task->checked;
    if (!self)
        return;
    self->ended = true;
    self->undos = 0;
    bine__race_settle(self);
    if (self->stack && bine__rule(BINE__RULE_STACKS))
        bine__race_stack_gone(self);
    if (task->flags & BINE__TASK_OWNED)
        bine__check_put(task->owner);
}

void bine__check_released(struct bine_task *task)
{
    struct bine__strand *strand = task->checked;
    if (!strand)
        return;
    struct former *former = &formers[strand->number % GONE];
    former->number = strand->number;
    former->task = strand->task;
    memcpy(former->name, strand->name, sizeof former->name);
    strands[strand->number] = NULL;
    task->checked = NULL;
    if (bine__race_self == strand) /* the loop's own: the run is over */
        bine__race_self = NULL;
    if (!strand->stack)
        bine__race_stacks_unmapped();
    bine__race_frames_free(strand);
    free(strand->known);
    free(strand->holdings);
    free(strand);
    if (--alive == 0)
        atomic_store_explicit(&owner, 0, memory_order_relaxed);
}

void bine__check_joined(struct bine_task *self, struct bine_task *task)
{
    if (self->checked && task->checked)
        bine__race_tell(self->checked, task->checked, true);
}

/* ---- Switches --------------------------------------------------------------------------------------- */

static void note_leave(struct bine__strand *self, uint8_t wait, uintptr_t pc, uintptr_t library)
{
    self->left[self->lefts++ % BINE__LEFT] =
        (struct bine__left){bine__race_now,       self->slice, bine__race_here(self),
                            bine__race_short(pc), wait,        library};
}

void bine__check_call(struct bine_task *task)
{
    struct bine__strand *self = task->checked;
    if (!self)
        return;
    self->undos = 0;
    self->called = bine__race_caller(&self->library);
    if (bine__rule(BINE__RULE_CALLS))
        bine__race_call(self, self->called);
    if (bine__race_options.predict) { /* another time it will switch */
        bine__race_settle(self);
        bine__predict_settle();
        note_leave(self, BINE__WAIT_NONE, self->called, self->library);
        self->slice = ++bine__race_slice;
    }
}

void bine__check_leave(struct bine_task *task)
{
    struct bine__strand *self = task->checked;
    bine__race_self = NULL;
    if (!self)
        return;
    uintptr_t library = self->library, pc = self->called;
    bool known = pc && task != &task->loop->root; /* every call that yields has said where it was made */
    if (!known)
        pc = bine__race_caller(&library);
    self->undos = 0;
    self->last.pc = 0;
    self->returned.at = 0;
    bine__race_settle(self);
    self->suspicious = 0;
    if (bine__race_options.predict)
        bine__predict_settle();
    if (self->ended)
        return;
    if (task == &task->loop->root)
        self->depth = 1; /* a callback has ended, and nothing of it is left */
    if (!known || !bine__rule(BINE__RULE_CALLS))
        bine__race_call(self, pc);
    uint8_t wait = task->state == BINE__PARKED ? task->wait : BINE__WAIT_NONE;
    note_leave(self, wait, pc, library);
}

void bine__check_arrive(struct bine_task *task)
{
    struct bine__strand *self = task->checked;
    if (!self && task == &task->loop->root && bine__race_is_owner())
        self = of_root(task);
    bine__race_self = self;
    if (!self)
        return;
    self->slice = ++bine__race_slice;
    if (!self->name[0] && (task->flags & BINE__TASK_NAMED))
        snprintf(self->name, sizeof self->name, "%.23s", task->name_);
    bine__heap_tidy();
}

/* Where it gave the loop up last before that slice. */
const struct bine__left *bine__race_left_before(const struct bine__strand *self, uint32_t slice)
{
    const unsigned kept = self->lefts < BINE__LEFT ? self->lefts : BINE__LEFT;
    const struct bine__left *last = &self->left[(self->lefts - 1) % BINE__LEFT];
    if (kept && last->slice < slice)
        return last;
    unsigned later = 0, end = kept; /* how many are not before it; they are the last, since slices only grow */
    while (later < end) {
        unsigned middle = later + (end - later) / 2;
        if (self->left[(self->lefts - 1 - middle) % BINE__LEFT].slice < slice)
            end = middle;
        else
            later = middle + 1;
    }
    return later < kept ? &self->left[(self->lefts - 1 - later) % BINE__LEFT] : NULL;
}

void bine__check_wake(struct bine_task *task)
{
    struct bine__strand *self = bine__race_self, *woken = task->checked;
    if (!self || !woken || self == woken)
        return;
    if (self == task->loop->root.checked && self->depth == 1)
        return; /* a timer, a descriptor: not of a callback's doing */
    switch ((enum bine__wait)task->wait) {
    case BINE__WAIT_MUTEX:
    case BINE__WAIT_RWLOCK: return; /* from hand to hand */
    case BINE__WAIT_SEM:
        for (unsigned i = 0; i < self->holds; i++)
            if ((intptr_t)self->held[i].lock == task->object)
                return; /* it waited for it itself: it serves as a lock */
        break;
    case BINE__WAIT_SLEEP: return; /* its time has come, whoever's turn it was */
    case BINE__WAIT_SEND:
        bine__race_tell(self, woken, false); /* what it sends has come, too */
        break;
    default: break;
    }
    bine__race_tell(woken, self, false);
}

/* ---- Options, and the end --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum bine__race_rule rule;
} rules[] = {{"loops", BINE__RULE_LOOPS},     {"checks", BINE__RULE_CHECKS},
             {"values", BINE__RULE_VALUES},   {"handover", BINE__RULE_HANDOVER},
             {"updates", BINE__RULE_UPDATES}, {"own-reads", BINE__RULE_OWN_READS},
             {"masks", BINE__RULE_MASKS},     {"locks", BINE__RULE_LOCKS},
             {"order", BINE__RULE_ORDER},     {"calls", BINE__RULE_CALLS},
             {"derived", BINE__RULE_DERIVED}, {"tests", BINE__RULE_TESTS},
             {"phases", BINE__RULE_PHASES},   {"blind", BINE__RULE_BLIND},
             {"asked", BINE__RULE_ASKED},     {"own-places", BINE__RULE_OWN_PLACES},
             {"returns", BINE__RULE_RETURNS}, {"again", BINE__RULE_AGAIN},
             {"taken", BINE__RULE_TAKEN},     {"steps", BINE__RULE_STEPS},
             {"unfound", BINE__RULE_UNFOUND}, {"filled", BINE__RULE_FILLED},
             {"spent", BINE__RULE_SPENT},     {"delivered", BINE__RULE_DELIVERED},
             {"fields", BINE__RULE_FIELDS},   {"released", BINE__RULE_RELEASED},
             {"copies", BINE__RULE_COPIES},   {"logged", BINE__RULE_LOGGED},
             {"stacks", BINE__RULE_STACKS},   {"guards", BINE__RULE_GUARDS},
             {"reached", BINE__RULE_REACHED}, {"same-look", BINE__RULE_SAME_LOOK}};

static bool is_word(const char *at, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(at, word, length) == 0;
}

static void set_option(const char *at, size_t length)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (length > 3 && memcmp(at, "no-", 3) == 0 && is_word(at + 3, length - 3, rules[i].name)) {
            bine__race_options.rules &= ~(unsigned)rules[i].rule;
            if (rules[i].rule == BINE__RULE_OWN_READS)
                bine__race_options.own_read = 0;
            return;
        }
    if (is_word(at, length, "off"))
        bine__race_options.off = true;
    else if (is_word(at, length, "predict"))
        bine__race_options.predict = true;
    else if (is_word(at, length, "stats"))
        bine__race_options.stats = true;
    else if (is_word(at, length, "colour"))
        bine__race_options.colour = true;
    else if (length)
        dprintf(STDERR_FILENO, "bine-race: BINE_RACE: unknown option '%.*s'\n", (int)length, at);
}

/* The program's own object is told first: its code, its constants, and what is constant once it is linked. */
static int find_constants(struct dl_phdr_info *object, size_t size, void *arg)
{
    uintptr_t writable = UINTPTR_MAX, linked = 0, linked_end = 0;
    (void)size, (void)arg;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t begin = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) && begin < writable)
            writable = begin;
        if (part->p_type == PT_GNU_RELRO) {
            linked = begin;
            linked_end = begin + part->p_memsz;
        }
    }
    if (linked == writable) /* whole pages of it */
        writable = linked_end & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    if (writable != UINTPTR_MAX && writable > bine__race_base)
        bine__race_constants = writable - bine__race_base;
    return 1;
}

static __attribute__((constructor)) void begin(void)
{
    extern const char program_start[] __asm__("__executable_start")
        __attribute__((weak, visibility("hidden")));
    bine__race_base = (uintptr_t)program_start;
    if (bine__race_base)
        dl_iterate_phdr(find_constants, NULL);
    bine__race_text = (uintptr_t)text_start;
    bine__race_text_size = (uintptr_t)text_stop - bine__race_text;
    bine__race_options.log = getenv("BINE_RACE_LOG");
    for (const char *at = getenv("BINE_RACE"); at && *at;) {
        size_t length = strcspn(at, ", ");
        set_option(at, length);
        at += length;
        at += strspn(at, ", ");
    }
}

static __attribute__((destructor)) void end(void)
{
    unsigned found = bine__findings();
    bine__race_self = NULL;
    if (bine__race_options.off)
        return;
    if (atomic_load(&others))
        dprintf(STDERR_FILENO,
                "bine-race: loops on other threads were not watched: one loop at a time can be\n");
    if (!getenv("BINE_EXPLORE_PATH")) {
        if (!bine__race_hooked)
            dprintf(STDERR_FILENO,
                    "bine-race: no object of this program is instrumented: compile with bine-race cc\n");
        else
            bine__race_say_unseen();
    }
    if (!found)
        return;
    if (bine__findings_without_lines)
        dprintf(STDERR_FILENO,
                "bine-race: places are offsets where there is no debug information: compile with -g\n");
    if (!bine__race_options.log)
        dprintf(STDERR_FILENO, "bine-race: %u finding%s\n", found, found == 1 ? "" : "s");
    fflush(NULL);
    _exit(BINE__RACE_EXIT);
}
