/* SPDX-License-Identifier: Apache-2.0 */
/* TLS contexts: what we offer, the certificate and key from their files, and the swap when they are renewed.
 */
#include "net/tls.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

struct tls_server {
    char *certificate_path, *key_path;
    struct secret unlock;
    struct buf client_anchors;
    pthread_mutex_t lock; /* the context: reload may come from another thread than new connections */
    SSL_CTX *context;
};

static void context_free(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_free))) SSL_CTX *

static enum err fail_ssl(struct why *why, enum err err, const char *what, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    enum err result = fail(why, err, "%s %s: %s", what, path, reason ? reason : "libssl gives no reason");
    ERR_clear_error();
    return result;
}

static int unlock_copy(char *to, int size, int writing, void *arg)
{
    (void)writing;
    const struct secret *unlock = arg;
    if (size < 0 || unlock->len > (size_t)size)
        return -1;
    if (unlock->len)
        memcpy(to, unlock->data, unlock->len);
    return (int)unlock->len;
}

/* RFC 8446 4.2.1: supported_versions, where present, is all that counts; otherwise the hello's own version.
 */
static bool hello_is_outdated(SSL *ssl)
{
    const unsigned char *versions;
    size_t len;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &versions, &len))
        return SSL_client_hello_get0_legacy_version(ssl) < TLS1_2_VERSION;
    for (size_t i = 1; i + 1 < len; i += 2) {
        unsigned version = (unsigned)versions[i] << 8 | versions[i + 1];
        /* 0x?A?A are GREASE (RFC 8701), not a version anybody speaks. */
        if (version >= TLS1_2_VERSION && (version & 0x0F0F) != 0x0A0A)
            return false;
    }
    return true;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    if (hello_is_outdated(ssl))
        SSL_set_app_data(ssl, arg); /* any pointer but NULL: libssl itself refuses next */
    return SSL_CLIENT_HELLO_SUCCESS;
}

bool tls_session_is_outdated(const struct ssl_st *session)
{
    return SSL_get_app_data(session) != NULL;
}

/* ECDHE with AEAD only: forward secrecy, and no CBC or RSA key transport to attack. */
static enum err context_offer(SSL_CTX *context, struct why *why)
{
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, FAULT(tls_ciphers) ? "ALL" : "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        return fail_ssl(why, ERR_INTERNAL, "libssl refuses", "our TLS versions and ciphers");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* Idle connections keep no record buffers; writes may be resumed from a buffer that moved. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    /* Devices come once a year: a cache of 20,000 sessions would only be memory for floods to fill. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    static const unsigned char session_context[] = "chancery";
    SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_client_hello_cb(context, on_client_hello, context);
    return OK;
}

/* --- clients' certificates --- */

#define CLIENT_CHAIN_BYTES 16384 /* a leaf and an intermediate or two */

/* A certificate that does not verify is none: a device whose own one has ended must still be able to ask for another. What says so is the
   session's verify result, which a resumed session keeps. */
static int client_verify(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    if (X509_verify_cert(store) != 1 && X509_STORE_CTX_get_error(store) == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    return 1;
}

static bool anchor_add(SSL_CTX *context, const uint8_t **at, const uint8_t *end)
{
    X509 *anchor = d2i_X509(NULL, at, (long)(end - *at));
    bool added = anchor && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), anchor) == 1 &&
                 SSL_CTX_add_client_CA(context, anchor) == 1;
    X509_free(anchor);
    return added;
}

static enum err context_ask(SSL_CTX *context, struct bytes anchors, struct why *why)
{
    const uint8_t *at = anchors.data, *end = anchors.data + anchors.len;
    if (!anchors.len)
        return OK;
    while (at < end) {
        if (!anchor_add(context, &at, end))
            return fail_ssl(why, ERR_KEY, "cannot use", "an anchor of client certificates");
    }
    /* An anchor may be an issuing CA, without the root above it. */
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_BYTES);
    SSL_CTX_set_cert_verify_callback(context, client_verify, NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return OK;
}

bool tls_session_client_cert(const struct ssl_st *session, struct buf *ret_der, const char **ret_refusal)
{
    uint8_t *der = NULL;
    X509 *certificate = SSL_get0_peer_certificate(session);
    long verified = SSL_get_verify_result(session);
    *ret_refusal = certificate && verified != X509_V_OK ? X509_verify_cert_error_string(verified) : NULL;
    if (!certificate || (verified != X509_V_OK && !FAULT(tls_client_verify)))
        return false;
    int len = i2d_X509(certificate, &der);
    if (len <= 0)
        return false;
    buf_append(ret_der, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return true;
}

/* libssl would also take a key that is not encrypted: house rule, private keys on disk are. */
static enum err key_must_be_encrypted(const char *path, struct why *why)
{
    AUTO_WIPE text = { 0 };
    AUTO_WIPE der = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "ENCRYPTED PRIVATE KEY", &der, NULL))
        return fail(why, ERR_KEY, "%s holds no encrypted PKCS#8 private key", path);
    return OK;
}

