/* SPDX-License-Identifier: MIT
 *
 * Dialling, listening and name lookups.  Serving is check_serve.c. */
#include "support/support.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/net.h"
#include "io/offload.h"
#include "runtime/runtime.h"
#include "support/fault.h"

/* ---- Helpers ----------------------------------------------------------------------------------------- */

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    expect_ok(getsockname(fd, (struct sockaddr *)&address, &length));
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int peer_family(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    expect_ok(getpeername(fd, (struct sockaddr *)&address, &length));
    return address.ss_family;
}

/* "host:port", in static storage. */
static const char *at(const char *host, int port)
{
    static char text[4][64];
    static unsigned next;
    char *out = text[next++ % 4];

    snprintf(out, sizeof text[0], "%s:%d", host, port);
    return out;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;

    expect_ok(getsockopt(fd, level, name, &value, &length));
    return value;
}

/* Both ends of a connection work. */
static void expect_connected(int client, int listener)
{
    char byte = 0;
    int server = bine_accept(listener, NULL, NULL);

    if (!expect(client >= 0) || !expect(server >= 0))
        return;
    expect_int(bine_write(client, "a", 1), ==, 1);
    expect_int(bine_read(server, &byte, 1), ==, 1);
    expect_int(byte, ==, 'a');
    expect_ok(bine_close(server));
    expect_ok(bine_close(client));
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    if (!has)
        printf("no IPv6 here: its half of the test is left out\n");
    return has;
}

/* A port where nobody listens: bound, so that nobody else can, on both families. */
struct nobody {
    int v4, v6, port;
};

static struct nobody nobody_open(void)
{
    struct nobody nobody = {.v4 = bine_listen("udp4", "127.0.0.1:0", 0), .v6 = -1};

    nobody.port = port_of(nobody.v4);
    expect_ok(bine_close(nobody.v4));
    nobody.v4 = bine_socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    expect_ok(bind(nobody.v4, (struct sockaddr *)&address, length));
    nobody.port = port_of(nobody.v4);
    return nobody;
}

static void nobody_close(const struct nobody *nobody)
{
    expect_ok(bine_close(nobody->v4));
}

/* ---- Dialling ---------------------------------------------------------------------------------------- */

LOOP_TEST(dial_connects_to_a_numeric_address)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    int client = bine_dial("tcp", at("127.0.0.1", port_of(listener)));

    expect_int(option(client, IPPROTO_TCP, TCP_NODELAY), !=, 0);
    expect_int(fcntl(client, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    expect_connected(client, listener);
    expect_connected(bine_dial("tcp4", at("127.0.0.1", port_of(listener))), listener);
    expect_connected(bine_dial("tcp", at("", port_of(listener))), listener);
    expect_ok(bine_close(listener));
}

LOOP_TEST(dial_connects_over_ipv6)
{
    if (!has_ipv6())
        return;
    int listener = bine_listen("tcp6", "[::1]:0", 0);
    expect_connected(bine_dial("tcp", at("[::1]", port_of(listener))), listener);
    expect_connected(bine_dial("tcp6", at("[::1]", port_of(listener))), listener);
    expect_connected(bine_dial("tcp6", at("localhost", port_of(listener))), listener);
    expect_fails(bine_dial("tcp4", at("[::1]", port_of(listener))), EADDRNOTAVAIL);
    expect_ok(bine_close(listener));
}

LOOP_TEST(dial_of_localhost_finds_whichever_family_answers)
{
    int listener = bine_listen("tcp4", "127.0.0.1:0", 0);
    expect_connected(bine_dial("tcp", at("localhost", port_of(listener))), listener);
    expect_connected(bine_dial("tcp", at("LocalHost", port_of(listener))), listener);
    expect_connected(bine_dial("tcp4", at("localhost", port_of(listener))), listener);
    expect_ok(bine_close(listener));
    if (!has_ipv6())
        return;
    listener = bine_listen("tcp6", "[::1]:0", 0);
    expect_connected(bine_dial("tcp", at("localhost", port_of(listener))), listener);
    expect_ok(bine_close(listener));
}

LOOP_TEST(dial_of_what_nobody_answers_is_refused)
{
    struct nobody nobody = nobody_open();

    expect_fails(bine_dial("tcp", at("127.0.0.1", nobody.port)), ECONNREFUSED);
    expect_fails(bine_dial("tcp", at("localhost", nobody.port)), ECONNREFUSED);
    nobody_close(&nobody);
}

/* Its address is looked up on a thread: "127.1" is a name to all but the C library. */
LOOP_TEST(dial_looks_names_up)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);

    expect_connected(bine_dial("tcp", at("127.1", port_of(listener))), listener);
    expect_fails(bine_dial("tcp6", at("127.1", port_of(listener))), EADDRNOTAVAIL);
    fault_arm_call("getaddrinfo", 1, 1, 0);
    expect_fails(bine_dial("tcp", at("127.1", port_of(listener))), ENOMEM);
    for (long nth = 1; nth <= 4; nth++) { /* the copy of the name, the job, the race's three arrays */
        fault_arm_call("calloc", nth, 1, 0);
        expect_fails(bine_dial("tcp", at("127.1", port_of(listener))), ENOMEM);
    }
    fault_disarm();
    expect_ok(bine_close(listener));
}

