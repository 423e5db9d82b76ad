/* SPDX-License-Identifier: MIT
 *
 * Talks to the README's echo server: a hundred connections at once, each with a payload of its own.
 *
 *   client             prints a TCP port that is free just now
 *   client <address>   waits until somebody listens there, then talks; exit status 0 if every echo was right */
#include <bine.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTIONS = 100, ROUNDS = 5, SIZE = 10000 };

static const char *address;

static void *talk(void *arg)
{
    char out[SIZE], in[SIZE];
    const int *seed = (const int *)arg;
    int fd = bine_dial("tcp", address);

    if (fd == -1)
        return bine_fail(errno);
    for (int round = 0; round < ROUNDS; round++) {
        memset(out, *seed + round, sizeof out);
        if (bine_write_full(fd, out, sizeof out) != SIZE || bine_read_full(fd, in, sizeof in) != SIZE ||
            memcmp(in, out, sizeof in) != 0) {
            bine_close(fd);
            return bine_fail(EIO);
        }
    }
    bine_close(fd);
    return arg;
}

static void *talk_all(void *arg)
{
    bine_task *tasks[CONNECTIONS];
    bine_result result;
    int fd = -1;

    (void)arg;
    BINE_TIMEOUT(2 * BINE_MINUTE)
    {
        /* The server is being started beside us. */
        while ((fd = bine_dial("tcp", address)) == -1 && errno == ECONNREFUSED)
            if (bine_sleep(10 * BINE_MS) != 0)
                break;
    }
    if (fd == -1)
        return bine_fail(errno);
    bine_close(fd);

    int failed = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        tasks[i] = bine_spawn_copy(talk, &i, sizeof i);
        if (!tasks[i])
            return bine_fail(errno);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        if (bine_join(tasks[i], &result) != 0 || result.error)
            failed = EIO;
    return failed ? bine_fail(failed) : NULL;
}

static int print_free_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || bind(fd, (struct sockaddr *)&any, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &length) != 0) {
        perror("client");
        return 1;
    }
    printf("%d\n", ntohs(any.sin_port));
    return 0;
}

int main(int argc, char **argv)
{
    bine_result result;

    if (argc < 2)
        return print_free_port();
    address = argv[1];
    if (bine_run(talk_all, NULL, &result) != 0) {
        perror("bine_run");
        return 1;
    }
    if (result.error)
        fprintf(stderr, "client: %s\n", strerror(result.error));
    return result.error != 0;
}
