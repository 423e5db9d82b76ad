/* SPDX-License-Identifier: MIT
 *
 * Serving: a task for each connection, limits, and how it all ends.  Shortage is check_serve_faults.c. */
#include "support/support.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/server.h"

/* ---- Serving ----------------------------------------------------------------------------------------- */

LOOP_TEST(serves_many_at_once)
{
    enum { CLIENTS = 20 };
    struct server server = {0};
    int fd[CLIENTS];

    server_start(&server, echo);
    for (int i = 0; i < CLIENTS; i++)
        fd[i] = dial(&server);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < CLIENTS; i++)
            ping(fd[i]);
    expect_int(server.most, ==, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        expect_ok(bine_close(fd[i]));
    while (server.now > 0)
        expect_ok(bine_sleep(BINE_MS));
    expect_int(server.cancelled, ==, 0);
    server_stop(&server, ECANCELED);
    expect_int(server.begun, ==, CLIENTS);
}

static void look_at_options(int fd, void *arg)
{
    struct server *server = arg;
    bine_task_info info[8];
    size_t n = bine_tasks(info, 8);
    bool named = false;

    begin(server);
    expect_int(option(fd, IPPROTO_TCP, TCP_NODELAY), !=, 0);
    expect_int(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    for (size_t i = 0; i < n && i < 8; i++)
        named = named || strcmp(info[i].name, server->options.name ? server->options.name : "conn") == 0;
    expect(named);
    end(server);
}

LOOP_TEST(connection_is_prompt_private_and_named)
{
    struct server server = {0};
    int off = 0;

    server_start(&server, look_at_options);
    int fd = dial(&server);
    expect_end_of_file(fd);
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);

    server = (struct server){.options = {.name = "guest"}};
    server_start(&server, look_at_options);
    fd = dial(&server);
    expect_end_of_file(fd);
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);

    server = (struct server){.listener = bine_listen("tcp", "127.0.0.1:0", 0)};
    /* As another library may have made it. */
    expect_ok(setsockopt(server.listener, IPPROTO_TCP, TCP_NODELAY, &off, sizeof off));
    server_start(&server, look_at_options);
    fd = dial(&server);
    expect_end_of_file(fd);
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);
}

LOOP_TEST(limit_holds_and_the_others_wait)
{
    enum { CLIENTS = 6, MOST = 2 };
    struct server server = {.options = {.max_connections = MOST}};
    int fd[CLIENTS];

    server_start(&server, echo);
    for (int i = 0; i < CLIENTS; i++)
        fd[i] = dial(&server); /* the kernel takes them all */
    for (int i = 0; i < CLIENTS; i++) {
        ping(fd[i]);
        expect_ok(bine_close(fd[i]));
    }
    while (server.ended < CLIENTS)
        expect_ok(bine_sleep(BINE_MS));
    expect_int(server.most, ==, MOST);
    server_stop(&server, ECANCELED);
}

static void close_by_hand(int fd, void *arg)
{
    struct server *server = arg;
    bine_stream *stream = bine_stream_new(fd);
    char line[16];

    begin(server);
    expect_int(bine_stream_read_line(stream, line, sizeof line), ==, 3);
    expect_ok(bine_stream_close(stream));
    server->fd = bine_socket(AF_INET, SOCK_STREAM, 0); /* gets the same number */
    expect_int(server->fd, ==, fd);
    end(server);
}

LOOP_TEST(connection_may_close_its_descriptor_itself)
{
    struct server server = {0};

    server_start(&server, close_by_hand);
    int fd = dial(&server);
    expect_int(bine_write(fd, "hi\n", 3), ==, 3);
    expect_end_of_file(fd);
    while (server.ended < 1)
        expect_ok(bine_yield());
    expect_ok(bine_yield());
    expect_int(fcntl(server.fd, F_GETFD), >=, 0); /* it was not closed in the other's place */
    expect_ok(bine_close(server.fd));
    expect_ok(bine_close(fd));
    server_stop(&server, ECANCELED);
}

