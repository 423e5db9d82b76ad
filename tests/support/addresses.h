/* SPDX-License-Identifier: MIT
 *
 * Small things that the tests of networking share. */
#ifndef TESTS_ADDRESSES_H
#define TESTS_ADDRESSES_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"

static inline int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    expect_ok(getsockname(fd, (struct sockaddr *)&address, &length));
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static inline int peer_family(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    expect_ok(getpeername(fd, (struct sockaddr *)&address, &length));
    return address.ss_family;
}

/* "host:port", in static storage. */
static inline const char *at(const char *host, int port)
{
    static char text[4][64];
    static unsigned next;
    char *out = text[next++ % 4];

    snprintf(out, sizeof text[0], "%s:%d", host, port);
    return out;
}

static inline int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;

    expect_ok(getsockopt(fd, level, name, &value, &length));
    return value;
}

/* Both ends of a connection work. */
static inline void expect_connected(int client, int listener)
{
    char byte = 0;
    int server = bine_accept(listener, NULL, NULL);

    if (!expect(client >= 0) || !expect(server >= 0))
        return;
    expect_int(bine_write(client, "a", 1), ==, 1);
    expect_int(bine_read(server, &byte, 1), ==, 1);
    expect_int(byte, ==, 'a');
    expect_ok(bine_close(server));
    expect_ok(bine_close(client));
}

static inline bool has_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    if (!has)
        printf("no IPv6 here: its half of the test is left out\n");
    return has;
}

#endif
