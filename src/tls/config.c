/* SPDX-License-Identifier: MIT
 *
 * Configurations: who one is, whom one trusts, and what is agreed upon.
 *
 * Set up by one task or thread, then shared: OpenSSL's SSL_CTX may be used by many connections of many loops.
 * Connections hold references, so the owner may free it at any time. */
#include "tls/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* ---- Hosts of a server -------------------------------------------------------------------------------- */

/* "*.example.org" stands for one label. */
static bool names(const char *pattern, const char *host)
{
    if (pattern[0] == '*' && pattern[1] == '.') {
        const char *dot = strchr(host, '.');
        return dot && dot > host && strcasecmp(pattern + 1, dot) == 0;
    }
    return strcasecmp(pattern, host) == 0;
}

/* The client has said whom it wants.  An unknown name gets the first certificate, and decides itself.  Its own
 * certificate is judged by the authorities of the server, whichever host it wants. */
static int choose_host(SSL *ssl, int *alert, void *arg)
{
    const struct bine_tls_config *config = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (!host)
        return SSL_TLSEXT_ERR_NOACK;
    for (const struct bine__tls_host *entry = config->hosts; entry; entry = entry->next)
        if (names(entry->name, host)) {
            SSL_set_SSL_CTX(ssl, entry->config->context);
            SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(config->context));
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_OK;
}

/* ---- Make and free ----------------------------------------------------------------------------------- */

static const char session_context[] = "bine"; /* resumption with client certificates demands some name */

/* Never the last: only what RFC 5746 secures. */
#define RENEGOTIATION_OPTIONS                                                                                 \
    (SSL_OP_NO_RENEGOTIATION | SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION)

static void set_up(struct bine_tls_config *config)
{
    SSL_CTX *context = config->context;

    SSL_CTX_set_app_data(context, config);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_clear_options(context, RENEGOTIATION_OPTIONS); /* whatever OpenSSL's own default is */
    /* A write is repeated from wherever its caller's bytes are by then; an idle connection keeps no buffers. */
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)session_context, sizeof session_context - 1);
    if (config->role == BINE_TLS_CLIENT) {
        bine__tls_sessions_on(config);
    } else { /* also where there are no hosts: a name that was not taken is not in a ticket either */
        SSL_CTX_set_tlsext_servername_callback(context, choose_host);
        SSL_CTX_set_tlsext_servername_arg(context, config);
    }
}

bine_tls_config *bine_tls_config_new(bine_tls_role role)
{
    struct bine_tls_config *config;

    if (role != BINE_TLS_CLIENT && role != BINE_TLS_SERVER) {
        errno = EINVAL;
        return NULL;
    }
    config = calloc(1, sizeof *config);
    if (!config)
        return NULL;
    config->context = SSL_CTX_new(role == BINE_TLS_CLIENT ? TLS_client_method() : TLS_server_method());
    if (!config->context || pthread_mutex_init(&config->lock, NULL) != 0) {
        ERR_clear_error();
        SSL_CTX_free(config->context);
        free(config);
        errno = ENOMEM;
        return NULL;
    }
    config->role = role;
    atomic_init(&config->references, 1);
    set_up(config);
    bine_tls_config_verify(config, role == BINE_TLS_CLIENT ? BINE_TLS_VERIFY_REQUIRED : BINE_TLS_VERIFY_NONE);
    return config;
}

void bine__tls_config_ref(struct bine_tls_config *config)
{
    atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
}

void bine_tls_config_free(bine_tls_config *config)
{
    struct bine__tls_host *host;

    /* Acquire and release: who frees has seen all that the others did. */
    if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) > 1)
        return;
    while ((host = config->hosts)) {
        config->hosts = host->next;
        bine_tls_config_free(host->config);
        free(host->name);
        free(host);
    }
    bine__tls_sessions_clear(config);
    pthread_mutex_destroy(&config->lock);
    SSL_CTX_free(config->context);
    free(config->alpn);
    free(config);
}

/* ---- Who one is -------------------------------------------------------------------------------------- */

/* Instead of OpenSSL's own, which would ask at the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static BIO *text_of(const void *pem, size_t size)
{
    return pem && size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
}

/* The certificate, and after it those that lead to its authority. */
static int use_chain(SSL_CTX *context, BIO *text)
{
    X509 *certificate = PEM_read_bio_X509_AUX(text, NULL, no_password, NULL);
    int ok = certificate && SSL_CTX_use_certificate(context, certificate) && SSL_CTX_clear_chain_certs(context);

    X509_free(certificate);
    while (ok && (certificate = PEM_read_bio_X509(text, NULL, no_password, NULL)))
        if (!SSL_CTX_add0_chain_cert(context, certificate)) {
            X509_free(certificate);
            ok = 0;
        }
    if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        ok = 0; /* it ends in something else than the end of the text */
    return ok;
}

int bine_tls_config_certificate_pem(bine_tls_config *config, const void *chain, size_t chain_size,
                                    const void *key, size_t key_size)
{
    BIO *chain_text = text_of(chain, chain_size), *key_text = text_of(key, key_size);
    EVP_PKEY *private_key = NULL;
    int result = -1;

    ERR_clear_error();
    if (!config || !chain || !key) {
        errno = EINVAL;
    } else if (!chain_text || !key_text || !use_chain(config->context, chain_text)) {
        bine__tls_config_fail(config, "cannot read the certificate");
    } else if (ERR_clear_error(), !(private_key = PEM_read_bio_PrivateKey(key_text, NULL, no_password, NULL))) {
        bine__tls_config_fail(config, "cannot read the key");
    } else if (!SSL_CTX_use_PrivateKey(config->context, private_key) ||
               !SSL_CTX_check_private_key(config->context)) {
        bine__tls_config_fail(config, "the key is not the certificate's");
    } else {
        result = 0;
    }
    EVP_PKEY_free(private_key);
    BIO_free(chain_text);
    BIO_free(key_text);
    return result;
}

