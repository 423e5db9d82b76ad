/* SPDX-License-Identifier: MIT
 *
 * Handshakes, reads and writes: let OpenSSL go as far as it can, and wait for what it lacks.
 *
 * Who waits where:
 *  - tls->receive is held by the one task that waits for bytes.  Who gets it after somebody else has
 *    received tries again first: what has come may be all that was lacking.
 *  - tls->send is held by the one task that sends, until nothing is left, also of what others add meanwhile.
 *    A reader adds little (answers to key updates) and must not wait for room, or two peers that both write
 *    and read would wait for each other: it sends what goes at once, and while something is left it waits for
 *    either direction.  But a peer may demand answers without end and take none: of more than a limit, which
 *    no honest one reaches, a reader too waits until they are sent.
 *  - tls->handshake keeps those apart who begin to read and to write before it is done.
 *  - TLS 1.2's later handshakes are renegotiate.c's.
 *
 * Cut short by a scope, a handshake and a read have lost nothing: all state is in the connection.  Of a write
 * the peer has got an unknown part; bine_tls_write() therefore allows no other after it, while a stream,
 * which knows what it has handed over, may go on. */
#include "tls/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bine/io.h>
#include <bine/scope.h>
#include <bine/task.h>

#include <openssl/err.h>

enum { ANSWERS = 64 /* calls answered from memory before others get their turn; as many as elsewhere in bine */ };

/* ---- Sending ----------------------------------------------------------------------------------------- */

static void consume(struct bine__tls_buffer *buffer, size_t n)
{
    buffer->start += n;
    buffer->used -= n;
    if (buffer->used == 0)
        bine__tls_buffer_free(buffer);
}

static void next_to_send(struct bine_tls *tls)
{
    if (tls->sending.used == 0) {
        tls->sending = tls->pending;
        tls->pending = (struct bine__tls_buffer){0};
    }
}

/* The peer takes nothing any more.  Only writing ends with that: the alert that says why, or an answer that needed no
 * more of a request, may have come and is to be read. */
static void note_refusal(struct bine_tls *tls, int error)
{
    if (!tls->established || (error != EPIPE && error != ECONNRESET))
        return;
    tls->refused = true;
    if (!tls->message[0])
        strcpy(tls->message, "the peer takes nothing any more");
    bine__tls_buffer_free(&tls->sending);
    bine__tls_buffer_free(&tls->pending);
}

/* Waits until all that OpenSSL has written is with the kernel. */
static int send_all(struct bine_tls *tls)
{
    int error = 0;

    if (tls->refused) {
        errno = EPIPE;
        return -1;
    }
    if (!bine__tls_unsent(tls))
        return 0;
    tls->answered = 0;
    if (bine_mutex_lock(&tls->send) != 0)
        return -1;
    while (!error && bine__tls_unsent(tls)) {
        next_to_send(tls);
        const ssize_t n = bine_write(tls->fd, tls->sending.data + tls->sending.start, tls->sending.used);
        if (n < 0) {
            error = errno;
            note_refusal(tls, error);
        } else {
            consume(&tls->sending, (size_t)n);
        }
    }
    bine_mutex_unlock(&tls->send);
    if (tls->refused) { /* it, or another before it got its turn */
        errno = EPIPE;
        return -1;
    }
    return error ? bine__tls_fail_beneath(tls, error) : 0;
}

/* For a reader.  Whatever fails here the read will be told too. */
static void send_some(struct bine_tls *tls)
{
    ssize_t n = 0;

    if (!bine__tls_unsent(tls) || bine_mutex_lock_try(&tls->send) != 0)
        return; /* who holds it sends this as well */
    while (n >= 0 && bine__tls_unsent(tls)) {
        next_to_send(tls);
        n = bine_send(tls->fd, tls->sending.data + tls->sending.start, tls->sending.used, MSG_DONTWAIT);
        if (n > 0)
            consume(&tls->sending, (size_t)n);
        else if (n < 0)
            note_refusal(tls, errno);
    }
    bine_mutex_unlock(&tls->send);
}

