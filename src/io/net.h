/* SPDX-License-Identifier: MIT
 *
 * Networks and addresses as bine_dial() and bine_listen() read them (address.c).
 *
 * Nothing here looks a name up, blocks, allocates or switches. */
#ifndef BINE_IO_NET_H
#define BINE_IO_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addrinfo;

enum bine__net_kind {
    BINE__NET_TCP,
    BINE__NET_UDP,
    BINE__NET_UNIX,
    BINE__NET_FD /* an inherited socket; bine_listen() alone knows it */
};

struct bine__network {
    enum bine__net_kind kind;
    int family; /* AF_UNSPEC: IPv4 and IPv6 alike */
    int type;   /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
};

/* "host:port" taken apart, in place. */
struct bine__hostport {
    const char *host; /* without brackets; not NUL-terminated */
    size_t host_length;
    const char *port; /* NUL-terminated, never empty */
    bool bracketed;
};

struct bine__address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } u;
};

/* What an address without a lookup can stand for at the most: one of each family. */
enum { BINE__LITERALS = 2 };

/* 0, or -1/EINVAL: no such network. */
int bine__network_parse(const char *network, struct bine__network *);

/* 0, or -1/EINVAL. */
int bine__hostport_split(const char *address, struct bine__hostport *);

/* 1 and the port; 0: not a number, so it is a service's name; -1/EINVAL: a number that is no port. */
int bine__port_parse(const char *, in_port_t *);

/* The addresses that need no lookup, into out[BINE__LITERALS], in the order in which to try them: how many;
 * 0: the host is a name.  An empty host is every address of this host if passive, else its loopback.
 * -1: EINVAL, EADDRNOTAVAIL (the wrong family for the network). */
int bine__address_literal(const struct bine__network *, const struct bine__hostport *, in_port_t port,
                          bool passive, struct bine__address out[]);

/* A path, or "@name".  0, or -1: EINVAL (empty), ENAMETOOLONG. */
int bine__address_local(const char *path, struct bine__address *);

/* A lookup's list as an order of trying: families alternate, beginning with the first, each in the list's
 * order (RFC 8305, section 4).  out has room for all of them.  Returns how many can be used. */
size_t bine__address_interleave(const struct addrinfo *list, struct bine__address out[]);

/* The descriptor of that name that the process was started with (activation.c).  -1: ENOENT, EINVAL. */
int bine__activated(const char *name);

/* The socket of an attempt or a listener: close-on-exec, never blocking; TCP_NODELAY on TCP.  Else -1. */
int bine__net_socket(const struct bine__network *, int family);

#endif
