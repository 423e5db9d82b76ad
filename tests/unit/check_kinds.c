/* SPDX-License-Identifier: MIT
 *
 * Kinds of descriptors, continued from check_io_kinds.c: FIFOs, terminals at their limits, timerfds, inotify,
 * directories, and files sent into pipes.  Sockets are check_kinds_socket.c. */
#define _GNU_SOURCE
#include "support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>

#include "support/fault.h"
#include "support/reading.h"

static char directory[] = "/tmp/bine-kinds-XXXXXX";

static const char *in_directory(const char *name)
{
    static char path[2][128];
    static unsigned next;
    char *out = path[next++ % 2];

    snprintf(out, sizeof path[0], "%s/%s", directory, name);
    return out;
}

/* ---- FIFOs ------------------------------------------------------------------------------------------- */

static void *write_to_fifo(void *arg)
{
    int fd = bine_open(arg, O_WRONLY | O_CLOEXEC);
    expect_int(fd, >=, 0);
    expect_int(bine_write(fd, "first", 5), ==, 5);
    expect_ok(bine_close(fd));
    return NULL;
}

LOOP_TEST(a_fifo_is_opened_by_two_and_ends_with_its_writer)
{
    char path[128];
    struct reading reading = {0};

    expect(mkdtemp(directory));
    snprintf(path, sizeof path, "%s", in_directory("fifo"));
    expect_ok(mkfifo(path, 0600));
    for (int round = 0; round < 3; round++) { /* a FIFO's end is not for ever: it is opened again */
        bine_task *task = bine_spawn(write_to_fifo, path);
        reading.fd = bine_open(path, O_RDONLY | O_CLOEXEC);
        expect_int(reading.fd, >=, 0);
        read_it(&reading);
        expect_int(reading.n, ==, 5);
        expect_ok(bine_join(task, NULL));
        read_it(&reading);
        expect_int(reading.n, ==, 0);
        expect_ok(bine_close(reading.fd));
    }
    expect_ok(unlink(path));
    expect_ok(rmdir(directory));
}

/* ---- Terminals --------------------------------------------------------------------------------------- */

static int open_terminal(int *terminal, bool raw)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;

    expect_int(master, >=, 0);
    expect_ok(grantpt(master));
    expect_ok(unlockpt(master));
    *terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    expect_int(*terminal, >=, 0);
    expect_ok(tcgetattr(*terminal, &mode));
    if (raw)
        cfmakeraw(&mode);
    else
        mode.c_lflag &= ~(tcflag_t)ECHO;
    expect_ok(tcsetattr(*terminal, TCSANOW, &mode));
    return master;
}

LOOP_TEST(a_terminal_ends_at_its_end_character_and_goes_on)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, false);

    expect_int(bine_write(master, "half\004", 5), ==, 5); /* ^D after bytes: what there is, without a line's end */
    read_it(&reading);
    expect_int(reading.n, ==, 4);
    expect_int(bine_write(master, "\004", 1), ==, 1);
    read_it(&reading);
    expect_int(reading.n, ==, 0);
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(master, "more\n", 5), ==, 5);
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, ==, 5);
    expect_ok(bine_close(reading.fd));
    expect_ok(bine_close(master));
}

LOOP_TEST(a_terminal_that_hangs_up_wakes_its_reader)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, true);
    bine_task *task = bine_spawn(read_it, &reading);

    settle();
    expect_ok(bine_close(master));
    expect_ok(bine_join(task, NULL));
    expect(reading.n == 0 || (reading.n == -1 && reading.error == EIO));
    expect_ok(bine_close(reading.fd));
}

enum { LOTS = 100000 };

static void *write_lots(void *arg)
{
    static char lots[LOTS];

    memset(lots, 'x', sizeof lots);
    expect_int(bine_write_full(*(int *)arg, lots, sizeof lots), ==, sizeof lots);
    return NULL;
}

LOOP_TEST(a_terminal_takes_more_than_it_can_hold)
{
    struct reading reading = {0};
    int terminal, master = open_terminal(&terminal, true);
    bine_task *task = bine_spawn(write_lots, &terminal);
    size_t got = 0;

    reading.fd = master;
    while (got < LOTS) {
        read_it(&reading);
        if (!expect(reading.n > 0))
            break;
        got += (size_t)reading.n;
    }
    expect_uint(got, ==, LOTS);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_close(terminal));
    expect_ok(bine_close(master));
}

static void *write_for_ever(void *arg)
{
    static char lots[LOTS];

    for (;;)
        if (bine_write(*(int *)arg, lots, sizeof lots) < 0)
            break;
    expect_int(errno, ==, ECANCELED);
    return NULL;
}

