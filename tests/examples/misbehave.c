/* SPDX-License-Identifier: MIT
 *
 * Ten thousand clients that misbehave, and a few that do not and must be served all the same.
 *
 *     misbehave HOST:PORT CLIENTS SECONDS
 *
 * Each misbehaving client is of one of these kinds, and begins again when it has been got rid of:
 *     drips       sends a request a byte a second, until the server's patience ends (408)
 *     half closes sends a request and that it will send no more; must get the whole answer
 *     resets      sends half a request, or a whole one for a large file, and resets the connection
 *     vanishes    connects and is never heard of again
 *     stalls      asks for a large file and reads nothing
 * Only when all of them are connected the time begins, in which the good clients' answers are counted.
 * Exits with 0 if every one of these was right, each good client had some, and the misbehaving got what
 * they must. */
#include <bine.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { GOOD_CLIENTS = 8, SPARE = 200, DIALS_AT_ONCE = 500 };
#define PATIENCE (60 * BINE_SECOND)

static const char *address;
static bool over;
static bool all_there;
static size_t wanted;
static size_t connected; /* misbehaving clients that have come as far as misbehaving once */
static size_t dialling;
static uint64_t good_answers[GOOD_CLIENTS];
static uint64_t told_late; /* 408 */
static uint64_t half_closed;
static uint64_t wrong;

static void complain(const char *who, const char *why)
{
    if (wrong++ < 10)
        fprintf(stderr, "misbehave: %s: %s\n", who, why);
}

static int dial(void)
{
    int fd = -1;
    while (dialling >= DIALS_AT_ONCE)
        if (bine_sleep(10 * BINE_MS) < 0)
            return -1;
    dialling++;
    BINE_TIMEOUT(PATIENCE)
        fd = bine_dial("tcp", address);
    dialling--;
    if (fd < 0 && !bine_cancelled())
        complain("dial", strerror(errno));
    return fd;
}

