/* SPDX-License-Identifier: MIT
 *
 * Looking a name up: what bine_resolve() (resolve.c) asks of the one resolver that was built in,
 * resolve_pool.c or resolve_cares.c; and what both are made of. */
#ifndef BINE_IO_RESOLVE_H
#define BINE_IO_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "io/offload.h"

struct bine_task;

/* "pool" or "c-ares". */
extern const char bine__resolver[];

/* Yields.  As getaddrinfo(3): 0 and a list for freeaddrinfo(3), or an EAI_ code; EAI_SYSTEM with errno. */
int bine__lookup(struct bine_task *self, const char *host, const char *service, const struct addrinfo *hints,
                 struct addrinfo **list);

/* Of the hints only what the standard lets a caller set: the rest must be zero. */
static inline void bine__hints_copy(struct addrinfo *to, const struct addrinfo *from)
{
    *to = (struct addrinfo){.ai_flags = from->ai_flags,
                            .ai_family = from->ai_family,
                            .ai_socktype = from->ai_socktype,
                            .ai_protocol = from->ai_protocol};
}

/* ---- Questions: the head of a resolver's own struct --------------------------------------------------- */

struct bine__question {
    struct bine__job job;       /* first: what the pool hands around */
    const char *host, *service; /* copies, or NULL */
    struct addrinfo hints;      /* what getaddrinfo(3) has where there are none: */
    bool has_hints;
    struct addrinfo *list; /* the answer */
    int code, error;       /* EAI_; errno for EAI_SYSTEM */
};

/* One block of size bytes, zeroed but for the question, and the texts behind it; NULL: no memory. */
void *bine__question_new(size_t size, const char *host, const char *service, const struct addrinfo *hints);
/* Asks getaddrinfo(3), with these hints: on a thread. */
void bine__question_ask(struct bine__question *, const struct addrinfo *hints);
/* Frees the list, if it is still there, and the block. */
void bine__question_free(struct bine__question *);
/* Gives the answer out as bine__lookup() does, and the question to its job's drop. */
int bine__question_end(struct bine__question *, struct addrinfo **list);

#endif
