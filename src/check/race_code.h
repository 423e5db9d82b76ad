/* SPDX-License-Identifier: MIT
 *
 * What is asked of the program's code, between two places where hooks were called (race_code.c).  Places are
 * program counters in 32 bits, as records keep them.
 *
 * Answers are kept, since code does not change: most questions are answered here, without a call. */
#ifndef BINE_CHECK_RACE_CODE_H
#define BINE_CHECK_RACE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { BINE__FARTHEST = 200, BINE__ANSWERS = 1 << 12 };

extern struct bine__answer { /* about the code between two places */
    uint32_t from, to;
    bool yes;
} bine__race_answers[BINE__ANSWERS];

static inline struct bine__answer *bine__race_answer(uint32_t from, uint32_t to)
{
    return &bine__race_answers[(from * 2654435761U ^ to * 2246822519U) >> 20 & (BINE__ANSWERS - 1)];
}

bool bine__race_leads_near(uint32_t from, uint32_t to);
bool bine__race_tested_there(uint32_t pc, bool pointer);

/* Nothing but reads is called between. */
static inline bool bine__race_leads(uint32_t from, uint32_t to)
{
    if (to - from - 1 >= BINE__FARTHEST)
        return false;
    const struct bine__answer *answer = bine__race_answer(from, to);
    return answer->from == from && answer->to == to ? answer->yes : bine__race_leads_near(from, to);
}

/* It does not, as is known already. */
static inline bool bine__race_leads_not(uint32_t from, uint32_t to)
{
    const struct bine__answer *answer = bine__race_answer(from, to);
    return to - from - 1 >= BINE__FARTHEST || (answer->from == from && answer->to == to && !answer->yes);
}

/* Or bounded: what is read there. */
static inline bool bine__race_tested(uint32_t pc, bool pointer)
{
    const struct bine__answer *answer = bine__race_answer(pc, pointer ? 0 : 1); /* no place in the code */
    bool known = answer->from == pc && answer->to == (pointer ? 0 : 1);
    return known ? answer->yes : bine__race_tested_there(pc, pointer);
}
bool bine__race_regardless(uint32_t read, uint32_t write); /* whatever a test says */
bool bine__race_straight(uint32_t read, uint32_t write);   /* and there is none */
/* Of the comparison that is announced there: on which condition a way is chosen, or on its opposite; -1: on
 * none. */
int bine__race_condition(uintptr_t pc);
enum bine__condition {
    BINE__IF_UNKNOWN,
    BINE__IF_EQUAL,
    BINE__IF_LESS, /* with sign; and so on: or its opposite */
    BINE__IF_LESS_OR_EQUAL,
    BINE__IF_BELOW,
    BINE__IF_BELOW_OR_EQUAL
};
enum bine__condition bine__race_condition_kind(uintptr_t pc);
bool bine__race_result_used(uintptr_t back); /* what a call has returned, behind it */
bool bine__race_merged(uintptr_t pc, bool surely); /* what is written is put together of two values */

#pragma GCC visibility pop

#endif