static int say(int fd, const char *text)
{
    return bine_write_full(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Reads to the end of the connection; how much of it fitted. */
static size_t read_all(int fd, char *buf, size_t size)
{
    size_t n = 0;
    ssize_t got = -1;
    BINE_TIMEOUT(PATIENCE) {
        while ((got = bine_recv(fd, buf + n, size - 1 - n, 0)) > 0)
            n += (size_t)got;
    }
    buf[n] = '\0';
    if (got < 0 && errno == ETIMEDOUT)
        complain("an answer", "has not ended");
    return n;
}

static void reset(int fd)
{
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void drips(int fd, bool first)
{
    static const char request[] = "GET /hello.txt HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    char answer[512];
    connected += first;
    for (const char *c = request; *c; c++) {
        if (bine_write(fd, c, 1) < 0)
            break; /* it has had enough of us */
        bool readable = false;
        BINE_TIMEOUT(BINE_SECOND)
            readable = bine_poll_fd(fd, POLLIN) >= 0;
        if (readable || bine_cancelled())
            break;
    }
    size_t n = read_all(fd, answer, sizeof answer);
    if (n > 0 && strncmp(answer, "HTTP/1.1 408 ", 13) != 0)
        complain("drips", answer);
    told_late += n > 0;
}

static void half_closes(int fd, bool first)
{
    char answer[512];
    if (say(fd, "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n") < 0 || bine_shutdown(fd, SHUT_WR) < 0) {
        if (errno != ECANCELED) /* the time is up */
            complain("half closes", strerror(errno));
        return;
    }
    read_all(fd, answer, sizeof answer);
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !strstr(answer, "\r\n\r\nhello, world\n")) {
        if (!bine_cancelled())
            complain("half closes", answer);
        return;
    }
    half_closed++;
    connected += first;
    bine_sleep(BINE_SECOND);
}

static void resets(int fd, bool first)
{
    static bool large;
    large = !large;
    say(fd, large ? "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n" : "GET /hello.txt HTT");
    if (large)
        bine_poll_fd(fd, POLLIN); /* in the middle of the answer */
    connected += first;
    bine_sleep(BINE_SECOND);
    reset(fd);
}

static void vanishes(int fd, bool first)
{
    (void)fd;
    connected += first;
    bine_sleep(BINE_FOREVER);
}

static void stalls(int fd, bool first)
{
    say(fd, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    connected += first;
    bine_sleep(BINE_FOREVER);
    reset(fd);
}

static void *misbehave(void *arg)
{
    static void (*const kinds[])(int, bool) = {drips, half_closes, resets, vanishes, stalls};
    void (*kind)(int, bool) = kinds[(size_t)(uintptr_t)arg % (sizeof kinds / sizeof *kinds)];
    for (bool first = true; !over; first = false) {
        int fd = dial();
        if (fd < 0)
            break;
        kind(fd, first);
        bine_close(fd);
    }
    return NULL;
}

static void *behave(void *arg)
{
    uint64_t *answers = arg;
    static const char body[] = "\r\n\r\nhello, world\n";
    char answer[512];
    int fd = dial();
    while (fd >= 0 && !over) {
        ssize_t n = -1;
        size_t length = 0;
        answer[0] = '\0';
        BINE_TIMEOUT(PATIENCE) {
            if (say(fd, "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n") == 0)
                while (!strstr(answer, body) &&
                       (n = bine_recv(fd, answer + length, sizeof answer - 1 - length, 0)) > 0)
                    answer[length += (size_t)n] = '\0';
        }
        if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !strstr(answer, body)) {
            complain("behaves", n < 0 ? strerror(errno) : answer);
            break;
        }
        *answers += all_there;
        if (bine_sleep(BINE_MS) < 0)
            break;
    }
    if (fd >= 0)
        bine_close(fd);
    return NULL;
}

static void *run(void *arg)
{
    bine_ns duration = *(const bine_ns *)arg;
    bine_task **tasks = calloc(wanted + GOOD_CLIENTS, sizeof *tasks);
    size_t n = 0;
    if (!tasks)
        return bine_fail(errno);
    for (size_t i = 0; i < GOOD_CLIENTS; i++)
        tasks[n++] = bine_spawn(behave, &good_answers[i]);
    for (size_t i = 0; i < wanted; i++)
        tasks[n++] = bine_spawn(misbehave, (void *)(uintptr_t)i);

    bine_ns limit = bine_now() + PATIENCE;
    while (connected < wanted && bine_now() < limit && wrong == 0)
        bine_sleep(20 * BINE_MS);
    printf("%zu of %zu misbehave\n", connected, wanted);
    fflush(stdout);
    all_there = true;
    bine_sleep(duration);
    over = true;
    for (size_t i = 0; i < n; i++) {
        if (!tasks[i])
            complain("spawn", "no task");
        else if (i < GOOD_CLIENTS ? bine_join(tasks[i], NULL) < 0 : bine_stop(tasks[i], NULL) < 0)
            complain("join", strerror(errno));
    }
    free(tasks);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST:PORT CLIENTS SECONDS\n", argv[0]);
        return 2;
    }
    address = argv[1];
    wanted = strtoul(argv[2], NULL, 10);
    bine_ns duration = atoi(argv[3]) * BINE_SECOND;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        /* The server needs a descriptor for each of them, and another for each large file. */
        size_t most = limit.rlim_cur > SPARE ? (size_t)(limit.rlim_cur - SPARE) * 2 / 3 : 1;
        if (wanted > most) {
            printf("only %zu clients: no more descriptors are allowed\n", most);
            wanted = most;
        }
    }
    bine_result result = {NULL, 0};
    if (bine_run(run, &duration, &result) < 0 || result.error) {
        fprintf(stderr, "misbehave: %s\n", strerror(result.error ? result.error : errno));
        return 1;
    }
    uint64_t least = UINT64_MAX;
    uint64_t answers = 0;
    for (size_t i = 0; i < GOOD_CLIENTS; i++) {
        answers += good_answers[i];
        least = good_answers[i] < least ? good_answers[i] : least;
    }
    printf("%" PRIu64 " good answers meanwhile, at least %" PRIu64 " for each; %" PRIu64
           " told to be late, %" PRIu64 " answered after half closing, %" PRIu64 " wrong\n",
           answers, least, told_late, half_closed, wrong);
    return connected == wanted && wrong == 0 && least > 0 && told_late > 0 && half_closed > 0 ? 0 : 1;
}
