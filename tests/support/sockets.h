/* SPDX-License-Identifier: MIT
 *
 * Pairs of connected descriptors of each kind, made by plain system calls, and listeners on loopback. */
#ifndef TESTS_SOCKETS_H
#define TESTS_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum pair_kind { PAIR_UNIX, PAIR_TCP, PAIR_PIPE, PAIR_KINDS };

/* fd[0] reads what fd[1] writes. */
void pair_make(enum pair_kind, int fd[2]);
void pair_close(int fd[2]); /* with bine_close(); each may be -1 */
const char *pair_name(enum pair_kind);

/* A listener on 127.0.0.1, its address in *address. */
int listener_make(struct sockaddr_in *address, int backlog);

/* Writes by plain write(2) until the kernel takes no more; returns how much it took.  A TCP socket may make
 * room by itself again (the receiver packs its queue tighter): do not rely on it to stay full. */
size_t fill(int fd);
/* Takes everything out by plain read(2); returns how much that was. */
size_t drain(int fd);

#endif
