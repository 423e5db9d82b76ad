/* SPDX-License-Identifier: MIT
 *
 * statx, and files at their limits: beyond 2 GiB, read at their end, appended to, a directory of very many. */
#define _GNU_SOURCE
#include "support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "support/fault.h"

static char directory[] = "/tmp/bine-statx-XXXXXX";

static const char *in_directory(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int file_of(const char *name, int flags)
{
    int fd = bine_open(in_directory(name), flags | O_CREAT | O_CLOEXEC, 0600);
    expect_int(fd, >=, 0);
    return fd;
}

static void file_end(int fd, const char *name)
{
    expect_ok(bine_close(fd));
    expect_ok(unlink(in_directory(name)));
    expect_ok(rmdir(directory));
}

/* ---- statx ------------------------------------------------------------------------------------------- */

LOOP_TEST(a_file_is_described)
{
    struct statx status = {0};
    int fd;

    expect(mkdtemp(directory));
    fd = file_of("file", O_RDWR);
    expect_int(bine_write(fd, "twelve bytes", 12), ==, 12);
    expect_ok(bine_statx(AT_FDCWD, in_directory("file"), 0, STATX_BASIC_STATS, &status));
    expect_int(status.stx_size, ==, 12);
    expect(S_ISREG(status.stx_mode));
    status.stx_size = 0;
    expect_ok(bine_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &status));
    expect_int(status.stx_size, ==, 12);
    expect_ok(symlink("nowhere", in_directory("link")));
    expect_ok(bine_statx(AT_FDCWD, in_directory("link"), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status));
    expect(S_ISLNK(status.stx_mode));
    expect_fails(bine_statx(AT_FDCWD, in_directory("link"), 0, STATX_TYPE, &status), ENOENT);
    expect_ok(unlink(in_directory("link")));
    file_end(fd, "file");
}

static void *describe(void *arg)
{
    const struct statx *before = arg;
    struct statx status = *before;

    if (bine_statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &status) == 0) { /* it had been asked by then */
        expect(S_ISDIR(status.stx_mode));
    } else {
        expect_int(errno, ==, ECANCELED);
        expect(memcmp(&status, before, sizeof status) == 0);
    }
    return NULL;
}

LOOP_TEST(statx_fails_as_it_should)
{
    static char path[PATH_MAX + 1];
    struct statx status = {0};

    memset(path, '/', PATH_MAX);
    expect_fails(bine_statx(AT_FDCWD, NULL, 0, STATX_SIZE, &status), EFAULT);
    expect_fails(bine_statx(AT_FDCWD, "/", 0, STATX_SIZE, NULL), EFAULT);
    expect_fails(bine_statx(AT_FDCWD, path, 0, STATX_SIZE, &status), ENAMETOOLONG);
    expect_fails(bine_statx(AT_FDCWD, "/nosuch", 0, STATX_SIZE, &status), ENOENT);
    expect_fails(bine_statx(AT_FDCWD, "/dev/null/x", 0, STATX_SIZE, &status), ENOTDIR);
    expect_fails(bine_statx(-1, "x", 0, STATX_SIZE, &status), EBADF);
    BINE_TIMEOUT(0)
        expect_fails(bine_statx(AT_FDCWD, "/", 0, STATX_SIZE, &status), ETIMEDOUT);
    for (int i = 0; i < 20; i++) {
        bine_task *task = bine_spawn(describe, &status);
        expect_ok(bine_yield());
        bine_cancel(task);
        bine_join(task, NULL);
    }
}

LOOP_TEST(statx_survives_the_failure_of_any_call)
{
    bool more = true;

    for (long nth = 1; more && nth < 50; nth++) {
        struct statx status;
        fault_arm(nth);
        if (bine_statx(AT_FDCWD, "/", 0, STATX_TYPE, &status) != 0)
            expect(errno == ENOMEM || errno == EAGAIN);
        more = fault_injected() > 0;
        fault_disarm();
    }
    expect(!more);
}

static void describe_in_a_callback(void *arg)
{
    expect_fails(bine_statx(AT_FDCWD, "/", 0, STATX_TYPE, arg), EDEADLK);
}

LOOP_TEST(in_a_callback_statx_is_edeadlk)
{
    struct statx status;

    expect_ok(bine_call_soon(describe_in_a_callback, &status));
    expect_ok(bine_sleep(BINE_MS));
}

START_TEST(outside_a_loop_statx_is_refused)
{
    struct statx status;

    expect_fails(bine_statx(AT_FDCWD, "/", 0, STATX_TYPE, &status), EPERM);
    support_settle();
}
END_TEST

/* ---- Files at their limits --------------------------------------------------------------------------- */

static void *read_a_page(void *arg)
{
    char page[4096] = "";

    expect_int(bine_read_full(*(int *)arg, page, sizeof page), ==, sizeof page);
    expect(memcmp(page, "beyond", 6) == 0);
    return NULL;
}

