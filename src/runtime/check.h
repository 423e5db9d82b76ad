/* SPDX-License-Identifier: MIT
 *
 * What the runtime tells the checkers.  In libbine-check, built from the same sources with BINE_CHECKED, these
 * are functions of src/check; in the plain library each is nothing.
 *
 * They are told what happens and change nothing; none of them may switch, nor touch errno. */
#ifndef BINE_RUNTIME_CHECK_H
#define BINE_RUNTIME_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bine_task;
struct bine_loop;

/* ---- For src/check/race*.c -------------------------------------------------------------------------- */

/* Locks are handed over without what the former holder wrote being told to the next; the rest is. */
enum bine__lock_kind { BINE__LOCK_EXCLUSIVE, BINE__LOCK_SHARED };

#ifdef BINE_CHECKED
enum { BINE__CHECKED = 1 };
/* A call that may switch begins, whether or not it will. */
void bine__check_call(struct bine_task *self);
/* self is about to be left: its state, wait and object say why.  And: it runs (again). */
void bine__check_leave(struct bine_task *self);
void bine__check_arrive(struct bine_task *self);
void bine__check_spawn(struct bine_task *child);
void bine__check_end(struct bine_task *self);
void bine__check_released(struct bine_task *task);
/* A generator is given this stack. */
void bine__check_stack(const void *stack, size_t size);
/* Whoever runs makes this task runnable, and means it: what it waited for is there. */
void bine__check_wake(struct bine_task *task);
/* self has learnt that the task has ended. */
void bine__check_joined(struct bine_task *self, struct bine_task *task);
/* The running task is about to wait for a lock, has it, has given it back. */
void bine__check_lock_wait(const void *lock, struct bine_task *owner);
void bine__check_locked(const void *lock, enum bine__lock_kind);
void bine__check_unlocked(const void *lock, enum bine__lock_kind);
/* The same of a semaphore, which may be a lock or a signal. */
void bine__check_sem_taken(const void *sem, bool last); /* last: nobody else can take it now */
void bine__check_sem_given(const void *sem);
/* A generator's body is about to go on, on the consumer's strand; to give way to its consumer; is gone. */
struct bine__stash;
void bine__check_gen_in(struct bine__stash **);
void bine__check_gen_out(struct bine__stash **);
void bine__check_gen_gone(struct bine__stash **);
/* The run ends, and this task, which nobody waits for, has not. */
void bine__check_left_behind(const struct bine_task *);
/* Something was put where others find it later without waiting (an event set, an item in a queue); and: it
 * was found. */
void bine__check_put(const void *object);
void bine__check_found(const void *object, bool one_of_them);
/* A transfer on a descriptor: it begins; it has moved so much of a whole, and goes on; it ends. */
enum bine__io_step { BINE__IO_BEGIN, BINE__IO_PIECE, BINE__IO_END };
void bine__check_io(int fd, bool out, enum bine__io_step, size_t moved);
void bine__check_fd_made(int fd);
void bine__check_fd_closed(int fd, int error); /* by bine_close(); error: what it failed with, or 0 */
void bine__check_fd_used(int fd);
/* The program's memory: so many bytes of it were sent, or received into it (fewer than 1: none); its strings are
 * printed. */
void bine__check_moved(const void *, ssize_t moved, bool out);
void bine__check_formats(const char *format, va_list);
/* bine_together(), bine_benign(). */
void bine__check_together(const char *name, const void *place, size_t size);
void bine__check_benign(const void *place, size_t size, const char *reason);
/* Nothing can ever run again. */
void bine__check_stuck(struct bine_loop *);
/* A failure that nobody looked at, a task left behind: what also goes to the report hook. */
struct bine_report;
void bine__check_reported(const struct bine_report *, const struct bine_task *);
#else
enum { BINE__CHECKED = 0 };
#define bine__check_call(self) ((void)(self))
#define bine__check_leave(self) ((void)(self))
#define bine__check_arrive(self) ((void)(self))
#define bine__check_spawn(child) ((void)(child))
#define bine__check_end(self) ((void)(self))
#define bine__check_released(task) ((void)(task))
#define bine__check_stack(stack, size) ((void)0)
#define bine__check_wake(task) ((void)(task))
#define bine__check_joined(self, task) ((void)(self), (void)(task))
#define bine__check_lock_wait(lock, owner) ((void)(lock), (void)(owner))
#define bine__check_locked(lock, kind) ((void)(lock), (void)(kind))
#define bine__check_unlocked(lock, kind) ((void)(lock), (void)(kind))
#define bine__check_sem_taken(sem, last) ((void)(sem))
#define bine__check_sem_given(sem) ((void)(sem))
#define bine__check_put(object) ((void)(object))
#define bine__check_found(object, one_of_them) ((void)(object))
#define bine__check_io(fd, out, step, moved) ((void)(fd))
#define bine__check_moved(buffer, moved, out) ((void)0)
#define bine__check_formats(format, arguments) ((void)0)
#define bine__check_gen_in(stash) ((void)0)
#define bine__check_gen_out(stash) ((void)0)
#define bine__check_gen_gone(stash) ((void)0)
#define bine__check_left_behind(task) ((void)(task))
#define bine__check_fd_made(fd) ((void)(fd))
#define bine__check_fd_closed(fd, error) ((void)(fd), (void)(error))
#define bine__check_fd_used(fd) ((void)(fd))
#define bine__check_together(name, place, size) ((void)0)
#define bine__check_benign(place, size, reason) ((void)0)
#define bine__check_stuck(loop) ((void)(loop))
#define bine__check_reported(report, task) ((void)(report))
#endif

/* ---- For src/check/explore*.c ----------------------------------------------------------------------- */

/* Who runs next, when time passes, what completes. */
#include "runtime/explore.h"

#endif
