/* SPDX-License-Identifier: MIT
 *
 * Every call of <bine/io.h> with what it cannot take: no loop, a callback, a scope that has fired, closed and
 * negative descriptors, NULL and huge arguments.  Each is an error that is named, and the loop goes on. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <limits.h>

#include "support/sockets.h"

static char buf[64];
static struct iovec vector = {buf, sizeof buf};
static struct sockaddr_in somewhere;

static intmax_t call_read(int fd)
{
    return bine_read(fd, buf, 1);
}
static intmax_t call_write(int fd)
{
    return bine_write(fd, buf, 1);
}
static intmax_t call_readv(int fd)
{
    return bine_readv(fd, &vector, 1);
}
static intmax_t call_writev(int fd)
{
    return bine_writev(fd, &vector, 1);
}
static intmax_t call_pread(int fd)
{
    return bine_pread(fd, buf, 1, 0);
}
static intmax_t call_pwrite(int fd)
{
    return bine_pwrite(fd, buf, 1, 0);
}
static intmax_t call_read_full(int fd)
{
    return bine_read_full(fd, buf, 2);
}
static intmax_t call_write_full(int fd)
{
    return bine_write_full(fd, buf, 2);
}
static intmax_t call_recv(int fd)
{
    return bine_recv(fd, buf, 1, 0);
}
static intmax_t call_send(int fd)
{
    return bine_send(fd, buf, 1, 0);
}
static intmax_t call_recvfrom(int fd)
{
    return bine_recvfrom(fd, buf, 1, 0, NULL, NULL);
}
static intmax_t call_sendto(int fd)
{
    return bine_sendto(fd, buf, 1, 0, NULL, 0);
}
static intmax_t call_recvmsg(int fd)
{
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return bine_recvmsg(fd, &message, 0);
}
static intmax_t call_sendmsg(int fd)
{
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return bine_sendmsg(fd, &message, 0);
}
static intmax_t call_accept(int fd)
{
    return bine_accept(fd, NULL, NULL);
}
static intmax_t call_connect(int fd)
{
    return bine_connect(fd, (struct sockaddr *)&somewhere, sizeof somewhere);
}
static intmax_t call_poll_fd(int fd)
{
    return bine_poll_fd(fd, POLLIN);
}
static intmax_t call_sendfile(int fd)
{
    return bine_sendfile(fd, fd, NULL, 1);
}
static intmax_t call_splice(int fd)
{
    return bine_splice(fd, NULL, fd, NULL, 1, 0);
}
static intmax_t call_fsync(int fd)
{
    return bine_fsync(fd);
}
static intmax_t call_close(int fd)
{
    return bine_close(fd);
}
static intmax_t call_shutdown(int fd)
{
    return bine_shutdown(fd, SHUT_RD);
}
static intmax_t call_dup(int fd)
{
    return bine_dup(fd);
}
/* These have no descriptor of their own to be wrong. */
static intmax_t call_poll(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};
    return bine_poll(&one, 1, 0);
}
static intmax_t call_select(int fd)
{
    (void)fd;
    struct timeval none = {0, 0};
    return bine_select(0, NULL, NULL, NULL, &none);
}
static intmax_t call_open(int fd)
{
    (void)fd;
    return bine_open("/dev/null", O_RDONLY);
}

#define CALL(name) {call_##name, #name}
struct call {
    intmax_t (*make)(int fd);
    const char *name;
};
static const struct call yielding[] = {
    CALL(read),       CALL(write),      CALL(readv),   CALL(writev),  CALL(pread),    CALL(pwrite),
    CALL(read_full),  CALL(write_full), CALL(recv),    CALL(send),    CALL(recvfrom), CALL(sendto),
    CALL(recvmsg),    CALL(sendmsg),    CALL(accept),  CALL(connect), CALL(poll_fd),  CALL(sendfile),
    CALL(splice),     CALL(fsync),      CALL(poll),    CALL(select),  CALL(open),
};
enum { YIELDING = sizeof yielding / sizeof yielding[0], WITH_FD = YIELDING - 3 };
static const struct call others[] = {CALL(close), CALL(shutdown), CALL(dup)};

static void expect_error(const struct call *call, int fd, int error)
{
    errno = 0;
    intmax_t result = call->make(fd);
    if (result != -1 || errno != error)
        support_record(__FILE__, __LINE__, "bine_%s: %jd with errno %d (%s), expected %d (%s)", call->name,
                       result, errno, strerror(errno), error, strerror(error));
}

