/* SPDX-License-Identifier: MIT
 *
 * The cancellation sweep: small programs over everything that can wait are run with the first wait of theirs
 * cancelled, then the second, and so on until none is left; each three times, with the cancellation coming before,
 * during and after the wait (support/inject.h).
 *
 * Whichever was cancelled, the others finish: every lock is passed on and free at the end, nobody is alone with what
 * two must share, values arrive once or go to their drop function, no task is left, nothing is leaked, nothing hangs.
 * Time is virtual; every wait stands under a deadline of its task, since who waits for somebody that was cancelled may
 * wait for ever.
 *
 *   cancel [program]     one of them alone */
#define _GNU_SOURCE
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/inject.h"

enum { WORKERS = 4, ROUNDS = 3, HANG_SECONDS = 120, PATIENCE = 60 };

static const char *program;
static const char *const moments[INJECT_WHENS] = {"before", "during", "after"};
static long nth;
static enum inject_when when;
static int inside, readers, writers, made, dropped, taken; /* values: each is made, and then dropped or taken */

/* Spawns so many workers and awaits them all. */
static void run_workers(bine_fn *fn, int n, void *arg)
{
    bine_task *task[WORKERS * 2];
    for (int i = 0; i < n; i++)
        task[i] = bine_spawn(fn, arg);
    for (int i = 0; i < n; i++) {
        bine_result result;
        expect_ok(bine_join(task[i], &result));
        if (result.error && result.error != ECANCELED && result.error != ETIMEDOUT && result.error != EPIPE)
            support_record(__FILE__, __LINE__, "a worker failed with %s", strerror(result.error));
    }
}

static void *make_value(void)
{
    made++;
    return malloc(1);
}

static void drop_value(void *value)
{
    dropped++;
    free(value);
}

static void take_value(void *value)
{
    taken++;
    free(value);
}

static void drop_element(void *element)
{
    void *value;
    memcpy(&value, element, sizeof value);
    drop_value(value);
}

static void *done(int result)
{
    return result == 0 ? NULL : bine_fail(errno);
}

/* ---- Locks --------------------------------------------------------------------------------------------- */

static bine_mutex mutex;
static bine_rwlock rwlock;
static bine_cond cond;
static bine_sem sem;
static int goods;

static void be_alone(int *there)
{
    expect_int(++*there, ==, 1);
    bine_yield();
    --*there;
}

static void *use_locks(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (bine_mutex_lock(&mutex) != 0)
            return done(-1);
        be_alone(&inside);
        expect_ok(bine_mutex_unlock(&mutex));
        if (bine_rwlock_read(&rwlock) != 0)
            return done(-1);
        readers++;
        bine_yield();
        expect_int(writers, ==, 0);
        readers--;
        expect_ok(bine_rwlock_unlock(&rwlock));
        if (bine_rwlock_write(&rwlock) != 0)
            return done(-1);
        expect_int(readers, ==, 0);
        be_alone(&writers);
        expect_ok(bine_rwlock_unlock(&rwlock));
    }
    return NULL;
}

static void locks(void)
{
    expect_ok(bine_mutex_init(&mutex));
    expect_ok(bine_rwlock_init(&rwlock));
    run_workers(use_locks, WORKERS, NULL);
    expect_ok(bine_mutex_destroy(&mutex));
    expect_ok(bine_rwlock_destroy(&rwlock));
}

static void *produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (bine_mutex_lock(&mutex) != 0)
            return done(-1);
        goods++;
        bine_cond_signal(&cond);
        expect_ok(bine_mutex_unlock(&mutex));
        bine_yield();
    }
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (int i = 0; i < ROUNDS; i++) {
            if (bine_mutex_lock(&mutex) != 0)
                return done(-1);
            int error = 0;
            while (goods == 0 && error == 0)
                error = bine_cond_wait(&cond, &mutex) == 0 ? 0 : errno;
            expect_int(++inside, ==, 1); /* it holds the mutex, whatever happened */
            if (error == 0)
                goods--;
            inside--;
            expect_ok(bine_mutex_unlock(&mutex));
            if (error)
                return bine_fail(error);
        }
    }
    return NULL;
}

static void *share_permits(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (bine_sem_wait(&sem) != 0)
            return done(-1);
        expect_int(++readers, <=, 2);
        bine_sleep(BINE_MS);
        readers--;
        expect_ok(bine_sem_post(&sem));
    }
    return NULL;
}

