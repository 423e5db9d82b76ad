/* SPDX-License-Identifier: MIT
 *
 * What is special about sockets: flags, datagrams, messages, urgent data, connecting and accepting. */
#define _GNU_SOURCE
#include "support/support.h"

#include <arpa/inet.h>
#include <fcntl.h>

#include "support/sockets.h"
#include "support/transfers.h"

static void *recv_all(void *arg)
{
    struct transfer *t = arg;
    t->moved = bine_recv(t->fd, t->buf, t->n, MSG_WAITALL);
    t->error = errno;
    return NULL;
}

LOOP_TEST(recv_understands_its_flags)
{
    int fd[2];
    char buf[16] = "";
    pair_make(PAIR_TCP, fd);
    expect_fails(bine_recv(fd[0], buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    expect_int(bine_send(fd[1], "peek", 4, 0), ==, 4);
    expect_int(bine_recv(fd[0], buf, sizeof buf, MSG_PEEK), ==, 4);
    expect_int(bine_recv(fd[0], buf, sizeof buf, MSG_PEEK), ==, 4);
    expect_int(bine_recv(fd[0], buf, sizeof buf, 0), ==, 4);
    struct transfer t = {fd[0], buf, 9, -2, 0};
    bine_task *task = bine_spawn(recv_all, &t);
    for (int i = 0; i < 3; i++) {
        expect_int(t.moved, ==, -2);
        expect_int(bine_send(fd[1], "abc", 3, 0), ==, 3);
        settle();
    }
    join(task);
    expect_int(t.moved, ==, 9);
    expect(memcmp(buf, "abcabcabc", 9) == 0);
    t.moved = -2;
    task = bine_spawn(recv_all, &t); /* the end cuts it short */
    bine_send(fd[1], "xy", 2, 0);
    bine_shutdown(fd[1], SHUT_WR);
    join(task);
    expect_int(t.moved, ==, 2);
    while (bine_send(fd[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
    expect_int(errno, ==, EAGAIN);
    pair_close(fd);
}

LOOP_TEST(datagrams_keep_their_boundaries_and_addresses)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
    socklen_t n = sizeof address;
    int a = bine_socket(AF_INET, SOCK_DGRAM, 0), b = bine_socket(AF_INET, SOCK_DGRAM, 0);
    char buf[16];
    expect_ok(bind(a, (struct sockaddr *)&address, n));
    expect_ok(getsockname(a, (struct sockaddr *)&address, &n));
    expect_int(bine_sendto(b, "one", 3, 0, (struct sockaddr *)&address, n), ==, 3);
    expect_int(bine_sendto(b, "", 0, 0, (struct sockaddr *)&address, n), ==, 0);
    expect_int(bine_sendto(b, "three", 5, 0, (struct sockaddr *)&address, n), ==, 5);
    n = sizeof from;
    expect_int(bine_recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &n), ==, 3);
    expect_int(from.sin_addr.s_addr, ==, htonl(INADDR_LOOPBACK));
    expect_int(bine_recv(a, buf, sizeof buf, 0), ==, 0); /* an empty one is not an end */
    expect_int(bine_recv(a, buf, sizeof buf, 0), ==, 5);
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_recv(a, buf, sizeof buf, 0), ETIMEDOUT);
    expect_ok(bine_connect(b, (struct sockaddr *)&address, sizeof address));
    struct transfer t = {a, buf, sizeof buf, -2, 0};
    bine_task *task = bine_spawn(read_it, &t);
    settle();
    expect_int(bine_write(b, "late", 4), ==, 4);
    join(task);
    expect_int(t.moved, ==, 4);
    bine_close(a);
    bine_close(b);
}

LOOP_TEST(descriptors_travel_in_messages)
{
    int fd[2], carried[2];
    char byte = 'x', got = 0;
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } out = {.room = {0}}, in = {.room = {0}};
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    expect_ok(bine_pipe(carried));
    struct iovec iov = {&byte, 1}, iov_in = {&got, 1};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof out};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &carried[0], sizeof(int));
    expect_int(bine_sendmsg(fd[1], &message, 0), ==, 1);
    struct msghdr received = {
        .msg_iov = &iov_in, .msg_iovlen = 1, .msg_control = &in, .msg_controllen = sizeof in};
    expect_int(bine_recvmsg(fd[0], &received, 0), ==, 1);
    header = CMSG_FIRSTHDR(&received);
    if (expect(header != NULL && header->cmsg_type == SCM_RIGHTS)) {
        int copy;
        memcpy(&copy, CMSG_DATA(header), sizeof copy);
        expect_int(bine_write(carried[1], "!", 1), ==, 1);
        expect_int(bine_read(copy, &got, 1), ==, 1);
        expect_int(got, ==, '!');
        bine_close(copy);
    }
    pair_close(fd);
    pair_close(carried);
}

