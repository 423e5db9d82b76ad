/* SPDX-License-Identifier: MIT
 *
 * What OpenSSL takes for its network: the two buffers of a connection.
 *
 * It reads what has come, and is told to try again where nothing has; what it writes is always taken, and dropped
 * where the peer takes nothing any more.  So no call of OpenSSL waits, and none wants to be repeated because of a
 * write. */
#include "tls/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* for the process, never freed */

/* ---- Buffers ----------------------------------------------------------------------------------------- */

void bine__tls_buffer_free(struct bine__tls_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct bine__tls_buffer){0};
}

/* The buffer is not being written from: it may move. */
static int append(struct bine__tls_buffer *buffer, const void *data, size_t n)
{
    size_t room = buffer->room ? buffer->room : BINE__TLS_SMALL;
    unsigned char *moved;

    if (n > SIZE_MAX / 2 - buffer->used)
        return -1;
    while (room < buffer->used + n)
        room *= 2;
    if (room > buffer->room) {
        moved = realloc(buffer->data, room);
        if (!moved)
            return -1;
        buffer->data = moved;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->used, data, n);
    buffer->used += n;
    return 0;
}

/* ---- The method -------------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *out, size_t n, size_t *got)
{
    struct bine_tls *tls = BIO_get_data(bio);
    struct bine__tls_buffer *in = &tls->in;

    BIO_clear_retry_flags(bio);
    *got = 0;
    if (in->used == 0) {
        if (!tls->end_of_file)
            BIO_set_retry_read(bio);
        return 0;
    }
    *got = n < in->used ? n : in->used;
    memcpy(out, in->data + in->start, *got);
    in->start += *got;
    in->used -= *got;
    return 1;
}

static int bio_write(BIO *bio, const char *data, size_t n, size_t *written)
{
    struct bine_tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *written = 0;
    if (!tls->refused && append(&tls->pending, data, n) != 0)
        return 0;
    *written = n;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    const struct bine_tls *tls = BIO_get_data(bio);

    (void)number, (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1; /* the connection's calls do */
    case BIO_CTRL_EOF:
        return tls->end_of_file && tls->in.used == 0;
    default:
        return 0;
    }
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bine");
    if (!method || !BIO_meth_set_read_ex(method, bio_read) || !BIO_meth_set_write_ex(method, bio_write) ||
        !BIO_meth_set_ctrl(method, bio_ctrl)) {
        BIO_meth_free(method);
        method = NULL;
    }
}

BIO *bine__tls_bio(struct bine_tls *tls)
{
    BIO *bio;

    pthread_once(&method_once, make_method);
    bio = method ? BIO_new(method) : NULL;
    if (!bio) {
        errno = ENOMEM;
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    return bio;
}
