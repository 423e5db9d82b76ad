/* SPDX-License-Identifier: MIT
 *
 * bine_listen(): a listening socket, or a bound one for datagrams.
 *
 * Never switches and never blocks, so it looks nothing up: hosts and ports are numbers, but for
 * "localhost".  It works outside of a loop too: a server may take its port before it gives up root.
 *
 * SO_REUSEADDR is set on TCP only.  There it means "though connections of a former listener linger"; for
 * UDP it would let a second program steal the port. */
#include <bine/io.h>
#include <bine/net.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/net.h"
#include "runtime/runtime.h"

/* Of a descriptor that bine__net_socket() made.  Keeps errno. */
static void discard(int fd)
{
    const int error = errno;

    if (bine__loop)
        bine_close(fd);
    else
        close(fd);
    errno = error;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* ---- TCP and UDP ----------------------------------------------------------------------------------- */

static int listen_at(const struct bine__network *network, const struct bine__address *address, int backlog)
{
    const int family = address->u.any.sa_family;
    const int fd = bine__net_socket(network, family);

    if (fd < 0)
        return -1;
    if (network->type == SOCK_STREAM && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0)
        goto fail;
#ifdef SO_REUSEPORT
    /* In a cluster each loop has a listener of its own, and the kernel shares the connections out. */
    if (network->type == SOCK_STREAM && bine_cluster_size() > 1 && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
        goto fail;
#endif
    if (family == AF_INET6) {
        /* Said in so many words: the system's default can be set either way. */
        const bool dual = network->family == AF_UNSPEC && IN6_IS_ADDR_UNSPECIFIED(&address->u.v6.sin6_addr);
        if (set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual) != 0)
            goto fail;
    }
    if (bind(fd, &address->u.any, address->length) != 0)
        goto fail;
    if (network->type == SOCK_STREAM && listen(fd, backlog) != 0)
        goto fail;
    return fd;

fail:
    discard(fd);
    return -1;
}

/* This host has no such family, so that the other one is all there is. */
static bool family_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

static int listen_internet(const struct bine__network *network, const char *address, int backlog)
{
    struct bine__hostport hostport;
    struct bine__address literal[BINE__LITERALS];
    in_port_t port = 0;
    int count, numeric, fd = -1;

    if (bine__hostport_split(address, &hostport) != 0)
        return -1;
    numeric = bine__port_parse(hostport.port, &port);
    if (numeric < 0)
        return -1;
    count = bine__address_literal(network, &hostport, port, true, literal);
    if (count < 0)
        return -1;
    if (count == 0 || !numeric) { /* only a lookup could tell */
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < count && fd < 0; i++) {
        fd = listen_at(network, &literal[i], backlog);
        if (fd < 0 && !family_missing(errno))
            break;
    }
    return fd;
}

/* ---- Unix ------------------------------------------------------------------------------------------ */

/* True if the path is a socket's that nobody listens on any more.  A live listener whose backlog is full
 * answers EAGAIN, so that the probe never waits. */
static bool is_stale(const struct bine__network *network, const struct bine__address *address)
{
    struct stat status;
    bool stale;
    int fd;

    if (lstat(address->u.local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    fd = bine__net_socket(network, AF_UNIX);
    if (fd < 0)
        return false;
    stale = connect(fd, &address->u.any, address->length) != 0 && errno == ECONNREFUSED;
    discard(fd);
    return stale;
}

/* A socket's file outlives its listener, and would keep the next one out for ever: one that is stale is
 * replaced.  Of two programs that do so at the same instant the later one has the path. */
static int listen_local(const struct bine__network *network, const char *path, int backlog)
{
    struct bine__address address;
    int fd;

    if (bine__address_local(path, &address) != 0)
        return -1;
    fd = bine__net_socket(network, AF_UNIX);
    if (fd < 0)
        return -1;
    if (bind(fd, &address.u.any, address.length) != 0) {
        if (errno != EADDRINUSE)
            goto fail;
        if (address.u.local.sun_path[0] == '\0' || !is_stale(network, &address) ||
            unlink(address.u.local.sun_path) != 0) {
            errno = EADDRINUSE;
            goto fail;
        }
        if (bind(fd, &address.u.any, address.length) != 0)
            goto fail;
    }
    if (network->type != SOCK_DGRAM && listen(fd, backlog) != 0)
        goto fail;
    return fd;

fail:
    discard(fd);
    return -1;
}

/* ---- Inherited (see activation.c) ------------------------------------------------------------------ */

/* By number, or by the name that LISTEN_FDNAMES gives it. */
static int inherited(const char *which)
{
    if (*which == '\0' || *which == '+' || *which == '-')
        return bine__error(EINVAL);
    if (which[strspn(which, "0123456789")] != '\0')
        return bine__activated(which);
    const long fd = strtol(which, NULL, 10); /* LONG_MAX if it is too long */
    return fd <= INT_MAX ? (int)fd : bine__error(EBADF);
}

/* A socket that connections or datagrams can come in by. */
static int check_incoming(int fd)
{
    int accepting = 0, type = 0;
    socklen_t length = sizeof accepting;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) != 0)
        return -1;
    length = sizeof type;
    if (!accepting && (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM))
        return bine__error(EINVAL);
    return 0;
}

static int listen_inherited(const char *which)
{
    const int fd = inherited(which);
    int flags;

    if (fd < 0 || check_incoming(fd) != 0)
        return -1;
    /* It has arrived: the programs that this one starts are not meant to have it too. */
    flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0)
        return -1;
    return fd;
}

/* ---- The call -------------------------------------------------------------------------------------- */

int bine_listen(const char *network, const char *address, int backlog)
{
    struct bine__network parsed;

    if (!network || !address)
        return bine__error(EINVAL);
    if (bine__network_parse(network, &parsed) != 0)
        return -1;
    if (backlog <= 0)
        backlog = SOMAXCONN;
    switch (parsed.kind) {
    case BINE__NET_TCP:
    case BINE__NET_UDP:
        return listen_internet(&parsed, address, backlog);
    case BINE__NET_UNIX:
        return listen_local(&parsed, address, backlog);
    case BINE__NET_FD:
        break;
    }
    return listen_inherited(address);
}
