/* SPDX-License-Identifier: MIT
 *
 * What the kernel does not tell of descriptors afterwards is noted as it happens: who has connected to a
 * listener, in which order; what was written on a connection that is not accepted yet; who is a pair; how
 * many datagrams were sent and received; places in lines.
 *
 * Ports that the kernel has chosen and the number of the process differ from run to run.  A port stands in
 * the program's memory in a struct sockaddr, as a number or as text: there it counts as the descriptor that
 * has it.  The number of the process is told from others only as a part of a name, behind what is no digit:
 * where programs put it so as to have a name of their own. */
#define _GNU_SOURCE
#include "check/explore_fds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/check.h"

enum { FIRST_PORT = 32768 }; /* that the kernel chooses; a program chooses smaller ones, and compares them */
enum { FIRST_PROCESS = 1000 }; /* smaller numbers are too often something else */

#define fds bine__state_fds

/* ---- Noted as it happens ---------------------------------------------------------------------------- */

bool bine__state_known_port(uint16_t port)
{
    for (unsigned i = 0; i < fds.ports; i++)
        if (fds.port[i] == port)
            return true;
    return false;
}

void bine__state_note_port(uint16_t port)
{
    if (fds.ports == BINE__STATE_PORTS)
        fds.unknown = true;
    else if (!bine__state_known_port(port))
        fds.port[fds.ports++] = port;
}

/* The kernel counts the byte that ends a path, or does not; an abstract name has none. */
uint16_t bine__state_hash_of_path(const struct sockaddr_storage *address, socklen_t size)
{
    const struct sockaddr_un *local = (const void *)address;
    size_t length =
        size > offsetof(struct sockaddr_un, sun_path) ? size - offsetof(struct sockaddr_un, sun_path) : 0;
    if (length > 0 && local->sun_path[0])
        length = strnlen(local->sun_path, length);
    uint64_t hash = bine__state_mixed_bytes(length, local->sun_path, length);
    return (uint16_t)(hash >> 40);
}

void bine__explore_connecting(int fd, const struct sockaddr *to, socklen_t size)
{
    struct sockaddr_storage local = {.ss_family = AF_UNSPEC}, remote = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof local;
    int error = errno;

    memcpy(&remote, to, size < sizeof remote ? size : sizeof remote);
    if (getsockname(fd, (struct sockaddr *)&local, &length) == 0) {
        const bool of_unix = local.ss_family == AF_UNIX;
        if (bine__state_inet(&local))
            bine__state_note_port(bine__state_port(&local));
        if ((!of_unix && !bine__state_inet(&local)) ||
            bine__state_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM)
            ; /* of no listener */
        else if (fds.connections < BINE__STATE_CONNECTIONS)
            fds.made[fds.connections++] = (struct bine__state_connection){
                .fd = fd,
                .local = of_unix,
                .port = of_unix ? 0 : bine__state_port(&local),
                .to = of_unix ? bine__state_hash_of_path(&remote, size) : bine__state_port(&remote),
                .written = 1};
        else
            fds.unknown = true;
    }
    errno = error;
}

static struct bine__state_connection *connection_of(int fd)
{
    for (unsigned i = fds.connections; i-- > 0;)
        if (fds.made[i].fd == fd)
            return &fds.made[i];
    return NULL;
}

static bool is_udp(int fd)
{
    const int domain = bine__state_option(fd, SOL_SOCKET, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) &&
           bine__state_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
}

void bine__explore_wrote(int fd, const struct iovec *iov, size_t skip, size_t moved)
{
    int error = errno;
    struct bine__state_connection *connection = connection_of(fd);
    fds.sent += is_udp(fd);
    errno = error;
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
        connection->written =
            bine__state_mixed_bytes(connection->written, (const char *)iov->iov_base + skip, n);
        moved -= n;
        skip = 0;
    }
}

/* A datagram was taken, whose length matters to nobody here. */
void bine__explore_took(int fd)
{
    int error = errno;
    fds.received += is_udp(fd);
    errno = error;
}

bool bine__explore_inherited(int fd)
{
    return fd < 0 || fd >= BINE__STATE_LINES || fds.before[fd];
}

/* What it still held is gone.  Its kind need not be asked for if none was ever sent. */
void bine__explore_closing(int fd)
{
    struct bine__state_connection *connection = connection_of(fd);
    if (connection)
        connection->fd = -1;
    if (fds.sent != fds.received && is_udp(fd)) {
        int error = errno;
        const struct bine__state_fd udp = {.fd = fd, .type = SOCK_DGRAM, .kind = BINE__STATE_UDP};
        const uint64_t hash = fds.hash;
        uint64_t queued = 0;
        (void)bine__state_mix_udp(&udp, &queued);
        fds.received += queued;
        fds.hash = hash;
        errno = error;
    }
}

