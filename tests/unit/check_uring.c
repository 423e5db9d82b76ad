/* SPDX-License-Identifier: MIT
 *
 * The io_uring reactor where it differs from the others: what it holds open, what it carries out as a whole,
 * and what becomes of it all when the kernel refuses.  The contract that it shares with them is
 * check_reactor's, and every other test runs with it too.
 *
 * Where there is no io_uring (not built in, an old kernel, a container, qemu, Valgrind) these are skipped,
 * but for those that need it to be missing. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "io/io.h"
#ifdef BINE_URING
#include "io/uring.h"
#endif
#include "support/ring.h"
#include "support/sockets.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425 /* the same for each CPU */
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

enum { NO_FILTER = 77, NO_RING = 78 /* exit statuses */, PATIENCE = 2000 /* tries, 10 ms apart */ };

static void join_ok(bine_task *task)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_join(task, &result));
    expect_int(result.error, ==, 0);
}

/* ---- What it holds open ------------------------------------------------------------ */

static void *read_until_closed(void *fd)
{
    char byte;
    expect_fails(bine_read(*(int *)fd, &byte, 1), EBADF);
    return NULL;
}

/* The peer learns of bine_close() before anything else has run. */
RING_TEST(a_close_under_waiters_reaches_them_and_the_peer_at_once)
{
    for (int round = 0; round < 3; round++) {
        char byte;
        int fd[2];
        expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
        bine_task *first = bine_spawn(read_until_closed, &fd[0]);
        bine_task *second = bine_spawn(read_until_closed, &fd[0]);
        expect_ok(bine_sleep(round * BINE_MS)); /* 0: the ring has not heard of it yet */
        expect_int(recv(fd[1], &byte, 1, MSG_DONTWAIT), ==, -1);
        expect_ok(bine_close(fd[0]));
        expect_int(recv(fd[1], &byte, 1, MSG_DONTWAIT), ==, 0);
        join_ok(first);
        join_ok(second);
        expect_ok(bine_close(fd[1]));
    }
}

/* Foreign code closes what bine made and the ring watches.  Nobody waits for it: only the sweep can tell. */
RING_TEST(a_foreign_close_reaches_the_peer_after_a_sweep)
{
    char byte = 0;
    int fd[2], tries = 0;
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_read(fd[0], &byte, 1), ETIMEDOUT); /* the ring watches it from here on */
    }
    close(fd[0]);
    while (recv(fd[1], &byte, 1, MSG_DONTWAIT) != 0 && tries++ < PATIENCE)
        expect_ok(bine_sleep(10 * BINE_MS));
    expect_int(tries, <=, PATIENCE);
    expect_ok(bine_close(fd[1]));
}

struct reader {
    int fd[2];
    char byte;
};

static void *read_one(void *arg)
{
    struct reader *reader = arg;
    expect_int(bine_read(reader->fd[0], &reader->byte, 1), ==, 1);
    return NULL;
}

RING_TEST(a_number_that_foreign_code_reused_is_watched_as_what_it_is)
{
    struct reader reader = {.byte = 0};
    int new[2];
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, reader.fd));
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, new));
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_read(reader.fd[0], &reader.byte, 1), ETIMEDOUT);
    }
    expect_int(dup2(new[0], reader.fd[0]), ==, reader.fd[0]);
    bine_task *task = bine_spawn(read_one, &reader); /* waits for what is no more, until the sweep */
    expect_ok(bine_sleep(0));
    expect_int(send(new[1], "x", 1, 0), ==, 1);
    join_ok(task);
    expect_int(reader.byte, ==, 'x');
    pair_close(reader.fd);
    pair_close(new);
}

static void *send_urgently(void *fd)
{
    expect_int(send(*(int *)fd, "abc!", 4, MSG_OOB), ==, 4);
    expect_ok(bine_sleep(2 * BINE_MS));
    expect_int(send(*(int *)fd, "def", 3, 0), ==, 3);
    return NULL;
}

