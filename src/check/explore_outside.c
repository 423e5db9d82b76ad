/* SPDX-License-Identifier: MIT
 *
 * Does a run use something that its memory does not tell of?  Then states of it must not be taken for equal
 * (--merge): what a file holds that another schedule has written, memory that the program shares or maps
 * itself, descriptors that bine knows nothing of, other threads.
 *
 * Nobody asks the program; the kernel's own counts are looked at, each time that a state is:
 *  - calls that read, of /proc/self/io, since the first loop began: but for ours there are none;
 *  - the size of all that is mapped, of /proc/self/statm: it is what the process began with, the heap, the
 *    stacks of tasks.
 * Descriptors and child processes are explore_fds.c's matter.  What is only written does no harm, and is not
 * counted.  Not seen are a socket that was opened, read from by recv(2) and closed between two switches, and
 * what stat(2) and its like tell of files. */
#define _GNU_SOURCE
#include "check/explore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    bool begun, counting, unknown;
    long long reads; /* that there ought to be */
    long long pages; /* mapped, but for what grows by our own doing */
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
    bine__explore_fds_begin();
    before.pages = pages(NULL);
    before.begun = before.pages >= 0;
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

void bine__explore_own_read(void)
{
    if (before.reads > 0)
        before.reads++;
}

/* A kernel need not count calls that read: then whoever asks for it (--merge) has states compared without. */
static bool reads(bool asked_for)
{
    if (before.reads <= 0)
        return !asked_for;
    before.reads += bine__explore_fds_reads();
    bool others = number_in("/proc/self/io", "syscr: ") != before.reads;
    before.reads += 2; /* the files of /proc themselves */
    return others;
}

static bool used(const struct bine_loop *loop, bool asked_for)
{
    if (before.unknown || !before.begun || !before.counting)
        return true;
    before.unknown = reads(asked_for) || pages(loop) != before.pages;
    return before.unknown;
}

enum bine__explore_comparable bine__explore_look_outside(struct bine__explore *explore, uint64_t *told)
{
    struct bine__explore_share *share = explore->share;
    share->descriptors |= bine__explore_fds_used(explore->loop);
    if (share->unseen || explore->told) /* what looks up a place reads, too */
        return BINE__COMPARABLE_NEVER;
    if (used(explore->loop, share->merge)) {
        share->unseen = true;
        return BINE__COMPARABLE_NEVER;
    }
    enum bine__explore_comparable comparable = bine__explore_fds_state(told);
    share->unseen = comparable == BINE__COMPARABLE_NEVER;
    return comparable;
}

void bine__explore_outside_apart(void (*leave_out)(const void *, size_t))
{
    leave_out(&before, sizeof before);
}

/* An attempt of bine's to read: however often it calls read(2), these are no others.  What was open before the
 * run somebody else has the other end of. */
static long long reads_before;

void bine__explore_read_begins(int fd, bool socket)
{
    before.unknown |= bine__explore_inherited(fd);
    if (!socket && before.counting)
        reads_before = number_in("/proc/self/io", "syscr: ");
}

void bine__explore_read_ends(bool socket)
{
    int error = errno;
    if (!socket && before.counting && before.reads > 0)
        before.reads += number_in("/proc/self/io", "syscr: ") - reads_before + 1;
    errno = error;
}
