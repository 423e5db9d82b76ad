/* SPDX-License-Identifier: MIT
 *
 * bine_serve(): a task for each connection.
 *
 * The serving task keeps all its bookkeeping in its own frame, which outlives every connection because it
 * returns only when the last has ended.  A connection's record lies at the top of its own stack, in the
 * page that its control block is in anyway, and links itself as the task starts: a task that has not
 * started yet when the connections are cancelled finds that out by itself.
 *
 * Three ways out of accept's errors.  A connection that broke before it was accepted is nobody's fault: on
 * at once.  Out of descriptors or memory: wait, a little longer each time, but no longer than until a
 * connection of our own has ended, since that gives back what was missing.  Anything else ends the serving.
 * Errors of the first kind that never stop coming are treated as the second: no error makes it spin. */
#include <bine/io.h>
#include <bine/net.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io.h"
#include "runtime/list.h"
#include "runtime/runtime.h"

/* How long to wait when something has run out: the first time, and at the most. */
#define BACKOFF_FIRST (5 * BINE_MS)
#define BACKOFF_MOST BINE_SECOND

enum { BROKEN_MOST = 16 /* connections in a row that broke before they were accepted */ };

struct serve {
    bine_conn_fn *fn;
    void *arg;
    struct bine_loop *loop;
    struct bine_task *waiting;  /* the serving task, while it waits for a connection to end */
    struct bine__list live;     /* of struct connection: those that have started */
    size_t count;               /* all that have not ended, started or not */
    bool cancelled;             /* the connections are: also those that have not started */
    bool nodelay;               /* set TCP_NODELAY on each: the listener does not hand it down */
    int listener;
    uint32_t generation;        /* of the listener: the number may be somebody else's by now */
    bine_ns backoff;            /* for the next time that something runs out */
    unsigned broken;            /* connections in a row that could not be accepted, or serving them begun */
};

struct connection {
    struct bine__list node;
    struct serve *serve;
    struct bine_task *task;
    int fd;
    uint32_t generation; /* of fd: the function may have closed it, alone or with a stream */
};

/* What bine_close() changes; 0 as long as no descriptor of that number has met the library. */
static uint32_t generation_of(const struct bine_loop *loop, int fd)
{
    const struct bine__fd *slot = bine__fd_find(loop->io, fd);

    return slot ? slot->generation : 0;
}

/* ---- A connection ---------------------------------------------------------------------------------- */

static void *connection_main(void *arg)
{
    struct connection *connection = arg;
    struct serve *serve = connection->serve;

    connection->task = bine_self();
    bine__list_append(&serve->live, &connection->node);
    if (serve->cancelled)
        bine_cancel(connection->task);

    serve->fn(connection->fd, serve->arg);

    if (generation_of(serve->loop, connection->fd) == connection->generation)
        bine_close(connection->fd);
    bine__list_remove(&connection->node);
    serve->count--;
    if (serve->waiting) {
        bine__wake(serve->waiting);
        serve->waiting = NULL;
    }
    return NULL; /* from here on the serving frame may be gone */
}

/* Gives the connection a task.  False, with errno, if there is no memory for one; then fd is closed. */
static bool connection_start(struct serve *serve, const bine_attr *attr, int fd)
{
    const int on = 1;
    const struct connection connection = {
        .serve = serve, .fd = fd, .generation = generation_of(serve->loop, fd)};

    if (serve->nodelay)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!bine__spawn(serve->loop, attr, connection_main, NULL, &connection, sizeof connection,
                     "bine_serve")) {
        const int error = errno;
        bine_close(fd);
        errno = error;
        return false;
    }
    serve->count++;
    return true;
}

/* ---- Waiting --------------------------------------------------------------------------------------- */

/* Until a connection ends: 0, ECANCELED or ETIMEDOUT.  how: BINE__PARK_DEAF or 0. */
static int wait_for_end(struct serve *serve, struct bine_task *self, unsigned how)
{
    int error;

    serve->waiting = self;
    error = bine__park(serve->loop, self, BINE__WAIT_PARK | how, 0);
    serve->waiting = NULL;
    return error;
}

/* The listener is still the one that it was, and open: 0, or EBADF, EINVAL (it was shut down). */
static int listener_state(const struct serve *serve)
{
    int accepting = 0;
    socklen_t length = sizeof accepting;

    if (generation_of(serve->loop, serve->listener) != serve->generation)
        return EBADF;
    if (getsockopt(serve->listener, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) != 0)
        return errno;
    return accepting ? 0 : EINVAL;
}

/* Until a connection ends, or the time has passed: 0; or whatever says that the serving is over.  Meanwhile
 * it stands among the listener's lookers without asking for any event: then closing the listener wakes it,
 * while the connections that wait to be accepted do not. */
static int wait_for_end_or(struct serve *serve, struct bine_task *self, bine_ns timeout)
{
    struct bine__io *io = serve->loop->io;
    struct bine__fd *slot = bine__fd_get(io, serve->listener);
    struct bine__look look = {.task = self};
    struct bine__looker looker = {.look = &look, .slot = slot};
    bine_scope scope;
    int error;

    if (!slot)
        return errno;
    if (listener_state(serve) != 0)
        return listener_state(serve);
    looker.generation = slot->generation;
    bine__list_append(&slot->lookers, &looker.node);
    slot->parked = (uint16_t)io->sweep;
    (void)io->reactor->watch(io, serve->listener, slot); /* or not: bine_close() wakes us in any case */
    bine_scope_open(&scope, timeout);
    (void)wait_for_end(serve, self, 0);
    bine_scope_close(&scope);
    error = bine_cancelled();
    bine__list_remove(&looker.node);
    return error ? error : listener_state(serve);
}

