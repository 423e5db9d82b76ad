/* SPDX-License-Identifier: MIT
 *
 * Kinds of sockets: datagrams with the addresses that they came from and went to, multicast, Unix datagrams and
 * sequenced packets, descriptors in messages, and sockets that a service manager hands over. */
#define _GNU_SOURCE
#include "support/support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/un.h>

#include "support/addresses.h"

/* ---- UDP --------------------------------------------------------------------------------------------- */

LOOP_TEST(udp_tells_where_a_datagram_came_from)
{
    static const char *const networks[][2] = {{"udp4", "127.0.0.1"}, {"udp6", "[::1]"}};

    for (int i = 0; i < 2; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        char buf[8];
        if (i == 1 && !has_ipv6())
            return;
        int server = bine_listen(networks[i][0], at(networks[i][1], 0), 0);
        int client = bine_dial(networks[i][0], at(networks[i][1], port_of(server)));
        expect_int(bine_write(client, "ping", 4), ==, 4);
        expect_int(bine_recvfrom(server, buf, sizeof buf, 0, (struct sockaddr *)&from, &length), ==, 4);
        expect_int(from.ss_family, ==, i == 0 ? AF_INET : AF_INET6);
        expect_int(bine_sendto(server, "pong", 4, 0, (struct sockaddr *)&from, length), ==, 4);
        expect_int(bine_read(client, buf, sizeof buf), ==, 4);
        expect_ok(bine_close(client));
        expect_ok(bine_close(server));
    }
}

union control {
    struct cmsghdr align;
    char room[256];
};

