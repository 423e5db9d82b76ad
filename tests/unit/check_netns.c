/* SPDX-License-Identifier: MIT
 *
 * What needs a network of its own: a peer that never answers, and multicast over IPv6, for which the loopback
 * interface will not do.  Each test's child makes itself a network namespace with a pair of virtual Ethernet
 * interfaces; behind them is nobody, and two addresses there have a link address that nobody has.  Skipped
 * where that is not permitted or ip(8) is missing. */
#define _GNU_SOURCE
#include "support/support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>

#include "support/addresses.h"

enum { NO_NETWORK = 77 /* exit status */ };

static const char *const commands =
    "exec >/dev/null 2>&1; ip link set lo up && ip link add bine0 type veth peer name bine1 && "
    "ip addr add 10.9.9.1/24 dev bine0 && ip -6 addr add fd00:9::1/64 dev bine0 nodad && "
    "ip link set bine0 up && ip link set bine1 up && "
    "ip neigh add 10.9.9.7 lladdr 02:00:00:00:00:07 dev bine0 && "
    "ip -6 neigh add fd00:9::7 lladdr 02:00:00:00:00:07 dev bine0";

/* Root in a namespace of users, for those who are not root. */
static bool become_root(uid_t uid)
{
    char map[32];
    int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    int n = snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    bool done = fd >= 0 && write(fd, map, (size_t)n) == n;

    close(fd);
    return done;
}

static void make_network(void)
{
    const uid_t uid = getuid();

    if (support_emulated())
        _exit(NO_NETWORK);
    if (unshare(CLONE_NEWNET) != 0 && (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !become_root(uid)))
        _exit(NO_NETWORK);
    if (system(commands) != 0)
        _exit(NO_NETWORK);
}

static void in_child(void *fn)
{
    bine_fn *body = *(bine_fn **)fn;

    make_network();
    expect_ok(bine_run(body, NULL, NULL));
    if (support_failures())
        fputs(support_recorded(), stderr);
    _exit(support_failures() ? 1 : 0);
}

#define NETWORK_TEST(name)                                                              \
    static void *name##_body(void *arg);                                                \
    START_TEST(name)                                                                    \
    {                                                                                   \
        bine_fn *body = name##_body;                                                    \
        char text[2048];                                                                \
        int status = run_child(in_child, &body, text, sizeof text);                     \
        if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NETWORK) {                   \
            support_skip(#name, "no network namespace, virtual Ethernet or ip(8) here"); \
            return;                                                                     \
        }                                                                               \
        expect_str(text, "");                                                           \
        expect_int(status, ==, 0);                                                      \
    }                                                                                   \
    END_TEST                                                                            \
    static void *name##_body(void *arg)

/* ---- Nobody answers ---------------------------------------------------------------------------------- */

static const char *const holes[] = {"10.9.9.7:5", "[fd00:9::7]:5"};
enum { HOLES = sizeof holes / sizeof *holes };

static void *dial_in_vain(void *address)
{
    expect_fails(bine_dial("tcp", address), ECANCELED);
    return NULL;
}

NETWORK_TEST(a_dial_that_nobody_answers_can_be_left)
{
    const unsigned before = fixture_fds();

    for (int i = 0; i < HOLES; i++) {
        BINE_TIMEOUT(20 * BINE_MS) {
            expect_fails(bine_dial("tcp", holes[i]), ETIMEDOUT);
        }
        bine_task *task = bine_spawn(dial_in_vain, (void *)(uintptr_t)holes[i]);
        expect_ok(bine_sleep(20 * BINE_MS));
        expect_ok(bine_cancel(task));
        expect_ok(bine_join(task, NULL));
    }
    expect_uint(fixture_fds(), ==, before); /* no socket is left that goes on asking */
    return arg;
}

static void *read_in_vain(void *fd)
{
    char byte;

    expect_fails(bine_read(*(int *)fd, &byte, 1), EBADF);
    return NULL;
}

static void *connect_in_vain(void *fd)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(5)};

    expect_int(inet_pton(AF_INET, "10.9.9.7", &to.sin_addr), ==, 1);
    expect_fails(bine_connect(*(int *)fd, (struct sockaddr *)&to, sizeof to), EBADF);
    return NULL;
}

NETWORK_TEST(a_connection_under_way_can_be_closed)
{
    const unsigned before = fixture_fds();
    int fd = bine_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bine_task *connecting = bine_spawn(connect_in_vain, &fd);

    settle();
    bine_task *reading = bine_spawn(read_in_vain, &fd); /* what is not connected yet: waits, too */
    settle();
    expect_ok(bine_sleep(5 * BINE_MS));
    expect_ok(bine_close(fd));
    expect_ok(bine_join(connecting, NULL));
    expect_ok(bine_join(reading, NULL));
    expect_uint(fixture_fds(), ==, before);
    return arg;
}

/* ---- Multicast over IPv6 ----------------------------------------------------------------------------- */

static int join_group(const struct ipv6_mreq *group, in_port_t *port)
{
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = *port};
    int on = 1, fd = bine_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    expect_ok(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    expect_ok(bind(fd, (struct sockaddr *)&own, sizeof own));
    expect_ok(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, group, sizeof *group));
    *port = htons((in_port_t)port_of(fd));
    return fd;
}

/* Sends until it arrives: an interface that is just coming up has no route for it yet, and may drop some. */
static void reach(int sender, const struct sockaddr_in6 *to, int member)
{
    struct sockaddr_in6 from;
    socklen_t length = sizeof from;
    ssize_t got = -1;
    char buf[8];

    for (int tries = 0; got != 3 && tries < 300; tries++) {
        ssize_t sent = bine_sendto(sender, "all", 3, 0, (const struct sockaddr *)to, sizeof *to);
        expect(sent == 3 || errno == ENETUNREACH || errno == EADDRNOTAVAIL);
        BINE_TIMEOUT(100 * BINE_MS)
            got = bine_recvfrom(member, buf, sizeof buf, 0, (struct sockaddr *)&from, &length);
    }
    expect_int(got, ==, 3);
    expect_int(ntohs(from.sin6_port), ==, port_of(sender));
}

NETWORK_TEST(udp_multicast_over_ipv6_reaches_every_member)
{
    struct ipv6_mreq group = {.ipv6mr_interface = if_nametoindex("bine0")};
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    int index = (int)group.ipv6mr_interface, on = 1, member[2];
    int sender = bine_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    expect_int(inet_pton(AF_INET6, "ff15::77", &group.ipv6mr_multiaddr), ==, 1);
    for (int i = 0; i < 2; i++)
        member[i] = join_group(&group, &to.sin6_port);
    to.sin6_addr = group.ipv6mr_multiaddr;
    expect_ok(setsockopt(sender, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index));
    expect_ok(setsockopt(sender, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &on, sizeof on));
    for (int i = 0; i < 2; i++)
        reach(sender, &to, member[i]);
    expect_ok(setsockopt(member[1], IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof group));
    reach(sender, &to, member[0]);
    expect_ok(bine_close(member[0]));
    expect_ok(bine_close(member[1]));
    expect_ok(bine_close(sender));
    return arg;
}

SUPPORT_MAIN("netns", a_dial_that_nobody_answers_can_be_left, a_connection_under_way_can_be_closed,
             udp_multicast_over_ipv6_reaches_every_member)