/* A read ends early at the mark, though there is more. */
RING_TEST(urgent_data_never_leaves_a_reader_behind)
{
    for (int round = 0; round < 10; round++) {
        char text[8] = "";
        size_t got = 0;
        int fd[2];
        pair_make(PAIR_TCP, fd);
        bine__fd_fresh(fd[0], BINE__KIND_TCP);
        bine__fd_fresh(fd[1], BINE__KIND_TCP);
        bine_task *sender = bine_spawn(send_urgently, &fd[1]);
        while (got < 6) {
            ssize_t n = bine_read(fd[0], text + got, sizeof text - 1 - got);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        expect_str(text, "abcdef");
        join_ok(sender);
        pair_close(fd);
    }
}

/* ---- Whole operations -------------------------------------------------------------- */

/* A read of a pipe by the ring itself, which can wait for as long as it takes: bine's own calls hand it only
 * files, whose reads the test could not hold up. */
static int read_whole(int fd, char *buffer, size_t size, int *result)
{
    struct iovec iov = {buffer, size};
    struct bine__op op = {.verb = BINE__OP_READ, .fd = fd, .iov = &iov, .count = 1, .offset = -1};
    int elsewhere = bine__operate(bine__loop, bine__current(), &op);
    *result = elsewhere == 0 ? op.result : 0;
    return elsewhere;
}

RING_TEST(a_cancelled_operation_is_over_when_its_call_returns)
{
    char buffer[4] = "---";
    int fd[2], result;
    expect_ok(pipe(fd));
    BINE_TIMEOUT(BINE_MS) {
        errno = 0;
        expect_int(read_whole(fd[0], buffer, 3, &result), ==, -1);
        expect_int(errno, ==, ETIMEDOUT);
    }
    expect_int(write(fd[1], "abc", 3), ==, 3);
    expect_ok(bine_sleep(BINE_MS));
    expect_str(buffer, "---"); /* the kernel has let go of it, and has not taken what came later */
    expect_int(read_whole(fd[0], buffer, 3, &result), ==, 0);
    expect_int(result, ==, 3);
    expect_str(buffer, "abc");
    close(fd[0]);
    close(fd[1]);
}

struct race {
    int fd[2];
    char byte;
    bool got;
};

static void *race_reader(void *arg)
{
    struct race *race = arg;
    int result, elsewhere = read_whole(race->fd[0], &race->byte, 1, &result);
    race->got = elsewhere == 0;
    if (race->got)
        expect_int(result, ==, 1);
    else
        expect_int(elsewhere, ==, -1);
    return NULL;
}

/* The byte is either the reader's or still in the pipe. */
RING_TEST(a_cancellation_that_races_with_completion_loses_nothing)
{
    uint64_t random = support_seed();
    for (int round = 0; round < 300; round++) {
        struct race race = {.byte = '-'};
        char rest = 0;
        expect_ok(pipe2(race.fd, O_NONBLOCK));
        fcntl(race.fd[0], F_SETFL, 0); /* the ring waits only where the file may */
        bine_task *reader = bine_spawn(race_reader, &race);
        for (uint64_t turns = support_random(&random) % 3; turns > 0; turns--)
            expect_ok(bine_yield());
        bool write_first = support_random(&random) & 1;
        if (write_first)
            expect_int(write(race.fd[1], "x", 1), ==, 1);
        if (support_random(&random) & 1)
            expect_ok(bine_yield());
        bine_cancel(reader);
        if (!write_first)
            expect_int(write(race.fd[1], "x", 1), ==, 1);
        bine_result outcome;
        expect_ok(bine_join(reader, &outcome));
        fcntl(race.fd[0], F_SETFL, O_NONBLOCK);
        expect_int(read(race.fd[0], &rest, 1), ==, race.got ? -1 : 1);
        expect_int(race.got ? race.byte : rest, ==, 'x');
        close(race.fd[0]);
        close(race.fd[1]);
    }
}

static int many_fd;

static void *write_one(void *at)
{
    expect_int(bine_pwrite(many_fd, "x", 1, (off_t)(uintptr_t)at), ==, 1);
    return NULL;
}

/* More in one turn than the ring has entries for, and more completions than its queue has. */
RING_TEST(more_than_the_queues_hold_is_still_done)
{
    const uintptr_t many = support_slow() ? 1000 : 6000;
    char path[] = "/tmp/check-uring-XXXXXX", text[6001] = "";
    size_t found = 0;
    many_fd = mkstemp(path);
    unlink(path);
    BINE_GROUP(group, BINE_GROUP_ALL) {
        for (uintptr_t i = 0; i < many; i++)
            expect(bine_group_spawn(&group, write_one, (void *)i) != NULL);
    }
    expect_int(pread(many_fd, text, many, 0), ==, many);
    for (uintptr_t i = 0; i < many; i++)
        found += text[i] == 'x';
    expect_uint(found, ==, many);
    close(many_fd);
}

static void *nothing(void *arg)
{
    return arg;
}

RING_TEST(a_forked_child_may_have_a_ring_of_its_own)
{
    char byte = 0;
    int fd[2], status = -1;
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    BINE_TIMEOUT(BINE_MS) {
        expect_fails(bine_read(fd[0], &byte, 1), ETIMEDOUT);
    }
    pid_t child = fork();
    if (child == 0)
        _exit(bine_run_with(&ring_wanted, nothing, NULL, NULL) == 0 ? 0 : 1);
    expect_int(child, >, 0);
    expect_int(waitpid(child, &status, 0), ==, child);
    expect_int(status, ==, 0);
    expect_int(bine_write(fd[1], "x", 1), ==, 1);
    expect_int(bine_read(fd[0], &byte, 1), ==, 1);
    expect_int(byte, ==, 'x');
    pair_close(fd);
}

/* ---- When the kernel refuses ------------------------------------------------------- */

enum { EVERY_CALL = 0 /* that concerns rings */ };

/* From now on the call fails; only when it hands something in, if that is asked for (its second argument). */
static bool refuse(unsigned call, int error, bool submissions_only)
{
    if (call == EVERY_CALL)
        return refuse(SYS_io_uring_setup, error, false) && refuse(SYS_io_uring_register, error, false) &&
               refuse(SYS_io_uring_enter, error, false);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, submissions_only ? 0 : UINT32_MAX, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct refusal {
    unsigned call;
    int error;
    bool submissions_only;
};

enum { READERS = 40 };

static void *look_for_one(void *arg)
{
    struct reader *reader = arg;
    expect_int(bine_poll_fd(reader->fd[0], POLLIN), ==, POLLIN);
    return read_one(arg);
}

/* Tasks wait on what the ring watches, and on what epoll does; then the ring is refused; then their bytes
 * come, and files are written by way of whatever is left. */
static void *lose_the_ring(void *arg)
{
    const struct refusal *refusal = arg;
    static struct reader readers[READERS];
    bine_task *tasks[READERS];
    char path[] = "/tmp/check-uring-XXXXXX", text[8] = "";
    if (!on_ring())
        _exit(NO_RING);
    for (int i = 0; i < READERS; i++) {
        expect_ok(i % 3 ? bine_socketpair(AF_UNIX, SOCK_STREAM, 0, readers[i].fd) : pipe(readers[i].fd));
        tasks[i] = bine_spawn(i % 5 ? read_one : look_for_one, &readers[i]);
        if (i == READERS / 2) /* the others' polls are not handed in yet */
            expect_ok(bine_sleep(BINE_MS));
    }
    expect_ok(bine_yield());
    if (!refuse(refusal->call, refusal->error, refusal->submissions_only))
        _exit(NO_FILTER);
    many_fd = mkstemp(path);
    unlink(path);
    bine_task *writer = bine_spawn(write_one, NULL);
    expect_ok(bine_sleep(BINE_MS));
    for (int i = 0; i < READERS; i++)
        expect_int(write(readers[i].fd[1], "x", 1), ==, 1);
    for (int i = 0; i < READERS; i++) {
        join_ok(tasks[i]);
        expect_int(readers[i].byte, ==, 'x');
        pair_close(readers[i].fd);
    }
    join_ok(writer);
    expect_int(bine_pread(many_fd, text, 1, 0), ==, 1);
    expect_ok(bine_fsync(many_fd));
    expect_str(text, "x");
    close(many_fd);
    return NULL;
}

static void refused_in_mid_run(void *arg)
{
    expect_ok(bine_run_with(&ring_wanted, lose_the_ring, arg, NULL));
    _exit(support_failures() ? 1 : 0);
}

/* Runs it in a child; skips, and is false, where the child says so. */
static bool expect_child(void (*fn)(void *), void *arg, const char *test)
{
    char text[1024];
    int status = run_child(fn, arg, text, sizeof text);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == NO_FILTER || WEXITSTATUS(status) == NO_RING)) {
        support_skip(test, WEXITSTATUS(status) == NO_RING ? "no io_uring here" : "no seccomp filter here");
        return false;
    }
    expect_int(status, ==, 0);
    expect_str(text, "");
    return true;
}