int bine_tls_config_certificate(bine_tls_config *config, const char *chain_file, const char *key_file)
{
    size_t chain_size, key_size;
    char *chain = bine__tls_read_file(chain_file, &chain_size);
    char *key = chain ? bine__tls_read_file(key_file, &key_size) : NULL;
    int result = -1, error;

    if (key)
        result = bine_tls_config_certificate_pem(config, chain, chain_size, key, key_size);
    error = errno;
    if (key)
        OPENSSL_cleanse(key, key_size);
    free(key);
    free(chain);
    errno = error;
    return result;
}

/* ---- Whom one trusts --------------------------------------------------------------------------------- */

int bine_tls_config_verify(bine_tls_config *config, bine_tls_verify verify)
{
    int mode = SSL_VERIFY_NONE;

    if (!config || verify < BINE_TLS_VERIFY_NONE || verify > BINE_TLS_VERIFY_REQUIRED ||
        (config->role == BINE_TLS_CLIENT && verify == BINE_TLS_VERIFY_OPTIONAL)) {
        errno = EINVAL;
        return -1;
    }
    if (verify != BINE_TLS_VERIFY_NONE)
        mode = SSL_VERIFY_PEER;
    if (verify == BINE_TLS_VERIFY_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(config->context, mode, NULL);
    config->verify = verify;
    bine__tls_sessions_clear(config); /* they were made under other rules */
    return 0;
}

/* ---- What is agreed upon ----------------------------------------------------------------------------- */

int bine_tls_config_versions(bine_tls_config *config, bine_tls_protocol least, bine_tls_protocol most)
{
    if (!config || least > most || least < BINE_TLS_1_2 || most > BINE_TLS_1_3) {
        errno = EINVAL;
        return -1;
    }
    if (!SSL_CTX_set_min_proto_version(config->context, (int)least) ||
        !SSL_CTX_set_max_proto_version(config->context, (int)most))
        return bine__tls_config_fail(config, "no such version of TLS here");
    return 0;
}

int bine_tls_config_renegotiation(bine_tls_config *config, bine_tls_renegotiation who)
{
    if (!config || who < BINE_TLS_RENEGOTIATION_NONE || who > BINE_TLS_RENEGOTIATION_BOTH) {
        errno = EINVAL;
        return -1;
    }
    SSL_CTX_clear_options(config->context, RENEGOTIATION_OPTIONS);
    if (who == BINE_TLS_RENEGOTIATION_NONE)
        SSL_CTX_set_options(config->context, SSL_OP_NO_RENEGOTIATION);
    else if (who == BINE_TLS_RENEGOTIATION_BOTH)
        SSL_CTX_set_options(config->context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    return 0;
}

/* "h2,http/1.1" as a length before each name.  NULL with errno. */
static unsigned char *alpn_of(const char *protocols, unsigned *length)
{
    const size_t size = strlen(protocols) + 1;
    unsigned char *wire = malloc(size), *out = wire;

    if (!wire)
        return NULL;
    for (const char *name = protocols;; name++) {
        const size_t n = strcspn(name, ",");
        if (n == 0 || n > 255 || size > 65535) {
            free(wire);
            errno = EINVAL;
            return NULL;
        }
        *out++ = (unsigned char)n;
        memcpy(out, name, n);
        out += n;
        name += n;
        if (*name == '\0')
            break;
    }
    *length = (unsigned)(out - wire);
    return wire;
}

/* A server's choice: its own preference. */
static int choose(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *offered,
                  unsigned offered_length, void *arg)
{
    const struct bine_tls_config *config = arg;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, length, config->alpn, config->alpn_length, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

int bine_tls_config_alpn(bine_tls_config *config, const char *protocols)
{
    unsigned char *wire;
    unsigned length;

    if (!config || !protocols) {
        errno = EINVAL;
        return -1;
    }
    wire = alpn_of(protocols, &length);
    if (!wire)
        return -1;
    free(config->alpn);
    config->alpn = wire;
    config->alpn_length = length;
    if (config->role == BINE_TLS_SERVER)
        SSL_CTX_set_alpn_select_cb(config->context, choose, config);
    else if (SSL_CTX_set_alpn_protos(config->context, wire, length) != 0)
        return bine__tls_config_fail(config, "cannot set the protocols");
    return 0;
}

int bine_tls_config_host(bine_tls_config *config, const char *host, bine_tls_config *other)
{
    struct bine__tls_host *entry;

    if (!config || !host || *host == '\0' || !other || other == config || config->role != BINE_TLS_SERVER ||
        other->role != BINE_TLS_SERVER || other->hosts) {
        errno = EINVAL;
        return -1;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry || !(entry->name = strdup(host))) {
        free(entry);
        return -1;
    }
    bine__tls_config_ref(other);
    entry->config = other;
    entry->next = config->hosts;
    config->hosts = entry;
    return 0;
}

/* ---- Look -------------------------------------------------------------------------------------------- */

const char *bine_tls_config_error(const bine_tls_config *config)
{
    return config && config->message[0] ? config->message : NULL;
}

void *bine_tls_config_native(bine_tls_config *config)
{
    return config ? config->context : NULL;
}