LOOP_TEST(a_sparse_file_is_read_and_sent_beyond_2_gib)
{
    const off_t far = ((off_t)5 << 30) + 123;
    struct statx status;
    char buf[16] = "";
    off_t offset = far;
    int fd, ends[2];

    expect(mkdtemp(directory));
    fd = file_of("file", O_RDWR);
    expect_int(bine_pwrite(fd, "beyond", 6, far), ==, 6);
    expect_ok(ftruncate(fd, far + 4096));
    expect_int(bine_pread(fd, buf, sizeof buf, far), ==, sizeof buf);
    expect_str(buf, "beyond");
    expect_int(bine_pread(fd, buf, sizeof buf, (off_t)3 << 30), ==, sizeof buf); /* a hole */
    expect_int(buf[0], ==, 0);
    expect_int(bine_pread(fd, buf, sizeof buf, far + 4090), ==, 6); /* what is left of it */
    expect_int(bine_pread(fd, buf, sizeof buf, far + 4096), ==, 0);
    expect_int(bine_pread(fd, buf, sizeof buf, far << 8), ==, 0);
    expect_fails(bine_pread(fd, buf, sizeof buf, -1), EINVAL);
    expect_int(lseek(fd, far, SEEK_SET), ==, far);
    expect_int(bine_read(fd, buf, 6), ==, 6); /* at the file's own position */
    expect_ok(bine_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &status));
    expect_int(status.stx_size, ==, far + 4096);

    expect_ok(bine_pipe(ends));
    bine_task *reader = bine_spawn(read_a_page, &ends[0]);
    expect_int(bine_sendfile(ends[1], fd, &offset, 1 << 20), ==, 4096);
    expect_int(offset, ==, far + 4096);
    expect_int(bine_sendfile(ends[1], fd, &offset, 1), ==, 0);
    expect_ok(bine_join(reader, NULL));
    for (int i = 0; i < 2; i++)
        expect_ok(bine_close(ends[i]));
    file_end(fd, "file");
}

static void *append_lines(void *arg)
{
    for (int i = 0; i < 50; i++)
        expect_int(bine_write(*(int *)arg, "a line\n", 7), ==, 7);
    return NULL;
}

LOOP_TEST(what_is_appended_at_once_is_not_lost)
{
    enum { WRITERS = 8 };
    bine_task *tasks[WRITERS];
    struct statx status;
    char line[8] = "";
    int fd;

    expect(mkdtemp(directory));
    fd = file_of("file", O_RDWR | O_APPEND);
    for (int i = 0; i < WRITERS; i++)
        tasks[i] = bine_spawn(append_lines, &fd);
    for (int i = 0; i < WRITERS; i++)
        expect_ok(bine_join(tasks[i], NULL));
    expect_ok(bine_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &status));
    expect_int(status.stx_size, ==, WRITERS * 50 * 7);
    for (off_t at = 0; at < WRITERS * 50 * 7; at += 7) {
        expect_int(bine_pread(fd, line, 7, at), ==, 7);
        expect_str(line, "a line\n");
    }
    expect_int(lseek(fd, 0, SEEK_END), ==, WRITERS * 50 * 7);
    expect_int(bine_read(fd, line, 7), ==, 0); /* the end, again and again, until there is more */
    expect_int(bine_read(fd, line, 7), ==, 0);
    expect_int(bine_write(fd, "more", 4), ==, 4);
    expect_int(bine_pread(fd, line, 7, WRITERS * 50 * 7), ==, 4);
    file_end(fd, "file");
}

LOOP_TEST(a_directory_of_very_many_is_read_whole)
{
    const unsigned many = support_slow() ? 500 : 20000;
    unsigned seen = 0;
    char name[32];
    bine_dir *dir;
    int fd;

    expect(mkdtemp(directory));
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < many; i++) {
        snprintf(name, sizeof name, "%u", i);
        expect_ok(mknodat(fd, name, S_IFREG | 0600, 0));
    }
    dir = bine_opendir(directory);
    for (struct dirent *entry; (errno = 0, entry = bine_readdir(dir)) != NULL;)
        seen += entry->d_name[0] != '.';
    expect_int(errno, ==, 0);
    expect_int(seen, ==, many);
    expect_ok(bine_closedir(dir));
    for (unsigned i = 0; i < many; i++) {
        snprintf(name, sizeof name, "%u", i);
        expect_ok(unlinkat(fd, name, 0));
    }
    close(fd);
    expect_ok(rmdir(directory));
}

SUPPORT_MAIN("statx", a_file_is_described, statx_fails_as_it_should, statx_survives_the_failure_of_any_call,
             in_a_callback_statx_is_edeadlk, outside_a_loop_statx_is_refused,
             a_sparse_file_is_read_and_sent_beyond_2_gib, what_is_appended_at_once_is_not_lost,
             a_directory_of_very_many_is_read_whole)
