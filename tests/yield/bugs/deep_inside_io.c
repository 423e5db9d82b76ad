/* SPDX-License-Identifier: MIT
 *
 * Between look and act stands the reading of a line, whose wait is deep inside a stream.
 * KIND: LOST-UPDATE STALE-CHECK */
#include "../corpus.h"

static int rooms = 3;

static void *conversation(void *arg)
{
    char line[32];
#ifdef FIXED
    bine_stream_read_line(arg, line, sizeof line);
    int left = rooms;
#else
    int left = rooms;                              /* SITE looked */
    bine_stream_read_line(arg, line, sizeof line); /* SITE gave-up */
#endif
    rooms = left - atoi(line); /* SITE wrote acted */
    return NULL;
}

static void *guest(void *arg)
{
    bine_sleep(BINE_MS);
    bine_write_full(*(int *)arg, "1\n", 2);
    return NULL;
}

static void *program(void *arg)
{
    static int a[2], b[2];
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, a);
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, b);
    bine_stream *one = bine_stream_new(a[0]), *two = bine_stream_new(b[0]);
    bine_task *g = bine_spawn(guest, &a[1]), *h = bine_spawn(guest, &b[1]);
    both(conversation, one, conversation, two);
    bine_join(g, NULL), bine_join(h, NULL);
    EXPECT(rooms == 1);
    bine_stream_close(one), bine_stream_close(two);
    bine_close(a[1]), bine_close(b[1]);
    return arg;
}
PROGRAM(program)
