/* SPDX-License-Identifier: MIT
 *
 * Lines from two streams are counted and answered, each task with its own stream and one table of counts. */
#include "../corpus.h"

static int lines[26];

static void *serve(void *arg)
{
    bine_stream *s = bine_stream_new(*(int *)arg);
    char line[32];
    while (bine_stream_read_line(s, line, sizeof line) > 0) {
        int n = ++lines[line[0] - 'a'];
        bine_stream_printf(s, "%d\n", n);
        bine_stream_flush(s);
    }
    bine_stream_close(s);
    return NULL;
}

static void *client(void *arg)
{
    bine_stream *s = bine_stream_new(*(int *)arg);
    char line[32];
    int last = 0;
    for (int i = 0; i < 5; i++) {
        bine_stream_write(s, "abc\n", 4);
        bine_stream_flush(s);
        bine_stream_read_line(s, line, sizeof line);
        EXPECT(atoi(line) > last);
        last = atoi(line);
    }
    bine_stream_close(s);
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    bine_task *one = bine_spawn(serve, &a[0]), *two = bine_spawn(serve, &b[0]);
    both(client, &a[1], client, &b[1]);
    bine_join(one, NULL), bine_join(two, NULL);
    EXPECT(lines[0] == 10);
    return arg;
}
PROGRAM(program)