/* 4 and 6 stand for an address of that family, 1 for one of neither. */
static void expect_order(const char *found, const char *tried)
{
    struct addrinfo list[8] = {{0}};
    struct sockaddr_in v4[8] = {{0}};
    struct sockaddr_in6 v6[8] = {{0}};
    struct bine__address out[8];
    size_t count = strlen(found), seen[2] = {0, 0};

    for (size_t i = 0; i < count; i++) {
        v4[i].sin_family = AF_INET;
        v6[i].sin6_family = AF_INET6;
        v4[i].sin_port = v6[i].sin6_port = (in_port_t)i;
        list[i].ai_family = found[i] == '4' ? AF_INET : found[i] == '6' ? AF_INET6 : AF_UNIX;
        list[i].ai_addr = found[i] == '4' ? (struct sockaddr *)&v4[i] : (struct sockaddr *)&v6[i];
        list[i].ai_addrlen = found[i] == '4' ? sizeof v4[i] : sizeof v6[i];
        list[i].ai_next = i + 1 < count ? &list[i + 1] : NULL;
    }
    count = bine__address_interleave(list, out);
    expect_uint(count, ==, strlen(tried));
    for (size_t i = 0; i < count; i++) {
        bool is_v4 = out[i].u.any.sa_family == AF_INET;
        size_t port = is_v4 ? out[i].u.v4.sin_port : out[i].u.v6.sin6_port;
        expect_int(is_v4 ? '4' : '6', ==, tried[i]);
        expect_uint(port, >=, seen[is_v4]); /* the list's order within a family */
        seen[is_v4] = port;
    }
}

START_TEST(addresses_are_tried_by_alternating_families)
{
    expect_order("4", "4");
    expect_order("666444", "646464");
    expect_order("446", "464");
    expect_order("64444", "64444");
    expect_order("14661", "466");
    expect_order("1", "");
    support_settle();
}
END_TEST