/* The loop goes on, and so does the task once it has been cancelled. */
LOOP_TEST(a_terminal_that_nobody_reads_holds_its_writer_alone)
{
    const unsigned before = fixture_fds();
    int terminal, master = open_terminal(&terminal, true);
    bine_task *task = bine_spawn(write_for_ever, &terminal);

    expect_ok(bine_sleep(20 * BINE_MS));
    expect_ok(bine_cancel(task));
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_close(terminal));
    expect_ok(bine_close(master)); /* which ends the thread's write too */
    for (int i = 0; i < 20000 && fixture_fds() > before; i++)
        expect_ok(bine_sleep(BINE_MS)); /* until it has closed its own */
    expect_uint(fixture_fds(), ==, before);
}

/* ---- timerfd, inotify -------------------------------------------------------------------------------- */

LOOP_TEST(a_timerfd_tells_how_often_it_has_expired)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const struct itimerspec often = {.it_value = {0, 1000000}, .it_interval = {0, 1000000}}, never = {0};
    uint64_t count = 0;

    BINE_TIMEOUT(BINE_MS) /* one that is not armed */
        expect_fails(bine_read(fd, &count, sizeof count), ETIMEDOUT);
    expect_ok(timerfd_settime(fd, 0, &often, NULL));
    for (int i = 0; i < 3; i++) {
        expect_int(bine_read(fd, &count, sizeof count), ==, sizeof count);
        expect_uint(count, >=, 1);
    }
    expect_int(bine_poll_fd(fd, POLLIN), ==, POLLIN);
    expect_ok(timerfd_settime(fd, 0, &never, NULL));
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_read(fd, &count, sizeof count), ETIMEDOUT);
    expect(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    expect_ok(bine_close(fd));
}

LOOP_TEST(inotify_parks_until_something_happens)
{
    union {
        struct inotify_event event;
        char room[sizeof(struct inotify_event) + NAME_MAX + 1];
    } got;
    char path[128];
    int fd = inotify_init1(IN_CLOEXEC);

    if (fd < 0) { /* each user may have so many */
        support_skip("inotify_parks_until_something_happens", strerror(errno));
        return;
    }
    expect_int(bine_read(fd, &got, 0), ==, 0); /* waits for nothing */
    expect_fails(bine_write(fd, "x", 1), EBADF);
    expect(mkdtemp(directory));
    expect_int(inotify_add_watch(fd, directory, IN_CREATE | IN_DELETE), >=, 0);
    BINE_TIMEOUT(BINE_MS)
        expect_fails(bine_read(fd, &got, sizeof got), ETIMEDOUT);
    snprintf(path, sizeof path, "%s", in_directory("new"));
    int file = bine_open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    expect_ok(bine_close(file));
    expect_int(bine_read(fd, &got, sizeof got), >=, sizeof got.event);
    expect_uint(got.event.mask & IN_CREATE, ==, IN_CREATE);
    expect_str(got.event.name, "new");
    expect_ok(unlink(path));
    expect_fails(bine_read(fd, &got, 1), EINVAL); /* too small for the event that is there */
    expect_int(bine_read(fd, &got, sizeof got), >=, sizeof got.event);
    expect_uint(got.event.mask & IN_DELETE, ==, IN_DELETE);
    expect_ok(bine_close(fd));
    expect_ok(rmdir(directory));
}

/* ---- Directories ------------------------------------------------------------------------------------- */

enum { FILES = 600 };

