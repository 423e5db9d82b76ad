/* SPDX-License-Identifier: MIT
 *
 * Descriptors that the process was started with: the protocol of systemd's socket activation.
 *
 * LISTEN_FDS says how many there are, from number 3 on; LISTEN_PID whose they are, since the variables
 * outlive an exec by somebody else; LISTEN_FDNAMES what each is called, with colons between.  The variables
 * are left as they are: another library may ask too, and a child has another process number.
 *
 * Reads the environment each time, and never switches. */
#include <bine/net.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/net.h"
#include "runtime/runtime.h"

enum { FIRST = 3 /* sd_listen_fds(3): SD_LISTEN_FDS_START */ };

/* A decimal number without sign or space, or -1. */
static long number_of(const char *text)
{
    char *end;
    long value;

    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    value = strtol(text, &end, 10);
    return *end == '\0' && errno == 0 ? value : -1;
}

/* How many are ours, by the environment; -1/EINVAL. */
static int count_fds(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    long owner, count;

    if (!pid || !fds)
        return 0;
    owner = number_of(pid);
    if (owner <= 0)
        return bine__error(EINVAL);
    if (owner != (long)getpid())
        return 0; /* and the rest is none of our business */
    count = number_of(fds);
    return count >= 0 && count <= INT_MAX - FIRST ? (int)count : bine__error(EINVAL);
}

int bine_listen_fds(void)
{
    const int error = errno, count = count_fds();

    for (int fd = FIRST; fd < FIRST + count; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0)
            return -1;
    }
    if (count >= 0)
        errno = error;
    return count;
}

int bine__activated(const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    const size_t length = strlen(name);
    const int count = count_fds();

    if (count < 0)
        return -1;
    for (int i = 0; names && i < count; i++) {
        const size_t this = strcspn(names, ":");
        if (this == length && memcmp(names, name, length) == 0)
            return FIRST + i;
        names = names[this] ? names + this + 1 : NULL;
    }
    return bine__error(ENOENT);
}
