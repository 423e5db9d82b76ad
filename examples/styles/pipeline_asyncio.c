/* SPDX-License-Identifier: MIT
 *
 * Many tasks share one pipelined connection, as one writes it with asyncio: command and waiting future stand
 * in the same order because nothing between them awaits.
 *
 * A task reads replies and sets one future after the other, another sends what was written.  INNOCENT logs
 * between command and future, without a word about awaiting it. */
#include <bine.h>
#include <bine/check.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/style.h"

static struct {
    bine_stream *stream; /* for reading */
    bine_queue *waiting; /* futures, in the order of the commands */
    char commands[1024]; /* that are to be sent */
    size_t length;
    bine_event written;
    bine_task *reading, *writing;
} pipeline;

static void *read_replies(void *arg)
{
    char line[64] = "";
    void *future = NULL;
    while (bine_await(bine_queue_get(pipeline.waiting, &future)) == 0 &&
           bine_await(bine_stream_read_line(pipeline.stream, line, sizeof line)) > 0) {
        char *reply = strdup(line);
        if (bine_future_set(future, reply) < 0)
            free(reply);
        bine_future_unref(future);
    }
    return arg;
}

static void *write_commands(void *arg)
{
    char sending[sizeof pipeline.commands];
    while (bine_await(bine_event_wait(&pipeline.written)) == 0) {
        size_t length = pipeline.length;
        memcpy(sending, pipeline.commands, length);
        pipeline.length = 0;
        bine_event_clear(&pipeline.written);
        if (bine_await(bine_write_full(bine_stream_fd(pipeline.stream), sending, length)) < (ssize_t)length)
            break;
    }
    return arg;
}

/* A new future in *reply. */
BINE_NOYIELD static int request(unsigned n, bine_future **reply)
{
    char command[16];
    size_t length = (size_t)snprintf(command, sizeof command, "%u\n", n);
    *reply = bine_future_new(free);
    if (!*reply || length > sizeof pipeline.commands - pipeline.length)
        return -1;
    memcpy(pipeline.commands + pipeline.length, command, length);
    pipeline.length += length;
#ifdef INNOCENT
    style_log("asked");
#endif
    bine_event_set(&pipeline.written);
    return bine_queue_put_try(pipeline.waiting, bine_future_ref(*reply)); /* it has no bound */
}

/* The number comes back as its own reply. */
static int ask(unsigned n)
{
    bine_future *reply = NULL;
    bine_result result = {NULL, 0};
    int how = request(n, &reply);
    if (how == 0)
        how = bine_await(bine_future_await(reply, &result));
    if (how == 0 && strtoul(result.value, NULL, 10) != n) {
        errno = EPROTO; /* another's reply */
        how = -1;
    }
    bine_future_unref(reply);
    return how;
}

static int open_pipeline(void)
{
    int fd = style_echo_server();
    pipeline.stream = fd < 0 ? NULL : bine_stream_new(fd);
    pipeline.waiting = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    pipeline.length = 0;
    bine_event_init(&pipeline.written);
    pipeline.reading = style_spawn(BINE_EXPLICIT, read_replies, NULL);
    pipeline.writing = style_spawn(BINE_EXPLICIT, write_commands, NULL);
    return pipeline.stream && pipeline.waiting && pipeline.reading && pipeline.writing ? 0 : -1;
}

static void close_pipeline(void)
{
    bine_await(bine_stop(pipeline.reading, NULL));
    bine_await(bine_stop(pipeline.writing, NULL));
    bine_stream_close(pipeline.stream);
    bine_queue_free(pipeline.waiting);
}

/* ---- Two tasks with a question each -------------------------------------------------------------------- */

static void *ask_one(void *n)
{
    return bine_await(ask((unsigned)(uintptr_t)n)) < 0 ? bine_fail(errno) : NULL;
}

static void *scenario(void *arg)
{
    void *numbers[] = {(void *)1, (void *)2};
    if (open_pipeline() < 0)
        return bine_fail(errno);
    int how = bine_await(style_all(BINE_EXPLICIT, 2, ask_one, numbers)), error = errno;
    bine_await(close_pipeline());
    return how < 0 ? bine_fail(error) : arg;
}

/* ---- The load: a question after the other -------------------------------------------------------------- */

static int operation(unsigned client)
{
    return bine_await(ask(client));
}

int main(int argc, char **argv)
{
    static const struct style style = {"pipeline, asyncio", BINE_EXPLICIT, scenario,
                                       open_pipeline,       operation,     close_pipeline};
    return style_main(argc, argv, &style);
}
