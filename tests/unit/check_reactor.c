/* SPDX-License-Identifier: MIT
 *
 * The reactor contract (src/io/reactor.h), the same tests for each backend.  A new backend is right when it
 * passes them.
 *
 * There is no loop here: the reactor is called by hand, on a loop's structure that nobody runs.  The tasks
 * are empty structures that claim to be parked; bine__wake() puts them into a queue that nobody serves. */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "io/io.h"
#include "support/fault.h"
#include "support/sockets.h"

/* The ring watches what bine made and what foreign code made in different ways: it is tested twice. */
static const struct backend {
    const char *name;
    bool created;
} backends[] = {
    {"epoll", false}, {"poll", false},
#ifdef BINE_KQUEUE
    {"kqueue", false}, {"kqueue", true},
#endif
    {"io_uring", false}, {"io_uring", true}, /* the last: the kernel ends a wait that follows a ring's end early */
};
enum {
    BACKENDS = sizeof backends / sizeof backends[0],
    MANY = 600 /* more than a backend takes at once */,
    SPARE = 50 /* descriptors */,
    QUEUE = 1024
};
static bool created; /* what the test stands in line for claims to be bine's own */

/* The run that the fixture makes goes by this too: the kernel ends one wait of a process early, some time
 * after a ring was closed. */
static __attribute__((constructor)) void choose_for_ourselves(void)
{
    setenv("BINE_REACTOR", "epoll", 1);
}

/* Runs the test's body once with each backend. */
#define REACTOR_TEST(name)                                  \
    static void name##_body(struct bine__io *io);           \
    START_TEST(name)                                        \
    {                                                       \
        for (int i = 0; i < BACKENDS; i++)                  \
            with_backend(&backends[i], name##_body);        \
    }                                                       \
    END_TEST                                                \
    static void name##_body(struct bine__io *io)

static void with_backend(const struct backend *backend, void (*body)(struct bine__io *))
{
    struct bine_loop *loop = calloc(1, sizeof *loop);
    unsigned before = support_failures();

    ck_assert_ptr_nonnull(loop);
    loop->queue = calloc(QUEUE, sizeof *loop->queue);
    loop->mask = QUEUE - 1;
    ck_assert_ptr_nonnull(loop->queue);
    ck_assert_int_eq(bine__poller_open(loop, backend->name), 0);
    if (strcmp(backend->name, "io_uring") != 0) /* that one may be forbidden here */
        ck_assert_str_eq(loop->io->reactor->name, backend->name);
    created = backend->created;
    body(loop->io);
    if (support_failures() != before)
        printf("with the reactor \"%s\"%s:\n", loop->io->reactor->name, created ? ", bine's own" : "");
    loop->poller.close(loop);
    ck_assert_ptr_null(loop->io);
    free(loop->queue);
    free(loop);
}

/* ---- Waiters that nobody runs ------------------------------------------------------ */

struct dummy {
    struct bine_task task;
    struct bine__waiter waiter;
    struct bine__fd *slot;
};

/* Gets in line, as a task does after a try that would have blocked. */
static void stand(struct bine__io *io, struct dummy *dummy, int fd, enum bine__direction direction)
{
    memset(dummy, 0, sizeof *dummy);
    dummy->task.state = BINE__PARKED;
    dummy->task.loop = io->loop;
    dummy->slot = bine__fd_get(io, fd);
    ck_assert_ptr_nonnull(dummy->slot);
    if (created)
        dummy->slot->flags |= BINE__FD_CREATED;
    bine__waiter_init(&dummy->waiter, &dummy->task, fd, dummy->slot, direction);
    bine__list_append(&dummy->slot->line[direction], &dummy->waiter.node);
    expect_ok(io->reactor->watch(io, fd, dummy->slot));
}

/* Takes its mark back, and itself out of the line. */
static bool was_woken(struct dummy *dummy)
{
    bool woken = dummy->waiter.woken;

    expect_int(dummy->task.state == BINE__RUNNABLE, ==, woken);
    bine__list_remove(&dummy->waiter.node);
    dummy->waiter.woken = false;
    dummy->task.state = BINE__PARKED;
    return woken;
}

/* Looks as often as a level needs to settle, and as MANY need where the kernel hands out 20 at a time (a
 * ring); never sleeps. */
static void look(struct bine__io *io)
{
    for (int i = 0; i < MANY / 20 + 10; i++)
        io->reactor->wait(io, 0);
}

/* Waits for nothing, and no shorter than asked: where the process is stopped and goes on, a wait ends early
 * (signal(7)), so one of a few must last. */
static void waits_in_full(struct bine__io *io, bine_ns timeout)
{
    bine_ns lasted = -1;
    for (int i = 0; i < 5 && lasted < timeout; i++) {
        bine_ns before = bine_now();
        expect_int(io->reactor->wait(io, timeout), ==, 0);
        lasted = bine_now() - before;
    }
    expect_int(lasted, >=, timeout);
}

static void gone(struct bine__io *io, int fd)
{
    struct bine__fd *slot = bine__fd_find(io, fd);

    if (slot)
        bine__fd_retire(io, fd, slot);
    close(fd);
}

/* ---- What is reported -------------------------------------------------------------- */

REACTOR_TEST(what_came_before_watch_is_reported)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct dummy reader;
        int fd[2];
        pair_make(kind, fd);
        expect_int(write(fd[1], "x", 1), ==, 1);
        stand(io, &reader, fd[0], BINE__IN);
        expect_int(io->reactor->wait(io, BINE_FOREVER), >=, 1);
        expect(was_woken(&reader));
        gone(io, fd[0]);
        gone(io, fd[1]);
    }
}

