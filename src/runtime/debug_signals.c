/* SPDX-License-Identifier: MIT
 *
 * The signals that debugged loops share: taken by the first, given back by the last.
 *
 * SIGQUIT: every such loop dumps its tasks and goes on.  The handler, which may run on any thread and at
 * any moment, only counts.  Each loop's watchdog sees that, at the latest at its next look, and interrupts
 * the loop, which writes the dump on its own stack before it waits again.  Only the default is replaced: a
 * program that handles or ignores the signal keeps what it has.
 *
 * SIGURG: the watchdog's question to a loop's thread; debug.c has the handler, which passes what it did
 * not ask for on. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "runtime/debug.h"

static atomic_uint quits; /* lock-free, as all atomics of this size are where bine runs */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static unsigned users;
static bool quit_taken, urgent_taken;
static struct sigaction urgent_before; /* set before our handler is, which reads it */

static void on_quit(int number)
{
    (void)number;
    atomic_fetch_add_explicit(&quits, 1, memory_order_relaxed); /* no data with it */
}

unsigned bine__quit_count(void)
{
    return atomic_load_explicit(&quits, memory_order_relaxed);
}

static bool quit_is(void (*handler)(int))
{
    struct sigaction now;
    return sigaction(SIGQUIT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

static void take(bine__siginfo_fn *on_urgent)
{
    struct sigaction quit = {.sa_flags = SA_RESTART | SA_ONSTACK};
    quit.sa_handler = on_quit;
    sigemptyset(&quit.sa_mask);
    quit_taken = quit_is(SIG_DFL) && sigaction(SIGQUIT, &quit, NULL) == 0;

    struct sigaction urgent = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    urgent.sa_sigaction = on_urgent;
    sigemptyset(&urgent.sa_mask);
    urgent_taken = sigaction(SIGURG, NULL, &urgent_before) == 0 && sigaction(SIGURG, &urgent, NULL) == 0;
}

static void give_back(void)
{
    if (quit_taken && quit_is(on_quit))
        signal(SIGQUIT, SIG_DFL);
    if (urgent_taken)
        sigaction(SIGURG, &urgent_before, NULL);
    quit_taken = urgent_taken = false;
}

bool bine__debug_signals_open(bine__siginfo_fn *on_urgent)
{
    pthread_mutex_lock(&lock);
    if (users++ == 0)
        take(on_urgent);
    bool taken = urgent_taken;
    pthread_mutex_unlock(&lock);
    return taken;
}

void bine__debug_signals_close(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0)
        give_back();
    pthread_mutex_unlock(&lock);
}

void bine__urgent_pass_on(int number, siginfo_t *info, void *context)
{
    if (urgent_before.sa_flags & SA_SIGINFO)
        urgent_before.sa_sigaction(number, info, context);
    else if (urgent_before.sa_handler != SIG_DFL && urgent_before.sa_handler != SIG_IGN)
        urgent_before.sa_handler(number);
}

/* Whoever held the lock does not exist here. */
void bine__debug_forked(void)
{
    pthread_mutex_init(&lock, NULL);
    users = 0;
    give_back();
}
