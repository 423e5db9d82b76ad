/* SPDX-License-Identifier: MIT
 *
 * Between the files that make descriptors a part of a state (--merge): explore_fds.c (all of them; pipes and
 * TCP), explore_fds_local.c (Unix-domain sockets, datagrams, eventfds, files), explore_fds_noted.c (what the
 * kernel does not tell afterwards, and what in memory differs from run to run because of descriptors),
 * explore_numbers.c (their numbers).
 *
 * What one of them cannot tell makes the state one that is not compared; what it knows nothing of makes the
 * run one whose states are not (.unknown).  Nothing here allocates: that would change states. */
#ifndef BINE_CHECK_EXPLORE_FDS_H
#define BINE_CHECK_EXPLORE_FDS_H

#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "check/explore.h"

enum {
    BINE__STATE_FDS = 128,
    BINE__STATE_CONNECTIONS = 256,
    BINE__STATE_PORTS = 256,
    BINE__STATE_PAIRS = 64,
    BINE__STATE_LINES = 1024,
    BINE__STATE_CONTENT = 1 << 16 /* bytes in one descriptor */
};

enum bine__state_kind {
    BINE__STATE_PIPE,
    BINE__STATE_LISTENER,
    BINE__STATE_CONNECTION,
    BINE__STATE_UDP,
    BINE__STATE_UNIX, /* of any type, listeners too */
    BINE__STATE_EVENT,
    BINE__STATE_FILE
};

struct bine__state_fd {
    int fd, type; /* of a socket */
    enum bine__state_kind kind;
    ino_t inode;
    dev_t device;
    short events;
    struct sockaddr_storage local, remote;
    struct tcp_info info;
};

/* To a listener of the run, as it was made. */
struct bine__state_connection {
    int fd;                  /* -1: closed */
    bool local;              /* Unix-domain */
    uint16_t port, to;       /* in the order of the network; of a Unix-domain socket a hash of where to */
    uint64_t written, bytes; /* what, and how many */
};

struct bine__state_fds {
    bool before[BINE__STATE_LINES]; /* open when the run began: not its doing */
    struct bine__state_fd open[BINE__STATE_FDS];
    unsigned n;
    struct bine__state_connection made[BINE__STATE_CONNECTIONS];
    unsigned connections;
    uint16_t port[BINE__STATE_PORTS]; /* that sockets of the run have had, as in a sockaddr */
    unsigned ports;
    struct {
        int fd[2];
        ino_t inode[2];
    } pair[BINE__STATE_PAIRS];
    unsigned pairs;
    struct {
        uint32_t last, alive;
    } line[BINE__STATE_LINES][2];
    uint64_t sent, received; /* datagrams of UDP */
    char number[16];         /* of the process, as text; "": a small one, which is not looked for */
    bool names;              /* there was something with a name: a file, a Unix-domain listener */
    bool unknown;
    long long reads; /* by us and by bine's calls: to be taken off */
    uint64_t hash;
    char content[BINE__STATE_CONTENT];
};
extern struct bine__state_fds bine__state_fds;

static inline uint64_t bine__state_mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static inline uint64_t bine__state_mixed_bytes(uint64_t hash, const void *from, size_t size)
{
    const unsigned char *byte = from;
    for (size_t i = 0; i < size; i++)
        hash = bine__state_mixed(hash, byte[i]);
    return hash;
}

/* Into .hash. */
static inline void bine__state_mix(uint64_t word)
{
    bine__state_fds.hash = bine__state_mixed(bine__state_fds.hash, word);
}

static inline uint16_t bine__state_port(const struct sockaddr_storage *address)
{
    uint16_t port;
    __builtin_memcpy(&port, (const char *)address + 2, sizeof port); /* in sockaddr_in and _in6 alike */
    return port;
}

static inline bool bine__state_inet(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

int bine__state_option(int fd, int level, int name); /* -1: it has none */

/* explore_fds.c: those of now are not the run's.  False: not all can be told. */
bool bine__state_note_open(void);

/* explore_fds_noted.c */
bool bine__state_known_port(uint16_t);
void bine__state_note_port(uint16_t);
uint64_t bine__state_port_name(uint16_t); /* who has it now; 0: nobody */
uint16_t bine__state_hash_of_path(const struct sockaddr_storage *, socklen_t);

void bine__state_mix_numbers(void); /* explore_numbers.c: which descriptors will get */

/* explore_fds_local.c: false of look: of no kind that is known; of mix: not to be compared now. */
bool bine__state_look_unix(struct bine__state_fd *);
bool bine__state_look_other(struct bine__state_fd *, const struct stat *);
bool bine__state_mix_unix(const struct bine__state_fd *);
bool bine__state_mix_udp(const struct bine__state_fd *, uint64_t *queued);
bool bine__state_mix_event(const struct bine__state_fd *);
bool bine__state_mix_file(const struct bine__state_fd *);

#endif
