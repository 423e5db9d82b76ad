/* SPDX-License-Identifier: MIT
 *
 * The load of the work "tls": client.c's "echo" with OpenSSL in between.
 *
 *   tls_client PORT PID CONNECTIONS REQUESTS   each connection sends 64 bytes, awaits them, and again
 *
 * Handshakes, and a tenth of the requests, come before it starts to measure.  Ends by itself after two minutes,
 * whatever the server does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

enum { MESSAGE = 64, EVENTS = 1024, LIMIT_SECONDS = 120 };

struct connection {
    SSL *ssl;
    int got; /* bytes of the current answer */
};

static long to_send, outstanding;

static void fail(const char *what)
{
    fprintf(stderr, "tls_client: %s: %s\n", what, errno ? strerror(errno) : "wrong answer");
    exit(1);
}

static void dial(struct connection *connection, SSL_CTX *context, long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    connection->ssl = SSL_new(context);
    if (!connection->ssl || SSL_set_fd(connection->ssl, fd) != 1 || SSL_connect(connection->ssl) != 1)
        fail("handshake");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        fail("fcntl");
}

static void send_message(struct connection *connection)
{
    static const char message[MESSAGE] = "sixty-four bytes, of which the server reads none";
    if (SSL_write(connection->ssl, message, MESSAGE) != MESSAGE)
        fail("send");
    outstanding++;
    to_send--;
}

/* How many answers have come. */
static long receive(struct connection *connection)
{
    char answer[MESSAGE];
    long answers = 0;
    int n;
    while ((n = SSL_read(connection->ssl, answer, MESSAGE - connection->got)) > 0) {
        connection->got += n;
        if (connection->got < MESSAGE)
            continue;
        connection->got = 0;
        answers++;
        outstanding--;
        if (to_send > 0)
            send_message(connection);
    }
    if (SSL_get_error(connection->ssl, n) != SSL_ERROR_WANT_READ)
        fail("receive");
    return answers;
}

static void drive(int epoll, long answers)
{
    static struct epoll_event ready[EVENTS];
    while (answers > 0) {
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++)
            answers -= receive(ready[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    const long port = count_argument(argc, argv, 1, 0), connections = count_argument(argc, argv, 3, 0),
               requests = count_argument(argc, argv, 4, 0);
    const pid_t server = (pid_t)count_argument(argc, argv, 2, 0);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct connection *all = calloc((size_t)connections, sizeof *all);
    struct timespec a, b;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    alarm(LIMIT_SECONDS);
    if (!context || !all || epoll < 0)
        fail("start");
    to_send = connections + requests / 10 + requests;
    for (long i = 0; i < connections; i++)
        dial(&all[i], context, port);
    for (long i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = &all[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, SSL_get_fd(all[i].ssl), &event) < 0)
            fail("epoll_ctl");
        send_message(&all[i]);
    }
    drive(epoll, requests / 10);
    clock_gettime(CLOCK_MONOTONIC, &a);
    int64_t start = cpu_of(server);
    drive(epoll, requests);
    int64_t used = cpu_of(server) - start;
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (start < 0)
        fail("the server's CPU clock");
    double wall = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    figure("tls", (double)used / 1e3 / (double)requests, "us");
    figure("rate", (double)requests / wall, "requests/s");
    return 0;
}
