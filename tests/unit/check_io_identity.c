/* SPDX-License-Identifier: MIT
 *
 * A number that is closed while a call is at work on it, and handed out again: the call must not touch who has
 * got it.  Files are the hard case, for a thread or the kernel has been told the number alone. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/sockets.h"

enum { LARGE = 300000 /* bytes: more than is read or written on the loop's own thread */, ROUNDS = 20 };

static char large[LARGE];

static int scratch_file(size_t size)
{
    char path[] = "/tmp/bine-identity-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    expect_int(fd, >=, 0);
    expect_ok(unlink(path));
    for (size_t done = 0; done < size; done += sizeof large)
        expect_int(write(fd, large, sizeof large), ==, sizeof large);
    expect_int(lseek(fd, 0, SEEK_SET), ==, 0);
    return fd;
}

/* What the call is, and how it ended. */
struct work {
    int fd, other;
    size_t size;
    ssize_t n;
    int error;
};

static void *write_file(void *arg)
{
    struct work *work = arg;
    work->n = bine_write(work->fd, large, work->size);
    work->error = errno;
    return NULL;
}

static void *sync_file(void *arg)
{
    struct work *work = arg;
    work->n = bine_fsync(work->fd);
    work->error = errno;
    return NULL;
}

static void *send_file(void *arg)
{
    struct work *work = arg;
    off_t from = 0;

    work->n = bine_sendfile(work->other, work->fd, &from, work->size);
    work->error = errno;
    return NULL;
}

static void *splice_pipes(void *arg)
{
    struct work *work = arg;
    work->n = bine_splice(work->fd, NULL, work->other, NULL, work->size, 0);
    work->error = errno;
    return NULL;
}

/* Nothing has come out of either end. */
static void expect_silence(const int pair[2])
{
    char byte;

    for (int i = 0; i < 2; i++)
        expect_fails(recv(pair[i], &byte, 1, MSG_DONTWAIT), EAGAIN);
}

static void close_under(bine_fn *fn, size_t size)
{
    struct work work = {.fd = scratch_file(0), .size = size};
    bine_task *task = bine_spawn(fn, &work);
    int next[2];

    expect_ok(bine_yield());
    expect_ok(bine_close(work.fd));
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next));
    expect_ok(bine_join(task, NULL));
    expect_int(work.n, >=, 0); /* that it was closed is seen after what was under way */
    expect_silence(next);
    pair_close(next);
}

LOOP_TEST(a_write_to_a_file_does_not_go_to_who_has_its_number_next)
{
    for (int i = 0; i < ROUNDS; i++)
        close_under(write_file, i % 2 ? 100 : LARGE);
}

LOOP_TEST(an_fsync_does_not_keep_who_has_its_number_next)
{
    for (int i = 0; i < ROUNDS; i++)
        close_under(sync_file, 0);
}

LOOP_TEST(a_number_that_is_kept_is_closed_all_the_same)
{
    struct work work = {.fd = scratch_file(0), .size = LARGE};
    bine_task *task = bine_spawn(write_file, &work);

    expect_ok(bine_yield());
    expect_ok(bine_close(work.fd));
    expect_fails(bine_close(work.fd), EBADF);
    expect_ok(bine_join(task, NULL));
    expect_fails(fcntl(work.fd, F_GETFD), EBADF);
    expect_fails(bine_close(work.fd), EBADF);
}

/* The task waits for room in the socket; the file's number becomes another file's. */
LOOP_TEST(sendfile_ends_when_its_file_is_closed)
{
    const size_t size = (size_t)10 * LARGE;
    int pair[2], other;
    size_t got;

    memset(large, 'a', sizeof large);
    struct work work = {.fd = scratch_file(size), .size = size};
    pair_make(PAIR_UNIX, pair);
    work.other = pair[1];
    bine_task *task = bine_spawn(send_file, &work);
    while (fill(pair[1]) > 0) /* by the task, or now */
        expect_ok(bine_yield());
    expect_ok(bine_sleep(0));
    expect_ok(bine_close(work.fd));
    memset(large, 'b', sizeof large);
    other = scratch_file(size);
    do {
        got = drain(pair[0]);
        settle();
    } while (got > 0);
    expect_ok(bine_join(task, NULL));
    expect_int(work.n, <, size);
    expect(work.n > 0 || work.error == EBADF);
    expect_ok(bine_close(other));
    pair_close(pair);
}

