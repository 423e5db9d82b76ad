/* SPDX-License-Identifier: MIT
 *
 * The budget: a loop of yielding calls that never wait gives way now and then, whether they succeed or fail,
 * and whatever they fail with.
 *
 * Each call is made again and again, with its errors ignored, until another task has run; that one is runnable
 * from the beginning.  How often is counted, so that a call that never gives way fails and does not hang. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "support/support.h"

enum { BOUND = 10000 };

static void *set_true(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

/* Whether somebody else ran while the call was made over and over. */
#define EXPECT_GIVES_WAY(call)                                  \
    do {                                                        \
        bool ran_ = false;                                      \
        bine_task *task_ = bine_spawn(set_true, &ran_);         \
        for (int i_ = 0; i_ < BOUND && !ran_; i_++)             \
            (void)(call);                                       \
        if (!ran_)                                              \
            support_record(__FILE__, __LINE__, "%s starves", #call); \
        expect_ok(bine_stop(task_, NULL));                      \
    } while (0)

/* How often the call can be made until somebody else has run. */
#define COUNT_UNTIL_WAY(call, count)                \
    do {                                            \
        bool ran_ = false;                          \
        expect_ok(bine_yield());                    \
        bine_task *task_ = bine_spawn(set_true, &ran_); \
        for (*(count) = 0; *(count) < BOUND && !ran_; ++*(count)) \
            (void)(call);                           \
        expect_ok(bine_stop(task_, NULL));          \
    } while (0)

static void *give_back(void *arg)
{
    return arg;
}

LOOP_TEST(calls_about_tasks_give_way)
{
    bine_result result;
    bine_task *detached = bine_spawn(give_back, NULL);
    expect_ok(bine_detach(detached));
    EXPECT_GIVES_WAY(bine_join(bine_self(), &result));
    EXPECT_GIVES_WAY(bine_join(NULL, &result));
    EXPECT_GIVES_WAY(bine_stop(bine_self(), &result));
    EXPECT_GIVES_WAY(bine_stop(NULL, &result));
    EXPECT_GIVES_WAY((bine_wake(bine_self()), bine_park()));
}

LOOP_TEST(calls_about_groups_and_futures_give_way)
{
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    EXPECT_GIVES_WAY(bine_group_admit(&group, 1));
    EXPECT_GIVES_WAY(bine_group_admit(&group, 0));
    expect_ok(bine_group_wait(&group, NULL));
    EXPECT_GIVES_WAY(bine_group_admit(&group, 1));
    EXPECT_GIVES_WAY(bine_group_wait(&group, NULL));
    EXPECT_GIVES_WAY(bine_gather(0, NULL, NULL, NULL));
    EXPECT_GIVES_WAY(bine_gather(1, NULL, NULL, NULL));
    EXPECT_GIVES_WAY(bine_map(0, give_back, NULL, 0, NULL));

    bine_future *future = bine_future_new(NULL);
    bool seen = true;
    expect_ok(bine_future_set(future, NULL));
    EXPECT_GIVES_WAY(bine_future_await(future, NULL));
    EXPECT_GIVES_WAY(bine_future_await(NULL, NULL));
    EXPECT_GIVES_WAY(bine_wait(&future, 1, BINE_ALL_COMPLETED));
    EXPECT_GIVES_WAY(bine_wait(&future, 1, -1));
    EXPECT_GIVES_WAY(bine_next_done(&future, 1, &seen));
    EXPECT_GIVES_WAY(bine_shield(NULL, NULL, NULL, NULL));
    bine_future_unref(future);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

LOOP_TEST(locks_and_their_kin_give_way)
{
    bine_mutex mutex = BINE_MUTEX_INIT;
    bine_cond cond = BINE_COND_INIT;
    EXPECT_GIVES_WAY(bine_cond_wait(&cond, &mutex));
    EXPECT_GIVES_WAY((bine_mutex_lock(&mutex), bine_mutex_unlock(&mutex)));
    expect_ok(bine_mutex_lock(&mutex));
    EXPECT_GIVES_WAY(bine_mutex_lock(&mutex));
    EXPECT_GIVES_WAY(bine_mutex_lock(NULL));
    expect_ok(bine_mutex_unlock(&mutex));

    bine_rwlock lock = BINE_RWLOCK_INIT;
    EXPECT_GIVES_WAY((bine_rwlock_read(&lock), bine_rwlock_unlock(&lock)));
    expect_ok(bine_rwlock_write(&lock));
    EXPECT_GIVES_WAY(bine_rwlock_read(&lock));
    expect_ok(bine_rwlock_unlock(&lock));

    bine_sem sem = BINE_SEM_INIT(BOUND);
    bine_event event = BINE_EVENT_INIT;
    bine_latch latch = BINE_LATCH_INIT(0);
    bine_once_flag once = BINE_ONCE_INIT;
    bine_barrier barrier;
    expect_ok(bine_event_set(&event));
    expect_ok(bine_barrier_init(&barrier, 1));
    EXPECT_GIVES_WAY(bine_sem_wait(&sem));
    EXPECT_GIVES_WAY(bine_event_wait(&event));
    EXPECT_GIVES_WAY(bine_latch_wait(&latch));
    EXPECT_GIVES_WAY(bine_barrier_wait(&barrier));
    EXPECT_GIVES_WAY(bine_once(&once, do_nothing, NULL));
    EXPECT_GIVES_WAY(bine_once(&once, NULL, NULL));
}

LOOP_TEST(queues_and_channels_give_way)
{
    void *item;
    uint64_t value = 0;
    bine_queue *queue = bine_queue_new(BINE_QUEUE_FIFO, 0, NULL);
    EXPECT_GIVES_WAY(bine_queue_join(queue));
    EXPECT_GIVES_WAY(bine_queue_put(queue, NULL));
    expect_ok(bine_queue_shutdown(queue, true));
    EXPECT_GIVES_WAY(bine_queue_put(queue, NULL));
    EXPECT_GIVES_WAY(bine_queue_get(queue, &item));
    EXPECT_GIVES_WAY(bine_queue_get(NULL, &item));
    expect_ok(bine_queue_free(queue));

    bine_chan *chan = bine_chan_new(sizeof value, BOUND, NULL);
    bine_chan *shared = bine_chan_new_shared(sizeof value, 0, NULL);
    EXPECT_GIVES_WAY(bine_chan_send(chan, &value));
    EXPECT_GIVES_WAY(bine_chan_recv(chan, NULL));
    expect_ok(bine_chan_close(shared));
    bine_case cases[] = {bine_case_send(chan, &value), bine_case_send(shared, &value)};
    EXPECT_GIVES_WAY(bine_chan_select(cases, 1));
    EXPECT_GIVES_WAY(bine_chan_select(cases, 2));
    EXPECT_GIVES_WAY(bine_chan_select(NULL, 2));
    EXPECT_GIVES_WAY(bine_chan_send(shared, &value));
    EXPECT_GIVES_WAY(bine_chan_recv(shared, &value));
    expect_ok(bine_chan_free(chan));
    expect_ok(bine_chan_free(shared));
}

LOOP_TEST(calls_on_descriptors_give_way)
{
    char byte = 0;
    int fd[2], zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    struct addrinfo *list;
    expect_ok(bine_pipe(fd));
    expect_ok(bine_close(fd[1]));
    EXPECT_GIVES_WAY(bine_read(fd[0], &byte, 1));
    EXPECT_GIVES_WAY(bine_read(zero, &byte, 1));
    EXPECT_GIVES_WAY(bine_write(null, &byte, 1));
    EXPECT_GIVES_WAY(bine_pread(zero, &byte, 1, -1));
    EXPECT_GIVES_WAY(bine_readv(zero, NULL, -1));
    EXPECT_GIVES_WAY(bine_sendfile(-1, -1, NULL, 1));
    EXPECT_GIVES_WAY(bine_splice(-1, NULL, -1, NULL, 1, 0));
    EXPECT_GIVES_WAY(bine_splice(fd[0], NULL, null, NULL, 1, 0));
    EXPECT_GIVES_WAY(bine_connect(-1, NULL, 0));
    EXPECT_GIVES_WAY(bine_recvmsg(fd[0], NULL, 0));
    EXPECT_GIVES_WAY(bine_select(-1, NULL, NULL, NULL, NULL));
    EXPECT_GIVES_WAY(bine_poll_fd(fd[0], POLLIN));
    EXPECT_GIVES_WAY(bine_fsync(-1));
    EXPECT_GIVES_WAY(bine_open(NULL, O_RDONLY));
    EXPECT_GIVES_WAY(bine_opendir(NULL));
    EXPECT_GIVES_WAY(bine_readdir(NULL));
    EXPECT_GIVES_WAY(bine_dial("none", "nowhere"));
    EXPECT_GIVES_WAY(bine_resolve("127.0.0.1", "80", NULL, &list) == 0 ? freeaddrinfo(list) : (void)0);
    EXPECT_GIVES_WAY(bine_serve(-1, NULL, NULL, NULL));
    EXPECT_GIVES_WAY(bine_offload(NULL, NULL, NULL));
    EXPECT_GIVES_WAY(bine_process_wait(NULL, NULL));
    EXPECT_GIVES_WAY(bine_signal_next(NULL, NULL));
    expect_ok(close(zero));
    expect_ok(close(null));
    expect_ok(bine_close(fd[0]));
}

static void *read_one(void *arg)
{
    char byte;
    bine_stream_read(arg, &byte, 1);
    return NULL;
}

/* However many begin within it. */
LOOP_TEST(a_call_is_charged_once)
{
    struct iovec iov = {(char[]){'x'}, 1};
    int plainly, by_vector, in_full, fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    COUNT_UNTIL_WAY(bine_write(fd, "x", 1), &plainly);
    COUNT_UNTIL_WAY(bine_writev(fd, &iov, 1), &by_vector);
    COUNT_UNTIL_WAY(bine_write_full(fd, "x", 1), &in_full);
    expect_int(plainly, >, 1);
    expect_int(by_vector, ==, plainly);
    expect_int(in_full, ==, plainly);
    close(fd);
}

LOOP_TEST(calls_on_streams_give_way)
{
    char line[8];
    int fd[2];
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    bine_stream *stream = bine_stream_new(fd[0]);
    EXPECT_GIVES_WAY(bine_stream_flush(stream));
    EXPECT_GIVES_WAY(bine_stream_read_exactly(stream, line, 0));
    EXPECT_GIVES_WAY(bine_stream_read_line(stream, line, 0));
    bine_task *reader = bine_spawn(read_one, stream);
    expect_ok(bine_yield());
    EXPECT_GIVES_WAY(bine_stream_read(stream, line, 1)); /* the other one is reading */
    expect_ok(bine_stop(reader, NULL));
    expect_int(bine_write_full(fd[1], "long line\n", 10), ==, 10);
    EXPECT_GIVES_WAY(bine_stream_read_line(stream, line, 4));
    bine_stream_poison(stream);
    EXPECT_GIVES_WAY(bine_stream_read(stream, line, 1));
    EXPECT_GIVES_WAY(bine_stream_flush(stream));
    expect_ok(bine_stream_close(stream));
    expect_ok(bine_close(fd[1]));
}

/* What gives way in a scope that has fired, though it is no call that fails because of that, says nothing of it. */
LOOP_TEST(calls_that_no_scope_ends_do_not_make_one_fire)
{
    bine_scope scope;
    bine_scope_open(&scope, 0);
    for (int i = 0; i < BOUND; i++) {
        bine_group group;
        bine_group_open(&group, BINE_GROUP_ALL);
        expect_ok(bine_group_wait(&group, NULL));
        expect_fails(bine_stop(NULL, NULL), EINVAL);
    }
    expect(!bine_scope_fired(&scope));
    expect_int(bine_scope_close(&scope), ==, 0);
}

SUPPORT_MAIN("budget", calls_about_tasks_give_way, calls_about_groups_and_futures_give_way,
             locks_and_their_kin_give_way, queues_and_channels_give_way, calls_on_descriptors_give_way,
             a_call_is_charged_once,
             calls_on_streams_give_way, calls_that_no_scope_ends_do_not_make_one_fire)
