/* SPDX-License-Identifier: MIT
 *
 * What descriptors add to a state (--merge): the kernel is asked, each time that a state is, what is in the
 * pipes, sockets and files of the run, how they are connected and what poll(2) says of them.
 *
 * Here are pipes, and TCP listeners and connections with both ends in the program, as long as they hold
 * little and the kernel has delivered all that was sent; explore_fds_local.c has the other kinds,
 * explore_fds_noted.c what the kernel does not show.  Where something does not agree (a segment under way,
 * an error that is waiting) this one state is not compared; where there is a descriptor of any other kind,
 * none is. */
#define _GNU_SOURCE
#include "check/explore_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNSENT = 0x894B }; /* SIOCOUTQNSD, of linux/sockios.h */

struct bine__state_fds bine__state_fds;
#define fds bine__state_fds
#define mix bine__state_mix

/* ---- What there is ---------------------------------------------------------------------------------- */

/* For each descriptor that is open; false: not all could be. */
static bool each_fd(bool (*fn)(int fd))
{
    char entries[4096] __attribute__((aligned(8)));
    long n;
    bool all = true;
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory == -1)
        return false;
    while ((n = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0)
        for (long at = 0; at < n;) {
            unsigned short length; /* of linux_dirent64, after its two numbers */
            memcpy(&length, entries + at + 16, sizeof length);
            const char *name = entries + at + 19;
            if (*name >= '0' && *name <= '9' && atoi(name) != directory)
                all &= fn(atoi(name));
            at += length;
        }
    close(directory);
    return all && n == 0;
}

static bool was_open(int fd)
{
    if (fd >= BINE__STATE_LINES)
        return false;
    fds.before[fd] = true;
    return true;
}

bool bine__state_note_open(void)
{
    return each_fd(was_open);
}

int bine__state_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

/* Of one that nobody is connected to the family is AF_UNSPEC. */
static void find_remote(struct bine__state_fd *open)
{
    socklen_t length = sizeof open->remote;
    if (open->kind == BINE__STATE_LISTENER ||
        getpeername(open->fd, (struct sockaddr *)&open->remote, &length) != 0)
        open->remote.ss_family = AF_UNSPEC;
    if (bine__state_port(&open->local) &&
        (open->kind != BINE__STATE_CONNECTION || open->remote.ss_family == AF_UNSPEC))
        bine__state_note_port(bine__state_port(&open->local));
}

