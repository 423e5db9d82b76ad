/* SPDX-License-Identifier: MIT
 *
 * bine's side of the work next to Redis: resp PORT, a server that speaks RESP2 and knows PING and ECHO.
 *
 * A task a connection, straight-line over a stream.  It lacks all that makes Redis a database, its statistics too: what
 * is compared is the way of a request through socket and parser.  Serves until it is ended. */
#include <bine.h>

#include <errno.h>

#include "../measure.h"

enum { LINE = 64, WORDS = 8, WORD = 512 };

struct command {
    long words;
    char word[WORDS][WORD + 1];
    size_t length[WORDS];
};

/* The number in a line like "*2\r\n"; -1 if it is no such line. */
static long read_count(bine_stream *stream, char kind)
{
    char line[LINE], *end;
    if (bine_stream_read_line(stream, line, sizeof line) < 4 || line[0] != kind)
        return -1;
    long n = strtol(line + 1, &end, 10);
    return end > line + 1 && strcmp(end, "\r\n") == 0 ? n : -1;
}

/* False at the end of the file, and for what is no command or is too long. */
static bool read_command(bine_stream *stream, struct command *command)
{
    command->words = read_count(stream, '*');
    if (command->words < 1 || command->words > WORDS)
        return false;
    for (long i = 0; i < command->words; i++) {
        char end[2];
        long n = read_count(stream, '$');
        if (n < 0 || n > WORD || bine_stream_read_exactly(stream, command->word[i], (size_t)n) != n ||
            bine_stream_read_exactly(stream, end, 2) != 2 || memcmp(end, "\r\n", 2) != 0)
            return false;
        command->length[i] = (size_t)n;
        command->word[i][n] = 0;
    }
    return true;
}

static int write_bulk(bine_stream *stream, const struct command *command, long i)
{
    if (bine_stream_printf(stream, "$%zu\r\n", command->length[i]) < 0 ||
        bine_stream_write(stream, command->word[i], command->length[i]) < 0)
        return -1;
    return bine_stream_write(stream, "\r\n", 2);
}

static int answer(bine_stream *stream, const struct command *command)
{
    static const char pong[] = "+PONG\r\n", unknown[] = "-ERR unknown command, or a wrong number of arguments\r\n";
    bool ping = strcmp(command->word[0], "PING") == 0 || strcmp(command->word[0], "ping") == 0;
    bool echo = strcmp(command->word[0], "ECHO") == 0 || strcmp(command->word[0], "echo") == 0;
    if (ping && command->words == 1)
        return bine_stream_write(stream, pong, sizeof pong - 1);
    if ((ping || echo) && command->words == 2)
        return write_bulk(stream, command, 1);
    return bine_stream_write(stream, unknown, sizeof unknown - 1);
}

static void serve_resp(int fd, void *arg)
{
    struct command command;
    bine_stream *stream = bine_stream_new(fd);
    (void)arg;
    if (!stream)
        return;
    while (read_command(stream, &command) && answer(stream, &command) == 0 && bine_stream_flush(stream) == 0)
        ;
    bine_stream_close(stream);
}

static void *serve(void *arg)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%ld", *(long *)arg);
    int listener = bine_listen("tcp", address, 0);
    if (listener < 0) {
        perror("bine_listen");
        return bine_fail(EADDRINUSE);
    }
    bine_serve(listener, serve_resp, NULL, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    long port = count_argument(argc, argv, 1, 0);
    if (bine_run(serve, &port, NULL) != 0) {
        perror("bine_run");
        return 1;
    }
    return 0;
}
