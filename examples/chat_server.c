/* SPDX-License-Identifier: MIT
 *
 * A chat for lines of text.
 *
 *     chat_server [ADDRESS]        by default 127.0.0.1:7008; then: nc 127.0.0.1 7008
 *
 * Each client has two tasks.  The one that bine_serve() starts reads lines and tells them to everybody; the
 * other writes what its client has been told.  Telling only puts the line into a stream's buffer, and never
 * waits: so nobody's slow connection holds up another, and nothing can change the list of clients while it
 * is walked.  Who lets the buffer run full is dropped. */
#include <bine.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/program.h"

enum { NAME_SIZE = 32, LINE_SIZE = 512, BEHIND_MAX = 64 * 1024 };

struct client {
    struct client *next;
    bine_stream *stream;
    bine_task *writer;
    char name[NAME_SIZE];
};
static struct client *clients;

/* Ends a client's conversation: its reader meets the end of file and cleans up. */
static void drop(struct client *client)
{
    bine_shutdown(bine_stream_fd(client->stream), SHUT_RDWR);
}

/* Never switches. */
__attribute__((format(printf, 1, 2))) static void tell_everybody(const char *format, ...)
{
    char line[NAME_SIZE + LINE_SIZE + 16];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (struct client *c = clients; c && length > 0; c = c->next) {
        if (bine_stream_write(c->stream, line, (size_t)length) == 0)
            bine_wake(c->writer);
        else
            drop(c); /* too far behind (ENOBUFS), or no memory */
    }
}

static void *write_out(void *arg)
{
    struct client *client = arg;
    do {
        while (bine_stream_unflushed(client->stream) > 0) {
            if (bine_stream_flush(client->stream) < 0) {
                if (!bine_cancelled())
                    drop(client);
                return NULL;
            }
        }
    } while (bine_park() == 0); /* until there is more */
    return NULL;
}

/* A line without its end; false: the client is gone, or does not know when to stop. */
static bool read_line(struct client *client, char *line, size_t size)
{
    ssize_t n = bine_stream_read_line(client->stream, line, size);
    if (n <= 0)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* nobody plays with another's terminal */
    return true;
}

static void converse(struct client *client)
{
    char line[LINE_SIZE];
    client->writer = bine_spawn(write_out, client);
    if (!client->writer)
        return;
    client->next = clients;
    clients = client;
    tell_everybody("* %s is here\n", client->name);

    while (read_line(client, line, sizeof line))
        if (*line)
            tell_everybody("%s: %s\n", client->name, line);

    struct client **at = &clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    tell_everybody("* %s has left\n", client->name);
    bine_stop(client->writer, NULL);
    BINE_TIMEOUT(BINE_SECOND)
        bine_stream_flush(client->stream); /* the last lines, for one that only half closed */
}

static void welcome(int fd, void *arg)
{
    struct client client = {.stream = bine_stream_new(fd)};
    (void)arg;
    if (!client.stream)
        return;
    /* What lies in the kernel counts as well: a few times our own limit, and no megabytes. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){BEHIND_MAX}, sizeof(int));
    if (bine_stream_set_limits(client.stream, 0, BEHIND_MAX) == 0 &&
        bine_stream_printf(client.stream, "Who are you?\n") == 0 && bine_stream_flush(client.stream) == 0 &&
        read_line(&client, client.name, sizeof client.name) && *client.name)
        converse(&client);
    bine_stream_close(client.stream);
}

static void *serve(void *address)
{
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0 || program_print_address(listener) < 0)
        return bine_fail(errno);
    bine_serve(listener, welcome, NULL, NULL);
    return bine_fail(errno);
}

int main(int argc, char **argv)
{
    static char usual[] = "127.0.0.1:7008";
    bine_result result = {NULL, 0};
    int how = bine_run(serve, argc > 1 ? argv[1] : usual, &result);
    return program_end(argv[0], how, result.error);
}
