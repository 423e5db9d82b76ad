/* SPDX-License-Identifier: MIT
 *
 * Reading "tcp", "[::1]:80", ":8080", "@name" and their like.
 *
 * All of it is done by hand rather than by getaddrinfo(3): that needs more stack than the smallest task
 * has, and reads files where a service is named.  What only a lookup can answer (names of hosts and of
 * services) is left to the caller.
 *
 * "localhost" is an address here, not a name: RFC 6761 has it answered by loopback everywhere, and
 * dialling it must not depend on the resolver. */
#include "io/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bine/io.h>

#include "runtime/runtime.h"

static const struct {
    const char *name;
    struct bine__network network;
} networks[] = {
    {"tcp", {BINE__NET_TCP, AF_UNSPEC, SOCK_STREAM}},  {"tcp4", {BINE__NET_TCP, AF_INET, SOCK_STREAM}},
    {"tcp6", {BINE__NET_TCP, AF_INET6, SOCK_STREAM}},  {"udp", {BINE__NET_UDP, AF_UNSPEC, SOCK_DGRAM}},
    {"udp4", {BINE__NET_UDP, AF_INET, SOCK_DGRAM}},    {"udp6", {BINE__NET_UDP, AF_INET6, SOCK_DGRAM}},
    {"unix", {BINE__NET_UNIX, AF_UNIX, SOCK_STREAM}},  {"unixgram", {BINE__NET_UNIX, AF_UNIX, SOCK_DGRAM}},
    {"unixpacket", {BINE__NET_UNIX, AF_UNIX, SOCK_SEQPACKET}},
    {"fd", {BINE__NET_FD, AF_UNSPEC, SOCK_STREAM}},
};

int bine__network_parse(const char *network, struct bine__network *out)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if (strcmp(network, networks[i].name) == 0) {
            *out = networks[i].network;
            return 0;
        }
    return bine__error(EINVAL);
}

int bine__hostport_split(const char *address, struct bine__hostport *out)
{
    const char *colon;

    if (*address == '[') {
        const char *end = strchr(address, ']');
        if (!end || end[1] != ':')
            return bine__error(EINVAL);
        out->bracketed = true;
        out->host = address + 1;
        out->host_length = (size_t)(end - out->host);
        colon = end + 1;
    } else {
        colon = strchr(address, ':');
        if (!colon)
            return bine__error(EINVAL);
        out->bracketed = false;
        out->host = address;
        out->host_length = (size_t)(colon - address);
    }
    out->port = colon + 1;
    if (*out->port == '\0' || strchr(out->port, ':')) /* "::1:80" could be read in two ways */
        return bine__error(EINVAL);
    return 0;
}

int bine__port_parse(const char *text, in_port_t *port)
{
    unsigned value = 0;

    if (text[strspn(text, "0123456789")] != '\0')
        return *text == '+' || *text == '-' ? bine__error(EINVAL) : 0;
    for (; *text; text++) {
        value = value * 10 + (unsigned)(*text - '0');
        if (value > UINT16_MAX)
            return bine__error(EINVAL);
    }
    *port = (in_port_t)value;
    return 1;
}

static void make_v4(struct bine__address *out, struct in_addr host, in_port_t port)
{
    memset(out, 0, sizeof *out);
    out->length = sizeof out->u.v4;
    out->u.v4.sin_family = AF_INET;
    out->u.v4.sin_addr = host;
    out->u.v4.sin_port = htons(port);
}

static void make_v6(struct bine__address *out, struct in6_addr host, uint32_t zone, in_port_t port)
{
    memset(out, 0, sizeof *out);
    out->length = sizeof out->u.v6;
    out->u.v6.sin6_family = AF_INET6;
    out->u.v6.sin6_addr = host;
    out->u.v6.sin6_scope_id = zone;
    out->u.v6.sin6_port = htons(port);
}

