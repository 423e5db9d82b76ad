/* SPDX-License-Identifier: MIT
 *
 * Kinds of descriptors, continued from check_kinds.c: those that would hold the loop although poll(2) has called
 * them ready, or that hold threads for ever.  A loop that is held ends the test by its time limit. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <termios.h>

#include "support/reading.h"
#include "support/sockets.h"

/* ---- Terminals ----------------------------------------------------------------------------------------- */

/* Raw.  Returns the master's end. */
static int open_terminal(int *terminal, cc_t least, cc_t tenths)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;

    expect_int(master, >=, 0);
    expect_ok(grantpt(master));
    expect_ok(unlockpt(master));
    *terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    expect_int(*terminal, >=, 0);
    expect_ok(tcgetattr(*terminal, &mode));
    cfmakeraw(&mode);
    mode.c_cc[VMIN] = least;
    mode.c_cc[VTIME] = tenths;
    expect_ok(tcsetattr(*terminal, TCSANOW, &mode));
    return master;
}

static void close_terminal(int master, int terminal)
{
    expect_ok(bine_close(terminal));
    expect_ok(bine_close(master));
}

LOOP_TEST(a_terminal_that_has_not_fallen_silent_does_not_hold_its_reader)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, 50, 255);

    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(master, "ab", 2), ==, 2);
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, ==, 2);
    close_terminal(master, reading.fd);
}

LOOP_TEST(a_terminal_waits_for_as_many_bytes_as_it_was_told)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, 3, 0);

    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(master, "ab", 2), ==, 2);
    settle();
    expect_int(bine_write(master, "c", 1), ==, 1);
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, ==, 3);
    expect_int(bine_write(master, "d", 1), ==, 1);
    reading.size = 1; /* is less than that, and there */
    read_it(&reading);
    expect_int(reading.n, ==, 1);
    close_terminal(master, reading.fd);
}

LOOP_TEST(a_terminal_that_asks_for_no_byte_gives_none)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, 0, 0);

    read_it(&reading);
    expect_int(reading.n, ==, 0);
    expect_int(bine_write(master, "abc", 3), ==, 3);
    read_it(&reading);
    expect_int(reading.n, ==, 3);
    close_terminal(master, reading.fd);
}

LOOP_TEST(a_terminals_time_limit_is_kept)
{
    struct reading reading = {0};
    int master = open_terminal(&reading.fd, 0, 1);
    bine_ns begun = bine_now();

    read_it(&reading);
    expect_int(reading.n, ==, 0);
    expect_int(bine_now() - begun, >=, 90 * BINE_MS);
    close_terminal(master, reading.fd);
    master = open_terminal(&reading.fd, 0, 255);
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(master, "a", 1), ==, 1);
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, ==, 1);
    task = bine_spawn(read_it, &reading);
    settle();
    expect_ok(bine_close(reading.fd));
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, ==, -1);
    expect_int(reading.error, ==, EBADF);
    expect_ok(bine_close(master));
}

LOOP_TEST(a_master_is_read_though_its_terminal_asks_for_no_byte)
{
    struct reading reading = {0};
    int terminal, master = open_terminal(&terminal, 0, 0);

    reading.fd = master;
    bine_task *task = bine_spawn(read_it, &reading);
    settle();
    expect_int(bine_write(terminal, "abc", 3), ==, 3);
    expect_ok(bine_join(task, NULL));
    expect_int(reading.n, >, 0);
    close_terminal(master, terminal);
}

LOOP_TEST(nothing_cannot_be_written_to_a_terminal)
{
    int terminal, master = open_terminal(&terminal, 1, 0);
    void *volatile nothing = NULL;

    if (support_under_valgrind())
        support_skip("nothing_cannot_be_written_to_a_terminal", "Valgrind minds a bad pointer");
    else
        expect_fails(bine_write(terminal, nothing, 5), EFAULT);
    expect_int(bine_write(terminal, nothing, 0), ==, 0);
    close_terminal(master, terminal);
}

struct splicing {
    int in, out;
    size_t moved;
    int error;
};

static void *splice_all(void *arg)
{
    struct splicing *splicing = arg;
    ssize_t n;

    while ((n = bine_splice(splicing->in, NULL, splicing->out, NULL, 65536, 0)) > 0)
        splicing->moved += (size_t)n;
    splicing->error = n < 0 ? errno : 0;
    return NULL;
}

