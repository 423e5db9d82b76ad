/* SPDX-License-Identifier: MIT
 *
 * bine's side of the works over several loops: an echo server, a task a connection.
 *
 *   loops PORT LOOPS own      each loop has a listener of its own, and the kernel shares the connections out
 *   loops PORT LOOPS shared   all accept from one listener that was made before them
 *
 * Each loop is bound to a processor, if there are two, and run.sh binds the client to the second: on one processor with
 * its client a server's request costs half of what it does across two, and where the scheduler puts them would decide.
 * It serves until it is ended by a signal.  And a client without a loop:
 *
 *   loops PORT PID accept     connects, sends, awaits the answer and closes, often, one connection at a time, so
 *                             that the server's loops are idle whenever one comes; prints what each costs it */
#define _GNU_SOURCE
#include <bine.h>

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../measure.h"

enum { BUFFER = 4096, MESSAGE = 64, CONNECTIONS = 10000 };

static char address[32];
static int shared = -1;

static void serve_echo(int fd, void *arg)
{
    char buffer[BUFFER];
    ssize_t n;
    (void)arg;
    while ((n = bine_read(fd, buffer, sizeof buffer)) > 0)
        if (bine_write_full(fd, buffer, (size_t)n) != n)
            break;
}

static void bind_loop(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(bine_loop_index() % 2, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void *serve(void *arg)
{
    bind_loop();
    int listener = shared != -1 ? shared : bine_listen("tcp", address, 0);
    (void)arg;
    if (listener < 0)
        return bine_fail(errno);
    bine_serve(listener, serve_echo, NULL, NULL);
    return bine_fail(errno);
}

static void meet_once(long port)
{
    const struct sockaddr_in name = {.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)port),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger at_once = {.l_onoff = 1}; /* leaves no ports behind that linger */
    char message[MESSAGE] = "sixty-four bytes";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
        send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE || recv(fd, message, MESSAGE, MSG_WAITALL) != MESSAGE ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
        perror("a connection");
        exit(1);
    }
    close(fd);
}

static int meet_often(long port, pid_t server)
{
    for (int i = 0; i < CONNECTIONS / 10; i++)
        meet_once(port);
    int64_t start = cpu_of(server);
    for (int i = 0; i < CONNECTIONS; i++)
        meet_once(port);
    figure("accept", (double)(cpu_of(server) - start) / 1e3 / CONNECTIONS, "us");
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argc == 4 ? argv[3] : "";
    snprintf(address, sizeof address, "127.0.0.1:%ld", count_argument(argc, argv, 1, 0));
    unsigned loops = (unsigned)count_argument(argc, argv, 2, 1);
    if (strcmp(how, "accept") == 0)
        return meet_often(count_argument(argc, argv, 1, 0), (pid_t)loops);
    if (strcmp(how, "shared") == 0) {
        shared = bine_listen("tcp", address, 0);
    } else if (strcmp(how, "own") != 0) {
        fprintf(stderr, "usage: loops PORT LOOPS own | shared, or loops PORT PID accept\n");
        return 2;
    }
    bine_cluster(loops, serve, NULL);
    perror("bine_cluster");
    return 1;
}
