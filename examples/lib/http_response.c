/* SPDX-License-Identifier: MIT
 *
 * The client's side: sending a request, and the head of what it gets back.  Whatever is malformed is 502:
 * what a gateway would say. */
#include "http.h"
#include "text.h"

#include <errno.h>
#include <string.h>

int http_send_get(struct http_conn *c, const char *host, const char *target)
{
    struct text request = TEXT_EMPTY;
    text_put(&request, "GET ");
    text_put(&request, target);
    text_put(&request, " HTTP/1.1\r\nHost: ");
    text_put(&request, host);
    text_put(&request, "\r\nConnection: close\r\n\r\n");
    ssize_t sent = -1;
    if (request.failed)
        errno = ENOMEM;
    else
        sent = bine_write_full(c->fd, request.at, request.length);
    bool all = sent >= 0 && (size_t)sent == request.length;
    text_free(&request);
    return all ? 0 : -1;
}

static int take_status_line(struct http_response *r, struct span line)
{
    /* "HTTP/1.1 200 OK"; the reason may be missing, and its space too. */
    const char *p = line.at;
    if (line.length < sizeof "HTTP/1.1 200" - 1 || memcmp(p, "HTTP/1.", 7) != 0 || p[8] != ' ')
        return 502;
    for (int i = 9; i < 12; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 502;
        r->status = r->status * 10 + (p[i] - '0');
    }
    if (p[7] < '0' || p[7] > '9' || r->status < 100 || (line.length > 12 && p[12] != ' '))
        return 502;
    r->minor = p[7] - '0';
    return HTTP_COMPLETE;
}

static int take_field(struct http_response *r, struct span line)
{
    struct span name;
    struct span value;
    struct span option;
    if (++r->head.fields > HTTP_FIELDS_MAX || !http_split_field(line, &name, &value))
        return 502;
    if (span_is(name, "connection")) {
        while (http_next_element(&value, &option)) {
            r->close |= span_is(option, "close");
            r->keep_alive |= span_is(option, "keep-alive");
        }
    }
    return http_framing_field(&r->framing, name, value) == HTTP_COMPLETE ? HTTP_COMPLETE : 502;
}

/* RFC 9112, section 6.3: how long the body is. */
static int finish(struct http_response *r)
{
    bool bodyless = r->to_head || r->status < 200 || r->status == 204 || r->status == 304;
    if (bodyless || (r->framing.has_length && r->framing.length == 0)) {
        r->body.ended = true;
    } else if (r->framing.chunked) {
        r->body.kind = HTTP_BODY_CHUNKED;
    } else if (r->framing.has_length) {
        r->body.kind = HTTP_BODY_LENGTH;
        r->body.left = r->framing.length;
    } else {
        r->body.kind = HTTP_BODY_UNTIL_CLOSE;
        r->close = true;
    }
    if (r->minor == 0 && !r->keep_alive)
        r->close = true;
    return HTTP_COMPLETE;
}

int http_parse_response(struct http_response *r, const char *buf, size_t length)
{
    struct span line;
    int status;
    while ((status = http_take_line(&r->head, buf, length, &line)) == HTTP_COMPLETE) {
        if (r->head.started && line.length == 0)
            return finish(r);
        status = r->head.started ? take_field(r, line) : take_status_line(r, line);
        if (status != HTTP_COMPLETE)
            return status;
        r->head.started = true;
    }
    return status == HTTP_MORE ? HTTP_MORE : 502;
}

int http_read_response(struct http_conn *c, struct http_response *r)
{
    int status;
    while ((status = http_parse_response(r, c->buf + c->start, c->end - c->start)) == HTTP_MORE) {
        ssize_t n = http_fill(c);
        if (n <= 0) {
            if (n == 0)
                errno = c->start == c->end ? ECONNRESET : EPROTO;
            return -1;
        }
    }
    if (status == HTTP_COMPLETE)
        return HTTP_COMPLETE;
    errno = EPROTO;
    return -1;
}
