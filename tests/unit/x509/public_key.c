/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys against OpenSSL's: read, verify and encrypt in both directions, and the shapes that are refused. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "x509/key.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>

static struct why why;
static const struct {
    enum key_kind kind;
    const char *group;
    int bits;
} kinds[] = { { KEY_RSA, NULL, 2048 },
              { KEY_EC_P256, "P-256", 256 },
              { KEY_EC_P384, "P-384", 384 },
              { KEY_EC_P521, "P-521", 521 } };

static EVP_PKEY *generate(const char *group)
{
    EVP_PKEY *pkey = group ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", group)
                           : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    assert_non_null(pkey);
    return pkey;
}

static struct buf openssl_spki(EVP_PKEY *pkey)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    assert_true(len > 0);
    struct buf spki = buf_dup(bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return spki;
}

static struct buf openssl_sign(EVP_PKEY *pkey, const char *digest, struct bytes data, bool pss)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params;
    struct buf signature = { 0 };
    size_t len = 1024;
    buf_reserve(&signature, len);
    assert_int_equal(1, EVP_DigestSignInit_ex(ctx, &params, digest, NULL, NULL, pkey, NULL));
    if (pss)
        assert_int_equal(1, EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING));
    assert_int_equal(1, EVP_DigestSign(ctx, signature.data, &len, data.data, data.len));
    signature.len = len;
    EVP_MD_CTX_free(ctx);
    return signature;
}

static struct public_key *parsed(EVP_PKEY *pkey)
{
    AUTO_BUF spki = openssl_spki(pkey);
    struct public_key *key = NULL;
    ASSERT_OK(public_key_parse(buf_bytes(&spki), &key, &why), &why);
    return key;
}

static enum err parse_hex(const char *hex)
{
    AUTO_BUF der = { 0 };
    assert_true(hex_decode(bytes_str(hex), &der));
    struct public_key *key = NULL;
    enum err err = public_key_parse(buf_bytes(&der), &key, &why);
    public_key_free(key);
    return err;
}

TEST(openssl_s_keys_are_read)
{
    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY *pkey = generate(kinds[i].group);
        AUTO_BUF spki = openssl_spki(pkey);
        AUTO(public_key) key = parsed(pkey);
        assert_int_equal(kinds[i].kind, public_key_kind(key));
        assert_int_equal(kinds[i].bits, public_key_bits(key));
        ASSERT_BYTES(buf_bytes(&spki), public_key_spki(key));
        EVP_PKEY_free(pkey);
    }
}

static const char *const openssl_digests[] = { NULL, "SHA1", "SHA256", "SHA384", "SHA512" };

TEST(openssl_s_signatures_verify_and_altered_ones_do_not)
{
    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY *pkey = generate(kinds[i].group);
        AUTO(public_key) key = parsed(pkey);
        for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
            struct signature_algorithm algorithm = { kinds[i].kind == KEY_RSA, d };
            AUTO_BUF signature = openssl_sign(pkey, openssl_digests[d], BYTES_LIT("data"), false);
            struct bytes view = buf_bytes(&signature);
            ASSERT_OK(public_key_verify(key, algorithm, BYTES_LIT("data"), view, &why), &why);
            ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
                       public_key_verify(key, algorithm, BYTES_LIT("dato"), view, &why), &why);
            signature.data[signature.len - 1] ^= 1;
            ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
                       public_key_verify(key, algorithm, BYTES_LIT("data"), view, &why), &why);
        }
        EVP_PKEY_free(pkey);
    }
}

TEST(signatures_of_another_length_or_with_trailing_bytes_do_not_verify)
{
    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY *pkey = generate(kinds[i].group);
        AUTO(public_key) key = parsed(pkey);
        struct signature_algorithm algorithm = { kinds[i].kind == KEY_RSA, DIGEST_SHA256 };
        AUTO_BUF signature = openssl_sign(pkey, "SHA256", BYTES_LIT("data"), false);
        struct bytes cut = bytes_of(signature.data, signature.len - 1);
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, public_key_verify(key, algorithm, BYTES_LIT("data"), cut, &why),
                   &why);
        buf_append_byte(&signature, 0);
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
                   public_key_verify(key, algorithm, BYTES_LIT("data"), buf_bytes(&signature), &why), &why);
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
                   public_key_verify(key, algorithm, BYTES_LIT("data"), BYTES_NONE, &why), &why);
        EVP_PKEY_free(pkey);
    }
}

