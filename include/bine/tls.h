/* SPDX-License-Identifier: MIT
 *
 * TLS connections over OpenSSL: a library of its own, libbine-tls (pkg-config: bine-tls).
 *
 * A configuration says who one is and whom one trusts, and is shared by many connections.  A client checks
 * the server's certificate and name unless it is told not to.  Handshakes, reads and writes park the task
 * where they wait; a task that uses TLS needs a stack of BINE_TLS_STACK_SIZE at least. */
#ifndef BINE_TLS_H
#define BINE_TLS_H

#include <bine/base.h>
#include <bine/stream.h>

BINE_BEGIN_DECLS

typedef struct bine_tls_config bine_tls_config;
typedef struct bine_tls bine_tls;

enum { BINE_TLS_STACK_SIZE = 32768 }; /* bytes: a handshake was seen to take 12 KiB */

typedef enum bine_tls_role { BINE_TLS_CLIENT, BINE_TLS_SERVER } bine_tls_role;
typedef enum bine_tls_verify {
    BINE_TLS_VERIFY_NONE,     /* a server's default; for a client: anybody may answer */
    BINE_TLS_VERIFY_OPTIONAL, /* of servers: a client's certificate is asked for, and checked if there is one */
    BINE_TLS_VERIFY_REQUIRED  /* a client's default */
} bine_tls_verify;
typedef enum bine_tls_protocol { BINE_TLS_1_2 = 0x0303, BINE_TLS_1_3 = 0x0304 } bine_tls_protocol;
typedef enum bine_tls_renegotiation { /* who may ask for another handshake in TLS 1.2; always RFC 5746's */
    BINE_TLS_RENEGOTIATION_NONE,
    BINE_TLS_RENEGOTIATION_SERVER, /* the default: asking costs a client less than doing it costs a server */
    BINE_TLS_RENEGOTIATION_BOTH
} bine_tls_renegotiation;

/* ---- Configurations.  To be set up before they are used; connections keep one alive. ---- */

BINE_EXPORT bine_tls_config *bine_tls_config_new(bine_tls_role);
BINE_EXPORT void bine_tls_config_free(bine_tls_config *);
/* Read PEM files: they yield inside a loop, and work outside one too.  One's own certificate, with what leads
 * to its authority behind it, and its key; and authorities to trust (instead of the system's). */
BINE_EXPORT int bine_tls_config_certificate(bine_tls_config *, const char *chain_file, const char *key_file);
BINE_EXPORT int bine_tls_config_trust(bine_tls_config *, const char *file);
/* The same from memory.  Never switch. */
BINE_EXPORT int bine_tls_config_certificate_pem(bine_tls_config *, const void *chain, size_t chain_size,
                                                const void *key, size_t key_size);
BINE_EXPORT int bine_tls_config_trust_pem(bine_tls_config *, const void *pem, size_t size);
/* Never switch.  Protocols by preference, "h2,http/1.1"; both ends must then have one in common. */
BINE_EXPORT int bine_tls_config_alpn(bine_tls_config *, const char *protocols);
BINE_EXPORT int bine_tls_config_verify(bine_tls_config *, bine_tls_verify);
BINE_EXPORT int bine_tls_config_versions(bine_tls_config *, bine_tls_protocol least, bine_tls_protocol most);
BINE_EXPORT int bine_tls_config_renegotiation(bine_tls_config *, bine_tls_renegotiation);
/* Of servers: clients that ask for this host ("*.example.org" too) get the certificate of other. */
BINE_EXPORT int bine_tls_config_host(bine_tls_config *, const char *host, bine_tls_config *other);
/* Why the last of these failed, in words; and OpenSSL's SSL_CTX. */
BINE_EXPORT const char *bine_tls_config_error(const bine_tls_config *);
BINE_EXPORT void *bine_tls_config_native(bine_tls_config *);

/* ---- Connections ---- */

/* Never switches.  Takes fd over (on failure it stays the caller's).  host: a client's server, by name or
 * address, which its certificate must bear; NULL for a server. */
BINE_EXPORT bine_tls *bine_tls_new(bine_tls_config *, int fd, const char *host);
/* Yields.  bine_dial(), and bine_tls_new() with the host of the address. */
BINE_EXPORT bine_tls *bine_tls_dial(bine_tls_config *, const char *network, const char *address);
/* Yields.  Reads and writes do it where it has not been done.  One that was cut short by a scope goes on at
 * the next call.  EACCES: the certificate is refused; EPROTO, ECONNRESET: see bine_tls_error(). */
BINE_EXPORT int bine_tls_handshake(bine_tls *);
/* Yields.  TLS 1.2: a client shakes hands again; a server asks its client to, which is then done by reads and
 * writes.  EOPNOTSUPP: TLS 1.3, which needs none, or one of the two does not allow it. */
BINE_EXPORT int bine_tls_renegotiate(bine_tls *);

/* Yield.  One task may read and one may write, as with streams.  0: the peer has ended the connection by
 * close_notify; ECONNRESET: it was cut off without. */
BINE_EXPORT ssize_t bine_tls_read(bine_tls *, void *buf, size_t n);
/* All of it.  Less than n, or -1: errno says why, and no more can be written (EPROTO): it is unknown how
 * much the peer has got. */
BINE_EXPORT ssize_t bine_tls_write(bine_tls *, const void *buf, size_t n);
/* Yields.  Sends close_notify: no more will be written.  Reading goes on. */
BINE_EXPORT int bine_tls_shutdown_write(bine_tls *);
/* Never switches.  Sends close_notify if it can at once, closes the descriptor and frees.  EBUSY while a task
 * is inside one of its calls: that task is woken with EBADF; close again afterwards. */
BINE_EXPORT int bine_tls_close(bine_tls *);
/* A stream over the connection, which it takes over.  Its flushes, cut short, can be made again. */
BINE_EXPORT bine_stream *bine_tls_stream(bine_tls *);

/* Never switch.  What went wrong, in words ("certificate expired", "wrong host"); NULL: nothing. */
BINE_EXPORT const char *bine_tls_error(const bine_tls *);
BINE_EXPORT const char *bine_tls_alpn(const bine_tls *);        /* the protocol agreed upon; NULL: none */
BINE_EXPORT const char *bine_tls_version(const bine_tls *);     /* "TLSv1.3" */
BINE_EXPORT const char *bine_tls_server_name(const bine_tls *); /* that the client asked for; NULL: none */
BINE_EXPORT bool bine_tls_resumed(const bine_tls *);            /* by a ticket of an earlier connection */
/* The subject of the peer's certificate, as snprintf(3) does; 0: it has shown none. */
BINE_EXPORT int bine_tls_peer(const bine_tls *, char *name, size_t size);
BINE_EXPORT int bine_tls_fd(const bine_tls *);
BINE_EXPORT void *bine_tls_native(bine_tls *); /* OpenSSL's SSL */

BINE_END_DECLS
#endif
