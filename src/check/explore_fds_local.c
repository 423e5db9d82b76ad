/* SPDX-License-Identifier: MIT
 *
 * What descriptors other than pipes and TCP add to a state.
 *
 * Unix-domain sockets: the kernel's sock_diag(7) tells who is connected to whom and who waits to be
 * accepted; what was written to a listener before somebody accepted is noted (explore_fds_noted.c).
 * Without sock_diag only pairs that bine_socketpair() made are known.
 * Datagrams: each is looked at in its place, SO_PEEK_OFF leading from one to the next, with whom it came
 * from.  One of UDP that is under way shows in that not as many have come as were sent.
 * Eventfds: the kernel shows what they hold.  Files: what they hold, how long they are, and the place in
 * them; that one is read, which is a matter of its path and not of the descriptor, makes the run one whose
 * states are not compared (explore_outside.c). */
#define _GNU_SOURCE
#include "check/explore_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#define fds bine__state_fds
#define mix bine__state_mix

enum { WAITING = 64, DATAGRAMS = 256, TEXT = 512 };
enum { TCP_LISTEN_ = 10 }; /* of the kernel's tcp_states.h: Unix-domain sockets have the same */

/* ---- Unix-domain sockets: what sock_diag tells ------------------------------------------------------- */

struct told {
    unsigned state, shut, room;
    uint32_t peer, waiting[WAITING];
    unsigned n;
};

static void take(struct told *told, const struct rtattr *attribute)
{
    const void *at = RTA_DATA(attribute);
    const size_t size = RTA_PAYLOAD(attribute);
    switch (attribute->rta_type) {
    case UNIX_DIAG_PEER:
        memcpy(&told->peer, at, sizeof told->peer);
        break;
    case UNIX_DIAG_ICONS:
        told->n = (unsigned)(size / 4);
        memcpy(told->waiting, at, size < sizeof told->waiting ? size : sizeof told->waiting);
        break;
    case UNIX_DIAG_RQLEN: /* of a listener: how many wait, and how many may */
        memcpy(&told->room, (const char *)at + 4, sizeof told->room);
        break;
    case UNIX_DIAG_SHUTDOWN:
        told->shut = *(const unsigned char *)at;
        break;
    default:
        break;
    }
}

static bool ask(ino_t inode, struct told *told)
{
    const struct {
        struct nlmsghdr head;
        struct unix_diag_req question;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST},
                 .question = {.sdiag_family = AF_UNIX,
                              .udiag_states = UINT32_MAX,
                              .udiag_ino = (uint32_t)inode,
                              .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN,
                              .udiag_cookie = {UINT32_MAX, UINT32_MAX}}};
    char answer[2048] __attribute__((aligned(8)));
    int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    ssize_t n = -1;

    if (diag != -1 && send(diag, &request, sizeof request, 0) == (ssize_t)sizeof request)
        n = recv(diag, answer, sizeof answer, MSG_DONTWAIT);
    if (diag != -1)
        close(diag);
    const struct nlmsghdr *head = (const void *)answer;
    const struct unix_diag_msg *message = NLMSG_DATA(head);
    if (n < (ssize_t)NLMSG_SPACE(sizeof *message) || head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        head->nlmsg_len > (size_t)n)
        return false;
    *told = (struct told){.state = message->udiag_state};
    size_t left = head->nlmsg_len - NLMSG_SPACE(sizeof *message);
    const struct rtattr *attribute = (const void *)((const char *)head + NLMSG_SPACE(sizeof *message));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        take(told, attribute);
    return told->n <= WAITING;
}

static const struct bine__state_fd *by_inode(uint32_t inode)
{
    for (unsigned i = 0; i < fds.n && inode; i++)
        if (fds.open[i].kind == BINE__STATE_UNIX && (uint32_t)fds.open[i].inode == inode)
            return &fds.open[i];
    return NULL;
}

/* ---- Datagrams, and messages with boundaries ----------------------------------------------------------- */

static void mix_name(const struct sockaddr_storage *name, socklen_t size)
{
    const bool inet = bine__state_inet(name) && size >= 8 && bine__state_known_port(bine__state_port(name));
    const uint64_t known = inet ? bine__state_port_name(bine__state_port(name)) : 0;
    if (known) {
        mix(known);
        fds.hash = bine__state_mixed_bytes(fds.hash, (const char *)name + 4, size - 4);
    } else {
        fds.hash = bine__state_mixed_bytes(fds.hash, name, size);
    }
}