TEST(algorithm_and_key_must_be_of_one_kind)
{
    EVP_PKEY *rsa = generate(NULL), *ec = generate("P-256");
    AUTO(public_key) rsa_key = parsed(rsa);
    AUTO(public_key) ec_key = parsed(ec);
    AUTO_BUF signature = openssl_sign(rsa, "SHA256", BYTES_LIT("data"), false);
    struct signature_algorithm with_rsa = { true, DIGEST_SHA256 }, with_ec = { false, DIGEST_SHA256 };
    ASSERT_ERR(ERR_BAD_ALG,
               public_key_verify(ec_key, with_rsa, BYTES_LIT("data"), buf_bytes(&signature), &why), &why);
    ASSERT_ERR(ERR_BAD_ALG,
               public_key_verify(rsa_key, with_ec, BYTES_LIT("data"), buf_bytes(&signature), &why), &why);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

TEST(pss_and_another_hash_do_not_verify)
{
    EVP_PKEY *pkey = generate(NULL);
    AUTO(public_key) key = parsed(pkey);
    struct signature_algorithm algorithm = { true, DIGEST_SHA256 };
    AUTO_BUF pss = openssl_sign(pkey, "SHA256", BYTES_LIT("data"), true);
    AUTO_BUF sha512 = openssl_sign(pkey, "SHA512", BYTES_LIT("data"), false);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
               public_key_verify(key, algorithm, BYTES_LIT("data"), buf_bytes(&pss), &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK,
               public_key_verify(key, algorithm, BYTES_LIT("data"), buf_bytes(&sha512), &why), &why);
    EVP_PKEY_free(pkey);
}

static struct buf openssl_decrypt(EVP_PKEY *pkey, struct bytes in, enum transport transport,
                                  const struct oaep *oaep)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    struct buf plain = { 0 };
    size_t len = 1024;
    buf_reserve(&plain, len);
    assert_int_equal(1, EVP_PKEY_decrypt_init(ctx));
    if (transport == TRANSPORT_OAEP) {
        assert_int_equal(1, EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING));
        assert_int_equal(1, EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, openssl_digests[oaep->digest], NULL));
        assert_int_equal(1, EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, openssl_digests[oaep->mgf_digest], NULL));
    }
    assert_int_equal(1, EVP_PKEY_decrypt(ctx, plain.data, &len, in.data, in.len));
    plain.len = len;
    EVP_PKEY_CTX_free(ctx);
    return plain;
}

TEST(openssl_decrypts_what_is_encrypted)
{
    EVP_PKEY *pkey = generate(NULL);
    AUTO(public_key) key = parsed(pkey);
    AUTO_BUF sealed = { 0 };
    ASSERT_OK(
        public_key_encrypt(key, TRANSPORT_PKCS1_V15, NULL, BYTES_LIT("0123456789abcdef"), &sealed, &why),
        &why);
    assert_int_equal(256, sealed.len);
    AUTO_BUF plain = openssl_decrypt(pkey, buf_bytes(&sealed), TRANSPORT_PKCS1_V15, NULL);
    ASSERT_BYTES(buf_bytes(&plain), BYTES_LIT("0123456789abcdef"));
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
        for (enum digest m = DIGEST_SHA1; m <= DIGEST_SHA512; m++) {
            struct oaep oaep = { d, m };
            AUTO_BUF oaep_sealed = { 0 };
            ASSERT_OK(public_key_encrypt(key, TRANSPORT_OAEP, &oaep, BYTES_LIT("cek"), &oaep_sealed, &why),
                      &why);
            AUTO_BUF back = openssl_decrypt(pkey, buf_bytes(&oaep_sealed), TRANSPORT_OAEP, &oaep);
            ASSERT_BYTES(buf_bytes(&back), BYTES_LIT("cek"));
        }
    }
    EVP_PKEY_free(pkey);
}

