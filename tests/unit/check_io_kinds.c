/* SPDX-License-Identifier: MIT
 *
 * Descriptors that are neither a plain stream nor a plain file, each with something of its own that a wrong
 * guess about readiness would turn into a task that waits for ever: terminals, eventfds, packet pipes,
 * datagrams, urgent data, descriptors in flight.  Every test ends by itself or by the test's time limit. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include "support/reading.h"
#include "support/sockets.h"

static void end(bine_task *task)
{
    expect_ok(bine_join(task, NULL));
}

/* ---- Not sockets ------------------------------------------------------------------- */

LOOP_TEST(a_terminal_is_read_line_by_line_and_stays_blocking)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal = -1;
    struct reading reading = {.n = -2};
    expect_int(master, >=, 0);
    expect_ok(grantpt(master));
    expect_ok(unlockpt(master));
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    expect_int(terminal, >=, 0);
    reading.fd = terminal;
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(master, "one\ntwo\n", 8), ==, 8);
    end(task);
    expect_int(reading.n, ==, 4); /* a short read, and more is there */
    expect(memcmp(reading.buf, "one\n", 4) == 0);
    expect_int(bine_read(terminal, reading.buf, sizeof reading.buf), ==, 4);
    expect(memcmp(reading.buf, "two\n", 4) == 0);
    expect_int(bine_write(terminal, "out", 3), ==, 3);
    expect(!(fcntl(terminal, F_GETFL) & O_NONBLOCK));
    expect(!(fcntl(master, F_GETFL) & O_NONBLOCK));
    bine_close(terminal);
    bine_close(master);
}

LOOP_TEST(an_eventfd_parks_its_reader_and_its_writer)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    struct reading reading = {.fd = fd, .size = 8, .n = -2};
    uint64_t value = 7, most = UINT64_MAX - 1;
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(reading.n, ==, -2);
    expect_int(bine_write(fd, &value, 8), ==, 8);
    end(task);
    expect_int(reading.n, ==, 8);
    expect_int(bine_write(fd, &most, 8), ==, 8);
    reading.n = -2;
    task = bine_spawn(read_it, &reading);
    expect_int(bine_write(fd, &value, 8), ==, 8); /* waits until it has been read */
    end(task);
    expect_int(reading.n, ==, 8);
    expect_fails(bine_read(fd, &value, 3), EINVAL);
    bine_close(fd);
}

LOOP_TEST(a_pipe_of_packets_gives_them_one_by_one)
{
    int fd[2];
    char buf[16];
    expect_ok(pipe2(fd, O_DIRECT | O_CLOEXEC));
    expect_int(bine_write(fd[1], "one", 3), ==, 3);
    expect_int(bine_write(fd[1], "three", 5), ==, 5);
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 3);
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 5);
    expect(!(fcntl(fd[0], F_GETFL) & O_NONBLOCK));
    bine_close(fd[0]);
    bine_close(fd[1]);
}

LOOP_TEST(devices_that_never_block_do_not)
{
    char buf[32] = "";
    int null = bine_open("/dev/null", O_RDWR | O_CLOEXEC), zero = bine_open("/dev/zero", O_RDWR | O_CLOEXEC);
    expect_int(bine_read(null, buf, sizeof buf), ==, 0);
    expect_int(bine_write(null, buf, sizeof buf), ==, sizeof buf);
    buf[31] = 'x';
    expect_int(bine_read(zero, buf, sizeof buf), ==, sizeof buf);
    expect_int(buf[31], ==, 0);
    expect_int(bine_poll_fd(null, POLLIN), ==, POLLIN);
    bine_close(null);
    bine_close(zero);
}

/* ---- Datagrams --------------------------------------------------------------------- */

static void *receive_some(void *arg)
{
    char buf[8];
    bine_sleep(20 * BINE_MS);
    for (int i = 0; i < 5; i++)
        expect_int(bine_read(*(int *)arg, buf, sizeof buf), ==, 1);
    return NULL;
}

/* The kernel tells an unconnected sender nothing when its receiver's queue has room again. */
LOOP_TEST(a_sender_to_a_full_unix_datagram_socket_is_not_forgotten)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof name;
    int receiver = bine_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int sender = bine_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* A name of the kernel's choice. */
    expect_ok(bind(receiver, (struct sockaddr *)&name, sizeof(sa_family_t)));
    expect_ok(getsockname(receiver, (struct sockaddr *)&name, &length));
    while (sendto(sender, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&name, length) == 1)
        ;
    expect_int(errno, ==, EAGAIN);
    bine_task *task = bine_spawn(receive_some, &receiver);
    expect_int(bine_sendto(sender, "x", 1, 0, (struct sockaddr *)&name, length), ==, 1);
    end(task);
    bine_close(receiver);
    bine_close(sender);
}

