/* SPDX-License-Identifier: MIT
 *
 * Regular files and directories, whose work threads do; copying in the kernel; what becomes of a call
 * whose task is cancelled meanwhile. */
#define _GNU_SOURCE
#include "support/support.h"
#include "support/tasks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "support/sockets.h"

static char directory[64];

/* Makes an empty directory; returns the path of a name in it. */
static const char *path_of(const char *name)
{
    static char path[128];
    if (!directory[0]) {
        snprintf(directory, sizeof directory, "/tmp/check-io-file-XXXXXX");
        expect(mkdtemp(directory) != NULL);
    }
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void remove_all(const char *name)
{
    unlink(path_of(name));
    expect_ok(rmdir(directory));
}

LOOP_TEST(files_are_written_read_and_positioned)
{
    char buf[64] = "";
    int fd = bine_open(path_of("file"), O_RDWR | O_CREAT | O_EXCL, 0640);
    struct stat status;
    expect_int(fd, >=, 0);
    expect_ok(fstat(fd, &status));
    mode_t mask = umask(0);
    umask(mask);
    expect_int(status.st_mode & 0777, ==, 0640 & ~mask);
    expect_int(bine_write(fd, "hello world", 11), ==, 11);
    expect_int(bine_pwrite(fd, "HELLO", 5, 0), ==, 5);
    expect_int(bine_pread(fd, buf, 5, 6), ==, 5);
    expect_str(buf, "world");
    expect_int(bine_read(fd, buf, sizeof buf), ==, 0); /* the offset is at the end */
    expect_int(lseek(fd, 0, SEEK_SET), ==, 0);
    expect_int(bine_read(fd, buf, sizeof buf), ==, 11);
    expect(memcmp(buf, "HELLO world", 11) == 0);
    lseek(fd, 0, SEEK_SET);
    expect_int(bine_read_full(fd, buf, sizeof buf), ==, 11);
    struct iovec iov[] = {{buf, 4}, {buf + 4, 4}};
    expect_int(bine_writev(fd, iov, 2), ==, 8);
    lseek(fd, 11, SEEK_SET);
    expect_int(bine_readv(fd, iov, 2), ==, 8);
    expect_ok(bine_fsync(fd));
    expect_int(bine_pread(fd, buf, 4, 1 << 20), ==, 0);
    expect_fails(bine_pread(fd, buf, 4, -1), EINVAL);
    expect_fails(bine_pwrite(fd, buf, 4, -1), EINVAL);
    expect_int(bine_poll_fd(fd, POLLIN), ==, POLLIN); /* as poll(2): a file is always ready */
    expect_ok(bine_close(fd));
    expect_fails(bine_open(path_of("file"), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    expect_fails(bine_open(path_of("missing"), O_RDONLY), ENOENT);
    remove_all("file");
}

LOOP_TEST(a_directory_is_opened_but_not_read)
{
    char buf[8] = "";
    int fd = bine_open("/tmp", O_RDONLY | O_DIRECTORY);
    expect_int(fd, >=, 0);
    expect_fails(bine_read(fd, buf, sizeof buf), EISDIR);
    expect_fails(bine_write(fd, buf, sizeof buf), EBADF);
    bine_close(fd);
}

LOOP_TEST(a_pipe_has_no_positions)
{
    int fd[2];
    char buf[8] = "";
    pair_make(PAIR_PIPE, fd);
    expect_fails(bine_pread(fd[0], buf, sizeof buf, 0), ESPIPE);
    expect_fails(bine_pwrite(fd[1], buf, sizeof buf, 0), ESPIPE);
    expect_fails(bine_fsync(fd[0]), EINVAL);
    pair_close(fd);
}

/* Opening a FIFO waits for the other side: if it held the loop, neither would ever come. */
static void *open_for_writing(void *arg)
{
    int fd = bine_open(arg, O_WRONLY);
    expect_int(fd, >=, 0);
    expect_int(bine_write(fd, "met", 3), ==, 3);
    expect_ok(bine_close(fd));
    return NULL;
}

LOOP_TEST(an_open_that_blocks_holds_its_task_alone)
{
    char buf[8] = "";
    const char *path = path_of("fifo");
    expect_ok(mkfifo(path, 0600));
    bine_task *task = bine_spawn(open_for_writing, (void *)(uintptr_t)path);
    int fd = bine_open(path, O_RDONLY);
    expect_int(fd, >=, 0);
    expect_int(bine_read_full(fd, buf, sizeof buf), ==, 3);
    expect_str(buf, "met");
    join(task);
    bine_close(fd);
    remove_all("fifo");
}

static int opened;
static int open_error;

static void *open_for_reading(void *arg)
{
    errno = 0;
    opened = bine_open(arg, O_RDONLY);
    open_error = errno;
    return NULL;
}

LOOP_TEST(a_cancelled_open_leaks_nothing)
{
    const char *path = path_of("fifo");
    expect_ok(mkfifo(path, 0600));
    opened = -2;
    bine_task *task = bine_spawn(open_for_reading, (void *)(uintptr_t)path);
    expect_ok(bine_sleep(5 * BINE_MS));
    expect_int(opened, ==, -2);
    bine_cancel(task);
    expect_ok(bine_sleep(BINE_MS));
    int writer = open(path, O_RDWR); /* never blocks: lets the open(2) on the thread come back */
    join(task);
    expect(opened >= 0 || open_error == ECANCELED);
    if (opened >= 0)
        bine_close(opened);
    close(writer);
    expect_ok(bine_sleep(5 * BINE_MS));
    remove_all("fifo");
}

static bool busy;
static unsigned turns;

static void *count_turns(void *arg)
{
    while (busy) {
        turns++;
        bine_yield();
    }
    return arg;
}

LOOP_TEST(the_loop_goes_on_while_files_are_read)
{
    enum { SIZE = 256 << 10, ROUNDS = 40 };
    char *block = malloc(SIZE);
    memset(block, 'b', SIZE);
    int fd = bine_open(path_of("big"), O_RDWR | O_CREAT, 0600);
    busy = true;
    bine_task *task = bine_spawn(count_turns, NULL);
    for (int i = 0; i < ROUNDS; i++)
        expect_int(bine_write_full(fd, block, SIZE), ==, SIZE);
    expect_ok(bine_fsync(fd));
    for (int i = 0; i < ROUNDS; i++)
        expect_int(bine_pread(fd, block, SIZE, (off_t)i * SIZE), ==, SIZE);
    expect_uint(turns, >, 0);
    busy = false;
    join(task);
    bine_close(fd);
    free(block);
    remove_all("big");
}

static void *read_in_the_middle(void *arg)
{
    char buf[8] = "";
    expect_int(bine_pread(*(int *)arg, buf, 5, 3), ==, 5);
    expect_str(buf, "defgh");
    return NULL;
}

LOOP_TEST(many_tasks_read_files_at_once)
{
    bine_task *task[64];
    int fd = bine_open(path_of("file"), O_RDWR | O_CREAT, 0600);
    expect_int(bine_write(fd, "abcdefgh", 8), ==, 8);
    for (int i = 0; i < 64; i++)
        task[i] = bine_spawn(read_in_the_middle, &fd);
    for (int i = 0; i < 64; i++)
        join(task[i]);
    bine_close(fd);
    remove_all("file");
}

static void *sync_it(void *arg)
{
    int fd = *(int *)arg;
    for (int i = 0; i < 50; i++)
        if (bine_fsync(fd) != 0)
            return bine_fail(errno);
    return NULL;
}

LOOP_TEST(file_calls_observe_cancellation)
{
    int fd = bine_open(path_of("file"), O_RDWR | O_CREAT, 0600);
    char byte = 'x';
    BINE_TIMEOUT(0) {
        expect_fails(bine_fsync(fd), ETIMEDOUT);
        expect_fails(bine_pwrite(fd, &byte, 1, 0), ETIMEDOUT);
        expect_fails(bine_open("/tmp", O_RDONLY), ETIMEDOUT);
    }
    for (int i = 0; i < 20; i++) {
        bine_task *task = bine_spawn(sync_it, &fd);
        for (int j = 0; j < i; j++)
            bine_yield();
        bine_result result = {NULL, -1};
        expect_ok(bine_stop(task, &result));
        expect(result.error == ECANCELED || result.error == 0);
    }
    bine_close(fd);
    remove_all("file");
}

struct copy {
    int from;
    size_t n;
    char *into;
};

static void *read_copy(void *arg)
{
    struct copy *copy = arg;
    expect_int(bine_read_full(copy->from, copy->into, copy->n), ==, (ssize_t)copy->n);
    return NULL;
}

LOOP_TEST(sendfile_sends_a_file_past_a_full_socket)
{
    enum { SIZE = 1 << 20 };
    char *out = malloc(SIZE), *in = calloc(1, SIZE);
    for (int i = 0; i < SIZE; i++)
        out[i] = (char)(i >> 3);
    int file = bine_open(path_of("file"), O_RDWR | O_CREAT, 0600), fd[2];
    expect_int(bine_write_full(file, out, SIZE), ==, SIZE);
    pair_make(PAIR_TCP, fd);
    struct copy copy = {fd[0], SIZE, in};
    bine_task *task = bine_spawn(read_copy, &copy);
    off_t offset = 0;
    while (offset < SIZE) {
        off_t before = offset;
        ssize_t n = bine_sendfile(fd[1], file, &offset, (size_t)(SIZE - offset));
        if (!expect(n > 0))
            break;
        expect_int(offset - before, ==, n);
    }
    join(task);
    expect(memcmp(in, out, SIZE) == 0);
    expect_int(bine_sendfile(fd[1], file, &offset, 100), ==, 0); /* at its end */
    lseek(file, SIZE - 10, SEEK_SET);
    expect_int(bine_sendfile(fd[1], file, NULL, 100), ==, 10);
    expect_int(lseek(file, 0, SEEK_CUR), ==, SIZE);
    BINE_TIMEOUT(5 * BINE_MS) {
        do
            offset = 0;
        while (bine_sendfile(fd[1], file, &offset, SIZE) > 0); /* nobody reads */
        expect_int(errno, ==, ETIMEDOUT);
    }
    pair_close(fd);
    bine_close(file);
    remove_all("file");
    free(in);
    free(out);
}

static void *splice_all(void *arg)
{
    int *fd = arg;
    ssize_t total = 0;
    for (ssize_t n; (n = bine_splice(fd[0], NULL, fd[1], NULL, 1 << 16, 0)) > 0;)
        total += n;
    expect_ok(bine_close(fd[1]));
    return (void *)total;
}

LOOP_TEST(splice_moves_what_comes_and_parks_in_between)
{
    int from[2], to[2];
    char buf[32] = "";
    pair_make(PAIR_UNIX, from);
    pair_make(PAIR_PIPE, to);
    int ends[2] = {from[0], to[1]};
    bine_task *task = bine_spawn(splice_all, ends);
    for (int i = 0; i < 3; i++) {
        bine_yield();
        bine_yield();
        expect_int(bine_write(from[1], "splice", 6), ==, 6);
    }
    expect_int(bine_read_full(to[0], buf, 18), ==, 18);
    expect_str(buf, "splicesplicesplice");
    bine_close(from[1]);
    from[1] = to[1] = -1;
    expect_int((intptr_t)join(task).value, ==, 18);
    expect_int(bine_read(to[0], buf, sizeof buf), ==, 0);
    pair_close(from);
    pair_close(to);
}

static void warm(void)
{
    char byte;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    (void)bine_fsync(fd);
    (void)bine_pread(fd, &byte, 1, 0);
    close(fd);
}

static __attribute__((constructor)) void set_warm(void)
{
    support_warm = warm;
}

SUPPORT_MAIN("io_file", files_are_written_read_and_positioned, a_directory_is_opened_but_not_read,
             a_pipe_has_no_positions, an_open_that_blocks_holds_its_task_alone,
             a_cancelled_open_leaks_nothing, the_loop_goes_on_while_files_are_read,
             many_tasks_read_files_at_once, file_calls_observe_cancellation,
             sendfile_sends_a_file_past_a_full_socket, splice_moves_what_comes_and_parks_in_between)
