/* SPDX-License-Identifier: MIT
 *
 * Clusters: who runs, who is found, failures, posts between loops, listeners that share a port. */
#include "support/support.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "arch/context.h"
#include "support/fault.h"

enum { LOOPS = 4 };

static _Atomic unsigned runs, seen, posts;

/* ---- Who runs ---------------------------------------------------------------------- */

static void *look_around(void *arg)
{
    unsigned index = bine_loop_index();
    runs++;
    seen |= 1U << index;
    expect_uint(bine_cluster_size(), ==, *(unsigned *)arg);
    expect_ptr(bine_cluster_loop(index), ==, bine_this_loop());
    for (unsigned i = 0; i < bine_cluster_size(); i++)
        expect(bine_cluster_loop(i) != NULL);
    expect_null(bine_cluster_loop(bine_cluster_size()), EINVAL);
    expect_fails(bine_cluster(1, look_around, arg), EDEADLK);
    return bine_yield() == 0 ? NULL : bine_fail(errno);
}

START_TEST(the_function_runs_once_in_each_loop)
{
    unsigned loops = LOOPS;
    expect_ok(bine_cluster(loops, look_around, &loops));
    expect_uint(runs, ==, LOOPS);
    expect_uint(seen, ==, (1U << LOOPS) - 1);
    loops = 1;
    expect_ok(bine_cluster(1, look_around, &loops));
    expect_uint(runs, ==, LOOPS + 1);
    support_settle();
}
END_TEST

static void *count_loops(void *arg)
{
    runs++;
    *(_Atomic unsigned *)arg = bine_cluster_size();
    return NULL;
}

START_TEST(zero_stands_for_the_cores_that_may_be_used)
{
    _Atomic unsigned size = 0;
    expect_ok(bine_cluster(0, count_loops, &size));
    expect_uint(size, >=, 1);
    expect_uint(runs, ==, size);
    support_settle();
}
END_TEST

/* ---- Failures ---------------------------------------------------------------------- */

static void *fail_or_sleep(void *arg)
{
    runs++;
    if (bine_loop_index() == *(unsigned *)arg)
        return bine_fail(ENOTTY);
    if (bine_sleep(BINE_FOREVER) == -1 && errno == ECANCELED)
        seen++;
    return bine_fail(errno);
}

START_TEST(the_first_failure_cancels_the_others)
{
    for (unsigned who = 0; who < LOOPS; who++) {
        runs = seen = 0;
        expect_fails(bine_cluster(LOOPS, fail_or_sleep, &who), ENOTTY);
        expect_uint(runs, ==, LOOPS);
        expect_uint(seen, ==, LOOPS - 1);
    }
    support_settle();
}
END_TEST

static void *fail_last(void *arg)
{
    (void)arg;
    return bine_loop_index() == 0 && bine_sleep(BINE_MS) == 0 ? bine_fail(EXDEV) : NULL;
}

START_TEST(a_failure_finds_the_others_ended)
{
    for (int i = 0; i < 20; i++)
        expect_fails(bine_cluster(LOOPS, fail_last, NULL), EXDEV);
    support_settle();
}
END_TEST

START_TEST(one_that_cannot_be_had_means_that_none_runs)
{
    unsigned loops = LOOPS;
    fault_arm_call("calloc", 1, 1, ENOMEM);
    expect_fails(bine_cluster(LOOPS, look_around, &loops), ENOMEM);
    fault_arm_call("pthread_create", 3, 1, EAGAIN);
    errno = 0;
    expect_int(bine_cluster(LOOPS, look_around, &loops), ==, -1);
    expect(errno == EAGAIN || (BINE__CONTEXT_THREADS && errno == ENOMEM)); /* there it may have been a task's */
    fault_arm_call("epoll_create1", 2, 1, EMFILE);
    if (fault_made("epoll_create1") > 0) /* not with the other reactors */
        expect_fails(bine_cluster(LOOPS, look_around, &loops), EMFILE);
    fault_disarm();
    expect_uint(runs, ==, 0);
    support_settle();
}
END_TEST

START_TEST(misuse_is_an_error)
{
    bine_options options = BINE_OPTIONS_INIT;
    unsigned loops = 1;
    expect_fails(bine_cluster(1, NULL, NULL), EINVAL);
    expect_fails(bine_cluster(1025, look_around, &loops), EINVAL);
    expect_null(bine_cluster_loop(0), EPERM);
    expect_uint(bine_cluster_size(), ==, 0);
    expect_uint(bine_loop_index(), ==, 0);
    options.reactor = "none such";
    expect_fails(bine_cluster_with(&options, 2, look_around, &loops), EINVAL);
    options.reactor = "poll";
    expect_ok(bine_cluster_with(&options, 1, look_around, &loops));
    expect_uint(runs, ==, 1);
    support_settle();
}
END_TEST

