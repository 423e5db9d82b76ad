/* SPDX-License-Identifier: MIT
 *
 * Small programs for bine-explore(1), by name: cases <name> [<number>...].  Each says beside it what
 * exploration finds; check.sh holds it to that. */
#define _GNU_SOURCE
#include <bine.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int number[2]; /* from the command line */
static char order[64];

static void note(char who)
{
    order[strlen(order)] = who;
}

/* ---- Counting -------------------------------------------------------------------------------------- */

/* So many slices, each of which is noted. */
static void *slices(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (i > 0)
            bine_yield();
        note(*(char *)name);
    }
    return NULL;
}

static void spawn_all(bine_fn *fn)
{
    static char name[4] = "abc";
    bine_group group;
    bine_group_open(&group, BINE_GROUP_ALL);
    for (int i = 0; i < number[0]; i++)
        bine_group_spawn(&group, fn, &name[i]);
    bine_group_wait(&group, NULL);
}

/* n tasks of k slices: (nk)! / (k!)^n */
static void *run_slices(void *unused)
{
    spawn_all(slices);
    return unused;
}

/* One order of all, and that fails. */
static void *run_needle(void *unused)
{
    spawn_all(slices);
    assert(strcmp(order, number[0] == 2 ? "abbaba" : "cbacab") != 0);
    return unused;
}

static int counters[4];

static void *adder(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (i > 0)
            bine_yield();
        counters[*(char *)name - 'a']++;
    }
    return NULL;
}

/* As many schedules as above, of (k + 1)^n states at most, but for who has ended and been released. */
static void *run_add(void *unused)
{
    spawn_all(adder);
    return unused;
}

static int shared;

static void *updater(void *unused)
{
    for (int i = 0; i < number[1]; i++) {
        int was = shared;
        bine_yield();
        shared = was + 1;
    }
    return unused;
}

/* No update is lost where they run one after the other, and nowhere else. */
static void *run_update(void *unused)
{
    spawn_all(updater);
    assert(shared < number[0] * number[1]);
    return unused;
}

static void *keeper(void *name)
{
    int seen = shared; /* in a register, or on the stack: nowhere else */
    bine_yield();
    if (*(char *)name == 'a')
        shared = seen + 1;
    else
        shared = 2 * seen + 2;
    return NULL;
}

/* 0 -> 1 and 0 -> 2 -> 3, or 1 -> 4; never 2 -> 1 alone: each kept another value. */
static void *run_register(void *unused)
{
    number[0] = 2;
    spawn_all(keeper);
    assert(shared != 4);
    return unused;
}

static void *dozer(void *name)
{
    for (int left = *(char *)name == 'a' ? 1 : 2; left > 0; left--)
        bine_sleep(*(char *)name == 'a' ? 3 * BINE_MS : BINE_MS);
    return NULL;
}

/* Asleep 3 ms, and 1 ms twice: all is over at 3 ms, or at 4.  Nobody asks until then. */
static void *run_clock(void *unused)
{
    number[0] = 2;
    spawn_all(dozer);
    assert(bine_now() == 3 * BINE_MS);
    return unused;
}

static void *sleeper(void *name)
{
    bine_sleep(*(char *)name * BINE_MS);
    note(*(char *)name);
    return NULL;
}

/* ---- Outcomes: what differs by schedule is the status that the program ends with --------------------- */

static unsigned digest;
static bool calm; /* a third number on the command line: nothing comes of it, and nothing fails */

/* Who did something, in order; of few values, so that all come up. */
static void digest_of(const char *name)
{
    digest = calm ? 0 : (digest * 2 + (unsigned)(*name - 'a')) % 23;
}

static bine_mutex digest_lock = BINE_MUTEX_INIT;

static void *locks_and_digests(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        bine_mutex_lock(&digest_lock);
        bine_yield();
        digest_of(name);
        bine_mutex_unlock(&digest_lock);
        bine_yield();
    }
    return NULL;
}
/* Tasks that wait in line for a lock, or do not have to. */
static void *run_locked(void *unused)
{
    spawn_all(locks_and_digests);
    exit((int)digest);
    return unused;
}

static bine_rwlock digest_rwlock = BINE_RWLOCK_INIT;

