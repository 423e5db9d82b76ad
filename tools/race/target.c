/* SPDX-License-Identifier: MIT
 *
 * Other programs, and where this one is. */
#define _GNU_SOURCE
#include "race.h"

#include "check/explore_share.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t running; /* the child */

static void pass_on(int signal)
{
    if (running > 0)
        kill((pid_t)running, signal);
}

/* What a terminal sends goes to the child, too; the rest is passed on.  So this program outlives it and can
 * tell what it left. */
static const int ended_by[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
enum { ENDED_BY = sizeof ended_by / sizeof *ended_by };

int run_command(char *const words[], bool *ended_by_signal)
{
    struct sigaction before[ENDED_BY], action = {.sa_flags = SA_RESTART};
    sigset_t all, mask;
    int status;
    fflush(NULL);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    pid_t child = fork();
    if (child < 0)
        fail(EXIT_CANNOT, "cannot start %s: %s", words[0], strerror(errno));
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
        execvp(words[0], words);
        fprintf(stderr, "bine-race: cannot run %s: %s\n", words[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    running = child;
    for (unsigned i = 0; i < ENDED_BY; i++) {
        action.sa_handler = i < 2 ? SIG_IGN : pass_on;
        sigaction(ended_by[i], &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN)
            sigaction(ended_by[i], &before[i], NULL);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail(EXIT_CANNOT, "lost sight of %s: %s", words[0], strerror(errno));
    running = 0;
    for (unsigned i = 0; i < ENDED_BY; i++)
        sigaction(ended_by[i], &before[i], NULL);
    if (ended_by_signal)
        *ended_by_signal = WIFSIGNALED(status);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As execvp() would find it; -1. */
static int open_program(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];
    int fd = -1;
    if (strchr(name, '/'))
        return open(name, O_RDONLY | O_CLOEXEC);
    while (path && *path && fd < 0) {
        const int length = (int)strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", length, path, name);
        if (length > 0 && access(file, X_OK) == 0)
            fd = open(file, O_RDONLY | O_CLOEXEC);
        path += length + (path[length] == ':');
    }
    return fd;
}

bool holds_the_detector(const char *program)
{
    static const char library[] = "libbine-check.so";
    bool holds = true;
    struct stat status;
    const int fd = open_program(program);
    void *at = fd >= 0 && fstat(fd, &status) == 0 && status.st_size > SELFMAG
                   ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                   : MAP_FAILED;
    if (at != MAP_FAILED) {
        const size_t size = (size_t)status.st_size;
        holds = memcmp(at, ELFMAG, SELFMAG) != 0 ||
                memmem(at, size, BINE__EXPLORE_MARK, strlen(BINE__EXPLORE_MARK)) ||
                memmem(at, size, library, strlen(library));
        munmap(at, size);
    }
    if (fd >= 0)
        close(fd);
    return holds;
}

bool copy_file(const char *from, const char *to)
{
    char block[4096];
    FILE *in = fopen(from, "re"), *out = in ? fopen(to, "we") : NULL;
    for (size_t n; out && (n = fread(block, 1, sizeof block, in)) > 0;)
        fwrite(block, 1, n, out);
    bool whole = out && !ferror(in) && !ferror(out);
    if (out)
        whole = fclose(out) == 0 && whole;
    if (in)
        fclose(in);
    return whole;
}

const char *own_directory(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        fail(EXIT_CANNOT, "cannot find out where this program is: %s", strerror(errno));
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return path;
}