START_TEST(a_ring_refused_in_mid_run_loses_nothing)
{
    static const struct refusal refusals[] = {
        {SYS_io_uring_enter, EPERM, false},  {SYS_io_uring_enter, EAGAIN, false},
        {SYS_io_uring_enter, EBUSY, true},   {SYS_io_uring_enter, ENOMEM, true},
        {SYS_io_uring_enter, EAGAIN, true},  {EVERY_CALL, EPERM, false},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct refusal refusal = refusals[i];
        if (!expect_child(refused_in_mid_run, &refusal, "a_ring_refused_in_mid_run_loses_nothing"))
            break;
    }
}
END_TEST

enum { WRITERS = 24, OPENERS = 12, PIECE = 1 << 20 };

static char *piece;

/* A ring in memory of the library's tells how operations end after it has been closed. */
static bool ends_are_known(void)
{
#ifdef BINE_URING
    return ((const struct bine__uring *)bine__loop->io->backend)->memory != NULL;
#else
    return false;
#endif
}

static void *open_new(void *path)
{
    int fd = bine_open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    expect_int(fd, >=, 0);
    expect_ok(bine_close(fd));
    return NULL;
}

static void *write_piece(void *at)
{
    expect_int(bine_pwrite(many_fd, piece, PIECE, (off_t)(uintptr_t)at * PIECE), ==, PIECE);
    return NULL;
}

