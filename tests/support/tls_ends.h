/* SPDX-License-Identifier: MIT
 *
 * Two ends of a TLS connection in one loop, what they say to each other, and bytes that tell their place. */
#ifndef TESTS_TLS_ENDS_H
#define TESTS_TLS_ENDS_H

#include "support/certificates.h"
#include "support/sockets.h"

/* ---- Two ends ---------------------------------------------------------------------------------------- */

struct ends {
    bine_tls *client, *server;
};

static inline void *shake(void *arg)
{
    expect_ok(bine_tls_handshake(arg));
    return NULL;
}

static inline struct ends ends_open(struct world *world, const char *host)
{
    struct ends ends;
    int fd[2];

    pair_make(PAIR_TCP, fd);
    ends.client = bine_tls_new(world->client_config, fd[0], host);
    ends.server = bine_tls_new(world->server_config, fd[1], NULL);
    expect(ends.client && ends.server);
    return ends;
}

static inline struct ends ends_connected(struct world *world, const char *host)
{
    struct ends ends = ends_open(world, host);
    bine_task *task = bine_spawn(shake, ends.server);

    expect_ok(bine_tls_handshake(ends.client));
    expect_ok(bine_join(task, NULL));
    return ends;
}

static inline void ends_close(struct ends *ends)
{
    expect_ok(bine_tls_close(ends->client));
    expect_ok(bine_tls_close(ends->server));
}

static inline void talk(struct ends *ends)
{
    char buf[16] = "";

    expect_int(bine_tls_write(ends->client, "hello", 5), ==, 5);
    expect_int(bine_tls_read(ends->server, buf, sizeof buf), ==, 5);
    expect_str(buf, "hello");
    expect_int(bine_tls_write(ends->server, "world", 5), ==, 5);
    expect_int(bine_tls_read(ends->client, buf, 2), ==, 2); /* the rest of the record stays */
    expect_int(bine_tls_read(ends->client, buf, sizeof buf), ==, 3);
    expect(memcmp(buf, "rld", 3) == 0);
}

static inline void *read_a_byte(void *arg)
{
    char byte = 0;
    expect_int(bine_tls_read(arg, &byte, 1), ==, 1);
    return NULL;
}

/* ---- Many bytes -------------------------------------------------------------------------------------- */

enum { LOTS = 4 << 20 };

struct flow {
    bine_tls *tls;
    uint64_t seed;
    size_t total;
};

static inline void *write_flow(void *arg)
{
    struct flow *flow = arg;
    char *buf = malloc(100000);

    for (size_t done = 0; done < flow->total;) {
        size_t n = 1 + support_random(&flow->seed) % 100000;
        n = n < flow->total - done ? n : flow->total - done;
        for (size_t i = 0; i < n; i++)
            buf[i] = (char)((done + i) * 31 % 251);
        if (!expect(bine_tls_write(flow->tls, buf, n) == (ssize_t)n))
            break;
        done += n;
    }
    free(buf);
    return NULL;
}

static inline void *read_flow(void *arg)
{
    struct flow *flow = arg;
    char *buf = malloc(100000);
    bool right = true;

    for (size_t done = 0; done < flow->total;) {
        ssize_t n = bine_tls_read(flow->tls, buf, 1 + support_random(&flow->seed) % 100000);
        if (!expect(n > 0))
            break;
        for (size_t i = 0; i < (size_t)n; i++)
            right = right && buf[i] == (char)((done + i) * 31 % 251);
        done += (size_t)n;
    }
    expect(right);
    free(buf);
    return NULL;
}

static inline void flow_both_ways(struct ends *ends, size_t total)
{
    struct flow flows[] = {{ends->client, 1, total}, {ends->server, 2, total}, {ends->client, 3, total},
                           {ends->server, 4, total}};

    BINE_GROUP(group, BINE_GROUP_ALL) {
        for (int i = 0; i < 4; i++)
            bine_group_spawn(&group, i < 2 ? write_flow : read_flow, &flows[i]);
    }
}

#endif