REACTOR_TEST(what_comes_after_watch_is_reported_each_time)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct dummy reader;
        int fd[2];
        pair_make(kind, fd);
        for (int round = 0; round < 3; round++) {
            stand(io, &reader, fd[0], BINE__IN);
            look(io);
            expect(!reader.waiter.woken);
            expect_int(write(fd[1], "x", 1), ==, 1);
            expect_int(io->reactor->wait(io, BINE_FOREVER), >=, 1);
            expect(was_woken(&reader));
            expect_int(drain(fd[0]), ==, 1);
        }
        gone(io, fd[0]);
        gone(io, fd[1]);
    }
}

REACTOR_TEST(room_to_write_is_reported_to_the_writer_alone)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct dummy writer, reader;
        int fd[2];
        pair_make(kind, fd);
        fill(fd[1]);
        stand(io, &writer, fd[1], BINE__OUT);
        if (kind != PAIR_PIPE) /* its end to write to cannot be read */
            stand(io, &reader, fd[1], BINE__IN);
        look(io);
        expect(!writer.waiter.woken);
        drain(fd[0]);
        for (int i = 0; i < 10000 && !writer.waiter.woken; i++)
            io->reactor->wait(io, 10 * BINE_MS); /* TCP tells when the acknowledgement has come */
        expect(was_woken(&writer));
        if (kind != PAIR_PIPE)
            expect(!was_woken(&reader));
        gone(io, fd[0]);
        gone(io, fd[1]);
    }
}

REACTOR_TEST(an_event_wakes_the_first_in_line_only)
{
    struct dummy first, second;
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    stand(io, &first, fd[0], BINE__IN);
    stand(io, &second, fd[0], BINE__IN);
    expect_int(write(fd[1], "x", 1), ==, 1);
    io->reactor->wait(io, BINE_FOREVER);
    expect(was_woken(&first));
    expect(!was_woken(&second));
    gone(io, fd[0]);
    gone(io, fd[1]);
}

REACTOR_TEST(a_peer_that_hangs_up_concerns_everybody)
{
    struct dummy readers[3], writer;
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    fill(fd[0]);
    for (int i = 0; i < 3; i++)
        stand(io, &readers[i], fd[0], BINE__IN);
    stand(io, &writer, fd[0], BINE__OUT);
    gone(io, fd[1]);
    io->reactor->wait(io, BINE_FOREVER);
    for (int i = 0; i < 3; i++)
        expect(was_woken(&readers[i]));
    expect(was_woken(&writer));
    expect(readers[0].slot->flags & BINE__FD_UNUSUAL);
    gone(io, fd[0]);
}

REACTOR_TEST(many_at_once_are_all_reported)
{
    static struct dummy readers[MANY];
    static int fds[MANY][2];
    struct rlimit limit;
    int many = MANY, woken = 0;
    expect_ok(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur < 2 * MANY + SPARE)
        many = ((int)limit.rlim_cur - SPARE) / 2;
    for (int i = 0; i < many; i++) {
        pair_make(PAIR_PIPE, fds[i]);
        stand(io, &readers[i], fds[i][0], BINE__IN);
    }
    look(io);
    for (int i = 0; i < many; i++)
        expect_int(write(fds[i][1], "x", 1), ==, 1);
    look(io);
    for (int i = 0; i < many; i++) {
        woken += was_woken(&readers[i]);
        gone(io, fds[i][0]);
        gone(io, fds[i][1]);
    }
    expect_int(woken, ==, many);
}

