/* SPDX-License-Identifier: MIT
 *
 * What descriptors add to a state (--merge): the kernel is asked, each time that a state is, what is in the
 * pipes and sockets of the run, how they are connected and what poll(2) says of them.
 *
 * Known are pipes, pairs of stream sockets, and TCP listeners and connections with both ends in the program,
 * as long as they hold little and the kernel has delivered all that was sent.  What it does not show is noted
 * as it happens: who has connected to a listener, in which order, and what was written on a connection that
 * is not accepted yet.  Where something does not agree (a segment under way, an error that is waiting) this
 * one state is not compared; where there is a descriptor of any other kind, none is.
 *
 * The numbers of ports that the kernel has chosen differ from run to run.  They stand in the program's
 * memory, in a struct sockaddr, as a number or as text: there they count as the descriptor that had them. */
#define _GNU_SOURCE
#include "check/explore.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/check.h"

enum { FDS = 128, CONNECTIONS = 256, PORTS = 256, PAIRS = 64, LINES = 1024, CONTENT = 1 << 16 };
enum { FIRST_PORT = 32768, /* that the kernel chooses; a program chooses smaller ones, and compares them */
       UNSENT = 0x894B };  /* SIOCOUTQNSD, of linux/sockios.h */

enum kind { PIPE, PAIR, LISTENER, CONNECTION };

struct open_fd {
    int fd, peer; /* -1: nobody has the other end */
    enum kind kind;
    ino_t inode;
    short events;
    struct sockaddr_storage local, remote;
    struct tcp_info info;
};

static struct {
    bool before[LINES]; /* open when the run began: not its doing */
    struct open_fd open[FDS];
    unsigned n;
    /* Connections to listeners of the run, as they were made. */
    struct connection {
        int fd;        /* -1: closed */
        uint16_t port, to; /* in the order of the network */
        uint64_t written;  /* what */
        uint64_t bytes;
    } made[CONNECTIONS];
    unsigned connections;
    uint16_t port[PORTS]; /* that sockets of the run have had, as in a sockaddr */
    unsigned ports;
    struct {
        int fd[2];
        ino_t inode[2];
    } pair[PAIRS];
    unsigned pairs;
    struct {
        uint32_t last, alive;
    } line[LINES][2];
    bool unknown;
    long long reads; /* by us and by bine's calls: to be taken off */
    char content[CONTENT];
} fds;

/* ---- Noted as it happens ---------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t mixed_bytes(uint64_t hash, const void *from, size_t size)
{
    const unsigned char *byte = from;
    for (size_t i = 0; i < size; i++)
        hash = mixed(hash, byte[i]);
    return hash;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    uint16_t port;
    memcpy(&port, (const char *)address + 2, sizeof port); /* in sockaddr_in and _in6 alike */
    return port;
}

static bool is_inet(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

static bool known_port(uint16_t port)
{
    for (unsigned i = 0; i < fds.ports; i++)
        if (fds.port[i] == port)
            return true;
    return false;
}

static void note_port(uint16_t port)
{
    if (fds.ports == PORTS)
        fds.unknown = true;
    else if (!known_port(port))
        fds.port[fds.ports++] = port;
}

void bine__explore_connecting(int fd, const struct sockaddr *to, socklen_t size)
{
    struct sockaddr_storage local = {.ss_family = AF_UNSPEC}, remote = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof local;
    int error = errno;

    memcpy(&remote, to, size < sizeof remote ? size : sizeof remote);
    if (getsockname(fd, (struct sockaddr *)&local, &length) == 0 && is_inet(&local)) {
        note_port(port_of(&local));
        if (fds.connections < CONNECTIONS)
            fds.made[fds.connections++] =
                (struct connection){fd, port_of(&local), port_of(&remote), 1, 0};
        else
            fds.unknown = true;
    }
    errno = error;
}

static struct connection *connection_of(int fd)
{
    for (unsigned i = fds.connections; i-- > 0;)
        if (fds.made[i].fd == fd)
            return &fds.made[i];
    return NULL;
}

void bine__explore_wrote(int fd, const struct iovec *iov, size_t skip, size_t moved)
{
    struct connection *connection = connection_of(fd);
    if (!connection)
        return;
    if (!iov)
        fds.unknown = true; /* from a file */
    connection->bytes += moved;
    for (; moved > 0 && iov; iov++) {
        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        size_t n = iov->iov_len - skip < moved ? iov->iov_len - skip : moved;
        connection->written = mixed_bytes(connection->written, (const char *)iov->iov_base + skip, n);
        moved -= n;
        skip = 0;
    }
}

bool bine__explore_inherited(int fd)
{
    return fd < 0 || fd >= LINES || fds.before[fd];
}

void bine__explore_closing(int fd)
{
    struct connection *connection = connection_of(fd);
    if (connection)
        connection->fd = -1;
}

void bine__explore_paired(const int fd[2])
{
    struct stat status;
    unsigned at = 0;
    while (at < fds.pairs && fds.pair[at].fd[0] != fd[0])
        at++;
    if (at == PAIRS) {
        fds.unknown = true;
        return;
    }
    for (int i = 0; i < 2; i++) {
        fds.pair[at].fd[i] = fd[i];
        fds.pair[at].inode[i] = fstat(fd[i], &status) == 0 ? status.st_ino : 0;
    }
    fds.pairs += at == fds.pairs;
}

/* A number that grows along each line, and begins anew when nobody is in it: no more of what was before is to
 * be seen in memory than must be. */
uint32_t bine__explore_ticket(int fd, int direction, uint32_t otherwise)
{
    if (fd >= LINES)
        return otherwise;
    fds.line[fd][direction].alive++;
    return ++fds.line[fd][direction].last;
}

void bine__explore_ticket_back(int fd, int direction)
{
    if (fd < LINES && --fds.line[fd][direction].alive == 0)
        fds.line[fd][direction].last = 0;
}

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
    if (fd >= LINES)
        return false;
    fds.before[fd] = true;
    return true;
}