/* Where a datagram was sent to: a server that listens on every address answers from that one. */
LOOP_TEST(udp_tells_where_a_datagram_went_to_and_answers_from_there)
{
    int server = bine_listen("udp4", ":0", 0), on = 1;
    int client = bine_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port_of(server))}, from = {0};
    char buf[8];
    union control control = {.room = {0}};
    struct iovec iov = {buf, sizeof buf};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof control};
    struct in_pktinfo info = {0};

    expect_int(inet_pton(AF_INET, "127.0.0.7", &to.sin_addr), ==, 1);
    expect_ok(setsockopt(server, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    expect_int(bine_sendto(client, "ping", 4, 0, (struct sockaddr *)&to, sizeof to), ==, 4);
    expect_int(bine_recvmsg(server, &message, 0), ==, 4);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (expect(header && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO))
        memcpy(&info, CMSG_DATA(header), sizeof info);
    expect_uint(info.ipi_addr.s_addr, ==, to.sin_addr.s_addr);

    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 0;
    iov.iov_len = 4;
    message.msg_controllen = CMSG_SPACE(sizeof info);
    header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){
        .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
    memcpy(CMSG_DATA(header), &info, sizeof info);
    expect_int(bine_sendmsg(server, &message, 0), ==, 4);
    socklen_t length = sizeof from;
    expect_int(bine_recvfrom(client, buf, sizeof buf, 0, (struct sockaddr *)&from, &length), ==, 4);
    expect_uint(from.sin_addr.s_addr, ==, to.sin_addr.s_addr);
    expect_ok(bine_close(client));
    expect_ok(bine_close(server));
}

/* A datagram to a group reaches every member, on the loopback interface. */
LOOP_TEST(udp_multicast_reaches_every_member)
{
    struct ip_mreqn group = {.imr_ifindex = (int)if_nametoindex("lo")};
    struct sockaddr_in to = {.sin_family = AF_INET};
    int member[2], on = 1, sender = bine_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char buf[8];

    expect_int(inet_pton(AF_INET, "239.255.77.77", &group.imr_multiaddr), ==, 1);
    to.sin_addr = group.imr_multiaddr;
    for (int i = 0; i < 2; i++) {
        member[i] = bine_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        expect_ok(setsockopt(member[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
        expect_ok(bind(member[i], (struct sockaddr *)&to, sizeof to)); /* the group's address and one port */
        to.sin_port = htons((in_port_t)port_of(member[0]));
        if (setsockopt(member[i], IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
            support_skip("udp_multicast_reaches_every_member", "no multicast here");
            for (; i >= 0; i--)
                expect_ok(bine_close(member[i]));
            expect_ok(bine_close(sender));
            return;
        }
    }
    expect_ok(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group));
    expect_ok(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on));
    expect_int(bine_sendto(sender, "all", 3, 0, (struct sockaddr *)&to, sizeof to), ==, 3);
    for (int i = 0; i < 2; i++)
        expect_int(bine_read(member[i], buf, sizeof buf), ==, 3);
    expect_ok(setsockopt(member[1], IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof group));
    expect_int(bine_sendto(sender, "one", 3, 0, (struct sockaddr *)&to, sizeof to), ==, 3);
    expect_int(bine_read(member[0], buf, sizeof buf), ==, 3);
    for (int i = 0; i < 2; i++)
        expect_ok(bine_close(member[i]));
    expect_ok(bine_close(sender));
}

/* ICMP's answer comes as an error of the next call. */
LOOP_TEST(udp_to_nobody_is_refused_at_the_next_call)
{
    int holder = bine_listen("udp4", "127.0.0.1:0", 0);
    int client = bine_dial("udp4", at("127.0.0.1", port_of(holder)));
    char byte;

    expect_ok(bine_close(holder));
    expect_int(bine_write(client, "x", 1), ==, 1);
    expect_fails(bine_read(client, &byte, 1), ECONNREFUSED);
    expect_ok(bine_close(client));
}

/* ---- Unix datagrams and packets ---------------------------------------------------------------------- */

static const char *name_of_ours(void)
{
    static char name[64];
    snprintf(name, sizeof name, "@bine-kinds-%d", (int)getpid());
    return name;
}

LOOP_TEST(unix_datagrams_go_there_and_back)
{
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    char buf[8];
    int server = bine_listen("unixgram", name_of_ours(), 0);
    int client = bine_dial("unixgram", name_of_ours());

    expect_int(fcntl(client, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    expect_int(bine_write(client, "one", 3), ==, 3);
    expect_int(bine_write(client, "three", 5), ==, 5);
    expect_int(bine_recvfrom(server, buf, sizeof buf, 0, (struct sockaddr *)&from, &length), ==, 3);
    expect_int(length, >, sizeof(sa_family_t)); /* it has a name, so that it can be answered */
    expect_int(bine_read(server, buf, sizeof buf), ==, 5);
    expect_int(bine_sendto(server, "back", 4, 0, (struct sockaddr *)&from, length), ==, 4);
    expect_int(bine_read(client, buf, sizeof buf), ==, 4);
    expect_fails(bine_listen("unixgram", name_of_ours(), 0), EADDRINUSE);
    expect_fails(bine_dial("unix", name_of_ours()), ECONNREFUSED); /* each type has names of its own */
    expect_ok(bine_close(server));
    expect_fails(bine_write(client, "x", 1), ECONNREFUSED);
    expect_fails(bine_dial("unixgram", name_of_ours()), ECONNREFUSED);
    expect_ok(bine_close(client));
}

static void *receive_all(void *arg)
{
    char buf[8];
    for (int i = 0; i < 200; i++)
        expect_int(bine_read(*(int *)arg, buf, sizeof buf), ==, 3);
    return NULL;
}

LOOP_TEST(unix_datagrams_park_a_sender_who_is_too_fast)
{
    int server = bine_listen("unixgram", name_of_ours(), 0);
    int client = bine_dial("unixgram", name_of_ours());
    bine_task *task = bine_spawn(receive_all, &server);

    for (int i = 0; i < 200; i++)
        expect_int(bine_write(client, "abc", 3), ==, 3);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_close(client));
    expect_ok(bine_close(server));
}

static void serve_packets(int fd, void *arg)
{
    char buf[16];
    ssize_t n;

    while ((n = bine_read(fd, buf, sizeof buf)) > 0) {
        ++*(int *)arg;
        expect_int(bine_write(fd, buf, (size_t)n), ==, n);
    }
    expect_int(n, ==, 0);
}

static void *serve_it(void *arg)
{
    int *server = arg;
    expect_fails(bine_serve(server[0], serve_packets, &server[1], NULL), ECANCELED);
    return NULL;
}

LOOP_TEST(unix_packets_are_served_and_keep_their_boundaries)
{
    int server[2] = {bine_listen("unixpacket", name_of_ours(), 0), 0};
    bine_task *task = bine_spawn(serve_it, server);
    int client = bine_dial("unixpacket", name_of_ours());
    char buf[16];

    expect_int(option(client, SOL_SOCKET, SO_TYPE), ==, SOCK_SEQPACKET);
    expect_int(bine_write(client, "one", 3), ==, 3);
    expect_int(bine_write(client, "three", 5), ==, 5);
    expect_int(bine_read(client, buf, sizeof buf), ==, 3);
    expect_int(bine_recv(client, buf, 2, 0), ==, 2); /* the rest of a packet is lost */
    expect_ok(bine_shutdown(client, SHUT_WR));
    expect_int(bine_read(client, buf, sizeof buf), ==, 0);
    expect_int(server[1], ==, 2);
    expect_ok(bine_close(client));
    expect_ok(bine_stop(task, NULL));
    expect_ok(bine_close(server[0]));
}

LOOP_TEST(stale_sockets_of_each_type_are_replaced)
{
    static const char *const networks[] = {"unix", "unixgram", "unixpacket"};
    char directory[] = "/tmp/bine-kinds-XXXXXX", path[64];

    expect(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/s", directory);
    for (int i = 0; i < 3; i++) {
        int fd = bine_listen(networks[i], path, 0);
        expect_int(fd, >=, 0);
        expect_fails(bine_listen(networks[i], path, 0), EADDRINUSE);
        expect_ok(bine_close(fd));
        fd = bine_listen(networks[i], path, 0);
        expect_int(fd, >=, 0);
        expect_ok(bine_close(fd));
        expect_ok(unlink(path));
    }
    expect_ok(rmdir(directory));
}

/* ---- Descriptors in messages ------------------------------------------------------------------------- */

static ssize_t send_descriptors(int socket, const int *fd, size_t count)
{
    union control control = {.room = {0}};
    struct iovec iov = {(char[]){"d"}, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof *fd)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    *header = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof *fd)};
    memcpy(CMSG_DATA(header), fd, count * sizeof *fd);
    return bine_sendmsg(socket, &message, 0);
}

/* How many came; *flags gets msg_flags. */
static size_t receive_descriptors(int socket, int *fd, size_t room, int *flags)
{
    union control control = {.room = {0}};
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(room * sizeof *fd)};
    struct cmsghdr *header;
    size_t count = 0;

    expect_int(bine_recvmsg(socket, &message, 0), ==, 1);
    *flags = message.msg_flags;
    header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) {
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *fd;
        memcpy(fd, CMSG_DATA(header), count * sizeof *fd);
    }
    return count;
}

static void *receive_a_listener(void *arg)
{
    int fd = -1, flags;

    expect_uint(receive_descriptors(*(int *)arg, &fd, 1, &flags), ==, 1);
    expect_int(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    expect_int(flags, ==, 0); /* that it was close-on-exec nobody asked for by name */
    return (void *)(intptr_t)fd;
}

LOOP_TEST(descriptors_arrive_close_on_exec_and_work_at_once)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        int pair[2], listener = bine_listen("tcp", "127.0.0.1:0", 0), port = port_of(listener);
        bine_result result;
        expect_ok(bine_socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, pair));
        bine_task *task = bine_spawn(receive_a_listener, &pair[0]);
        expect_ok(bine_yield());
        expect_int(send_descriptors(pair[1], &listener, 1), ==, 1);
        expect_ok(bine_close(listener));
        expect_ok(bine_join(task, &result));
        listener = (int)(intptr_t)result.value;
        expect_connected(bine_dial("tcp", at("127.0.0.1", port)), listener);
        expect_ok(bine_close(listener));
        expect_ok(bine_close(pair[0]));
        expect_ok(bine_close(pair[1]));
    }
}

