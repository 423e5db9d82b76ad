/* SPDX-License-Identifier: MIT
 *
 * Opening a file beneath a directory, and never one outside.
 *
 * Linux 5.6 can promise that by itself (openat2(2), RESOLVE_BENEATH), symbolic links included; elsewhere the
 * path is walked one directory at a time, and symbolic links are not followed at all.
 *
 * Opening blocks while the disk is asked.  RESOLVE_CACHED answers from the kernel's memory or not at all;
 * then a thread of the library's looks the path up first (bine_open), and the disk makes it wait, not us. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: opening a pipe must not wait for its writer. */
enum { HOW = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

static int walk_beneath(int root, const char *path)
{
    int at = dup(root);
    while (at >= 0 && *path) {
        char name[256];
        size_t length = strcspn(path, "/");
        bool last = path[length + strspn(path + length, "/")] == '\0';
        if (length >= sizeof name) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + strspn(path + length, "/");
        if (strcmp(name, "..") == 0) {
            close(at);
            errno = EXDEV;
            return -1;
        }
        bool directory = !last || path[-1] == '/';
        int next = openat(at, name, HOW | O_NOFOLLOW | (directory ? O_DIRECTORY : 0));
        int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}

#ifdef SYS_openat2
#include <linux/openat2.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

/* Has a thread bring into memory what the path leads through.  Failures show when it is opened. */
static void warm(const struct site *site, const char *path)
{
    size_t length = strlen(site->root);
    char *whole = malloc(length + 1 + strlen(path) + 1);
    if (!whole)
        return;
    memcpy(whole, site->root, length);
    whole[length] = '/';
    memcpy(whole + length + 1, path, strlen(path) + 1);
    int fd = bine_open(whole, O_PATH | O_CLOEXEC);
    if (fd >= 0)
        bine_close(fd);
    free(whole);
}

int open_beneath(const struct site *site, const char *path)
{
    struct open_how how = {.flags = HOW, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED};
    long fd = syscall(SYS_openat2, site->root_fd, path, &how, sizeof how);
    if (fd < 0 && (errno == EAGAIN || errno == EINVAL)) { /* not in memory; or a kernel before 5.12 */
        if (errno == EAGAIN)
            warm(site, path);
        how.resolve &= ~(uint64_t)RESOLVE_CACHED;
        fd = syscall(SYS_openat2, site->root_fd, path, &how, sizeof how);
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* an old kernel, or a container that forbids it */
        return walk_beneath(site->root_fd, path);
    return (int)fd;
}

#else

int open_beneath(const struct site *site, const char *path)
{
    return walk_beneath(site->root_fd, path);
}

#endif
