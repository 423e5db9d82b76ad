/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works over TCP:
 *
 *   servers echo PORT   a task a connection, straight-line
 *   servers idle PORT   the same without a buffer on the task's stack: it waits for readability, then reads into
 *                       one buffer that all share until they next switch
 *   servers http PORT   keep-alive "hello" behind the examples' HTTP parser, its deadlines included
 *
 * Each serves until it is ended by a signal. */
#include <bine.h>

#include <errno.h>
#include <time.h>

#include "../../../examples/lib/http.h"
#include "../measure.h"

enum { BUFFER = 4096, HEAD = 256 };

static const bine_ns idle_limit = 60 * BINE_SECOND, head_limit = 10 * BINE_SECOND, write_limit = 10 * BINE_SECOND;

static void serve_echo(int fd, void *arg)
{
    char buffer[BUFFER];
    ssize_t n;
    (void)arg;
    while ((n = bine_read(fd, buffer, sizeof buffer)) > 0)
        if (bine_write_full(fd, buffer, (size_t)n) != n)
            break;
}

static void serve_idle(int fd, void *arg)
{
    static char shared[BUFFER]; /* free again by the next switch: a message is small enough not to block */
    (void)arg;
    while (bine_poll_fd(fd, POLLIN) >= 0) {
        ssize_t n = bine_read(fd, shared, sizeof shared);
        if (n <= 0 || bine_write_full(fd, shared, (size_t)n) != n)
            break;
    }
}

/* The answer, with a date that is at most a second old. */
static size_t hello(const char **answer)
{
    static char text[HEAD];
    static size_t length;
    static time_t dated;
    time_t now = time(NULL);
    if (now != dated) {
        char date[64];
        struct tm utc;
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
        int n = snprintf(text, sizeof text,
                         "HTTP/1.1 200 OK\r\nServer: bine\r\nDate: %s\r\nContent-Type: text/plain\r\n"
                         "Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
                         date);
        length = (size_t)n;
        dated = now;
    }
    *answer = text;
    return length;
}

static void serve_http(int fd, void *arg)
{
    struct http_conn conn = {.fd = fd};
    struct http_request request;
    (void)arg;
    while (http_read_request(&conn, &request, idle_limit, head_limit) == HTTP_COMPLETE && !request.close) {
        const char *answer;
        size_t length = hello(&answer);
        ssize_t n = -1;
        conn.start += request.head.at;
        if (!request.body.ended)
            break; /* nobody here sends one */
        BINE_TIMEOUT(write_limit)
            n = bine_write_full(fd, answer, length);
        if (n != (ssize_t)length)
            break;
    }
    http_conn_free(&conn);
}

struct work {
    const char *name;
    bine_conn_fn *fn;
    long port;
};

static void *serve(void *arg)
{
    const struct work *work = arg;
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%ld", work->port);
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0) {
        perror("bine_listen");
        return bine_fail(EADDRINUSE);
    }
    bine_serve(listener, work->fn, NULL, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct work works[] = {{"echo", serve_echo, 0}, {"idle", serve_idle, 0}, {"http", serve_http, 0}};
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argc > 1 ? argv[1] : "", works[i].name) != 0)
            continue;
        works[i].port = count_argument(argc, argv, 2, 0);
        if (bine_run(serve, &works[i], NULL) != 0) {
            perror("bine_run");
            return 1;
        }
        return 0;
    }
    fprintf(stderr, "usage: servers echo PORT | idle PORT | http PORT\n");
    return 2;
}
