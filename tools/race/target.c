/* SPDX-License-Identifier: MIT
 *
 * Other programs, and where this one is. */
#define _GNU_SOURCE
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int run_command(char *const words[], bool quiet)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        fail(EXIT_CANNOT, "cannot start %s: %s", words[0], strerror(errno));
    if (child == 0) {
        int nowhere = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
        if (nowhere >= 0) {
            dup2(nowhere, STDOUT_FILENO);
            dup2(nowhere, STDERR_FILENO);
        }
        execvp(words[0], words);
        fprintf(stderr, "bine-race: cannot run %s: %s\n", words[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail(EXIT_CANNOT, "lost sight of %s: %s", words[0], strerror(errno));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