void bine__tls_send_at_once(struct bine_tls *tls)
{
    ssize_t n = 0;

    while (n >= 0 && bine__tls_unsent(tls)) {
        next_to_send(tls);
        n = send(tls->fd, tls->sending.data + tls->sending.start, tls->sending.used,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            consume(&tls->sending, (size_t)n);
        else if (n < 0)
            note_refusal(tls, errno);
    }
}

/* ---- Receiving --------------------------------------------------------------------------------------- */

static void in_free(struct bine_tls *tls)
{
    if (tls->in.data != tls->small)
        free(tls->in.data);
    tls->in = (struct bine__tls_buffer){0};
}

/* A small buffer, which is always there, waits for the first bytes; where they fill it a large one follows. */
static int in_make(struct bine_tls *tls)
{
    const size_t room = tls->bulk ? BINE__TLS_LARGE : BINE__TLS_SMALL;

    if (tls->in.room == room)
        return 0;
    in_free(tls);
    tls->in.data = tls->bulk ? malloc(room) : tls->small;
    if (!tls->in.data)
        return -1;
    tls->in.room = room;
    return 0;
}

static int receive_now(struct bine_tls *tls)
{
    ssize_t n;

    if (in_make(tls) != 0)
        return -1;
    n = bine_recv(tls->fd, tls->in.data, tls->in.room, 0);
    if (n < 0)
        return bine__tls_fail_beneath(tls, errno);
    tls->bulk = (size_t)n == tls->in.room;
    tls->end_of_file = n == 0;
    tls->in.start = 0;
    tls->in.used = (size_t)n;
    tls->receipts++;
    return 0;
}

/* Waits until there is more to read than there was at that receipt. */
static int receive(struct bine_tls *tls, uint64_t receipts)
{
    int result = 0;

    if (bine_mutex_lock(&tls->receive) != 0)
        return -1;
    if (tls->receipts == receipts)
        result = receive_now(tls);
    bine_mutex_unlock(&tls->receive);
    return result;
}

/* ---- One step ---------------------------------------------------------------------------------------- */

int bine__tls_provide(struct bine_tls *tls, int returned, bool reader)
{
    const uint64_t receipts = tls->receipts;
    int events;

    if (SSL_get_error(tls->ssl, returned) != SSL_ERROR_WANT_READ) {
        bine__tls_fail(tls);
        if (bine_mutex_lock_try(&tls->send) == 0) { /* the alert that says why */
            bine__tls_send_at_once(tls);
            bine_mutex_unlock(&tls->send);
        }
        errno = tls->error;
        return -1;
    }
    tls->answered = 0;
    if (!reader)
        return send_all(tls) == 0 ? receive(tls, receipts) : -1;
    send_some(tls);
    if (tls->pending.used > BINE__TLS_UNTAKEN)
        return send_all(tls);
    if (bine__tls_unsent(tls) && bine_mutex_lock_try(&tls->send) == 0) { /* and nobody else sends it */
        bine_mutex_unlock(&tls->send);
        events = bine_poll_fd(tls->fd, POLLIN | POLLOUT);
        if (events < 0)
            return bine__tls_fail_beneath(tls, errno);
        send_some(tls);
        if (events == POLLOUT)
            return 0;
    }
    return receive(tls, receipts);
}

/* ---- Entering ---------------------------------------------------------------------------------------- */

/* A yielding call begins: what every one of bine's looks at, though this may be answered from memory. */
static int enter(struct bine_tls *tls)
{
    if (bine__tls_check(tls) != 0)
        return -1;
    if (!bine_self()) {
        errno = bine_this_loop() ? EDEADLK : EPERM;
        return -1;
    }
    if (bine_cancelled() || ++tls->answered >= ANSWERS) {
        tls->answered = 0;
        tls->inside++;
        const int result = bine_yield();
        tls->inside--;
        if (result != 0 || bine__tls_check(tls) != 0)
            return -1;
    }
    tls->inside++;
    return 0;
}

/* Everything after a switch stands on this: the connection may have been closed meanwhile. */
static int leave(struct bine_tls *tls, int result)
{
    tls->inside--;
    if (result != 0 && tls->fd < 0)
        errno = EBADF;
    return result;
}

/* ---- Handshakes -------------------------------------------------------------------------------------- */

static int shake_hands(struct bine_tls *tls)
{
    int returned;

    if (tls->config->role == BINE_TLS_CLIENT && bine__tls_trust_system(tls->config) != 0)
        return -1;
    for (;;) {
        if (bine__tls_check(tls) != 0)
            return -1;
        ERR_clear_error();
        returned = SSL_do_handshake(tls->ssl);
        if (returned == 1)
            break;
        if (bine__tls_provide(tls, returned, false) != 0)
            return -1;
    }
    tls->established = true;
    return send_all(tls);
}

static int establish(struct bine_tls *tls)
{
    int result;

    if (tls->established)
        return 0;
    if (bine_mutex_lock(&tls->handshake) != 0)
        return -1;
    result = tls->established ? 0 : shake_hands(tls);
    bine_mutex_unlock(&tls->handshake);
    return result;
}

int bine_tls_handshake(bine_tls *tls)
{
    if (enter(tls) != 0)
        return -1;
    return leave(tls, establish(tls) == 0 && bine__tls_go_through(tls) == 0 ? send_all(tls) : -1);
}

int bine_tls_renegotiate(bine_tls *tls)
{
    if (enter(tls) != 0)
        return -1;
    return leave(tls, establish(tls) == 0 && bine__tls_ask(tls) == 0 ? send_all(tls) : -1);
}

/* ---- Reading ----------------------------------------------------------------------------------------- */

/* OpenSSL could only say that it wants more: nothing has come that it has not decrypted and given out, and
 * it has nothing to say by itself.  Most reads begin so; not asking saves a tenth of an echo. */
static bool wants_more(const struct bine_tls *tls)
{
    return tls->in.used == 0 && !tls->end_of_file && !bine__tls_unsent(tls) && !SSL_has_pending(tls->ssl) &&
           !SSL_in_init(tls->ssl) && !SSL_renegotiate_pending(tls->ssl);
}

/* 0: the end. */
static int read_some(struct bine_tls *tls, void *buf, size_t n, size_t *got)
{
    int returned;

    *got = 0;
    if (establish(tls) != 0)
        return -1;
    for (;;) {
        if (bine__tls_check(tls) != 0)
            return -1;
        *got = bine__tls_take_laid_by(tls, buf, n);
        if (*got > 0)
            return 0;
        if (tls->ended)
            return 0;
        if (wants_more(tls)) {
            tls->answered = 0;
            if (receive(tls, tls->receipts) != 0)
                return -1;
            continue;
        }
        ERR_clear_error();
        returned = SSL_read_ex(tls->ssl, buf, n, got);
        if (returned == 1)
            break;
        if (SSL_get_error(tls->ssl, returned) == SSL_ERROR_ZERO_RETURN) {
            tls->ended = true;
            return 0;
        }
        if (bine__tls_provide(tls, returned, true) != 0)
            return -1;
    }
    send_some(tls);
    if (tls->in.used == 0 && tls->in.data != tls->small && !tls->bulk)
        in_free(tls);
    return 0;
}

ssize_t bine_tls_read(bine_tls *tls, void *buf, size_t n)
{
    size_t got = 0;
    int result;

    if (!buf && n > 0) {
        errno = EINVAL;
        return -1;
    }
    if (enter(tls) != 0)
        return -1;
    if (tls->reading) {
        errno = EBUSY;
        return leave(tls, -1);
    }
    tls->reading = true;
    result = n > 0 ? read_some(tls, buf, n < SSIZE_MAX ? n : SSIZE_MAX, &got) : establish(tls);
    tls->reading = false;
    return leave(tls, result) == 0 ? (ssize_t)got : -1;
}

/* ---- Writing ----------------------------------------------------------------------------------------- */

struct writing {
    size_t taken;   /* bytes encrypted, or being so */
    size_t sent;    /* bytes of them that are with the kernel */
    bool repeating; /* OpenSSL has begun on the next piece and must get it again */
};

/* Encrypts a piece into the buffer: all of it, for there nothing is written by halves. */
static int take_over(struct bine_tls *tls, const void *buf, size_t n, struct writing *writing)
{
    size_t taken = 0;
    int returned;

    for (;;) {
        if (bine__tls_go_through(tls) != 0 || bine__tls_check(tls) != 0)
            return -1;
        ERR_clear_error();
        returned = SSL_write_ex(tls->ssl, buf, n, &taken);
        writing->repeating = returned != 1;
        if (returned == 1)
            break;
        if (bine__tls_provide(tls, returned, false) != 0)
            return -1;
    }
    writing->taken += n;
    return 0;
}

static int write_pieces(struct bine_tls *tls, const char *buf, size_t n, struct writing *writing)
{
    if (establish(tls) != 0)
        return -1;
    if (tls->shut || tls->refused) {
        errno = EPIPE;
        return -1;
    }
    if (send_all(tls) != 0)
        return -1;
    while (writing->taken < n) {
        const size_t left = n - writing->taken;
        if (take_over(tls, buf + writing->taken, left < BINE__TLS_PIECE ? left : BINE__TLS_PIECE, writing) != 0 ||
            send_all(tls) != 0)
            return -1;
        writing->sent = writing->taken;
    }
    return 0;
}

/* One task writes at a time, and nobody after a write that was cut short. */
static int enter_to_write(struct bine_tls *tls)
{
    if (enter(tls) != 0)
        return -1;
    if (tls->writing || tls->cut) {
        errno = tls->writing ? EBUSY : EPROTO;
        return leave(tls, -1);
    }
    tls->writing = true;
    return 0;
}

static int leave_writing(struct bine_tls *tls, int result)
{
    tls->writing = false;
    return leave(tls, result);
}

static int write_all(struct bine_tls *tls, const void *buf, size_t n, struct writing *writing)
{
    *writing = (struct writing){0};
    if ((!buf && n > 0) || n > SSIZE_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (enter_to_write(tls) != 0)
        return -1;
    return leave_writing(tls, write_pieces(tls, buf, n, writing));
}

ssize_t bine__tls_write_over(struct bine_tls *tls, const void *buf, size_t n)
{
    struct writing writing;

    if (n == 0 && tls->shut) /* a goodbye that was cut short is still to be sent */
        return enter_to_write(tls) == 0 ? leave_writing(tls, send_all(tls)) : -1;
    return write_all(tls, buf, n, &writing) == 0 || writing.taken > 0 ? (ssize_t)writing.taken : -1;
}

ssize_t bine_tls_write(bine_tls *tls, const void *buf, size_t n)
{
    struct writing writing;

    if (write_all(tls, buf, n, &writing) == 0)
        return (ssize_t)writing.taken;
    if ((writing.taken > writing.sent || writing.repeating) && !tls->refused) {
        tls->cut = true;
        if (!tls->message[0])
            strcpy(tls->message, "a write was cut short");
    }
    return writing.sent > 0 ? (ssize_t)writing.sent : -1;
}

/* ---- The end ----------------------------------------------------------------------------------------- */

/* OpenSSL says nothing in the middle of a message of the handshake's, which a ticket and an update of keys are too:
 * where only a part of one has come, that is waited for. */
static int hear_out(struct bine_tls *tls)
{
    int returned;

    do {
        if (bine__tls_go_through(tls) != 0)
            return -1;
        while (SSL_version(tls->ssl) >= TLS1_3_VERSION && SSL_in_init(tls->ssl)) {
            if (bine__tls_check(tls) != 0)
                return -1;
            ERR_clear_error();
            returned = SSL_do_handshake(tls->ssl);
            if (returned != 1 && bine__tls_provide(tls, returned, false) != 0)
                return -1;
        }
        if (send_all(tls) != 0)
            return -1;
    } while (SSL_in_init(tls->ssl));
    return 0;
}

static int say_goodbye(struct bine_tls *tls)
{
    if (establish(tls) != 0 || hear_out(tls) != 0)
        return -1;
    if (!tls->shut) {
        ERR_clear_error();
        if (SSL_shutdown(tls->ssl) < 0)
            return bine__tls_fail(tls);
        tls->shut = true;
    }
    return send_all(tls);
}

int bine_tls_shutdown_write(bine_tls *tls)
{
    return enter_to_write(tls) == 0 ? leave_writing(tls, say_goodbye(tls)) : -1;
}
