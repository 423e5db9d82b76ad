/* SPDX-License-Identifier: MIT
 *
 * A server and its clients over a socket of this machine, in one loop: prints the microseconds that the
 * clients took. */
#ifndef COST_LOAD_H
#define COST_LOAD_H

#include <bine.h>

#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 8, ROUNDS = 10000 };

static struct load {
    bine_conn_fn *connection;
    bine_fn *client; /* gets the address */
    int listener;
} load;

static void *load_server(void *arg)
{
    bine_serve(load.listener, load.connection, NULL, NULL);
    return arg;
}

static void *load_program(void *arg)
{
    char address[40];
    snprintf(address, sizeof address, "@bine-cost-%d", rand() + (int)(bine_now() & 0xffffff));
    load.listener = bine_listen("unix", address, 0);
    bine_ns start = bine_now();
    bine_task *it = bine_spawn(load_server, NULL), *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = bine_spawn(load.client, address);
    for (int i = 0; i < CLIENTS; i++)
        bine_join(clients[i], NULL);
    printf("%ld\n", (long)((bine_now() - start) / BINE_US));
    bine_stop(it, NULL);
    bine_close(load.listener);
    return arg;
}

static inline void load_run(bine_conn_fn *connection, bine_fn *client)
{
    load.connection = connection;
    load.client = client;
    bine_run(load_program, NULL, NULL);
}

#endif