/* Once, for what libcrypto makes at a key's first use and keeps beside it. */
static bool key_use(EVP_PKEY *key)
{
    uint8_t signature[1024]; /* RSA-8192 */
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(ctx, signature, &len, (const uint8_t *)"probe", 5) == 1;
    EVP_MD_CTX_free(ctx);
    return done;
}

static bool key_load(SSL_CTX *context, const char *path)
{
    secret_heap_keep();
    bool done = SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1 &&
                key_use(SSL_CTX_get0_privatekey(context));
    secret_heap_keep_end();
    return done;
}

static enum err context_load(SSL_CTX *context, struct tls_server *server, struct why *why)
{
    if (SSL_CTX_use_certificate_chain_file(context, server->certificate_path) != 1)
        return fail_ssl(why, ERR_KEY, "cannot use the TLS certificate", server->certificate_path);
    if (!FAULT(tls_key_encrypted))
        TRY(key_must_be_encrypted(server->key_path, why));
    SSL_CTX_set_default_passwd_cb(context, unlock_copy);
    SSL_CTX_set_default_passwd_cb_userdata(context, &server->unlock);
    bool loaded = key_load(context, server->key_path);
    SSL_CTX_set_default_passwd_cb(context, NULL);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (!loaded || SSL_CTX_check_private_key(context) != 1)
        return fail_ssl(why, ERR_KEY, "cannot use the TLS private key", server->key_path);
    return OK;
}

/* A context of its own has ticket keys of its own: what the one before sealed is not resumed here. */
static enum err context_replace(struct tls_server *server, struct bytes anchors, struct why *why)
{
    AUTO_CONTEXT context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return fail_ssl(why, ERR_NO_MEMORY, "cannot make", "a TLS context");
    TRY(context_offer(context, why));
    TRY(context_ask(context, anchors, why));
    TRY(context_load(context, server, why));
    pthread_mutex_lock(&server->lock);
    SSL_CTX *before = server->context; /* lives on in the connections that it made */
    server->context = TAKE(context);
    pthread_mutex_unlock(&server->lock);
    SSL_CTX_free(before);
    return OK;
}

enum err tls_server_reload(struct tls_server *server, struct why *why)
{
    return context_replace(server, buf_bytes(&server->client_anchors), why);
}

enum err tls_server_use(struct tls_server *server, const struct tls_files *files, struct why *why)
{
    char *certificate = server->certificate_path, *key = server->key_path;
    server->certificate_path = xstrdup(files->certificate_path);
    server->key_path = xstrdup(files->key_path);
    enum err err = tls_server_reload(server, why);
    if (err != OK) { /* the next reload reads what is served */
        char *refused = server->certificate_path;
        server->certificate_path = certificate;
        certificate = refused;
        refused = server->key_path;
        server->key_path = key;
        key = refused;
    }
    free(certificate);
    free(key);
    return err;
}

enum err tls_server_trust(struct tls_server *server, struct bytes client_anchors, struct why *why)
{
    if (FAULT(tls_trust))
        return OK;
    TRY(context_replace(server, client_anchors, why));
    buf_clear(&server->client_anchors);
    buf_append(&server->client_anchors, client_anchors);
    return OK;
}

enum err tls_server_new(const struct tls_server_config *config, struct tls_server **ret, struct why *why)
{
    AUTO(tls_server) server = xcalloc(1, sizeof(*server));
    pthread_mutex_init(&server->lock, NULL);
    server->certificate_path = xstrdup(config->certificate_path);
    server->key_path = xstrdup(config->key_path);
    server->unlock = secret_dup(secret_bytes(config->unlock));
    server->client_anchors = buf_dup(config->client_anchors);
    TRY(tls_server_reload(server, why));
    *ret = TAKE(server);
    return OK;
}

void tls_server_free(struct tls_server *server)
{
    if (!server)
        return;
    SSL_CTX_free(server->context);
    secret_free(&server->unlock);
    buf_free(&server->client_anchors);
    pthread_mutex_destroy(&server->lock);
    free(server->certificate_path);
    free(server->key_path);
    free(server);
}

struct ssl_st *tls_server_session(struct tls_server *server)
{
    pthread_mutex_lock(&server->lock);
    SSL *session = SSL_new(server->context);
    pthread_mutex_unlock(&server->lock);
    if (!session)
        die("out of memory: a TLS session");
    return session;
}

int64_t tls_server_not_after(struct tls_server *server)
{
    struct tm end = { 0 };
    pthread_mutex_lock(&server->lock);
    const X509 *certificate = SSL_CTX_get0_certificate(server->context);
    bool known = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    pthread_mutex_unlock(&server->lock);
    if (!known)
        return 0;
    const struct calendar when = { .year = end.tm_year + 1900,
                                   .month = end.tm_mon + 1,
                                   .day = end.tm_mday,
                                   .hour = end.tm_hour,
                                   .minute = end.tm_min,
                                   .second = end.tm_sec };
    return calendar_utc(&when);
}
