/* SPDX-License-Identifier: MIT
 *
 * Many tasks share one pipelined connection, as one writes it with gevent: commands and waiting futures must
 * stand in the same order, and any call may switch, so a lock is held from the one to the other.
 *
 * A task reads replies and sets one future after the other.  INNOCENT logs between command and future: the
 * lock keeps that right, at the price that others wait for the log. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/style.h"

static struct {
    bine_stream *stream;
    bine_queue *waiting; /* futures, in the order of the commands */
    bine_mutex lock;
    bine_task *reading;
} pipeline;

static void *read_replies(void *arg)
{
    char line[64] = "";
    void *future = NULL;
    while (bine_queue_get(pipeline.waiting, &future) == 0 &&
           bine_stream_read_line(pipeline.stream, line, sizeof line) > 0) {
        char *reply = strdup(line);
        if (bine_future_set(future, reply) < 0)
            free(reply);
        bine_future_unref(future);
    }
    return arg;
}

/* The number comes back as its own reply. */
static int ask(unsigned n)
{
    bine_future *reply = bine_future_new(free);
    bine_result result = {NULL, 0};
    if (!reply || bine_mutex_lock(&pipeline.lock) < 0)
        return -1;
    int how = bine_stream_printf(pipeline.stream, "%u\n", n);
#ifdef INNOCENT
    style_log("asked");
#endif
    if (how == 0)
        how = bine_queue_put(pipeline.waiting, bine_future_ref(reply));
    if (how == 0)
        how = bine_stream_flush(pipeline.stream);
    bine_mutex_unlock(&pipeline.lock);
    if (how == 0)
        how = bine_future_await(reply, &result);
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
    bine_mutex_init(&pipeline.lock);
    pipeline.reading = style_spawn(BINE_IMPLICIT, read_replies, NULL);
    return pipeline.stream && pipeline.waiting && pipeline.reading ? 0 : -1;
}

static void close_pipeline(void)
{
    bine_stop(pipeline.reading, NULL);
    bine_stream_close(pipeline.stream);
    bine_queue_free(pipeline.waiting);
}

/* ---- Two tasks with a question each -------------------------------------------------------------------- */

static void *ask_one(void *n)
{
    return ask((unsigned)(uintptr_t)n) < 0 ? bine_fail(errno) : NULL;
}

static void *scenario(void *arg)
{
    void *numbers[] = {(void *)1, (void *)2};
    if (open_pipeline() < 0)
        return bine_fail(errno);
    int how = style_all(BINE_IMPLICIT, 2, ask_one, numbers), error = errno;
    close_pipeline();
    return how < 0 ? bine_fail(error) : arg;
}

/* ---- The load: a question after the other -------------------------------------------------------------- */

static int operation(unsigned client)
{
    return ask(client);
}

int main(int argc, char **argv)
{
    static const struct style style = {"pipeline, gevent", BINE_IMPLICIT, scenario,
                                       open_pipeline,      operation,     close_pipeline};
    return style_main(argc, argv, &style);
}