LOOP_TEST(dial_refuses_what_it_cannot_read)
{
    static const char *const bad[] = {"",          "localhost", "127.0.0.1",   "127.0.0.1:", ":",
                                      "::1",       "::1:80",    "[::1]",       "[::1]:",     "[::1]80",
                                      "[]:80",     "[::1:80",   "[127.0.0.1]:80", "[zz]:80", "a:b:c",
                                      "1.2.3.4:65536", "1.2.3.4:99999999999999999999", "1.2.3.4:-1",
                                      "1.2.3.4:+1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!expect_fails(bine_dial("tcp", bad[i]), EINVAL))
            support_record(__FILE__, __LINE__, "for the address \"%s\"", bad[i]);
    expect_fails(bine_dial(NULL, "127.0.0.1:80"), EINVAL);
    expect_fails(bine_dial("tcp", NULL), EINVAL);
    expect_fails(bine_dial("sctp", "127.0.0.1:80"), EINVAL);
    expect_fails(bine_dial("", "127.0.0.1:80"), EINVAL);
    expect_fails(bine_dial("fd", "3"), EINVAL);
    expect_fails(bine_dial("tcp6", "127.0.0.1:80"), EADDRNOTAVAIL);
    expect_fails(bine_dial("tcp", "[fe80::1%nosuchinterface]:80"), EADDRNOTAVAIL);
}

/* A listener whose queue is full: the kernel drops what else comes, and connecting hangs.  It is full when a
 * connection does not come about at once, as it does over loopback otherwise. */
struct full {
    int listener, port, count, fd[8];
};

static struct full full_open(int family)
{
    struct full full = {.listener = bine_listen("tcp", family == AF_INET6 ? "[::1]:0" : "127.0.0.1:0", 1)};
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    full.port = port_of(full.listener);
    expect_ok(listen(full.listener, 0));
    expect_ok(getsockname(full.listener, (struct sockaddr *)&address, &length));
    while (full.count < 8) {
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full.fd[full.count++] = fd;
        if (connect(fd, (struct sockaddr *)&address, length) != 0) {
            struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
            if (poll(&pollfd, 1, 50) == 0)
                return full;
        }
    }
    support_record(__FILE__, __LINE__, "the listener's queue never filled");
    return full;
}

static void full_close(struct full *full)
{
    while (full->count > 0)
        close(full->fd[--full->count]);
    expect_ok(bine_close(full->listener));
}

VIRTUAL_TEST(dial_tries_the_next_address_after_a_quarter_second)
{
    if (!has_ipv6())
        return;
    struct full full = full_open(AF_INET6);
    int listener = bine_listen("tcp", at("127.0.0.1", full.port), 0);
    bine_ns begin = bine_now();
    int client = bine_dial("tcp", at("localhost", full.port));

    expect_int(bine_now() - begin, >=, 250 * BINE_MS);
    expect_int(peer_family(client), ==, AF_INET);
    expect_connected(client, listener);
    expect_ok(bine_close(listener));
    full_close(&full);
}

VIRTUAL_TEST(dial_cut_short_leaves_nothing_behind)
{
    struct full full = full_open(AF_INET);
    unsigned before = fixture_fds();

    BINE_TIMEOUT(BINE_SECOND)
        expect_fails(bine_dial("tcp", at("127.0.0.1", full.port)), ETIMEDOUT);
    BINE_TIMEOUT(BINE_SECOND) /* refused over IPv6 at once, or not there; then it hangs */
        expect_fails(bine_dial("tcp", at("localhost", full.port)), ETIMEDOUT);
    BINE_TIMEOUT(0)
        expect_fails(bine_dial("tcp", at("127.0.0.1", full.port)), ETIMEDOUT);
    expect_uint(fixture_fds(), ==, before);
    full_close(&full);
}

/* Every thread that looks names up is held: lookups wait in the queue for as long as the test likes. */
enum { HELD = 16 };

struct hold {
    struct bine__job job;
    int fd;
};

struct holds {
    int pipe[2];
    struct hold hold[HELD];
    bine_task *tasks[HELD];
};

static void hold_thread(struct bine__job *job)
{
    char byte;
    expect_int(read(((struct hold *)(void *)job)->fd, &byte, 1), ==, 1);
}

static void *hold_task(void *arg)
{
    struct hold *hold = arg;
    expect_ok(bine__offload(bine__loop, bine_self(), &hold->job, BINE__OFFLOAD_NAME));
    return NULL;
}

static void hold_lookups(struct holds *holds)
{
    expect_ok(pipe(holds->pipe));
    for (int i = 0; i < HELD; i++) {
        holds->hold[i] = (struct hold){.job = {.run = hold_thread}, .fd = holds->pipe[0]};
        holds->tasks[i] = bine_spawn(hold_task, &holds->hold[i]);
    }
    expect_ok(bine_yield());
}

static void release_lookups(struct holds *holds)
{
    for (int i = 0; i < HELD; i++)
        expect_int(write(holds->pipe[1], "", 1), ==, 1);
    for (int i = 0; i < HELD; i++)
        expect_ok(bine_join(holds->tasks[i], NULL));
    expect_ok(close(holds->pipe[0]));
    expect_ok(close(holds->pipe[1]));
}

static void *dial_a_name(void *arg)
{
    expect_fails(bine_dial("tcp", arg), ECANCELED);
    return NULL;
}

LOOP_TEST(dial_cancelled_during_the_lookup_returns_at_once)
{
    static struct holds holds;

    hold_lookups(&holds);
    bine_task *task = bine_spawn(dial_a_name, (void *)(uintptr_t)"127.1:9");
    expect_ok(bine_yield());
    expect_ok(bine_stop(task, NULL));
    BINE_TIMEOUT(20 * BINE_MS)
        expect_fails(bine_dial("tcp", "127.1:9"), ETIMEDOUT);
    int listener = bine_listen("tcp", "127.0.0.1:0", 0); /* a number waits for nobody */
    expect_connected(bine_dial("tcp", at("127.0.0.1", port_of(listener))), listener);
    expect_ok(bine_close(listener));
    release_lookups(&holds);
}

START_TEST(dial_outside_a_loop_is_refused)
{
    expect_fails(bine_dial("tcp", "127.0.0.1:9"), EPERM);
}
END_TEST

LOOP_TEST(dial_without_descriptors_fails)
{
    struct rlimit before, none;
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);

    expect_ok(getrlimit(RLIMIT_NOFILE, &before));
    none = before;
    none.rlim_cur = 0;
    expect_ok(setrlimit(RLIMIT_NOFILE, &none));
    expect_fails(bine_dial("tcp", at("127.0.0.1", port_of(listener))), EMFILE);
    expect_fails(bine_dial("tcp", at("localhost", port_of(listener))), EMFILE);
    expect_fails(bine_dial("unix", "@nobody"), EMFILE);
    expect_fails(bine_listen("tcp", "127.0.0.1:0", 0), EMFILE);
    expect_ok(setrlimit(RLIMIT_NOFILE, &before));
    expect_ok(bine_close(listener));
}

