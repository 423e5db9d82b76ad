/* SPDX-License-Identifier: MIT
 *
 * Connections: making and closing them, what is known of them, and streams over them.  What moves bytes is
 * transfer.c.
 *
 * One that is closed while a task is inside lives on until that task has left: its descriptor is closed at
 * once, which wakes the task with EBADF, and the close that frees comes afterwards. */
#include "tls/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <bine/io.h>
#include <bine/net.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* ---- Make -------------------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    unsigned char room[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

/* Whom a client expects: by name, which the server is told too, or by address.  The dot that ends a complete name is
 * the resolver's: neither certificates nor what the server is told have it (RFC 6066). */
static int expect_host(SSL *ssl, const char *host)
{
    char name[TLSEXT_MAXLEN_host_name + 1];
    size_t length = strlen(host);

    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    if (length > 1 && host[length - 1] == '.')
        length--;
    memcpy(name, host, length);
    name[length] = '\0';
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

static int prepare_client(struct bine_tls *tls, const char *host, const char *key)
{
    SSL_SESSION *session;

    SSL_set_connect_state(tls->ssl);
    if (host && !expect_host(tls->ssl, host))
        return -1;
    if (!key)
        return 0;
    tls->key = strdup(key);
    if (!tls->key)
        return -1;
    session = bine__tls_session_take(tls->config, key);
    if (session) { /* without it there is only more to do */
        (void)SSL_set_session(tls->ssl, session);
        SSL_SESSION_free(session);
    }
    return 0;
}

static int prepare(struct bine_tls *tls, const char *host, const char *key)
{
    BIO *bio;

    tls->ssl = SSL_new(tls->config->context);
    bio = tls->ssl ? bine__tls_bio(tls) : NULL;
    if (!bio)
        return -1;
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    if (tls->config->role == BINE_TLS_CLIENT)
        return prepare_client(tls, host, key);
    SSL_set_accept_state(tls->ssl);
    return 0;
}

static void destroy(struct bine_tls *tls)
{
    SSL_free(tls->ssl);
    bine__tls_buffer_free(&tls->sending);
    bine__tls_buffer_free(&tls->pending);
    bine__tls_buffer_free(&tls->laid_by);
    if (tls->in.data != tls->small)
        free(tls->in.data);
    free(tls->key);
    bine_tls_config_free(tls->config);
    tls->magic = BINE__TLS_CLOSED;
    free(tls);
}

static bine_tls *make(bine_tls_config *config, int fd, const char *host, const char *key)
{
    const bool client = config && config->role == BINE_TLS_CLIENT;
    struct bine_tls *tls;

    /* A client that checks must know whom it expects. */
    if (!config || (!client && host) || (client && !host && config->verify != BINE_TLS_VERIFY_NONE) ||
        (host && (*host == '\0' || strlen(host) > TLSEXT_MAXLEN_host_name))) {
        errno = EINVAL;
        return NULL;
    }
    if (fcntl(fd, F_GETFD) < 0)
        return NULL;
    tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->magic = BINE__TLS_MAGIC;
    tls->fd = fd;
    tls->config = config;
    bine__tls_config_ref(config);
    bine_mutex_init(&tls->receive);
    bine_mutex_init(&tls->send);
    bine_mutex_init(&tls->handshake);
    bine_event_init(&tls->room);
    if (prepare(tls, host, key) != 0) {
        ERR_clear_error();
        destroy(tls);
        errno = ENOMEM;
        return NULL;
    }
    return tls;
}

bine_tls *bine_tls_new(bine_tls_config *config, int fd, const char *host)
{
    return make(config, fd, host, host);
}

/* The host of "host:port", without brackets and zone, to be freed; NULL with errno. */
static char *host_of(const char *address)
{
    const bool bracketed = *address == '[';
    const char *begin = address + bracketed;
    const size_t length = strcspn(begin, bracketed ? "]%" : ":");

    if (length == 0)
        return strdup("localhost"); /* whom bine_dial() connects to then */
    return strndup(begin, length);
}

bine_tls *bine_tls_dial(bine_tls_config *config, const char *network, const char *address)
{
    struct bine_tls *tls = NULL;
    char *host;
    int fd, error;

    if (!config || config->role != BINE_TLS_CLIENT || !network || !address || strncmp(network, "tcp", 3) != 0) {
        errno = EINVAL;
        return NULL;
    }
    host = host_of(address);
    if (!host)
        return NULL;
    fd = bine_dial(network, address);
    if (fd >= 0)
        tls = make(config, fd, host, address);
    error = errno;
    if (fd >= 0 && !tls)
        bine_close(fd);
    free(host);
    errno = error;
    return tls;
}

/* ---- Look -------------------------------------------------------------------------------------------- */

int bine__tls_check(const struct bine_tls *tls)
{
    if (!tls || tls->magic != BINE__TLS_MAGIC)
        errno = EINVAL;
    else if (tls->fd < 0)
        errno = EBADF;
    else if (tls->error)
        errno = tls->error;
    else
        return 0;
    return -1;
}

static bool is_one(const struct bine_tls *tls)
{
    return tls && tls->magic == BINE__TLS_MAGIC;
}

const char *bine_tls_error(const bine_tls *tls)
{
    return is_one(tls) && tls->message[0] ? tls->message : NULL;
}

/* In a string of the connection's own: on the wire it has no NUL. */
const char *bine_tls_alpn(const bine_tls *tls)
{
    const unsigned char *name = NULL;
    unsigned length = 0;

    if (!is_one(tls) || !tls->established)
        return NULL;
    SSL_get0_alpn_selected(tls->ssl, &name, &length);
    if (!name || length >= sizeof tls->protocol)
        return NULL;
    memcpy((char *)(uintptr_t)tls->protocol, name, length); /* a cache of what cannot change */
    return tls->protocol;
}

const char *bine_tls_version(const bine_tls *tls)
{
    return is_one(tls) && tls->established ? SSL_get_version(tls->ssl) : NULL;
}

const char *bine_tls_server_name(const bine_tls *tls)
{
    return is_one(tls) ? SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
}

bool bine_tls_resumed(const bine_tls *tls)
{
    return is_one(tls) && tls->established && SSL_session_reused(tls->ssl);
}

int bine_tls_peer(const bine_tls *tls, char *name, size_t size)
{
    X509 *certificate = is_one(tls) ? SSL_get0_peer_certificate(tls->ssl) : NULL;
    BIO *text = certificate ? BIO_new(BIO_s_mem()) : NULL;
    char *begin;
    long length = 0;

    if (name && size > 0)
        *name = '\0';
    if (text && X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        length = BIO_get_mem_data(text, &begin);
        if (name && size > 0) {
            const size_t n = (size_t)length < size ? (size_t)length : size - 1;
            memcpy(name, begin, n);
            name[n] = '\0';
        }
    }
    BIO_free(text);
    return (int)length;
}

int bine_tls_fd(const bine_tls *tls)
{
    if (is_one(tls) && tls->fd >= 0)
        return tls->fd;
    errno = is_one(tls) ? EBADF : EINVAL;
    return -1;
}

void *bine_tls_native(bine_tls *tls)
{
    return is_one(tls) ? tls->ssl : NULL;
}

/* ---- Close ------------------------------------------------------------------------------------------- */

/* If it goes at once.  After a write that was cut short the peer must not take this for a proper end. */
static void say_goodbye(struct bine_tls *tls)
{
    if (tls->established && !tls->shut && !tls->cut && tls->error == 0) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
    bine__tls_send_at_once(tls);
}

int bine_tls_close(bine_tls *tls)
{
    int fd, result = 0;

    if (!is_one(tls)) {
        errno = EINVAL;
        return -1;
    }
    if (tls->fd >= 0 && tls->inside == 0)
        say_goodbye(tls);
    fd = tls->fd;
    tls->fd = -1;
    if (fd >= 0)
        result = bine_close(fd);
    if (tls->inside > 0) {
        bine_event_set(&tls->room);
        errno = EBUSY;
        return -1;
    }
    destroy(tls);
    return result;
}

/* ---- Streams ----------------------------------------------------------------------------------------- */

static ssize_t stream_read(void *object, void *buf, size_t n)
{
    return bine_tls_read(object, buf, n);
}

static ssize_t stream_write(void *object, const void *buf, size_t n)
{
    return bine__tls_write_over(object, buf, n);
}

static int stream_shutdown(void *object)
{
    return bine_tls_shutdown_write(object);
}

static int stream_close(void *object)
{
    return bine_tls_close(object);
}

static int stream_fd(void *object)
{
    return bine_tls_fd(object);
}

static const bine_transport transport = {stream_read, stream_write, stream_shutdown, stream_close, stream_fd};

bine_stream *bine_tls_stream(bine_tls *tls)
{
    if (!is_one(tls)) {
        errno = EINVAL;
        return NULL;
    }
    return bine_stream_over(&transport, tls);
}
