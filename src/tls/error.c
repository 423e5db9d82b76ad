/* SPDX-License-Identifier: MIT
 *
 * Why a connection failed: an errno value for programs, words for people.
 *
 * EACCES: we refuse the peer's certificate.  EPROTO: anything else that TLS forbids, and the peer's alerts.
 * ECONNRESET: the connection ended where it may not.  The words for certificates are ours, so that they stay the
 * same from one version of OpenSSL to the next. */
#include "tls/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bine/scope.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

static const char *certificate_error(long code)
{
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "certificate expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "certificate not yet valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self-signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "unknown authority";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "wrong host";
    case X509_V_ERR_CERT_REVOKED:
        return "certificate revoked";
    case X509_V_ERR_INVALID_PURPOSE:
        return "certificate for another purpose";
    default:
        return X509_verify_cert_error_string(code);
    }
}

/* OpenSSL 3.0 does not know the names of some that came with TLS 1.3. */
static const char *alert_name(int alert)
{
    switch (alert) {
    case SSL_AD_MISSING_EXTENSION:
        return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "certificate required";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

static int fail(struct bine_tls *tls, int error, const char *prefix, const char *words)
{
    tls->error = error;
    snprintf(tls->message, sizeof tls->message, "%s%s", prefix, words ? words : "unknown error");
    ERR_clear_error();
    errno = error;
    return -1;
}

int bine__tls_fail(struct bine_tls *tls)
{
    const unsigned long code = ERR_peek_error();
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    const bool out_of_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return fail(tls, EACCES, "", certificate_error(SSL_get_verify_result(tls->ssl)));
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return fail(tls, EACCES, "", "no certificate");
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || (code == 0 && tls->end_of_file))
        return fail(tls, ECONNRESET, "",
                    tls->established ? "truncated: the peer closed without close_notify"
                                     : "the peer closed during the handshake");
    if (reason == SSL_R_NO_APPLICATION_PROTOCOL)
        return fail(tls, EPROTO, "", "no application protocol in common");
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
        return fail(tls, EPROTO, "the peer's alert: ", alert_name(reason - SSL_AD_REASON_OFFSET));
    if (out_of_memory)
        return fail(tls, ENOMEM, "", "out of memory");
    return fail(tls, EPROTO, "", ERR_reason_error_string(code));
}

int bine__tls_fail_beneath(struct bine_tls *tls, int error)
{
    errno = error;
    /* What may pass: a scope's end, a lack of memory; and a close, after which there is nothing to keep. */
    if (error == ECANCELED || error == ENOMEM || error == EBADF || error == EPERM || error == EDEADLK ||
        (error == ETIMEDOUT && bine_cancelled()))
        return -1;
    if (tls->error == 0) {
        tls->error = error;
        snprintf(tls->message, sizeof tls->message, "%s", strerror(error));
    }
    errno = error;
    return -1;
}

int bine__tls_config_fail(struct bine_tls_config *config, const char *what)
{
    const unsigned long code = ERR_peek_error();
    const char *words = code ? ERR_reason_error_string(code) : NULL;

    snprintf(config->message, sizeof config->message, "%s%s%s", what, words ? ": " : "", words ? words : "");
    ERR_clear_error();
    errno = EINVAL;
    return -1;
}
