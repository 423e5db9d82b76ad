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

static bool failed(struct demo *demo, const char *path, const char *why)
{
    if (demo->errors++ < ERRORS_SHOWN)
        fprintf(stderr, "demo: /%s: %s\n", path, why);
    return false;
}

/* Compares the body with the file while it arrives. */
static bool check_body(struct demo *demo, struct http_conn *c, struct http_body *body,
                       const struct demo_file *file, char *piece)
{
    size_t offset = 0;
    ssize_t n;
    while ((n = http_read_body(c, body, piece, PIECE)) > 0) {
        if ((size_t)n > file->size - offset || memcmp(piece, file->content + offset, (size_t)n) != 0)
            return failed(demo, file->path, "the body differs from the file; or has that changed meanwhile?");
        offset += (size_t)n;
    }
    if (n < 0)
        return failed(demo, file->path, strerror(errno));
    return offset == file->size || failed(demo, file->path, "the body is too short");
}

static bool get(struct demo *demo, struct http_conn *c, const struct demo_file *file, char *piece)
{
    struct http_response response = {0};
    bine_ns start = bine_now();
    if (bine_write_full(c->fd, file->request, file->request_length) != (ssize_t)file->request_length ||
        http_read_response(c, &response) < 0)
        return failed(demo, file->path, strerror(errno));
    c->start += response.head.at;
    if (response.status != 200)
        return failed(demo, file->path, "the status is not 200");
    if (!response.framing.has_length || response.framing.length != file->size)
        return failed(demo, file->path, "the length is not the file's");
    if (!check_body(demo, c, &response.body, file, piece))
        return false;

    histogram_add(&demo->latency, bine_now() - start);
    demo->requests++;
    demo->bytes += file->size;
    return true;
}

void *demo_client(void *arg)
{
    struct demo *demo = arg;
    size_t next = demo->started++; /* each begins with a file of its own */
    struct http_conn c = {.fd = bine_dial("tcp", demo->address)};
    char *piece = malloc(PIECE);
    bool good = c.fd >= 0 && piece;
    if (!good)
        failed(demo, "", strerror(errno));
    else
        setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));

    while (good && !demo->over) {
        BINE_TIMEOUT(ANSWER_TIMEOUT)
            good = get(demo, &c, &demo->files.at[next++ % demo->files.count], piece);
    }
    free(piece);
    http_conn_free(&c);
    if (c.fd >= 0)
        bine_close(c.fd);
    return NULL;
}
