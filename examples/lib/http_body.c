/* SPDX-License-Identifier: MIT
 *
 * Bodies, of requests and of responses alike: a counted number of bytes, chunks, or all until the end. */
#include "http.h"

#include <errno.h>
#include <string.h>

/* What is buffered first; then straight from the socket, without a copy. */
static ssize_t read_some(struct http_conn *c, void *buf, size_t n)
{
    size_t ready = c->end - c->start;
    if (ready == 0)
        return bine_recv(c->fd, buf, n, 0);
    if (n > ready)
        n = ready;
    memcpy(buf, c->buf + c->start, n);
    c->start += n;
    return (ssize_t)n;
}

/* Takes a line of the chunked framing out of the buffer.  It stays readable until the next call. */
static int read_line(struct http_conn *c, struct span *line)
{
    struct http_head position = {0};
    int status;
    while ((status = http_take_line(&position, c->buf + c->start, c->end - c->start, line)) == HTTP_MORE) {
        ssize_t n = http_fill(c);
        if (n < 0 && errno != EMSGSIZE)
            return -1;
        if (n <= 0)
            break;
    }
    if (status != HTTP_COMPLETE) {
        errno = EPROTO;
        return -1;
    }
    c->start += position.at;
    return 0;
}

/* "1a2b" or "1a2b;extension", in hexadecimal. */
static bool read_size(struct span line, uint64_t *size)
{
    size_t i = 0;
    uint64_t n = 0;
    for (; i < line.length && i < 16; i++) {
        char c = line.at[i];
        if (c >= '0' && c <= '9')
            n = n * 16 + (uint64_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            n = n * 16 + (uint64_t)((c | 0x20) - 'a' + 10);
        else
            break;
    }
    if (i == 0 || n > INT64_MAX)
        return false;
    *size = n;
    return i == line.length || line.at[i] == ';' || line.at[i] == ' ' || line.at[i] == '\t';
}

/* Goes on to the next chunk; after the last one past the trailers. */
static int next_chunk(struct http_conn *c, struct http_body *body)
{
    struct span line;
    if (body->inside_chunk) {
        if (read_line(c, &line) < 0)
            return -1;
        if (line.length != 0) {
            errno = EPROTO;
            return -1;
        }
        body->inside_chunk = false;
    }
    if (read_line(c, &line) < 0)
        return -1;
    if (!read_size(line, &body->left)) {
        errno = EPROTO;
        return -1;
    }
    body->inside_chunk = body->left > 0;
    if (body->inside_chunk)
        return 0;
    for (unsigned fields = 0; fields <= HTTP_FIELDS_MAX; fields++) {
        if (read_line(c, &line) < 0)
            return -1;
        if (line.length == 0) {
            body->ended = true;
            return 0;
        }
    }
    errno = EPROTO; /* trailers without end */
    return -1;
}

ssize_t http_read_body(struct http_conn *c, struct http_body *body, void *buf, size_t n)
{
    if (!body->ended && body->kind == HTTP_BODY_CHUNKED && body->left == 0 && next_chunk(c, body) < 0)
        return -1;
    if (body->ended || n == 0)
        return 0;

    if (body->kind != HTTP_BODY_UNTIL_CLOSE && n > body->left)
        n = (size_t)body->left;
    ssize_t got = read_some(c, buf, n);
    if (got < 0)
        return -1;
    if (body->kind == HTTP_BODY_UNTIL_CLOSE) {
        body->ended = got == 0;
        return got;
    }
    if (got == 0) { /* cut short */
        errno = EPROTO;
        return -1;
    }
    body->left -= (uint64_t)got;
    body->ended = body->kind == HTTP_BODY_LENGTH && body->left == 0;
    return got;
}

bool http_split_url(const char *url, char address[HTTP_ADDRESS_SIZE], const char **target)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '#')
            return false; /* it goes into a request line as it is */
    const char *host = url + sizeof scheme - 1;
    size_t length = strcspn(host, "/");
    if (length == 0 || length + sizeof ":80" > HTTP_ADDRESS_SIZE || memchr(host, '?', length))
        return false;
    memcpy(address, host, length);
    address[length] = '\0';
    const char *bracket = strchr(address, ']'); /* "[::1]:8080" */
    if (!strchr(bracket ? bracket : address, ':'))
        memcpy(address + length, ":80", sizeof ":80");
    *target = host[length] == '/' ? host + length : "/";
    return true;
}
