/* SPDX-License-Identifier: Apache-2.0 */
/* Key agreement: both halves against each other, and each piece against OpenSSL and published vectors. */
#include "x509/agreement.h"
#include "tests/unit/test.h"

#include "base/auto.h"
#include "tests/support/evp_key.h"
#include "x509/key_internal.h"
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct why why;
static const enum key_kind curves[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
#define CURVES (sizeof(curves) / sizeof(*curves))

static struct key *generated(enum key_kind kind, struct key_gate *gate)
{
    struct key *key = NULL;
    ASSERT_OK(key_generate(&(struct key_spec){ kind, 2048 }, gate, &key, &why), &why);
    return key;
}

static struct buf from_hex(const char *hex)
{
    struct buf octets = { 0 };
    assert_true(hex_decode(bytes_str(hex), &octets));
    return octets;
}

TEST(both_sides_agree_on_every_curve)
{
    struct key_gate *gate = key_gate_new(1);
    for (size_t i = 0; i < CURVES; i++) {
        AUTO(key) recipient = generated(curves[i], gate);
        for (int again = 0; again < 3; again++) { /* the context is used again, with another peer */
            AUTO_BUF point = { 0 };
            AUTO_VAL(secret) theirs = { 0 }, ours = { 0 };
            AUTO(public_key) ephemeral = NULL;
            ASSERT_OK(agreement_start(recipient->public_half, &point, &theirs, &why), &why);
            ASSERT_OK(agreement_point(curves[i], buf_bytes(&point), &ephemeral, &why), &why);
            ASSERT_OK(key_agree(recipient, ephemeral, &ours, &why), &why);
            assert_int_equal(ours.len, curve_by_kind(curves[i])->coordinate);
            ASSERT_BYTES(secret_bytes(&ours), secret_bytes(&theirs));
        }
    }
    key_gate_free(gate);
}

TEST(openssl_agrees_on_the_same)
{
    for (size_t i = 0; i < CURVES; i++) {
        AUTO(key) ours = generated(curves[i], NULL);
        AUTO(key) theirs = evp_key_ec(curve_by_kind(curves[i])->group);
        AUTO_VAL(secret) a = { 0 }, b = { 0 };
        ASSERT_OK(key_agree(ours, theirs->public_half, &a, &why), &why);
        ASSERT_OK(key_agree(theirs, ours->public_half, &b, &why), &why);
        ASSERT_BYTES(secret_bytes(&a), secret_bytes(&b));
    }
}

struct agreeing {
    const struct key *key;
    atomic_bool done;
};

static void *agree(void *arg)
{
    struct agreeing *agreeing = arg;
    AUTO_VAL(secret) shared = { 0 };
    struct why unheard;
    bool agreed = key_agree(agreeing->key, agreeing->key->public_half, &shared, &unheard) == OK;
    atomic_store(&agreeing->done, agreed);
    return NULL;
}

TEST(an_agreement_waits_at_the_gate)
{
    struct key_gate *gate = key_gate_new(1);
    AUTO(key) key = generated(KEY_EC_P256, gate);
    struct agreeing agreeing = { .key = key };
    pthread_t thread;
    key_gate_enter(gate);
    assert_int_equal(pthread_create(&thread, NULL, agree, &agreeing), 0);
    usleep(50000); /* an agreement takes a tenth of a millisecond */
    bool waited = !atomic_load(&agreeing.done);
    key_gate_leave(gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(waited);
    assert_true(atomic_load(&agreeing.done));
    key_gate_free(gate);
}

TEST(each_start_has_a_key_of_its_own)
{
    AUTO(key) recipient = generated(KEY_EC_P256, NULL);
    AUTO_BUF first = { 0 }, second = { 0 };
    AUTO_VAL(secret) a = { 0 }, b = { 0 };
    ASSERT_OK(agreement_start(recipient->public_half, &first, &a, &why), &why);
    ASSERT_OK(agreement_start(recipient->public_half, &second, &b, &why), &why);
    assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    assert_false(bytes_equal(secret_bytes(&a), secret_bytes(&b)));
}

TEST(keys_that_do_not_go_together_are_refused)
{
    AUTO(key) p256 = generated(KEY_EC_P256, NULL);
    AUTO(key) p384 = generated(KEY_EC_P384, NULL);
    AUTO(key) rsa = generated(KEY_RSA, NULL);
    AUTO_BUF point = { 0 };
    AUTO_VAL(secret) shared = { 0 };
    ASSERT_ERR(ERR_BAD_ALG, key_agree(p256, p384->public_half, &shared, &why), &why);
    assert_non_null(strstr(why.text, "P-256 key with a P-384 key"));
    ASSERT_ERR(ERR_BAD_ALG, key_agree(rsa, rsa->public_half, &shared, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, key_agree(p256, rsa->public_half, &shared, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, agreement_start(rsa->public_half, &point, &shared, &why), &why);
    assert_null(shared.data);
    static const struct key_ops none = { .name = "nobody" };
    const struct key held_elsewhere = { &none, p256->public_half };
    ASSERT_ERR(ERR_KEY, key_agree(&held_elsewhere, p256->public_half, &shared, &why), &why);
}

TEST(a_point_off_the_curve_is_refused)
{
    AUTO(key) recipient = generated(KEY_EC_P256, NULL);
    AUTO_BUF point = { 0 };
    AUTO_VAL(secret) shared = { 0 };
    AUTO(public_key) key = NULL;
    ASSERT_OK(agreement_start(recipient->public_half, &point, &shared, &why), &why);
    for (size_t i = 0; i < point.len; i++) {
        point.data[i] ^= 1;
        ASSERT_ERR(ERR_MALFORMED, agreement_point(KEY_EC_P256, buf_bytes(&point), &key, &why), &why);
        point.data[i] ^= 1;
    }
    ASSERT_ERR(ERR_MALFORMED, agreement_point(KEY_EC_P384, buf_bytes(&point), &key, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, agreement_point(KEY_EC_P256, bytes_of(point.data, 64), &key, &why), &why);
    assert_null(key);
}

TEST(the_key_is_what_openssl_derives)
{
    for (size_t len = 0; len <= 300; len += 25) {
        uint8_t info[300], shared[32], wanted[KEK_BYTES];
        memset(info, (int)len, sizeof(info));
        memset(shared, (int)len + 1, sizeof(shared));
        AUTO_VAL(secret) kek = { 0 };
        ASSERT_OK(kek_derive(BYTES_ARR(shared), bytes_of(info, len), &kek, &why), &why);
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "X963KDF", NULL);
        EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, shared, sizeof(shared)),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, len),
            OSSL_PARAM_construct_end(),
        };
        assert_int_equal(EVP_KDF_derive(ctx, wanted, sizeof(wanted), params), 1);
        EVP_KDF_CTX_free(ctx);
        EVP_KDF_free(kdf);
        ASSERT_BYTES(secret_bytes(&kek), BYTES_ARR(wanted));
    }
}

TEST(wrapping_gives_the_vector_of_rfc_3394)
{
    AUTO_BUF kek = from_hex("000102030405060708090A0B0C0D0E0F"),
             key = from_hex("00112233445566778899AABBCCDDEEFF"), /* 4.1 */
        wanted = from_hex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
    uint8_t wrapped[WRAPPED_KEY_BYTES];
    AUTO_VAL(secret) again = { 0 };
    ASSERT_OK(key_wrap(buf_bytes(&kek), buf_bytes(&key), wrapped, &why), &why);
    ASSERT_BYTES(BYTES_ARR(wrapped), buf_bytes(&wanted));
    ASSERT_OK(key_unwrap(buf_bytes(&kek), BYTES_ARR(wrapped), &again, &why), &why);
    ASSERT_BYTES(secret_bytes(&again), buf_bytes(&key));
}

TEST(an_altered_or_cut_key_does_not_unwrap)
{
    AUTO_BUF kek = from_hex("000102030405060708090A0B0C0D0E0F"),
             wrapped = from_hex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
    AUTO_VAL(secret) key = { 0 };
    for (size_t i = 0; i < wrapped.len; i++) {
        wrapped.data[i] ^= 0x80;
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, key_unwrap(buf_bytes(&kek), buf_bytes(&wrapped), &key, &why), &why);
        wrapped.data[i] ^= 0x80;
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, key_unwrap(buf_bytes(&kek), bytes_of(wrapped.data, i), &key, &why),
                   &why);
    }
    kek.data[0] ^= 1;
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, key_unwrap(buf_bytes(&kek), buf_bytes(&wrapped), &key, &why), &why);
    assert_null(key.data);
}

RUN(T(both_sides_agree_on_every_curve), T(openssl_agrees_on_the_same), T(an_agreement_waits_at_the_gate),
    T(each_start_has_a_key_of_its_own), T(keys_that_do_not_go_together_are_refused),
    T(a_point_off_the_curve_is_refused), T(the_key_is_what_openssl_derives),
    T(wrapping_gives_the_vector_of_rfc_3394), T(an_altered_or_cut_key_does_not_unwrap))
