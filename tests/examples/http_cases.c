/* SPDX-License-Identifier: MIT
 *
 * Requests good and bad, and what an HTTP server must answer to them.
 *
 *     http_cases HOST:PORT         a line "ok NAME" or "not ok NAME: ..." for each
 *
 * Each case is sent over a connection of its own.  The answers are read until the server ends the connection,
 * which in every case it must: either since the request was refused, or since the last one said "close".  So
 * a server that takes two requests for one, or one for two, gives itself away by the number of answers.
 * The server is started by run.sh over a directory that holds what is asked for here. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE = 20, ROOM = 1 << 20 };

struct http_case {
    const char *name;
    const char *request;
    size_t length;
    const char *answers;  /* status codes; one that ends in "h" answers HEAD and has no body */
    const char *contains; /* in all that came back, or NULL */
    size_t fill;          /* if not 0: the byte 0x01 in the request stands for so many 'a' */
};
#define CASE(name, request, answers) {name, request, sizeof request - 1, answers, NULL, 0}
#define CASE_HAS(name, request, answers, contains) {name, request, sizeof request - 1, answers, contains, 0}
#define CASE_FILL(name, request, answers, fill) {name, request, sizeof request - 1, answers, NULL, fill}
#define H "Host: x\r\n"
#define END "Connection: close\r\n\r\n"
#define NEXT "GET /next HTTP/1.1\r\n" H END /* 404: that it is answered at all shows where it began */

