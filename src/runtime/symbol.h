/* SPDX-License-Identifier: MIT
 *
 * Where in the source an address stands: for diagnostics, which may be slow.  Nothing is kept from one call to
 * the next, and nothing of the program's is changed. */
#ifndef BINE_RUNTIME_SYMBOL_H
#define BINE_RUNTIME_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BINE__SYMBOL_SIZE = 96, BINE__WHERE_SIZE = 128 };

struct bine__place {
    char function[BINE__SYMBOL_SIZE]; /* "" if it cannot be told */
    char where[BINE__WHERE_SIZE];     /* "file:line"; "object+0x123" without debug information */
    bool line_known;
};

/* Of the instruction at pc; for a return address, of the call before it. */
void bine__place_of(struct bine__place *, const void *pc);
void bine__place_of_call(struct bine__place *, const void *return_address);

/* Says the name of a function from its symbol, `length` long; NULL: the symbol is its name.  Set while telling. */
extern void (*bine__name_for_people)(char name[BINE__SYMBOL_SIZE], const char *symbol, size_t length);

/* The chain of calls that led from the program into the library: up to max of them, innermost first.  from: the
 * address that the innermost returns to, if it is known.  name: of the library's function, or "". */
int bine__call_places(struct bine__place *, int max, const void *from, char name[BINE__SYMBOL_SIZE]);

/* line_table.c: the row of a DWARF line program, versions 2 to 5, that covers an address. */
struct bine__debug_sections {
    struct bine__bytes {
        const uint8_t *at, *end;
    } line, line_strings, strings;
};
bool bine__line_of(const struct bine__debug_sections *, uint64_t address, char *where, size_t size);

#endif
