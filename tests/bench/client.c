/* SPDX-License-Identifier: MIT
 *
 * The load: a bare epoll client that drives a server in another process and reads that process's CPU clock
 * and memory.
 *
 *   client echo PORT PID CONNECTIONS REQUESTS   each connection sends 64 bytes, awaits them, and again
 *   client ping PORT PID CONNECTIONS REQUESTS   the same with Redis's PING and PONG
 *   client idle PORT PID CONNECTIONS            each connection does so once, then all of them stay open
 *   client held PORT PID CONNECTIONS REQUESTS   500 of them send and await, alone and then while the others are idle;
 *                                               at the end those are asked whether they are still there
 *   client wait PORT                            returns once somebody listens there
 *   client cpu PID                              prints the CPU time of a process in ns
 *
 * "echo" and "ping" run a tenth of the requests, and one for each connection at the least, before they start to
 * measure.
 * Ends by itself after two minutes, whatever the server does. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

enum { LONGEST = 64, EVENTS = 1024, LIMIT_SECONDS = 120, TRIES = 200, TRY_MS = 25 };

static void fail(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, errno ? strerror(errno) : "wrong answer");
    exit(1);
}

/* -1 if nobody listens. */
static int try_dial(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (errno != ECONNREFUSED)
        fail("connect");
    close(fd);
    return -1;
}

static int dial(long port)
{
    int fd = try_dial(port);
    if (fd < 0)
        fail("connect");
    return fd;
}

static void wait_for(long port)
{
    static const struct timespec pause = {0, TRY_MS * 1000000};
    for (int i = 0; i < TRIES; i++) {
        if (try_dial(port) >= 0)
            return;
        nanosleep(&pause, NULL);
    }
    fail("nobody listens");
}

static long to_send;     /* messages: fixed from the start, so that a run's count is exact */
static long outstanding; /* answers that are still to come */

static struct {
    const char *name;
    char message[LONGEST + 1];
    ssize_t length;
    int answer; /* bytes */
} talks[] = {{"echo", "sixty-four bytes, of which the server reads none", 64, 64},
             {"ping", "*1\r\n$4\r\nPING\r\n", 14, 7}},
  *talk = talks;

static void send_message(int fd)
{
    if (send(fd, talk->message, (size_t)talk->length, MSG_NOSIGNAL) != talk->length)
        fail("send");
    outstanding++;
    to_send--;
}

/* Bytes of the current answer that have come, by descriptor. */
static unsigned char *got;

/* Takes what has come; whether that ended an answer. */
static bool receive(int fd, int flags)
{
    char answer[LONGEST];
    ssize_t n = recv(fd, answer, (size_t)(talk->answer - got[fd]), flags);
    if (n <= 0 && !(n < 0 && errno == EAGAIN)) {
        errno = n ? errno : ECONNRESET;
        fail("recv");
    }
    if (n > 0)
        got[fd] = (unsigned char)(got[fd] + n);
    if (got[fd] < talk->answer)
        return false;
    got[fd] = 0;
    return true;
}

/* How many descriptors are ready; -1: a signal came. */
static int wait_ready(int epoll, struct epoll_event *ready)
{
    int n = epoll_wait(epoll, ready, EVENTS, -1);
    if (n < 0 && errno != EINTR)
        fail("epoll_wait");
    return n;
}

/* Awaits so many answers; a connection that has its own sends again. */
static void drive(int epoll, long answers)
{
    static struct epoll_event ready[EVENTS];
    while (answers > 0) {
        int n = wait_ready(epoll, ready);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (!receive(fd, MSG_DONTWAIT))
                continue;
            answers--;
            outstanding--;
            if (to_send > 0)
                send_message(fd);
        }
    }
}

static void echo(long port, pid_t server, long connections, long requests)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        fail("epoll_create1");
    long warm = requests / 10 > connections ? requests / 10 : connections;
    to_send = connections + warm + requests; /* more than are measured: the load must not slacken before the end */
    for (long i = 0; i < connections; i++) {
        int fd = dial(port);
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            fail("epoll_ctl");
        send_message(fd);
    }
    drive(epoll, warm);

    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    int64_t start = cpu_of(server);
    drive(epoll, requests);
    int64_t used = cpu_of(server) - start;
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (start < 0)
        fail("the server's CPU clock");
    drive(epoll, outstanding);
    double wall = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    figure(talk->name, (double)used / 1e3 / (double)requests, "us");
    figure("rate", (double)requests / wall, "requests/s");
    figure("share", 100.0 * (double)used * 1e-9 / wall, "%");
}

static void idle(long port, pid_t server, long connections)
{
    int *all = calloc((size_t)connections, sizeof *all);
    if (!all)
        fail("calloc");
    int64_t before = memory_of(server);
    for (long i = 0; i < connections; i++)
        all[i] = dial(port);
    for (long i = 0; i < connections; i++)
        send_message(all[i]);
    for (long i = 0; i < connections; i++)
        while (!receive(all[i], 0))
            ;
    figure("idle", (double)(memory_of(server) - before) / (double)connections, "bytes");
}

/* ---- Active ones among many idle ones ----------------------------------------------------------------- */

