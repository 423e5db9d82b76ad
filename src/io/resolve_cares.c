/* SPDX-License-Identifier: MIT
 *
 * Looking a name up by c-ares (DNS=cares): the task waits for the answers, and no thread does.
 *
 * All of c-ares runs on threads of the library's, for moments only: it reads files (resolv.conf, hosts), and
 * needs more stack than a small task has.  In between, while answers are on their way, the task is parked on
 * c-ares' sockets.  So a thousand slow lookups hold a thousand tasks and no thread, and a lookup that is
 * given up is gone at once.
 *
 * A lookup belongs to the task while that is parked on sockets, and to the job while a thread may be at it;
 * never to both.  A task that leaves during a job leaves it to the job's drop.
 *
 * What needs no name server (numbers in odd forms, no host at all, a wrong family) getaddrinfo(3) answers, as
 * it does with the other resolver; it also makes the list, so that freeaddrinfo(3) can free that: one call
 * per address, chained.
 *
 * BINE_DNS=127.0.0.1:5353 in the environment names the servers instead of resolv.conf. */
#define _GNU_SOURCE
#include "io/resolve.h"

#include <ares.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bine/io.h>

#include "io/offload.h"
#include "runtime/runtime.h"

const char bine__resolver[] = "c-ares";

enum { PORT_TEXT = 8 /* "65535" */ };

struct lookup {
    struct bine__question question; /* first */
    ares_channel channel; /* NULL: none, or not any more */
    bool asked;           /* c-ares has been */
    bool answered;        /* and has called back, or it was not needed */
    struct pollfd socket[ARES_GETSOCK_MAXNUM];
    nfds_t sockets;
    int patience; /* milliseconds until c-ares wants to be called again; -1: none */
};

/* ---- Codes ------------------------------------------------------------------------------------------- */

static int code_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENODATA:
#ifdef EAI_NODATA
        return EAI_NODATA;
#endif
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
    case ARES_ENONAME:
        return EAI_NONAME;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
        return EAI_AGAIN;
    case ARES_ENOMEM:
        return EAI_MEMORY;
    case ARES_ESERVICE:
        return EAI_SERVICE;
    case ARES_EBADFAMILY:
        return EAI_FAMILY;
    case ARES_EBADFLAGS:
        return EAI_BADFLAGS;
    default:
        return EAI_FAIL;
    }
}

/* ---- The answer -------------------------------------------------------------------------------------- */

/* The address as a list of one. */
static int list_of(const struct ares_addrinfo_node *node, struct addrinfo **one)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_family = node->ai_family,
                                   .ai_socktype = node->ai_socktype,
                                   .ai_protocol = node->ai_protocol};
    char host[NI_MAXHOST], port[PORT_TEXT];
    int code = getnameinfo(node->ai_addr, node->ai_addrlen, host, sizeof host, port, sizeof port,
                           NI_NUMERICHOST | NI_NUMERICSERV);

    return code ? code : getaddrinfo(host, port, &hints, one);
}

/* Where the aliases lead to.  They stand in the order of the answers, of both families; a ring of them is left
 * when each has been followed. */
static const char *canonical_name(const struct lookup *lookup, const struct ares_addrinfo *result)
{
    const struct ares_addrinfo_cname *list = result->cnames;
    const char *name = list && list->alias ? list->alias : lookup->question.host;

    for (const struct ares_addrinfo_cname *step = list; step; step = step->next) {
        const struct ares_addrinfo_cname *next = list;
        while (next && !(next->alias && next->name && strcasecmp(next->alias, name) == 0))
            next = next->next;
        if (!next)
            break;
        name = next->name;
    }
    return name;
}

static int take_name(struct lookup *lookup, const struct ares_addrinfo *result)
{
    const char *name = canonical_name(lookup, result);

    if (!(lookup->question.hints.ai_flags & AI_CANONNAME) || !lookup->question.list)
        return 0;
    lookup->question.list->ai_canonname = strdup(name);
    return lookup->question.list->ai_canonname ? 0 : EAI_MEMORY;
}

static int take_all(struct lookup *lookup, const struct ares_addrinfo *result)
{
    struct addrinfo **end = &lookup->question.list;

    for (const struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
        int code = list_of(node, end);
        if (code)
            return code;
        while (*end)
            end = &(*end)->ai_next;
    }
    return lookup->question.list ? take_name(lookup, result) : EAI_NONAME;
}

static void lose_list(struct lookup *lookup)
{
    if (lookup->question.list)
        freeaddrinfo(lookup->question.list);
    lookup->question.list = NULL;
}

/* c-ares' callback; also when the channel is destroyed, with nobody to care. */
static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    struct lookup *lookup = arg;

    (void)timeouts;
    lookup->answered = true;
    lookup->question.code = code_of(status);
    if (status == ARES_SUCCESS)
        lookup->question.code = take_all(lookup, result);
    if (lookup->question.code)
        lose_list(lookup);
    if (result)
        ares_freeaddrinfo(result);
}

/* ---- On a thread ------------------------------------------------------------------------------------- */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void start_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

/* Without c-ares: true if that answered. */
static bool ask_without(struct lookup *lookup)
{
    struct addrinfo hints = lookup->question.hints;

    if (lookup->question.host)
        hints.ai_flags |= AI_NUMERICHOST;
    bine__question_ask(&lookup->question, &hints);
    return lookup->question.code != EAI_NONAME || !lookup->question.host ||
           lookup->question.hints.ai_flags & AI_NUMERICHOST;
}

