/* SPDX-License-Identifier: MIT
 *
 * Authorities to trust: files, and the system's.
 *
 * OpenSSL's own way to the system's authorities reads a directory in the middle of a handshake, with the
 * loop standing still.  So they are read from the one file in which every distribution has them too, by
 * bine's calls, when a client that was given none makes its first handshake.  Only where there is no such
 * file OpenSSL looks for itself.
 *
 * A certificate takes some 50 us to read: between batches of them others run. */
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bine/io.h>
#include <bine/task.h>

#include <openssl/err.h>
#include <openssl/pem.h>

enum { FILE_MAX = 16 << 20 /* bytes: the system's authorities are some 200 KiB */, BATCH = 8 /* certificates */ };

/* Where the distributions keep them: Debian, Fedora, SUSE, Alpine and the BSDs. */
static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                      "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

/* ---- Files ------------------------------------------------------------------------------------------- */

static ssize_t read_part(bool task, int fd, char *buf, size_t n)
{
    ssize_t got;

    if (task)
        return bine_read(fd, buf, n);
    do
        got = read(fd, buf, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static char *read_open(bool task, int fd, size_t *size)
{
    char *text = NULL, *larger;
    size_t used = 0, room = 0;
    ssize_t got;

    do {
        if (used == room) {
            room = room ? 2 * room : 16384;
            larger = room > FILE_MAX ? NULL : realloc(text, room);
            if (!larger) {
                free(text);
                errno = room > FILE_MAX ? EFBIG : ENOMEM;
                return NULL;
            }
            text = larger;
        }
        got = read_part(task, fd, text + used, room - used);
        if (got > 0)
            used += (size_t)got;
    } while (got > 0);
    if (got < 0) {
        int error = errno;
        free(text);
        errno = error;
        return NULL;
    }
    *size = used;
    return text;
}

char *bine__tls_read_file(const char *path, size_t *size)
{
    const bool task = bine_self() != NULL;
    char *text;
    int fd, error;

    if (!path) {
        errno = EINVAL;
        return NULL;
    }
    fd = task ? bine_open(path, O_RDONLY | O_CLOEXEC) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    text = read_open(task, fd, size);
    error = errno;
    if (task)
        bine_close(fd);
    else
        close(fd);
    errno = error;
    return text;
}

/* ---- Certificates ------------------------------------------------------------------------------------ */

/* All certificates of the text: how many; -1 with errno.  Yields between batches if it may. */
static int add_all(struct bine_tls_config *config, const void *pem, size_t size, bool may_yield)
{
    X509_STORE *store = SSL_CTX_get_cert_store(config->context);
    BIO *text = size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
    int count = 0, result = -1;
    X509 *certificate;

    if (!text)
        return bine__tls_config_fail(config, "cannot read the authorities");
    ERR_clear_error();
    while ((certificate = PEM_read_bio_X509_AUX(text, NULL, NULL, NULL))) {
        const int added = X509_STORE_add_cert(store, certificate); /* one that it has already is fine */
        X509_free(certificate);
        if (!added)
            break;
        if (++count % BATCH == 0 && may_yield) {
            ERR_clear_error();
            if (bine_yield() != 0)
                goto end;
        }
    }
    if (!certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        result = count; /* the end of the text */
    else
        bine__tls_config_fail(config, "cannot read an authority's certificate");
end:
    BIO_free(text);
    if (result >= 0)
        ERR_clear_error();
    return result;
}

int bine_tls_config_trust_pem(bine_tls_config *config, const void *pem, size_t size)
{
    int count;

    if (!config || !pem) {
        errno = EINVAL;
        return -1;
    }
    count = add_all(config, pem, size, false);
    if (count == 0)
        return bine__tls_config_fail(config, "no certificate among the authorities");
    if (count < 0)
        return -1;
    atomic_store_explicit(&config->trusts, true, memory_order_release);
    bine__tls_sessions_clear(config);
    return 0;
}

int bine_tls_config_trust(bine_tls_config *config, const char *file)
{
    size_t size;
    char *text;
    int result, error;

    if (!config) {
        errno = EINVAL;
        return -1;
    }
    text = bine__tls_read_file(file, &size);
    if (!text)
        return -1;
    result = bine_tls_config_trust_pem(config, text, size);
    error = errno;
    free(text);
    errno = error;
    return result;
}

/* ---- The system's ------------------------------------------------------------------------------------ */

static char *read_bundle(size_t *size)
{
    const char *named = getenv("SSL_CERT_FILE");
    char *text = NULL;

    if (named)
        return bine__tls_read_file(named, size);
    for (size_t i = 0; !text && i < sizeof bundles / sizeof bundles[0]; i++) {
        text = bine__tls_read_file(bundles[i], size);
        if (!text && errno != ENOENT && errno != ENOTDIR)
            break;
    }
    return text;
}

int bine__tls_trust_system(struct bine_tls_config *config)
{
    size_t size;
    char *text;
    int result, error;

    if (config->verify == BINE_TLS_VERIFY_NONE ||
        atomic_load_explicit(&config->trusts, memory_order_acquire)) /* pairs with the stores below */
        return 0;
    text = read_bundle(&size);
    if (!text && errno != ENOENT && errno != ENOTDIR)
        return -1;
    if (text)
        result = add_all(config, text, size, true) >= 0 ? 0 : -1;
    else
        result = SSL_CTX_set_default_verify_paths(config->context) ? 0 : -1;
    error = errno;
    free(text);
    errno = error;
    if (result == 0)
        atomic_store_explicit(&config->trusts, true, memory_order_release);
    return result;
}
