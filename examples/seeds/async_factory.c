/* SPDX-License-Identifier: MIT
 *
 * A constructor that has to wait: nothing special here, since any function may.
 *
 * page_create() asks a server for its data before there is an object; so nobody ever sees half a page.  If
 * it fails or is cancelled while it waits it leaves nothing behind, as any other constructor does.  The
 * server runs beside it, in this program. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/program.h"

struct page {
    char title[64];
};

/* Asks for a name and gets a line. */
static int fetch(const char *address, const char *name, char *line, size_t size)
{
    int fd = bine_dial("tcp", address);
    bine_stream *stream = fd < 0 ? NULL : bine_stream_new(fd);
    ssize_t n = -1;
    if (stream && bine_stream_printf(stream, "%s\n", name) == 0 && bine_stream_flush(stream) == 0)
        n = bine_stream_read_line(stream, line, size);
    if (n == 0)
        errno = ENODATA;
    int error = errno;
    if (stream)
        bine_stream_close(stream);
    else if (fd >= 0)
        bine_close(fd);
    errno = error;
    return n > 0 ? 0 : -1;
}

static struct page *page_create(const char *address, const char *name)
{
    struct page *page = calloc(1, sizeof *page);
    if (page && fetch(address, name, page->title, sizeof page->title) < 0) {
        int error = errno;
        free(page);
        errno = error;
        return NULL;
    }
    return page;
}

static void show(const char *address, const char *name, bine_ns patience)
{
    struct page *page = NULL;
    BINE_TIMEOUT(patience)
        page = page_create(address, name);
    printf("%s: %s\n", name, page ? strtok(page->title, "\n") : strerror(errno));
    free(page);
}

/* Answers "slow" never, "none" not at all, and everything else in capitals. */
static void answer(int fd, void *arg)
{
    char line[64];
    ssize_t n = bine_recv(fd, line, sizeof line, 0);
    (void)arg;
    if (n >= 4 && memcmp(line, "slow", 4) == 0)
        bine_recv(fd, line, sizeof line, 0);
    for (ssize_t i = 0; i < n; i++)
        if (line[i] >= 'a' && line[i] <= 'z')
            line[i] = (char)(line[i] - 'a' + 'A');
    if (n >= 4 && memcmp(line, "NONE", 4) != 0)
        bine_write_full(fd, line, (size_t)n);
}

static void *serve(void *listener)
{
    bine_serve(*(const int *)listener, answer, NULL, NULL);
    return NULL;
}

static void *run(void *arg)
{
    char address[80];
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    (void)arg;
    if (listener < 0 || program_address(listener, address, sizeof address) < 0)
        return bine_fail(errno);
    bine_task *server = bine_spawn(serve, &listener);
    show(address, "front page", BINE_MINUTE);
    show(address, "none", BINE_MINUTE);
    show(address, "slow", 20 * BINE_MS);
    bine_stop(server, NULL);
    bine_close(listener);
    return NULL;
}

int main(int argc, char **argv)
{
    bine_result result = {NULL, 0};
    (void)argc;
    int how = bine_run(run, NULL, &result);
    return program_end(argv[0], how, result.error);
}