static void conditions(void)
{
    goods = 0;
    expect_ok(bine_mutex_init(&mutex));
    expect_ok(bine_cond_init(&cond));
    bine_task *consumers[2] = {bine_spawn(consume, NULL), bine_spawn(consume, NULL)};
    run_workers(produce, 2, NULL);
    expect_ok(bine_join(consumers[0], &(bine_result){NULL, 0}));
    expect_ok(bine_join(consumers[1], &(bine_result){NULL, 0}));
    expect_ok(bine_cond_destroy(&cond));
    expect_ok(bine_mutex_destroy(&mutex));
    expect_ok(bine_sem_init(&sem, 2));
    run_workers(share_permits, WORKERS, NULL);
    expect_ok(bine_sem_wait_try(&sem));
    expect_ok(bine_sem_wait_try(&sem));
    expect_fails(bine_sem_wait_try(&sem), EAGAIN);
    expect_ok(bine_sem_destroy(&sem));
}

/* ---- Meeting points -------------------------------------------------------------------------------------- */

static bine_event event;
static bine_barrier barrier;
static bine_latch latch;
static bine_once_flag once;
static int initialised;

static void initialise(void *arg)
{
    (void)arg;
    if (bine_sleep(BINE_MS) == 0)
        initialised++;
}

static void *meet(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        int error = bine_once(&once, initialise, NULL);
        if (error == 0)
            error = bine_barrier_wait(&barrier) < 0;
        bine_event_set(&event);
        bine_latch_done(&latch);
        if (error || bine_latch_wait(&latch) != 0)
            return done(-1);
    }
    return NULL;
}

static void *wait_for_event(void *arg)
{
    (void)arg;
    return done(bine_event_wait(&event));
}

static void meetings(void)
{
    expect_ok(bine_event_init(&event));
    expect_ok(bine_barrier_init(&barrier, WORKERS));
    expect_ok(bine_latch_init(&latch, WORKERS));
    expect_ok(bine_once_init(&once));
    bine_task *waiter = bine_spawn(wait_for_event, NULL);
    run_workers(meet, WORKERS, NULL);
    expect_ok(bine_join(waiter, &(bine_result){NULL, 0}));
    expect_ok(bine_event_destroy(&event));
    expect_ok(bine_barrier_destroy(&barrier));
    expect_ok(bine_latch_destroy(&latch));
    expect_ok(bine_once_destroy(&once));
}

/* ---- Values that travel ------------------------------------------------------------------------------------ */

static bine_queue *queue;
static bine_chan *chan[2];

static void *put_values(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (int i = 0; i < ROUNDS; i++) {
            void *value = make_value();
            if (bine_queue_put(queue, value) != 0) {
                drop_value(value);
                return done(-1);
            }
        }
        bine_queue_join(queue);
    }
    return NULL;
}

static void *get_values(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (int i = 0; i < ROUNDS; i++) {
            void *value;
            if (bine_queue_get(queue, &value) != 0)
                return done(-1);
            take_value(value);
            bine_yield();
            expect_ok(bine_queue_task_done(queue));
        }
    }
    return NULL;
}

static void *send_values(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (int i = 0; i < ROUNDS; i++) {
            void *value = make_value();
            bine_case cases[2] = {bine_case_send(chan[0], &value), bine_case_send(chan[1], &value)};
            if ((i == 1 ? bine_chan_send(chan[0], &value) : bine_chan_select(cases, 2)) < 0) {
                drop_value(value);
                return done(-1);
            }
        }
    }
    return NULL;
}

static void *receive_values(void *arg)
{
    (void)arg;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (;;) {
            void *value;
            bine_case cases[2] = {bine_case_recv(chan[0], &value), bine_case_recv(chan[1], &value)};
            int which = bine_chan_select(cases, 2);
            if (which < 0)
                return done(-1);
            if (cases[which].error == EPIPE)
                return NULL;
            take_value(value);
        }
    }
    return NULL;
}

