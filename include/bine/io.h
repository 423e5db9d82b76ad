/* SPDX-License-Identifier: MIT
 *
 * bine_ + the POSIX name, with the POSIX prototype, result and errno.
 *
 * Each call tries first and parks its task only if the kernel says that it would block.  All of them
 * yield, but for those of which it is said that they never switch.  Beside the POSIX errors: EPERM
 * outside a loop, EDEADLK in a callback, ECANCELED and ETIMEDOUT by scopes, EBADF if the descriptor is
 * closed with bine_close() while it waits.  EINTR is never seen and SIGPIPE never raised.  O_NONBLOCK is
 * left as it was, but by connect and accept, which set it.  Descriptors that bine_recvmsg() receives are
 * close-on-exec.  Work on regular files and directories is done by threads of the library's. */
#ifndef BINE_IO_H
#define BINE_IO_H

#include <bine/base.h>

#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct dirent;
struct statx;

BINE_BEGIN_DECLS

BINE_EXPORT ssize_t bine_read(int fd, void *buf, size_t n);
BINE_EXPORT ssize_t bine_write(int fd, const void *buf, size_t n);
BINE_EXPORT ssize_t bine_readv(int fd, const struct iovec *iov, int iovcnt);
BINE_EXPORT ssize_t bine_writev(int fd, const struct iovec *iov, int iovcnt);
BINE_EXPORT ssize_t bine_pread(int fd, void *buf, size_t n, off_t offset);
BINE_EXPORT ssize_t bine_pwrite(int fd, const void *buf, size_t n, off_t offset);

/* All n bytes, over as many reads or writes as it takes.  Less than n: errno says why, 0 at end of file;
 * -1 only if nothing moved. */
BINE_EXPORT ssize_t bine_read_full(int fd, void *buf, size_t n);
BINE_EXPORT ssize_t bine_write_full(int fd, const void *buf, size_t n);

BINE_EXPORT ssize_t bine_recv(int fd, void *buf, size_t n, int flags);
BINE_EXPORT ssize_t bine_send(int fd, const void *buf, size_t n, int flags);
BINE_EXPORT ssize_t bine_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *, socklen_t *);
BINE_EXPORT ssize_t bine_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *, socklen_t);
BINE_EXPORT ssize_t bine_recvmsg(int fd, struct msghdr *, int flags);
BINE_EXPORT ssize_t bine_sendmsg(int fd, const struct msghdr *, int flags);

BINE_EXPORT int bine_accept(int fd, struct sockaddr *, socklen_t *);
BINE_EXPORT int bine_connect(int fd, const struct sockaddr *, socklen_t);

BINE_EXPORT int bine_poll(struct pollfd *, nfds_t, int timeout_ms);
BINE_EXPORT int bine_select(int nfds, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout);
/* Waits until the one descriptor has any of the events (POLLIN, POLLOUT ...), level-triggered: right also
 * where another library reads behind our back.  Returns those that are there, with POLLERR and POLLHUP. */
BINE_EXPORT int bine_poll_fd(int fd, int events);

BINE_EXPORT ssize_t bine_sendfile(int out, int in, off_t *offset, size_t n);
BINE_EXPORT ssize_t bine_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags);
BINE_EXPORT int bine_fsync(int fd);
BINE_EXPORT int bine_open(const char *path, int flags, ...);
BINE_EXPORT int bine_statx(int dir, const char *path, int flags, unsigned mask, struct statx *);

/* A directory's entries, as opendir(3) and readdir(3) give them (include <dirent.h>): NULL with errno as it
 * was at the end.  An entry is good until the next call.  One task at a time, a second gets EBUSY.
 * bine_closedir() never switches. */
typedef struct bine_dir bine_dir;
BINE_EXPORT bine_dir *bine_opendir(const char *path);
BINE_EXPORT struct dirent *bine_readdir(bine_dir *);
BINE_EXPORT int bine_closedir(bine_dir *);

/* Never switch. */
BINE_EXPORT int bine_close(int fd); /* every task that waits for the descriptor fails with EBADF */
BINE_EXPORT int bine_shutdown(int fd, int how);
BINE_EXPORT int bine_socket(int domain, int type, int protocol);
BINE_EXPORT int bine_socketpair(int domain, int type, int protocol, int fd[2]);
BINE_EXPORT int bine_pipe(int fd[2]);
BINE_EXPORT int bine_dup(int fd);

BINE_END_DECLS
#endif