static void read_to_the_end(int fd, void *arg)
{
    struct server *server = arg;
    char buf[64];
    ssize_t n;

    begin(server);
    while ((n = bine_read(fd, buf, sizeof buf)) > 0)
        ;
    if (n == 0)
        expect_int(bine_write(fd, "done", 4), ==, 4);
    else
        expect_int(errno, ==, ECONNRESET);
    end(server);
}

LOOP_TEST(half_closed_and_reset_connections_hurt_nobody)
{
    struct server server = {0};
    struct linger linger = {1, 0};
    char buf[8] = "";

    server_start(&server, read_to_the_end);
    int half = dial(&server), reset = dial(&server), good = dial(&server);
    expect_ok(bine_shutdown(half, SHUT_WR));
    expect_int(bine_read_full(half, buf, sizeof buf), ==, 4);
    expect_str(buf, "done");
    expect_int(bine_write(reset, "x", 1), ==, 1);
    expect_ok(setsockopt(reset, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    expect_ok(bine_close(reset));
    expect_ok(bine_shutdown(good, SHUT_WR));
    expect_int(bine_read_full(good, buf, sizeof buf), ==, 4);
    expect_ok(bine_close(half));
    expect_ok(bine_close(good));
    while (server.ended < 3)
        expect_ok(bine_sleep(BINE_MS));
    server_stop(&server, ECANCELED);
}

/* ---- Ending ------------------------------------------------------------------------------------------ */

/* Takes the seconds that its client says. */
static void take_time(int fd, void *arg)
{
    struct server *server = arg;
    char seconds = 0;

    begin(server);
    expect_int(bine_read(fd, &seconds, 1), ==, 1);
    if (bine_sleep((seconds - '0') * BINE_SECOND) != 0) {
        expect_int(errno, ==, ECANCELED);
        server->cancelled++;
    }
    end(server);
}

VIRTUAL_TEST(grace_lets_connections_finish_and_then_cancels)
{
    struct server server = {.options = {.grace = 5 * BINE_SECOND}};

    server_start(&server, take_time);
    int quick = dial(&server), slow = dial(&server);
    expect_int(bine_write(quick, "3", 1), ==, 1);
    expect_int(bine_write(slow, "9", 1), ==, 1);
    expect_ok(bine_sleep(BINE_SECOND));
    expect_int(server.now, ==, 2);
    bine_ns before = bine_now();
    expect_ok(bine_stop(server.task, NULL));
    expect_int(bine_now() - before, ==, 5 * BINE_SECOND);
    expect_int(server.error, ==, ECANCELED);
    expect_int(server.ended, ==, 2);
    expect_int(server.cancelled, ==, 1);
    expect_end_of_file(quick);
    expect_end_of_file(slow);
    expect_ok(bine_close(quick));
    expect_ok(bine_close(slow));
    expect_ok(bine_close(server.listener));
}

VIRTUAL_TEST(grace_ends_early_with_the_last_connection)
{
    struct server server = {.options = {.grace = BINE_FOREVER}};

    server_start(&server, take_time);
    int fd = dial(&server);
    expect_int(bine_write(fd, "2", 1), ==, 1);
    expect_ok(bine_sleep(BINE_SECOND));
    bine_ns before = bine_now();
    expect_ok(bine_stop(server.task, NULL));
    expect_int(bine_now() - before, ==, BINE_SECOND);
    expect_int(server.cancelled, ==, 0);
    expect_ok(bine_close(fd));
    expect_ok(bine_close(server.listener));
}

static void ignore_cancellation(int fd, void *arg)
{
    struct server *server = arg;

    (void)fd;
    begin(server);
    BINE_SHIELD
        expect_ok(bine_sleep(BINE_MINUTE));
    end(server);
}

VIRTUAL_TEST(waits_for_a_connection_that_ignores_its_end)
{
    struct server server = {0};

    server_start(&server, ignore_cancellation);
    int fd = dial(&server);
    expect_ok(bine_sleep(BINE_SECOND));
    server_stop(&server, ECANCELED);
    expect_int(server.ended, ==, 1);
    expect_ok(bine_close(fd));
}

static void never_reads(int fd, void *arg)
{
    struct server *server = arg;

    begin(server);
    expect_fails(bine_sleep(BINE_MINUTE), ECANCELED);
    server->cancelled++;
    (void)fd;
    end(server);
}

static bine_task_state state_of(const char *name)
{
    bine_task_info info[8];
    size_t n = bine_tasks(info, 8);

    for (size_t i = 0; i < n && i < 8; i++)
        if (strcmp(info[i].name, name) == 0)
            return info[i].state;
    expect(false && "the task is there");
    return BINE_TASK_ENDED;
}

/* The server has been woken for a connection when it is cancelled.  The connection came first, so it gets a
 * task; that has not started when all of them are cancelled, and starts in a cancelled scope. */
LOOP_TEST(connection_that_has_not_started_is_cancelled_too)
{
    struct server server = {0};

    server_start(&server, never_reads);
    expect_ok(bine_task_set_name(server.task, "server"));
    int fd = connect_now(&server);
    while (state_of("server") == BINE_TASK_PARKED)
        expect_ok(bine_yield());
    server_stop(&server, ECANCELED);
    expect_int(server.begun, ==, 1);
    expect_int(server.cancelled, ==, 1);
    expect_ok(bine_close(fd));
}

static void *serve_for_a_second(void *arg)
{
    struct server *server = arg;
    BINE_TIMEOUT(BINE_SECOND)
        server_main(server);
    return NULL;
}

VIRTUAL_TEST(deadline_ends_it)
{
    struct server server = {.listener = bine_listen("tcp", "127.0.0.1:0", 0), .fn = echo};
    bine_ns before = bine_now();

    serve_for_a_second(&server);
    expect_int(server.error, ==, ETIMEDOUT);
    expect_int(bine_now() - before, ==, BINE_SECOND);
    expect_ok(bine_close(server.listener));
}

LOOP_TEST(closed_listener_ends_it)
{
    struct server server = {0};

    server_start(&server, echo);
    int fd = dial(&server);
    ping(fd);
    expect_ok(bine_close(server.listener));
    server.listener = -1;
    expect_ok(bine_join(server.task, NULL));
    expect_int(server.error, ==, EBADF);
    expect_int(server.cancelled, ==, 1);
    expect_ok(bine_close(fd));
}

LOOP_TEST(closed_listener_ends_it_at_the_limit_too)
{
    struct server server = {.options = {.max_connections = 1}};

    server_start(&server, echo);
    int fd = dial(&server);
    ping(fd);
    expect_ok(bine_close(server.listener));
    int other = bine_listen("tcp", "127.0.0.1:0", 0); /* the number is in use again, and not for that */
    expect_int(other, ==, server.listener);
    expect_ok(bine_join(server.task, NULL));
    expect_int(server.error, ==, EBADF);
    expect_ok(bine_close(other));
    expect_ok(bine_close(fd));
}

LOOP_TEST(shut_down_listener_ends_it)
{
    struct server server = {0};

    server_start(&server, echo);
    expect_ok(bine_shutdown(server.listener, SHUT_RD));
    expect_ok(bine_join(server.task, NULL));
    expect_int(server.error, ==, EINVAL);
    expect_ok(bine_close(server.listener));

    server = (struct server){.options = {.max_connections = 1}};
    server_start(&server, echo);
    int fd = dial(&server);
    ping(fd);
    expect_ok(bine_shutdown(server.listener, SHUT_RD));
    expect_ok(bine_join(server.task, NULL));
    expect_int(server.error, ==, EINVAL);
    expect_ok(bine_close(server.listener));
    expect_ok(bine_close(fd));
}

/* ---- Any schedule -------------------------------------------------------------------------------------- */

struct visit {
    struct server *server;
    uint64_t random;
};

static void *visit(void *arg)
{
    struct visit *visit = arg;

    for (unsigned times = (unsigned)(support_random(&visit->random) % 4); times > 0; times--) {
        int fd = dial(visit->server);
        for (unsigned pings = (unsigned)(support_random(&visit->random) % 4); pings > 0; pings--) {
            expect_ok(bine_sleep((bine_ns)(support_random(&visit->random) % (3 * BINE_MS))));
            ping(fd);
        }
        expect_ok(bine_close(fd));
    }
    return NULL;
}

static void *serve_visitors(void *arg)
{
    enum { VISITORS = 12 };
    struct server server = {.options = {.max_connections = 3, .grace = BINE_SECOND}};
    struct visit visits[VISITORS];
    bine_task *tasks[VISITORS];

    server_start(&server, echo);
    for (unsigned i = 0; i < VISITORS; i++) {
        visits[i] = (struct visit){&server, *(uint64_t *)arg * VISITORS + i};
        tasks[i] = bine_spawn(visit, &visits[i]);
    }
    for (unsigned i = 0; i < VISITORS; i++)
        expect_ok(bine_join(tasks[i], NULL));
    expect_int(server.most, <=, 3);
    server_stop(&server, ECANCELED);
    expect_int(server.begun, ==, server.ended);
    expect_int(server.cancelled, ==, 0);
    return NULL;
}

START_TEST(serves_under_any_schedule)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_seeded(seed, serve_visitors, &seed);
}
END_TEST

/* ---- Misuse ------------------------------------------------------------------------------------------ */

LOOP_TEST(refuses_what_is_no_listener)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    int socket = bine_socket(AF_INET, SOCK_STREAM, 0), pair[2];

    expect_ok(bine_pipe(pair));
    expect_fails(bine_serve(-1, echo, NULL, NULL), EBADF);
    expect_fails(bine_serve(pair[0], echo, NULL, NULL), ENOTSOCK);
    expect_fails(bine_serve(socket, echo, NULL, NULL), EINVAL);
    expect_fails(bine_serve(listener, NULL, NULL, NULL), EINVAL);
    bine_serve_options options = {.stack_size = (8 << 20) + 1};
    expect_fails(bine_serve(listener, echo, NULL, &options), EINVAL);
    options.stack_size = SIZE_MAX;
    expect_fails(bine_serve(listener, echo, NULL, &options), EINVAL);
    BINE_TIMEOUT(0)
        expect_fails(bine_serve(listener, echo, NULL, NULL), ETIMEDOUT);
    expect_ok(bine_close(listener));
    expect_fails(bine_serve(listener, echo, NULL, NULL), EBADF);
    expect_ok(bine_close(pair[0]));
    expect_ok(bine_close(pair[1]));
    expect_ok(bine_close(socket));
}

