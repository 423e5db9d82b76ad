/* SPDX-License-Identifier: MIT
 *
 * Child processes of an explored program.
 *
 * What they do takes real time, so whether their output is there, or they have ended, would depend on how fast the
 * machine is just then, and a path would not lead to the same again.  So before what could happen is collected they
 * are let go on until all of them have ended or sleep, as one does that waits for input.  Nothing is lost by that:
 * that something is there does not mean that it is what happens next, so a slow child is explored all the same.
 *
 * One that sleeps for some time and then goes on, or that computes for longer than --patience, is not known in
 * advance. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check/explore.h"

enum { DESCENDANTS = 64, DEPTH = 4, LOOK_US = 500, CALM = 2 };

/* What the kernel tells of them. */
struct look {
    unsigned n;
    bool busy;
    uint64_t sum; /* of what they have done so far, in some measure */
};

static bool read_text(char *text, size_t size, const char *format, long process)
{
    char path[64];
    snprintf(path, sizeof path, format, process, process);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    bine__explore_own_read();
    const ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* "pid (name) state ppid ...": the name may hold anything. */
static void look_at(struct look *look, long process)
{
    char text[512];
    if (!read_text(text, sizeof text, "/proc/%ld/stat", process))
        return;
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ')
        return;
    const char state = at[2];
    look->busy |= state == 'R' || state == 'D';
    if (state == 'Z' || state == 'X')
        return;
    for (const char *byte = at; *byte; byte++) /* times, faults */
        look->sum = (look->sum ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
}

static void look_at_children(struct look *look, long process, int depth)
{
    char text[512];
    if (depth == DEPTH || !read_text(text, sizeof text, "/proc/%ld/task/%ld/children", process))
        return;
    for (char *at = text, *end; look->n < DESCENDANTS; at = end) {
        const long child = strtol(at, &end, 10);
        if (end == at)
            return;
        look->n++;
        look->sum = (look->sum ^ (uint64_t)child) * UINT64_C(0x100000001b3);
        look_at(look, child);
        look_at_children(look, child, depth + 1);
    }
}

static bool childless(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

void bine__explore_settle(struct bine__explore *explore)
{
    const struct timespec pause = {0, LOOK_US * 1000};
    const uint64_t looks = (uint64_t)explore->share->patience_ms * 1000 / LOOK_US;
    const int error = errno;
    struct look before = {0, true, 0};
    unsigned calm = 0;
    for (uint64_t i = 0; i < looks && calm < CALM && !childless(); i++) {
        struct look now = {0, false, 0};
        look_at_children(&now, getpid(), 0);
        calm = !now.busy && now.n == before.n && now.sum == before.sum ? calm + 1 : 0;
        before = now;
        if (calm < CALM)
            nanosleep(&pause, NULL);
    }
    errno = error;
}