LOOP_TEST(a_short_datagram_does_not_hide_the_next)
{
    int fd[2];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
    socklen_t length = sizeof name;
    char buf[16];
    for (int i = 0; i < 2; i++)
        fd[i] = bine_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    expect_ok(bind(fd[0], (struct sockaddr *)&name, sizeof name));
    expect_ok(getsockname(fd[0], (struct sockaddr *)&name, &length));
    expect_int(bine_sendto(fd[1], "a", 1, 0, (struct sockaddr *)&name, length), ==, 1);
    expect_int(bine_sendto(fd[1], "", 0, 0, (struct sockaddr *)&name, length), ==, 0);
    expect_int(bine_sendto(fd[1], "ccc", 3, 0, (struct sockaddr *)&name, length), ==, 3);
    length = sizeof from;
    expect_int(bine_recvfrom(fd[0], buf, sizeof buf, 0, (struct sockaddr *)&from, &length), ==, 1);
    expect_int(length, ==, sizeof from);
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 0);
    expect_int(bine_recv(fd[0], buf, 2, MSG_TRUNC), ==, 3);
    expect_fails(bine_recv(fd[0], buf, 2, MSG_DONTWAIT), EAGAIN);
    expect_fails(bine_recv(fd[0], buf, 2, MSG_ERRQUEUE), EAGAIN); /* never waits */
    bine_close(fd[0]);
    bine_close(fd[1]);
}

/* ---- Streams with something in them besides bytes ---------------------------------- */

/* Made by the library itself, so that no park asks the kernel again: one event is all that comes. */
static void connect_pair(int fd[2])
{
    struct sockaddr_in address;
    int listener = listener_make(&address, 1);

    fd[1] = bine_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect_ok(bine_connect(fd[1], (struct sockaddr *)&address, sizeof address));
    fd[0] = bine_accept(listener, NULL, NULL);
    expect_int(fd[0], >=, 0);
    bine_close(listener);
}

LOOP_TEST(urgent_data_does_not_strand_the_reader)
{
    int fd[2];
    connect_pair(fd);
    struct reading reading = {.fd = fd[0], .n = -2};
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_send(fd[1], "abc", 3, 0), ==, 3);
    expect_int(bine_send(fd[1], "!", 1, MSG_OOB), ==, 1);
    expect_int(bine_send(fd[1], "def", 3, 0), ==, 3);
    end(task);
    expect_int(bine_poll_fd(fd[0], POLLPRI), ==, POLLPRI);
    char got[16] = "", urgent = 0;
    expect_int(bine_recv(fd[0], &urgent, 1, MSG_OOB), ==, 1);
    expect_int(urgent, ==, '!');
    expect_fails(bine_recv(fd[0], &urgent, 1, MSG_OOB), EINVAL); /* there is no other: it never waits */
    size_t n = (size_t)reading.n;
    memcpy(got, reading.buf, n);
    while (n < 6) { /* the mark cuts a read short, with bytes behind it */
        ssize_t more = bine_read(fd[0], got + n, sizeof got - n);
        if (!expect(more > 0))
            break;
        n += (size_t)more;
    }
    expect_str(got, "abcdef");
    pair_close(fd);
}

LOOP_TEST(bytes_and_the_end_in_one_event_are_both_seen)
{
    for (int i = 0; i < 20; i++) {
        int fd[2];
        connect_pair(fd);
        struct reading reading = {.fd = fd[0], .n = -2};
        bine_task *task = bine_spawn(read_it, &reading);
        settle();
        expect_int(bine_write(fd[1], "bye", 3), ==, 3);
        bine_close(fd[1]);
        end(task);
        expect_int(reading.n, ==, 3);
        expect_int(bine_read(fd[0], reading.buf, sizeof reading.buf), ==, 0);
        expect_int(bine_read(fd[0], reading.buf, sizeof reading.buf), ==, 0);
        bine_close(fd[0]);
    }
}