static void travels(void)
{
    queue = bine_queue_new(BINE_QUEUE_FIFO, 1, drop_value);
    bine_task *getters[2] = {bine_spawn(get_values, NULL), bine_spawn(get_values, NULL)};
    run_workers(put_values, 2, NULL);
    bine_queue_shutdown(queue, true);
    expect_ok(bine_join(getters[0], &(bine_result){NULL, 0}));
    expect_ok(bine_join(getters[1], &(bine_result){NULL, 0}));
    expect_ok(bine_queue_free(queue));

    chan[0] = bine_chan_new(sizeof(void *), 0, drop_element);
    chan[1] = bine_chan_new(sizeof(void *), 1, drop_element);
    bine_task *receivers[2] = {bine_spawn(receive_values, NULL), bine_spawn(receive_values, NULL)};
    run_workers(send_values, 2, NULL);
    bine_chan_close(chan[0]);
    bine_chan_close(chan[1]);
    expect_ok(bine_join(receivers[0], &(bine_result){NULL, 0}));
    expect_ok(bine_join(receivers[1], &(bine_result){NULL, 0}));
    expect_ok(bine_chan_free(chan[0]));
    expect_ok(bine_chan_free(chan[1]));
}

/* ---- Groups, futures, generators ----------------------------------------------------------------------------- */

static int living;

static void *live_a_while(void *arg)
{
    living++;
    int result = bine_sleep((bine_ns)(intptr_t)arg * BINE_MS);
    living--;
    return done(result);
}

static void *give_value(void *arg)
{
    (void)arg;
    if (bine_sleep(BINE_MS) != 0)
        return done(-1);
    return make_value();
}

static void *group_of_groups(void *arg)
{
    (void)arg;
    BINE_GROUP(outer, BINE_GROUP_ALL) {
        for (intptr_t i = 1; i <= 2; i++)
            bine_group_spawn(&outer, live_a_while, (void *)i);
        BINE_GROUP(inner, BINE_GROUP_COLLECT) {
            bine_group_admit(&inner, 1);
            bine_group_spawn(&inner, live_a_while, (void *)1);
            bine_group_admit(&inner, 1);
            bine_group_spawn(&inner, live_a_while, (void *)1);
        }
    }
    return done(bine_cancelled() ? (errno = bine_cancelled(), -1) : 0);
}

static void *gather_some(void *arg)
{
    static bine_fn *const fn[3] = {live_a_while, live_a_while, give_value};
    void *const args[3] = {(void *)1, (void *)2, NULL};
    bine_result out[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    int result = bine_gather(3, fn, args, out);
    (void)arg;
    if (out[2].value)
        take_value(out[2].value);
    return done(result);
}

static void *shield_some(void *arg)
{
    bine_result result = {NULL, 0};
    (void)arg;
    int shielded = bine_shield(give_value, NULL, drop_value, &result);
    if (shielded == 0 && result.value)
        take_value(result.value);
    return done(shielded);
}

static void *await_futures(void *arg)
{
    bine_attr attr = BINE_ATTR_INIT;
    attr.drop_result = drop_value;
    bine_future *both[2] = {bine_future_new(drop_value), bine_task_future(bine_spawn_with(&attr, give_value, NULL))};
    bine_result result = {NULL, 0};
    bool seen[2] = {false, false};
    bine_future_set(both[0], make_value());
    int waited = bine_wait(both, 2, BINE_FIRST_COMPLETED);
    int next = waited < 0 ? -1 : bine_next_done(both, 2, seen);
    int awaited = next < 0 ? -1 : bine_future_await(both[1], &result);
    int error = errno;
    (void)arg;
    if (awaited == 0 && result.value)
        take_value(result.value);
    bine_future_unref(both[0]); /* what was not taken is dropped with it */
    bine_future_unref(both[1]);
    errno = error;
    return done(awaited);
}

static void *tick(bine_gen *gen, void *n)
{
    for (intptr_t i = 0; i < (intptr_t)n; i++) {
        if (bine_sleep(BINE_MS) != 0 || bine_gen_yield(gen, (void *)i, NULL) != 0)
            return done(-1);
    }
    return NULL;
}

static void *tick_twice(bine_gen *gen, void *n)
{
    bine_gen *sub = bine_gen_new(tick, n);
    int result = 0;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND)
        result = bine_gen_from(gen, sub, NULL);
    int error = errno;
    bine_gen_free(sub);
    errno = error;
    return done(result);
}

static void *use_generator(void *arg)
{
    bine_gen *gen = bine_gen_new(tick_twice, (void *)3);
    (void)arg;
    BINE_FOR_EACH(v, gen) {
        if ((intptr_t)v == 2)
            break;
    }
    bine_gen_free(gen);
    return NULL;
}