static void *reads_or_writes(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        if (*(char *)name == 'a')
            bine_rwlock_write(&digest_rwlock);
        else
            bine_rwlock_read(&digest_rwlock);
        bine_yield();
        digest_of(name);
        bine_rwlock_unlock(&digest_rwlock);
        bine_sleep(BINE_MS);
    }
    return NULL;
}
static void *run_rwlocked(void *unused)
{
    spawn_all(reads_or_writes);
    exit((int)digest);
    return unused;
}

static void *sleeps_between(bine_gen *gen, void *name)
{
    for (int i = 0; i < number[1]; i++) {
        bine_sleep(BINE_MS);
        digest_of(name);
        bine_gen_yield(gen, name, NULL);
    }
    return NULL;
}
static void *takes(void *name)
{
    bine_gen *gen = bine_gen_new(sleeps_between, name);
    BINE_FOR_EACH(v, gen)
        bine_yield();
    bine_gen_free(gen);
    return NULL;
}
/* Tasks that wait in bodies of generators, and outside of them. */
static void *run_taken(void *unused)
{
    spawn_all(takes);
    exit((int)digest);
    return unused;
}

static int shared_pipe[2];

static void *reads_one(void *name)
{
    char byte;
    while (bine_read(shared_pipe[0], &byte, 1) == 1)
        digest_of(name);
    return NULL;
}
static void *feeds(void *unused)
{
    for (int i = 0; i < number[1]; i++)
        bine_write(shared_pipe[1], "x", 1);
    bine_close(shared_pipe[1]);
    return unused;
}
/* Readers of one pipe: who gets which byte. */
static void *run_fed(void *unused)
{
    if (bine_pipe(shared_pipe) != 0)
        abort();
    bine_task *feeder = bine_spawn(feeds, NULL);
    spawn_all(reads_one);
    bine_join(feeder, NULL);
    exit((int)digest);
    return unused;
}

/* n sleepers of different length: (2n)! / 2^n in any order; n! where time is in order */
static void *run_sleepers(void *unused)
{
    spawn_all(sleeper);
    return unused;
}

/* One task, and a draw: as many as are ready. */
static void *run_select(void *unused)
{
    bine_chan *one = bine_chan_new(sizeof(int), 1, NULL), *other = bine_chan_new(sizeof(int), 1, NULL);
    int value = 1;
    bine_chan_send(one, &value);
    bine_chan_send(other, &value);
    bine_case cases[2] = {bine_case_recv(one, &value), bine_case_recv(other, &value)};
    assert(bine_chan_select(cases, 2) == 0);
    return unused;
}

/* ---- Time and completions -------------------------------------------------------------------------- */

/* The sleep ends, the deadline passes, or both: three.  The sleep cannot outlast a deadline set before it. */
static void *run_deadline(void *unused)
{
    bine_scope scope;
    bine_scope_open(&scope, 10 * BINE_MS);
    int slept = bine_sleep(number[0] * BINE_MS), late = bine_yield();
    bine_scope_close(&scope);
    note(slept == 0 && late == 0 ? 'n' : slept == 0 ? 'b' : 'd');
    printf("%s\n", order);
    if (number[1])
        assert(order[0] != "nbd"[number[1] - 1]);
    return unused;
}

static void *late_sleeper(void *unused)
{
    bine_sleep(5 * BINE_MS);
    note('s');
    return unused;
}

/* Longer than all that is to be awaited: passes first where any timer may. */
static void *run_watchdog(void *unused)
{
    bine_task *task = bine_spawn(late_sleeper, NULL);
    bine_scope scope;
    bine_scope_open(&scope, BINE_MINUTE);
    int error = bine_join(task, NULL);
    bine_scope_close(&scope);
    assert(error == 0);
    return unused;
}

static void *cancelled(void *unused)
{
    if (bine_sleep(BINE_MS) == 0)
        note('s');
    return unused;
}

/* The sleep is over when it is cancelled, or is over after that: before its task has run.  Two schedules
 * of five. */
static void *run_too_late(void *unused)
{
    bine_task *task = bine_spawn(cancelled, NULL);
    bine_yield();
    bool before = order[0] == 's';
    bine_cancel(task);
    bine_join(task, NULL);
    assert(before || order[0] != 's');
    return unused;
}