enum { ACTIVE = 500, SLICES = 10 };

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The active ones together: how long each request was on its way, sorted. */
static void talk_for(int epoll, const int *active, int64_t *sent, int64_t *taken, long requests)
{
    static struct epoll_event ready[EVENTS];
    long answers = 0;
    to_send = requests;
    for (int i = 0; i < ACTIVE && to_send > 0; i++) {
        sent[active[i]] = now();
        send_message(active[i]);
    }
    while (answers < requests) {
        int n = wait_ready(epoll, ready);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (!receive(fd, MSG_DONTWAIT))
                continue;
            taken[answers++] = now() - sent[fd];
            if (to_send > 0) {
                sent[fd] = now();
                send_message(fd);
            }
        }
    }
    qsort(taken, (size_t)requests, sizeof *taken, by_size);
}

/* The median over slices of each slice's median, so that what the machine does meanwhile counts little; and the
 * server's CPU time for a request. */
static double latency(int epoll, const int *active, long requests, pid_t server, double *cpu)
{
    int64_t *sent = calloc(1 << 20, sizeof *sent), *taken = calloc((size_t)requests, sizeof *taken), middle[SLICES];
    if (!sent || !taken)
        fail("calloc");
    talk_for(epoll, active, sent, taken, requests / SLICES); /* so that everything is warm */
    int64_t start = cpu_of(server);
    for (int i = 0; i < SLICES; i++) {
        talk_for(epoll, active, sent, taken, requests / SLICES);
        middle[i] = taken[requests / SLICES / 2];
    }
    *cpu = (double)(cpu_of(server) - start) / 1e3 / (double)(requests / SLICES * SLICES);
    qsort(middle, SLICES, sizeof *middle, by_size);
    free(sent);
    free(taken);
    return (double)(middle[SLICES / 2 - 1] + middle[SLICES / 2]) / 2e3;
}

/* One message to each, and how many did not answer it. */
static long ask(const int *all, long n)
{
    long lost = 0;
    for (long i = 0; i < n; i++)
        if (send(all[i], talk->message, (size_t)talk->length, MSG_NOSIGNAL) != talk->length)
            lost++;
    for (long i = 0; i < n; i++) {
        char answer[LONGEST];
        if (recv(all[i], answer, (size_t)talk->answer, MSG_WAITALL) != talk->answer)
            lost++;
    }
    return lost;
}

static void held(long port, pid_t server, long connections, long requests)
{
    const long idle_ones = connections - ACTIVE;
    int epoll = epoll_create1(EPOLL_CLOEXEC), active[ACTIVE], *all = calloc((size_t)connections, sizeof *all);
    if (epoll < 0 || !all || idle_ones < 1 || requests < SLICES)
        fail("epoll_create1");
    for (int i = 0; i < ACTIVE; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET};
        event.data.fd = active[i] = dial(port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, active[i], &event) < 0)
            fail("epoll_ctl");
    }
    double cpu[3], alone = latency(epoll, active, requests, server, &cpu[0]);
    int64_t before = memory_of(server);
    for (long i = 0; i < idle_ones; i++)
        all[i] = dial(port);
    long lost = ask(all, idle_ones);
    figure("held", (double)(memory_of(server) - before) / (double)idle_ones, "bytes");
    double among = latency(epoll, active, requests, server, &cpu[1]);
    lost += ask(all, idle_ones);
    for (long i = 0; i < idle_ones; i++)
        close(all[i]);
    alone = (alone + latency(epoll, active, requests, server, &cpu[2])) / 2; /* before and after */
    figure("lost", (double)lost, "connections");
    figure("latency", among, "us");
    figure("alone", alone, "us");
    figure("cpu", cpu[1], "us");
    figure("cpu-alone", (cpu[0] + cpu[2]) / 2, "us");
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    got = calloc(1 << 20, 1);
    if (!got)
        fail("calloc");
    alarm(LIMIT_SECONDS);
    if (!strcmp(work, "ping"))
        talk = &talks[1];
    if ((!strcmp(work, "echo") || !strcmp(work, "ping")) && argc == 6)
        echo(count_argument(argc, argv, 2, 0), (pid_t)count_argument(argc, argv, 3, 0),
             count_argument(argc, argv, 4, 0), count_argument(argc, argv, 5, 0));
    else if (!strcmp(work, "idle") && argc == 5)
        idle(count_argument(argc, argv, 2, 0), (pid_t)count_argument(argc, argv, 3, 0),
             count_argument(argc, argv, 4, 0));
    else if (!strcmp(work, "held") && argc == 6)
        held(count_argument(argc, argv, 2, 0), (pid_t)count_argument(argc, argv, 3, 0),
             count_argument(argc, argv, 4, 0), count_argument(argc, argv, 5, 0));
    else if (!strcmp(work, "wait") && argc == 3)
        wait_for(count_argument(argc, argv, 2, 0));
    else if (!strcmp(work, "cpu") && argc == 3)
        printf("%lld\n", (long long)cpu_of((pid_t)count_argument(argc, argv, 2, 0)));
    else
        return fprintf(stderr, "usage: see the head of client.c\n"), 2;
    return 0;
}