TEST(what_is_encrypted_fits_to_the_octet)
{
    EVP_PKEY *rsa = generate(NULL), *ec = generate("P-256");
    AUTO(public_key) key = parsed(rsa);
    AUTO(public_key) ec_key = parsed(ec);
    static const uint8_t plain[256];
    struct oaep oaep = { DIGEST_SHA256, DIGEST_SHA256 };
    AUTO_BUF a = { 0 }, b = { 0 };
    struct buf none = { 0 };
    ASSERT_OK(public_key_encrypt(key, TRANSPORT_PKCS1_V15, NULL, bytes_of(plain, 245), &a, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG,
               public_key_encrypt(key, TRANSPORT_PKCS1_V15, NULL, bytes_of(plain, 246), &none, &why), &why);
    ASSERT_OK(public_key_encrypt(key, TRANSPORT_OAEP, &oaep, bytes_of(plain, 190), &b, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, public_key_encrypt(key, TRANSPORT_OAEP, &oaep, bytes_of(plain, 191), &none, &why),
               &why);
    ASSERT_ERR(ERR_BAD_ALG,
               public_key_encrypt(ec_key, TRANSPORT_PKCS1_V15, NULL, bytes_of(plain, 16), &none, &why), &why);
    assert_null(none.data);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

#define EC_HEAD "3059301306072a8648ce3d020106082a8648ce3d030107034200"
#define G_X     "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define G_Y     "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define P256_P  "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define ZERO32  "0000000000000000000000000000000000000000000000000000000000000000"

TEST(ec_points_are_uncompressed_and_on_the_curve)
{
    ASSERT_OK(parse_hex(EC_HEAD "04" G_X G_Y), &why);
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "04" G_Y G_X), &why);
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "04" ZERO32 ZERO32), &why);
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "04" P256_P G_Y), &why); /* x is not below p */
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "06" G_X G_Y), &why);    /* hybrid form */
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "07" G_X G_Y), &why);    /* the one that OpenSSL would take */
    ASSERT_ERR(ERR_MALFORMED, parse_hex(EC_HEAD "00" G_X G_Y), &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("3039301306072a8648ce3d020106082a8648ce3d030107032200"
                         "03" G_X),
               &why); /* compressed */
    ASSERT_ERR(ERR_MALFORMED, parse_hex("3019301306072a8648ce3d020106082a8648ce3d03010703020000"),
               &why); /* infinity */
    ASSERT_ERR(ERR_MALFORMED, parse_hex("3018301306072a8648ce3d020106082a8648ce3d030107030100"), &why);
}

