/* SPDX-License-Identifier: MIT
 *
 * Records of accesses, and the cells that lead to them.  A part of race.h.
 *
 * A granule of eight bytes has a cell, and a cell has the number of the first record of a chain; 0 is nobody's, and
 * is never in this slice.  How cells and records are kept: race_shadow.c. */
#ifndef BINE_CHECK_RACE_RECORD_H
#define BINE_CHECK_RACE_RECORD_H

#pragma GCC visibility push(hidden)

enum bine__access_kind {
    BINE__NOTHING,
    BINE__READ,
    BINE__WRITE,
    BINE__UPDATE,
    BINE__FREED,  /* the whole block is: see .val, .w_pc */
    BINE__MEMBER, /* of a declared group: .val is its number */
    BINE__BENIGN
};
enum {
    BINE__CHECKED_READ = 1,
    BINE__OWN_READ = 2,
    BINE__IN_SPAN = 4,
    BINE__CHANGED = 8,
    BINE__SEVERAL = 16, /* members of its group were written in its slice, and .place is the first of them */
    BINE__BLIND = 32,  /* its slice's first write came before any read */
    BINE__RAISED = 64, /* an update made it more, or less */
    BINE__LOWERED = 128
};
enum {
    BINE__OF_WRITE = BINE__CHANGED | BINE__SEVERAL | BINE__BLIND | BINE__RAISED | BINE__LOWERED,
    BINE__KEPT_FLAGS = BINE__IN_SPAN | BINE__OF_WRITE
};

struct bine__record {
    uint32_t next; /* of the granule; of the free ones */
    uint32_t strand, slice, w_slice;
    uint64_t time;
    uint64_t val, w_old;  /* what was read; what was overwritten */
    uint32_t pc, context; /* of the last read, if there was one in its slice; else of the last write */
    uint32_t w_pc, w_context;
    uint8_t kind, mask, flags, size;
    uint16_t locks;
    uint16_t place; /* of a group's record: which member */
};
_Static_assert(sizeof(struct bine__record) == 64, "a record is a cache line");

/* ---- Where they are ---------------------------------------------------------------------------------- */

enum { BINE__WINDOW_BITS = 30, BINE__WINDOWS = 1 << (47 - BINE__WINDOW_BITS) };
extern uint32_t *bine__race_windows[BINE__WINDOWS];
extern struct bine__record *bine__records;

static inline struct bine__record *bine__record(uint32_t number) { return &bine__records[number]; }

/* The granule's chain; NULL: nothing near was ever touched. */
static inline uint32_t *bine__cell(uintptr_t at)
{
    uint32_t *window = bine__race_windows[(at >> BINE__WINDOW_BITS) & (BINE__WINDOWS - 1)];
    return window ? &window[(at & (((uintptr_t)1 << BINE__WINDOW_BITS) - 1)) >> 3] : NULL;
}

/* Behind a window's cells: whether there may be a record in so many bytes of memory. */
enum { BINE__BLOCK = 512 };

static inline uint8_t *bine__block(uintptr_t at)
{
    uint32_t *window = bine__race_windows[(at >> BINE__WINDOW_BITS) & (BINE__WINDOWS - 1)];
    uint8_t *blocks = (uint8_t *)(window + ((size_t)1 << BINE__WINDOW_BITS) / 8);
    return &blocks[(at & (((uintptr_t)1 << BINE__WINDOW_BITS) - 1)) / BINE__BLOCK];
}

/* The first record there. */
static inline void bine__cell_fill(uint32_t *cell, uintptr_t at, uint32_t number)
{
    *bine__block(at) = 1;
    *cell = number;
}

uint32_t *bine__cell_made(uintptr_t at); /* race_shadow.c; NULL: no memory */
bool bine__race_touched(void);           /* anything was */
uint32_t bine__record_new(void);
void bine__record_free(uint32_t);
const struct bine__record *bine__record_of_pointer(uint32_t strand, uintptr_t first, size_t size);
void bine__race_clear(uintptr_t at, size_t size);

static inline uint8_t bine__mask(uintptr_t at, unsigned size)
{
    return (uint8_t)(((1u << (size > 8 ? 8 : size)) - 1) << (at & 7));
}

static inline uint64_t bine__value_at(uintptr_t at, unsigned size)
{
    uint64_t value = 0;
    if (at == 0)
        __builtin_unreachable(); /* an access there does not get so far */
    switch (size) { /* the others are parts of what memcpy() and its like go over */
    case 1: __builtin_memcpy(&value, (const void *)at, 1); break;
    case 2: __builtin_memcpy(&value, (const void *)at, 2); break;
    case 4: __builtin_memcpy(&value, (const void *)at, 4); break;
    case 8: __builtin_memcpy(&value, (const void *)at, 8); break;
    default: __builtin_memcpy(&value, (const void *)at, size > 8 ? 8 : size); break;
    }
    return value;
}

#pragma GCC visibility pop

#endif
