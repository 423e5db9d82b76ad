/* SPDX-License-Identifier: MIT
 *
 * Redis's protocol, version 2: see redis.h. */
#include "redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

bine_stream *redis_open(const char *path)
{
    int fd = bine_dial("unix", path);
    bine_stream *stream = fd < 0 ? NULL : bine_stream_new(fd);
    if (fd >= 0 && !stream)
        bine_close(fd);
    return stream;
}

int redis_write(bine_stream *stream, const char *command)
{
    unsigned words = 1;
    for (const char *at = command; *at; at++)
        words += *at == ' ';
    if (bine_stream_printf(stream, "*%u\r\n", words) < 0)
        return -1;
    while (words-- > 0) {
        size_t length = strcspn(command, " ");
        if (bine_stream_printf(stream, "$%zu\r\n%.*s\r\n", length, (int)length, command) < 0)
            return -1;
        command += length + 1;
    }
    return 0;
}

static int protocol_error(void)
{
    errno = EPROTO;
    return -1;
}

/* One line, without its end. */
static int read_line(bine_stream *stream, char *line, size_t size)
{
    ssize_t n = bine_stream_read_line(stream, line, size);
    if (n == 0)
        errno = ENODATA;
    if (n <= 0)
        return -1;
    if (n < 3 || memcmp(line + n - 2, "\r\n", 2) != 0)
        return protocol_error();
    line[n - 2] = '\0';
    return 0;
}

static int append(char *reply, const char *text)
{
    size_t length = strlen(reply);
    if (length + strlen(text) >= REDIS_REPLY_SIZE) {
        errno = EMSGSIZE;
        return -1;
    }
    strcpy(reply + length, text);
    return 0;
}

static int read_bulk(bine_stream *stream, long length, char *reply)
{
    char bulk[REDIS_REPLY_SIZE + 2];
    if (length < 0)
        return append(reply, "(nil)");
    if (length >= REDIS_REPLY_SIZE) {
        errno = EMSGSIZE;
        return -1;
    }
    if (bine_stream_read_exactly(stream, bulk, (size_t)length + 2) != length + 2)
        return -1;
    bulk[length] = '\0';
    return append(reply, bulk);
}

/* Appends one reply to what is there; arrays do not nest deeper than one level here. */
static int read_one(bine_stream *stream, char *reply, bool nested)
{
    char line[REDIS_REPLY_SIZE];
    if (read_line(stream, line, sizeof line) < 0)
        return -1;
    switch (line[0]) {
    case '+':
    case ':':
        return append(reply, line + 1);
    case '-':
        return append(reply, "(error) ") < 0 ? -1 : append(reply, line + 1);
    case '$':
        return read_bulk(stream, strtol(line + 1, NULL, 10), reply);
    case '*':
        break;
    default:
        return protocol_error();
    }
    long elements = strtol(line + 1, NULL, 10);
    if (nested)
        return protocol_error();
    if (elements < 0)
        return append(reply, "(nil)");
    for (long i = 0; i < elements; i++)
        if (append(reply, i ? " " : "[") < 0 || read_one(stream, reply, true) < 0)
            return -1;
    return append(reply, elements ? "]" : "[]");
}

int redis_read(bine_stream *stream, char reply[REDIS_REPLY_SIZE])
{
    reply[0] = '\0';
    return read_one(stream, reply, false);
}

int redis_ask(bine_stream *stream, const char *command, char reply[REDIS_REPLY_SIZE])
{
    return redis_write(stream, command) < 0 || bine_stream_flush(stream) < 0 ? -1 : redis_read(stream, reply);
}

int redis_main(int argc, char **argv, bine_fn *fn)
{
    bine_result result = {NULL, 0};
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return EXIT_FAILURE;
    }
    int how = bine_run(fn, argv[1], &result);
    return program_end(argv[0], how, result.error);
}
