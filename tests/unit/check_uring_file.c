/* SPDX-License-Identifier: MIT
 *
 * Files by io_uring: no thread is needed, and the position that tasks share moves as read(2) and write(2)
 * have it, though the kernel's own does not. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/ring.h"

static void join_ok(bine_task *task)
{
    bine_result result = {NULL, -1};
    expect_ok(bine_join(task, &result));
    expect_int(result.error, ==, 0);
}

RING_TEST(files_need_no_thread)
{
    char path[] = "/tmp/check-uring-XXXXXX", text[8] = "", *big = malloc(1 << 20);
    int fd = mkstemp(path), fds[2], other;
    bine_statistics before, after;
    ck_assert_ptr_nonnull(big);
    memset(big, 'b', 1 << 20);
    close(fd);
    bine_stats(&before);
    fd = bine_open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
    expect_int(fd, >=, 0);
    expect_int(bine_write(fd, "hello", 5), ==, 5);
    expect_ok(bine_fsync(fd));
    expect_int(bine_pread(fd, text, 5, 0), ==, 5);
    expect_str(text, "hello");
    expect_int(bine_pwrite(fd, big, 1 << 20, 5), ==, 1 << 20);
    memset(big, 0, 1 << 20);
    expect_int(bine_pread(fd, big, 1 << 20, 5), ==, 1 << 20); /* more than is copied on the loop */
    expect(big[0] == 'b' && big[(1 << 20) - 1] == 'b');
    expect_ok(bine_pipe(fds));
    off_t from = 1;
    expect_int(bine_splice(fd, &from, fds[1], NULL, 4, 0), ==, 4);
    expect_int(from, ==, 5);
    expect_int(bine_read(fds[0], text, 4), ==, 4);
    expect_str(text, "elloo");
    expect_fails(bine_open("/tmp/check-uring/no/such", O_RDONLY), ENOENT);
    expect_fails(bine_open(path, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    other = bine_open(path, O_RDONLY | O_CLOEXEC);
    expect_fails(bine_write(other, "x", 1), EBADF);
    bine_stats(&after);
    expect_uint(after.offloaded, ==, before.offloaded);
    expect_ok(bine_close(other));
    expect_ok(bine_close(fd));
    expect_ok(bine_close(fds[0]));
    expect_ok(bine_close(fds[1]));
    unlink(path);
    free(big);
}

enum { SIDE = 8, ROUNDS = 12, LONG = 600 * 1024, SHORT = 100 };

struct side {
    int fd;
    size_t size;
    char mark, *text;
    size_t found;
};

static void *write_in_turn(void *arg)
{
    struct side *side = arg;
    memset(side->text, side->mark, side->size);
    for (int i = 0; i < ROUNDS; i++)
        expect_int(bine_write(side->fd, side->text, side->size), ==, side->size);
    return NULL;
}

/* Until the end; each read finds its own part of the file. */
static void *read_in_turn(void *arg)
{
    struct side *side = arg;
    ssize_t n;
    while ((n = bine_read(side->fd, side->text, side->size)) > 0)
        side->found += (size_t)n;
    expect_int(n, ==, 0);
    return NULL;
}

/* Long ones are carried out by the kernel's workers, short ones at once. */
static void all_sides(bine_fn *fn, struct side sides[SIDE], int fd)
{
    bine_task *tasks[SIDE];
    for (int i = 0; i < SIDE; i++) {
        sides[i].fd = fd;
        sides[i].size = i % 2 ? SHORT : LONG;
        sides[i].mark = (char)('a' + i);
        sides[i].found = 0;
        sides[i].text = malloc(LONG);
        tasks[i] = bine_spawn(fn, &sides[i]);
    }
    for (int i = 0; i < SIDE; i++) {
        join_ok(tasks[i]);
        free(sides[i].text);
    }
}

RING_TEST(tasks_that_share_a_files_position_lose_nothing)
{
    const off_t all = (off_t)ROUNDS * (LONG + SHORT) * (SIDE / 2);
    struct side sides[SIDE];
    size_t counts[256] = {0}, found = 0;
    char path[] = "/tmp/check-uring-XXXXXX", *text = malloc((size_t)all);
    int fd = mkstemp(path);
    unlink(path);
    all_sides(write_in_turn, sides, fd);
    expect_int(lseek(fd, 0, SEEK_CUR), ==, all);
    expect_int(pread(fd, text, (size_t)all, 0), ==, all);
    for (off_t i = 0; i < all; i++)
        counts[(unsigned char)text[i]]++;
    for (int i = 0; i < SIDE; i++)
        expect_uint(counts[(unsigned char)sides[i].mark], ==, ROUNDS * sides[i].size);
    lseek(fd, 0, SEEK_SET);
    all_sides(read_in_turn, sides, fd);
    for (int i = 0; i < SIDE; i++)
        found += sides[i].found;
    expect_uint(found, ==, (size_t)all);
    expect_int(lseek(fd, 0, SEEK_CUR), ==, all);
    close(fd);
    free(text);
}

static void *write_until_closed(void *arg)
{
    struct side *side = arg;
    ssize_t n;
    while ((n = bine_write(side->fd, side->text, LONG)) == LONG)
        side->found++;
    expect_int(n, ==, -1);
    expect_int(errno, ==, EBADF);
    return NULL;
}

static void *write_cancelled(void *arg)
{
    struct side *side = arg;
    ssize_t n = bine_write(side->fd, side->text, LONG);
    expect(n == LONG || errno == ECANCELED);
    return NULL;
}

/* Those in line too. */
RING_TEST(who_waits_for_a_files_position_can_leave)
{
    char path[] = "/tmp/check-uring-XXXXXX";
    struct side side = {.text = calloc(1, LONG)};
    bine_task *writers[4], *leaving[4];
    side.fd = bine_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    unlink(path);
    for (int i = 0; i < 4; i++) {
        writers[i] = bine_spawn(write_until_closed, &side);
        leaving[i] = bine_spawn(write_cancelled, &side);
    }
    expect_ok(bine_sleep(1));
    for (int i = 0; i < 4; i++)
        expect_ok(bine_cancel(leaving[i]));
    for (int i = 0; i < 4; i++)
        join_ok(leaving[i]);
    expect_ok(bine_sleep(1));
    expect_ok(bine_close(side.fd));
    for (int i = 0; i < 4; i++)
        join_ok(writers[i]);
    free(side.text);
}

/* Of what there is no room for.  io_uring has left the position where it was. */
RING_TEST(a_write_cut_short_moves_the_position)
{
    enum { ROOM = 400 * 1024 };
    char path[] = "/tmp/check-uring-XXXXXX", *text = malloc(2 * LONG);
    struct rlimit before, little = {ROOM, 0};
    struct stat status;
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', LONG);
    memset(text + LONG, 'b', LONG);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    little.rlim_max = before.rlim_max;
    for (int append = 0; append < 2; append++) {
        int fd = bine_open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | (append ? O_APPEND : 0), 0600);
        setrlimit(RLIMIT_FSIZE, &little);
        expect_int(bine_write(fd, text, LONG), ==, ROOM);
        expect_int(lseek(fd, 0, SEEK_CUR), ==, ROOM);
        expect_fails(bine_write(fd, text + LONG, SHORT), EFBIG);
        setrlimit(RLIMIT_FSIZE, &before);
        expect_int(bine_write(fd, text + LONG, SHORT), ==, SHORT);
        expect_ok(fstat(fd, &status));
        expect_int(status.st_size, ==, ROOM + SHORT);
        expect_int(pread(fd, text, LONG, 0), ==, ROOM + SHORT);
        expect(text[0] == 'a' && text[ROOM - 1] == 'a' && text[ROOM] == 'b');
        memset(text, 'a', LONG);
        expect_ok(bine_close(fd));
    }
    unlink(path);
    signal(SIGXFSZ, SIG_DFL);
    free(text);
}

SUPPORT_MAIN("uring_file", files_need_no_thread, tasks_that_share_a_files_position_lose_nothing,
             who_waits_for_a_files_position_can_leave, a_write_cut_short_moves_the_position)
