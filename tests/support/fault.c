/* SPDX-License-Identifier: MIT
 *
 * The fault injector behind fault.h.
 *
 * One table says for each symbol of wrap.list how it fails; one wrapper per signature follows.  The
 * counters are atomics because the library's own threads come through here too.  Nothing in this file
 * allocates, and a wrapper that does not fail leaves errno as the real call did. */
#define _GNU_SOURCE
#include "support/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Name, and the errno it fails with; 0: never failed, only counted. */
#define FAULT_SYMBOLS(X)                                                                                   \
    X(malloc, ENOMEM) X(calloc, ENOMEM) X(realloc, ENOMEM) X(aligned_alloc, ENOMEM)                        \
    X(posix_memalign, ENOMEM) X(strdup, ENOMEM) X(strndup, ENOMEM) X(mmap, ENOMEM) X(munmap, 0)            \
    X(mprotect, ENOMEM) X(madvise, EINVAL) X(pthread_create, EAGAIN) X(sigaltstack, ENOMEM)                \
    X(epoll_create1, EMFILE) X(epoll_ctl, ENOMEM) X(epoll_wait, EINTR) X(eventfd, EMFILE) X(poll, EINTR)   \
    X(pipe, EMFILE) X(dup, EMFILE) X(fcntl, ENOLCK) X(open, ENFILE) X(fsync, EIO) X(socket, EMFILE)        \
    X(socketpair, EMFILE) X(bind, EADDRINUSE) X(listen, EADDRINUSE) X(connect, ECONNREFUSED)               \
    X(accept, EMFILE) X(getsockopt, ENOMEM) X(setsockopt, ENOMEM) X(getaddrinfo, ENOMEM)                   \
    X(recv, ECONNRESET) X(send, ECONNRESET) X(read, EIO) X(write, EIO) X(pread, EIO) X(pwrite, EIO)        \
    X(sendfile, EIO) X(splice, EIO)

enum symbol {
#define X(name, error) FAULT_##name,
    FAULT_SYMBOLS(X)
#undef X
    FAULT_SYMBOL_COUNT
};

static const struct {
    const char *name;
    int error;
} symbols[] = {
#define X(name, error) {#name, error},
    FAULT_SYMBOLS(X)
#undef X
};

static struct {
    atomic_bool armed;
    atomic_long calls, injected;
    atomic_int last;      /* enum symbol, -1: none */
    atomic_long made[FAULT_SYMBOL_COUNT];
    atomic_size_t mapped;
    atomic_long blocks;
    long from, to;        /* the calls [from, to) fail */
    int only;             /* enum symbol, or -1: all */
    int error;            /* 0: the symbol's own */
    unsigned one_in;      /* 0: not seeded */
    _Atomic uint64_t seed;
} injector = {.last = -1, .only = -1};

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Counts the call; the errno with which it shall fail, or 0. */
static int verdict(enum symbol symbol)
{
    atomic_fetch_add(&injector.made[symbol], 1);
    if (!atomic_load(&injector.armed) || symbols[symbol].error == 0)
        return 0;
    if (injector.only >= 0 && injector.only != (int)symbol)
        return 0;
    long call = atomic_fetch_add(&injector.calls, 1) + 1;
    if (injector.one_in) {
        if (mix(atomic_load(&injector.seed) ^ (uint64_t)call) % injector.one_in != 0)
            return 0;
    } else if (call < injector.from || call >= injector.to) {
        return 0;
    }
    atomic_fetch_add(&injector.injected, 1);
    atomic_store(&injector.last, (int)symbol);
    return injector.error ? injector.error : symbols[symbol].error;
}

static void arm(long from, long to, int only, int error, uint64_t seed, unsigned one_in)
{
    atomic_store(&injector.armed, false);
    injector.from = from;
    injector.to = to;
    injector.only = only;
    injector.error = error;
    injector.one_in = one_in;
    atomic_store(&injector.seed, mix(seed));
    atomic_store(&injector.calls, 0);
    atomic_store(&injector.injected, 0);
    atomic_store(&injector.last, -1);
    atomic_store(&injector.armed, true);
}