LOOP_TEST(sendfile_does_not_go_to_who_has_its_targets_number_next)
{
    struct work work = {.fd = scratch_file(LARGE), .size = LARGE};

    for (int i = 0; i < ROUNDS; i++) {
        int pair[2], next[2];
        pair_make(PAIR_UNIX, pair);
        work.other = pair[1];
        (void)posix_fadvise(work.fd, 0, 0, POSIX_FADV_DONTNEED);
        bine_task *task = bine_spawn(send_file, &work);
        for (int turns = 0; turns <= i % 5; turns++)
            expect_ok(bine_yield());
        expect_ok(bine_close(work.other));
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next));
        expect_ok(bine_close(pair[0])); /* so that who waits for room has an end too */
        expect_ok(bine_join(task, NULL));
        expect_silence(next);
        pair_close(next);
    }
    expect_ok(bine_close(work.fd));
}

LOOP_TEST(splice_ends_when_the_end_that_it_does_not_wait_for_is_closed)
{
    int in[2], out[2], next;
    char byte;

    pair_make(PAIR_PIPE, in);
    pair_make(PAIR_PIPE, out);
    struct work work = {.fd = in[0], .other = out[1], .size = 100};
    bine_task *task = bine_spawn(splice_pipes, &work);
    settle();
    next = bine_dup(out[1]);
    expect_ok(bine_close(out[1]));
    expect_int(bine_dup(next), ==, work.other); /* a file like it, under its number */
    expect_int(bine_write(in[1], "x", 1), ==, 1);
    expect_ok(bine_join(task, NULL));
    expect_int(work.n, ==, -1);
    expect_int(work.error, ==, EBADF);
    expect_int(bine_read(in[0], &byte, 1), ==, 1);
    expect_ok(bine_close(next));
    pair_close(in);
    pair_close(out);
}

/* A call that yields before it does anything, for its task has had its share, is in the middle of it all the same. */
struct spending {
    int fd;
    bool by_write, by_vector, closed;
    ssize_t n;
    int error;
};

static ssize_t try_again(const struct spending *spending)
{
    char byte = 'y';
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (spending->by_write)
        return bine_write_full(spending->fd, &byte, 1);
    return spending->by_vector ? bine_recvmsg(spending->fd, &message, MSG_DONTWAIT)
                               : bine_recv(spending->fd, &byte, 1, MSG_DONTWAIT);
}

static void *spend(void *arg)
{
    struct spending *spending = arg;

    do
        spending->n = try_again(spending);
    while (!spending->closed && (spending->n > 0 || errno == EAGAIN));
    spending->error = errno;
    return NULL;
}

LOOP_TEST(a_call_that_yields_at_its_beginning_does_not_go_to_who_has_its_number_next)
{
    for (int way = 0; way < 3; way++) {
        int pair[2], next[2];
        pair_make(PAIR_UNIX, pair);
        struct spending spending = {.fd = pair[0], .by_write = way == 1, .by_vector = way == 2};
        if (way == 1)
            spending.fd = pair[1];
        bine_task *task = bine_spawn(spend, &spending);
        expect_ok(bine_yield()); /* it runs until it must yield */
        spending.closed = true;
        pair_close(pair);
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next));
        expect(spending.fd == next[0] || spending.fd == next[1]);
        for (int i = 0; i < 2 && way != 1; i++)
            expect_int(send(next[i], "x", 1, 0), ==, 1);
        expect_ok(bine_join(task, NULL));
        expect_int(spending.n, ==, -1);
        expect_int(spending.error, ==, EBADF);
        if (way == 1)
            expect_silence(next);
        pair_close(next);
    }
}

LOOP_TEST(a_look_from_a_directory_is_from_the_one_that_it_was)
{
    struct statx status;
    int dir = bine_open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    expect_int(dir, >=, 0);
    expect_ok(bine_statx(dir, "", AT_EMPTY_PATH, STATX_TYPE, &status));
    expect(S_ISDIR(status.stx_mode));
    expect_ok(bine_statx(dir, "dev", 0, STATX_TYPE, &status));
    expect_ok(bine_close(dir));
    expect_fails(bine_statx(dir, "dev", 0, STATX_TYPE, &status), EBADF);
}

static void warm(void)
{
    struct work work = {.fd = scratch_file(0), .size = LARGE};

    write_file(&work);
    expect_ok(bine_close(work.fd));
}

static __attribute__((constructor)) void warm_up(void)
{
    support_warm = warm;
}

SUPPORT_MAIN("io_identity", a_write_to_a_file_does_not_go_to_who_has_its_number_next,
             an_fsync_does_not_keep_who_has_its_number_next, a_number_that_is_kept_is_closed_all_the_same,
             sendfile_ends_when_its_file_is_closed, sendfile_does_not_go_to_who_has_its_targets_number_next,
             splice_ends_when_the_end_that_it_does_not_wait_for_is_closed,
             a_call_that_yields_at_its_beginning_does_not_go_to_who_has_its_number_next,
             a_look_from_a_directory_is_from_the_one_that_it_was)
