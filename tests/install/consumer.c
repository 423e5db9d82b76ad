/* SPDX-License-Identifier: MIT
 *
 * A program of somebody else's: C11 and C++17 alike, made from what is installed and nothing more.  A pipe, a
 * task at each end, a result, a deadline that passes and one that does not. */
#include <bine.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void *writer(void *arg)
{
    const int fd = *(int *)arg;
    for (int i = 0; i < 3; i++) {
        bine_sleep(BINE_MS);
        if (bine_write(fd, "twine", 5) != 5)
            return bine_fail(errno);
    }
    return bine_close(fd) == 0 ? arg : bine_fail(errno);
}

static void *first(void *arg)
{
    int fd[2];
    char text[16] = "";
    ssize_t got = -1;
    int late = 0;
    bine_result result;

    (void)arg;
    if (bine_pipe(fd) != 0)
        return bine_fail(errno);
    BINE_TIMEOUT(BINE_MS)
    {
        if (bine_read(fd[0], text, sizeof text) == -1)
            late = errno;
    }
    if (late != ETIMEDOUT)
        return bine_fail(EPROTO);
    bine_task *task = bine_spawn(writer, &fd[1]);
    if (!task)
        return bine_fail(errno);
    BINE_TIMEOUT(BINE_MINUTE)
    {
        got = bine_read_full(fd[0], text, sizeof text);
    }
    if (bine_join(task, &result) != 0 || result.error != 0 || result.value != &fd[1])
        return bine_fail(ECHILD);
    bine_close(fd[0]);
    return got == 15 && memcmp(text, "twinetwinetwine", 15) == 0 ? NULL : bine_fail(EIO);
}

int main(void)
{
    bine_result result;

    if (strcmp(bine_version(), BINE_VERSION) != 0) {
        fprintf(stderr, "headers are of %s, the library is %s\n", BINE_VERSION, bine_version());
        return 1;
    }
    if (bine_run(first, NULL, &result) != 0) {
        perror("bine_run");
        return 1;
    }
    if (result.error)
        fprintf(stderr, "consumer: %s\n", strerror(result.error));
    return result.error != 0;
}
