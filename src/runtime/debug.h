/* SPDX-License-Identifier: MIT
 *
 * Between debug.c, trace.c and dump.c. */
#ifndef BINE_RUNTIME_DEBUG_H
#define BINE_RUNTIME_DEBUG_H

#include "runtime/runtime.h"

enum { BINE__FRAMES = 48, BINE__TRACE_SIZE = 2048 };

/* trace.c: return addresses of the caller's stack; 0 where the platform cannot tell. */
int bine__backtrace(void **frames, int max);
/* trace.c: the same of a task that is not running. */
int bine__backtrace_of(struct bine_task *, void **frames, int max);
/* trace.c: " function+0x12 function+0x34 ..." */
void bine__format_trace(char *out, size_t size, void **frames, int depth);

/* site.c: the deepest stack of each spawn site. */
struct bine__site {
    struct bine__site *next;
    const char *site;
    size_t used, size; /* bytes: most that was touched, of how much */
    uint64_t tasks;
};
void bine__sites_note(struct bine__site **, const char *site, size_t used, size_t size);
void bine__sites_free(struct bine__site *);
const struct bine__site *bine__debug_sites(const struct bine_loop *);

#endif
