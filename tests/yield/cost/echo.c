/* SPDX-License-Identifier: MIT
 *
 * An echo server that counts what it serves, and its clients, over loopback: what I/O costs under the detector. */
#include "load.h"

enum { SIZE = 512 };
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

int main(void)
{
    load_run(connection, client);
    return served.messages < CLIENTS * ROUNDS;
}
