/* SPDX-License-Identifier: MIT
 *
 * bine_resolve(): getaddrinfo(3) that parks the task.
 *
 * A host and a port that are numbers are answered in place: that reads no file and asks nobody, and a
 * server that is told "127.0.0.1" must not wait behind a dozen slow lookups.  The rest is done by the
 * resolver that was built in (resolve.h). */
#include <bine/net.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/resolve.h"
#include "runtime/runtime.h"

enum { TEXT_MAX = NI_MAXHOST /* bytes: no name of the DNS, and no service, is longer */ };

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
        bine__hints_copy(&own, hints);
    own.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    return getaddrinfo(host, service, &own, list);
}

/* ---- Questions ------------------------------------------------------------------------------------- */

void *bine__question_new(size_t size, const char *host, const char *service, const struct addrinfo *hints)
{
    const size_t host_size = host ? strlen(host) + 1 : 0, service_size = service ? strlen(service) + 1 : 0;
    struct bine__question *question = calloc(1, size + host_size + service_size);
    char *text;

    if (!question)
        return NULL;
    text = (char *)question + size;
    if (host)
        question->host = memcpy(text, host, host_size);
    if (service)
        question->service = memcpy(text + host_size, service, service_size);
    question->has_hints = hints != NULL;
    if (hints)
        bine__hints_copy(&question->hints, hints);
    else
        question->hints = (struct addrinfo){.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG, .ai_family = AF_UNSPEC};
    return question;
}

void bine__question_ask(struct bine__question *question, const struct addrinfo *hints)
{
    errno = 0;
    question->code = getaddrinfo(question->host, question->service, hints, &question->list);
    question->error = errno;
    if (question->code != 0)
        question->list = NULL;
}

void bine__question_free(struct bine__question *question)
{
    if (question->list)
        freeaddrinfo(question->list);
    free(question);
}

int bine__question_end(struct bine__question *question, struct addrinfo **list)
{
    const int code = question->code, error = question->error;

    *list = question->list;
    question->list = NULL;
    question->job.drop(&question->job);
    errno = error;
    return code;
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

    if (!list)
        return fail_system((bine__refuse(EINVAL), errno));
    *list = NULL;
    self = bine__begin();
    if (!self)
        return EAI_SYSTEM;
    if ((host && strnlen(host, TEXT_MAX) == TEXT_MAX) || (service && strnlen(service, TEXT_MAX) == TEXT_MAX))
        return EAI_NONAME;
    if (answers_itself(host, service, hints))
        return resolve_numeric(host, service, hints, list);

    return bine__lookup(self, host, service, hints, list);
}
