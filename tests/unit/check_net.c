/* SPDX-License-Identifier: MIT
 *
 * Dialling and name lookups.  Listening is check_listen.c, serving check_serve.c. */
#include "support/support.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net.h"
#include "io/offload.h"
#include "runtime/runtime.h"
#include "support/fault.h"
#include "support/addresses.h"

/* ---- Dialling ---------------------------------------------------------------------------------------- */

/* A socket that holds a port where nobody listens. */
static int hold_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = bine_socket(AF_INET, SOCK_STREAM, 0);

    expect_ok(bind(fd, (struct sockaddr *)&address, sizeof address));
    return fd;
}

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
    int held = hold_port();

    expect_fails(bine_dial("tcp", at("127.0.0.1", port_of(held))), ECONNREFUSED);
    expect_fails(bine_dial("tcp", at("localhost", port_of(held))), ECONNREFUSED);
    expect_ok(bine_close(held));
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

/* A listener whose queue is full: the kernel drops what else comes, and connecting hangs.  Of length 0 it is full
 * when the listener is readable; a second connection shows that. */
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
            struct pollfd first = {.fd = full.listener, .events = POLLIN};
            expect_int(poll(&first, 1, 60000), ==, 1);
            if (full.count > 1 && poll(&pollfd, 1, 50) == 0)
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
    int listener = bine_listen("tcp", at("127.0.0.1", full.port), 0), client = -1;

    for (int tries = 20; tries > 0 && listener < 0; tries--) { /* over IPv4 the port may be somebody's */
        full_close(&full);
        full = full_open(AF_INET6);
        listener = bine_listen("tcp", at("127.0.0.1", full.port), 0);
    }
    bine_ns begin = bine_now();
    BINE_TIMEOUT(BINE_MINUTE)
        client = bine_dial("tcp", at("localhost", full.port));
    expect_int(bine_now() - begin, >=, 250 * BINE_MS);
    if (expect(client >= 0)) {
        expect_int(peer_family(client), ==, AF_INET);
        expect_connected(client, listener);
    }
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

static void wait_in_a_callback(void *arg)
{
    struct addrinfo *list;

    expect_fails(bine_dial("tcp", "127.0.0.1:9"), EDEADLK);
    expect_int(bine_resolve("127.0.0.1", "9", NULL, &list), ==, EAI_SYSTEM);
    expect_int(errno, ==, EDEADLK);
    *(bool *)arg = true;
}

LOOP_TEST(callback_may_not_wait)
{
    bool ran = false;
    expect_ok(bine_call_soon(wait_in_a_callback, &ran));
    while (!ran)
        expect_ok(bine_yield());
}

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
             dial_outside_a_loop_is_refused, callback_may_not_wait, dial_without_descriptors_fails,
             dial_survives_the_failure_of_any_call, dial_of_a_name_survives_the_failure_of_its_calls,
             udp_is_bound_and_connected, resolve_answers_numbers_itself, resolve_asks_a_thread_for_names,
             resolve_refuses_nothing_and_names_beyond_measure, resolve_cancelled_returns_at_once,
             resolve_cancelled_at_any_time_frees_the_answer, resolve_outside_a_loop_is_refused,
             dial_and_resolve_need_no_more_than_the_smallest_stack)
