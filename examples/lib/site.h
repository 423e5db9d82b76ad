/* SPDX-License-Identifier: MIT
 *
 * A directory served over HTTP: the heart of http_server.c and of the demo.
 *
 *     site.c          the life of a connection
 *     site_find.c     from a target to a reply      open_beneath.c  opening a file, and none outside the root
 *     site_list.c     a directory's listing
 *     site_head.c     a reply's head                site_reply.c    a reply, onto the wire
 */
#ifndef EXAMPLES_SITE_H
#define EXAMPLES_SITE_H

#include "http.h"
#include "text.h"

struct site {
    const char *root; /* the directory, as a path and opened */
    int root_fd;
    bine_ns idle;        /* how long a connection may keep silent between requests */
    bine_ns whole_head;  /* how long a request's head may take from its first byte on, and then its body */
    bine_ns stalled;     /* how long a reader may take nothing at all */
    uint64_t body_limit; /* bytes of a request's body that are read and thrown away */
    uint64_t requests;   /* counts */
    uint64_t refused;
};
#define SITE_DEFAULTS \
    {NULL, -1, 30 * BINE_SECOND, 10 * BINE_SECOND, 30 * BINE_SECOND, UINT64_C(65536), 0, 0}

/* 0, or -1 with errno.  Blocks: to be called before the loop runs. */
int site_open(struct site *, const char *root);
void site_close(struct site *);

/* Yields.  Answers a connection's requests until it ends; arg is the site.  A bine_conn_fn. */
void site_serve(int fd, void *arg);

/* ---- Between its files ------------------------------------------------------------------- */

struct reply {
    int status;
    int file; /* the body is the first .size bytes of this file, or -1 ... */
    uint64_t size;
    struct text page; /* ... and this */
    const char *type;
    char *location; /* of a redirection; on the heap */
};
#define REPLY_EMPTY {0, -1, 0, TEXT_EMPTY, "text/plain; charset=utf-8", NULL}
void reply_free(struct reply *);

/* Yields.  What there is under a path; true also for "not found": always a reply. */
void site_find(const struct site *, const char *path, struct reply *);
/* Yields.  The directory's listing into the reply; closes directory. */
void site_list(int directory, const char *path, struct reply *);
/* The status line and the fields, and the words for a status. */
void site_put_head(struct text *, const struct reply *, bool close);
const char *site_reason(int status);
/* Yields.  false: the connection is of no more use. */
bool site_send(const struct site *, int fd, struct reply *, bool only_head, bool close);

/* From a target to a path on the heap, without its leading slashes; NULL: EINVAL (malformed), ENOMEM. */
char *site_path(const char *target, size_t length);
/* Yields.  Opens what lies beneath the root, for reading; -1: also if it would lead outside (EXDEV). */
int open_beneath(const struct site *, const char *path);

#endif
