/* SPDX-License-Identifier: MIT
 *
 * The life of a connection: read a request, answer it, and again.
 *
 * Nothing here knows that there are other connections.  A client that sends a byte a second, or reads
 * none, meets a deadline; one that half closes gets its answers first; one that resets ends the loop by an
 * error.  Either way this task ends and nobody else notices. */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

/* After the last answer: how long and how much of what the client still sends is thrown away.  Closing a
 * socket with unread bytes in it resets the connection, and the reset may overtake the answer. */
#define LINGER (2 * BINE_SECOND)
enum { LINGER_BYTES = 1 << 20 };

/* Where bytes go that nobody wants.  Nobody reads it either, so all tasks can share it, and an idle task's
 * stack need not have room for it. */
static char sink[16384];

int site_open(struct site *site, const char *root)
{
    site->root = root;
    site->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return site->root_fd < 0 ? -1 : 0;
}

void site_close(struct site *site)
{
    if (site->root_fd >= 0)
        close(site->root_fd);
    site->root_fd = -1;
}

/* Reads a request's body and throws it away, so that the next request can be found.  Returns
 * HTTP_COMPLETE, the status to refuse the request with, or 0 if the connection is over. */
static int discard_body(const struct site *site, struct http_conn *c, struct http_request *r)
{
    uint64_t total = 0;
    ssize_t n = 0;
    if (r->body.kind == HTTP_BODY_LENGTH && r->body.left > site->body_limit)
        return 413;
    if (r->expects_continue && !r->body.ended) {
        r->close = true; /* it is not asked to go on, so whether a body follows cannot be known */
        return HTTP_COMPLETE;
    }
    BINE_TIMEOUT(site->whole_head) {
        do { /* what a chunk's head announces is refused without waiting for it */
            n = http_read_body(c, &r->body, sink, 0);
            if (n == 0 && total + r->body.left > site->body_limit)
                return 413;
            if (n == 0)
                n = http_read_body(c, &r->body, sink, sizeof sink);
            total += n > 0 ? (uint64_t)n : 0;
        } while (n > 0);
    }
    if (n == 0)
        return HTTP_COMPLETE;
    return errno == ETIMEDOUT ? 408 : errno == EPROTO ? 400 : 0;
}

static void linger(struct http_conn *c)
{
    if (bine_shutdown(c->fd, SHUT_WR) < 0)
        return;
    BINE_TIMEOUT(LINGER) {
        ssize_t n;
        size_t total = 0;
        while (total < LINGER_BYTES && (n = bine_recv(c->fd, sink, sizeof sink, 0)) > 0)
            total += (size_t)n;
    }
}

/* One request.  Returns whether another one may follow. */
static bool answer(struct site *site, struct http_conn *c)
{
    struct http_request r;
    struct reply reply = REPLY_EMPTY;
    char *path = NULL;
    int status = http_read_request(c, &r, site->idle, site->whole_head);
    if (status == 0)
        return false;

    if (status == HTTP_COMPLETE) {
        if (r.method == HTTP_OTHER)
            reply.status = 405;
        else if (!(path = site_path(c->buf + c->start + r.target, r.target_length)))
            reply.status = errno == ENOMEM ? 503 : 400;
        c->start += r.head.at;
        status = discard_body(site, c, &r);
    }
    if (status == 0) {
        free(path);
        return false;
    }
    if (status != HTTP_COMPLETE) { /* where the next request would begin is not known any more */
        reply.status = status;
        r.close = true;
    } else if (reply.status == 0) {
        site_find(site, path, &reply);
    }

    site->requests++;
    site->refused += reply.status >= 400;
    bool alive = site_send(site, c->fd, &reply, r.method == HTTP_HEAD, r.close);
    if (alive && r.close)
        linger(c);
    reply_free(&reply);
    free(path);
    return alive && !r.close;
}

void site_serve(int fd, void *arg)
{
    /* An answer's last piece must not wait for the acknowledgement of the one before.  Unix sockets
     * have no such option, and need none. */
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    struct http_conn c = {.fd = fd};
    while (answer(arg, &c))
        continue;
    http_conn_free(&c);
}
