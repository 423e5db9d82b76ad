/* SPDX-License-Identifier: MIT
 *
 * A client's tickets: what servers gave it, so that the next handshake with the same one is short.
 *
 * Each was made under this configuration, so what it demands of a server had been checked; they are kept by
 * the host, whose name was part of that.  One of TLS 1.3 is used once, so that nobody who listens can tell
 * two connections to be the same client's (RFC 8446, appendix C.4).  When there is no room the oldest goes. */
#include "tls/tls.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct bine__tls_session *place)
{
    SSL_SESSION_free(place->session);
    free(place->key);
    *place = (struct bine__tls_session){0};
}

static void keep(struct bine_tls_config *config, const char *key, SSL_SESSION *session)
{
    struct bine__tls_session *place = &config->sessions[0];
    char *copy = strdup(key);

    if (!copy) {
        SSL_SESSION_free(session);
        return;
    }
    pthread_mutex_lock(&config->lock);
    for (int i = 0; i < BINE__TLS_SESSIONS && place->key; i++)
        if (!config->sessions[i].key || config->sessions[i].age < place->age)
            place = &config->sessions[i];
    forget(place);
    *place = (struct bine__tls_session){.key = copy, .session = session, .age = ++config->session_count};
    pthread_mutex_unlock(&config->lock);
}

/* OpenSSL's callback: 1 takes the reference. */
static int made(SSL *ssl, SSL_SESSION *session)
{
    const struct bine_tls *tls = SSL_get_app_data(ssl);

    if (!tls || !tls->key)
        return 0;
    keep(tls->config, tls->key, session);
    return 1;
}

SSL_SESSION *bine__tls_session_take(struct bine_tls_config *config, const char *key)
{
    struct bine__tls_session *newest = NULL;
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&config->lock);
    for (int i = 0; i < BINE__TLS_SESSIONS; i++) {
        struct bine__tls_session *place = &config->sessions[i];
        if (place->key && strcmp(place->key, key) == 0 && (!newest || place->age > newest->age))
            newest = place;
    }
    if (newest) {
        session = newest->session;
        SSL_SESSION_up_ref(session);
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
            forget(newest);
    }
    pthread_mutex_unlock(&config->lock);
    return session;
}

void bine__tls_sessions_clear(struct bine_tls_config *config)
{
    pthread_mutex_lock(&config->lock);
    for (int i = 0; i < BINE__TLS_SESSIONS; i++)
        forget(&config->sessions[i]);
    pthread_mutex_unlock(&config->lock);
}

void bine__tls_sessions_on(struct bine_tls_config *config)
{
    SSL_CTX_set_session_cache_mode(config->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(config->context, made);
}