LOOP_TEST(dial_survives_the_failure_of_any_call)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    const char *addresses[] = {at("127.0.0.1", port_of(listener)), at("localhost", port_of(listener))};

    for (size_t i = 0; i < 2; i++) {
        bool more = true;
        for (long nth = 1; more && nth < 100; nth++) {
            unsigned before = fixture_fds();
            fault_arm(nth);
            int fd = bine_dial("tcp", addresses[i]);
            more = fault_injected() > 0;
            fault_disarm();
            if (fd >= 0)
                expect_ok(bine_close(fd));
            expect_uint(fixture_fds(), ==, before);
        }
        expect(!more);
    }
    expect_ok(bine_close(listener));
}

/* Call by call: if the interrupt by which the thread answers failed, which cannot be, the loop would hang. */
LOOP_TEST(dial_of_a_name_survives_the_failure_of_its_calls)
{
    static const char *const calls[] = {"malloc", "calloc", "strndup", "pthread_create", "getaddrinfo",
                                        "socket", "setsockopt", "connect", "getsockopt"};
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (long nth = 1; nth <= 5; nth++) {
            unsigned before = fixture_fds();
            fault_arm_call(calls[i], nth, 1, 0);
            int fd = bine_dial("tcp", at("127.1", port_of(listener)));
            fault_disarm();
            if (fd >= 0)
                expect_ok(bine_close(fd));
            expect_uint(fixture_fds(), ==, before);
        }
    expect_ok(bine_close(listener));
}

LOOP_TEST(udp_is_bound_and_connected)
{
    int bound = bine_listen("udp", "127.0.0.1:0", 0);
    int client = bine_dial("udp", at("127.0.0.1", port_of(bound)));
    char buf[8];

    expect_int(option(client, SOL_SOCKET, SO_TYPE), ==, SOCK_DGRAM);
    expect_int(bine_send(client, "hi", 2, 0), ==, 2);
    expect_int(bine_recv(bound, buf, sizeof buf, 0), ==, 2);
    expect_fails(bine_listen("udp", at("127.0.0.1", port_of(bound)), 0), EADDRINUSE); /* nobody steals it */
    expect_ok(bine_close(client));
    expect_ok(bine_close(bound));
}

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
    int listener = bine_listen("tcp4", ":0", 0);
    expect_connected(bine_dial("tcp", at("127.0.0.1", port_of(listener))), listener);
    if (has_ipv6()) {
        expect_fails(bine_dial("tcp6", at("[::1]", port_of(listener))), ECONNREFUSED);
        int other = bine_listen("tcp6", at("", port_of(listener)), 0); /* the same port is free there */
        expect_int(other, >=, 0);
        expect_ok(bine_close(other));
    }
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
    expect_fails(bine_listen("fd", "three", 0), EINVAL);
    expect_fails(bine_listen("fd", "-1", 0), EINVAL);
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