static void *write_at_position(void *arg)
{
    expect_int(bine_write(*(int *)arg, piece, PIECE), ==, PIECE);
    return NULL;
}

static void *read_in_vain(void *arg)
{
    struct reader *reader = arg;
    int result, elsewhere = read_whole(reader->fd[0], &reader->byte, 1, &result);
    expect_int(elsewhere, ==, ends_are_known()); /* it has read nothing: somebody else may */
    expect_int(result, ==, ends_are_known() ? 0 : -EIO);
    return NULL;
}

static void *read_cancelled(void *arg)
{
    struct reader *reader = arg;
    int result;
    expect_int(read_whole(reader->fd[0], &reader->byte, 1, &result), !=, 1);
    return NULL;
}

/* What the kernel has at that moment: reads that would last for ever, and writes that threads of its own carry
 * out.  It tells nobody any more how they end. */
static void *lose_the_ring_with_operations(void *arg)
{
    const struct refusal *refusal = arg;
    struct reader reader = {.byte = '-'}, cancelled = {.byte = '-'};
    bine_task *writers[WRITERS], *openers[OPENERS];
    char path[] = "/tmp/check-uring-XXXXXX", others[OPENERS][sizeof path + 2];
    if (!on_ring())
        _exit(NO_RING);
    piece = malloc(PIECE);
    memset(piece, 'p', PIECE);
    many_fd = mkstemp(path);
    int at_position = open(path, O_WRONLY | O_CLOEXEC);
    unlink(path);
    expect_ok(pipe(reader.fd));
    expect_ok(pipe(cancelled.fd));
    bine_task *waits = bine_spawn(read_in_vain, &reader), *leaves = bine_spawn(read_cancelled, &cancelled);
    for (uintptr_t i = 0; i < WRITERS; i++)
        writers[i] = bine_spawn(write_piece, (void *)i);
    bine_task *last = bine_spawn(write_at_position, &at_position);
    const unsigned before = fixture_fds();
    for (int i = 0; i < OPENERS; i++) {
        snprintf(others[i], sizeof others[i], "%s-%c", path, 'a' + i);
        openers[i] = bine_spawn(open_new, others[i]);
    }
    expect_ok(bine_sleep(1)); /* the turn hands all of them in */
    if (!refuse(refusal->call, refusal->error, refusal->submissions_only))
        _exit(NO_FILTER);
    expect_ok(bine_cancel(leaves));
    expect_ok(bine_join(leaves, NULL));
    for (int i = 0; i < OPENERS; i++) {
        join_ok(openers[i]);
        expect_ok(unlink(others[i]));
    }
    join_ok(waits);
    if (ends_are_known()) /* no file has been opened for nobody; the ring itself is gone */
        expect_uint(fixture_fds(), <=, before);
    join_ok(last);
    expect_int(lseek(at_position, 0, SEEK_CUR), ==, PIECE);
    for (int i = 0; i < WRITERS; i++)
        join_ok(writers[i]);
    memset(piece, 0, PIECE);
    for (int i = 0; i < WRITERS; i++) {
        expect_int(pread(many_fd, piece, PIECE, (off_t)i * PIECE), ==, PIECE);
        expect(piece[0] == 'p' && memcmp(piece, piece + 1, PIECE - 1) == 0);
    }
    expect_int(write(reader.fd[1], "x", 1), ==, 1);
    expect_int(write(cancelled.fd[1], "x", 1), ==, 1);
    expect_ok(bine_sleep(BINE_MS));
    expect(reader.byte == '-' && cancelled.byte == '-'); /* the kernel has let go of them */
    expect_int(bine_read(reader.fd[0], &reader.byte, 1), ==, 1);
    expect_int(reader.byte, ==, 'x');
    pair_close(reader.fd);
    pair_close(cancelled.fd);
    close(at_position);
    close(many_fd);
    free(piece);
    return NULL;
}

