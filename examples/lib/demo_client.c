/* SPDX-License-Identifier: MIT
 *
 * One of the demo's clients: straight-line code, of which a thousand run at once. */
#include "demo.h"
#include "http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer that takes longer counts as an error: the demo must end whatever happens. */
#define ANSWER_TIMEOUT (30 * BINE_SECOND)

enum { PIECE = 16 * 1024, ERRORS_SHOWN = 10 };

/* Compares the body with the file while it arrives.  NULL, or what is wrong. */
static const char *check_body(struct http_conn *c, struct http_body *body, const struct demo_file *file,
                              char *piece)
{
    size_t offset = 0;
    ssize_t n;
    while ((n = http_read_body(c, body, piece, PIECE)) > 0) {
        if ((size_t)n > file->size - offset || memcmp(piece, file->content + offset, (size_t)n) != 0)
            return "the body differs from the file";
        offset += (size_t)n;
    }
    if (n < 0)
        return strerror(errno);
    return offset == file->size ? NULL : "the body is too short";
}

static const char *get(struct demo *demo, struct http_conn *c, const struct demo_file *file, char *piece)
{
    struct http_response response = {0};
    bine_ns start = bine_now();
    if (bine_write_full(c->fd, file->request, file->request_length) != (ssize_t)file->request_length ||
        http_read_response(c, &response) < 0)
        return strerror(errno);
    c->start += response.head.at;
    if (response.status != 200)
        return "the status is not 200";
    if (!response.framing.has_length || response.framing.length != file->size)
        return "the length is not the file's";
    const char *wrong = check_body(c, &response.body, file, piece);
    if (wrong)
        return wrong;
    histogram_add(&demo->latency, bine_now() - start);
    demo->requests++;
    demo->bytes += file->size;
    return NULL;
}

static void hang_up(struct http_conn *c)
{
    http_conn_free(c);
    if (c->fd >= 0)
        bine_close(c->fd);
    c->fd = -1;
}

static const char *dial(const struct demo *demo, struct http_conn *c)
{
    c->fd = bine_dial("tcp", demo->address);
    if (c->fd < 0)
        return strerror(errno);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return NULL;
}

/* The next one that nobody has changed meanwhile. */
static struct demo_file *pick(const struct demo_files *files, size_t *next)
{
    for (size_t i = 0; i < files->count; i++) {
        struct demo_file *file = &files->at[(*next)++ % files->count];
        if (!file->changed)
            return file;
    }
    return NULL;
}

void *demo_client(void *arg)
{
    struct demo *demo = arg;
    size_t next = demo->started++; /* each begins with a file of its own */
    struct http_conn c = {.fd = -1};
    char *piece = malloc(PIECE);
    const char *wrong = piece ? NULL : "out of memory";
    struct demo_file *file = NULL;

    while (!wrong && !demo->over && (file = pick(&demo->files, &next))) {
        BINE_TIMEOUT(ANSWER_TIMEOUT) {
            if (c.fd < 0)
                wrong = dial(demo, &c);
            if (!wrong)
                wrong = get(demo, &c, file, piece);
        }
        if (wrong && demo_file_has_changed(&demo->files, file)) {
            hang_up(&c); /* what it still sends is of no use; then on to another */
            wrong = NULL;
        }
    }
    if (wrong && demo->errors++ < ERRORS_SHOWN)
        fprintf(stderr, "demo: /%s: %s\n", file ? file->path : "", wrong);
    hang_up(&c);
    free(piece);
    return NULL;
}
