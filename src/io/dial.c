/* SPDX-License-Identifier: MIT
 *
 * bine_dial(): connecting to an address, or to the first of a name's addresses that answers.
 *
 * Several addresses are raced as RFC 8305 (happy eyeballs) has it: families alternate, beginning with the
 * one that the resolver put first; the next attempt starts 250 ms after the last, or at once when one
 * fails; the first that connects wins.  The race is one task with non-blocking connects under one
 * bine_poll(), not a task an attempt: there is then nobody else whose end has to be awaited, and every way
 * out closes what is open.
 *
 * Nothing is left behind by a cancellation or a deadline: the sockets are the dialling task's own, and a
 * lookup that is still going on drops its own result (resolve.h). */
#include <bine/io.h>
#include <bine/net.h>

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "io/net.h"
#include "runtime/runtime.h"

/* RFC 8305, section 5: the recommended delay between two attempts. */
#define ATTEMPT_DELAY (250 * BINE_MS)

/* ---- One attempt ----------------------------------------------------------------------------------- */

/* Closes without touching errno. */
static void discard(int fd)
{
    const int error = errno;

    bine_close(fd);
    errno = error;
}

/* Where nobody listens, a connect over loopback may meet itself: the kernel gives the socket the very port
 * that it dials as its own, and opens both ends at once.  That is a refusal. */
static bool connected_to_itself(int fd, const struct bine__network *network, const struct bine__address *peer)
{
    struct bine__address own;

    if (network->kind != BINE__NET_TCP)
        return false;
    own.length = sizeof own.u;
    if (getsockname(fd, &own.u.any, &own.length) != 0 || own.u.any.sa_family != peer->u.any.sa_family)
        return false;
    if (own.u.any.sa_family == AF_INET)
        return own.u.v4.sin_port == peer->u.v4.sin_port &&
               own.u.v4.sin_addr.s_addr == peer->u.v4.sin_addr.s_addr;
    return own.u.v6.sin6_port == peer->u.v6.sin6_port &&
           memcmp(&own.u.v6.sin6_addr, &peer->u.v6.sin6_addr, sizeof own.u.v6.sin6_addr) == 0;
}

/* A datagram's receiver can answer only who has a name: Linux gives an abstract one to who binds to none.
 * Elsewhere that fails, and the socket stays one that can only send. */
static void take_a_name(int fd)
{
    const struct sockaddr_un none = {.sun_family = AF_UNIX};

    (void)bind(fd, (const struct sockaddr *)&none, offsetof(struct sockaddr_un, sun_path));
}

/* One address, nobody to race with. */
static int dial_one(const struct bine__network *network, const struct bine__address *address)
{
    const int fd = bine__net_socket(network, address->u.any.sa_family);

    if (fd < 0)
        return -1;
    if (network->kind == BINE__NET_UNIX && network->type == SOCK_DGRAM)
        take_a_name(fd);
    if (bine_connect(fd, &address->u.any, address->length) != 0) {
        discard(fd);
        return -1;
    }
    if (connected_to_itself(fd, network, address)) {
        bine_close(fd);
        errno = ECONNREFUSED;
        return -1;
    }
    return fd;
}

/* ---- The race -------------------------------------------------------------------------------------- */

struct race {
    const struct bine__network *network;
    const struct bine__address *addresses;
    size_t count, started;
    struct pollfd *open;   /* attempts under way, oldest first */
    size_t *address;       /* of open[i] */
    size_t open_count;
    bine_ns next_start;    /* not before this, unless nothing is under way */
    int error;             /* of the last failure */
};

/* Starts the next attempt.  Its descriptor if it connected at once, else -1. */
static int race_start(struct race *race)
{
    const size_t index = race->started++;
    const struct bine__address *address = &race->addresses[index];
    const int fd = bine__net_socket(race->network, address->u.any.sa_family);

    race->next_start = bine__deadline_in(ATTEMPT_DELAY);
    if (fd < 0) {
        race->error = errno;
        return -1;
    }
    const bool made = connect(fd, &address->u.any, address->length) == 0;
    if (bine__explored(bine__loop) && (made || errno == EINPROGRESS))
        bine__explore_connecting(fd, &address->u.any, address->length);
    if (made) {
        if (!connected_to_itself(fd, race->network, address))
            return fd;
        errno = ECONNREFUSED;
    } else if (errno == EINPROGRESS || errno == EINTR) { /* both: it goes on by itself */
        race->open[race->open_count] = (struct pollfd){.fd = fd, .events = POLLOUT};
        race->address[race->open_count++] = index;
        return -1;
    }
    race->error = errno;
    bine_close(fd);
    return -1;
}

/* How one that poll has reported went: 0, or an errno value. */
static int attempt_outcome(const struct race *race, size_t i)
{
    int error = 0;
    socklen_t length = sizeof error;
    const int fd = race->open[i].fd;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return errno;
    if (error == 0 && connected_to_itself(fd, race->network, &race->addresses[race->address[i]]))
        error = ECONNREFUSED;
    return error;
}

static void race_remove(struct race *race, size_t i)
{
    race->open_count--;
    memmove(&race->open[i], &race->open[i + 1], (race->open_count - i) * sizeof race->open[0]);
    memmove(&race->address[i], &race->address[i + 1], (race->open_count - i) * sizeof race->address[0]);
}

