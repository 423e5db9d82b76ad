/* SPDX-License-Identifier: MIT
 *
 * Small programs for bine-explore(1), by name: cases <name> [<number>...].
 * Here: what is in the kernel, and not in memory.  Each says beside it what exploration finds;
 * check.sh holds it to that. */
#define _GNU_SOURCE
#include "cases.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

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
void *run_letter(void *unused)
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

/* A descriptor of a kind that is not looked into. */
void *run_timed(void *unused)
{
    file = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    spawn_all(slices);
    return unused;
}

static void *logs_one(void *name)
{
    for (int i = 0; i < number[1]; i++) {
        bine_yield();
        if (write(file, "x", 1) != 1)
            abort();
    }
    return name;
}
/* Who has written is all the same to a file of one letter. */
void *run_logged(void *unused)
{
    file = memfd_create("log", MFD_CLOEXEC);
    spawn_all(logs_one);
    close(file);
    return unused;
}

static void *adds_or_takes(void *name)
{
    uint64_t value = 1;
    struct pollfd pollfd = {.fd = file, .events = POLLIN};
    bine_yield();
    if (*(char *)name == 'a' ? bine_write(file, &value, sizeof value) != sizeof value
                             : bine_poll(&pollfd, 1, 0) == 1 && bine_read(file, &value, sizeof value) < 0)
        abort();
    return NULL;
}
/* Whether an eventfd holds anything in the end is in the kernel, and nowhere else. */
void *run_event(void *unused)
{
    struct pollfd pollfd = {.events = POLLIN};
    file = pollfd.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    spawn_all(adds_or_takes);
    if (poll(&pollfd, 1, 0) == number[1])
        exit(3);
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
void *run_pipe(void *unused)
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
void *run_log(void *unused)
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
void *run_tcp(void *unused)
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

static union {
    struct sockaddr any;
    struct sockaddr_un local;
} local_address;

enum { PIPE, PAIR, CONNECTION, LISTENER, LOCAL_LISTENER, UDP, PACKETS, DATAGRAMS, KINDS };

/* To its own end of a pair or a connection, or all to one; number[1] % KINDS says which. */
static void *posts(void *name)
{
    const int i = *(char *)name - 'a', kind = number[1] % KINDS;
    bine_yield();
    if (kind == LISTENER || kind == LOCAL_LISTENER) {
        const struct sockaddr *to = kind == LISTENER ? &server_address : &local_address.any;
        const socklen_t size = kind == LISTENER ? sizeof server_address : sizeof local_address.local;
        assert(bine_connect(boxes[i][0], to, size) == 0);
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

/* Behind a name of the process's own, which is another one in each run. */
static void open_local_listener(void)
{
    local_address.local.sun_family = AF_UNIX;
    snprintf(local_address.local.sun_path + 1, sizeof local_address.local.sun_path - 1, "bine-cases-%d",
             (int)getpid());
    listener = bine_socket(AF_UNIX, SOCK_STREAM, 0);
    assert(bind(listener, &local_address.any, sizeof local_address.local) == 0 && listen(listener, 8) == 0);
}

static void connect_two(void)
{
    open_listener();
    boxes[0][1] = bine_socket(AF_INET, SOCK_STREAM, 0);
    assert(bine_connect(boxes[0][1], &server_address, sizeof server_address) == 0);
    boxes[0][0] = bine_accept(listener, NULL, NULL);
}

static void open_udp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    boxes[0][0] = bine_socket(AF_INET, SOCK_DGRAM, 0);
    assert(bind(boxes[0][0], (struct sockaddr *)&address, length) == 0);
    assert(getsockname(boxes[0][0], (struct sockaddr *)&address, &length) == 0);
    boxes[0][1] = bine_socket(AF_INET, SOCK_DGRAM, 0);
    assert(bine_connect(boxes[0][1], (struct sockaddr *)&address, length) == 0);
}

static void open_boxes(int kind)
{
    switch (kind) {
    case PIPE: assert(bine_pipe(boxes[0]) == 0); break;
    case PAIR: assert(bine_socketpair(AF_UNIX, SOCK_STREAM, 0, boxes[0]) == 0); break;
    case CONNECTION: connect_two(); break;
    case LISTENER:
        open_listener();
        for (int i = 0; i < 2; i++)
            boxes[i][0] = bine_socket(AF_INET, SOCK_STREAM, 0);
        break;
    case LOCAL_LISTENER:
        open_local_listener();
        for (int i = 0; i < 2; i++)
            boxes[i][0] = bine_socket(AF_UNIX, SOCK_STREAM, 0);
        break;
    case UDP: open_udp(); break;
    case PACKETS: assert(bine_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, boxes[0]) == 0); break;
    case DATAGRAMS: assert(bine_socketpair(AF_UNIX, SOCK_DGRAM, 0, boxes[0]) == 0); break;
    }
}

/* Whose letter is first is in the kernel, and nowhere else. */
void *run_mail(void *unused)
{
    const int kind = number[1] % KINDS;
    char letter = 0;
    open_boxes(kind);
    spawn_all(posts);
    int from = kind == LISTENER || kind == LOCAL_LISTENER ? bine_accept(listener, NULL, NULL) : boxes[0][0];
    assert(bine_read(from, &letter, 1) == 1);
    if (letter == 'a' + number[1] / KINDS)
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
void *run_server(void *unused)
{
    open_listener();
    bine_task *task[3] = {bine_spawn(answers, NULL), bine_spawn(asks, NULL), bine_spawn(asks, NULL)};
    for (int i = 0; i < 3; i++)
        bine_join(task[i], NULL);
    bine_close(listener);
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
void *run_fed(void *unused)
{
    if (bine_pipe(shared_pipe) != 0)
        abort();
    bine_task *feeder = bine_spawn(feeds, NULL);
    spawn_all(reads_one);
    bine_join(feeder, NULL);
    exit((int)digest);
    return unused;
}

static int lent = -1;

static void *lends(void *unused)
{
    int type = 0;
    socklen_t size = sizeof type;
    lent = bine_socket(AF_UNIX, SOCK_DGRAM, 0);
    bine_yield();
    if (getsockopt(lent, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_DGRAM)
        abort();
    return unused;
}
static void *closes_it(void *unused)
{
    if (lent != -1)
        bine_close(lent);
    return unused;
}
static void *makes_another(void *unused)
{
    bine_socket(AF_UNIX, SOCK_STREAM, 0);
    return unused;
}
/* The number of a descriptor that was closed is somebody else's by now. */
void *run_lent(void *unused)
{
    bine_task *task[3] = {bine_spawn(makes_another, NULL), bine_spawn(closes_it, NULL), bine_spawn(lends, NULL)};
    for (int i = 0; i < 3; i++)
        bine_join(task[i], NULL);
    return unused;
}
