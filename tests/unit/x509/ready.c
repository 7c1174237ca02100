/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts that are used again: whatever the last use was, and however many use them, the next one is as if it were new. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "x509/key_internal.h"
#include <openssl/hmac.h>
#include <stdatomic.h>

/* --- the shelf itself --- */

TEST(what_was_given_is_taken_once_and_no_more_is_kept_than_there_is_room_for)
{
    struct ready ready = READY_NONE;
    int items[READY_MAX + 1];
    bool taken[READY_MAX + 1] = { false };
    assert_null(ready_take(&ready));
    for (size_t i = 0; i < READY_MAX; i++)
        assert_true(ready_give(&ready, &items[i]));
    assert_false(ready_give(&ready, &items[READY_MAX]));
    for (size_t i = 0; i < READY_MAX; i++) {
        int *item = ready_take(&ready);
        assert_non_null(item);
        assert_false(taken[item - items]);
        taken[item - items] = true;
    }
    assert_null(ready_take(&ready));
    assert_false(taken[READY_MAX]);
}

#define TAKERS 16
struct shelf {
    struct ready ready;
    atomic_int users[READY_MAX]; /* of each item */
    atomic_int shared;
    pthread_barrier_t start;
};

static void *take_and_give(void *arg)
{
    struct shelf *shelf = arg;
    pthread_barrier_wait(&shelf->start);
    for (int i = 0; i < 20000; i++) {
        atomic_int *users = ready_take(&shelf->ready);
        if (!users)
            continue;
        bool alone = atomic_fetch_add(users, 1) == 0;
        atomic_fetch_sub(users, 1);
        if (!ready_give(&shelf->ready, users) || !alone)
            atomic_fetch_add(&shelf->shared, 1);
    }
    return NULL;
}

TEST(nobody_else_has_it_until_it_is_given_back)
{
    struct shelf shelf = { .ready = READY_NONE };
    pthread_t threads[TAKERS];
    pthread_barrier_init(&shelf.start, NULL, TAKERS);
    for (size_t i = 0; i < READY_MAX; i++)
        assert_true(ready_give(&shelf.ready, &shelf.users[i]));
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, take_and_give, &shelf));
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(0, shelf.shared);
    assert_int_equal(READY_MAX, shelf.ready.count);
    pthread_barrier_destroy(&shelf.start);
}

/* --- keys --- */

static struct key *keys[5]; /* made once: RSA takes its time */
static const struct key_spec specs[5] = {
    { KEY_RSA, 2048 }, { KEY_RSA, 3072 }, { KEY_EC_P256, 0 }, { KEY_EC_P384, 0 }, { KEY_EC_P521, 0 }
};

static int keys_make(void **state)
{
    struct why why;
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        if (key_generate(&specs[i], NULL, &keys[i], &why) != OK)
            return -1;
    }
    return 0;
}

static int keys_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++)
        key_free(TAKE(keys[i]));
    return 0;
}

static struct signature_algorithm algorithm_with(const struct key *key, enum digest digest)
{
    return (struct signature_algorithm){ .rsa = public_key_kind(key->public_half) == KEY_RSA,
                                         .digest = digest };
}

static enum err verify(const struct key *key, enum digest digest, struct bytes data, struct bytes signature)
{
    return public_key_verify(key->public_half, algorithm_with(key, digest), data, signature, NULL);
}

static const enum digest digests[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_SHA1 };

TEST(one_key_signs_and_verifies_with_each_digest_by_turns)
{
    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < 5; i++) {
            AUTO_BUF signature = { 0 };
            enum digest digest = digests[(round + (int)i) % 4], other = digests[(round + (int)i + 1) % 4];
            assert_int_equal(OK, key_sign(keys[i], digest, BYTES_LIT("message"), &signature, NULL));
            assert_int_equal(ERR_BAD_MESSAGE_CHECK,
                             verify(keys[i], other, BYTES_LIT("message"), buf_bytes(&signature)));
            assert_int_equal(OK, verify(keys[i], digest, BYTES_LIT("message"), buf_bytes(&signature)));
        }
    }
}

/* Everything that can be wrong with a signature, with a good one after each. */
static void expect_good_after_bad(const struct key *key, const struct buf *good)
{
    enum digest digest = key_signature_algorithm(key).digest;
    const struct bytes message = BYTES_LIT("message");
    for (size_t at = 0; at < good->len; at += 7) {
        AUTO_BUF bad = buf_dup(buf_bytes(good));
        bad.data[at] ^= 0x10;
        assert_int_equal(ERR_BAD_MESSAGE_CHECK, verify(key, digest, message, buf_bytes(&bad)));
        assert_int_equal(OK, verify(key, digest, message, buf_bytes(good)));
    }
    AUTO_BUF ones = buf_dup(buf_bytes(good));
    memset(ones.data, 0xFF, ones.len); /* not below the modulus; no DER */
    const struct bytes bad[] = { BYTES_NONE, bytes_of(good->data, good->len - 1), buf_bytes(&ones) };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ERR_BAD_MESSAGE_CHECK, verify(key, digest, message, bad[i]));
        assert_int_equal(ERR_BAD_MESSAGE_CHECK, verify(key, digest, BYTES_LIT("massage"), buf_bytes(good)));
        assert_int_equal(OK, verify(key, digest, message, buf_bytes(good)));
    }
}

TEST(a_signature_that_does_not_verify_leaves_nothing_for_the_next)
{
    for (size_t i = 0; i < 5; i++) {
        AUTO_BUF good = { 0 };
        assert_int_equal(OK, key_sign(keys[i], key_signature_algorithm(keys[i]).digest, BYTES_LIT("message"),
                                      &good, NULL));
        expect_good_after_bad(keys[i], &good);
    }
}

