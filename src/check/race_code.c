/* SPDX-License-Identifier: MIT
 *
 * What the program's code does with a value that it has read, where no hook tells.
 *
 * Compilers announce a comparison by its operands.  Of `flags & BUSY`, of a bit field, of `cap - used` these
 * are not what was read; of pointers nothing is announced at all.  So the few bytes of code between two hooks
 * are looked at: a comparison that follows a read with no other call between has to do with it, and a pointer
 * that is tested right after it was read was looked at.
 *
 * Patterns are sought, which differ by processor and stand in a header for each; for those that are not known
 * nothing is ever found. */
#include <string.h>

#include "check/race.h"

enum { FARTHEST = BINE__FARTHEST, NEAREST_TEST = 40 };

extern const char code_begins[] __asm__("__executable_start") __attribute__((weak, visibility("hidden")));
extern const char code_ends[] __asm__("__etext") __attribute__((weak, visibility("hidden")));

void __tsan_read1(void *);
void __tsan_read2(void *);
void __tsan_read4(void *);
void __tsan_read8(void *);
size_t __wrap_strlen(const char *);

static bool is_code(uintptr_t at) { return at >= (uintptr_t)code_begins && at < (uintptr_t)code_ends; }

static bool is_read_hook(uintptr_t at)
{
    return at == (uintptr_t)__tsan_read1 || at == (uintptr_t)__tsan_read2 || at == (uintptr_t)__tsan_read4 ||
           at == (uintptr_t)__tsan_read8 || at == (uintptr_t)__wrap_strlen;
}

/* ---- Patterns --------------------------------------------------------------------------------------- */

#if defined __x86_64__
#include "check/code_x86_64.h"
#elif defined __aarch64__
#include "check/code_aarch64.h"
#else
#include "check/code_unknown.h"
#endif

/* ---- What is asked ---------------------------------------------------------------------------------- */

struct bine__answer bine__race_answers[BINE__ANSWERS];

/* Nothing but reads is called from here to there, where a hook was called. */
static bool leads(uintptr_t from, uintptr_t to)
{
    if (!is_code(from) || to <= from || to - from > FARTHEST)
        return false;
    for (uintptr_t at = from; at + CALL_BYTES < to; at += STEP) {
        uintptr_t called = call_to((const uint8_t *)at);
        if (called ? !is_read_hook(called) : calls_through_pointer((const uint8_t *)at))
            return false;
    }
    return true;
}

bool bine__race_leads_near(uint32_t from, uint32_t to)
{
    bool yes = leads(bine__race_pc(from), bine__race_pc(to));
    *bine__race_answer(from, to) = (struct bine__answer){from, to, yes};
    return yes;
}

int bine__race_condition(uintptr_t pc)
{
    return is_code(pc) && is_code(pc + FARTHEST) ? condition((const uint8_t *)pc) : -1;
}

enum bine__condition bine__race_condition_kind(uintptr_t pc)
{
    unsigned found = (unsigned)bine__race_condition(pc);
    return found < sizeof conditions / sizeof *conditions ? conditions[found] : BINE__IF_UNKNOWN;
}

bool bine__race_merged(uintptr_t pc, bool surely)
{
    return is_code(pc - FARTHEST) && is_code(pc) && merged((void *)pc, surely);
}

bool bine__race_result_used(uintptr_t back)
{
    return !is_code(back) || !is_code(back + FARTHEST) || result_used((void *)back);
}

bool bine__race_tested_there(uint32_t pc, bool pointer)
{
    uintptr_t at = bine__race_pc(pc);
    bool yes = is_code(at) && is_code(at + FARTHEST) && tested_code((void *)at, pointer);
    *bine__race_answer(pc, pointer ? 0 : 1) = (struct bine__answer){pc, pointer ? 0 : 1, yes};
    return yes;
}

enum { LONGEST = 400 }; /* of what is gone over */

static bool is_stretch(uintptr_t from, uintptr_t to)
{
    return to > from && to - from < LONGEST && is_code(from) && is_code(to + FARTHEST);
}

bool bine__race_regardless(uint32_t read, uint32_t write)
{
    uintptr_t from = bine__race_pc(read), to = bine__race_pc(write);
    return is_stretch(from, to) && regardless((const uint8_t *)from, (const uint8_t *)to);
}

bool bine__race_straight(uint32_t read, uint32_t write)
{
    uintptr_t from = bine__race_pc(read), to = bine__race_pc(write);
    return is_stretch(from, to) && straight((const uint8_t *)from, (const uint8_t *)to);
}
