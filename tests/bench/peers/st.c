/* SPDX-License-Identifier: MIT
 *
 * State Threads' side of the bench: st crowd N | sleepers N | parked N | echo PORT | idle PORT.
 *
 * Stacks of 64 KiB, as bine's; the library gives them no guard.  "crowd" is as in bine/tasks.c, but without the yield,
 * which the library does not have.  "echo" is a server; "idle" is one with a single buffer for all connections, so that
 * a waiting one holds none.  Both serve until they are ended, over poll(2) where the library is built without epoll. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <st.h>
#include <sys/socket.h>

#include "../measure.h"

enum { STACK_SIZE = 64 * 1024, CROWD_LIVES = 300000, BUFFER = 4096, BACKLOG = 4096 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static st_thread_t spawn(void *(*fn)(void *), void *arg, int joinable)
{
    st_thread_t thread = st_thread_create(fn, arg, joinable, STACK_SIZE);
    if (!thread)
        fail("st_thread_create");
    return thread;
}

static void *sleeper(void *arg)
{
    st_usleep((st_utime_t)(uintptr_t)arg);
    return NULL;
}

static void measure_sleepers(long tasks)
{
    uint64_t random = 88172645463325252u;
    st_thread_t *all = calloc((size_t)tasks, sizeof *all);
    if (!all)
        fail("calloc");
    int64_t start = cpu_now();
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(sleeper, (void *)(uintptr_t)(next_random(&random) % 1000000), 1);
    for (long i = 0; i < tasks; i++)
        st_thread_join(all[i], NULL);
    figure("sleepers", (double)(cpu_now() - start) / 1e6, "ms");
    free(all);
}

static st_cond_t never;
static long parked;

static void *park(void *arg)
{
    (void)arg;
    parked++;
    st_cond_wait(never);
    return NULL;
}

static void measure_parked(long tasks)
{
    never = st_cond_new();
    int64_t before = memory_of(0);
    for (long i = 0; i < tasks; i++)
        spawn(park, NULL, 0);
    while (parked < tasks)
        st_usleep(0);
    figure("parked", (double)(memory_of(0) - before) / (double)tasks, "bytes");
    _exit(0);
}

static void *sit_out(void *arg)
{
    parked++;
    st_cond_wait(never);
    return arg;
}

static void *nothing(void *arg)
{
    return arg;
}

static void run_wave(st_thread_t *all, long tasks)
{
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(nothing, NULL, 1);
    for (long i = 0; i < tasks; i++)
        st_thread_join(all[i], NULL);
}

static void measure_crowd(long tasks)
{
    st_thread_t *all = calloc((size_t)tasks, sizeof *all);
    if (!all)
        fail("calloc");
    memset(all, 1, (size_t)tasks * sizeof *all); /* so that its pages are not counted */
    never = st_cond_new();
    int64_t before = memory_of(0);
    for (long i = 0; i < tasks; i++)
        all[i] = spawn(sit_out, NULL, 1);
    while (parked < tasks)
        st_usleep(0);
    figure("memory", (double)(memory_of(0) - before) / (double)tasks, "bytes");
    st_cond_broadcast(never);
    for (long i = 0; i < tasks; i++)
        st_thread_join(all[i], NULL);
    run_wave(all, tasks);
    long waves = CROWD_LIVES / tasks + 1;
    int64_t start = cpu_now();
    for (long k = 0; k < waves; k++)
        run_wave(all, tasks);
    figure("spawn", (double)(cpu_now() - start) / ((double)waves * (double)tasks), "ns");
    free(all);
}

static char shared[BUFFER];

static void *echo_connection(void *arg)
{
    st_netfd_t fd = arg;
    char buffer[BUFFER];
    ssize_t n;
    while ((n = st_read(fd, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0)
        if (st_write(fd, buffer, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
            break;
    st_netfd_close(fd);
    return NULL;
}

static void *idle_connection(void *arg)
{
    st_netfd_t fd = arg;
    while (st_netfd_poll(fd, POLLIN, ST_UTIME_NO_TIMEOUT) == 0) {
        ssize_t n = st_read(fd, shared, sizeof shared, ST_UTIME_NO_TIMEOUT);
        if (n <= 0 || st_write(fd, shared, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
            break;
    }
    st_netfd_close(fd);
    return NULL;
}

static void serve(long port, void *(*connection)(void *))
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, BACKLOG) < 0)
        fail("listen");
    st_netfd_t server = st_netfd_open_socket(listener);
    if (!server)
        fail("st_netfd_open_socket");
    for (;;) {
        st_netfd_t fd = st_accept(server, NULL, NULL, ST_UTIME_NO_TIMEOUT);
        if (!fd)
            fail("st_accept");
        spawn(connection, fd, 0);
    }
}

int main(int argc, char **argv)
{
    const char *work = argc > 1 ? argv[1] : "";
    /* epoll; Debian builds it without, and the call succeeds all the same */
    if (st_set_eventsys(ST_EVENTSYS_ALT) < 0 || *st_get_eventsys_name() == 0)
        st_set_eventsys(ST_EVENTSYS_POLL);
    if (st_init() < 0)
        fail("st_init");
    if (!strcmp(work, "crowd"))
        measure_crowd(count_argument(argc, argv, 2, 1000));
    else if (!strcmp(work, "sleepers"))
        measure_sleepers(count_argument(argc, argv, 2, 100000));
    else if (!strcmp(work, "parked"))
        measure_parked(count_argument(argc, argv, 2, 100000));
    else if (!strcmp(work, "echo"))
        serve(count_argument(argc, argv, 2, 0), echo_connection);
    else if (!strcmp(work, "idle"))
        serve(count_argument(argc, argv, 2, 0), idle_connection);
    else
        return fprintf(stderr, "usage: st crowd N | sleepers N | parked N | echo PORT | idle PORT\n"), 2;
    return 0;
}
