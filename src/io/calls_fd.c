/* SPDX-License-Identifier: MIT
 *
 * The calls that make, close and shut descriptors.  They never switch, and work outside a loop too; inside
 * one the table learns of every number that comes and goes. */
#include "io/io.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bine/io.h>

int bine_close(int fd)
{
    if (bine__loop && bine__explored(bine__loop))
        bine__explore_closing(fd);
    bine__fd_closing(fd);
    int result = bine__fd_close_later(fd);
    if (result == 0) /* EINTR: the number is free all the same, and may be somebody else's by now. */
        result = close(fd) == 0 || errno == EINTR ? 0 : -1;
    if (result > 0)
        result = 0;
    bine__check_fd_closed(fd, result ? errno : 0);
    return result;
}

int bine_shutdown(int fd, int how)
{
    return shutdown(fd, how);
}

/* Passes the result of a call that makes one descriptor on. */
static int fresh(int fd)
{
    fd = bine__explore_number(fd);
    bine__fd_fresh(fd, BINE__KIND_UNKNOWN);
    return fd;
}

/* The same of one that makes two. */
static int fresh_pair(int result, int fd[2])
{
    if (result == 0)
        for (int i = 0; i < 2; i++)
            fd[i] = fresh(fd[i]);
    return result;
}

int bine_socket(int domain, int type, int protocol)
{
    return fresh(socket(domain, type, protocol));
}

int bine_socketpair(int domain, int type, int protocol, int fd[2])
{
    int result = fresh_pair(socketpair(domain, type, protocol, fd), fd);
    if (result == 0 && bine__loop && bine__explored(bine__loop))
        bine__explore_paired(fd);
    return result;
}

int bine_pipe(int fd[2])
{
    return fresh_pair(pipe(fd), fd);
}

int bine_dup(int fd)
{
    return fresh(dup(fd));
}
