/* SPDX-License-Identifier: MIT
 *
 * An echo server that counts what it serves, and its clients, over loopback: what I/O costs under the detector. */
#include <bine.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CLIENTS = 8, ROUNDS = 10000, SIZE = 512 };
static struct {
    long messages, bytes, spaces;
} served;

static void connection(int fd, void *arg)
{
    char line[SIZE];
    ssize_t n;
    (void)arg;
    while ((n = bine_read(fd, line, sizeof line)) > 0) {
        served.messages++;
        served.bytes += n;
        for (ssize_t i = 0; i < n; i += 16)
            served.spaces += line[i] == ' ';
        if (bine_write_full(fd, line, (size_t)n) < n)
            break;
    }
}

static void *server(void *listener)
{
    bine_serve(*(int *)listener, connection, NULL, NULL);
    return NULL;
}

static void *client(void *address)
{
    char line[SIZE] = "hello ";
    int fd = bine_dial("unix", address);
    for (int i = 0; i < ROUNDS; i++) {
        bine_write_full(fd, line, sizeof line);
        if (bine_read_full(fd, line, sizeof line) != SIZE)
            abort();
    }
    bine_close(fd);
    return NULL;
}

static void *program(void *arg)
{
    char address[40];
    snprintf(address, sizeof address, "@bine-cost-%d", rand() + (int)(bine_now() & 0xffffff));
    int listener = bine_listen("unix", address, 0);
    bine_ns start = bine_now();
    bine_task *it = bine_spawn(server, &listener), *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = bine_spawn(client, address);
    for (int i = 0; i < CLIENTS; i++)
        bine_join(clients[i], NULL);
    printf("%ld\n", (long)((bine_now() - start) / BINE_US));
    bine_stop(it, NULL);
    bine_close(listener);
    return arg;
}

int main(void)
{
    bine_run(program, NULL, NULL);
    return served.messages < CLIENTS * ROUNDS;
}
