/* SPDX-License-Identifier: MIT
 *
 * Certificates for the tests of TLS, made when they are needed, through OpenSSL's API.
 *
 * Only check_tls*.c include this: they alone are linked with OpenSSL. */
#ifndef TESTS_CERTIFICATES_H
#define TESTS_CERTIFICATES_H

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <bine/tls.h>

#include "support/support.h"

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
    char *chain, *key_text; /* PEM */
};

struct wish {
    const char *name;            /* the subject's common name */
    const char *hosts;           /* "DNS:example.org,IP:127.0.0.1"; NULL: none */
    const struct identity *by;   /* who signs; NULL: itself */
    long from, until;            /* seconds from now; until 0: a day */
    bool authority;
    const char *purpose;         /* "clientAuth"; NULL: any */
};

static inline char *text_of_bio(BIO *bio)
{
    char *data, *text;
    long n = BIO_get_mem_data(bio, &data);

    text = strndup(data, (size_t)n);
    BIO_free(bio);
    return text;
}

static inline void extend(X509 *certificate, const struct identity *by, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, by ? by->certificate : certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    expect(extension);
    expect_int(X509_add_ext(certificate, extension, -1), ==, 1);
    X509_EXTENSION_free(extension);
}

/* .chain and .key_text, anew: the certificate and the key as they are now, in PEM. */
static inline void identity_write(struct identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());

    expect_int(PEM_write_bio_X509(bio, identity->certificate), ==, 1);
    free(identity->chain);
    identity->chain = text_of_bio(bio);
    bio = BIO_new(BIO_s_mem());
    expect_int(PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL), ==, 1);
    free(identity->key_text);
    identity->key_text = text_of_bio(bio);
}

static inline struct identity identity_make(struct wish wish)
{
    static long serial = 1;
    struct identity made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
    X509_NAME *name = X509_get_subject_name(made.certificate);

    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), wish.from ? wish.from : -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), wish.until ? wish.until : 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)wish.name, -1, -1, 0);
    X509_set_issuer_name(made.certificate, wish.by ? X509_get_subject_name(wish.by->certificate) : name);
    X509_set_pubkey(made.certificate, made.key);
    extend(made.certificate, wish.by, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(made.certificate, wish.by, NID_subject_key_identifier, "hash");
    if (wish.hosts)
        extend(made.certificate, wish.by, NID_subject_alt_name, wish.hosts);
    if (wish.purpose)
        extend(made.certificate, wish.by, NID_ext_key_usage, wish.purpose);
    expect_int(X509_sign(made.certificate, wish.by ? wish.by->key : made.key, EVP_sha256()), >, 0);
    identity_write(&made);
    return made;
}

static inline void identity_free(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
    free(identity->chain);
    free(identity->key_text);
}

static inline struct identity authority_make(const char *name)
{
    return identity_make((struct wish){.name = name, .authority = true});
}

static inline void identity_use(bine_tls_config *config, const struct identity *identity)
{
    expect_ok(bine_tls_config_certificate_pem(config, identity->chain, strlen(identity->chain),
                                              identity->key_text, strlen(identity->key_text)));
}

static inline void identity_trust(bine_tls_config *config, const struct identity *identity)
{
    expect_ok(bine_tls_config_trust_pem(config, identity->chain, strlen(identity->chain)));
}

/* Both ends of connections in one test, and what they are set up with: an authority, and a server at
 * "server.test", 127.0.0.1 and "*.wild.test" whom a client trusts through it. */
struct world {
    struct identity authority, server;
    bine_tls_config *server_config, *client_config;
};

static inline struct world world_make(void)
{
    struct world world = {.authority = authority_make("Test Authority")};

    world.server = identity_make((struct wish){
        .name = "server", .hosts = "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1", .by = &world.authority});
    world.server_config = bine_tls_config_new(BINE_TLS_SERVER);
    world.client_config = bine_tls_config_new(BINE_TLS_CLIENT);
    identity_use(world.server_config, &world.server);
    identity_trust(world.client_config, &world.authority);
    return world;
}

static inline void world_free(struct world *world)
{
    bine_tls_config_free(world->server_config);
    bine_tls_config_free(world->client_config);
    identity_free(&world->server);
    identity_free(&world->authority);
}

#endif
