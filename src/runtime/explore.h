/* SPDX-License-Identifier: MIT
 *
 * What bine-explore(1) takes over in a loop that it explores: who runs next, what completes next, when time
 * passes, what a draw gives.  src/check/explore*.c, in the checked library alone; in the plain one every call
 * here is nothing and no field is kept.
 *
 * In an explored loop every switch goes to the loop's own stack, where bine__explore_turn() makes one thing
 * happen: a task at the head of the run queue for the door to take.  The clock is virtual. */
#ifndef BINE_RUNTIME_EXPLORE_H
#define BINE_RUNTIME_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bine_loop;
struct bine_task;
struct bine_report;

#ifdef BINE_CHECKED
extern struct bine_loop *bine__explored_loop; /* at most one at a time */
#define bine__explored(loop) __builtin_expect((loop) == bine__explored_loop, 0)

/* A loop begins, before any task is in it; and is gone. */
void bine__explore_open(struct bine_loop *);
void bine__explore_close(struct bine_loop *);
/* In place of all that a turn does for time and events: decides what happens next and sees to it. */
void bine__explore_turn(struct bine_loop *);
/* self has begun a call that may switch; whoever runs is about to go over to a generator's stack or from one; and:
 * self is about to be left, its state and wait are set. */
void bine__explore_call(struct bine_task *self);
void bine__explore_cross(void);
void bine__explore_leave(struct bine_task *self);
/* A scope of this parked task's, or bine_cancel(), is about to make it runnable. */
void bine__explore_interrupt(const struct bine_task *);
/* One of n things, drawn. */
unsigned bine__explore_draw(struct bine_loop *, unsigned n);
/* The program asks what time it is. */
void bine__explore_now(struct bine_loop *);
/* An operation that would succeed at once may be slow today: others may come first.  0, or what
 * bine__yield() says. */
int bine__explore_io(struct bine_task *self, int fd, short events);
/* A diagnostic goes to the report hook; the detector has found something. */
void bine__explore_report(const struct bine_report *);
void bine__explore_finding(const char *kind, const char *summary);

/* wait.c, scope.c, callback.c: what a timer is for.  None of them: a call's own time-out. */
struct bine__timer;
bool bine__explore_is_sleep(const struct bine__timer *);
struct bine_task *bine__explore_sleeper(const struct bine__timer *);
bool bine__explore_is_deadline(const struct bine__timer *);
bool bine__explore_is_callback(const struct bine__timer *);

/* src/io/explore.c: descriptors that are ready, each direction for itself. */
struct bine__explore_ready {
    int fd;
    uint32_t generation;
    unsigned events;        /* bits of poll(2) */
    struct bine_task *task; /* that it would wake; NULL: several */
};
unsigned bine__explore_ready(struct bine_loop *, struct bine__explore_ready *, unsigned room);
/* Wakes whom it concerns. */
void bine__explore_deliver(struct bine_loop *, const struct bine__explore_ready *);
/* An operation on it would succeed at once. */
bool bine__explore_fd_ready(int fd, short events);
/* Some descriptor was used. */
bool bine__explore_fds_used(const struct bine_loop *);
/* Counts that mean nothing: no part of a state. */
struct bine__io;
void bine__poll_apart(const struct bine__io *, void (*leave_out)(const void *, size_t)); /* the reactor's */
void bine__explore_io_apart(const struct bine_loop *, void (*leave_out)(const void *, size_t));

/* What the kernel does not show later (explore_fds.c). */
struct sockaddr;
struct iovec;
void bine__explore_connecting(int fd, const struct sockaddr *, unsigned length); /* connect(2) has begun well */
void bine__explore_wrote(int fd, const struct iovec *, size_t skip, size_t moved);
void bine__explore_took(int fd); /* read from it, and it is gone from there */
void bine__explore_closing(int fd);
void bine__explore_paired(const int fd[2]);
int bine__explore_number(int fd); /* one that was just made; moves it to another number */
/* Around an attempt that calls read(2) and the like. */
void bine__explore_read_begins(int fd, bool socket);
void bine__explore_read_ends(bool socket);
/* A place in line, and it is given back. */
uint32_t bine__explore_ticket(int fd, int direction, uint32_t otherwise);
void bine__explore_ticket_back(int fd, int direction);
#else
#define bine__explored(loop) ((void)(loop), false)
#define bine__explore_open(loop) ((void)(loop))
#define bine__explore_close(loop) ((void)(loop))
#define bine__explore_turn(loop) ((void)(loop))
#define bine__explore_call(self) ((void)(self))
#define bine__explore_leave(self) ((void)(self))
#define bine__explore_interrupt(task) ((void)(task))
#define bine__explore_now(loop) ((void)(loop))
#define bine__explore_draw(loop, n) ((void)(loop), (void)(n), 0u)
#define bine__explore_io(self, fd, events) ((void)(self), (void)(fd), (void)(events), 0)
#define bine__explore_report(report) ((void)(report))
#define bine__explore_connecting(fd, address, length) ((void)(fd), (void)(address), (void)(length))
#define bine__explore_wrote(fd, iov, skip, moved) ((void)(fd), (void)(iov), (void)(skip), (void)(moved))
#define bine__explore_took(fd) ((void)(fd))
#define bine__explore_closing(fd) ((void)(fd))
#define bine__explore_paired(fd) ((void)(fd))
static inline int bine__explore_number(int fd) { return fd; }
#define bine__explore_read_begins(fd, socket) ((void)(fd), (void)(socket))
#define bine__explore_read_ends(socket) ((void)(socket))
#define bine__explore_ticket(fd, direction, otherwise) ((void)(fd), (void)(direction), (otherwise))
#define bine__explore_ticket_back(fd, direction) ((void)(fd), (void)(direction))
#endif

#endif
