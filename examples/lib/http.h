/* SPDX-License-Identifier: MIT
 *
 * HTTP/1.1 for the examples, after RFC 9112: heads, bodies, and the connection that they are read from.
 *
 *     http_head.c      lines and fields, strictly; pure functions over bytes
 *     http_request.c   what a server makes of a head       http_response.c  what a client makes of one
 *     http_conn.c      a buffer over a descriptor, and the deadlines for reading a head
 *     http_body.c      bodies: by length, chunked, or until the end of the connection
 *
 * Parsing is incremental: a head is taken line by line as it arrives, so that garbage is refused at once
 * and nothing is looked at twice.  Positions are offsets, since a buffer may move while it is filled. */
#ifndef EXAMPLES_HTTP_H
#define EXAMPLES_HTTP_H

#include <bine.h>

enum {
    HTTP_BUFFER = 4096,     /* bytes that a connection's buffer starts with */
    HTTP_LINE_MAX = 8192,   /* of a request line; RFC 9112 asks for 8000 at the least */
    HTTP_HEAD_MAX = 16384,  /* of a whole head, and the most that a buffer grows to */
    HTTP_FIELDS_MAX = 100,  /* in a head */
    HTTP_ADDRESS_SIZE = 272, /* room for "host:port" */
};

/* What a parser answers: not complete yet; complete; or else the status code to refuse it with. */
enum { HTTP_MORE = 0, HTTP_COMPLETE = 1 };

/* ---- Heads ------------------------------------------------------------------------------- */

struct span {
    const char *at;
    size_t length;
};
bool span_is(struct span, const char *word); /* in any case */
bool http_is_token(struct span);             /* a method, a field's name */

struct http_head {
    size_t at;       /* the first line that has not been taken; at the end: the head's size */
    size_t searched; /* before here there is no newline after .at */
    unsigned fields;
    bool started; /* the request or status line was taken */
};
/* HTTP_COMPLETE: the next line, without its CRLF.  400: a line that must not be. */
int http_take_line(struct http_head *, const char *buf, size_t length, struct span *line);
/* Splits "name: value"; false: malformed. */
bool http_split_field(struct span line, struct span *name, struct span *value);
/* Takes the next element out of a comma-separated value; false: there is none left. */
bool http_next_element(struct span *value, struct span *element);

/* ---- Bodies ------------------------------------------------------------------------------ */

struct http_body {
    enum { HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE } kind;
    uint64_t left;     /* bytes to come: of the body, or of the chunk */
    bool inside_chunk; /* a chunk's closing CRLF is still to come */
    bool ended;
};
/* What the two framing fields of a head said. */
struct http_framing {
    bool has_length;
    uint64_t length; /* saturates */
    bool has_encoding;
    bool chunked; /* the one encoding that is understood, and the last */
};
/* HTTP_COMPLETE, or the status to refuse it with. */
int http_framing_field(struct http_framing *, struct span name, struct span value);

/* ---- Requests and responses -------------------------------------------------------------- */

struct http_request {
    struct http_head head;
    size_t target; /* the path and query, from the head's beginning on */
    size_t target_length;
    enum { HTTP_OTHER, HTTP_GET, HTTP_HEAD } method;
    int minor; /* of the version: HTTP/1.minor */
    bool has_host;
    bool close;      /* the connection ends after this request */
    bool keep_alive; /* it said so; counts in HTTP/1.0 */
    bool expects_continue;
    struct http_framing framing;
    struct http_body body;
};
int http_parse_request(struct http_request *, const char *buf, size_t length);

struct http_response {
    struct http_head head;
    int status;
    int minor;
    bool to_head; /* set by the caller: it answers HEAD, and so has no body */
    bool close;
    bool keep_alive;
    struct http_framing framing;
    struct http_body body;
};
int http_parse_response(struct http_response *, const char *buf, size_t length);

/* ---- Connections ------------------------------------------------------------------------- */

struct http_conn {
    int fd;
    char *buf; /* on the heap, and only while it is needed */
    size_t start;
    size_t end; /* bytes that have arrived and were not used: buf[start .. end) */
    size_t room;
};
void http_conn_free(struct http_conn *); /* its buffer; the descriptor is the caller's */

/* Yields.  Reads more into the buffer: how much; 0: end of file; -1/EMSGSIZE: HTTP_HEAD_MAX are there. */
ssize_t http_fill(struct http_conn *);

/* Yields.  Read a head: HTTP_COMPLETE, it then lies at buf + start until the caller moves start; a status
 * to refuse it with, 408 for one too slow; or 0: the connection is over.
 * idle: how long the first byte may take.  whole: how long the head may take from its first byte on. */
int http_read_request(struct http_conn *, struct http_request *, bine_ns idle, bine_ns whole);
/* 0, or -1: a client's request.  host: as http_split_url() gave it. */
int http_send_get(struct http_conn *, const char *host, const char *target);
/* HTTP_COMPLETE, or -1 with errno: EPROTO if it is no HTTP, ECONNRESET if there was nothing. */
int http_read_response(struct http_conn *, struct http_response *);

/* Yields.  Up to n bytes of the body; 0: it is complete; -1: EPROTO if it is malformed or cut short. */
ssize_t http_read_body(struct http_conn *, struct http_body *, void *buf, size_t n);

/* "http://host:port/path" → "host:port" for bine_dial(), and the target; false: not such a URL. */
bool http_split_url(const char *url, char address[HTTP_ADDRESS_SIZE], const char **target);

#endif