/* One, where the peeking stands.  1: another may follow; 0: there is none; -1: it cannot be told. */
static int mix_datagram(const struct bine__state_fd *open)
{
    struct iovec iov = {fds.content, sizeof fds.content};
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &name, .msg_namelen = sizeof name};
    ssize_t n = recvmsg(open->fd, &message, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n == 0) /* the end; an empty datagram cannot be looked past */
        return open->type == SOCK_SEQPACKET && (open->events & POLLRDHUP) ? 0 : -1;
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) /* CTRUNC: descriptors under way */
        return -1;
    mix((uint64_t)n);
    fds.hash = bine__state_mixed_bytes(fds.hash, fds.content, (size_t)n);
    mix_name(&name, message.msg_namelen < sizeof name ? message.msg_namelen : sizeof name);
    return 1;
}

static bool mix_datagrams(const struct bine__state_fd *open, uint64_t *count)
{
    int from_start = 0, as_ever = -1, more = 1;
    *count = 0;
    if (bine__state_option(open->fd, SOL_SOCKET, SO_PEEK_OFF) != as_ever ||
        setsockopt(open->fd, SOL_SOCKET, SO_PEEK_OFF, &from_start, sizeof from_start) != 0)
        return false;
    while (*count < DATAGRAMS && (more = mix_datagram(open)) > 0)
        ++*count;
    mix(*count);
    return setsockopt(open->fd, SOL_SOCKET, SO_PEEK_OFF, &as_ever, sizeof as_ever) == 0 && more == 0;
}

bool bine__state_mix_udp(const struct bine__state_fd *open, uint64_t *queued)
{
    uint64_t count;
    mix(bine__state_port(&open->local) != 0);
    if (open->remote.ss_family != AF_UNSPEC)
        mix_name(&open->remote, sizeof open->remote);
    bool whole = mix_datagrams(open, &count);
    *queued += count;
    return whole && !(open->events & POLLERR);
}

/* ---- Unix-domain sockets ------------------------------------------------------------------------------ */

static const struct bine__state_connection *nth_from_end(uint16_t to, unsigned n)
{
    for (unsigned i = fds.connections; i-- > 0;)
        if (fds.made[i].local && fds.made[i].to == to && n-- == 0)
            return &fds.made[i];
    return NULL;
}

/* Who waits to be accepted, in order, and what they have written. */
static bool mix_line(const struct bine__state_fd *listener, const struct told *told)
{
    const uint16_t here = bine__state_hash_of_path(&listener->local, sizeof listener->local);
    mix(told->n);
    mix(told->room);
    for (unsigned i = 0; i < told->n; i++) {
        const struct bine__state_connection *made = nth_from_end(here, told->n - 1 - i);
        const struct bine__state_fd *client = by_inode(told->waiting[i]);
        int unsent = 0;
        if (!made || (made->fd < 0 ? told->waiting[i] != 0 : !client || client->fd != made->fd))
            return false;
        if (client && (ioctl(client->fd, TIOCOUTQ, &unsent) != 0 || (unsent > 0) != (made->bytes > 0)))
            return false; /* written past bine */
        mix((uint64_t)(int64_t)made->fd);
        mix(made->written);
        mix(made->bytes);
    }
    return true;
}

static bool waits_in_a_line(const struct bine__state_fd *open)
{
    struct told told;
    for (unsigned i = 0; i < fds.n; i++)
        if (fds.open[i].kind == BINE__STATE_UNIX && ask(fds.open[i].inode, &told) &&
            told.state == TCP_LISTEN_)
            for (unsigned k = 0; k < told.n; k++)
                if (told.waiting[k] == (uint32_t)open->inode)
                    return true;
    return false;
}

static bool mix_stream(const struct bine__state_fd *open)
{
    struct iovec iov = {fds.content, sizeof fds.content};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    int there = 0;
    if (ioctl(open->fd, FIONREAD, &there) != 0 || there >= BINE__STATE_CONTENT)
        return false;
    mix((uint64_t)there);
    if (there == 0)
        return true;
    if (recvmsg(open->fd, &message, MSG_PEEK | MSG_DONTWAIT) != there ||
        (message.msg_flags & MSG_CTRUNC)) /* descriptors under way */
        return false;
    fds.hash = bine__state_mixed_bytes(fds.hash, fds.content, (size_t)there);
    return true;
}