static void make_files(bool make)
{
    char name[32];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file-with-a-longer-name-%d", i);
        if (make)
            expect_ok(close(open(in_directory(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
        else
            expect_ok(unlink(in_directory(name)));
    }
}

LOOP_TEST(a_directory_gives_every_entry_once)
{
    static bool seen[FILES];
    int dots = 0, count = 0, number;
    struct dirent *entry;

    expect(mkdtemp(directory));
    make_files(true);
    bine_dir *dir = bine_opendir(directory);
    expect(dir);
    errno = 0;
    while (dir && (entry = bine_readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            dots++;
        } else if (expect(sscanf(entry->d_name, "file-with-a-longer-name-%d", &number) == 1)) {
            expect(!seen[number]);
            seen[number] = true;
            count++;
        }
    }
    expect_int(errno, ==, 0);
    expect_int(dots, ==, 2);
    expect_int(count, ==, FILES);
    expect_null(bine_readdir(dir), 0); /* the end stays the end */
    expect_ok(bine_closedir(dir));
    make_files(false);
    expect_ok(rmdir(directory));
}

static void *read_an_entry(void *arg)
{
    expect(bine_readdir(arg));
    return NULL;
}

LOOP_TEST(a_directory_is_one_tasks_at_a_time)
{
    bine_dir *dir = bine_opendir("/");
    bine_task *task = bine_spawn(read_an_entry, dir);

    expect_ok(bine_yield()); /* now a thread reads for it, or has done so */
    struct dirent *entry = bine_readdir(dir);
    expect(entry || errno == EBUSY);
    if (!entry)
        expect_fails(bine_closedir(dir), EBUSY);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_closedir(dir));
}

/* It may have been opened by then. */
static void *open_directory(void *arg)
{
    bine_dir *dir = bine_opendir(arg);
    if (dir)
        expect_ok(bine_closedir(dir));
    else
        expect_int(errno, ==, ECANCELED);
    return NULL;
}

LOOP_TEST(directories_fail_as_they_should)
{
    static char path[PATH_MAX + 1];
    bine_dir *dir;

    memset(path, '/', PATH_MAX);
    expect_null(bine_opendir(NULL), EFAULT);
    expect_null(bine_opendir("/nosuch"), ENOENT);
    expect_null(bine_opendir("/dev/null"), ENOTDIR);
    expect_null(bine_opendir(path), ENAMETOOLONG);
    expect_null(bine_readdir(NULL), EINVAL);
    expect_fails(bine_closedir(NULL), EINVAL);
    dir = bine_opendir("/");
    BINE_TIMEOUT(0) {
        expect_null(bine_opendir("/"), ETIMEDOUT);
        expect_null(bine_readdir(dir), ETIMEDOUT);
    }
    expect(bine_readdir(dir)); /* nothing has been lost */
    expect_ok(bine_closedir(dir));
    for (int i = 0; i < 20; i++) { /* a late one is closed by whoever has it then */
        bine_task *task = bine_spawn(open_directory, "/");
        expect_ok(bine_yield());
        bine_cancel(task);
        bine_join(task, NULL);
    }
}

LOOP_TEST(directories_survive_the_failure_of_any_call)
{
    bool more = true;

    for (long nth = 1; more && nth < 50; nth++) {
        fault_arm(nth);
        bine_dir *dir = bine_opendir("/");
        if (!dir)
            expect(errno == ENOMEM || errno == EAGAIN);
        more = fault_injected() > 0;
        fault_disarm();
        if (dir)
            expect_ok(bine_closedir(dir));
    }
    expect(!more);
}

static void open_in_a_callback(void *arg)
{
    expect_null(bine_opendir("/"), EDEADLK);
    expect_null(bine_readdir(arg), EDEADLK);
}

LOOP_TEST(in_a_callback_directories_are_edeadlk)
{
    bine_dir *dir = bine_opendir("/");
    expect_ok(bine_call_soon(open_in_a_callback, dir));
    expect_ok(bine_yield());
    expect_ok(bine_sleep(BINE_MS));
    expect(bine_readdir(dir));
    expect_ok(bine_closedir(dir));
}

START_TEST(outside_a_loop_directories_are_refused)
{
    expect_null(bine_opendir("/"), EPERM);
    expect_null(bine_readdir(NULL), EPERM);
    support_settle();
}
END_TEST

/* ---- Files into pipes -------------------------------------------------------------------------------- */

static void *send_the_file(void *arg)
{
    int *fd = arg;
    off_t offset = 10;

    expect_int(bine_sendfile(fd[1], fd[2], &offset, LOTS), ==, LOTS - 10); /* the file ends there */
    expect_int(offset, ==, LOTS);
    expect_int(lseek(fd[2], 0, SEEK_CUR), ==, 0);
    expect_ok(bine_close(fd[1]));
    return NULL;
}

LOOP_TEST(a_file_is_sent_into_a_pipe_that_is_too_small)
{
    struct reading reading = {0};
    int fd[3];
    size_t got = 0;
    char path[128];

    expect(mkdtemp(directory));
    snprintf(path, sizeof path, "%s", in_directory("file"));
    expect_ok(bine_pipe(fd));
    fd[2] = bine_open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    write_lots(&fd[2]);
    expect_int(lseek(fd[2], 0, SEEK_SET), ==, 0);
    bine_task *task = bine_spawn(send_the_file, fd);
    reading.fd = fd[0];
    for (read_it(&reading); reading.n > 0; read_it(&reading))
        got += (size_t)reading.n;
    expect_int(reading.n, ==, 0);
    expect_uint(got, ==, LOTS - 10);
    expect_ok(bine_join(task, NULL));
    expect_ok(bine_close(fd[0]));
    expect_ok(bine_close(fd[2]));
    expect_ok(unlink(path));
    expect_ok(rmdir(directory));
}

SUPPORT_MAIN("kinds", a_fifo_is_opened_by_two_and_ends_with_its_writer,
             a_terminal_ends_at_its_end_character_and_goes_on, a_terminal_that_hangs_up_wakes_its_reader,
             a_terminal_takes_more_than_it_can_hold, a_terminal_that_nobody_reads_holds_its_writer_alone,
             a_timerfd_tells_how_often_it_has_expired,
             inotify_parks_until_something_happens, a_directory_gives_every_entry_once,
             a_directory_is_one_tasks_at_a_time, directories_fail_as_they_should,
             directories_survive_the_failure_of_any_call, in_a_callback_directories_are_edeadlk,
             outside_a_loop_directories_are_refused, a_file_is_sent_into_a_pipe_that_is_too_small)
