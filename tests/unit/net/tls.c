/* SPDX-License-Identifier: Apache-2.0 */
/* TLS contexts: what is offered, whose key is taken, and the swap. Client and server meet in memory. */
#include "net/tls.h"

#include "base/file.h"
#include "tests/unit/test.h"
#include <openssl/ssl.h>
#include <time.h>
#include <unistd.h>

struct set_up {
    char dir[64];
    char *certificate, *key, *other_key;
    struct secret unlock;
    struct tls_server *server;
};

static void shell(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void make_certificate(const struct set_up *s, const char *name)
{
    AUTO_STR command =
        xasprintf("openssl req -x509 -newkey rsa:2048 -sha256 -days 2 -subj /CN=%s -passout file:%s/pass "
                  "-keyout %s -out %s 2>/dev/null",
                  name, s->dir, s->key, s->certificate);
    shell(command);
}

static void set_up(struct set_up *s)
{
    struct why why;
    snprintf(s->dir, sizeof(s->dir), "/tmp/chancery-tls-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->certificate = xasprintf("%s/a.crt.pem", s->dir);
    s->key = xasprintf("%s/a.key.pem", s->dir);
    s->other_key = xasprintf("%s/b.key.pem", s->dir);
    AUTO_STR pass = xasprintf("%s/pass", s->dir);
    ASSERT_OK(file_write(pass, BYTES_LIT("correct horse"), 0400, &why), &why);
    s->unlock = secret_dup(BYTES_LIT("correct horse"));
    make_certificate(s, "first");
    const struct tls_server_config config = { .certificate_path = s->certificate,
                                              .key_path = s->key,
                                              .unlock = &s->unlock };
    ASSERT_OK(tls_server_new(&config, &s->server, &why), &why);
}

static void tear_down(struct set_up *s)
{
    tls_server_free(s->server);
    secret_free(&s->unlock);
    AUTO_STR command = xasprintf("rm -r %s", s->dir);
    shell(command);
    free(s->certificate);
    free(s->key);
    free(s->other_key);
}

struct meeting {
    SSL_CTX *context;
    SSL *client, *server;
    bool asked_for_certificate;
};

static int on_certificate_asked(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    (void)certificate, (void)key;
    *(bool *)SSL_get_app_data(ssl) = true;
    return 0;
}

static void meeting_set_up(struct meeting *m, struct set_up *s, int least, int most)
{
    *m = (struct meeting){ .context = SSL_CTX_new(TLS_client_method()) };
    assert_int_equal(1, SSL_CTX_set_min_proto_version(m->context, least));
    assert_int_equal(1, SSL_CTX_set_max_proto_version(m->context, most));
    SSL_CTX_set_security_level(m->context, 0);
    SSL_CTX_set_client_cert_cb(m->context, on_certificate_asked);
    m->client = SSL_new(m->context);
    SSL_set_app_data(m->client, &m->asked_for_certificate);
    SSL_set_connect_state(m->client);
    m->server = tls_server_session(s->server);
    SSL_set_accept_state(m->server);
    BIO *client_end, *server_end;
    assert_int_equal(1, BIO_new_bio_pair(&client_end, 0, &server_end, 0));
    SSL_set_bio(m->client, client_end, client_end);
    SSL_set_bio(m->server, server_end, server_end);
}

static bool meet(struct meeting *m)
{
    for (int i = 0; i < 20; i++) {
        int client = SSL_do_handshake(m->client), server = SSL_do_handshake(m->server);
        if (client == 1 && server == 1)
            return true;
    }
    return false;
}

static void meeting_end(struct meeting *m)
{
    SSL_free(m->client);
    SSL_free(m->server);
    SSL_CTX_free(m->context);
}

static void assert_peer(struct meeting *m, const char *name)
{
    char text[64] = "";
    X509 *certificate = SSL_get1_peer_certificate(m->client);
    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof(text));
    X509_free(certificate);
    assert_string_equal(name, text);
}

TEST(tls_12_and_13_are_spoken_with_forward_secret_aead_and_no_client_certificate)
{
    struct set_up s;
    set_up(&s);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct meeting m;
        meeting_set_up(&m, &s, version, version);
        assert_true(meet(&m));
        assert_int_equal(version, SSL_version(m.client));
        assert_int_equal(1, SSL_CIPHER_is_aead(SSL_get_current_cipher(m.client)));
        assert_false(m.asked_for_certificate);
        assert_false(tls_session_is_outdated(m.server));
        assert_peer(&m, "first");
        meeting_end(&m);
    }
    tear_down(&s);
}

