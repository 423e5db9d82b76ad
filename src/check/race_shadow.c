/* SPDX-License-Identifier: MIT
 *
 * Where the records are: a cell of four bytes for each granule of eight, in windows that are mapped when they
 * are first needed; records and the numbers of far program counters in tables that only take memory as they
 * fill. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "check/race.h"

enum {
    CHUNK = 4096, /* records put on the free list at once */
    UNTOUCHED = 32,
    FAR_ROOM = 1 << 20
};
static const uint32_t records_most = 1U << 28; /* 16 GiB of address space */

uint32_t *bine__race_windows[BINE__WINDOWS];
static struct bine__record nobodys;
struct bine__record *bine__records = &nobodys; /* until there are some */
static uint32_t records_made, records_free;

static struct far {
    uintptr_t pc;
    uint32_t next;
} * far;
static uint32_t far_made, *far_heads;
enum { FAR_HEADS = 1 << 14 };

uintptr_t bine__race_base, bine__race_constants;

static void *map(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* ---- Cells ------------------------------------------------------------------------------------------ */

static bool open_records(void)
{
    struct bine__record *all = map(records_most * sizeof *all);
    if (!all)
        return false;
    bine__records = all;
    records_made = BINE__RECORDS;
    return true;
}

/* Where there are cells there are records: the hooks rely on it. */
uint32_t *bine__cell_made(uintptr_t at)
{
    size_t number = (at >> BINE__WINDOW_BITS) & (BINE__WINDOWS - 1);
    if (!records_made && !open_records())
        return NULL;
    if (!bine__race_windows[number])
        bine__race_windows[number] = map(((size_t)1 << BINE__WINDOW_BITS) / 8 * sizeof(uint32_t) +
                                         ((size_t)1 << BINE__WINDOW_BITS) / BINE__BLOCK);
    return bine__cell(at);
}

bool bine__race_touched(void) { return records_made != 0; }

/* ---- Records ---------------------------------------------------------------------------------------- */

/* Number 0 is nobody's; it is also what is given, to be overwritten, where there are no more. */
uint32_t bine__record_new(void)
{
    if (!records_free) {
        if ((!records_made && !open_records()) || records_made + CHUNK > records_most)
            return 0;
        for (uint32_t i = 0; i < CHUNK; i++) {
            bine__records[records_made + i].next = records_free;
            records_free = records_made + i;
        }
        records_made += CHUNK;
    }
    uint32_t number = records_free;
    records_free = bine__records[number].next;
    memset(&bine__records[number], 0, sizeof *bine__records);
    return number;
}

void bine__record_free(uint32_t number)
{
    bine__records[number].kind = BINE__NOTHING;
    bine__records[number].slice = 0;
    bine__records[number].next = records_free;
    records_free = number;
}

/* Where it read a pointer into the block last.  Goes through all records: only for a finding. */
const struct bine__record *bine__record_of_pointer(uint32_t strand, uintptr_t first, size_t size)
{
    const struct bine__record *best = NULL;
    for (uint32_t i = 1; i < records_made; i++) {
        const struct bine__record *one = bine__record(i);
        if (one->strand == strand && one->kind == BINE__READ && one->size == 8 && one->val - first < size &&
            (!best || best->time < one->time))
            best = one;
    }
    return best;
}

/* Of most blocks that are freed nothing was touched: so many granules are asked about at once. */
static bool untouched(const uint32_t *cell)
{
    uint32_t any = 0;
    for (unsigned i = 0; i < UNTOUCHED; i++)
        any |= cell[i];
    return !any;
}

static void clear_cells(uintptr_t granule, uintptr_t end)
{
    for (uint32_t *cell = bine__cell(granule); granule < end; granule += 8, cell++) {
        for (; granule + UNTOUCHED * 8 <= end && untouched(cell); cell += UNTOUCHED)
            granule += UNTOUCHED * 8;
        if (granule >= end)
            break;
        uint32_t number = *cell;
        if (!number)
            continue;
        *cell = 0;
        for (uint32_t after; number && bine__record(number)->kind != BINE__FREED; number = after) {
            after = bine__record(number)->next;
            if (bine__record(number)->flags & BINE__IN_SPAN)
                bine__predict_forget(granule);
            bine__record_free(number);
        }
    }
}

/* What stood there is forgotten.  A cell of a freed block shares the block's one record, which is not its own
 * to give back; declarations stay until their memory goes. */
void bine__race_clear(uintptr_t at, size_t size)
{
    const uintptr_t window = (uintptr_t)1 << BINE__WINDOW_BITS, end = at + size;
    for (uintptr_t next; at < end; at = next) {
        if (!bine__cell(at)) {
            next = (at & ~(window - 1)) + window;
            continue;
        }
        const uintptr_t block = at & ~(uintptr_t)(BINE__BLOCK - 1);
        uint8_t *touched = bine__block(at);
        next = block + BINE__BLOCK;
        if (!*touched)
            continue;
        clear_cells(at & ~(uintptr_t)7, end < next ? end : next);
        if (at == block && next <= end)
            *touched = 0;
    }
}

/* ---- Program counters of other objects -------------------------------------------------------------- */

static const uint32_t far_mark = 1U << 31;

uint32_t bine__race_intern(uintptr_t pc)
{
    if (!far) {
        far = map(FAR_ROOM * sizeof *far);
        far_heads = map(FAR_HEADS * sizeof *far_heads);
        far_made = 1;
    }
    if (!far || !far_heads)
        return 0;
    uint32_t *head = &far_heads[(pc * 0x9e3779b97f4a7c15U >> 40) % FAR_HEADS];
    for (uint32_t i = *head; i; i = far[i].next)
        if (far[i].pc == pc)
            return far_mark | i;
    if (far_made == FAR_ROOM)
        return 0;
    far[far_made] = (struct far){pc, *head};
    *head = far_made;
    return far_mark | far_made++;
}

uintptr_t bine__race_pc(uint32_t number)
{
    return number & far_mark ? far[number & ~far_mark].pc : bine__race_base + number;
}