TEST(other_curves_and_explicit_ones_are_refused)
{
    /* P-192 with its base point */
    ASSERT_ERR(ERR_WEAK_KEY,
               parse_hex("3049301306072a8648ce3d020106082a8648ce3d030101033200"
                         "04188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012"
                         "07192b95ffc8da78631011ed6b24cdd573f977a11e794811"),
               &why);
    assert_non_null(strstr(why.text, "1.2.840.10045.3.1.1"));
    ASSERT_ERR(ERR_WEAK_KEY,
               parse_hex("301630100607"
                         "2a8648ce3d0201"
                         "0605"
                         "2b8104000a"
                         "03020004"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("3011300b0607"
                         "2a8648ce3d0201"
                         "0500"
                         "03020004"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("3011300b0607"
                         "2a8648ce3d0201"
                         "3000"
                         "03020004"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("300f30090607"
                         "2a8648ce3d0201"
                         "03020004"),
               &why);
}

TEST(other_kinds_of_keys_are_refused_by_name)
{
    ASSERT_ERR(ERR_BAD_ALG, parse_hex("302a300506032b6570032100" ZERO32), &why); /* Ed25519 */
    assert_non_null(strstr(why.text, "1.3.101.112"));
    ASSERT_ERR(ERR_BAD_ALG, parse_hex("3011300b06092a864886f70d01010a03020000"), &why); /* PSS */
}

TEST(rsa_keys_are_strict)
{
    EVP_PKEY *pkey = generate(NULL);
    AUTO_BUF spki = openssl_spki(pkey);
    struct public_key *key = NULL;
    buf_append_byte(&spki, 0);
    ASSERT_ERR(ERR_MALFORMED, public_key_parse(buf_bytes(&spki), &key, &why), &why);
    for (size_t len = 0; len + 1 < spki.len; len++)
        ASSERT_ERR(ERR_MALFORMED, public_key_parse(bytes_of(spki.data, len), &key, &why), &why);
    assert_null(key);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("3018300d06092a864886f70d0101010500"
                         "0307003004"
                         "02010f"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("3018300b06092a864886f70d010101"
                         "0309003006"
                         "02010f"
                         "020103"),
               &why); /* no NULL */
    ASSERT_ERR(ERR_WEAK_KEY,
               parse_hex("301a300d06092a864886f70d0101010500"
                         "0309003006"
                         "02010f"
                         "020103"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("301a300d06092a864886f70d0101010500"
                         "0309003006"
                         "0201ff"
                         "020103"),
               &why);
    ASSERT_ERR(ERR_MALFORMED,
               parse_hex("301c300d06092a864886f70d0101010500"
                         "030b003006"
                         "02010f"
                         "020103"
                         "0500"),
               &why);
    EVP_PKEY_free(pkey);
}

TEST(key_identifiers_are_openssl_s)
{
    EVP_PKEY *pkey = generate("P-256");
    AUTO_BUF spki = openssl_spki(pkey);
    uint8_t ours[20], theirs[EVP_MAX_MD_SIZE];
    unsigned len;
    X509 *cert = X509_new();
    assert_int_equal(1, X509_set_pubkey(cert, pkey));
    assert_int_equal(1, X509_pubkey_digest(cert, EVP_sha1(), theirs, &len));
    ASSERT_OK(spki_key_identifier(buf_bytes(&spki), ours, &why), &why);
    ASSERT_BYTES(BYTES_ARR(ours), bytes_of(theirs, len));
    ASSERT_ERR(ERR_MALFORMED, spki_key_identifier(bytes_of(spki.data, 10), ours, &why), &why);
    X509_free(cert);
    EVP_PKEY_free(pkey);
}

struct shared {
    const struct public_key *key;
    struct bytes signature;
};

static void *verify_often(void *arg)
{
    const struct shared *shared = arg;
    struct why mine = { 0 };
    for (int i = 0; i < 50; i++) {
        if (public_key_verify(shared->key, (struct signature_algorithm){ true, DIGEST_SHA256 },
                              BYTES_LIT("data"), shared->signature, &mine) != OK)
            return arg;
    }
    return NULL;
}

TEST(threads_share_one_key)
{
    EVP_PKEY *pkey = generate(NULL);
    AUTO(public_key) key = parsed(pkey);
    AUTO_BUF signature = openssl_sign(pkey, "SHA256", BYTES_LIT("data"), false);
    struct shared shared = { key, buf_bytes(&signature) };
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, verify_often, &shared));
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    EVP_PKEY_free(pkey);
}

RUN(T(openssl_s_keys_are_read), T(openssl_s_signatures_verify_and_altered_ones_do_not),
    T(signatures_of_another_length_or_with_trailing_bytes_do_not_verify),
    T(algorithm_and_key_must_be_of_one_kind), T(pss_and_another_hash_do_not_verify),
    T(openssl_decrypts_what_is_encrypted), T(what_is_encrypted_fits_to_the_octet),
    T(ec_points_are_uncompressed_and_on_the_curve), T(other_curves_and_explicit_ones_are_refused),
    T(other_kinds_of_keys_are_refused_by_name), T(rsa_keys_are_strict), T(key_identifiers_are_openssl_s),
    T(threads_share_one_key))
