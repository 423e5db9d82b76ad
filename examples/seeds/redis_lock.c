/* SPDX-License-Identifier: MIT
 *
 * A lock that Redis keeps, with a bad release and a good one.
 *
 *     redis_lock SOCKET
 *
 * A block's end cannot wait for the server, so what may release() do?  The bad one starts a task that will
 * send the request some time: what follows the block overtakes it, and finds the lock still held.  The
 * good one writes the request and notes that a reply is owed, both without a switch: whatever is sent
 * later comes later.  bine_mutex_unlock() is of the good kind by its nature: it never switches, and hands
 * the lock over on the spot. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/redis.h"

struct client {
    bine_stream *stream;
    unsigned owed;      /* replies that nobody waits for, and that come before the next one */
    bine_event written; /* there is something to flush */
};

static int ask(struct client *client, const char *command, char reply[REDIS_REPLY_SIZE])
{
    unsigned before = client->owed;
    int how = redis_write(client->stream, command);
    client->owed = 0;
    if (how == 0)
        how = bine_stream_flush(client->stream);
    for (; before > 0 && how == 0; before--)
        how = redis_read(client->stream, reply);
    return how < 0 ? -1 : redis_read(client->stream, reply);
}

static int acquire(struct client *client)
{
    char reply[REDIS_REPLY_SIZE];
    int how = ask(client, "SET lock:a mine NX", reply);
    printf("  acquire: %s\n", how < 0 ? strerror(errno) : reply);
    return how;
}

/* Never switches. */
static void good_release(struct client *client)
{
    if (redis_write(client->stream, "DEL lock:a") == 0)
        client->owed++;
    bine_event_set(&client->written);
}

static void *release_request(void *client)
{
    good_release(client);
    return NULL;
}

static void bad_release(struct client *client)
{
    bine_task *task = bine_spawn(release_request, client);
    if (task)
        bine_detach(task);
}

/* So that what release() wrote goes out also if nothing follows. */
static void *flusher(void *arg)
{
    struct client *client = arg;
    while (bine_event_wait(&client->written) == 0) {
        bine_event_clear(&client->written);
        bine_stream_flush(client->stream);
    }
    return NULL;
}

static void something(struct client *client, void (*release)(struct client *))
{
    char reply[REDIS_REPLY_SIZE];
    acquire(client);
    release(client);
    if (ask(client, "EXISTS lock:a", reply) == 0)
        printf("  work after the lock, which is %s\n", strcmp(reply, "0") == 0 ? "free" : "STILL HELD");
    bine_yield(); /* at last the others have their turn */
    if (ask(client, "EXISTS lock:a", reply) == 0)
        printf("  later it is %s\n", strcmp(reply, "0") == 0 ? "free" : "STILL HELD");
}

static void *next_one(void *mutex)
{
    bine_mutex_lock(mutex);
    puts("  the next one has the lock");
    bine_mutex_unlock(mutex);
    return NULL;
}

static void *run(void *path)
{
    struct client client = {redis_open(path), 0, BINE_EVENT_INIT};
    bine_mutex mutex = BINE_MUTEX_INIT;
    if (!client.stream)
        return bine_fail(errno);
    bine_task *flushing = bine_spawn(flusher, &client);
    puts("bad release");
    something(&client, bad_release);
    puts("good release");
    something(&client, good_release);
    bine_stop(flushing, NULL);
    bine_stream_close(client.stream);

    puts("between tasks");
    bine_mutex_lock(&mutex);
    bine_task *next = bine_spawn(next_one, &mutex);
    bine_yield(); /* it waits by now */
    bine_mutex_unlock(&mutex);
    printf("  unlocked, and nothing else has run; to have it again: %s\n",
           bine_mutex_lock_try(&mutex) < 0 ? "it has been handed over" : "it is free");
    bine_join(next, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    return redis_main(argc, argv, run);
}