LOOP_TEST(descriptors_without_room_are_told_and_not_leaked)
{
    int pair[2], carried[4], got[4] = {-1, -1, -1, -1}, flags;
    unsigned before;

    if (support_emulated()) { /* qemu keeps what finds no room, and says nothing */
        support_skip("descriptors_without_room_are_told_and_not_leaked", "qemu keeps what finds no room");
        return;
    }
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    before = fixture_fds();
    for (int i = 0; i < 4; i++)
        carried[i] = bine_dup(pair[0]);
    expect_int(send_descriptors(pair[1], carried, 4), ==, 1);
    for (int i = 0; i < 4; i++)
        expect_ok(bine_close(carried[i]));
    size_t count = receive_descriptors(pair[0], got, 1, &flags);
    expect_uint(count, <, 4);
    expect_int(flags & MSG_CTRUNC, ==, MSG_CTRUNC);
    for (size_t i = 0; i < count; i++)
        expect_ok(bine_close(got[i]));
    expect_uint(fixture_fds(), ==, before);
    expect_ok(bine_close(pair[0]));
    expect_ok(bine_close(pair[1]));
}

/* ---- Activation -------------------------------------------------------------------------------------- */

static void set_number(const char *variable, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    setenv(variable, text, 1);
}

/* As a service manager would start it: a listener as 3, a datagram socket as 4, a stray one as 5. */
static void activated(void *arg)
{
    (void)arg;
    int listener = bine_listen("tcp", "127.0.0.1:0", 0), datagrams = bine_listen("udp", "127.0.0.1:0", 0);
    int stray = socket(AF_INET, SOCK_STREAM, 0), at_hand[] = {listener, datagrams, stray};

    for (int i = 0; i < 3; i++)
        at_hand[i] = fcntl(at_hand[i], F_DUPFD, 20);
    for (int i = 0; i < 3; i++)
        expect_int(dup2(at_hand[i], 3 + i), ==, 3 + i);
    unsetenv("LISTEN_PID");
    expect_int(bine_listen_fds(), ==, 0);
    expect_fails(bine_listen("fd", "http", 0), ENOENT);
    set_number("LISTEN_FDS", 3);
    set_number("LISTEN_PID", (int)getppid()); /* meant for somebody else */
    setenv("LISTEN_FDNAMES", "http:syslog:odd", 1);
    expect_int(bine_listen_fds(), ==, 0);
    expect_fails(bine_listen("fd", "http", 0), ENOENT);
    setenv("LISTEN_FDS", "whatever", 1); /* is not looked at then */
    expect_int(bine_listen_fds(), ==, 0);
    set_number("LISTEN_FDS", 3);
    set_number("LISTEN_PID", (int)getpid());
    expect_int(fcntl(3, F_GETFD) & FD_CLOEXEC, ==, 0);
    expect_int(bine_listen_fds(), ==, 3);
    for (int i = 3; i < 6; i++)
        expect_int(fcntl(i, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    expect_int(bine_listen("fd", "http", 0), ==, 3);
    expect_int(bine_listen("fd", "3", 0), ==, 3);
    expect_int(bine_listen("fd", "syslog", 0), ==, 4);
    expect_fails(bine_listen("fd", "odd", 0), EINVAL); /* neither listening nor for datagrams */
    expect_fails(bine_listen("fd", "htt", 0), ENOENT);
    expect_fails(bine_listen("fd", "", 0), EINVAL);
    set_number("LISTEN_FDS", 4);
    close(6);
    expect_fails(bine_listen_fds(), EBADF);
    setenv("LISTEN_FDS", "many", 1);
    expect_fails(bine_listen_fds(), EINVAL);
    expect_fails(bine_listen("fd", "http", 0), EINVAL);
    if (support_failures())
        fputs(support_recorded(), stderr);
    _exit(support_failures() ? 1 : 0);
}

START_TEST(sockets_of_a_service_manager_are_found_by_number_and_name)
{
    char text[4096];
    int status = run_child(activated, NULL, text, sizeof text);

    ck_assert_msg(status == 0, "%s", text);
}
END_TEST

SUPPORT_MAIN("kinds_socket", udp_tells_where_a_datagram_came_from,
             udp_tells_where_a_datagram_went_to_and_answers_from_there, udp_multicast_reaches_every_member,
             udp_to_nobody_is_refused_at_the_next_call, unix_datagrams_go_there_and_back,
             unix_datagrams_park_a_sender_who_is_too_fast, unix_packets_are_served_and_keep_their_boundaries,
             stale_sockets_of_each_type_are_replaced, descriptors_arrive_close_on_exec_and_work_at_once,
             descriptors_without_room_are_told_and_not_leaked,
             sockets_of_a_service_manager_are_found_by_number_and_name)