/* Looks at what has been reported.  The descriptor of the winner, taken out; else -1. */
static int race_collect(struct race *race)
{
    for (size_t i = 0; i < race->open_count;) {
        const int fd = race->open[i].fd;
        if (race->open[i].revents == 0) {
            i++;
            continue;
        }
        const int error = attempt_outcome(race, i);
        race_remove(race, i);
        if (error == 0)
            return fd;
        bine_close(fd);
        race->error = error;
        race->next_start = bine_now();
    }
    return -1;
}

/* Milliseconds until the next attempt may start, rounded up; -1: none is left to start. */
static int race_patience(const struct race *race)
{
    bine_ns left;

    if (race->started == race->count)
        return -1;
    left = race->next_start - bine_now();
    return left <= 0 ? 0 : (int)((left + BINE_MS - 1) / BINE_MS);
}

static int race_run(struct race *race)
{
    int winner = -1;

    while (winner < 0) {
        if (race->started < race->count && (race->open_count == 0 || bine_now() >= race->next_start)) {
            winner = race_start(race);
            continue;
        }
        if (race->open_count == 0)
            break;
        if (bine_poll(race->open, (nfds_t)race->open_count, race_patience(race)) < 0) {
            race->error = errno;
            break;
        }
        winner = race_collect(race);
    }
    for (size_t i = 0; i < race->open_count; i++)
        bine_close(race->open[i].fd);
    if (winner < 0)
        errno = race->error;
    return winner;
}

/* ---- Names ----------------------------------------------------------------------------------------- */

static int errno_of_lookup(int code)
{
    switch (code) {
    case EAI_SYSTEM:
        return errno ? errno : EIO;
    case EAI_NONAME:
    case EAI_SERVICE:
        return ENOENT;
    case EAI_AGAIN:
        return EAGAIN;
    case EAI_MEMORY:
        return ENOMEM;
    case EAI_FAIL:
        return EIO;
    default: /* EAI_FAMILY, EAI_NODATA, EAI_ADDRFAMILY: a name without an address of that kind */
        return EADDRNOTAVAIL;
    }
}

/* A race over the heap: this may wait long, and its arrays would cost the task's stack a page. */
static int dial_list(const struct bine__network *network, const struct addrinfo *list)
{
    struct race race = {.network = network, .error = EADDRNOTAVAIL};
    struct bine__address *addresses;
    size_t count = 1;
    int fd = -1;

    for (const struct addrinfo *info = list; info->ai_next; info = info->ai_next)
        count++;
    addresses = calloc(count, sizeof *addresses);
    race.open = calloc(count, sizeof *race.open);
    race.address = calloc(count, sizeof *race.address);
    if (addresses && race.open && race.address) {
        race.addresses = addresses;
        race.count = bine__address_interleave(list, addresses);
        fd = race_run(&race);
    } else {
        errno = ENOMEM;
    }
    const int error = errno;
    free(race.address);
    free(race.open);
    free(addresses);
    errno = error;
    return fd;
}

static int dial_name(const struct bine__network *network, const struct bine__hostport *hostport,
                     bool numeric_port)
{
    struct addrinfo hints = {.ai_family = network->family, .ai_socktype = network->type};
    struct addrinfo *list = NULL;
    char *host = NULL;
    int code, fd, error;

    if (numeric_port)
        hints.ai_flags |= AI_NUMERICSERV;
    /* An empty host with a service's name: NULL stands for loopback. */
    if (hostport->host_length > 0 && !(host = strndup(hostport->host, hostport->host_length)))
        return -1;
    code = bine_resolve(host, hostport->port, &hints, &list);
    error = code ? errno_of_lookup(code) : 0;
    free(host);
    if (code)
        return bine__error(error);
    fd = dial_list(network, list);
    error = errno;
    freeaddrinfo(list);
    errno = error;
    return fd;
}

/* ---- The call -------------------------------------------------------------------------------------- */

static int dial_internet(const struct bine__network *network, const char *address)
{
    struct bine__hostport hostport;
    struct bine__address literal[BINE__LITERALS];
    in_port_t port = 0;
    int count, numeric;

    if (bine__hostport_split(address, &hostport) != 0)
        return -1;
    numeric = bine__port_parse(hostport.port, &port);
    if (numeric < 0)
        return -1;
    count = bine__address_literal(network, &hostport, port, false, literal);
    if (count < 0)
        return -1;
    if (count == 0 || !numeric)
        return dial_name(network, &hostport, numeric);
    if (count == 1)
        return dial_one(network, &literal[0]);

    struct pollfd open[BINE__LITERALS];
    size_t index[BINE__LITERALS];
    struct race race = {
        .network = network, .addresses = literal, .count = (size_t)count, .open = open, .address = index};
    return race_run(&race);
}

int bine_dial(const char *network, const char *address)
{
    struct bine__network parsed;
    struct bine__address local;

    if (!bine__begin())
        return -1;
    if (!network || !address)
        return bine__error(EINVAL);
    if (bine__network_parse(network, &parsed) != 0)
        return -1;
    switch (parsed.kind) {
    case BINE__NET_TCP:
    case BINE__NET_UDP:
        return dial_internet(&parsed, address);
    case BINE__NET_UNIX:
        return bine__address_local(address, &local) == 0 ? dial_one(&parsed, &local) : -1;
    case BINE__NET_FD:
        break; /* only listeners are inherited */
    }
    return bine__error(EINVAL);
}
