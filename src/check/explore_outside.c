/* SPDX-License-Identifier: MIT
 *
 * Does a run use something that its memory does not tell of?  Then states of it must not be taken for equal
 * (--merge): what a file holds that another schedule has written, memory that the program shares or maps
 * itself, descriptors that bine knows nothing of, other threads.
 *
 * Nobody asks the program; the kernel's own counts are looked at, each time that a state is:
 *  - calls that read, of /proc/self/io, since the first loop began: but for ours there are none;
 *  - the size of all that is mapped, of /proc/self/statm: it is what the process began with, the heap, the
 *    stacks of tasks;
 *  - how many descriptors are open: as many as the run was given.
 * What is only written does no harm, and is not counted.  Not seen are a socket that was opened, read from by
 * recv(2) and closed between two switches, and what stat(2) and its like tell of files. */
#define _GNU_SOURCE
#include "check/explore.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOP_DESCRIPTORS = 2 }; /* an explored loop's reactor is "poll", which has a pipe */

static struct {
    bool begun, counting, unknown;
    long long reads; /* that there ought to be */
    long long pages; /* mapped, but for what grows by our own doing */
    long descriptors;
} before;

/* The number that follows the name in a file of /proc, or -1.  Allocates nothing: that would change states. */
static long long number_in(const char *file, const char *name)
{
    char text[512];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, name);
    return at && n > 0 ? atoll(at + strlen(name)) : -1;
}

static long descriptors(void)
{
    char entries[4096] __attribute__((aligned(8)));
    long n, sum = 0;
    int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return -1;
    while ((n = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
        for (long at = 0; at < n; sum++) {
            unsigned short length; /* of linux_dirent64, after its two numbers */
            memcpy(&length, entries + at + 16, sizeof length);
            at += length;
        }
    close(fd);
    return n == 0 ? sum : -1;
}

static long long pages(const struct bine_loop *loop)
{
    long long size = number_in("/proc/self/statm", ""), page = sysconf(_SC_PAGESIZE);
    long long own = (long long)(uintptr_t)sbrk(0) / page; /* its end tells how far it has grown */
    stack_t alternate;
    if (size < 0)
        return -1;
    if (loop) {
        own += (long long)bine__stacks_mapped(&loop->stacks) / page;
        if (loop->alternate_stack && sigaltstack(NULL, &alternate) == 0)
            own += (long long)alternate.ss_size / page;
    }
    return size - own + (1LL << 52);
}

/* The run's process has just begun. */
void bine__explore_outside_begin(void)
{
    before.descriptors = descriptors();
    before.pages = pages(NULL);
    before.begun = before.descriptors >= 0 && before.pages >= 0;
}

/* The first loop does: what was read before is the same in each run, or the run is not told from its memory
 * alone either way. */
void bine__explore_outside_count(void)
{
    if (before.counting)
        return;
    before.counting = true;
    before.reads = number_in("/proc/self/io", "syscr: ") + 1; /* and this one */
}

/* A kernel need not count calls that read: then whoever asks for it (--merge) has states compared without. */
static bool reads(bool asked_for)
{
    if (before.reads <= 0)
        return !asked_for;
    bool others = number_in("/proc/self/io", "syscr: ") != before.reads;
    before.reads += 2; /* the files of /proc themselves */
    return others;
}

static bool used(const struct bine_loop *loop, bool asked_for)
{
    if (before.unknown || !before.begun || !before.counting)
        return true;
    before.unknown = reads(asked_for) || pages(loop) != before.pages ||
                     descriptors() != before.descriptors + LOOP_DESCRIPTORS;
    return before.unknown;
}

void bine__explore_look_outside(struct bine__explore *explore)
{
    struct bine__explore_share *share = explore->share;
    share->descriptors |= bine__explore_fds_used(explore->loop);
    if (!share->descriptors && !share->unseen && !explore->told) /* what looks up a place reads, too */
        share->unseen = used(explore->loop, share->merge);
}