/* Callbacks run before any task; a timer may fire before or after. */
static void on_callback(void *name)
{
    note(*(char *)name);
}
static void *run_callbacks(void *unused)
{
    bine_timer timer;
    bine_call_soon(on_callback, "c");
    bine_timer_init(&timer, on_callback, "t");
    bine_timer_start(&timer, BINE_MS);
    bine_yield();
    note('y');
    assert(order[0] == 'c');
    bine_timer_cancel(&timer);
    return unused;
}

static bine_event woken = BINE_EVENT_INIT;
static bine_timer alarm_clock;
static bool rung;

static void on_alarm(void *unused)
{
    (void)unused;
    rung = true;
    bine_event_set(&woken);
}
static void *waits(void *unused)
{
    bine_event_wait(&woken);
    rung = false;
    return unused;
}
static void *looks(void *unused)
{
    assert(!rung);
    return unused;
}
/* What a callback has done is seen before whom it has woken has run. */
static void *run_alarm(void *unused)
{
    bine_task *one = bine_spawn(waits, NULL);
    bine_yield();
    bine_timer_init(&alarm_clock, on_alarm, NULL);
    bine_timer_start(&alarm_clock, BINE_MS);
    bine_task *other = bine_spawn(looks, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    return unused;
}

static void *count_up(bine_gen *gen, void *arg)
{
    for (long i = 1; i <= number[1]; i++) {
        bine_yield();
        shared++;
        bine_gen_yield(gen, (void *)i, NULL);
    }
    return arg;
}
static void *counter(void *unused)
{
    long sum = 0;
    bine_gen *gen = bine_gen_new(count_up, NULL);
    BINE_FOR_EACH(v, gen)
        sum += (long)v;
    bine_gen_free(gen);
    assert(sum == number[1] * (number[1] + 1) / 2);
    return unused;
}
/* As many as of tasks that add, since each of them stands in its generator whenever it yields. */
static void *run_generators(void *unused)
{
    spawn_all(counter);
    return unused;
}

/* ---- What is not in memory ------------------------------------------------------------------------- */

static int file;
static char *mapped;

static void *leaves_a_letter(void *name)
{
    bine_yield();
    if (number[1])
        *mapped = *(char *)name;
    else if (pwrite(file, name, 1, 0) != 1)
        abort();
    return NULL;
}
/* Whose letter is there in the end is in the file, or in memory of the program's own, and nowhere else. */
static void *run_letter(void *unused)
{
    char letter = 0;
    file = memfd_create("letter", MFD_CLOEXEC);
    mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (number[1])
        close(file);
    else if (file < 0 || munmap(mapped, 4096) != 0)
        abort();
    spawn_all(leaves_a_letter);
    if (!number[1] && pread(file, &letter, 1, 0) != 1)
        abort();
    assert((number[1] ? *mapped : letter) != 'a');
    return unused;
}

/* So much as to have a file open. */
static void *run_filed(void *unused)
{
    file = memfd_create("file", MFD_CLOEXEC);
    spawn_all(slices);
    return unused;
}

/* ---- Descriptors ----------------------------------------------------------------------------------- */

static int ends[2];

static void *writer(void *unused)
{
    note('w');
    bine_write(ends[1], "ab", 2);
    bine_write(ends[1], "cd", 2);
    bine_close(ends[1]);
    return unused;
}

static void *reader(void *unused)
{
    char bytes[8];
    ssize_t n, sum = 0, first = 0;
    while ((n = bine_read(ends[0], bytes, sizeof bytes)) > 0) {
        sum += n;
        first = first ? first : n;
    }
    assert(sum == 4);
    if (number[0])
        assert(first == number[0]);
    return unused;
}

/* The reader gets two bytes first, or four. */
static void *run_pipe(void *unused)
{
    assert(bine_pipe(ends) == 0);
    bine_task *one = bine_spawn(writer, NULL), *other = bine_spawn(reader, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    bine_close(ends[0]);
    return unused;
}

static int balance = 100;

/* A write that never waits in a test, and would some day. */
static void *pay_and_log(void *unused)
{
    if (balance >= 80) {
        bine_write(ends[1], ".", 1);
        balance -= 80;
    }
    return unused;
}
static void *run_log(void *unused)
{
    assert(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    bine_task *one = bine_spawn(pay_and_log, NULL), *other = bine_spawn(pay_and_log, NULL);
    bine_join(one, NULL);
    bine_join(other, NULL);
    assert(balance >= 0);
    return unused;
}

/* Over TCP, with a connection. */
static void *client(void *address)
{
    int fd = bine_socket(AF_INET, SOCK_STREAM, 0);
    assert(fd >= 0 && bine_connect(fd, address, sizeof(struct sockaddr)) == 0);
    assert(bine_write(fd, "x", 1) == 1);
    bine_close(fd);
    return NULL;
}
static void *run_tcp(void *unused)
{
    struct sockaddr address;
    socklen_t length = sizeof address;
    char byte;
    int listener = bine_listen("tcp", "127.0.0.1:0", 8);
    assert(listener >= 0 && getsockname(listener, &address, &length) == 0);
    bine_task *task = bine_spawn(client, &address);
    int fd = bine_accept(listener, NULL, NULL);
    assert(fd >= 0 && bine_read(fd, &byte, 1) == 1 && bine_read(fd, &byte, 1) == 0);
    bine_close(fd);
    bine_close(listener);
    bine_join(task, NULL);
    return unused;
}

static int boxes[2][2], listener;
static struct sockaddr server_address;

/* To its own end of a pair or a connection, or all to one; number[1] % 4 says which. */
static void *posts(void *name)
{
    const int i = *(char *)name - 'a', kind = number[1] % 4;
    bine_yield();
    if (kind == 3) {
        assert(bine_connect(boxes[i][0], &server_address, sizeof server_address) == 0);
        assert(bine_write(boxes[i][0], name, 1) == 1);
    } else {
        assert(bine_write(boxes[0][1], name, 1) == 1);
    }
    return NULL;
}

static void open_listener(void)
{
    socklen_t length = sizeof server_address;
    listener = bine_listen("tcp", "127.0.0.1:0", 8);
    assert(listener >= 0 && getsockname(listener, &server_address, &length) == 0);
}

/* Whose letter is first is in the kernel, and nowhere else. */
static void *run_mail(void *unused)
{
    char letter = 0;
    switch (number[1] % 4) {
    case 0: assert(bine_pipe(boxes[0]) == 0); break;
    case 1: assert(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, boxes[0]) == 0); break;
    case 2:
        open_listener();
        boxes[0][1] = bine_socket(AF_INET, SOCK_STREAM, 0);
        assert(bine_connect(boxes[0][1], &server_address, sizeof server_address) == 0);
        boxes[0][0] = bine_accept(listener, NULL, NULL);
        break;
    case 3:
        open_listener();
        for (int i = 0; i < 2; i++)
            boxes[i][0] = bine_socket(AF_INET, SOCK_STREAM, 0);
        break;
    }
    spawn_all(posts);
    int from = number[1] % 4 == 3 ? bine_accept(listener, NULL, NULL) : boxes[0][0];
    assert(bine_read(from, &letter, 1) == 1);
    if (letter == 'a' + number[1] / 4)
        exit(3);
    return unused;
}

static int answered;

static void *asks(void *unused)
{
    char answer[4];
    int fd = bine_socket(AF_INET, SOCK_STREAM, 0);
    assert(fd >= 0 && bine_connect(fd, &server_address, sizeof server_address) == 0);
    assert(bine_write(fd, "ask", 3) == 3);
    assert(bine_read(fd, answer, sizeof answer) == 4);
    if (number[0] && answered == 2)
        abort();
    bine_close(fd);
    return unused;
}
static void *answers(void *unused)
{
    char question[4];
    for (; answered < 2; answered++) {
        int fd = bine_accept(listener, NULL, NULL);
        assert(fd >= 0 && bine_read(fd, question, sizeof question) == 3 && bine_write(fd, "told", 4) == 4);
        bine_close(fd);
    }
    return unused;
}
/* A server and two clients; where it matters, the first to be answered is the last to hear of it. */
static void *run_server(void *unused)
{
    open_listener();
    bine_task *task[3] = {bine_spawn(answers, NULL), bine_spawn(asks, NULL), bine_spawn(asks, NULL)};
    for (int i = 0; i < 3; i++)
        bine_join(task[i], NULL);
    bine_close(listener);
    return unused;
}

/* ---- What goes wrong ------------------------------------------------------------------------------- */

static bine_mutex locks[2] = {BINE_MUTEX_INIT, BINE_MUTEX_INIT};

static void *two_locks(void *first)
{
    int i = *(int *)first;
    bine_mutex_lock(&locks[i]);
    bine_yield();
    bine_mutex_lock(&locks[!i]);
    bine_mutex_unlock(&locks[!i]);
    bine_mutex_unlock(&locks[i]);
    return NULL;
}
static void *run_deadlock(void *unused)
{
    static int zero = 0, one = 1;
    bine_task *a = bine_spawn(two_locks, &zero), *b = bine_spawn(two_locks, &one);
    bine_join(a, NULL);
    bine_join(b, NULL);
    return unused;
}

static bool flag;

static void *setter(void *unused)
{
    bine_sleep(BINE_MS);
    flag = true;
    return unused;
}
/* Ends, since no schedule is unfair for ever. */
static void *run_spin(void *unused)
{
    bine_task *task = bine_spawn(setter, NULL);
    while (!flag)
        bine_sleep(BINE_MS);
    bine_join(task, NULL);
    return unused;
}

static void *run_round(void *unused)
{
    for (;;)
        bine_yield();
    return unused;
}

static void *run_hog(void *unused)
{
    bine_yield();
    while (!*(volatile bool *)&flag)
        ;
    return unused;
}

static void *run_flood(void *unused)
{
    static char much[1 << 20];
    while (write(STDOUT_FILENO, much, sizeof much) > 0)
        ;
    pause();
    return unused;
}

/* Not all that is written is text. */
static void *run_binary(void *unused)
{
    static const char bytes[] = "\0\303\274\374\033\n";
    if (write(STDOUT_FILENO, bytes, sizeof bytes - 1) > 0)
        exit(9);
    return unused;
}

static void *crasher(void *unused)
{
    bine_yield();
    if (flag)
        raise(SIGSEGV);
    return unused;
}
static void *raiser(void *unused)
{
    bine_yield();
    flag = true;
    return unused;
}
/* In the schedules in which the second is faster. */
static void *run_crash(void *unused)
{
    bine_task *a = bine_spawn(crasher, NULL), *b = bine_spawn(raiser, NULL);
    bine_join(a, NULL);
    bine_join(b, NULL);
    return unused;
}

static void *run_stuck(void *unused)
{
    char byte;
    assert(bine_pipe(ends) == 0);
    (void)bine_read(ends[0], &byte, 1);
    return unused;
}

static void *failing(void *unused)
{
    (void)unused;
    return bine_fail(EIO);
}
static void *run_lost(void *unused)
{
    bine_spawn(failing, NULL);
    bine_yield();
    return unused;
}

/* The child process writes when it likes: nothing the explorer could decide. */
static void *run_child(void *unused)
{
    char byte;
    assert(bine_pipe(ends) == 0);
    pid_t pid = fork();
    assert(pid != -1);
    if (pid == 0) {
        usleep(1000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    assert(bine_read(ends[0], &byte, 1) == 1);
    return unused;
}

/* Never the same twice running: the file that $MOODY names grows by a byte each time. */
static void *run_moody(void *unused)
{
    struct stat status = {0};
    int fd = open(getenv("MOODY"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fstat(fd, &status) != 0)
        abort();
    close(fd);
    number[0] = status.st_size % 2 ? 2 : 3;
    number[1] = 2;
    spawn_all(slices);
    return unused;
}

#define CASE(name) {#name, run_##name}
static const struct {
    const char *name;
    bine_fn *fn;
} cases[] = {
    CASE(slices), CASE(needle), CASE(add), CASE(update), CASE(register), CASE(clock), CASE(sleepers),
    CASE(select), CASE(deadline), CASE(watchdog), CASE(too_late),
    CASE(callbacks), CASE(alarm), CASE(generators), CASE(letter), CASE(filed),
    CASE(locked), CASE(rwlocked), CASE(taken), CASE(fed), CASE(pipe), CASE(log), CASE(tcp), CASE(mail),
    CASE(server), CASE(deadlock), CASE(spin), CASE(round), CASE(hog),
    CASE(flood), CASE(crash), CASE(binary), CASE(stuck), CASE(lost), CASE(child), CASE(moody),
};

int main(int argc, char *argv[])
{
    for (int i = 2; i < argc && i < 4; i++)
        number[i - 2] = atoi(argv[i]);
    calm = argc > 4;
    if (argc > 1 && strcmp(argv[1], "status") == 0)
        return 7;
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argv[1]) == 0)
            return bine_run(cases[i].fn, NULL, NULL) == 0 ? 0 : 1;
    return 2;
}