/* ---- Between loops ----------------------------------------------------------------- */

enum { HOPS = 200 };
static bine_event finished[LOOPS];

static void *finish(void *arg)
{
    (void)arg;
    bine_event_set(&finished[bine_loop_index()]);
    return NULL;
}

/* From loop to loop, round and round. */
static void *hop(void *arg)
{
    if (++posts == HOPS) {
        for (unsigned i = 0; i < bine_cluster_size(); i++)
            expect_ok(bine_post(bine_cluster_loop(i), finish, NULL));
        return NULL;
    }
    expect_ok(bine_post(bine_cluster_loop((bine_loop_index() + 1) % bine_cluster_size()), hop, arg));
    return NULL;
}

static void *take_part(void *arg)
{
    if (bine_loop_index() == 0)
        expect_ok(bine_post(bine_cluster_loop(1), hop, arg));
    return bine_event_wait(&finished[bine_loop_index()]) == 0 ? NULL : bine_fail(errno);
}

START_TEST(loops_post_to_each_other)
{
    for (int i = 0; i < LOOPS; i++)
        bine_event_init(&finished[i]);
    expect_ok(bine_cluster(LOOPS, take_part, NULL));
    expect_uint(posts, ==, HOPS);
    support_settle();
}
END_TEST

/* ---- Listeners --------------------------------------------------------------------- */

enum { CONNECTIONS = 60 };
static _Atomic unsigned served, listening;
static char address[32];

static void greet(int fd, void *arg)
{
    (void)arg;
    char name = (char)('0' + bine_loop_index());
    served++;
    bine_write(fd, &name, 1);
}

static void *serve(void *arg)
{
    const int *shared = arg;
    int listener = *shared;
    if (listener == -1) { /* each its own, of the same address */
        listener = bine_listen("tcp", address, 0);
        expect_int(listener, >=, 0);
    }
    listening++;
    bine_serve(listener, greet, NULL, NULL);
    if (*shared == -1)
        bine_close(listener);
    return bine_fail(errno);
}

static void *connect_often(void *arg)
{
    unsigned loops = 0;
    while (listening < LOOPS - 1)
        expect_ok(bine_sleep(BINE_MS));
    for (int i = 0; i < CONNECTIONS; i++) {
        char name = 0;
        int fd = bine_dial("tcp", address);
        expect_int(bine_read(fd, &name, 1), ==, 1);
        loops |= 1U << (name - '0');
        bine_close(fd);
    }
    *(unsigned *)arg = loops;
    return bine_fail(ESHUTDOWN); /* ends the others */
}

struct both {
    int shared;
    unsigned loops;
};

static void *serve_or_connect(void *arg)
{
    struct both *both = arg;
    return bine_loop_index() == 0 ? connect_often(&both->loops) : serve(&both->shared);
}

/* A port that is free; kept by a socket that does not listen. */
static int reserve(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    expect_ok(bind(fd, (struct sockaddr *)&name, sizeof name));
    expect_ok(getsockname(fd, (struct sockaddr *)&name, &length));
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(name.sin_port));
    return fd;
}

START_TEST(loops_listen_to_the_same_address)
{
    struct both both = {.shared = -1};
    int kept = reserve();
    expect_fails(bine_cluster(LOOPS, serve_or_connect, &both), ESHUTDOWN);
    expect_uint(served, ==, CONNECTIONS);
    expect(__builtin_popcount(both.loops) > 1); /* one in 3^59 that one loop gets all */
    close(kept);
    support_settle();
}
END_TEST

START_TEST(loops_share_a_listener)
{
    struct both both = {.shared = -1};
    both.shared = bine_listen("tcp", "127.0.0.1:0", 0);
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    expect_ok(getsockname(both.shared, (struct sockaddr *)&name, &length));
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(name.sin_port));
    expect_fails(bine_cluster(LOOPS, serve_or_connect, &both), ESHUTDOWN);
    expect_uint(served, ==, CONNECTIONS);
    close(both.shared);
    support_settle();
}
END_TEST

SUPPORT_MAIN("cluster", the_function_runs_once_in_each_loop, zero_stands_for_the_cores_that_may_be_used,
             the_first_failure_cancels_the_others, a_failure_finds_the_others_ended,
             one_that_cannot_be_had_means_that_none_runs, misuse_is_an_error, loops_post_to_each_other,
             loops_listen_to_the_same_address, loops_share_a_listener)
