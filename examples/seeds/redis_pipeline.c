/* SPDX-License-Identifier: MIT
 *
 * A client that shares one connection to Redis, in both styles.
 *
 *     redis_pipeline SOCKET
 *
 * One request at a time: write, then read, under a lock that makes others wait until the reply is there.
 * Simple, and a round trip for each.  Pipelined: request() only buffers the command, even while the writer
 * flushes others, and puts a future at the end of a queue; it cannot yield, so commands and futures stand in
 * the same order.  A task reads replies and sets one future after the other.  Who gives up waiting leaves the
 * future in its place, and the reply goes there. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/redis.h"

struct simple {
    bine_stream *stream;
    bine_mutex lock;
};

static int simple_request(struct simple *client, const char *command, char reply[REDIS_REPLY_SIZE])
{
    if (bine_mutex_lock(&client->lock) < 0)
        return -1;
    int how = redis_ask(client->stream, command, reply);
    if (how < 0)
        bine_stream_poison(client->stream); /* a reply may still come: it would be taken for the next one's */
    bine_mutex_unlock(&client->lock);
    return how;
}

struct pipeline {
    bine_stream *stream;
    bine_queue *requests; /* of futures, in the order of the commands */
    bine_event written;
    unsigned flushes;
};

/* Never switches.  A future of the reply, a string on the heap. */
static bine_future *request(struct pipeline *client, const char *command)
{
    bine_future *reply = bine_future_new(free);
    if (!reply || redis_write(client->stream, command) < 0) {
        bine_future_unref(reply);
        return NULL;
    }
    bine_queue_put_try(client->requests, bine_future_ref(reply)); /* it has no bound */
    bine_event_set(&client->written);
    return reply;
}

static void *reader(void *arg)
{
    struct pipeline *client = arg;
    char reply[REDIS_REPLY_SIZE];
    void *future;
    while (redis_read(client->stream, reply) == 0 && bine_queue_get_try(client->requests, &future) == 0) {
        char *value = strdup(reply);
        if (bine_future_set(future, value) < 0)
            free(value);
        bine_future_unref(future);
    }
    return bine_fail(errno);
}

/* Sends what has been buffered since: the more are at it, the more go in one piece. */
static void *writer(void *arg)
{
    struct pipeline *client = arg;
    while (bine_event_wait(&client->written) == 0) {
        bine_event_clear(&client->written);
        client->flushes++;
        if (bine_stream_flush(client->stream) < 0)
            break;
    }
    return bine_fail(errno);
}

static void print(const char *command, bine_future *reply)
{
    bine_result result = {NULL, 0};
    int how = reply ? bine_future_await(reply, &result) : -1;
    printf("%s -> %s\n", command, how < 0 ? strerror(errno) : (char *)result.value);
    free(how < 0 ? NULL : result.value);
    bine_future_unref(reply);
}

static void use_pipeline(struct pipeline *client, bine_stream *other)
{
    static const char *const commands[] = {"SET pipe:a 1", "INCR pipe:a", "ECHO hello", "GET pipe:none",
                                           "LPUSH pipe:a x"};
    char pushed[REDIS_REPLY_SIZE];
    bine_future *replies[5];
    for (int i = 0; i < 5; i++)
        replies[i] = request(client, commands[i]);
    for (int i = 0; i < 5; i++)
        print(commands[i], replies[i]);
    printf("flushed %u time\n", client->flushes);

    /* Blocks the connection until another pushes something; we do not wait for it that long. */
    bine_future *late = request(client, "BLPOP pipe:list 0");
    BINE_TIMEOUT(5 * BINE_MS)
        print("BLPOP, impatiently", bine_future_ref(late));
    bine_future_unref(late); /* the queue still holds it */
    bine_future *echo = request(client, "ECHO mine");
    redis_ask(other, "RPUSH pipe:list late", pushed);
    print("ECHO, after it", echo);
}

static void use_simple(struct simple *client)
{
    char reply[REDIS_REPLY_SIZE];
    if (simple_request(client, "DEL pipe:a pipe:list", reply) == 0 &&
        simple_request(client, "SET pipe:b 1", reply) == 0)
        printf("SET pipe:b 1 -> %s\n", reply);
    if (simple_request(client, "GET pipe:b", reply) == 0)
        printf("GET pipe:b -> %s\n", reply);
}

static void *run(void *path)
{
    struct simple simple = {redis_open(path), BINE_MUTEX_INIT};
    struct pipeline client = {redis_open(path), bine_queue_new(BINE_QUEUE_FIFO, 0, NULL), BINE_EVENT_INIT, 0};
    if (!simple.stream || !client.stream || !client.requests)
        return bine_fail(errno);
    puts("one at a time");
    use_simple(&simple);
    puts("pipelined");
    bine_task *reading = bine_spawn(reader, &client);
    bine_task *writing = bine_spawn(writer, &client);
    use_pipeline(&client, simple.stream);
    bine_result result;
    bine_stop(reading, &result);
    bine_stop(writing, &result);
    bine_stream_close(client.stream);
    bine_stream_close(simple.stream);
    bine_queue_free(client.requests);
    return NULL;
}

int main(int argc, char **argv)
{
    return redis_main(argc, argv, run);
}