/* ---- Whom nobody waits for, and what is gone --------------------------------------- */

REACTOR_TEST(readiness_that_nobody_waits_for_does_not_keep_it_awake)
{
    struct dummy reader;
    int fd[2];
    pair_make(PAIR_UNIX, fd);
    stand(io, &reader, fd[0], BINE__IN);
    expect_int(write(fd[1], "x", 1), ==, 1);
    io->reactor->wait(io, BINE_FOREVER);
    expect(was_woken(&reader)); /* and it does not read */
    look(io);
    waits_in_full(io, 20 * BINE_MS);
    gone(io, fd[0]);
    gone(io, fd[1]);
}

REACTOR_TEST(events_of_an_old_generation_are_dropped)
{
    struct dummy stranger;
    uint32_t old;
    int fd[2], copy;
    pair_make(PAIR_UNIX, fd);
    stand(io, &stranger, fd[0], BINE__IN);
    old = stranger.slot->generation;
    copy = dup(fd[0]); /* keeps the file, and with it what the kernel knows of it */
    gone(io, fd[0]);
    expect(was_woken(&stranger));
    expect_int(dup2(copy, fd[0]), ==, fd[0]);
    stand(io, &stranger, fd[0], BINE__IN);
    expect_uint(stranger.slot->generation, !=, old);
    bine__fd_ready(io, fd[0], old, POLLIN);
    expect(!stranger.waiter.woken);
    expect_int(write(fd[1], "x", 1), ==, 1);
    io->reactor->wait(io, BINE_FOREVER); /* of the new generation, though file and number are the same */
    expect(was_woken(&stranger));
    gone(io, fd[0]);
    gone(io, fd[1]);
    close(copy);
}

REACTOR_TEST(a_number_closed_by_others_is_told_after_a_sweep)
{
    struct dummy reader;
    uint32_t generation;
    int fd[2];
    pair_make(PAIR_PIPE, fd);
    stand(io, &reader, fd[0], BINE__IN);
    look(io);
    generation = reader.slot->generation;
    close(fd[0]);
    for (int i = 0; i < 3; i++) {
        bine__fd_sweep(io);
        io->reactor->wait(io, 0);
    }
    expect_uint(reader.slot->generation, !=, generation);
    expect(was_woken(&reader));
    close(fd[1]);
}

REACTOR_TEST(a_number_reused_by_others_is_watched_anew_after_a_sweep)
{
    struct dummy reader;
    int old[2], new[2];
    pair_make(PAIR_PIPE, old);
    pair_make(PAIR_PIPE, new);
    stand(io, &reader, old[0], BINE__IN);
    reader.slot->flags |= BINE__FD_CREATED; /* so that parking alone would not find out */
    look(io);
    expect_int(dup2(new[0], old[0]), ==, old[0]);
    for (int i = 0; i < 3; i++)
        bine__fd_sweep(io);
    expect_int(write(new[1], "x", 1), ==, 1);
    look(io);
    expect(was_woken(&reader));
    gone(io, old[0]);
    close(old[1]);
    close(new[0]);
    close(new[1]);
}

/* It would try in vain when the event comes, which is on its way. */
REACTOR_TEST(a_sweep_tells_nobody_who_has_just_parked)
{
    struct dummy reader;
    int fd[2];
    pair_make(PAIR_PIPE, fd);
    stand(io, &reader, fd[0], BINE__IN);
    look(io);
    reader.slot->parked = (uint16_t)io->sweep;
    expect_int(write(fd[1], "x", 1), ==, 1);
    bine__fd_sweep(io);
    expect(!reader.waiter.woken);
    look(io);
    expect(was_woken(&reader));
    gone(io, fd[0]);
    gone(io, fd[1]);
}