static void refused_with_operations(void *arg)
{
    expect_ok(bine_run_with(&ring_wanted, lose_the_ring_with_operations, arg, NULL));
    _exit(support_failures() ? 1 : 0);
}

START_TEST(operations_of_a_ring_refused_in_mid_run_end)
{
    static const struct refusal refusals[] = {{SYS_io_uring_enter, EPERM, false}, {EVERY_CALL, EPERM, false}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct refusal refusal = refusals[i];
        if (!expect_child(refused_with_operations, &refusal, "operations_of_a_ring_refused_in_mid_run_end"))
            break;
    }
}
END_TEST

static void *read_without_ring(void *arg)
{
    struct reader reader = {.byte = 0};
    expect(!on_ring());
    expect_ok(bine_pipe(reader.fd));
    bine_task *task = bine_spawn(read_one, &reader);
    expect_ok(bine_sleep(0));
    expect_int(bine_write(reader.fd[1], "x", 1), ==, 1);
    join_ok(task);
    pair_close(reader.fd);
    return arg;
}

static void refused_from_the_start(void *arg)
{
    const struct refusal *refusal = arg;
    if (!refuse(refusal->call, refusal->error, refusal->submissions_only))
        _exit(NO_FILTER);
    expect_ok(bine_run_with(&ring_wanted, read_without_ring, NULL, NULL));
    setenv("BINE_REACTOR", "io_uring", 1);
    expect_ok(bine_run(read_without_ring, NULL, NULL));
    _exit(support_failures() ? 1 : 0);
}

START_TEST(where_it_is_forbidden_epoll_takes_its_place_silently)
{
    static const struct refusal refusals[] = {
        {SYS_io_uring_setup, ENOSYS, false}, {SYS_io_uring_setup, EPERM, false},
        {SYS_io_uring_setup, EACCES, false}, {SYS_io_uring_setup, ENOMEM, false},
        {SYS_io_uring_setup, EINVAL, false}, {SYS_io_uring_enter, EPERM, false},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct refusal refusal = refusals[i];
        if (!expect_child(refused_from_the_start, &refusal,
                          "where_it_is_forbidden_epoll_takes_its_place_silently"))
            break;
    }
}
END_TEST

SUPPORT_MAIN("uring", a_close_under_waiters_reaches_them_and_the_peer_at_once,
             a_foreign_close_reaches_the_peer_after_a_sweep,
             a_number_that_foreign_code_reused_is_watched_as_what_it_is,
             urgent_data_never_leaves_a_reader_behind, a_cancelled_operation_is_over_when_its_call_returns,
             a_cancellation_that_races_with_completion_loses_nothing, more_than_the_queues_hold_is_still_done,
             a_forked_child_may_have_a_ring_of_its_own, a_ring_refused_in_mid_run_loses_nothing,
             operations_of_a_ring_refused_in_mid_run_end,
             where_it_is_forbidden_epoll_takes_its_place_silently)
