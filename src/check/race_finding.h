/* SPDX-License-Identifier: MIT
 *
 * What is told, to people or to the tool (race_finding.c): a kind, a summary, and the sites in the order in
 * which they happened, each in words of its own. */
#ifndef BINE_CHECK_RACE_FINDING_H
#define BINE_CHECK_RACE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct bine__left;

struct bine__site_of { /* one of a finding's sites */
    const char *where; /* a place that is known as text; NULL: pc */
    const char *role;  /* "looked", "gave-up", "wrote", "acted" ... */
    char text[200];    /* in words, without the colon */
    uint32_t pc, context;
};

enum { BINE__SITES = 8 };
struct bine__finding {
    const char *kind;
    char summary[240];
    struct bine__site_of site[BINE__SITES];
    unsigned sites;
};

void bine__finding_site(struct bine__finding *, const char *role, uint32_t pc, uint32_t context,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
void bine__finding_place(struct bine__finding *, const char *role, const char *where, const char *text);
/* Told once for the same kind and sites. */
void bine__finding_tell(struct bine__finding *);
unsigned bine__findings(void);
extern bool bine__findings_without_lines; /* some place could only be told as an offset */
/* "task 3 'name'" */
const char *bine__strand_name(char text[64], uint32_t number);
const char *bine__place_name(char text[96], uintptr_t at); /* " (x+8)", " (group 'account')" or "" */
const char *bine__left_name(char text[64], const struct bine__left *);

#pragma GCC visibility pop

#endif