/* Something has run out. */
static int back_off(struct serve *serve, struct bine_task *self)
{
    const bine_ns wait = serve->backoff;

    serve->backoff = wait < BACKOFF_MOST / 2 ? wait * 2 : BACKOFF_MOST;
    return wait_for_end_or(serve, self, wait);
}

/* ---- Accepting ------------------------------------------------------------------------------------- */

enum verdict { ONWARD, WAIT, OVER };

static enum verdict judge(struct serve *serve, int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: /* the reactor's: no more watches */
    case EAGAIN: /* where tasks are threads: none to be had */
        return WAIT;
    case ECONNABORTED:
    case EINTR:
    case EPERM: /* a firewall's */
    case EPROTO:
    case ETIMEDOUT: /* the connection's: ours has been ruled out */
    /* What accept(2) passes on of the network. */
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
#ifdef ENONET
    case ENONET:
#endif
    case ENOPROTOOPT:
    case EOPNOTSUPP:
        return ++serve->broken < BROKEN_MOST ? ONWARD : WAIT;
    default:
        return OVER;
    }
}

/* Accepts until something ends it, and returns what. */
static int accept_all(struct serve *serve, struct bine_task *self, const bine_attr *attr, unsigned limit)
{
    for (;;) {
        int error, fd;

        while (limit > 0 && serve->count >= limit) {
            error = wait_for_end_or(serve, self, BINE_FOREVER);
            if (error)
                return error;
        }
        fd = bine__accept(serve->listener);
        if (fd >= 0 && connection_start(serve, attr, fd)) {
            serve->backoff = BACKOFF_FIRST;
            serve->broken = 0;
            continue;
        }
        error = errno;
        if (bine_cancelled())
            return bine_cancelled();
        switch (judge(serve, error)) {
        case ONWARD:
            break;
        case WAIT:
            error = back_off(serve, self);
            if (error)
                return error;
            break;
        case OVER:
            return error;
        }
    }
}

/* ---- Ending ---------------------------------------------------------------------------------------- */

/* Lets the connections finish for so long, whatever happens outside. */
static void drain(struct serve *serve, struct bine_task *self, bine_ns grace)
{
    bine_scope shield;

    bine_scope_open_shield(&shield);
    if (grace != BINE_FOREVER)
        bine_scope_extend(&shield, grace);
    while (serve->count > 0 && wait_for_end(serve, self, 0) == 0)
        ;
    bine_scope_close(&shield);
}

/* Cancels those that are left, and waits for every one of them, however long: they point into our frame. */
static void finish(struct serve *serve, struct bine_task *self)
{
    serve->cancelled = true;
    for (struct bine__list *node = serve->live.next; node != &serve->live; node = node->next)
        bine_cancel(bine__list_entry(node, struct connection, node)->task);
    while (serve->count > 0)
        (void)wait_for_end(serve, self, BINE__PARK_DEAF);
}

/* ---- The call -------------------------------------------------------------------------------------- */

/* 0 if the descriptor is a listening socket; whether TCP_NODELAY must be set on what it accepts. */
static int inspect(int listener, bool *nodelay)
{
    int accepting = 0, on = 0;
    socklen_t length = sizeof accepting;

    if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) != 0)
        return -1;
    if (!accepting)
        return bine__error(EINVAL);
    /* Connections inherit it, so that bine_listen()'s need nothing more.  It fails on what is not TCP. */
    length = sizeof on;
    *nodelay = getsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0 && !on;
    return 0;
}

int bine_serve_sized(int listener, bine_conn_fn *fn, void *arg, const bine_serve_options *given, size_t size)
{
    bine_serve_options options = BINE_SERVE_OPTIONS_INIT;
    struct bine_task *self = bine__begin_on(listener);
    struct serve serve = {
        .fn = fn, .arg = arg, .listener = listener, .backoff = BACKOFF_FIRST};
    bine_attr attr = BINE_ATTR_INIT;
    int error;

    if (!self)
        return -1;
    if (!fn || (given && size == 0))
        return bine__error(EINVAL);
    if (given)
        memcpy(&options, given, size < sizeof options ? size : sizeof options);
    if (options.stack_size > (size_t)1 << BINE__STACK_MAX_SHIFT) /* said now, not by the first connection */
        return bine__error(EINVAL);
    if (inspect(listener, &serve.nodelay) != 0)
        return -1;

    serve.loop = self->loop;
    serve.generation = generation_of(serve.loop, listener);
    bine__list_init(&serve.live);
    attr.name = options.name ? options.name : "conn";
    attr.stack_size = options.stack_size;
    attr.detached = true;

    error = accept_all(&serve, self, &attr, options.max_connections);
    if (serve.count > 0 && options.grace > 0)
        drain(&serve, self, options.grace);
    finish(&serve, self);
    return bine__error(error);
}
