/* SPDX-License-Identifier: MIT
 *
 * A request's head: the request line and the fields that a server of files must understand.
 *
 * Each check answers with HTTP_COMPLETE or with the status code that the request is refused with.  Every
 * refusal here ends the connection, since where the next request begins is then in doubt. */
#include "http.h"

#include <string.h>

/* origin-form "/path?query", or absolute-form "http://host/path" as RFC 9112 section 3.2.2 demands. */
static int take_target(struct http_request *r, const char *buf, struct span target)
{
    for (size_t i = 0; i < target.length; i++) {
        unsigned char c = (unsigned char)target.at[i];
        if (c <= ' ' || c >= 0x7f || c == '#')
            return 400;
    }
    static const char scheme[] = "http://";
    size_t skip = sizeof scheme - 1;
    if (target.length > skip && span_is((struct span){target.at, skip}, scheme)) {
        const char *path = memchr(target.at + skip, '/', target.length - skip);
        if (path == target.at + skip)
            return 400; /* no host */
        if (!path) { /* "http://host" means its root */
            r->target_length = 0;
            return HTTP_COMPLETE;
        }
        target.length -= (size_t)(path - target.at);
        target.at = path;
    }
    if (target.length == 0 || (target.at[0] != '/' && r->method != HTTP_OTHER))
        return 400;
    r->target = (size_t)(target.at - buf);
    r->target_length = target.length;
    return HTTP_COMPLETE;
}

/* Methods that exist and that no file understands; any other one has never been heard of. */
static bool is_known(struct span method)
{
    static const char *const known[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (method.length == strlen(known[i]) && memcmp(method.at, known[i], method.length) == 0)
            return true;
    return false;
}

static int take_request_line(struct http_request *r, const char *buf, struct span line)
{
    const char *end = line.at + line.length;
    const char *space = memchr(line.at, ' ', line.length);
    const char *last = space ? memchr(space + 1, ' ', (size_t)(end - space) - 1) : NULL;
    if (line.length > HTTP_LINE_MAX)
        return 414;
    if (!last || end - last != sizeof " HTTP/1.1" - 1 || memcmp(last, " HTTP/", 6) != 0)
        return 400;
    if (last[6] < '0' || last[6] > '9' || last[7] != '.' || last[8] < '0' || last[8] > '9')
        return 400;
    if (last[6] != '1')
        return 505;
    r->minor = last[8] - '0';

    struct span method = {line.at, (size_t)(space - line.at)};
    if (!http_is_token(method))
        return 400;
    if (method.length == 3 && memcmp(method.at, "GET", 3) == 0)
        r->method = HTTP_GET;
    else if (method.length == 4 && memcmp(method.at, "HEAD", 4) == 0)
        r->method = HTTP_HEAD;
    else if (!is_known(method))
        return 501;
    return take_target(r, buf, (struct span){space + 1, (size_t)(last - space) - 1});
}

/* What no host and port have in them. */
static bool is_no_host_char(char c)
{
    switch (c) {
    case '\0':
    case '\t':
    case ' ':
    case '"':
    case '#':
    case ',':
    case '/':
    case '<':
    case '>':
    case '?':
    case '@':
    case '\\':
        return true;
    default:
        return false;
    }
}

/* Its value is a host and perhaps a port: enough to refuse what cannot be one. */
static int take_host(struct http_request *r, struct span value)
{
    if (r->has_host)
        return 400;
    r->has_host = true;
    for (size_t i = 0; i < value.length; i++)
        if (is_no_host_char(value.at[i]))
            return 400;
    return HTTP_COMPLETE;
}

static int take_field(struct http_request *r, struct span line)
{
    struct span name;
    struct span value;
    struct span option;
    if (++r->head.fields > HTTP_FIELDS_MAX)
        return 431;
    if (!http_split_field(line, &name, &value))
        return 400;
    if (span_is(name, "host"))
        return take_host(r, value);
    if (span_is(name, "expect")) {
        r->expects_continue = span_is(value, "100-continue");
        return r->expects_continue ? HTTP_COMPLETE : 417;
    }
    if (span_is(name, "connection")) {
        while (http_next_element(&value, &option)) {
            r->close |= span_is(option, "close");
            r->keep_alive |= span_is(option, "keep-alive");
        }
    }
    return http_framing_field(&r->framing, name, value);
}

static int finish(struct http_request *r)
{
    if (r->minor > 0 && !r->has_host)
        return 400;
    if (r->minor == 0 && r->framing.has_encoding)
        return 400; /* HTTP/1.0 knows no chunks: somebody on the way may have counted otherwise */
    if (r->minor == 0 && !r->keep_alive)
        r->close = true;
    r->body.kind = r->framing.chunked ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
    r->body.left = r->framing.chunked ? 0 : r->framing.length;
    r->body.ended = !r->framing.chunked && r->framing.length == 0;
    return HTTP_COMPLETE;
}

int http_parse_request(struct http_request *r, const char *buf, size_t length)
{
    struct span line;
    int status;
    while ((status = http_take_line(&r->head, buf, length, &line)) == HTTP_COMPLETE) {
        if (line.length == 0 && r->head.started)
            return finish(r);
        if (line.length == 0)
            continue; /* before a request line empty lines are to be ignored: RFC 9112, section 2.2 */
        status = r->head.started ? take_field(r, line) : take_request_line(r, buf, line);
        if (status != HTTP_COMPLETE)
            return status;
        r->head.started = true;
    }
    if (status == HTTP_MORE && length - r->head.at > HTTP_LINE_MAX)
        return r->head.started ? 431 : 414;
    return status;
}