START_TEST(outside_a_loop_every_yielding_call_is_eperm)
{
    for (int i = 0; i < YIELDING; i++)
        expect_error(&yielding[i], 0, EPERM);
}
END_TEST

static void call_all(void *arg)
{
    int *fd = arg;
    for (int i = 0; i < YIELDING; i++)
        expect_error(&yielding[i], fd[0], EDEADLK);
}

LOOP_TEST(in_a_callback_every_yielding_call_is_edeadlk)
{
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    expect_ok(bine_call_soon(call_all, fd));
    expect_ok(bine_yield());
    pair_close(fd);
}

LOOP_TEST(in_a_scope_that_has_fired_every_yielding_call_fails)
{
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    expect_int(write(fd[1], "there is something", 18), ==, 18);
    BINE_TIMEOUT(-1) {
        for (int round = 0; round < 3; round++)
            for (int i = 0; i < YIELDING; i++)
                expect_error(&yielding[i], fd[0], ETIMEDOUT);
        bine_scope scope;
        BINE_SCOPE(&scope, BINE_FOREVER) {
            bine_scope_cancel(&scope);
            for (int i = 0; i < YIELDING; i++)
                expect_error(&yielding[i], fd[0], ECANCELED);
        }
    }
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 18); /* and nothing was taken */
    pair_close(fd);
}

LOOP_TEST(calls_that_never_switch_work_in_a_scope_that_has_fired)
{
    int fd[2], copy;
    BINE_TIMEOUT(-1) {
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
        expect_int(copy = bine_dup(fd[0]), >=, 0);
        expect_ok(bine_close(copy));
        expect_ok(bine_shutdown(fd[0], SHUT_WR));
        pair_close(fd);
        expect_ok(bine_pipe(fd));
        pair_close(fd);
        expect_int(copy = bine_socket(AF_INET, SOCK_STREAM, 0), >=, 0);
        expect_ok(bine_close(copy));
    }
}

LOOP_TEST(a_descriptor_that_is_not_open_is_ebadf)
{
    int closed = dup(0);
    close(closed);
    const int wrong[] = {closed, -1, -100, INT_MIN, INT_MAX, 1 << 20};
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
        for (int i = 0; i < WITH_FD; i++)
            expect_error(&yielding[i], wrong[w], EBADF);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            expect_error(&others[i], wrong[w], EBADF);
    }
    expect_ok(bine_yield());
}

LOOP_TEST(a_descriptor_closed_twice_is_ebadf)
{
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    expect_ok(bine_close(fd[0]));
    expect_fails(bine_close(fd[0]), EBADF);
    expect_fails(bine_read(fd[0], buf, 1), EBADF);
    bine_close(fd[1]);
}

LOOP_TEST(socket_calls_on_other_files_are_enotsock)
{
    static const struct call socket_calls[] = {
        CALL(recv),    CALL(send),   CALL(recvfrom), CALL(sendto),   CALL(recvmsg),
        CALL(sendmsg), CALL(accept), CALL(connect),  CALL(shutdown),
    };
    int fd[2], file = open("/proc/self/exe", O_RDONLY);
    pair_make(PAIR_PIPE, fd);
    int before = fcntl(fd[0], F_GETFL);
    for (size_t i = 0; i < sizeof socket_calls / sizeof socket_calls[0]; i++) {
        expect_error(&socket_calls[i], fd[0], ENOTSOCK);
        expect_error(&socket_calls[i], file, ENOTSOCK);
    }
    expect_int(fcntl(fd[0], F_GETFL), ==, before);
    expect_fails(bine_read(fd[1], buf, 1), EBADF); /* the wrong end */
    expect_fails(bine_write(fd[0], buf, 1), EBADF);
    expect_fails(bine_write(file, buf, 1), EBADF);
    bine_close(file);
    pair_close(fd);
}