static int find(const char *name)
{
    for (int i = 0; i < FAULT_SYMBOL_COUNT; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return i;
    fprintf(stderr, "fault: no wrapped call is named %s\n", name);
    _exit(97);
}

void fault_arm(long nth)
{
    arm(nth, nth + 1, -1, 0, 0, 0);
}

void fault_arm_run(long nth, long count)
{
    arm(nth, nth + count, -1, 0, 0, 0);
}

void fault_arm_call(const char *name, long nth, long count, int error)
{
    arm(nth, nth + count, find(name), error, 0, 0);
}

void fault_arm_seeded(uint64_t seed, unsigned one_in)
{
    arm(0, 0, -1, 0, seed, one_in);
}

void fault_disarm(void)
{
    atomic_store(&injector.armed, false);
}

long fault_calls(void)
{
    return atomic_load(&injector.calls);
}

long fault_injected(void)
{
    return atomic_load(&injector.injected);
}

const char *fault_last(void)
{
    int last = atomic_load(&injector.last);
    return last < 0 ? "none" : symbols[last].name;
}

long fault_made(const char *name)
{
    return atomic_load(&injector.made[find(name)]);
}

size_t fault_mapped(void)
{
    return atomic_load(&injector.mapped);
}

long fault_blocks(void)
{
    return atomic_load(&injector.blocks);
}

/* ---- The wrappers -------------------------------------------------------------------------------------- */

/* WRAP(type, failure, symbol, name, (parameters), (arguments)): fails by errno. */
#define WRAP(type, failure, symbol, name, parameters, arguments) \
    type __real_##name parameters;                               \
    type __wrap_##name parameters;                               \
    type __wrap_##name parameters                                \
    {                                                            \
        int error = verdict(FAULT_##symbol);                     \
        if (error) {                                             \
            errno = error;                                       \
            return failure;                                      \
        }                                                        \
        return __real_##name arguments;                          \
    }

/* The same for a call on a descriptor; eventfds and pipes are let through. */
#define WRAP_FD(type, symbol, name, parameters, arguments)              \
    type __real_##name parameters;                                      \
    type __wrap_##name parameters;                                      \
    type __wrap_##name parameters                                       \
    {                                                                   \
        int error = cannot_fail(fd) ? 0 : verdict(FAULT_##symbol);       \
        if (error) {                                                    \
            errno = error;                                              \
            return -1;                                                  \
        }                                                               \
        return __real_##name arguments;                                 \
    }

/* A call that allocates a block. */
#define WRAP_BLOCK(symbol, name, parameters, arguments) \
    void *__real_##name parameters;                     \
    void *__wrap_##name parameters;                     \
    void *__wrap_##name parameters                      \
    {                                                   \
        int error = verdict(FAULT_##symbol);            \
        if (error) {                                    \
            errno = error;                              \
            return NULL;                                \
        }                                               \
        void *block = __real_##name arguments;          \
        if (block)                                      \
            atomic_fetch_add(&injector.blocks, 1);      \
        return block;                                   \
    }

static bool cannot_fail(int fd)
{
    if (!atomic_load(&injector.armed))
        return false;
    int saved = errno;
    char path[32], target[32] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    errno = saved;
    return n > 0 && (strncmp(target, "anon_inode:[eventfd", 19) == 0 || strncmp(target, "pipe:", 5) == 0);
}

WRAP_BLOCK(malloc, malloc, (size_t n), (n))
WRAP_BLOCK(calloc, calloc, (size_t n, size_t size), (n, size))
WRAP_BLOCK(aligned_alloc, aligned_alloc, (size_t align, size_t n), (align, n))
WRAP_BLOCK(strdup, strdup, (const char *text), (text))
WRAP_BLOCK(strndup, strndup, (const char *text, size_t n), (text, n))

void *__real_realloc(void *old, size_t n);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_realloc(void *old, size_t n)
{
    int error = verdict(FAULT_realloc);
    if (error) {
        errno = error;
        return NULL;
    }
    void *block = __real_realloc(old, n);
    if (block && !old)
        atomic_fetch_add(&injector.blocks, 1);
    return block;
}

void __real_free(void *block);
_Thread_local void (*fault_before_free)(void);

void __wrap_free(void *block);
void __wrap_free(void *block)
{
    if (fault_before_free)
        fault_before_free();
    if (block)
        atomic_fetch_sub(&injector.blocks, 1);
    __real_free(block);
}

int __real_posix_memalign(void **out, size_t align, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n)
{
    int error = verdict(FAULT_posix_memalign);
    if (!error)
        error = __real_posix_memalign(out, align, n);
    if (!error)
        atomic_fetch_add(&injector.blocks, 1);
    return error;
}

static size_t whole_pages(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (n + page - 1) / page * page;
}

#define WRAP_MMAP(name)                                                                         \
    void *__real_##name(void *at, size_t n, int prot, int flags, int fd, off_t offset);         \
    void *__wrap_##name(void *at, size_t n, int prot, int flags, int fd, off_t offset);         \
    void *__wrap_##name(void *at, size_t n, int prot, int flags, int fd, off_t offset)          \
    {                                                                                           \
        int error = verdict(FAULT_mmap);                                                        \
        if (error) {                                                                            \
            errno = error;                                                                      \
            return MAP_FAILED;                                                                  \
        }                                                                                       \
        void *map = __real_##name(at, n, prot, flags, fd, offset);                              \
        if (map != MAP_FAILED && !(flags & MAP_FIXED))                                          \
            atomic_fetch_add(&injector.mapped, whole_pages(n));                                 \
        return map;                                                                             \
    }
WRAP_MMAP(mmap)
WRAP_MMAP(mmap64)

int __real_munmap(void *map, size_t n);
int __wrap_munmap(void *map, size_t n);
int __wrap_munmap(void *map, size_t n)
{
    verdict(FAULT_munmap);
    int result = __real_munmap(map, n);
    if (result == 0)
        atomic_fetch_sub(&injector.mapped, whole_pages(n));
    return result;
}

WRAP(int, -1, mprotect, mprotect, (void *at, size_t n, int prot), (at, n, prot))
WRAP(int, -1, madvise, madvise, (void *at, size_t n, int advice), (at, n, advice))
WRAP(int, error, pthread_create, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
     (thread, attr, fn, arg))
WRAP(int, -1, sigaltstack, sigaltstack, (const stack_t *new, stack_t *old), (new, old))
WRAP(int, -1, epoll_create1, epoll_create1, (int flags), (flags))
WRAP(int, -1, epoll_ctl, epoll_ctl, (int ep, int op, int fd, struct epoll_event *event), (ep, op, fd, event))
WRAP(int, -1, epoll_wait, epoll_wait, (int ep, struct epoll_event *events, int n, int timeout),
     (ep, events, n, timeout))
WRAP(int, -1, epoll_wait, epoll_pwait,
     (int ep, struct epoll_event *events, int n, int timeout, const sigset_t *mask),
     (ep, events, n, timeout, mask))
WRAP(int, -1, epoll_wait, epoll_pwait2,
     (int ep, struct epoll_event *events, int n, const struct timespec *timeout, const sigset_t *mask),
     (ep, events, n, timeout, mask))
WRAP(int, -1, eventfd, eventfd, (unsigned count, int flags), (count, flags))
WRAP(int, -1, poll, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP(int, -1, poll, ppoll,
     (struct pollfd * fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask),
     (fds, n, timeout, mask))
WRAP(int, -1, pipe, pipe, (int fd[2]), (fd))
WRAP(int, -1, pipe, pipe2, (int fd[2], int flags), (fd, flags))
WRAP(int, -1, dup, dup, (int fd), (fd))
WRAP(int, -1, dup, dup3, (int fd, int to, int flags), (fd, to, flags))
WRAP(int, -1, fsync, fsync, (int fd), (fd))
WRAP(int, -1, socket, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, -1, socketpair, socketpair, (int domain, int type, int protocol, int fd[2]),
     (domain, type, protocol, fd))
WRAP(int, -1, bind, bind, (int fd, const struct sockaddr *address, socklen_t n), (fd, address, n))
WRAP(int, -1, listen, listen, (int fd, int backlog), (fd, backlog))
WRAP(int, -1, connect, connect, (int fd, const struct sockaddr *address, socklen_t n), (fd, address, n))
WRAP(int, -1, accept, accept, (int fd, struct sockaddr *address, socklen_t *n), (fd, address, n))
WRAP(int, -1, accept, accept4, (int fd, struct sockaddr *address, socklen_t *n, int flags),
     (fd, address, n, flags))
WRAP(int, -1, getsockopt, getsockopt, (int fd, int level, int option, void *value, socklen_t *n),
     (fd, level, option, value, n))
WRAP(int, -1, setsockopt, setsockopt, (int fd, int level, int option, const void *value, socklen_t n),
     (fd, level, option, value, n))
/* An error that is negative is the code to return. */
WRAP(int, error < 0 ? error : EAI_MEMORY, getaddrinfo, getaddrinfo,
     (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list),
     (node, service, hints, list))

WRAP_FD(ssize_t, recv, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
WRAP_FD(ssize_t, recv, recvfrom,
        (int fd, void *buf, size_t n, int flags, struct sockaddr *address, socklen_t *length),
        (fd, buf, n, flags, address, length))
WRAP_FD(ssize_t, recv, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP_FD(ssize_t, send, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
WRAP_FD(ssize_t, send, sendto,
        (int fd, const void *buf, size_t n, int flags, const struct sockaddr *address, socklen_t length),
        (fd, buf, n, flags, address, length))
WRAP_FD(ssize_t, send, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP_FD(ssize_t, read, read, (int fd, void *buf, size_t n), (fd, buf, n))
WRAP_FD(ssize_t, read, readv, (int fd, const struct iovec *iov, int n), (fd, iov, n))
WRAP_FD(ssize_t, write, write, (int fd, const void *buf, size_t n), (fd, buf, n))
WRAP_FD(ssize_t, write, writev, (int fd, const struct iovec *iov, int n), (fd, iov, n))
WRAP_FD(ssize_t, pread, pread, (int fd, void *buf, size_t n, off_t offset), (fd, buf, n, offset))
WRAP_FD(ssize_t, pread, pread64, (int fd, void *buf, size_t n, off_t offset), (fd, buf, n, offset))
WRAP_FD(ssize_t, pwrite, pwrite, (int fd, const void *buf, size_t n, off_t offset), (fd, buf, n, offset))
WRAP_FD(ssize_t, pwrite, pwrite64, (int fd, const void *buf, size_t n, off_t offset), (fd, buf, n, offset))
WRAP_FD(ssize_t, pread, preadv2, (int fd, const struct iovec *iov, int n, off_t offset, int flags),
        (fd, iov, n, offset, flags))
WRAP_FD(ssize_t, pread, preadv64v2, (int fd, const struct iovec *iov, int n, off_t offset, int flags),
        (fd, iov, n, offset, flags))
WRAP_FD(ssize_t, sendfile, sendfile, (int fd, int in, off_t *offset, size_t n), (fd, in, offset, n))
WRAP_FD(ssize_t, sendfile, sendfile64, (int fd, int in, off_t *offset, size_t n), (fd, in, offset, n))
WRAP_FD(ssize_t, splice, splice, (int fd, off_t *in, int out, off_t *offset, size_t n, unsigned flags),
        (fd, in, out, offset, n, flags))

/* The variadic ones have one optional word. */
#define WRAP_VARIADIC(symbol, name, fixed, arguments, last, optional, type)  \
    int __real_##name fixed;                                                       \
    int __wrap_##name fixed;                                                       \
    int __wrap_##name fixed                                                        \
    {                                                                              \
        int error = verdict(FAULT_##symbol);                                       \
        if (error) {                                                               \
            errno = error;                                                         \
            return -1;                                                             \
        }                                                                          \
        va_list list;                                                              \
        va_start(list, last);                                                      \
        type optional = va_arg(list, type);                                        \
        va_end(list);                                                              \
        return __real_##name arguments;                                            \
    }
WRAP_VARIADIC(fcntl, fcntl, (int fd, int command, ...), (fd, command, word), command, word, void *)
WRAP_VARIADIC(fcntl, fcntl64, (int fd, int command, ...), (fd, command, word), command, word, void *)
WRAP_VARIADIC(open, open, (const char *path, int flags, ...), (path, flags, mode), flags, mode, unsigned)
WRAP_VARIADIC(open, open64, (const char *path, int flags, ...), (path, flags, mode), flags, mode, unsigned)
WRAP_VARIADIC(open, openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), flags, mode,
              unsigned)
WRAP_VARIADIC(open, openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), flags,
              mode, unsigned)