static void serve_in_a_callback(void *arg)
{
    expect_fails(bine_serve(0, echo, NULL, NULL), EDEADLK);
    *(bool *)arg = true;
}

LOOP_TEST(callback_may_not_serve)
{
    bool ran = false;
    expect_ok(bine_call_soon(serve_in_a_callback, &ran));
    while (!ran)
        expect_ok(bine_yield());
}

START_TEST(refuses_to_serve_outside_a_loop)
{
    expect_fails(bine_serve(0, echo, NULL, NULL), EPERM);
    support_settle();
}
END_TEST

/* Of a program that was compiled against a later version, with a member more; and against an earlier one. */
LOOP_TEST(options_may_be_of_another_size)
{
    struct {
        bine_serve_options options;
        uint64_t later;
    } longer = {{.max_connections = 1}, 42};
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);

    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_serve_sized(listener, echo, NULL, &longer.options, sizeof longer), ETIMEDOUT);
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_serve_sized(listener, echo, NULL, &longer.options, sizeof(unsigned)), ETIMEDOUT);
    expect_ok(bine_close(listener));
}

SUPPORT_MAIN("serve", serves_under_any_schedule, callback_may_not_serve, serves_many_at_once,
             connection_is_prompt_private_and_named, limit_holds_and_the_others_wait,
             connection_may_close_its_descriptor_itself, half_closed_and_reset_connections_hurt_nobody,
             grace_lets_connections_finish_and_then_cancels, grace_ends_early_with_the_last_connection,
             waits_for_a_connection_that_ignores_its_end, connection_that_has_not_started_is_cancelled_too,
             deadline_ends_it, closed_listener_ends_it, closed_listener_ends_it_at_the_limit_too,
             shut_down_listener_ends_it, refuses_what_is_no_listener, refuses_to_serve_outside_a_loop,
             options_may_be_of_another_size)