/* A page that may not be touched, where the kernel would read or write. */
LOOP_TEST(buffers_that_cannot_be_used_are_efault)
{
    if (support_under_valgrind()) {
        support_skip("buffers_that_cannot_be_used_are_efault", "Valgrind reports what is meant");
        return;
    }
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        void *volatile nowhere = NULL;
        pair_make(kind, fd);
        expect_int(write(fd[1], "data", 4), ==, 4);
        expect_fails(bine_read(fd[0], nowhere, 4), EFAULT);
        expect_fails(bine_write(fd[1], nowhere, 4), EFAULT);
        expect_fails(bine_read_full(fd[0], nowhere, 4), EFAULT);
        expect_fails(bine_write_full(fd[1], nowhere, 4), EFAULT);
        expect_fails(bine_readv(fd[0], nowhere, 1), EFAULT);
        expect_fails(bine_writev(fd[1], nowhere, 1), EFAULT);
        if (kind != PAIR_PIPE) {
            expect_fails(bine_recv(fd[0], nowhere, 4, 0), EFAULT);
            expect_fails(bine_send(fd[1], nowhere, 4, 0), EFAULT);
            expect_fails(bine_recvmsg(fd[0], nowhere, 0), EFAULT);
            expect_fails(bine_sendmsg(fd[1], nowhere, 0), EFAULT);
        }
        pair_close(fd);
    }
    int file = bine_open("/proc/self/exe", O_RDONLY);
    void *volatile nowhere = NULL;
    expect_fails(bine_pread(file, nowhere, 4, 0), EFAULT);
    expect_fails(bine_read(file, nowhere, 4), EFAULT);
    bine_close(file);
    expect_fails(bine_open(nowhere, O_RDONLY), EFAULT);
    expect_fails(bine_poll(nowhere, 1, 0), EFAULT);
    if (!support_emulated()) { /* qemu makes the descriptors first, and loses them */
        expect_fails(bine_pipe(nowhere), EFAULT);
        expect_fails(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT);
    }
    int s = bine_socket(AF_INET, SOCK_STREAM, 0);
    expect_fails(bine_connect(s, nowhere, sizeof somewhere), EFAULT);
    bine_close(s);
    expect_ok(bine_yield());
}

LOOP_TEST(counts_out_of_range_are_einval)
{
    int fd[2], none[2];
    pair_make(PAIR_UNIX, fd);
    expect_fails(bine_readv(fd[0], &vector, -1), EINVAL);
    expect_fails(bine_writev(fd[1], &vector, -1), EINVAL);
    expect_fails(bine_readv(fd[0], &vector, INT_MAX), EINVAL);
    expect_fails(bine_writev(fd[1], &vector, INT_MAX), EINVAL);
    struct pollfd one = {fd[0], POLLIN, 0};
    if (!support_instrumented()) { /* a sanitizer looks at all that many itself */
        expect_fails(bine_poll(&one, (nfds_t)-1, 0), EINVAL);
        expect_fails(bine_poll(&one, (nfds_t)INT_MAX, 0), EINVAL);
    }
    expect_fails(bine_socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    if (!support_emulated()) /* qemu translates the type to one that there is, of another family */
        expect_fails(bine_socket(AF_INET, 12345, 0), EINVAL);
    expect_fails(bine_socketpair(AF_INET, SOCK_STREAM, 0, none), EOPNOTSUPP);
    expect_fails(bine_shutdown(fd[0], 77), EINVAL);
    expect_fails(bine_connect(fd[0], (struct sockaddr *)&somewhere, 1), EINVAL);
    pair_close(fd);
}

/* More than SSIZE_MAX is the implementation's own affair: an error or what there is, never more. */
LOOP_TEST(a_huge_size_takes_what_there_is_or_is_refused)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        int fd[2];
        volatile size_t huge = SIZE_MAX;
        pair_make(kind, fd);
        expect_int(write(fd[1], "abcd", 4), ==, 4);
        if (!support_instrumented()) {
            errno = 0;
            ssize_t n = bine_read(fd[0], buf, huge);
            expect(n == 4 || (n == -1 && (errno == EINVAL || errno == EFAULT)));
        }
        drain(fd[0]);
        expect_int(bine_write(fd[1], buf, 0), ==, 0);
        expect_int(bine_write_full(fd[1], NULL, 0), ==, 0);
        expect_int(bine_read_full(fd[0], NULL, 0), ==, 0);
        expect_int(bine_readv(fd[0], &vector, 0), ==, 0);
        expect_int(bine_writev(fd[1], &vector, 0), ==, 0);
        pair_close(fd);
    }
}

SUPPORT_MAIN("io_misuse", outside_a_loop_every_yielding_call_is_eperm,
             in_a_callback_every_yielding_call_is_edeadlk,
             in_a_scope_that_has_fired_every_yielding_call_fails,
             calls_that_never_switch_work_in_a_scope_that_has_fired, a_descriptor_that_is_not_open_is_ebadf,
             a_descriptor_closed_twice_is_ebadf, socket_calls_on_other_files_are_enotsock,
             buffers_that_cannot_be_used_are_efault, counts_out_of_range_are_einval,
             a_huge_size_takes_what_there_is_or_is_refused)
