/* SPDX-License-Identifier: MIT
 *
 * Two clients that format commands and read replies with hiredis, over descriptors of bine's, and a server that reads
 * the commands with hiredis's reader too and answers piece by piece. */
#include "../corpus.h"

#include <hiredis.h>

static int stored[2], served;

static redisReply *reply_of(redisReader *reader, int fd)
{
    void *reply = NULL;
    char piece[64];
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && !reply) {
        ssize_t n = bine_read(fd, piece, sizeof piece);
        if (n <= 0)
            return NULL;
        redisReaderFeed(reader, piece, (size_t)n);
    }
    return reply;
}

static void *client(void *arg)
{
    int *fd = arg, sum = 0;
    redisReader *reader = redisReaderCreate();
    for (int i = 0; i < 20; i++) {
        char *command;
        int n = redisFormatCommand(&command, "INCRBY key%d %d", i % 3, i);
        bine_write_full(fd[0], command, (size_t)n);
        redisFreeCommand(command);
        redisReply *reply = reply_of(reader, fd[0]);
        EXPECT(reply && reply->type == REDIS_REPLY_INTEGER);
        sum += reply ? (int)reply->integer : 0;
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
    bine_close(fd[0]);
    stored[fd[1] & 1] = sum;
    return NULL;
}

static void *server(void *arg)
{
    int *fd = arg, value[3] = {0};
    redisReader *reader = redisReaderCreate();
    redisReply *command;
    while ((command = reply_of(reader, fd[1]))) {
        char answer[32];
        int key = command->element[1]->str[3] - '0';
        value[key] += atoi(command->element[2]->str);
        int n = snprintf(answer, sizeof answer, ":%d\r\n", value[key]);
        bine_write_full(fd[1], answer, 2);
        bine_sleep(BINE_MS);
        bine_write_full(fd[1], answer + 2, (size_t)n - 2);
        freeReplyObject(command);
        served++;
    }
    redisReaderFree(reader);
    bine_close(fd[1]);
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    bine_task *one = bine_spawn(server, a), *two = bine_spawn(server, b);
    both(client, a, client, b);
    bine_join(one, NULL);
    bine_join(two, NULL);
    EXPECT(served == 40);
    return arg;
}
PROGRAM(program)
