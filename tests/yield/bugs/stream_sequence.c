/* SPDX-License-Identifier: MIT
 *
 * Packets are numbered, buffered without switching, and flushed, which switches, before the number is written back.
 * KIND: LOST-UPDATE */
#include "../corpus.h"

static bine_stream *peer;
static unsigned sequence;
static bine_mutex writing = BINE_MUTEX_INIT;

static void *packet(void *arg)
{
#ifdef FIXED
    unsigned n = sequence++;
#else
    unsigned n = sequence; /* SITE looked */
#endif
    bine_mutex_lock(&writing); /* SITE gave-up */
    bine_stream_printf(peer, "%u %s\n", n, (char *)arg);
    bine_sleep(BINE_MS);     /* SITE gave-up: Nagle, by hand */
    bine_stream_flush(peer); /* SITE gave-up */
    bine_mutex_unlock(&writing);
#ifndef FIXED
    sequence = n + 1; /* SITE wrote acted */
#endif
    return NULL;
}

static void *program(void *arg)
{
    int fd[2];
    char got[64] = "";
    static char ping[] = "ping", pong[] = "pong";
    bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    peer = bine_stream_new(fd[0]);
    both(packet, ping, packet, pong);
    bine_stream_close(peer);
    bine_read_full(fd[1], got, sizeof got - 1);
    bine_close(fd[1]);
    EXPECT(strstr(got, "0 ") && strstr(got, "1 "));
    return arg;
}
PROGRAM(program)
