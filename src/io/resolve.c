/* SPDX-License-Identifier: MIT
 *
 * bine_resolve(): getaddrinfo(3) on a thread of the library's.
 *
 * A lookup cannot be interrupted, so a caller who is cancelled leaves it alone: the job owns copies of all
 * that it needs, and frees itself, with the list that arrives too late.
 *
 * A host and a port that are numbers are answered in place: that reads no file and asks nobody, and a
 * server that is told "127.0.0.1" must not wait behind a dozen slow lookups. */
#include <bine/net.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/offload.h"
#include "runtime/runtime.h"

enum { TEXT_MAX = NI_MAXHOST /* bytes: no name of the DNS, and no service, is longer */ };

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

/* Of the hints only what the standard lets a caller set: the rest must be zero. */
static void copy_hints(struct addrinfo *to, const struct addrinfo *from)
{
    *to = (struct addrinfo){.ai_flags = from->ai_flags,
                            .ai_family = from->ai_family,
                            .ai_socktype = from->ai_socktype,
                            .ai_protocol = from->ai_protocol};
}

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
        copy_hints(&lookup->hints, hints);
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

/* ---- Numbers --------------------------------------------------------------------------------------- */

static bool is_numeric_host(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1;
}

/* AI_ADDRCONFIG asks the kernel for the interfaces: not in place. */
static bool answers_itself(const char *host, const char *service, const struct addrinfo *hints)
{
    return host && is_numeric_host(host) && !(hints && hints->ai_flags & AI_ADDRCONFIG) &&
           (!service || (*service != '\0' && service[strspn(service, "0123456789")] == '\0'));
}

static int resolve_numeric(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **list)
{
    struct addrinfo own = {.ai_family = AF_UNSPEC};

    if (hints)
        copy_hints(&own, hints);
    own.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    return getaddrinfo(host, service, &own, list);
}

/* ---- The call -------------------------------------------------------------------------------------- */

static int fail_system(int error)
{
    errno = error;
    return EAI_SYSTEM;
}

int bine_resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    struct bine_task *self;
    struct lookup *lookup;
    int code, error;

    if (!list)
        return fail_system(EINVAL);
    *list = NULL;
    self = bine__begin();
    if (!self)
        return EAI_SYSTEM;
    if ((host && strnlen(host, TEXT_MAX) == TEXT_MAX) || (service && strnlen(service, TEXT_MAX) == TEXT_MAX))
        return EAI_NONAME;
    if (answers_itself(host, service, hints))
        return resolve_numeric(host, service, hints, list);

    lookup = lookup_new(host, service, hints);
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
    return code == EAI_SYSTEM ? fail_system(error) : code;
}