static int flags_of(int flags)
{
    static const int same[][2] = {{AI_CANONNAME, ARES_AI_CANONNAME}, {AI_PASSIVE, ARES_AI_PASSIVE},
                                  {AI_NUMERICSERV, ARES_AI_NUMERICSERV}, {AI_V4MAPPED, ARES_AI_V4MAPPED},
                                  {AI_ALL, ARES_AI_ALL}, {AI_ADDRCONFIG, ARES_AI_ADDRCONFIG}};
    int out = 0;

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (flags & same[i][0])
            out |= same[i][1];
    return out;
}

static int open_channel(struct lookup *lookup)
{
    const char *servers = getenv("BINE_DNS");
    int status;

    pthread_once(&library_once, start_library);
    status = library_status ? library_status : ares_init(&lookup->channel);
    if (status != ARES_SUCCESS) {
        lookup->channel = NULL;
        return status;
    }
    return servers ? ares_set_servers_ports_csv(lookup->channel, servers) : ARES_SUCCESS;
}

static void ask(struct lookup *lookup)
{
    const struct ares_addrinfo_hints hints = {.ai_flags = flags_of(lookup->question.hints.ai_flags),
                                              .ai_family = lookup->question.hints.ai_family,
                                              .ai_socktype = lookup->question.hints.ai_socktype,
                                              .ai_protocol = lookup->question.hints.ai_protocol};
    int status;

    lookup->asked = true;
    if (ask_without(lookup)) {
        lookup->answered = true;
        return;
    }
    status = open_channel(lookup);
    if (status != ARES_SUCCESS) {
        lookup->answered = true;
        lookup->question.code = code_of(status);
        return;
    }
    ares_getaddrinfo(lookup->channel, lookup->question.host, lookup->question.service, &hints, answered,
                     lookup);
}

static void go_on(struct lookup *lookup)
{
    bool any = false;

    for (nfds_t i = 0; i < lookup->sockets && lookup->channel; i++) {
        const struct pollfd *socket = &lookup->socket[i];
        const bool in = socket->revents & ~POLLOUT, out = socket->revents & (POLLOUT | POLLERR | POLLHUP);
        if (in || out)
            ares_process_fd(lookup->channel, in ? socket->fd : ARES_SOCKET_BAD,
                            out && socket->events & POLLOUT ? socket->fd : ARES_SOCKET_BAD);
        any = any || in || out;
    }
    if (!any) /* a time-out of c-ares' own: asks again, or somebody else */
        ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* What the task has to wait for. */
static void note_sockets(struct lookup *lookup)
{
    ares_socket_t fd[ARES_GETSOCK_MAXNUM];
    /* A bit each for reading, and behind those one each for writing; its macros shift into the sign. */
    const unsigned wanted = (unsigned)ares_getsock(lookup->channel, fd, ARES_GETSOCK_MAXNUM);
    struct timeval room, *left = ares_timeout(lookup->channel, NULL, &room);

    lookup->sockets = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        const short events = (short)((wanted >> i & 1 ? POLLIN : 0) |
                                     (wanted >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));
        if (events)
            lookup->socket[lookup->sockets++] = (struct pollfd){.fd = fd[i], .events = events};
    }
    lookup->patience = left ? (int)(left->tv_sec * 1000 + left->tv_usec / 1000 + 1) : -1;
}

static void close_channel(struct lookup *lookup)
{
    if (lookup->channel)
        ares_destroy(lookup->channel);
    lookup->channel = NULL;
}

static void lookup_run(struct bine__job *job)
{
    struct lookup *lookup = (struct lookup *)(void *)job;

    if (!lookup->asked)
        ask(lookup);
    else
        go_on(lookup);
    if (lookup->answered)
        close_channel(lookup);
    else
        note_sockets(lookup);
}

/* ---- By the task ------------------------------------------------------------------------------------- */

/* Also for the pool, if nobody waits any more. */
static void lookup_free(struct bine__job *job)
{
    struct lookup *lookup = (struct lookup *)(void *)job;

    close_channel(lookup);
    bine__question_free(&lookup->question);
}

/* One turn of c-ares.  The job is used again and again: it starts afresh each time. */
static int turn(struct bine_task *self, struct lookup *lookup)
{
    lookup->question.job = (struct bine__job){.run = lookup_run, .drop = lookup_free};
    return bine__offload(self->loop, self, &lookup->question.job, BINE__OFFLOAD_NAME);
}

int bine__lookup(struct bine_task *self, const char *host, const char *service, const struct addrinfo *hints,
                 struct addrinfo **list)
{
    struct lookup *lookup = bine__question_new(sizeof *lookup, host, service, hints);

    if (!lookup)
        return EAI_MEMORY;
    for (;;) {
        if (turn(self, lookup) != 0)
            return EAI_SYSTEM; /* and the job is dropped */
        if (lookup->answered)
            break;
        if (bine_poll(lookup->socket, lookup->sockets, lookup->patience) < 0) {
            lookup->question.code = EAI_SYSTEM;
            lookup->question.error = errno;
            break;
        }
    }
    return bine__question_end(&lookup->question, list);
}