void bine__explore_fds_begin(void)
{
    fds.unknown = !each_fd(was_open);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

static bool look_at_socket(struct open_fd *open)
{
    socklen_t length = sizeof open->local;
    if (option(open->fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
        getsockname(open->fd, (struct sockaddr *)&open->local, &length) != 0)
        return false;
    if (open->local.ss_family == AF_UNIX) {
        open->kind = PAIR;
        for (unsigned i = fds.pairs; i-- > 0 && open->peer < 0;)
            for (int end = 0; end < 2; end++)
                if (fds.pair[i].inode[end] == open->inode && fds.pair[i].fd[end] == open->fd)
                    open->peer = fds.pair[i].fd[!end];
        return open->peer >= 0;
    }
    if (!is_inet(&open->local) || option(open->fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
        return false;
    length = sizeof open->info;
    memset(&open->info, 0, sizeof open->info);
    if (getsockopt(open->fd, IPPROTO_TCP, TCP_INFO, &open->info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_dsack_dups))
        return false; /* an older kernel, which does not count bytes */
    open->kind = option(open->fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 ? LISTENER : CONNECTION;
    length = sizeof open->remote;
    if (open->kind == LISTENER || getpeername(open->fd, (struct sockaddr *)&open->remote, &length) != 0)
        open->remote.ss_family = AF_UNSPEC;
    if (port_of(&open->local) && (open->kind == LISTENER || open->remote.ss_family == AF_UNSPEC))
        note_port(port_of(&open->local));
    return true;
}

/* False: of no kind that is known. */
static bool look_at(int fd)
{
    struct stat status;
    if (fd < LINES && fds.before[fd])
        return true;
    if (fds.n == FDS || fstat(fd, &status) != 0)
        return false;
    struct open_fd *open = &fds.open[fds.n++];
    memset(open, 0, sizeof *open);
    open->fd = fd;
    open->peer = -1;
    open->inode = status.st_ino;
    if (S_ISFIFO(status.st_mode) && status.st_nlink <= 1) {
        open->kind = PIPE;
        return true;
    }
    return S_ISSOCK(status.st_mode) && look_at_socket(open);
}

static int by_number(const void *a, const void *b)
{
    return ((const struct open_fd *)a)->fd - ((const struct open_fd *)b)->fd;
}

static bool same_address(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
    const size_t size = one->ss_family == AF_INET ? 8 : 24; /* family, port, (flow,) address */
    return one->ss_family == other->ss_family && memcmp(one, other, size) == 0;
}

static struct open_fd *other_end(const struct open_fd *open)
{
    for (unsigned i = 0; i < fds.n; i++)
        if (fds.open[i].kind == CONNECTION && fds.open[i].fd != open->fd &&
            same_address(&fds.open[i].local, &open->remote) && same_address(&fds.open[i].remote, &open->local))
            return &fds.open[i];
    return NULL;
}

/* ---- Told ------------------------------------------------------------------------------------------- */

static uint64_t hash;

static void mix(uint64_t word)
{
    hash = mixed(hash, word);
}

/* All that can be read, without reading it. */
static bool mix_content(const struct open_fd *open)
{
    struct iovec iov = {fds.content, sizeof fds.content};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    int there = 0, scratch[2];
    ssize_t n;

    if (ioctl(open->fd, FIONREAD, &there) != 0 || there >= CONTENT)
        return false;
    mix((uint64_t)there);
    if (there == 0)
        return true;
    if (open->kind == PIPE) {
        if (pipe2(scratch, O_CLOEXEC | O_NONBLOCK) != 0)
            return false;
        n = tee(open->fd, scratch[1], CONTENT, SPLICE_F_NONBLOCK);
        if (n > 0) {
            n = read(scratch[0], fds.content, CONTENT);
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
    hash = mixed_bytes(hash, fds.content, (size_t)n);
    return true;
}

/* Those that wait to be accepted are the last to have connected, in their order. */
static bool mix_waiting(const struct open_fd *listener)
{
    const unsigned waiting = listener->info.tcpi_unacked;
    unsigned from = fds.connections;
    for (unsigned found = 0; found < waiting; found++) {
        do {
            if (from == 0)
                return false;
        } while (fds.made[--from].to != port_of(&listener->local));
    }
    mix(waiting);
    mix(listener->info.tcpi_sacked); /* room for so many */
    for (unsigned i = from; i < fds.connections; i++) {
        const struct connection *made = &fds.made[i];
        if (made->to != port_of(&listener->local))
            continue;
        mix((uint64_t)(int64_t)made->fd);
        mix(made->written);
        mix(made->bytes);
        for (unsigned k = 0; k < fds.n && made->fd >= 0; k++)
            if (fds.open[k].fd == made->fd &&
                (port_of(&fds.open[k].local) != made->port || other_end(&fds.open[k]) ||
                 fds.open[k].info.tcpi_bytes_sent != made->bytes))
                return false; /* somebody else has made one, closed it, or written */
    }
    return true;
}

/* It is among those, and was made by our leave. */
static bool is_waiting(const struct open_fd *open)
{
    for (unsigned i = 0; i < fds.n; i++) {
        if (fds.open[i].kind != LISTENER || port_of(&fds.open[i].local) != port_of(&open->remote))
            continue;
        unsigned waiting = fds.open[i].info.tcpi_unacked;
        for (unsigned k = fds.connections; k-- > 0 && waiting > 0;)
            if (fds.made[k].to == port_of(&open->remote)) {
                if (fds.made[k].fd == open->fd)
                    return true;
                waiting--;
            }
    }
    return false;
}

/* The state that a segment under way will change is not told.  A FIN counts as a byte. */
static bool arrived(const struct open_fd *from, const struct open_fd *at)
{
    const uint64_t sent = from->info.tcpi_bytes_sent - from->info.tcpi_bytes_retrans;
    return at->info.tcpi_bytes_received == sent || at->info.tcpi_bytes_received == sent + 1;
}

/* Of the kernel's tcp_states.h: netinet/tcp.h does not go with linux/tcp.h. */
enum { TCP_ESTABLISHED_ = 1, TCP_SYN_SENT_, TCP_FIN_WAIT1_ = 4, TCP_FIN_WAIT2_, TCP_CLOSE_ = 7 };

static bool mix_connection(const struct open_fd *open)
{
    int unsent = 0;
    mix(open->info.tcpi_state);
    if (open->info.tcpi_state == TCP_CLOSE_ && open->remote.ss_family == AF_UNSPEC) {
        mix(port_of(&open->local) != 0);
        return true; /* not connected yet */
    }
    if (open->events & (POLLERR | POLLPRI) || ioctl(open->fd, UNSENT, &unsent) != 0 || unsent != 0 ||
        open->info.tcpi_state == TCP_SYN_SENT_)
        return false;
    const struct open_fd *other = other_end(open);
    mix(other ? (uint64_t)other->fd : UINT64_MAX);
    if (other && (!arrived(open, other) || !arrived(other, open)))
        return false;
    if (!other && !known_port(port_of(&open->remote)) && open->remote.ss_family != AF_UNSPEC)
        fds.unknown = true; /* somebody outside has it */
    /* Closed, which it knows by now, or not accepted yet. */
    return other || is_waiting(open) ||
           (open->info.tcpi_state != TCP_ESTABLISHED_ && open->info.tcpi_state != TCP_FIN_WAIT1_ &&
            open->info.tcpi_state != TCP_FIN_WAIT2_);
}

static bool mix_one(const struct open_fd *open)
{
    mix((uint64_t)open->fd);
    mix((uint64_t)open->kind);
    mix((uint64_t)fcntl(open->fd, F_GETFL) << 8 | (uint64_t)fcntl(open->fd, F_GETFD));
    mix((uint64_t)open->events);
    switch (open->kind) {
    case PIPE:
        for (unsigned i = 0; i < fds.n; i++)
            if (fds.open[i].inode == open->inode && fds.open[i].kind == PIPE) {
                mix((uint64_t)fds.open[i].fd);
                break;
            }
        return (fcntl(open->fd, F_GETFL) & O_ACCMODE) == O_WRONLY || mix_content(open);
    case PAIR:
        mix((uint64_t)open->peer);
        return !(open->events & POLLERR) && mix_content(open);
    case LISTENER:
        return mix_waiting(open);
    case CONNECTION:
        break;
    }
    return mix_connection(open) && (open->info.tcpi_state == TCP_CLOSE_ || mix_content(open));
}

static bool alone(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

/* ---- Ports in memory --------------------------------------------------------------------------------- */

/* By who has it now; 0: nobody. */
static uint64_t name_of(uint16_t port)
{
    for (unsigned i = 0; i < fds.n; i++)
        if (is_inet(&fds.open[i].local) && port_of(&fds.open[i].local) == port)
            return mixed(1, (uint64_t)fds.open[i].fd);
    for (unsigned i = 0; i < fds.n; i++)
        if (is_inet(&fds.open[i].remote) && port_of(&fds.open[i].remote) == port)
            return mixed(2, (uint64_t)fds.open[i].fd);
    return 0;
}

/* The port that this word holds: alone, as a number, or behind its family in a struct sockaddr. */
static uint64_t port_in(uint32_t word)
{
    uint16_t half[2];
    memcpy(half, &word, sizeof half);
    if (half[0] == AF_INET || half[0] == AF_INET6)
        return ntohs(half[1]) >= FIRST_PORT && known_port(half[1]) ? name_of(half[1]) : 0;
    return word >= FIRST_PORT && word <= UINT16_MAX && known_port(htons((uint16_t)word))
               ? name_of(htons((uint16_t)word))
               : 0;
}

/* And this text: its digits are counted. */
static uint64_t port_at(const char *text, const char *end, size_t *digits)
{
    unsigned long value = 0;
    for (*digits = 0; *digits < 6 && text + *digits < end; ++*digits) {
        if (text[*digits] < '0' || text[*digits] > '9')
            break;
        value = value * 10 + (unsigned long)(text[*digits] - '0');
    }
    return value >= FIRST_PORT && value <= UINT16_MAX && known_port(htons((uint16_t)value))
               ? name_of(htons((uint16_t)value))
               : 0;
}

const char *bine__explore_next_port(const char *from, const char *to, size_t *size, uint64_t *name)
{
    const char *first = NULL;
    size_t digits;
    if (!fds.ports)
        return NULL;
    for (const char *at = (const char *)(((uintptr_t)from + 3) & ~(uintptr_t)3); at + 4 <= to; at += 4) {
        uint32_t word;
        memcpy(&word, at, sizeof word);
        if (word && (*name = port_in(word)) != 0) {
            first = at;
            *size = sizeof word;
            break;
        }
    }
    const char *end = first ? first : to;
    for (const char *colon = from; (colon = memchr(colon, ':', (size_t)(end - colon)));) {
        uint64_t found = port_at(++colon, end, &digits);
        if (!found)
            continue;
        *name = found;
        *size = digits;
        return colon;
    }
    return first;
}

void bine__explore_fds_apart(void (*leave_out)(const void *, size_t))
{
    leave_out(&fds, sizeof fds);
    leave_out(&hash, sizeof hash);
}

/* ---- All -------------------------------------------------------------------------------------------- */

enum bine__explore_comparable bine__explore_fds_state(uint64_t *told)
{
    struct pollfd pollfds[FDS];

    fds.n = 0;
    hash = 1;
    if (fds.unknown || !alone() || !each_fd(look_at) || fds.unknown)
        return BINE__COMPARABLE_NEVER;
    qsort(fds.open, fds.n, sizeof fds.open[0], by_number);
    for (unsigned i = 0; i < fds.n; i++)
        pollfds[i] = (struct pollfd){.fd = fds.open[i].fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    if (fds.n && poll(pollfds, fds.n, 0) < 0)
        return BINE__COMPARABLE_NOT_NOW;
    bool whole = true;
    for (unsigned i = 0; i < fds.n; i++) {
        fds.open[i].events = pollfds[i].revents;
        whole = mix_one(&fds.open[i]) && whole;
    }
    *told = hash;
    return fds.unknown ? BINE__COMPARABLE_NEVER : whole ? BINE__COMPARABLE_YES : BINE__COMPARABLE_NOT_NOW;
}

long long bine__explore_fds_reads(void)
{
    long long reads = fds.reads;
    fds.reads = 0;
    return reads;
}
