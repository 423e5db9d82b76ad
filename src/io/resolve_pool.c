/* SPDX-License-Identifier: MIT
 *
 * Looking a name up by getaddrinfo(3) on a thread of the library's (DNS=pool, the default).
 *
 * A lookup cannot be interrupted, so a caller who is cancelled leaves it alone: the job owns copies of all
 * that it needs, and frees itself, with the list that arrives too late. */
#include "io/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "io/offload.h"
#include "runtime/runtime.h"

const char bine__resolver[] = "pool";

struct lookup {
    struct bine__job job; /* first: what the pool hands around */
    struct addrinfo hints;
    struct addrinfo *list;
    int code;  /* EAI_ */
    int error; /* errno, for EAI_SYSTEM */
    bool has_hints;
    const char *host, *service; /* into text, or NULL */
    char text[];
};

/* ---- The job --------------------------------------------------------------------------------------- */

static struct lookup *lookup_new(const char *host, const char *service, const struct addrinfo *hints)
{
    const size_t host_size = host ? strlen(host) + 1 : 0, service_size = service ? strlen(service) + 1 : 0;
    struct lookup *lookup = calloc(1, sizeof *lookup + host_size + service_size);

    if (!lookup)
        return NULL;
    if (host)
        lookup->host = memcpy(lookup->text, host, host_size);
    if (service)
        lookup->service = memcpy(lookup->text + host_size, service, service_size);
    if (hints) {
        bine__hints_copy(&lookup->hints, hints);
        lookup->has_hints = true;
    }
    return lookup;
}

/* On a thread of the pool. */
static void lookup_run(struct bine__job *job)
{
    struct lookup *lookup = (struct lookup *)(void *)job;
    const struct addrinfo *hints = lookup->has_hints ? &lookup->hints : NULL;

    errno = 0;
    lookup->code = getaddrinfo(lookup->host, lookup->service, hints, &lookup->list);
    lookup->error = errno;
    if (lookup->code != 0)
        lookup->list = NULL;
}

/* Also for the pool, if nobody waits any more. */
static void lookup_free(struct bine__job *job)
{
    struct lookup *lookup = (struct lookup *)(void *)job;

    if (lookup->list)
        freeaddrinfo(lookup->list);
    free(lookup);
}

/* ---- The call -------------------------------------------------------------------------------------- */

int bine__lookup(struct bine_task *self, const char *host, const char *service, const struct addrinfo *hints,
                 struct addrinfo **list)
{
    struct lookup *lookup = lookup_new(host, service, hints);
    int code, error;

    if (!lookup)
        return EAI_MEMORY;
    lookup->job.run = lookup_run;
    lookup->job.drop = lookup_free;
    if (bine__offload(self->loop, self, &lookup->job, BINE__OFFLOAD_NAME) != 0)
        return EAI_SYSTEM;
    *list = lookup->list;
    lookup->list = NULL;
    code = lookup->code;
    error = lookup->error;
    lookup_free(&lookup->job);
    errno = error;
    return code;
}