LOOP_TEST(a_terminal_that_nobody_reads_does_not_hold_who_splices_to_it)
{
    static char lots[60000];
    struct splicing splicing = {0};
    char buf[4096];
    size_t got = 0;
    int fd[2], master = open_terminal(&splicing.out, 1, 0);

    pair_make(PAIR_PIPE, fd);
    splicing.in = fd[0];
    memset(lots, 'x', sizeof lots);
    expect_int(bine_write(fd[1], lots, sizeof lots), ==, sizeof lots);
    expect_ok(bine_close(fd[1]));
    bine_task *task = bine_spawn(splice_all, &splicing);
    settle();
    while (got < sizeof lots) {
        ssize_t n = bine_read(master, buf, sizeof buf);
        expect_int(n, >, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    expect_ok(bine_join(task, NULL));
    expect_uint(splicing.moved, ==, sizeof lots);
    expect_int(splicing.error, ==, 0);
    expect_ok(bine_close(fd[0]));
    close_terminal(master, splicing.out);
}

LOOP_TEST(what_is_spliced_from_a_terminal_does_not_wait_for_its_silence)
{
    off_t offset = 0;
    char buf[64];
    int fd[2], terminal, master = open_terminal(&terminal, 50, 255);

    pair_make(PAIR_PIPE, fd);
    expect_int(bine_write(master, "abc", 3), ==, 3);
    expect_int(bine_splice(terminal, NULL, fd[1], NULL, 60, 0), ==, 3);
    expect_int(bine_read(fd[0], buf, sizeof buf), ==, 3);
    expect_int(bine_write(fd[1], "abc", 3), ==, 3);
    expect_fails(bine_splice(fd[0], &offset, terminal, NULL, 3, 0), ESPIPE); /* as ever */
    pair_close(fd);
    close_terminal(master, terminal);
}

/* ---- Eventfds ------------------------------------------------------------------------------------------ */

static void *add_much(void *arg)
{
    const uint64_t much = UINT64_MAX - 1;

    expect_int(bine_write(*(int *)arg, &much, sizeof much), ==, sizeof much);
    return NULL;
}

LOOP_TEST(a_sum_too_large_for_an_eventfd_waits_for_its_reader)
{
    uint64_t value = 0;
    int fd = eventfd(1, EFD_CLOEXEC);
    bine_task *task = bine_spawn(add_much, &fd);

    settle();
    expect_int(bine_read(fd, &value, sizeof value), ==, sizeof value);
    expect_uint(value, ==, 1);
    expect_ok(bine_join(task, NULL));
    expect_int(bine_read(fd, &value, sizeof value), ==, sizeof value);
    expect_uint(value, ==, UINT64_MAX - 1);
    expect_ok(bine_close(fd));
}

/* Though writing to it once has shown that the kernel knows no RWF_NOWAIT for that. */
LOOP_TEST(a_buffer_too_small_for_an_eventfd_is_refused_at_once)
{
    uint64_t value = 1;
    uint32_t half;
    struct iovec iov = {&half, sizeof half};
    int fd = eventfd(0, EFD_CLOEXEC);

    if (preadv2(fd, &iov, 1, -1, RWF_NOWAIT) == -1 && errno == EINVAL) {
        expect_int(bine_write(fd, &value, sizeof value), ==, sizeof value);
        expect_int(bine_read(fd, &value, sizeof value), ==, sizeof value);
        BINE_TIMEOUT(BINE_SECOND) {
            expect_fails(bine_read(fd, &half, sizeof half), EINVAL);
        }
    } else {
        support_skip("a_buffer_too_small_for_an_eventfd_is_refused_at_once", "no RWF_NOWAIT for eventfds here");
    }
    expect_ok(bine_close(fd));
}

/* ---- FIFOs --------------------------------------------------------------------------------------------- */

enum { HANGING = 128 /* at most */, GIVEN_UP = HANGING + 32 /* more than a pool has threads beside these */ };

struct opening {
    const char *path;
    int fd, error;
};

static unsigned refused;

static void *open_it(void *arg)
{
    struct opening *opening = arg;
    opening->fd = bine_open(opening->path, O_RDONLY | O_CLOEXEC);
    opening->error = errno;
    refused += opening->error == EAGAIN;
    return NULL;
}

static void reap_threads(const char *path)
{
    int both = open(path, O_RDWR | O_CLOEXEC); /* lets all of them go */

    expect_int(both, >=, 0);
    expect_ok(close(both));
}

LOOP_TEST(fifos_that_are_given_up_leave_threads_for_files)
{
    static struct opening openings[GIVEN_UP];
    static bine_task *tasks[GIVEN_UP];
    char directory[] = "/tmp/bine-kinds-XXXXXX", path[64];
    int file;

    expect(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/fifo", directory);
    expect_ok(mkfifo(path, 0600));
    for (int i = 0; i < GIVEN_UP; i++) {
        openings[i] = (struct opening){.path = path, .fd = -1};
        tasks[i] = bine_spawn(open_it, &openings[i]);
    }
    while (refused < GIVEN_UP - HANGING)
        expect_ok(bine_sleep(BINE_MS));
    file = bine_open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_int(file, >=, 0);
    expect_ok(bine_close(file));
    for (int i = 0; i < GIVEN_UP; i++) {
        bine_cancel(tasks[i]);
        expect_ok(bine_join(tasks[i], NULL));
        expect_int(openings[i].fd, ==, -1);
        expect(openings[i].error == ECANCELED || openings[i].error == EAGAIN);
    }
    file = bine_open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_int(file, >=, 0);
    expect_ok(bine_close(file));
    reap_threads(path);
    expect_ok(unlink(path));
    expect_ok(rmdir(directory));
}

static void warm(void)
{
    expect_ok(bine_close(bine_open("/dev/null", O_WRONLY | O_CLOEXEC)));
}

static __attribute__((constructor)) void warm_up(void)
{
    support_warm = warm;
}

SUPPORT_MAIN("kinds_wait", a_terminal_that_has_not_fallen_silent_does_not_hold_its_reader,
             a_terminal_waits_for_as_many_bytes_as_it_was_told, a_terminal_that_asks_for_no_byte_gives_none,
             a_terminals_time_limit_is_kept, a_master_is_read_though_its_terminal_asks_for_no_byte,
             nothing_cannot_be_written_to_a_terminal,
             a_terminal_that_nobody_reads_does_not_hold_who_splices_to_it,
             what_is_spliced_from_a_terminal_does_not_wait_for_its_silence,
             a_sum_too_large_for_an_eventfd_waits_for_its_reader,
             a_buffer_too_small_for_an_eventfd_is_refused_at_once,
             fifos_that_are_given_up_leave_threads_for_files)
