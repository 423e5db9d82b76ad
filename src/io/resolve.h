/* SPDX-License-Identifier: MIT
 *
 * Looking a name up: what bine_resolve() (resolve.c) asks of the one resolver that was built in, resolve_pool.c
 * or resolve_cares.c. */
#ifndef BINE_IO_RESOLVE_H
#define BINE_IO_RESOLVE_H

#include <netdb.h>

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

#endif