/* "eth0" or "2", as in fe80::1%eth0.  0: there is none. */
static uint32_t parse_zone(const char *zone)
{
    unsigned long value = 0;

    if (*zone == '\0' || zone[strspn(zone, "0123456789")] != '\0')
        return if_nametoindex(zone);
    for (; *zone && value <= UINT32_MAX; zone++)
        value = value * 10 + (unsigned long)(*zone - '0');
    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* The two wildcards or loopbacks, in the order of trying: for listening one IPv6 socket serves both kinds
 * when it is a wildcard, while "localhost" is IPv4 first, where most clients look. */
static int make_own(const struct bine__network *network, in_port_t port, bool wildcard, bool v6_first,
                    struct bine__address out[])
{
    const struct in_addr v4 = {htonl(wildcard ? INADDR_ANY : INADDR_LOOPBACK)};
    const struct in6_addr v6 = wildcard ? in6addr_any : in6addr_loopback;

    if (network->family == AF_INET) {
        make_v4(&out[0], v4, port);
        return 1;
    }
    if (network->family == AF_INET6) {
        make_v6(&out[0], v6, 0, port);
        return 1;
    }
    make_v6(&out[v6_first ? 0 : 1], v6, 0, port);
    make_v4(&out[v6_first ? 1 : 0], v4, port);
    return 2;
}

int bine__address_literal(const struct bine__network *network, const struct bine__hostport *from,
                          in_port_t port, bool passive, struct bine__address out[])
{
    char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE]; /* the longest text that is not a name */
    struct in_addr v4;
    struct in6_addr v6;
    char *zone;
    uint32_t index = 0;

    if (from->host_length == 0)
        return from->bracketed ? bine__error(EINVAL) : make_own(network, port, passive, true, out);
    if (from->host_length >= sizeof host)
        return from->bracketed ? bine__error(EINVAL) : 0;
    memcpy(host, from->host, from->host_length);
    host[from->host_length] = '\0';

    if (!from->bracketed) {
        if (strcasecmp(host, "localhost") == 0)
            return make_own(network, port, false, !passive, out);
        if (inet_pton(AF_INET, host, &v4) != 1)
            return 0;
        if (network->family == AF_INET6)
            return bine__error(EADDRNOTAVAIL);
        make_v4(&out[0], v4, port);
        return 1;
    }

    zone = strchr(host, '%');
    if (zone) {
        *zone = '\0';
        index = parse_zone(zone + 1);
    }
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return bine__error(EINVAL);
    if (network->family == AF_INET || (zone && index == 0))
        return bine__error(EADDRNOTAVAIL);
    make_v6(&out[0], v6, index, port);
    return 1;
}

int bine__address_local(const char *path, struct bine__address *out)
{
    size_t length = strlen(path);
    const bool abstract = path[0] == '@';

    if (length == 0 || (abstract && length == 1))
        return bine__error(EINVAL);
    if (length >= sizeof out->u.local.sun_path)
        return bine__error(ENAMETOOLONG);
    memset(out, 0, sizeof *out);
    out->u.local.sun_family = AF_UNIX;
    memcpy(out->u.local.sun_path, path, length);
    if (abstract)
        out->u.local.sun_path[0] = '\0'; /* and the length says where the name ends: it has no NUL */
    else
        length++;
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

/* ---- What a lookup has found ------------------------------------------------------------------------- */

static void copy_address(const struct addrinfo *info, struct bine__address *out)
{
    memset(out, 0, sizeof *out);
    memcpy(&out->u, info->ai_addr, info->ai_addrlen);
    out->length = info->ai_addrlen;
}

static bool usable(const struct addrinfo *info)
{
    return (info->ai_family == AF_INET || info->ai_family == AF_INET6) &&
           info->ai_addrlen <= sizeof ((struct bine__address *)NULL)->u;
}

/* The next of the family, or of any other, from info on. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family, bool same)
{
    while (info && (!usable(info) || (info->ai_family == family) != same))
        info = info->ai_next;
    return info;
}

size_t bine__address_interleave(const struct addrinfo *list, struct bine__address out[])
{
    const int first = list->ai_family;
    const struct addrinfo *a = next_of(list, first, true), *b = next_of(list, first, false);
    size_t count = 0;

    while (a || b) {
        if (a) {
            copy_address(a, &out[count++]);
            a = next_of(a->ai_next, first, true);
        }
        if (b) {
            copy_address(b, &out[count++]);
            b = next_of(b->ai_next, first, false);
        }
    }
    return count;
}

/* ---- Sockets ------------------------------------------------------------------------------------------ */

int bine__net_socket(const struct bine__network *network, int family)
{
    const int type = network->type | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const int on = 1;
    /* Inside a loop the descriptor's slot must be made afresh, which is bine_socket()'s part. */
    const int fd = bine__loop ? bine_socket(family, type, 0) : socket(family, type, 0);

    if (fd >= 0 && network->kind == BINE__NET_TCP)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}
