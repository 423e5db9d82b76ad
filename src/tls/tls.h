/* SPDX-License-Identifier: MIT
 *
 * Inside libbine-tls: what a configuration and a connection are.
 *
 * This library uses the public calls of libbine and nothing else of it.
 *
 * OpenSSL never waits here.  It reads from and writes to two buffers of the connection (bio.c); what has to
 * be waited for is waited for outside of it (transfer.c).  Calling bine_recv() from within OpenSSL would be
 * shorter, and wrong: while one task is parked in SSL_read() another may write to the same SSL, which may be
 * entered only once; and the error queue is the thread's, so that two tasks in the middle of two handshakes
 * would read each other's errors.  As it is, between entering OpenSSL and having read its error queue nothing
 * switches. */
#ifndef BINE_TLS_TLS_H
#define BINE_TLS_TLS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include <bine/sync.h>
#include <bine/tls.h>

enum {
    BINE__TLS_SMALL = 512,       /* bytes an idle connection reads into: most requests fit */
    BINE__TLS_LARGE = 32 * 1024, /* bytes read into while they come in bulk: about two records */
    BINE__TLS_PIECE = 32 * 1024, /* bytes encrypted before they are sent */
    BINE__TLS_UNTAKEN = 64 * 1024, /* bytes of answers that wait while a reader goes on */
    BINE__TLS_MESSAGE = 160,
    BINE__TLS_MAGIC = 0x746c7321,
    BINE__TLS_CLOSED = 0x746c7300
};

/* ---- Configurations (config.c, trust.c, session.c) --------------------------------------------------- */

struct bine__tls_host {
    char *name;
    struct bine_tls_config *config;
    struct bine__tls_host *next;
};

struct bine__tls_session {
    char *key; /* whom it was made with; NULL: the place is free */
    SSL_SESSION *session;
    uint64_t age;
};
enum { BINE__TLS_SESSIONS = 32 /* a client's tickets: two a server, as TLS 1.3 gives them */ };

struct bine_tls_config {
    _Atomic unsigned references; /* the owner's and the connections' */
    bine_tls_role role;
    bine_tls_verify verify;
    SSL_CTX *context;
    _Atomic bool trusts; /* authorities have been loaded */
    unsigned char *alpn; /* as on the wire; NULL: none */
    unsigned alpn_length;
    struct bine__tls_host *hosts;
    pthread_mutex_t lock; /* of the sessions: never held across a switch */
    struct bine__tls_session sessions[BINE__TLS_SESSIONS];
    uint64_t session_count; /* made so far */
    char message[BINE__TLS_MESSAGE];
};

void bine__tls_config_ref(struct bine_tls_config *);
/* Loads the system's authorities unless there are any.  Yields.  0, or -1 with errno. */
int bine__tls_trust_system(struct bine_tls_config *);
/* A whole file, to be freed; NULL with errno.  Yields inside a loop. */
char *bine__tls_read_file(const char *path, size_t *size);

void bine__tls_sessions_on(struct bine_tls_config *);
void bine__tls_sessions_clear(struct bine_tls_config *);
/* One that the other end may still know, or NULL; the caller frees it. */
SSL_SESSION *bine__tls_session_take(struct bine_tls_config *, const char *key);

/* ---- Connections (connection.c, transfer.c, renegotiate.c, bio.c) ------------------------------------- */

struct bine__tls_buffer {
    unsigned char *data;
    size_t start, used, room;
};

struct bine_tls {
    uint32_t magic;
    int fd; /* -1: closed */
    struct bine_tls_config *config;
    SSL *ssl;
    char *key; /* under which a client's tickets are kept; NULL: not at all */
    bool established;
    bool reading, writing; /* a task is inside */
    bool end_of_file;      /* the peer has closed its side, below TLS */
    bool ended;            /* it has sent close_notify */
    bool shut;             /* so have we */
    bool cut;              /* a write was cut short: what the peer has got is unknown */
    bool refused;          /* the peer takes nothing any more; what it has sent before can still be read */
    bool bulk;             /* the last read filled its buffer */
    unsigned inside;       /* tasks in yielding calls */
    unsigned answered;     /* calls since the last that went to the kernel */
    uint64_t receipts;     /* how often something came */
    struct bine__tls_buffer in;      /* not yet read by OpenSSL; in small or in memory of its own */
    struct bine__tls_buffer sending; /* being written: does not move */
    struct bine__tls_buffer pending; /* to be written after that */
    struct bine__tls_buffer laid_by; /* for the next read: what came while a writer renegotiated */
    bine_event room;                 /* some of it has been taken */
    bine_mutex receive, send, handshake;
    int error; /* every further call fails so; 0: it works */
    char message[BINE__TLS_MESSAGE];
    char protocol[256]; /* ALPN's, once it has been asked for */
    unsigned char small[BINE__TLS_SMALL];
};

/* NULL with errno. */
BIO *bine__tls_bio(struct bine_tls *);
/* What OpenSSL wrote and nobody has sent yet. */
static inline bool bine__tls_unsent(const struct bine_tls *tls)
{
    return tls->sending.used > 0 || tls->pending.used > 0;
}
void bine__tls_buffer_free(struct bine__tls_buffer *);

/* Sends as much as goes at once, and never switches. */
void bine__tls_send_at_once(struct bine_tls *);
/* Writes as bine_tls_write() does, but counts what has been taken over, to be sent by this or a later call. */
ssize_t bine__tls_write_over(struct bine_tls *, const void *buf, size_t n);

/* OpenSSL has returned this, and nothing has switched since: waits for what it lacks.  0: try again; -1 with
 * errno.  A reader does not wait for room to send. */
int bine__tls_provide(struct bine_tls *, int returned, bool reader);
/* Carries a renegotiation to its end, if one is under way.  Yields.  0, or -1 with errno. */
int bine__tls_go_through(struct bine_tls *);
/* Begins one: a server's has then been asked for, a client's is done.  Yields. */
int bine__tls_ask(struct bine_tls *);
/* Bytes that came while a writer renegotiated; they are older than any others. */
size_t bine__tls_take_laid_by(struct bine_tls *, void *buf, size_t n);

/* -1 with errno: it is none, closed, or has failed. */
int bine__tls_check(const struct bine_tls *);

/* ---- Errors (error.c) --------------------------------------------------------------------------------- */

/* After an OpenSSL call on the connection has failed for good: keeps the reason, empties the error queue,
 * and returns -1 with errno. */
int bine__tls_fail(struct bine_tls *);
/* The connection beneath failed with this errno value: kept if it is for good.  -1 with errno. */
int bine__tls_fail_beneath(struct bine_tls *, int error);
/* The same for a configuration: EINVAL, with OpenSSL's words behind ours. */
int bine__tls_config_fail(struct bine_tls_config *, const char *what);

#endif
