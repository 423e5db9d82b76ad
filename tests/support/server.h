/* SPDX-License-Identifier: MIT
 *
 * A server under test, in a task of the test's loop, and what its connections have seen. */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <sys/socket.h>

#include "support/addresses.h"
#include "support/support.h"

struct server {
    int listener, port;
    bine_conn_fn *fn;
    bine_serve_options options;
    bine_task *task;
    int error; /* what bine_serve() ended with */
    /* What the connections have seen: */
    int begun, ended, now, most, cancelled;
    int fd;
};

static inline void *server_main(void *arg)
{
    struct server *server = arg;
    expect_int(bine_serve(server->listener, server->fn, server, &server->options), ==, -1);
    server->error = errno;
    return NULL;
}

static inline void server_start(struct server *server, bine_conn_fn *fn)
{
    if (server->listener == 0)
        server->listener = bine_listen("tcp", "127.0.0.1:0", 0);
    server->port = port_of(server->listener);
    server->fn = fn;
    server->task = bine_spawn(server_main, server);
    expect_ok(bine_yield());
}

static inline void server_stop(struct server *server, int error)
{
    expect_ok(bine_stop(server->task, NULL));
    expect_int(server->error, ==, error);
    expect_int(server->now, ==, 0); /* every connection has ended by then */
    if (server->listener >= 0)
        expect_ok(bine_close(server->listener));
}

static inline int dial(const struct server *server)
{
    int fd = bine_dial("tcp", at("127.0.0.1", server->port));
    expect_int(fd, >=, 0);
    return fd;
}

/* Without letting the server run. */
static inline int connect_now(const struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)server->port)};
    int fd = bine_socket(AF_INET, SOCK_STREAM, 0);

    expect_ok(connect(fd, (struct sockaddr *)&address, sizeof address));
    return fd;
}

static inline void begin(struct server *server)
{
    server->begun++;
    if (++server->now > server->most)
        server->most = server->now;
}

static inline void end(struct server *server)
{
    server->now--;
    server->ended++;
}

/* Gives every byte back; knows how it ended. */
static inline void echo(int fd, void *arg)
{
    struct server *server = arg;
    char buf[64];
    ssize_t n;

    begin(server);
    while ((n = bine_read(fd, buf, sizeof buf)) > 0)
        expect_int(bine_write(fd, buf, (size_t)n), ==, n);
    if (n < 0 && errno == ECANCELED)
        server->cancelled++;
    end(server);
}

/* One byte there and back. */
static inline void ping(int fd)
{
    char byte = 0;
    expect_int(bine_write(fd, "p", 1), ==, 1);
    expect_int(bine_read(fd, &byte, 1), ==, 1);
    expect_int(byte, ==, 'p');
}

static inline void expect_end_of_file(int fd)
{
    char byte;
    expect_int(bine_read(fd, &byte, 1), ==, 0);
}

#endif
