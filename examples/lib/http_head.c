/* SPDX-License-Identifier: MIT
 *
 * The lines and fields of an HTTP/1.1 head, as strictly as RFC 9112 allows.
 *
 * Every leniency here would let two parties disagree about where a message ends, which is how requests
 * are smuggled.  So a line ends with CRLF and nothing else (section 2.2 lets a server take a bare LF; this
 * one does not), a CR or another control character inside a line is refused, and so are folded lines and
 * white space before a field's colon (section 5). */
#include "http.h"

#include <string.h>
#include <strings.h>

bool span_is(struct span s, const char *word)
{
    return s.length == strlen(word) && strncasecmp(s.at, word, s.length) == 0;
}

/* One that a line must not hold. */
static bool is_control(unsigned char c)
{
    return c < ' ' ? c != '\t' : c == 0x7f;
}

int http_take_line(struct http_head *head, const char *buf, size_t length, struct span *line)
{
    if (head->searched < head->at)
        head->searched = head->at;
    const char *newline = NULL;
    if (head->searched < length)
        newline = memchr(buf + head->searched, '\n', length - head->searched);
    if (!newline) {
        head->searched = length;
        return HTTP_MORE;
    }
    const char *begin = buf + head->at;
    if (newline == begin || newline[-1] != '\r')
        return 400; /* a bare LF */
    *line = (struct span){begin, (size_t)(newline - begin) - 1};
    for (const char *at = begin; at < newline - 1; at++)
        if (is_control((unsigned char)*at))
            return 400;
    head->at = (size_t)(newline - buf) + 1;
    return HTTP_COMPLETE;
}

static bool is_token_char(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool http_is_token(struct span s)
{
    for (size_t i = 0; i < s.length; i++)
        if (!is_token_char((unsigned char)s.at[i]))
            return false;
    return s.length > 0;
}

static struct span trim(struct span s)
{
    while (s.length > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.length--;
    }
    while (s.length > 0 && (s.at[s.length - 1] == ' ' || s.at[s.length - 1] == '\t'))
        s.length--;
    return s;
}

bool http_split_field(struct span line, struct span *name, struct span *value)
{
    const char *colon = memchr(line.at, ':', line.length);
    if (!colon)
        return false;
    *name = (struct span){line.at, (size_t)(colon - line.at)};
    *value = trim((struct span){colon + 1, line.length - name->length - 1});
    return http_is_token(*name); /* a folded line begins with white space and so is none */
}

bool http_next_element(struct span *value, struct span *element)
{
    while (value->length > 0) {
        const char *comma = memchr(value->at, ',', value->length);
        size_t length = comma ? (size_t)(comma - value->at) : value->length;
        *element = trim((struct span){value->at, length});
        value->at += length + (comma != NULL);
        value->length -= length + (comma != NULL);
        if (element->length > 0)
            return true;
    }
    return false;
}

static int content_length(struct http_framing *framing, struct span value)
{
    uint64_t n = 0;
    if (value.length == 0)
        return 400;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        if (c < '0' || c > '9')
            return 400; /* a sign, a list, a second number */
        n = n > UINT64_MAX / 10 - 1 ? UINT64_MAX / 10 : n * 10 + (uint64_t)(c - '0');
    }
    if (framing->has_length && framing->length != n)
        return 400;
    framing->has_length = true;
    framing->length = n;
    return HTTP_COMPLETE;
}

static int transfer_encoding(struct http_framing *framing, struct span value)
{
    struct span coding;
    unsigned others = 0;
    if (framing->has_encoding)
        return 400; /* one field is enough for everybody */
    framing->has_encoding = true;
    while (http_next_element(&value, &coding)) {
        if (framing->chunked)
            return 400; /* nothing may follow it, not even itself */
        framing->chunked = span_is(coding, "chunked");
        others += !framing->chunked;
    }
    if (!framing->chunked)
        return 400; /* the end of the body could not be told */
    return others > 0 ? 501 : HTTP_COMPLETE;
}

int http_framing_field(struct http_framing *framing, struct span name, struct span value)
{
    int status = HTTP_COMPLETE;
    if (span_is(name, "content-length"))
        status = content_length(framing, value);
    else if (span_is(name, "transfer-encoding"))
        status = transfer_encoding(framing, value);
    if (status == HTTP_COMPLETE && framing->has_length && framing->has_encoding)
        return 400;
    return status;
}