static bool look_at_tcp(struct bine__state_fd *open)
{
    socklen_t length = sizeof open->info;
    if (bine__state_option(open->fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP ||
        getsockopt(open->fd, IPPROTO_TCP, TCP_INFO, &open->info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_dsack_dups))
        return false; /* an older kernel, which does not count bytes */
    const bool listens = bine__state_option(open->fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
    open->kind = listens ? BINE__STATE_LISTENER : BINE__STATE_CONNECTION;
    find_remote(open);
    return true;
}

static bool look_at_socket(struct bine__state_fd *open)
{
    socklen_t length = sizeof open->local;
    open->type = bine__state_option(open->fd, SOL_SOCKET, SO_TYPE);
    if (getsockname(open->fd, (struct sockaddr *)&open->local, &length) != 0)
        return false;
    if (open->local.ss_family == AF_UNIX) {
        open->kind = BINE__STATE_UNIX;
        return bine__state_look_unix(open);
    }
    if (!bine__state_inet(&open->local))
        return false;
    if (open->type == SOCK_STREAM)
        return look_at_tcp(open);
    open->kind = BINE__STATE_UDP;
    find_remote(open);
    return open->type == SOCK_DGRAM && bine__state_option(open->fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP;
}

/* False: of no kind that is known. */
static bool look_at(int fd)
{
    struct stat status;
    if (fd < BINE__STATE_LINES && fds.before[fd])
        return true;
    if (fds.n == BINE__STATE_FDS || fstat(fd, &status) != 0)
        return false;
    struct bine__state_fd *open = &fds.open[fds.n++];
    memset(open, 0, sizeof *open);
    open->fd = fd;
    open->inode = status.st_ino;
    open->device = status.st_dev;
    if (S_ISFIFO(status.st_mode) && status.st_nlink <= 1) {
        open->kind = BINE__STATE_PIPE;
        return true;
    }
    return S_ISSOCK(status.st_mode) ? look_at_socket(open) : bine__state_look_other(open, &status);
}

static int by_number(const void *a, const void *b)
{
    return ((const struct bine__state_fd *)a)->fd - ((const struct bine__state_fd *)b)->fd;
}

static bool same_address(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
    const size_t size = one->ss_family == AF_INET ? 8 : 24; /* family, port, (flow,) address */
    return one->ss_family == other->ss_family && memcmp(one, other, size) == 0;
}

static struct bine__state_fd *other_end(const struct bine__state_fd *open)
{
    for (unsigned i = 0; i < fds.n; i++)
        if (fds.open[i].kind == BINE__STATE_CONNECTION && fds.open[i].fd != open->fd &&
            same_address(&fds.open[i].local, &open->remote) &&
            same_address(&fds.open[i].remote, &open->local))
            return &fds.open[i];
    return NULL;
}

/* ---- Told ------------------------------------------------------------------------------------------- */

/* All that can be read, without reading it. */
static bool mix_content(const struct bine__state_fd *open)
{
    struct iovec iov = {fds.content, sizeof fds.content};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    int there = 0, scratch[2];
    ssize_t n;

    if (ioctl(open->fd, FIONREAD, &there) != 0 || there >= BINE__STATE_CONTENT)
        return false;
    mix((uint64_t)there);
    if (there == 0)
        return true;
    if (open->kind == BINE__STATE_PIPE) {
        if (pipe2(scratch, O_CLOEXEC | O_NONBLOCK) != 0)
            return false;
        n = tee(open->fd, scratch[1], BINE__STATE_CONTENT, SPLICE_F_NONBLOCK);
        if (n > 0) {
            n = read(scratch[0], fds.content, BINE__STATE_CONTENT);
            fds.reads++;
        }
        close(scratch[0]);
        close(scratch[1]);
    } else {
        n = recvmsg(open->fd, &message, MSG_PEEK | MSG_DONTWAIT);
        if (message.msg_flags & MSG_CTRUNC) /* descriptors under way */
            return false;
    }
    if (n != there)
        return false;
    fds.hash = bine__state_mixed_bytes(fds.hash, fds.content, (size_t)n);
    return true;
}

/* Those that wait to be accepted are the last to have connected, in their order. */
static bool mix_waiting(const struct bine__state_fd *listener)
{
    const unsigned waiting = listener->info.tcpi_unacked;
    unsigned from = fds.connections;
    for (unsigned found = 0; found < waiting; found++) {
        do {
            if (from == 0)
                return false;
        } while (fds.made[--from].local || fds.made[from].to != bine__state_port(&listener->local));
    }
    mix(waiting);
    mix(listener->info.tcpi_sacked); /* room for so many */
    for (unsigned i = from; i < fds.connections; i++) {
        const struct bine__state_connection *made = &fds.made[i];
        if (made->local || made->to != bine__state_port(&listener->local))
            continue;
        mix((uint64_t)(int64_t)made->fd);
        mix(made->written);
        mix(made->bytes);
        for (unsigned k = 0; k < fds.n && made->fd >= 0; k++)
            if (fds.open[k].fd == made->fd &&
                (bine__state_port(&fds.open[k].local) != made->port || other_end(&fds.open[k]) ||
                 fds.open[k].info.tcpi_bytes_sent != made->bytes))
                return false; /* somebody else has made one, closed it, or written */
    }
    return true;
}

/* It is among those, and was made by our leave. */
static bool is_waiting(const struct bine__state_fd *open)
{
    for (unsigned i = 0; i < fds.n; i++) {
        if (fds.open[i].kind != BINE__STATE_LISTENER ||
            bine__state_port(&fds.open[i].local) != bine__state_port(&open->remote))
            continue;
        unsigned waiting = fds.open[i].info.tcpi_unacked;
        for (unsigned k = fds.connections; k-- > 0 && waiting > 0;)
            if (!fds.made[k].local && fds.made[k].to == bine__state_port(&open->remote)) {
                if (fds.made[k].fd == open->fd)
                    return true;
                waiting--;
            }
    }
    return false;
}

/* The state that a segment under way will change is not told.  A FIN counts as a byte. */
static bool arrived(const struct bine__state_fd *from, const struct bine__state_fd *at)
{
    const uint64_t sent = from->info.tcpi_bytes_sent - from->info.tcpi_bytes_retrans;
    return at->info.tcpi_bytes_received == sent || at->info.tcpi_bytes_received == sent + 1;
}

/* Of the kernel's tcp_states.h: netinet/tcp.h does not go with linux/tcp.h. */
enum { TCP_ESTABLISHED_ = 1, TCP_SYN_SENT_, TCP_FIN_WAIT1_ = 4, TCP_FIN_WAIT2_, TCP_CLOSE_ = 7 };

static bool mix_connection(const struct bine__state_fd *open)
{
    int unsent = 0;
    mix(open->info.tcpi_state);
    if (open->info.tcpi_state == TCP_CLOSE_ && open->remote.ss_family == AF_UNSPEC) {
        mix(bine__state_port(&open->local) != 0);
        return true; /* not connected yet */
    }
    if (open->events & (POLLERR | POLLPRI) || ioctl(open->fd, UNSENT, &unsent) != 0 || unsent != 0 ||
        open->info.tcpi_state == TCP_SYN_SENT_)
        return false;
    const struct bine__state_fd *other = other_end(open);
    mix(other ? (uint64_t)other->fd : UINT64_MAX);
    if (other && (!arrived(open, other) || !arrived(other, open)))
        return false;
    if (!other && !bine__state_known_port(bine__state_port(&open->remote)) &&
        open->remote.ss_family != AF_UNSPEC)
        fds.unknown = true; /* somebody outside has it */
    /* Closed, which it knows by now, or not accepted yet. */
    return other || is_waiting(open) ||
           (open->info.tcpi_state != TCP_ESTABLISHED_ && open->info.tcpi_state != TCP_FIN_WAIT1_ &&
            open->info.tcpi_state != TCP_FIN_WAIT2_);
}

static bool mix_one(const struct bine__state_fd *open, uint64_t *queued)
{
    mix((uint64_t)open->fd);
    mix((uint64_t)open->kind);
    mix((uint64_t)fcntl(open->fd, F_GETFL) << 8 | (uint64_t)fcntl(open->fd, F_GETFD));
    mix((uint64_t)open->events);
    switch (open->kind) {
    case BINE__STATE_PIPE:
        for (unsigned i = 0; i < fds.n; i++)
            if (fds.open[i].inode == open->inode && fds.open[i].kind == BINE__STATE_PIPE) {
                mix((uint64_t)fds.open[i].fd);
                break;
            }
        return (fcntl(open->fd, F_GETFL) & O_ACCMODE) == O_WRONLY || mix_content(open);
    case BINE__STATE_LISTENER:
        return mix_waiting(open);
    case BINE__STATE_CONNECTION:
        return mix_connection(open) && (open->info.tcpi_state == TCP_CLOSE_ || mix_content(open));
    case BINE__STATE_UDP:
        return bine__state_mix_udp(open, queued);
    case BINE__STATE_UNIX:
        return bine__state_mix_unix(open);
    case BINE__STATE_EVENT:
        return bine__state_mix_event(open);
    case BINE__STATE_FILE:
        break;
    }
    return bine__state_mix_file(open);
}

static bool alone(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

/* ---- All -------------------------------------------------------------------------------------------- */

enum bine__explore_comparable bine__explore_fds_state(uint64_t *told)
{
    struct pollfd pollfds[BINE__STATE_FDS];

    uint64_t queued = 0;
    bool whole = true, udp = false;

    fds.n = 0;
    fds.hash = 1;
    if (fds.unknown || !alone() || !each_fd(look_at) || fds.unknown)
        return BINE__COMPARABLE_NEVER;
    qsort(fds.open, fds.n, sizeof fds.open[0], by_number);
    for (unsigned i = 0; i < fds.n; i++)
        pollfds[i] = (struct pollfd){.fd = fds.open[i].fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    if (fds.n && poll(pollfds, fds.n, 0) < 0)
        return BINE__COMPARABLE_NOT_NOW;
    for (unsigned i = 0; i < fds.n; i++) {
        fds.open[i].events = pollfds[i].revents;
        udp |= fds.open[i].kind == BINE__STATE_UDP;
    }
    for (unsigned i = 0; i < fds.n; i++)
        whole = mix_one(&fds.open[i], &queued) && whole;
    bine__state_mix_numbers();
    if (udp && fds.sent != fds.received + queued)
        whole = false; /* one is under way, or is lost */
    *told = fds.hash;
    return fds.unknown ? BINE__COMPARABLE_NEVER : whole ? BINE__COMPARABLE_YES : BINE__COMPARABLE_NOT_NOW;
}

long long bine__explore_fds_reads(void)
{
    long long reads = fds.reads;
    fds.reads = 0;
    return reads;
}
