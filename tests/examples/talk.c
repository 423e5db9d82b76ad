/* SPDX-License-Identifier: MIT
 *
 * A client that does as it is told, over plain blocking sockets: no bine in it.
 *
 *     talk HOST:PORT STEP...
 *         send TEXT          TEXT may contain \r \n \\ and \xHH
 *         repeat N TEXT      the same N times, or until the peer does not take it any more
 *         drip MS TEXT       a byte every MS milliseconds, until the peer ends the connection
 *         expect TEXT        reads until TEXT has come, and prints all up to there
 *         count N            reads N bytes and prints them
 *         end                reads until the peer ends the connection, and prints it
 *         hold               waits until standard input ends
 *         half               sends no more
 *         reset              ends the connection with a reset
 *         window BYTES       must stand first: takes no more than this into its receive buffer
 *
 * Exits with 0 if all went so, 1 with a word to standard error if not.  Waits for at most PATIENCE seconds,
 * so that a test which hangs fails. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 30, ROOM = 1 << 20 };

static char received[ROOM + 1];
static size_t length;
static int fd = -1;

static void die(const char *step, const char *why)
{
    fprintf(stderr, "talk: %s: %s; unread: %.200s\n", step, why, received);
    exit(1);
}

static void dial(char *address, int window)
{
    char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    if (!colon)
        die(address, "no port");
    *colon = '\0';
    if (getaddrinfo(address, colon + 1, &hints, &found) != 0)
        die(address, "no address");
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || (window > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window) < 0) ||
        connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        die(address, strerror(errno));
    freeaddrinfo(found);
}

/* In place; returns the length. */
static size_t unescape(char *text)
{
    char *to = text;
    for (char *from = text; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        switch (*++from) {
        case 'r': *to++ = '\r'; break;
        case 'n': *to++ = '\n'; break;
        case 'x': {
            char digits[3] = {from[1], from[2], '\0'};
            *to++ = (char)strtol(digits, NULL, 16);
            from += 2;
            break;
        }
        default: *to++ = *from;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

static int send_all(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent < 0)
            return -1;
        text += sent;
        n -= (size_t)sent;
    }
    return 0;
}

/* 1: more has come, 0: the end. */
static int receive(const char *step)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    if (length == ROOM)
        die(step, "too much");
    if (poll(&pollfd, 1, PATIENCE * 1000) == 0)
        die(step, "nothing has come for too long");
    ssize_t n = recv(fd, received + length, ROOM - length, 0);
    if (n < 0)
        die(step, strerror(errno));
    length += (size_t)n;
    received[length] = '\0';
    return n > 0;
}

static void print(size_t n)
{
    fwrite(received, 1, n, stdout);
    fflush(stdout); /* somebody may be waiting to read it */
    memmove(received, received + n, length - n + 1);
    length -= n;
}

static void expect(char *text)
{
    size_t wanted = unescape(text);
    const char *found;
    while (!(found = memmem(received, length, text, wanted)))
        if (!receive(text))
            die(text, "has not come");
    print((size_t)(found - received) + wanted);
}

static void drip(long ms, char *text)
{
    size_t n = unescape(text);
    for (size_t i = 0; i < n; i++) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        if (poll(&pollfd, 1, (int)ms) > 0 || send_all(text + i, 1) < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    int window = 0;
    char **step = argv + 2;
    signal(SIGPIPE, SIG_IGN);
    if (argc < 3)
        die("usage", "talk HOST:PORT STEP...");
    if (strcmp(step[0], "window") == 0 && step[1]) {
        window = atoi(step[1]);
        step += 2;
    }
    dial(argv[1], window);
    for (; *step; step++) {
        const char *what = *step;
        if (strcmp(what, "end") == 0) {
            while (receive(what))
                continue;
            print(length);
        } else if (strcmp(what, "half") == 0) {
            shutdown(fd, SHUT_WR);
        } else if (strcmp(what, "hold") == 0) {
            char c;
            while (read(STDIN_FILENO, &c, 1) > 0)
                continue;
        } else if (strcmp(what, "reset") == 0) {
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
            close(fd);
        } else if (!*++step) {
            die(what, "what?");
        } else if (strcmp(what, "send") == 0) {
            if (send_all(*step, unescape(*step)) < 0)
                die(what, strerror(errno));
        } else if (strcmp(what, "expect") == 0) {
            expect(*step);
        } else if (strcmp(what, "count") == 0) {
            size_t n = strtoul(*step, NULL, 10);
            while (length < n && receive(what))
                continue;
            if (length < n)
                die(what, "the end has come before");
            print(n);
        } else if (step[1] && strcmp(what, "drip") == 0) {
            drip(strtol(step[0], NULL, 10), step[1]);
            step++;
        } else if (step[1] && strcmp(what, "repeat") == 0) {
            size_t n = unescape(step[1]);
            for (long i = strtol(step[0], NULL, 10); i > 0 && send_all(step[1], n) == 0; i--)
                continue;
            step++;
        } else {
            die(what, "unknown step");
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