static void structure(void)
{
    run_workers(group_of_groups, 2, NULL);
    expect_int(living, ==, 0);
    run_workers(gather_some, 2, NULL);
    run_workers(shield_some, 2, NULL);
    run_workers(await_futures, 2, NULL);
    bine_sleep(BINE_SECOND); /* what is shielded goes on */
    run_workers(use_generator, 2, NULL);
}

/* ---- Descriptors ----------------------------------------------------------------------------------------------- */

static void *converse(void *arg)
{
    char text[64];
    int *pair = arg, fd = pair[pair[2]++];
    bine_stream *stream = bine_stream_new(fd);
    int error = 0;
    BINE_TIMEOUT(PATIENCE * BINE_SECOND) {
        for (int i = 0; i < ROUNDS && !error; i++) {
            ssize_t n = -1;
            if (bine_stream_printf(stream, "line %d\n", i) == 0 && bine_stream_flush(stream) == 0)
                n = bine_stream_read_line(stream, text, sizeof text);
            error = n < 0 ? errno : n == 0 ? EPIPE : 0; /* the other has left */
        }
    }
    bine_stream_close(stream);
    return error ? bine_fail(error == ECONNRESET ? EPIPE : error) : NULL;
}

static void *use_files(void *arg)
{
    char text[32];
    (void)arg;
    int fd = bine_open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return done(-1);
    ssize_t n = bine_read(fd, text, sizeof text);
    bine_close(fd);
    return done(n < 0 ? -1 : 0);
}

static void descriptors(void)
{
    int pair[3] = {-1, -1, 0};
    expect_ok(bine_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    run_workers(converse, 2, pair);
    run_workers(use_files, 2, NULL);
}

/* ---- The sweep --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*body)(void);
} programs[] = {{"locks", locks},         {"conditions", conditions}, {"meetings", meetings},
                {"travels", travels},     {"structure", structure},   {"descriptors", descriptors}};

static void *whole(void *body)
{
    inject_exempt();
    ((void (*)(void))(uintptr_t)body)();
    return NULL;
}

static void hang(int sig)
{
    (void)sig;
    static const char text[] = "hangs: ";
    if (write(STDOUT_FILENO, text, sizeof text - 1) >= 0 && write(STDOUT_FILENO, program, strlen(program)) >= 0)
        bine_dump(STDOUT_FILENO);
    _exit(1);
}

static void ignore(const bine_report *report)
{
    (void)report; /* failures that nobody looks at are what this is about */
}

/* What was left to an offload thread, that thread may still be about to close and to free. */
static const char *leak_that_stays(long blocks)
{
    const char *leak = fixture_leak();
    for (int i = 0; i < 20000 && (leak || fixture_blocks() > blocks); i++) {
        nanosleep(&(struct timespec){.tv_nsec = BINE_MS}, NULL);
        leak = fixture_leak();
    }
    return leak;
}

/* False: there was no such wait any more. */
static bool once_with(void (*body)(void), long *failures)
{
    bine_options options = BINE_OPTIONS_INIT;
    options.virtual_clock = true;
    inside = readers = writers = made = dropped = taken = living = initialised = 0;
    long blocks = fixture_blocks();
    alarm(HANG_SECONDS);
    inject_arm(nth, when);
    run_recorded(&options, whole, (void *)(uintptr_t)body);
    bool more = inject_waits() >= nth;
    inject_disarm();
    alarm(0);
    expect_int(made, ==, dropped + taken);
    const char *leak = leak_that_stays(blocks);
    expect_int(fixture_blocks(), <=, blocks);
    if (support_failures() || leak) {
        printf("FAIL: %s, cancelled %s wait %ld: %s%s\n", program, moments[when], nth, leak ? leak : "",
               support_recorded());
        support_forget();
        ++*failures;
    }
    return more;
}

int main(int argc, char **argv)
{
    long runs = 0, failures = 0;
    bine_set_report(ignore);
    signal(SIGALRM, hang);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        program = programs[i].name;
        if (argc > 1 && strcmp(argv[1], program) != 0)
            continue;
        run_virtual(whole, (void *)(uintptr_t)programs[i].body); /* what a process needs once stays */
        for (when = 0; when < INJECT_WHENS; when++) {
            nth = 1000000;
            fixture_mark();
            once_with(programs[i].body, &failures);
            for (nth = 1; once_with(programs[i].body, &failures); nth++)
                runs++;
        }
        printf("%s: %ld waits\n", program, nth - 1);
    }
    printf("%ld passed, %ld failed\n", runs, failures);
    return failures || !runs ? 1 : 0;
}