TEST(tls_10_and_11_are_refused_and_known_as_outdated)
{
    struct set_up s;
    set_up(&s);
    for (int version = TLS1_VERSION; version <= TLS1_1_VERSION; version++) {
        struct meeting m;
        meeting_set_up(&m, &s, version, version);
        assert_false(meet(&m));
        assert_true(tls_session_is_outdated(m.server));
        meeting_end(&m);
    }
    tear_down(&s);
}

TEST(weak_ciphers_are_refused_and_that_is_not_called_outdated)
{
    static const char *const weak[] = { "AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA",
                                        "ECDHE-RSA-AES128-SHA256", "NULL" };
    struct set_up s;
    set_up(&s);
    for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++) {
        struct meeting m;
        meeting_set_up(&m, &s, TLS1_2_VERSION, TLS1_2_VERSION);
        assert_int_equal(1, SSL_set_cipher_list(m.client, weak[i]));
        assert_false(meet(&m));
        assert_false(tls_session_is_outdated(m.server));
        meeting_end(&m);
    }
    tear_down(&s);
}

TEST(renegotiation_is_refused)
{
    struct set_up s;
    set_up(&s);
    struct meeting m;
    char byte;
    meeting_set_up(&m, &s, TLS1_2_VERSION, TLS1_2_VERSION);
    assert_true(meet(&m));
    assert_int_equal(1, SSL_renegotiate(m.client));
    SSL_do_handshake(m.client);
    SSL_read(m.server, &byte, 1);
    assert_true(SSL_do_handshake(m.client) <= 0);
    assert_int_equal(0, SSL_num_renegotiations(m.server));
    meeting_end(&m);
    tear_down(&s);
}

TEST(reload_serves_the_new_certificate_and_keeps_old_connections)
{
    struct set_up s;
    struct why why;
    set_up(&s);
    struct meeting before, after;
    meeting_set_up(&before, &s, TLS1_2_VERSION, TLS1_3_VERSION);
    make_certificate(&s, "second");
    ASSERT_OK(tls_server_reload(s.server, &why), &why);
    assert_true(meet(&before));
    assert_peer(&before, "first");
    meeting_set_up(&after, &s, TLS1_2_VERSION, TLS1_3_VERSION);
    assert_true(meet(&after));
    assert_peer(&after, "second");
    meeting_end(&before);
    meeting_end(&after);
    tear_down(&s);
}

static void assert_reload_fails_and_old_serves(struct set_up *s, enum err err)
{
    struct why why;
    ASSERT_ERR(err, tls_server_reload(s->server, &why), &why);
    struct meeting m;
    meeting_set_up(&m, s, TLS1_2_VERSION, TLS1_3_VERSION);
    assert_true(meet(&m));
    assert_peer(&m, "first");
    meeting_end(&m);
}