/* ---- Lookups ----------------------------------------------------------------------------------------- */

LOOP_TEST(resolve_answers_numbers_itself)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    long before = fault_made("pthread_create");

    expect_int(bine_resolve("127.0.0.1", "80", &hints, &list), ==, 0);
    if (expect(list != NULL)) {
        expect_int(((struct sockaddr_in *)list->ai_addr)->sin_port, ==, htons(80));
        freeaddrinfo(list);
    }
    expect_int(bine_resolve("::1", NULL, NULL, &list), ==, 0);
    if (list)
        freeaddrinfo(list);
    expect_int(bine_resolve("::1", "80", &hints, &list), !=, 0); /* not of that family */
    expect_ptr(list, ==, NULL);
    expect_int(fault_made("pthread_create"), ==, before);
}

LOOP_TEST(resolve_asks_a_thread_for_names)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;

    expect_int(bine_resolve("127.1", "80", &hints, &list), ==, 0);
    if (expect(list != NULL)) {
        expect_uint(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr, ==, htonl(INADDR_LOOPBACK));
        freeaddrinfo(list);
    }
    hints.ai_flags = AI_NUMERICHOST;
    list = (void *)&hints;
    expect_int(bine_resolve("no.number", "80", &hints, &list), ==, EAI_NONAME);
    expect_ptr(list, ==, NULL);
    expect_int(bine_resolve(NULL, NULL, NULL, &list), ==, EAI_NONAME);
    hints.ai_family = 9999;
    expect_int(bine_resolve("127.1", "80", &hints, &list), ==, EAI_FAMILY);
}

LOOP_TEST(resolve_refuses_nothing_and_names_beyond_measure)
{
    struct addrinfo *list;
    size_t size = 1 << 20;
    char *name = malloc(size);

    memset(name, 'a', size);
    name[size - 1] = '\0';
    expect_int(bine_resolve("localhost", "80", NULL, NULL), ==, EAI_SYSTEM);
    expect_int(errno, ==, EINVAL);
    expect_int(bine_resolve(name, "80", NULL, &list), ==, EAI_NONAME);
    expect_int(bine_resolve("127.0.0.1", name, NULL, &list), ==, EAI_NONAME);
    fault_arm_call("calloc", 1, 1, 0);
    expect_int(bine_resolve("127.1", "80", NULL, &list), ==, EAI_MEMORY);
    fault_arm_call("getaddrinfo", 1, 1, 0);
    expect_int(bine_resolve("127.1", "80", NULL, &list), ==, EAI_MEMORY);
    fault_disarm();
    free(name);
}

static void *resolve_a_name(void *arg)
{
    struct addrinfo *list = arg;
    errno = 0;
    expect_int(bine_resolve("127.1", "80", NULL, &list), ==, EAI_SYSTEM);
    expect_int(errno, ==, ECANCELED);
    expect_ptr(list, ==, NULL);
    return NULL;
}

LOOP_TEST(resolve_cancelled_returns_at_once)
{
    static struct holds holds;
    struct addrinfo *list;

    hold_lookups(&holds);
    bine_task *task = bine_spawn(resolve_a_name, &holds);
    expect_ok(bine_yield());
    expect_ok(bine_stop(task, NULL));
    BINE_TIMEOUT(0)
    {
        errno = 0;
        expect_int(bine_resolve("127.0.0.1", "80", NULL, &list), ==, EAI_SYSTEM);
        expect_int(errno, ==, ETIMEDOUT);
    }
    release_lookups(&holds);
}

