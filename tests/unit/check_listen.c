/* SPDX-License-Identifier: MIT
 *
 * Listening: TCP and UDP, inherited listeners, and Unix sockets, which are dialled here too. */
#include "support/support.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/fault.h"
#include "support/addresses.h"

/* ---- Listening --------------------------------------------------------------------------------------- */

LOOP_TEST(listen_without_a_host_takes_both_families)
{
    int listener = bine_listen("tcp", ":0", 0);

    expect_int(option(listener, SOL_SOCKET, SO_REUSEADDR), !=, 0);
    expect_int(fcntl(listener, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    expect_connected(bine_dial("tcp", at("127.0.0.1", port_of(listener))), listener);
    if (has_ipv6())
        expect_connected(bine_dial("tcp", at("[::1]", port_of(listener))), listener);
    expect_ok(bine_close(listener));
}

LOOP_TEST(listen_on_one_family_leaves_the_other_alone)
{
    int listener = bine_listen("tcp4", ":0", 0), other = -1;
    if (has_ipv6()) {
        for (int tries = 20; tries > 0 && other < 0; tries--) { /* over IPv6 the port may be somebody's */
            expect_ok(bine_close(listener));
            listener = bine_listen("tcp4", ":0", 0);
            other = bine_listen("tcp6", at("", port_of(listener)), 0); /* both may have it */
        }
        expect_connected(bine_dial("tcp", at("[::1]", port_of(other))), other);
        expect_ok(bine_close(other));
        expect_fails(bine_dial("tcp6", at("[::1]", port_of(listener))), ECONNREFUSED);
    }
    expect_connected(bine_dial("tcp", at("127.0.0.1", port_of(listener))), listener);
    expect_ok(bine_close(listener));
}

LOOP_TEST(listen_without_ipv6_falls_back)
{
    fault_arm_call("socket", 1, 1, EAFNOSUPPORT);
    int listener = bine_listen("tcp", ":0", 0);
    fault_disarm();
    expect_int(option(listener, SOL_SOCKET, SO_DOMAIN), ==, AF_INET);
    expect_ok(bine_close(listener));
}

LOOP_TEST(listen_on_a_name_takes_loopback_only)
{
    int listener = bine_listen("tcp", "localhost:0", 0);
    expect_connected(bine_dial("tcp", at("127.0.0.1", port_of(listener))), listener);
    expect_ok(bine_close(listener));
    expect_fails(bine_listen("tcp", "example.org:80", 0), EINVAL); /* that would be a lookup */
    expect_fails(bine_listen("tcp", "127.0.0.1:http", 0), EINVAL);
}

LOOP_TEST(listen_where_somebody_does_fails)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    expect_fails(bine_listen("tcp", at("127.0.0.1", port_of(listener)), 0), EADDRINUSE);
    expect_ok(bine_close(listener));
    expect_fails(bine_listen("tcp", "192.0.2.1:0", 0), EADDRNOTAVAIL); /* TEST-NET-1: not ours */
}

START_TEST(listen_refuses_what_it_cannot_read)
{
    expect_fails(bine_listen(NULL, ":0", 0), EINVAL);
    expect_fails(bine_listen("tcp", NULL, 0), EINVAL);
    expect_fails(bine_listen("icmp", ":0", 0), EINVAL);
    expect_fails(bine_listen("tcp", "", 0), EINVAL);
    expect_fails(bine_listen("tcp", "8080", 0), EINVAL);
    expect_fails(bine_listen("tcp", ":65536", 0), EINVAL);
    expect_fails(bine_listen("tcp", ":-1", 0), EINVAL);
    expect_fails(bine_listen("tcp4", "[::1]:0", 0), EADDRNOTAVAIL);
    expect_fails(bine_listen("tcp6", "127.0.0.1:0", 0), EADDRNOTAVAIL);
    expect_fails(bine_listen("unix", "", 0), EINVAL);
    expect_fails(bine_listen("unix", "@", 0), EINVAL);
    expect_fails(bine_listen("fd", "", 0), EINVAL);
    expect_fails(bine_listen("fd", "three", 0), ENOENT);
    expect_fails(bine_listen("fd", "-1", 0), EINVAL);
    expect_fails(bine_listen("fd", "1000000", 0), EBADF);
    expect_fails(bine_listen("fd", "99999999999999999999", 0), EBADF);
}
END_TEST

START_TEST(listen_works_outside_a_loop)
{
    int fd = bine_listen("tcp", "127.0.0.1:0", 5);
    expect_int(option(fd, SOL_SOCKET, SO_ACCEPTCONN), ==, 1);
    close(fd);
    support_settle();
}
END_TEST

LOOP_TEST(listen_survives_the_failure_of_any_call)
{
    static const char *const what[][2] = {{"tcp", ":0"}, {"tcp", "localhost:0"}, {"unix", "@bine-check"}};
    for (size_t i = 0; i < 3; i++) {
        bool more = true;
        for (long nth = 1; more && nth < 50; nth++) {
            unsigned before = fixture_fds();
            fault_arm(nth);
            int fd = bine_listen(what[i][0], what[i][1], 0);
            more = fault_injected() > 0;
            fault_disarm();
            if (fd >= 0)
                expect_ok(bine_close(fd));
            expect_uint(fixture_fds(), ==, before);
        }
        expect(!more);
    }
}

LOOP_TEST(listen_takes_an_inherited_listener)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    int socket = bine_socket(AF_INET, SOCK_STREAM, 0), pipe[2];
    char number[16];

    expect_ok(fcntl(listener, F_SETFD, 0));
    snprintf(number, sizeof number, "%d", listener);
    expect_int(bine_listen("fd", number, 0), ==, listener);
    expect_int(fcntl(listener, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    snprintf(number, sizeof number, "%d", socket);
    expect_fails(bine_listen("fd", number, 0), EINVAL);
    expect_ok(bine_pipe(pipe));
    snprintf(number, sizeof number, "%d", pipe[0]);
    expect_fails(bine_listen("fd", number, 0), ENOTSOCK);
    expect_ok(bine_close(pipe[0]));
    expect_fails(bine_listen("fd", number, 0), EBADF);
    expect_ok(bine_close(pipe[1]));
    expect_ok(bine_close(socket));
    expect_ok(bine_close(listener));
}

/* ---- Unix sockets ------------------------------------------------------------------------------------ */

static char directory[] = "/tmp/bine-check-XXXXXX";

static const char *in_directory(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

LOOP_TEST(unix_sockets_are_dialled_by_path_and_by_name)
{
    char name[64];

    expect(mkdtemp(directory));
    int listener = bine_listen("unix", in_directory("s"), 0);
    expect_connected(bine_dial("unix", in_directory("s")), listener);
    expect_ok(bine_close(listener));
    expect_fails(bine_dial("unix", in_directory("s")), ECONNREFUSED);
    expect_fails(bine_dial("unix", in_directory("none")), ENOENT);
    expect_ok(unlink(in_directory("s")));
    expect_ok(rmdir(directory));

    snprintf(name, sizeof name, "@bine-check-%d", (int)getpid());
    listener = bine_listen("unix", name, 0);
    expect_connected(bine_dial("unix", name), listener);
    expect_fails(bine_listen("unix", name, 0), EADDRINUSE);
    expect_ok(bine_close(listener));
    expect_fails(bine_dial("unix", name), ECONNREFUSED);
}

LOOP_TEST(unix_path_may_fill_its_room_and_no_more)
{
    char path[sizeof ((struct sockaddr_un *)NULL)->sun_path + 1];

    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    expect_fails(bine_dial("unix", path), ENAMETOOLONG);
    expect_fails(bine_listen("unix", path, 0), ENAMETOOLONG);
    path[0] = '@';
    path[sizeof path - 2] = '\0';
    int listener = bine_listen("unix", path, 0);
    expect_connected(bine_dial("unix", path), listener);
    expect_ok(bine_close(listener));
    expect_fails(bine_dial("unix", ""), EINVAL);
    expect_fails(bine_dial("unix", "@"), EINVAL);
}

LOOP_TEST(stale_unix_socket_is_replaced_and_nothing_else_is)
{
    struct stat status;

    expect(mkdtemp(directory));
    int listener = bine_listen("unix", in_directory("s"), 0);
    expect_fails(bine_listen("unix", in_directory("s"), 0), EADDRINUSE);
    expect_ok(bine_close(listener)); /* its file stays */
    expect_ok(stat(in_directory("s"), &status));
    listener = bine_listen("unix", in_directory("s"), 0);
    expect_connected(bine_dial("unix", in_directory("s")), listener);
    expect_ok(bine_close(listener));
    expect_ok(unlink(in_directory("s")));

    int file = open(in_directory("f"), O_CREAT | O_WRONLY, 0600);
    expect_int(write(file, "precious", 8), ==, 8);
    expect_ok(close(file));
    expect_fails(bine_listen("unix", in_directory("f"), 0), EADDRINUSE);
    expect_ok(stat(in_directory("f"), &status));
    expect_int(status.st_size, ==, 8);
    expect_ok(unlink(in_directory("f")));
    expect_ok(rmdir(directory));
}

/* A Unix listener's full queue tells nobody when there is room again. */
static void *dial_unix(void *arg)
{
    int fd = bine_dial("unix", arg);
    expect_int(fd, >=, 0);
    return (void *)(intptr_t)fd;
}

VIRTUAL_TEST(dial_waits_for_room_in_a_unix_listener)
{
    enum { CLIENTS = 5 };
    char name[64];
    bine_task *tasks[CLIENTS];

    snprintf(name, sizeof name, "@bine-check-%d", (int)getpid());
    int listener = bine_listen("unix", name, 1);
    for (int i = 0; i < CLIENTS; i++)
        tasks[i] = bine_spawn(dial_unix, name);
    expect_ok(bine_sleep(BINE_SECOND)); /* those that find no room have to wait */
    for (int i = 0; i < CLIENTS; i++)
        expect_ok(bine_close(bine_accept(listener, NULL, NULL)));
    for (int i = 0; i < CLIENTS; i++) {
        bine_result result;
        expect_ok(bine_join(tasks[i], &result));
        expect_ok(bine_close((int)(intptr_t)result.value));
    }
    expect_ok(bine_close(listener));
}

SUPPORT_MAIN("listen", listen_without_a_host_takes_both_families,
             listen_on_one_family_leaves_the_other_alone, listen_without_ipv6_falls_back,
             listen_on_a_name_takes_loopback_only, listen_where_somebody_does_fails,
             listen_refuses_what_it_cannot_read, listen_works_outside_a_loop,
             listen_survives_the_failure_of_any_call, listen_takes_an_inherited_listener,
             unix_sockets_are_dialled_by_path_and_by_name, unix_path_may_fill_its_room_and_no_more,
             stale_unix_socket_is_replaced_and_nothing_else_is, dial_waits_for_room_in_a_unix_listener)