LOOP_TEST(waitall_waits_for_all_and_peek_takes_nothing)
{
    for (enum pair_kind kind = PAIR_UNIX; kind <= PAIR_TCP; kind++) {
        int fd[2];
        pair_make(kind, fd);
        struct reading whole = {.fd = fd[0], .size = 6, .n = -2, .flags = MSG_WAITALL};
        struct reading peek = {.fd = fd[0], .size = 6, .n = -2, .flags = MSG_PEEK | MSG_WAITALL};
        bine_task *task = bine_spawn(recv_it, &peek);
        settle();
        expect_int(bine_write(fd[1], "abc", 3), ==, 3);
        settle();
        expect_int(peek.n, ==, -2);
        expect_int(bine_write(fd[1], "def", 3), ==, 3);
        end(task);
        expect_int(peek.n, ==, 6);
        expect_int(bine_recv(fd[0], peek.buf, 4, MSG_PEEK), ==, 4);
        expect_int(bine_recv(fd[0], peek.buf, 2, 0), ==, 2);
        task = bine_spawn(recv_it, &whole);
        settle();
        expect_int(whole.n, ==, -2);
        expect_int(bine_write(fd[1], "gh", 2), ==, 2);
        end(task);
        expect_int(whole.n, ==, 6);
        expect(memcmp(whole.buf, "cdefgh", 6) == 0);
        /* The end cuts both short. */
        task = bine_spawn(recv_it, &peek);
        expect_int(bine_write(fd[1], "z", 1), ==, 1);
        settle();
        bine_close(fd[1]);
        fd[1] = -1;
        end(task);
        expect_int(peek.n, ==, 1);
        expect_int(bine_recv(fd[0], whole.buf, 6, MSG_WAITALL), ==, 1);
        pair_close(fd);
    }
}

/* A message that carries descriptors ends a read early, with bytes behind it. */
LOOP_TEST(descriptors_in_flight_arrive_with_their_bytes)
{
    int fd[2], passed = -1;
    char buf[16], control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
    struct iovec iov = {(char[]){"x"}, 1};
    struct msghdr out = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                         .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&out);
    pair_make(PAIR_UNIX, fd);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd[0], sizeof(int));
    expect_int(bine_write(fd[1], "abc", 3), ==, 3);
    expect_int(bine_sendmsg(fd[1], &out, 0), ==, 1);
    expect_int(bine_write(fd[1], "def", 3), ==, 3);
    expect_int(bine_recv(fd[0], buf, 3, MSG_WAITALL), ==, 3);
    struct iovec into = {buf, sizeof buf};
    struct msghdr in = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = control,
                        .msg_controllen = sizeof control};
    expect_int(bine_recvmsg(fd[0], &in, MSG_WAITALL | MSG_CMSG_CLOEXEC), >=, 1); /* ends where they arrive */
    header = CMSG_FIRSTHDR(&in);
    if (expect(header != NULL) && expect(header->cmsg_type == SCM_RIGHTS))
        memcpy(&passed, CMSG_DATA(header), sizeof(int));
    expect_int(passed, >=, 0);
    expect_int(bine_read(passed, buf, sizeof buf), ==, 3);
    expect(memcmp(buf, "def", 3) == 0);
    bine_close(passed);
    pair_close(fd);
}

enum { PIECES = 40, EACH = 3001 };
static char from[PIECES * EACH], to[PIECES * EACH];

static void cut(struct iovec pieces[PIECES], char *buf)
{
    for (int i = 0; i < PIECES; i++)
        pieces[i] = (struct iovec){buf + i * EACH, EACH};
}

static void *write_pieces(void *arg)
{
    struct iovec pieces[PIECES];
    cut(pieces, from);
    expect_int(bine_writev(*(int *)arg, pieces, PIECES), ==, sizeof from);
    return NULL;
}

/* The kernel takes such an array in several bites. */
LOOP_TEST(an_array_of_buffers_moves_whole)
{
    struct iovec pieces[PIECES];
    cut(pieces, to);
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)(i * 31 % 251);
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        const int small = 4096;
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = PIECES};
        size_t got = 0;
        pair_make(kind, fd);
        memset(to, 0, sizeof to);
        if (kind != PAIR_PIPE)
            expect_ok(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
        bine_task *task = bine_spawn(write_pieces, &fd[1]);
        if (kind != PAIR_PIPE) {
            expect_int(bine_recvmsg(fd[0], &message, MSG_WAITALL), ==, sizeof to);
        } else {
            expect_int(bine_readv(fd[0], pieces, 1), ==, EACH);
            for (got = EACH; got < sizeof to;)
                got += (size_t)bine_read(fd[0], to + got, sizeof to - got);
        }
        end(task);
        expect(memcmp(from, to, sizeof to) == 0);
        pair_close(fd);
    }
}

SUPPORT_MAIN("io_kinds", a_terminal_is_read_line_by_line_and_stays_blocking,
             an_eventfd_parks_its_reader_and_its_writer, a_pipe_of_packets_gives_them_one_by_one,
             devices_that_never_block_do_not, a_sender_to_a_full_unix_datagram_socket_is_not_forgotten,
             a_short_datagram_does_not_hide_the_next, urgent_data_does_not_strand_the_reader,
             bytes_and_the_end_in_one_event_are_both_seen, waitall_waits_for_all_and_peek_takes_nothing,
             descriptors_in_flight_arrive_with_their_bytes, an_array_of_buffers_moves_whole)
