/* SPDX-License-Identifier: MIT
 *
 * A connection's buffer, and the deadlines under which a request's head is read.
 *
 * The buffer lies on the heap and not on the task's stack: what a stack has touched stays with the task,
 * while a connection that is idle for a while gives its buffer back and waits for its next byte without. */
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long an idle connection keeps its buffer: busy ones never give it back, quiet ones soon do. */
#define KEEP_BUFFER BINE_SECOND

void http_conn_free(struct http_conn *c)
{
    free(c->buf);
    c->buf = NULL;
    c->start = c->end = c->room = 0;
}

static bool make_room(struct http_conn *c)
{
    if (c->start == c->end)
        c->start = c->end = 0;
    if (c->end < c->room)
        return true;
    if (c->start > 0) {
        memmove(c->buf, c->buf + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
        return true;
    }
    size_t room = c->room == 0 ? HTTP_BUFFER : 2 * c->room;
    if (room > HTTP_HEAD_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    char *buf = realloc(c->buf, room);
    if (!buf)
        return false;
    c->buf = buf;
    c->room = room;
    return true;
}

ssize_t http_fill(struct http_conn *c)
{
    if (!make_room(c))
        return -1;
    ssize_t n = bine_read(c->fd, c->buf + c->end, c->room - c->end);
    if (n > 0)
        c->end += (size_t)n;
    return n;
}

/* Waits for a request's first byte, as http_fill() does. */
static ssize_t await_first(struct http_conn *c, bine_ns idle)
{
    ssize_t n = -1;
    if (c->buf) {
        BINE_TIMEOUT(idle < KEEP_BUFFER ? idle : KEEP_BUFFER)
            n = http_fill(c);
        if (n >= 0 || errno != ETIMEDOUT || bine_cancelled() || idle <= KEEP_BUFFER)
            return n;
        idle -= KEEP_BUFFER;
        http_conn_free(c);
    }
    BINE_TIMEOUT(idle) {
        if (bine_poll_fd(c->fd, POLLIN) >= 0)
            n = http_fill(c);
    }
    return n;
}

int http_read_request(struct http_conn *c, struct http_request *r, bine_ns idle, bine_ns whole)
{
    *r = (struct http_request){0};
    if (c->start == c->end && await_first(c, idle) <= 0)
        return 0;

    int status = http_parse_request(r, c->buf + c->start, c->end - c->start);
    if (status != HTTP_MORE)
        return status; /* most heads come in one piece, and need no deadline */
    BINE_TIMEOUT(whole) {
        do {
            ssize_t n = http_fill(c);
            if (n == 0)
                return r->head.at < c->end - c->start ? 400 : 0; /* half a head, or none */
            if (n < 0)
                return errno == EMSGSIZE ? 431 : errno == ETIMEDOUT ? 408 : errno == ENOMEM ? 503 : 0;
            status = http_parse_request(r, c->buf + c->start, c->end - c->start);
        } while (status == HTTP_MORE);
    }
    return status;
}