/* A backend that cannot poll a file says so; one that can calls it ready. */
REACTOR_TEST(a_regular_file_is_refused_or_ready)
{
    struct bine__fd *slot;
    struct dummy reader = {.task = {.loop = io->loop, .state = BINE__PARKED}};
    FILE *file = tmpfile();
    int fd;
    ck_assert_ptr_nonnull(file);
    fd = fileno(file);
    slot = bine__fd_get(io, fd);
    bine__waiter_init(&reader.waiter, &reader.task, fd, slot, BINE__IN);
    bine__list_append(&slot->line[BINE__IN], &reader.waiter.node);
    errno = 0;
    if (io->reactor->watch(io, fd, slot) == 0) {
        io->reactor->wait(io, BINE_FOREVER);
        expect(was_woken(&reader));
    } else {
        expect_int(errno, ==, EPERM);
        expect(!was_woken(&reader));
    }
    bine__fd_retire(io, fd, slot);
    fclose(file);
}

/* ---- Sleeping, and being woken up -------------------------------------------------- */

REACTOR_TEST(wait_is_never_shorter_than_asked)
{
    static const bine_ns times[] = {1, BINE_US, 1500 * BINE_US, 12 * BINE_MS};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        waits_in_full(io, times[i]);
}

static void *interrupt_it(void *io)
{
    ((struct bine__io *)io)->reactor->interrupt(io);
    return NULL;
}

/* Each wait would last for ever if the interrupt were lost. */
REACTOR_TEST(an_interrupt_ends_a_wait_that_runs_or_the_next_one)
{
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_it, io), 0);
        io->reactor->wait(io, BINE_FOREVER);
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < 1000; i++)
        io->reactor->interrupt(io); /* one is enough, many are not too many */
    io->reactor->wait(io, BINE_FOREVER);
    waits_in_full(io, 5 * BINE_MS);
}

/* ---- Beginning and end ------------------------------------------------------------- */

REACTOR_TEST(a_forked_child_takes_nothing_from_its_parent)
{
    struct dummy reader;
    int fd[2], status = -1;
    pid_t child;
    pair_make(PAIR_PIPE, fd);
    stand(io, &reader, fd[0], BINE__IN);
    child = fork();
    ck_assert_int_ne(child, -1);
    if (child == 0) {
        bine__poller_forked(io->loop);
        _exit(0);
    }
    expect_int(waitpid(child, &status, 0), ==, child);
    expect_int(status, ==, 0);
    look(io);
    expect(!reader.waiter.woken);
    expect_int(write(fd[1], "x", 1), ==, 1);
    io->reactor->wait(io, BINE_FOREVER);
    expect(was_woken(&reader));
    gone(io, fd[0]);
    gone(io, fd[1]);
}

START_TEST(each_failing_call_while_opening_is_an_error_that_leaves_nothing)
{
    struct bine_loop *loop = calloc(1, sizeof *loop);
    ck_assert_ptr_nonnull(loop);
    for (int i = 0; i < BACKENDS; i++) {
        for (long nth = 1;; nth++) {
            unsigned fds = fixture_fds();
            long blocks = fixture_blocks();
            fault_arm(nth);
            int result = bine__poller_open(loop, backends[i].name);
            bool injected = fault_injected() > 0;
            fault_disarm();
            if (result == 0)
                loop->poller.close(loop);
            expect_uint(fixture_fds(), ==, fds);
            expect_int(fixture_blocks(), ==, blocks);
            if (!injected)
                break;
            if (strcmp(backends[i].name, "io_uring") != 0) /* for want of memory it may be another one */
                expect_int(result, ==, -1);
            ck_assert_int_lt(nth, 50);
        }
    }
    free(loop);
}
END_TEST

SUPPORT_MAIN("reactor", what_came_before_watch_is_reported, what_comes_after_watch_is_reported_each_time,
             room_to_write_is_reported_to_the_writer_alone, an_event_wakes_the_first_in_line_only,
             a_peer_that_hangs_up_concerns_everybody, many_at_once_are_all_reported,
             readiness_that_nobody_waits_for_does_not_keep_it_awake, events_of_an_old_generation_are_dropped,
             a_number_closed_by_others_is_told_after_a_sweep,
             a_number_reused_by_others_is_watched_anew_after_a_sweep, a_sweep_tells_nobody_who_has_just_parked,
             a_regular_file_is_refused_or_ready,
             wait_is_never_shorter_than_asked, an_interrupt_ends_a_wait_that_runs_or_the_next_one,
             a_forked_child_takes_nothing_from_its_parent,
             each_failing_call_while_opening_is_an_error_that_leaves_nothing)
