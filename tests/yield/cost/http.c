/* SPDX-License-Identifier: MIT
 *
 * A server that parses HTTP byte by byte with the examples' code, as part of the program, and its clients: what
 * parsing costs under the detector.
 *
 * WITH: examples/lib/http_head.c examples/lib/http_request.c examples/lib/http_conn.c */
#include "load.h"

#include <string.h>

#include "../../../examples/lib/http.h"

static const char request[] = "GET /index.html?of=bine HTTP/1.1\r\n"
                              "Host: localhost:8080\r\n"
                              "User-Agent: cost/1.0\r\n"
                              "Accept: text/html,text/plain;q=0.9\r\n"
                              "Connection: keep-alive\r\n"
                              "\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Length: 6\r\n"
                             "\r\n"
                             "hello\n";
enum { REQUEST = sizeof request - 1, ANSWER = sizeof answer - 1 };
static long requests;

static void connection(int fd, void *arg)
{
    struct http_conn conn = {.fd = fd};
    struct http_request asked;
    (void)arg;
    while (http_read_request(&conn, &asked, (60 * BINE_SECOND), (60 * BINE_SECOND)) == HTTP_COMPLETE) {
        requests++;
        conn.start += asked.head.at;
        if (asked.method != HTTP_GET || bine_write_full(fd, answer, ANSWER) < ANSWER || asked.close)
            break;
    }
    http_conn_free(&conn);
}

static void *client(void *address)
{
    char line[ANSWER];
    int fd = bine_dial("unix", address);
    for (int i = 0; i < ROUNDS; i++) {
        bine_write_full(fd, request, REQUEST);
        if (bine_read_full(fd, line, ANSWER) != ANSWER)
            abort();
    }
    bine_close(fd);
    return NULL;
}

int main(void)
{
    load_run(connection, client);
    return requests < CLIENTS * ROUNDS;
}
