/* SPDX-License-Identifier: MIT
 *
 * Dialling, listening, serving, and looking names up.
 *
 * network is "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6"; or "unix", "unixgram", "unixpacket" (streams,
 * datagrams, sequenced packets).  address is "host:port", "[ipv6]:port", ":port" (every address of this
 * host), or a path ("@name": Linux's abstract sockets).  A port is a number or a service's name. */
#ifndef BINE_NET_H
#define BINE_NET_H

#include <bine/base.h>

struct addrinfo;

BINE_BEGIN_DECLS

/* Yields.  A connected descriptor, the caller's to close with bine_close(); tries the addresses in turn,
 * the next one starting 250 ms after the last.  -1: the last address's errno; EINVAL: unreadable address;
 * ENOENT, EAGAIN, EADDRNOTAVAIL: the name was not found, not now, has no address of that kind. */
BINE_EXPORT int bine_dial(const char *network, const char *address);

/* A listening descriptor (or a bound one, for datagrams).  SO_REUSEADDR; a backlog of 0 or less asks for
 * the system's largest; "tcp" ":8080" listens on IPv6 and IPv4; "fd" "3", or "fd" "http": takes an inherited
 * one, by number or by systemd's name.  Host and port must be numbers or "localhost": it looks nothing up. */
BINE_EXPORT int bine_listen(const char *network, const char *address, int backlog);

/* How many sockets the process was started with by systemd's protocol (LISTEN_FDS), numbered from 3; 0:
 * none.  Sets FD_CLOEXEC on them.  -1: EINVAL, the variables make no sense; EBADF, they are not there. */
BINE_EXPORT int bine_listen_fds(void);

/* One connection, in a task of its own.  bine_serve() closes fd when it returns, unless that was done. */
typedef void bine_conn_fn(int fd, void *arg);

/* Zero-initialise, or start from BINE_SERVE_OPTIONS_INIT. */
typedef struct bine_serve_options {
    unsigned max_connections; /* at once; further ones wait in the kernel's backlog; 0: no limit */
    bine_ns grace;            /* on cancellation, how long connections may finish before they are cancelled too */
    size_t stack_size;        /* of a connection's task; 0: the loop's default */
    const char *name;         /* of a connection's task; NULL: "conn" */
} bine_serve_options;
#define BINE_SERVE_OPTIONS_INIT {0, 0, 0, NULL}

/* Yields.  Accepts until cancelled or the listener is closed, and returns -1 with the reason once every
 * connection has ended.  Backs off, and goes on, when descriptors or memory run out.  The listener stays
 * the caller's.  options may be NULL. */
#define bine_serve(listener, fn, arg, options) \
    bine_serve_sized((listener), (fn), (arg), (options), sizeof(bine_serve_options))
BINE_EXPORT int bine_serve_sized(int listener, bine_conn_fn *fn, void *arg, const bine_serve_options *, size_t size);

/* Yields.  As getaddrinfo(3), on a thread or by c-ares: 0 or an EAI_ code; EAI_SYSTEM with errno
 * ECANCELED or ETIMEDOUT if the wait was cut short.  Free the list with freeaddrinfo(3). */
BINE_EXPORT int bine_resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **);

BINE_END_DECLS
#endif