static int noted_peer(const struct bine__state_fd *open)
{
    for (unsigned i = fds.pairs; i-- > 0;)
        for (int end = 0; end < 2; end++)
            if (fds.pair[i].inode[end] == open->inode && fds.pair[i].fd[end] == open->fd)
                return fds.pair[i].fd[!end];
    return -1;
}

bool bine__state_look_unix(struct bine__state_fd *open)
{
    struct told told;
    if (open->type == SOCK_STREAM && noted_peer(open) >= 0)
        return true;
    fds.names = true;
    return ask(open->inode, &told);
}

bool bine__state_mix_unix(const struct bine__state_fd *open)
{
    const int pair = noted_peer(open);
    struct told told;
    uint64_t count;

    mix((uint64_t)open->type);
    if (open->events & POLLERR)
        return false;
    if (pair >= 0 && open->type == SOCK_STREAM) {
        mix((uint64_t)pair);
        return mix_stream(open);
    }
    if (!ask(open->inode, &told))
        return false;
    mix((uint64_t)told.state << 8 | told.shut);
    if (told.state == TCP_LISTEN_)
        return mix_line(open, &told);
    const struct bine__state_fd *peer = by_inode(told.peer);
    const bool waits = !peer && told.peer == 0 && waits_in_a_line(open);
    mix(peer ? (uint64_t)peer->fd : waits ? UINT64_MAX : UINT64_MAX - 1);
    if (!peer && told.peer) {
        fds.unknown = true; /* somebody outside has it */
        return false;
    }
    return open->type == SOCK_STREAM ? mix_stream(open) : mix_datagrams(open, &count);
}

/* ---- Eventfds and files ------------------------------------------------------------------------------- */

static bool is_event(int fd)
{
    static const char name[] = "anon_inode:[eventfd]";
    char path[40], target[sizeof name];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof target) == (ssize_t)sizeof name - 1 &&
           memcmp(target, name, sizeof name - 1) == 0;
}

/* A line of what the kernel shows; false: there is none, of an older kernel. */
static bool mix_shown(const char *text, const char *label, int base)
{
    const char *at = strstr(text, label);
    if (at)
        mix(strtoull(at + strlen(label), NULL, base));
    return at != NULL;
}

static bool mix_shown_event(int fd)
{
    char path[40], text[TEXT];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = info == -1 ? -1 : read(info, text, sizeof text - 1);
    fds.reads += info != -1;
    if (info != -1)
        close(info);
    text[n > 0 ? n : 0] = '\0';
    return mix_shown(text, "eventfd-count:", 16) && mix_shown(text, "eventfd-semaphore:", 10);
}

bool bine__state_look_other(struct bine__state_fd *open, const struct stat *status)
{
    if (S_ISREG(status->st_mode)) {
        open->kind = BINE__STATE_FILE;
        fds.names = true;
        return true;
    }
    open->kind = BINE__STATE_EVENT;
    return is_event(open->fd);
}

bool bine__state_mix_event(const struct bine__state_fd *open)
{
    if (mix_shown_event(open->fd))
        return true;
    fds.unknown = true;
    return false;
}

/* One that is open for writing only is known by its length: whoever reads it opens it again. */
bool bine__state_mix_file(const struct bine__state_fd *open)
{
    struct stat status;
    const off_t at = lseek(open->fd, 0, SEEK_CUR);
    if (at < 0 || fstat(open->fd, &status) != 0)
        return false;
    mix((uint64_t)at);
    mix((uint64_t)status.st_size);
    for (unsigned i = 0; i < fds.n; i++)
        if (fds.open[i].kind == BINE__STATE_FILE && fds.open[i].inode == open->inode &&
            fds.open[i].device == open->device) {
            mix((uint64_t)fds.open[i].fd); /* the same file as this one */
            break;
        }
    if ((fcntl(open->fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
        return true;
    if (status.st_size >= BINE__STATE_CONTENT)
        return false;
    const ssize_t n = pread(open->fd, fds.content, sizeof fds.content, 0);
    fds.reads++;
    if (n != status.st_size)
        return false;
    fds.hash = bine__state_mixed_bytes(fds.hash, fds.content, (size_t)n);
    return true;
}
