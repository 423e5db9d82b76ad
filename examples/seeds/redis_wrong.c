/* SPDX-License-Identifier: MIT
 *
 * Wrong ways to share a connection to Redis, and what comes of each.
 *
 *     redis_wrong SOCKET
 *
 * 1. Write, flush, read, with no queue and no lock: two requests read replies that are not theirs.  Here the
 *    second reader of a stream gets EBUSY instead, so the mistake is seen at once.
 * 2. A request that is given up between write and read leaves its reply on the wire: the next request takes
 *    it for its own.  Poisoning the stream turns that into an error.
 * 3. MULTI, SET, SET, EXEC with waiting in between: something fails half-way, the transaction stays open,
 *    and the next user's commands fall into it.  Then the same with all that can fail done before, and one
 *    write. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/redis.h"

static const char *socket_path;

static void print(const char *who, int how, const char *reply)
{
    printf("  %s -> %s\n", who, how < 0 ? strerror(errno) : reply);
}

static void *hello(void *stream)
{
    char reply[REDIS_REPLY_SIZE];
    print("ECHO hello", redis_ask(stream, "ECHO hello", reply), reply);
    return NULL;
}

static void *blocking_pop(void *stream)
{
    char reply[REDIS_REPLY_SIZE];
    print("BLPOP", redis_ask(stream, "BLPOP wrong:list 0", reply), reply);
    return NULL;
}

/* Lets a BLPOP have something, from a connection of its own. */
static void *push(void *value)
{
    char command[64];
    char reply[REDIS_REPLY_SIZE];
    bine_stream *stream = redis_open(socket_path);
    snprintf(command, sizeof command, "RPUSH wrong:list %s", (const char *)value);
    if (!stream || redis_ask(stream, command, reply) < 0)
        perror("push");
    if (stream)
        bine_stream_close(stream);
    return NULL;
}

static void two_at_once(bine_stream *stream)
{
    static char first[] = "first";
    puts("two requests at once");
    BINE_GROUP(g, BINE_GROUP_ALL) {
        bine_group_spawn(&g, blocking_pop, stream);
        bine_group_spawn(&g, hello, stream);
        bine_group_spawn(&g, push, first);
    }
    char reply[REDIS_REPLY_SIZE]; /* the reply to "ECHO hello", still to be read */
    print("what hello did not read", redis_read(stream, reply), reply);
}

static void given_up(bine_stream *stream, bool poison)
{
    static char late[] = "late";
    BINE_TIMEOUT(5 * BINE_MS)
        blocking_pop(stream);
    if (poison)
        bine_stream_poison(stream);
    push(late);
    hello(stream);
}

static int update_price(bine_stream *stream, int dollars, int rate)
{
    char command[64];
    char reply[REDIS_REPLY_SIZE];
    redis_ask(stream, "MULTI", reply);
    snprintf(command, sizeof command, "SET wrong:dollars %d", dollars);
    redis_ask(stream, command, reply);
    errno = EDOM;
    if (rate == 0)
        return -1; /* EXEC is never sent */
    snprintf(command, sizeof command, "SET wrong:uah %d", dollars / rate);
    redis_ask(stream, command, reply);
    return redis_ask(stream, "EXEC", reply);
}

static int update_price_at_once(bine_stream *stream, int dollars, int rate, char *reply)
{
    char set_dollars[64];
    char set_uah[64];
    errno = EDOM;
    if (rate == 0)
        return -1; /* and nothing has been written */
    snprintf(set_dollars, sizeof set_dollars, "SET wrong:dollars %d", dollars);
    snprintf(set_uah, sizeof set_uah, "SET wrong:uah %d", dollars / rate);
    const char *const commands[] = {"MULTI", set_dollars, set_uah, "EXEC"};
    for (int i = 0; i < 4; i++) /* no switch in here: nobody's command can come between */
        if (redis_write(stream, commands[i]) < 0)
            return -1;
    int how = bine_stream_flush(stream);
    for (int i = 0; i < 4 && how == 0; i++)
        how = redis_read(stream, reply);
    return how;
}

static void *run(void *path)
{
    char reply[REDIS_REPLY_SIZE] = "";
    bine_stream *streams[3];
    socket_path = path;
    for (int i = 0; i < 3; i++)
        if (!(streams[i] = redis_open(socket_path)))
            return bine_fail(errno);
    two_at_once(streams[0]);
    puts("given up");
    given_up(streams[0], false);
    puts("given up, and poisoned");
    given_up(streams[1], true);
    puts("a transaction left open");
    print("update", update_price(streams[2], 100, 0), reply);
    hello(streams[2]);
    redis_ask(streams[2], "DISCARD", reply);
    puts("a transaction in one piece");
    print("update by 0", update_price_at_once(streams[2], 100, 0, reply), reply);
    hello(streams[2]);
    print("update", update_price_at_once(streams[2], 100, 25, reply), reply);
    for (int i = 0; i < 3; i++)
        bine_stream_close(streams[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    return redis_main(argc, argv, run);
}