void bine__explore_paired(const int fd[2])
{
    struct stat status;
    unsigned at = 0;
    while (at < fds.pairs && fds.pair[at].fd[0] != fd[0])
        at++;
    if (at == BINE__STATE_PAIRS) {
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
    if (fd >= BINE__STATE_LINES)
        return otherwise;
    fds.line[fd][direction].alive++;
    return ++fds.line[fd][direction].last;
}

void bine__explore_ticket_back(int fd, int direction)
{
    if (fd < BINE__STATE_LINES && --fds.line[fd][direction].alive == 0)
        fds.line[fd][direction].last = 0;
}

/* ---- Numbers in memory ------------------------------------------------------------------------------- */

uint64_t bine__state_port_name(uint16_t port)
{
    for (unsigned i = 0; i < fds.n; i++)
        if (bine__state_inet(&fds.open[i].local) && bine__state_port(&fds.open[i].local) == port)
            return bine__state_mixed(1, (uint64_t)fds.open[i].fd);
    for (unsigned i = 0; i < fds.n; i++)
        if (bine__state_inet(&fds.open[i].remote) && bine__state_port(&fds.open[i].remote) == port)
            return bine__state_mixed(2, (uint64_t)fds.open[i].fd);
    return 0;
}

/* In the order of the machine, or of the network. */
static uint64_t port_alone(uint16_t half)
{
    if (half >= FIRST_PORT && bine__state_known_port(htons(half)))
        return bine__state_port_name(htons(half));
    return ntohs(half) >= FIRST_PORT && bine__state_known_port(half) ? bine__state_port_name(half) : 0;
}

/* The port that this word holds: alone in one of its halves, or behind its family in a struct sockaddr. */
static uint64_t port_in(uint32_t word)
{
    uint16_t half[2];
    memcpy(half, &word, sizeof half);
    if (half[0] == 0)
        return port_alone(half[1]);
    if (half[0] == AF_INET || half[0] == AF_INET6)
        return ntohs(half[1]) >= FIRST_PORT && bine__state_known_port(half[1])
                   ? bine__state_port_name(half[1])
                   : 0;
    return half[1] == 0 ? port_alone(half[0]) : 0;
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
    return value >= FIRST_PORT && value <= UINT16_MAX && bine__state_known_port(htons((uint16_t)value))
               ? bine__state_port_name(htons((uint16_t)value))
               : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number of the process stands here, behind a character that is no digit and another; its length or 0. */
static size_t process_at(const char *text, const char *from, const char *end)
{
    const size_t length = strlen(fds.number);
    if (!fds.names || length == 0 || (size_t)(end - text) < length || text - from < 2 || text[-1] <= ' ' ||
        text[-1] > '~' || is_digit(text[-1]) || text[-2] <= ' ' || text[-2] > '~' ||
        memcmp(text, fds.number, length) != 0)
        return 0;
    return text + length == end || !is_digit(text[length]) ? length : 0;
}

/* Where bytes of a word are this one, the highest bit of theirs; and seldom elsewhere. */
static uint64_t bytes_that_are(uint64_t word, char byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    word ^= ones * (unsigned char)byte;
    return (word - ones) & ~word & highs;
}

/* Ports as text begin behind a colon. */
static const char *text_in(uint64_t word, const char *at, const char *from, const char *end, size_t *size,
                           uint64_t *name)
{
    if (!bytes_that_are(word, ':') && !(fds.names && fds.number[0] && bytes_that_are(word, fds.number[0])))
        return NULL;
    for (const char *byte = at; byte < at + 8; byte++) {
        if (*byte == ':' && (*name = port_at(byte + 1, end, size)) != 0)
            return byte + 1;
        if ((*size = process_at(byte, from, end)) != 0) {
            *name = 3;
            return byte;
        }
    }
    return NULL;
}

const char *bine__explore_next_port(const char *from, const char *to, size_t *size, uint64_t *name)
{
    if (fds.ports == 0 && !fds.names)
        return NULL;
    for (const char *at = (const char *)(((uintptr_t)from + 7) & ~(uintptr_t)7); at + 8 <= to; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        if (word == 0) /* as most of memory is */
            continue;
        for (int half = 0; fds.ports > 0 && half < 2; half++)
            if ((*name = port_in((uint32_t)(word >> 32 * half))) != 0) {
                *size = 4;
                return at + 4 * half;
            }
        const char *text = text_in(word, at, from, to, size, name);
        if (text)
            return text;
    }
    return NULL;
}

void bine__explore_fds_apart(void (*leave_out)(const void *, size_t))
{
    leave_out(&fds, sizeof fds);
}

void bine__explore_fds_begin(void)
{
    const pid_t process = getpid();
    fds.number[0] = '\0';
    if (process >= FIRST_PROCESS)
        snprintf(fds.number, sizeof fds.number, "%d", (int)process);
    fds.unknown = !bine__state_note_open();
}
