/* SPDX-License-Identifier: MIT
 *
 * The bare TLS echo server that bine is measured against: tls PORT [ahead].
 *
 * One thread, one epoll loop, OpenSSL on the descriptors themselves; of a connection it keeps the SSL and no
 * more.  With "ahead" OpenSSL reads as much as comes, which saves a system call a record.  As in epoll.c a
 * client that does not read its echo is dropped.  Serves until it is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "../tls.h"

enum { EVENTS = 1024, BUFFER = 4096 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0)
        fail("listen");
    return fd;
}

static void accept_all(int epoll, int listener, SSL_CTX *context)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN)
                return;
            fail("accept4");
        }
        SSL *ssl = SSL_new(context);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = ssl};
        if (!ssl || SSL_set_fd(ssl, fd) != 1 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            fail("epoll_ctl");
        SSL_set_accept_state(ssl);
    }
}

static void drop(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

/* Until it would block: the events come once. */
static void echo(SSL *ssl)
{
    static char buffer[BUFFER];
    int n;
    ERR_clear_error();
    while ((n = SSL_read(ssl, buffer, sizeof buffer)) > 0)
        if (SSL_write(ssl, buffer, n) != n) {
            drop(ssl);
            return;
        }
    if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
        drop(ssl);
}

int main(int argc, char **argv)
{
    static struct epoll_event ready[EVENTS];
    int listener = listen_on(count_argument(argc, argv, 1, 0)), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        fail("epoll");
    use_new_certificate(context);
    SSL_CTX_set_read_ahead(context, argc > 2 && !strcmp(argv[2], "ahead"));
    for (;;) {
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr)
                echo(ready[i].data.ptr);
            else
                accept_all(epoll, listener, context);
        }
    }
}