LOOP_TEST(urgent_data_does_not_hang_a_reader)
{
    int fd[2];
    char buf[16] = "", urgent = 0;
    pair_make(PAIR_TCP, fd);
    struct transfer t = {fd[0], buf, sizeof buf, -2, 0};
    bine_task *task = bine_spawn(read_it, &t);
    settle();
    expect_int(bine_send(fd[1], "!", 1, MSG_OOB), ==, 1);
    expect_int(bine_poll_fd(fd[0], POLLPRI) & POLLPRI, ==, POLLPRI);
    expect_int(bine_recv(fd[0], &urgent, 1, MSG_OOB), ==, 1);
    expect_int(urgent, ==, '!');
    expect_int(bine_send(fd[1], "normal", 6, 0), ==, 6);
    join(task);
    expect_int(t.moved, ==, 6);
    /* The mark splits what was written: each part is read though more is there. */
    bine_send(fd[1], "ab", 2, 0);
    bine_send(fd[1], "U", 1, MSG_OOB);
    bine_send(fd[1], "cd", 2, 0);
    ssize_t total = 0;
    while (total < 4) {
        ssize_t n = bine_read(fd[0], buf, sizeof buf);
        if (!expect(n > 0))
            break;
        total += n;
    }
    pair_close(fd);
}

static void *accept_it(void *arg)
{
    struct transfer *t = arg;
    t->moved = bine_accept(t->fd, NULL, NULL);
    t->error = errno;
    return NULL;
}

LOOP_TEST(connect_and_accept_meet)
{
    struct sockaddr_in address, peer;
    socklen_t n = sizeof peer;
    int listener = listener_make(&address, 4);
    struct transfer t = {listener, NULL, 0, -2, 0};
    bine_task *task = bine_spawn(accept_it, &t);
    settle();
    int client = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_ok(bine_connect(client, (struct sockaddr *)&address, sizeof address));
    join(task);
    expect_int(t.moved, >=, 0);
    expect(fcntl(listener, F_GETFL) & O_NONBLOCK); /* the one that was given, not the new one */
    expect(!(fcntl((int)t.moved, F_GETFL) & O_NONBLOCK));
    expect_ok(getpeername((int)t.moved, (struct sockaddr *)&peer, &n));
    expect_int(bine_write(client, "hi", 2), ==, 2);
    char buf[4];
    expect_int(bine_read((int)t.moved, buf, 4), ==, 2);
    bine_close((int)t.moved);
    bine_close(client);
    client = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_ok(bine_connect(client, (struct sockaddr *)&address, sizeof address));
    expect_fails(bine_connect(client, (struct sockaddr *)&address, sizeof address), EISCONN);
    n = sizeof peer;
    int server = bine_accept(listener, (struct sockaddr *)&peer, &n);
    expect_int(server, >=, 0);
    expect_int(peer.sin_addr.s_addr, ==, htonl(INADDR_LOOPBACK));
    bine_close(server);
    bine_close(client);
    bine_close(listener);
}

LOOP_TEST(connect_to_nobody_is_refused)
{
    struct sockaddr_in address;
    int listener = listener_make(&address, 1);
    bine_close(listener);
    int client = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_fails(bine_connect(client, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    bine_close(client);
}

LOOP_TEST(connect_that_waits_observes_its_deadline)
{
    struct sockaddr_in address;
    int listener = listener_make(&address, 0), waiting[8];
    int connected = 0, timed_out = 0;
    /* A full backlog lets the handshake of further ones wait. */
    for (int i = 0; i < 8; i++) {
        waiting[i] = bine_socket(AF_INET, SOCK_STREAM, 0);
        BINE_TIMEOUT(20 * BINE_MS) {
            if (bine_connect(waiting[i], (struct sockaddr *)&address, sizeof address) == 0)
                connected++;
            else
                timed_out += expect(errno == ETIMEDOUT);
        }
    }
    expect_int(connected + timed_out, ==, 8);
    expect_int(timed_out, >, 0);
    for (int i = 0; i < 8; i++)
        bine_close(waiting[i]);
    bine_close(listener);
}

LOOP_TEST(a_reset_by_the_peer_wakes_everybody)
{
    int fd[2];
    char buf[16];
    pair_make(PAIR_TCP, fd);
    static char big[4 << 20]; /* more than the kernel takes */
    struct transfer r = {fd[0], buf, sizeof buf, -2, 0}, w = {fd[0], big, sizeof big, -2, 0};
    bine_task *reader = bine_spawn(read_it, &r), *writer = bine_spawn(write_it_full, &w);
    settle();
    struct linger hard = {1, 0};
    expect_ok(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
    close(fd[1]);
    fd[1] = -1;
    join(reader);
    join(writer);
    /* The error is told once by the kernel; the other one sees the end or a broken pipe. */
    expect(r.moved == 0 || (r.moved == -1 && r.error == ECONNRESET));
    expect(w.moved < (ssize_t)sizeof big && (w.error == ECONNRESET || w.error == EPIPE));
    pair_close(fd);
}

SUPPORT_MAIN("io_socket", recv_understands_its_flags, datagrams_keep_their_boundaries_and_addresses,
             descriptors_travel_in_messages, urgent_data_does_not_hang_a_reader, connect_and_accept_meet,
             connect_to_nobody_is_refused, connect_that_waits_observes_its_deadline,
             a_reset_by_the_peer_wakes_everybody)
