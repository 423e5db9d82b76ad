/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2's renegotiation: a new handshake in the middle of a connection.
 *
 * OpenSSL can carry one out in SSL_write() too, but then takes bytes of the program's that the peer had sent
 * before it knew of it for a breach of protocol; only SSL_read() expects these.  So everybody goes through
 * SSL_read() while a handshake is under way, and SSL_write() is not called before its end.  A reader gets the
 * bytes that come meanwhile; a writer, who may be alone, lays them by for the next read, up to a limit: a
 * reader always looks there first.  Reader and writer need not know of each other otherwise, for whoever has
 * received lets the other try again (transfer.c).
 *
 * A server's request (HelloRequest) obliges the client to nothing, so a server writes on until the client's
 * answer has come.  Whoever has begun must hear the other out: a peer that neither reads nor writes holds
 * writers up, as it does by not making room. */
#include "tls/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

enum { LAID_BY = 64 * 1024 /* bytes at most; as much as a stream buffers */ };

static bool under_way(const struct bine_tls *tls)
{
    if (!tls->established || SSL_version(tls->ssl) >= TLS1_3_VERSION)
        return false;
    return SSL_in_init(tls->ssl) ||
           (tls->config->role == BINE_TLS_CLIENT && SSL_renegotiate_pending(tls->ssl));
}

/* ---- What is laid by --------------------------------------------------------------------------------- */

size_t bine__tls_take_laid_by(struct bine_tls *tls, void *buf, size_t n)
{
    struct bine__tls_buffer *by = &tls->laid_by;

    if (by->used == 0)
        return 0;
    if (n > by->used)
        n = by->used;
    memcpy(buf, by->data + by->start, n);
    by->start += n;
    by->used -= n;
    if (by->used == 0) {
        bine__tls_buffer_free(by);
        bine_event_set(&tls->room);
    }
    return n;
}

/* Room behind what is there; 0: none until a reader has taken it all.  -1: no memory. */
static ssize_t room_to_lay_by(struct bine_tls *tls)
{
    struct bine__tls_buffer *by = &tls->laid_by;

    if (!by->data) {
        by->data = malloc(LAID_BY);
        if (!by->data)
            return -1;
        by->room = LAID_BY;
    }
    return (ssize_t)(by->room - by->start - by->used);
}

/* ---- The handshake ----------------------------------------------------------------------------------- */

/* 0: look again whether it is done. */
static int advance(struct bine_tls *tls)
{
    const ssize_t room = room_to_lay_by(tls);
    size_t got = 0;
    int returned;

    if (room < 0)
        return -1;
    if (room == 0) {
        bine_event_clear(&tls->room);
        return bine_event_wait(&tls->room);
    }
    ERR_clear_error();
    returned = SSL_read_ex(tls->ssl, tls->laid_by.data + tls->laid_by.start + tls->laid_by.used, (size_t)room,
                           &got);
    if (returned == 1) {
        tls->laid_by.used += got;
        return 0;
    }
    if (SSL_get_error(tls->ssl, returned) == SSL_ERROR_ZERO_RETURN) {
        tls->ended = true;
        return 0;
    }
    /* Done, and only the program's bytes are lacking now? */
    if (SSL_get_error(tls->ssl, returned) == SSL_ERROR_WANT_READ && !under_way(tls))
        return 0;
    return bine__tls_provide(tls, returned, true);
}

int bine__tls_go_through(struct bine_tls *tls)
{
    int result = 0;

    while (result == 0 && under_way(tls)) {
        if (bine__tls_check(tls) != 0)
            return -1;
        if (tls->ended) { /* for a reader that is the end, and no error */
            strcpy(tls->message, "the peer ended the connection during a renegotiation");
            errno = ECONNRESET;
            result = -1;
        } else {
            result = advance(tls);
        }
    }
    if (tls->laid_by.used == 0)
        bine__tls_buffer_free(&tls->laid_by);
    return result;
}

int bine__tls_ask(struct bine_tls *tls)
{
    if (tls->shut || tls->refused) {
        errno = EPIPE;
        return -1;
    }
    if (under_way(tls))
        return bine__tls_go_through(tls);
    if (tls->ended) { /* to begin what the peer cannot answer would only keep writers from writing */
        errno = EOPNOTSUPP;
        return -1;
    }
    ERR_clear_error();
    if (SSL_version(tls->ssl) >= TLS1_3_VERSION || !SSL_get_secure_renegotiation_support(tls->ssl) ||
        SSL_renegotiate(tls->ssl) != 1) {
        ERR_clear_error();
        errno = EOPNOTSUPP;
        return -1;
    }
    if (tls->config->role == BINE_TLS_CLIENT)
        return bine__tls_go_through(tls);
    /* Writes the request and nothing else: it reads only when there is an answer.  In the middle of a record
     * that is being read it does not even write; the next call does. */
    if (SSL_do_handshake(tls->ssl) != 1)
        return bine__tls_fail(tls);
    return 0;
}