static const struct http_case cases[] = {
    CASE_HAS("a file", "GET /hello.txt HTTP/1.1\r\n" H END, "200", "\r\n\r\nhello, world\n"),
    CASE_HAS("its length", "GET /hello.txt HTTP/1.1\r\n" H END, "200", "Content-Length: 13\r\n"),
    CASE_HAS("its type", "GET /hello.txt HTTP/1.1\r\n" H END, "200", "Content-Type: text/plain"),
    CASE_HAS("HEAD", "HEAD /hello.txt HTTP/1.1\r\n" H END, "200h", "Content-Length: 13\r\n"),
    CASE_HAS("an empty file", "GET /empty.txt HTTP/1.1\r\n" H END, "200", "Content-Length: 0\r\n"),
    CASE_HAS("a directory's index", "GET /dir/ HTTP/1.1\r\n" H END, "200", "the index"),
    CASE_HAS("a directory's listing", "GET /list/ HTTP/1.1\r\n" H END, "200",
         "<a href=\"./one%20%26%20two\">one &amp; two</a>"),
    CASE_HAS("HEAD of a listing", "HEAD /list/ HTTP/1.1\r\n" H END, "200h", "text/html"),
    CASE_HAS("a directory without its slash", "GET /dir HTTP/1.1\r\n" H END, "301", "Location: ./dir/\r\n"),
    CASE_HAS("a query is not the file's name", "GET /hello.txt?a=/b HTTP/1.1\r\n" H END, "200",
         "hello, world"),
    CASE_HAS("an escaped name", "GET /sp%20ace%2etxt HTTP/1.1\r\n" H END, "200", "with a space"),
    CASE_HAS("an escape that spells an escape", "GET /100%25.txt HTTP/1.1\r\n" H END, "200", "percent"),
    CASE_HAS("the absolute form", "GET http://x:80/hello.txt HTTP/1.1\r\n" H END, "200", "hello, world"),
    CASE_HAS("the absolute form of the root", "GET http://x HTTP/1.1\r\n" H END, "200", "<ul>"),
    CASE("empty lines before a request", "\r\n\r\nGET /hello.txt HTTP/1.1\r\n" H END, "200"),
    CASE("fields in any case", "GET /hello.txt HTTP/1.1\r\nhOST:x\r\ncONNECTION:\t cLOSE \t\r\n\r\n",
         "200"),
    CASE("no such file", "GET /none HTTP/1.1\r\n" H END, "404"),
    CASE("HEAD of no such file", "HEAD /none HTTP/1.1\r\n" H END, "404h"),
    CASE("a pipe is no file", "GET /pipe HTTP/1.1\r\n" H END, "404"),
    CASE("a file is no directory", "GET /hello.txt/ HTTP/1.1\r\n" H END, "404"),

    /* Connections that live on, and requests that follow one another. */
    CASE("two, one after the other", "GET /hello.txt HTTP/1.1\r\n" H "\r\n" NEXT, "200 404"),
    CASE("HEAD and then another", "HEAD /hello.txt HTTP/1.1\r\n" H "\r\n" NEXT, "200h 404"),
    CASE("an error and then another", "GET /none HTTP/1.1\r\n" H "\r\n" NEXT, "404 404"),
    CASE("five at once", "GET /hello.txt HTTP/1.1\r\n" H "\r\nGET /empty.txt HTTP/1.1\r\n" H "\r\n"
         "GET /dir/ HTTP/1.1\r\n" H "\r\nHEAD /dir/ HTTP/1.1\r\n" H "\r\n" NEXT, "200 200 200 200h 404"),
    CASE("close is the last", "GET /hello.txt HTTP/1.1\r\n" H "Connection: x, close\r\n\r\n" NEXT, "200"),
    CASE_HAS("HTTP/1.0 ends", "GET /hello.txt HTTP/1.0\r\n\r\n" NEXT, "200", "Connection: close\r\n"),
    CASE("HTTP/1.0 with keep-alive", "GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" NEXT,
         "200 404"),
    CASE("a later minor version", "GET /hello.txt HTTP/1.9\r\n" H END, "200"),

    /* Bodies. */
    CASE("a counted body", "GET /hello.txt HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabcde" NEXT,
         "200 404"),
    CASE("a body that looks like a request", "GET /hello.txt HTTP/1.1\r\n" H
         "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n" NEXT, "200 404"),
    CASE("the same length twice", "GET /hello.txt HTTP/1.1\r\n" H
         "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab" NEXT, "200 404"),
    CASE("a chunked body", "GET /hello.txt HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\n"
         "abc\r\n" "A;x=y\r\n0123456789\r\n0\r\n" "Trailer: 1\r\n\r\n" NEXT, "200 404"),
    CASE("a chunk's size that is none", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" NEXT, "400"),
    CASE("a chunk's size with a sign", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n-1\r\n" NEXT, "400"),
    CASE("a chunk's size in C", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n" NEXT, "400"),
    CASE("a chunk's size that overflows", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n" NEXT, "400"),
    CASE("a chunk longer than it says", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n" NEXT, "400"),
    CASE("a chunk that ends with LF", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n" NEXT, "400"),
    CASE_HAS("a body too long", "GET /hello.txt HTTP/1.1\r\n" H "Content-Length: 70000\r\n\r\n" NEXT, "413",
         "Connection: close\r\n"),
    CASE("a body unspeakably long", "GET /hello.txt HTTP/1.1\r\n" H
         "Content-Length: 99999999999999999999999\r\n\r\n" NEXT, "413"),
    CASE("a chunk too long that has not come yet", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n11170\r\n", "413"),
    CASE_FILL("chunks without end", "GET /hello.txt HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n11170\r\n\1\r\n0\r\n\r\n", "413", 70000),
    CASE_HAS("100-continue", "GET /hello.txt HTTP/1.1\r\n" H
         "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", "200", "Connection: close\r\n"),
    CASE("an unknown expectation", "GET /hello.txt HTTP/1.1\r\n" H "Expect: more\r\n\r\n", "417"),

    /* Where somebody else may see another end of the message. */
    CASE("length and encoding", "GET / HTTP/1.1\r\n" H
         "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, "400"),
    CASE("encoding and length", "GET / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT, "400"),
    CASE("two lengths", "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef" NEXT,
         "400"),
    CASE("a list of lengths", "GET / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nabcde" NEXT, "400"),
    CASE("a length with a sign", "GET / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nabcde" NEXT, "400"),
    CASE("a negative length", "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n" NEXT, "400"),
    CASE("a length in hexadecimal", "GET / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nabcde" NEXT, "400"),
    CASE("an empty length", "GET / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n" NEXT, "400"),
    CASE("an encoding twice", "GET / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, "400"),
    CASE("chunked twice", "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"
         NEXT, "400"),
    CASE("chunked is not the last", "GET / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" NEXT, "400"),
    CASE("almost chunked", "GET / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT,
         "400"),
    CASE("chunked and compressed", "GET / HTTP/1.1\r\n" H
         "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT, "501"),
    CASE("chunked in HTTP/1.0",
         "GET / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
         "400"),
    CASE("a space before the colon", "GET / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\nabcde" NEXT, "400"),
    CASE("a tab before the colon", "GET / HTTP/1.1\r\n" H "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"
         NEXT, "400"),
    CASE("a folded line", "GET / HTTP/1.1\r\n" H "X: 1\r\n 2\r\n\r\n" NEXT, "400"),
    CASE("a line folded by a tab", "GET / HTTP/1.1\r\n" H "X: 1\r\n\t2\r\n\r\n" NEXT, "400"),
    CASE("a field without a name", "GET / HTTP/1.1\r\n" H ": 1\r\n\r\n" NEXT, "400"),
    CASE("a field without a colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n" NEXT, "400"),
    CASE("a space before the first field", "GET / HTTP/1.1\r\n " H "\r\n" NEXT, "400"),
    CASE("LF alone", "GET / HTTP/1.1\n" "Host: x\n\n" NEXT, "400"),
    CASE("LF alone in a field", "GET / HTTP/1.1\r\n" H "X: 1\nY: 2\r\n\r\n" NEXT, "400"),
    CASE("LF alone at the end", "GET / HTTP/1.1\r\n" H "\n" NEXT, "400"),
    CASE("CR alone", "GET / HTTP/1.1\r\n" H "X: 1\rY: 2\r\n\r\n" NEXT, "400"),
    CASE("two CR", "GET / HTTP/1.1\r\r\n" H "\r\n" NEXT, "400"),
    CASE("NUL in a field", "GET / HTTP/1.1\r\n" H "X: 1\0002\r\n\r\n" NEXT, "400"),
    CASE("DEL in a field", "GET / HTTP/1.1\r\n" H "X: 1\1772\r\n\r\n" NEXT, "400"),

    /* Request lines. */
    CASE("no Host", "GET / HTTP/1.1\r\n\r\n" NEXT, "400"),
    CASE("two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n" NEXT, "400"),
    CASE("no host in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" NEXT, "400"),
    CASE_HAS("another method", "POST /hello.txt HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc" NEXT,
         "405 404", "Allow: GET, HEAD\r\n"),
    CASE("OPTIONS of all", "OPTIONS * HTTP/1.1\r\n" H END, "405"),
    CASE("CONNECT", "CONNECT x:443 HTTP/1.1\r\n" H END, "405"),
    CASE("a method of no one's", "BREW / HTTP/1.1\r\n" H "\r\n" NEXT, "501"),
    CASE("methods are case-sensitive", "get / HTTP/1.1\r\n" H "\r\n" NEXT, "501"),
    CASE("no method", " / HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("a method that is none", "GE(T / HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("no target", "GET  HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("no version", "GET /\r\n" H "\r\n" NEXT, "400"),
    CASE("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("a space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("a tab for a space", "GET\t/\tHTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("a space at the end", "GET / HTTP/1.1 \r\n" H "\r\n" NEXT, "400"),
    CASE("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n" NEXT, "505"),
    CASE("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
    CASE("HTTP/0.9", "GET / HTTP/0.9\r\n\r\n" NEXT, "505"),
    CASE("not quite HTTP", "GET / HTTX/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("http in lower case", "GET / http/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("HTTP/1.10", "GET / HTTP/1.10\r\n" H "\r\n" NEXT, "400"),
    CASE("HTTP/1", "GET / HTTP/1\r\n" H "\r\n" NEXT, "400"),
    CASE("a relative target", "GET hello.txt HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("an asterisk", "GET * HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("a fragment", "GET /hello.txt#a HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("no host in the absolute form", "GET http:///a HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("not ASCII", "GET /\303\244 HTTP/1.1\r\n" H "\r\n" NEXT, "400"),
    CASE("TLS", "\26\3\1\2\0\1\0\1\374\3\3 \n", "400"),

    /* Sizes. */
    CASE_FILL("a target too long", "GET /\1 HTTP/1.1\r\n" H "\r\n" NEXT, "414", 9000),
    CASE_FILL("a target without end", "GET /\1", "414", 100000),
    CASE_FILL("a target of nearly 8 KiB", "GET /\1 HTTP/1.1\r\n" H END, "404", 8000),
    CASE_FILL("a field too long", "GET / HTTP/1.1\r\n" H "X: \1\r\n\r\n", "431", 20000),
    CASE_FILL("a field without end", "GET / HTTP/1.1\r\n" H "X: \1", "431", 100000),
    CASE_FILL("a field of nearly 8 KiB", "GET /none HTTP/1.1\r\n" H "X: \1\r\n" END, "404", 8000),

    /* Ways out of the root. */
    CASE("..", "GET /../secret HTTP/1.1\r\n" H END, "404"),
    CASE(".. further inside", "GET /dir/../../secret HTTP/1.1\r\n" H END, "404"),
    CASE(".. at the end", "GET /dir/.. HTTP/1.1\r\n" H END, "404"),
    CASE(".. escaped", "GET /%2e%2e/secret HTTP/1.1\r\n" H END, "404"),
    CASE(".. half escaped", "GET /.%2E/secret HTTP/1.1\r\n" H END, "404"),
    CASE(".. escaped twice", "GET /%252e%252e/secret HTTP/1.1\r\n" H END, "404"),
    CASE("an escaped slash", "GET /..%2fsecret HTTP/1.1\r\n" H END, "400"),
    CASE("a backslash", "GET /..\\secret HTTP/1.1\r\n" H END, "404"),
    CASE("an overlong dot", "GET /%c0%ae%c0%ae/secret HTTP/1.1\r\n" H END, "404"),
    CASE("an absolute path", "GET //etc/passwd HTTP/1.1\r\n" H END, "404"),
    CASE("an escaped NUL", "GET /hello.txt%00.html HTTP/1.1\r\n" H END, "400"),
    CASE("half an escape", "GET /%2 HTTP/1.1\r\n" H END, "400"),
    CASE("an escape that is none", "GET /%zz HTTP/1.1\r\n" H END, "400"),
    CASE("a link to a file outside", "GET /link-out HTTP/1.1\r\n" H END, "404"),
    CASE("a file through a link outside", "GET /link-dir/secret HTTP/1.1\r\n" H END, "404"),
    CASE("an absolute link", "GET /link-etc HTTP/1.1\r\n" H END, "404"),
    CASE("a hidden file", "GET /.hidden HTTP/1.1\r\n" H END, "404"),
    CASE(".. after the host", "GET http://x/../secret HTTP/1.1\r\n" H END, "404"),

};

static char received[ROOM + 1];

static int dial(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    if (!colon || (size_t)(colon - address) >= sizeof host)
        return -1;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* Sends the request, with what is to be filled in; a server that has refused it need not read on. */
static void send_request(int fd, const struct http_case *c)
{
    size_t room = c->length + c->fill;
    char *bytes = malloc(room);
    size_t n = 0;
    for (size_t i = 0; bytes && i < c->length; i++) {
        if (c->fill > 0 && c->request[i] == '\1') {
            memset(bytes + n, 'a', c->fill);
            n += c->fill;
        } else {
            bytes[n++] = c->request[i];
        }
    }
    for (size_t sent = 0; sent < n;) {
        ssize_t more = send(fd, bytes + sent, n - sent, MSG_NOSIGNAL);
        if (more < 0)
            break;
        sent += (size_t)more;
    }
    free(bytes);
}

/* All until the end; NULL, or what went wrong. */
static const char *receive(int fd, size_t *length)
{
    for (;;) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        received[*length] = '\0';
        if (*length == ROOM)
            return "too much came";
        if (poll(&pollfd, 1, PATIENCE * 1000) <= 0)
            return "the server does not end the connection";
        ssize_t n = recv(fd, received + *length, ROOM - *length, 0);
        if (n < 0)
            return strerror(errno);
        if (n == 0)
            return NULL;
        *length += (size_t)n;
    }
}

/* Walks through the answers by their lengths, and lists their codes as .answers does. */
static const char *list_answers(const char *expected, size_t length, char *codes, size_t size)
{
    size_t at = 0;
    size_t used = 0;
    while (at < length) {
        int status;
        unsigned long body = 0;
        const char *end = strstr(received + at, "\r\n\r\n");
        const char *field = strstr(received + at, "\r\nContent-Length: ");
        if (sscanf(received + at, "HTTP/1.1 %3d ", &status) != 1 || !end || !field || field > end)
            return "an answer is no answer";
        if (used + 8 > size)
            return "too many answers";
        bool to_head = strlen(expected) > used + 3 && expected[used + 3] == 'h';
        used += (size_t)snprintf(codes + used, size - used, "%d%s ", status, to_head ? "h" : "");
        if (!to_head)
            body = strtoul(field + sizeof "\r\nContent-Length: " - 1, NULL, 10);
        at = (size_t)(end - received) + 4 + body;
    }
    if (used > 0)
        codes[used - 1] = '\0';
    return at == length ? NULL : "the last answer is cut short";
}

/* On one line, and no more than a few of them would fill. */
static void print_escaped(const char *text)
{
    for (size_t i = 0; i < 300 && text[i]; i++) {
        if (text[i] == '\r')
            printf("\\r");
        else if (text[i] == '\n')
            printf("\\n");
        else
            putchar(text[i]);
    }
    putchar('\n');
}

static bool run(const char *address, const struct http_case *c)
{
    char codes[128] = "";
    size_t length = 0;
    int fd = dial(address);
    if (fd < 0) {
        printf("not ok %s: cannot connect: %s\n", c->name, strerror(errno));
        return false;
    }
    send_request(fd, c);
    const char *wrong = receive(fd, &length);
    close(fd);
    if (!wrong)
        wrong = list_answers(c->answers, length, codes, sizeof codes);
    if (!wrong && strcmp(codes, c->answers) != 0)
        wrong = "other answers";
    if (!wrong && c->contains && !memmem(received, length, c->contains, strlen(c->contains)))
        wrong = "something is missing in it";
    if (!wrong && memmem(received, length, "TOP SECRET", 10))
        wrong = "a file outside the root";
    if (!wrong) {
        printf("ok %s\n", c->name);
        return true;
    }
    printf("not ok %s: %s: expected %s, got %s: ", c->name, wrong, c->answers, codes);
    print_escaped(received);
    return false;
}

int main(int argc, char **argv)
{
    size_t n = sizeof cases / sizeof *cases;
    size_t good = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < n; i++)
        good += run(argv[1], &cases[i]);
    return good == n ? 0 : 1;
}