TEST(reload_that_fails_keeps_the_old_certificate)
{
    struct set_up s;
    set_up(&s);
    AUTO_STR mismatch =
        xasprintf("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes128 -pass "
                  "file:%s/pass -out %s 2>/dev/null && cp %s %s",
                  s.dir, s.other_key, s.other_key, s.key);
    shell(mismatch);
    assert_reload_fails_and_old_serves(&s, ERR_KEY);
    AUTO_STR plain = xasprintf("openssl pkey -in %s -passin file:%s/pass -out %s.plain && mv %s.plain %s",
                               s.other_key, s.dir, s.key, s.key, s.key);
    shell(plain);
    assert_reload_fails_and_old_serves(&s, ERR_KEY);
    assert_int_equal(0, unlink(s.key));
    assert_reload_fails_and_old_serves(&s, ERR_NOT_FOUND);
    assert_int_equal(0, truncate(s.certificate, 100));
    assert_reload_fails_and_old_serves(&s, ERR_KEY);
    tear_down(&s);
}

/* other_key is not there. */
TEST(other_files_that_cannot_be_used_are_not_read_again)
{
    struct set_up s;
    struct why why;
    set_up(&s);
    const struct tls_files wrong = { s.certificate, s.other_key };
    ASSERT_ERR(ERR_NOT_FOUND, tls_server_use(s.server, &wrong, &why), &why);
    ASSERT_OK(tls_server_trust(s.server, BYTES_NONE, &why), &why); /* reads the files that are in use */
    AUTO_STR moved = xasprintf("mv %s %s", s.key, s.other_key);
    shell(moved);
    ASSERT_OK(tls_server_use(s.server, &wrong, &why), &why);
    ASSERT_OK(tls_server_reload(s.server, &why), &why);
    tear_down(&s);
}

TEST(plain_key_and_wrong_passphrase_are_refused)
{
    struct set_up s;
    struct why why;
    set_up(&s);
    struct tls_server *server = NULL;
    struct secret wrong = secret_dup(BYTES_LIT("correct hors"));
    ASSERT_ERR(ERR_KEY,
               tls_server_new(&(struct tls_server_config){ .certificate_path = s.certificate,
                                                           .key_path = s.key,
                                                           .unlock = &wrong },
                              &server, &why),
               &why);
    assert_non_null(strstr(why.text, s.key));
    assert_null(strstr(why.text, "correct"));
    secret_free(&wrong);
    AUTO_STR plain = xasprintf("openssl pkey -in %s -passin file:%s/pass -out %s", s.key, s.dir, s.other_key);
    shell(plain);
    ASSERT_ERR(ERR_KEY,
               tls_server_new(&(struct tls_server_config){ .certificate_path = s.certificate,
                                                           .key_path = s.other_key,
                                                           .unlock = &s.unlock },
                              &server, &why),
               &why);
    assert_non_null(strstr(why.text, "no encrypted PKCS#8"));
    assert_null(server);
    tear_down(&s);
}

static int64_t days_left(const struct set_up *s)
{
    return (tls_server_not_after(s->server) - (int64_t)time(NULL) + 3600) / 86400;
}

TEST(the_end_of_the_certificate_in_use_is_known)
{
    struct set_up s;
    struct why why;
    set_up(&s);
    assert_int_equal(days_left(&s), 2);
    AUTO_STR command =
        xasprintf("openssl req -x509 -newkey rsa:2048 -sha256 -days 9 -subj /CN=second -passout "
                  "file:%s/pass -keyout %s -out %s 2>/dev/null",
                  s.dir, s.key, s.certificate);
    shell(command);
    assert_int_equal(days_left(&s), 2); /* not in use yet */
    ASSERT_OK(tls_server_reload(s.server, &why), &why);
    assert_int_equal(days_left(&s), 9);
    tear_down(&s);
}

RUN(T(tls_12_and_13_are_spoken_with_forward_secret_aead_and_no_client_certificate),
    T(tls_10_and_11_are_refused_and_known_as_outdated),
    T(weak_ciphers_are_refused_and_that_is_not_called_outdated), T(renegotiation_is_refused),
    T(reload_serves_the_new_certificate_and_keeps_old_connections),
    T(reload_that_fails_keeps_the_old_certificate), T(other_files_that_cannot_be_used_are_not_read_again),
    T(plain_key_and_wrong_passphrase_are_refused), T(the_end_of_the_certificate_in_use_is_known))