static void *resolve_or_not(void *arg)
{
    /* Without hints the C library would open a socket, and the fixture might see it after the test. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = arg;
    int code = bine_resolve("127.1", "80", &hints, &list);

    expect(code == 0 ? list != NULL : code == EAI_SYSTEM && errno == ECANCELED && !list);
    if (list)
        freeaddrinfo(list);
    return NULL;
}

/* A thread may be at it just then: what it finds is dropped there, or is in time; a sanitizer sees a leak. */
LOOP_TEST(resolve_cancelled_at_any_time_frees_the_answer)
{
    for (int i = 0; i < 100; i++) {
        bine_task *task = bine_spawn(resolve_or_not, NULL);
        for (int turn = 0; turn < i % 5; turn++)
            expect_ok(bine_yield());
        expect_ok(bine_stop(task, NULL));
    }
}

START_TEST(resolve_outside_a_loop_is_refused)
{
    struct addrinfo *list;
    errno = 0;
    expect_int(bine_resolve("127.0.0.1", "80", NULL, &list), ==, EAI_SYSTEM);
    expect_int(errno, ==, EPERM);
    support_settle();
}
END_TEST

static void *resolve_on_the_smallest_stack(void *arg)
{
    struct addrinfo *list = NULL;
    const char *address = arg;
    int fd;

    expect_int(bine_resolve("127.0.0.1", "80", NULL, &list), ==, 0);
    if (list)
        freeaddrinfo(list);
    expect_int(bine_resolve("127.1", "80", NULL, &list), ==, 0);
    if (list)
        freeaddrinfo(list);
    fd = bine_dial("tcp", address);
    expect_int(fd, >=, 0);
    expect_ok(bine_close(fd));
    return NULL;
}

LOOP_TEST(dial_and_resolve_need_no_more_than_the_smallest_stack)
{
    int listener = bine_listen("tcp", "127.0.0.1:0", 0);
    bine_attr attr = BINE_ATTR_INIT;

    attr.stack_size = 16384;
    bine_task *task = bine_spawn_with(&attr, resolve_on_the_smallest_stack,
                                      (void *)(uintptr_t)at("127.1", port_of(listener)));
    expect_ok(bine_join(task, NULL));
    task = bine_spawn_with(&attr, resolve_on_the_smallest_stack,
                           (void *)(uintptr_t)at("localhost", port_of(listener)));
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_close(listener));
}

SUPPORT_MAIN("net", dial_connects_to_a_numeric_address, dial_connects_over_ipv6,
             dial_of_localhost_finds_whichever_family_answers, dial_of_what_nobody_answers_is_refused,
             dial_looks_names_up, addresses_are_tried_by_alternating_families,
             dial_refuses_what_it_cannot_read, dial_tries_the_next_address_after_a_quarter_second,
             dial_cut_short_leaves_nothing_behind, dial_cancelled_during_the_lookup_returns_at_once,
             dial_outside_a_loop_is_refused, dial_without_descriptors_fails,
             dial_survives_the_failure_of_any_call, dial_of_a_name_survives_the_failure_of_its_calls,
             udp_is_bound_and_connected, listen_without_a_host_takes_both_families,
             listen_on_one_family_leaves_the_other_alone, listen_without_ipv6_falls_back,
             listen_on_a_name_takes_loopback_only, listen_where_somebody_does_fails,
             listen_refuses_what_it_cannot_read, listen_works_outside_a_loop,
             listen_survives_the_failure_of_any_call, listen_takes_an_inherited_listener,
             unix_sockets_are_dialled_by_path_and_by_name, unix_path_may_fill_its_room_and_no_more,
             stale_unix_socket_is_replaced_and_nothing_else_is, dial_waits_for_room_in_a_unix_listener,
             resolve_answers_numbers_itself, resolve_asks_a_thread_for_names,
             resolve_refuses_nothing_and_names_beyond_measure, resolve_cancelled_returns_at_once,
             resolve_cancelled_at_any_time_frees_the_answer, resolve_outside_a_loop_is_refused,
             dial_and_resolve_need_no_more_than_the_smallest_stack)
