/* SPDX-License-Identifier: MIT
 *
 * SIGQUIT while a loop is debugged: every such loop dumps its tasks and goes on.
 *
 * The handler, which may run on any thread and at any moment, only counts.  Each loop's watchdog sees
 * that, at the latest at its next look, and interrupts the loop, which writes the dump on its own stack
 * before it waits again.
 *
 * Only the default is replaced: a program that handles or ignores the signal keeps what it has. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "runtime/debug.h"

static atomic_uint quits; /* lock-free, as all atomics of this size are where bine runs */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static unsigned users;
static bool handled; /* by us */

static void on_quit(int number)
{
    (void)number;
    atomic_fetch_add_explicit(&quits, 1, memory_order_relaxed); /* no data with it */
}

unsigned bine__quit_count(void)
{
    return atomic_load_explicit(&quits, memory_order_relaxed);
}

static bool is_handled_by(void (*handler)(int))
{
    struct sigaction now;
    return sigaction(SIGQUIT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

static void take(void)
{
    struct sigaction action = {.sa_flags = SA_RESTART | SA_ONSTACK};
    action.sa_handler = on_quit;
    sigemptyset(&action.sa_mask);
    handled = is_handled_by(SIG_DFL) && sigaction(SIGQUIT, &action, NULL) == 0;
}

static void give_back(void)
{
    if (handled && is_handled_by(on_quit))
        signal(SIGQUIT, SIG_DFL);
    handled = false;
}

void bine__quit_open(void)
{
    pthread_mutex_lock(&lock);
    if (users++ == 0)
        take();
    pthread_mutex_unlock(&lock);
}

void bine__quit_close(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0)
        give_back();
    pthread_mutex_unlock(&lock);
}

/* Whoever held the lock does not exist here. */
void bine__debug_forked(void)
{
    pthread_mutex_init(&lock, NULL);
    users = 0;
    give_back();
}