/* 00 02 FF … FF 00 text, as long as the modulus. */
static struct buf padded(const struct key *key, const char *text)
{
    struct buf block = { 0 };
    size_t len = key->public_half->modulus.len, text_len = strlen(text);
    buf_reserve(&block, len);
    memset(block.data, 0xFF, len);
    block.len = len;
    block.data[0] = 0, block.data[1] = 2;
    block.data[len - text_len - 1] = 0;
    memcpy(block.data + len - text_len, text, text_len);
    return block;
}

static void expect_decrypts(const struct key *key, const char *text)
{
    AUTO_BUF sealed = { 0 }, raw = { 0 };
    assert_int_equal(
        OK, public_key_encrypt(key->public_half, TRANSPORT_PKCS1_V15, NULL, bytes_str(text), &sealed, NULL));
    assert_int_equal(OK, key_decrypt_raw(key, buf_bytes(&sealed), &raw, NULL));
    AUTO_BUF wanted = padded(key, text);
    assert_int_equal(wanted.len, raw.len);
    assert_int_equal(2, raw.data[1]);
    assert_memory_equal(wanted.data + wanted.len - strlen(text) - 1, raw.data + raw.len - strlen(text) - 1,
                        strlen(text) + 1);
}

TEST(a_decryption_that_fails_leaves_nothing_for_the_next)
{
    for (size_t i = 0; i < 2; i++) {
        const struct key *key = keys[i];
        AUTO_BUF large = buf_dup(key->public_half->modulus);
        for (int round = 0; round < 40; round++) { /* past a renewal of the blinding */
            AUTO_BUF raw = { 0 }, signature = { 0 };
            /* Past the check in front of it, which would have said so before. */
            assert_int_equal(ERR_KEY, key->ops->decrypt(key, buf_bytes(&large), &raw, NULL));
            assert_int_equal(0, raw.len);
            expect_decrypts(key, round % 2 ? "a key" : "another, longer key");
            assert_int_equal(ERR_BAD_MESSAGE_CHECK, key_decrypt_raw(key, buf_bytes(&large), &raw, NULL));
            assert_int_equal(ERR_MALFORMED, key_decrypt_raw(key, BYTES_LIT("short"), &raw, NULL));
            assert_int_equal(OK, key_sign(key, DIGEST_SHA256, BYTES_LIT("message"), &signature, NULL));
            assert_int_equal(OK, verify(key, DIGEST_SHA256, BYTES_LIT("message"), buf_bytes(&signature)));
        }
    }
}

/* Two numbers whose product is known: nothing of the first decryption is in the second. */
TEST(decryptions_by_turns_do_not_mix)
{
    for (int round = 0; round < 20; round++) {
        expect_decrypts(keys[0], "for the first");
        expect_decrypts(keys[1], "for the second");
    }
}

static enum err parse(struct bytes spki)
{
    AUTO(public_key) key = NULL;
    return public_key_parse(spki, &key, NULL);
}

TEST(a_key_that_is_refused_leaves_nothing_for_the_next_of_another_kind)
{
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < 5; i++) {
            AUTO_BUF bad = buf_dup(public_key_spki(keys[i]->public_half));
            bad.data[bad.len - 1] ^= 1; /* off its curve; an even exponent */
            assert_int_not_equal(OK, parse(buf_bytes(&bad)));
            assert_int_equal(OK, parse(public_key_spki(keys[(i + (size_t)round) % 5]->public_half)));
            AUTO(public_key) again = NULL;
            AUTO_BUF signature = { 0 };
            enum digest digest = key_signature_algorithm(keys[i]).digest;
            assert_int_equal(OK, public_key_parse(public_key_spki(keys[i]->public_half), &again, NULL));
            assert_int_equal(OK, key_sign(keys[i], digest, BYTES_LIT("message"), &signature, NULL));
            assert_int_equal(OK, public_key_verify(again, algorithm_with(keys[i], digest),
                                                   BYTES_LIT("message"), buf_bytes(&signature), NULL));
        }
    }
}

TEST(each_hmac_is_of_its_own_key_and_text)
{
    uint8_t text[200];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 37);
    for (size_t key_len = 0; key_len <= 150; key_len += 3) { /* below, at and above a block */
        for (size_t len = 0; len < sizeof(text); len += 40) {
            uint8_t wanted[32], got[32];
            unsigned size = 0;
            assert_non_null(HMAC(EVP_sha256(), text, (int)key_len, text, len, wanted, &size));
            assert_int_equal(OK, hmac_sha256(bytes_of(text, key_len), bytes_of(text, len), got, NULL));
            assert_memory_equal(wanted, got, 32);
            assert_int_equal(OK, hmac_sha256(BYTES_NONE, BYTES_NONE, got, NULL));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_given_is_taken_once_and_no_more_is_kept_than_there_is_room_for),
        T(nobody_else_has_it_until_it_is_given_back),
        T(one_key_signs_and_verifies_with_each_digest_by_turns),
        T(a_signature_that_does_not_verify_leaves_nothing_for_the_next),
        T(a_decryption_that_fails_leaves_nothing_for_the_next),
        T(decryptions_by_turns_do_not_mix),
        T(a_key_that_is_refused_leaves_nothing_for_the_next_of_another_kind),
        T(each_hmac_is_of_its_own_key_and_text),
    };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, keys_make, keys_end);
}
