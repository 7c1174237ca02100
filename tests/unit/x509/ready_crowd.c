/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads use several keys at once: every result is its own, good or bad, though contexts go from hand to hand. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "x509/key_internal.h"
#include <openssl/hmac.h>
#include <stdatomic.h>

#define THREADS 24 /* more than contexts are kept */
#define ROUNDS  30
#define KEYS    6

static struct key *keys[KEYS];
static struct key_gate *gate;
static const struct key_spec specs[KEYS] = { { KEY_RSA, 2048 },  { KEY_RSA, 2048 },  { KEY_EC_P256, 0 },
                                             { KEY_EC_P256, 0 }, { KEY_EC_P384, 0 }, { KEY_EC_P521, 0 } };

static int keys_make(void **state)
{
    struct why why;
    (void)state;
    gate = key_gate_new(3);
    for (size_t i = 0; i < KEYS; i++) {
        if (key_generate(&specs[i], i % 2 ? gate : NULL, &keys[i], &why) != OK)
            return -1;
    }
    return 0;
}

static int keys_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        key_free(TAKE(keys[i]));
    key_gate_free(TAKE(gate));
    return 0;
}

struct worker {
    unsigned number;
    pthread_barrier_t *start;
    bool (*job)(unsigned number, unsigned round);
    atomic_int *wrong;
    pthread_t thread;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    pthread_barrier_wait(worker->start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (!worker->job(worker->number, round))
            atomic_fetch_add(worker->wrong, 1);
    }
    return NULL;
}

static void crowd_run(bool (*job)(unsigned number, unsigned round))
{
    struct worker workers[THREADS];
    pthread_barrier_t start;
    atomic_int wrong = 0;
    pthread_barrier_init(&start, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ i, &start, job, &wrong, 0 };
        assert_int_equal(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&start);
    assert_int_equal(0, wrong);
}

static enum err verify(const struct key *key, enum digest digest, const char *text, struct bytes signature)
{
    struct signature_algorithm algorithm = { public_key_kind(key->public_half) == KEY_RSA, digest };
    return public_key_verify(key->public_half, algorithm, bytes_str(text), signature, NULL);
}

/* Signed by one key and digest: good under these, and bad under another text, another digest and another key. */
static bool sign_and_verify(unsigned number, unsigned round)
{
    static const enum digest digests[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
    const struct key *key = keys[(number + round) % KEYS], *other = keys[((number + round) % KEYS) ^ 1];
    enum digest digest = digests[(number + round) % 3];
    bool comparable = public_key_kind(other->public_half) == public_key_kind(key->public_half);
    char text[32];
    AUTO_BUF signature = { 0 };
    snprintf(text, sizeof(text), "%u in round %u", number, round);
    if (key_sign(key, digest, bytes_str(text), &signature, NULL) != OK)
        return false;
    struct bytes made = buf_bytes(&signature);
    return verify(key, digest, "another text", made) == ERR_BAD_MESSAGE_CHECK &&
           verify(key, digest, text, made) == OK &&
           verify(key, digests[(number + round + 1) % 3], text, made) == ERR_BAD_MESSAGE_CHECK &&
           verify(key, digest, text, made) == OK &&
           (!comparable || verify(other, digest, text, made) == ERR_BAD_MESSAGE_CHECK);
}

TEST(signatures_of_many_threads_are_each_its_own)
{
    crowd_run(sign_and_verify);
}

/* A number that is too large fails in libcrypto; the plain one behind it must come back whole. */
static bool decrypt_good_and_bad(unsigned number, unsigned round)
{
    const struct key *key = keys[(number + round) % 2];
    char text[32];
    AUTO_BUF sealed = { 0 }, raw = { 0 }, none = { 0 };
    snprintf(text, sizeof(text), "%u in round %u", number, round);
    size_t len = strlen(text);
    if (public_key_encrypt(key->public_half, TRANSPORT_PKCS1_V15, NULL, bytes_str(text), &sealed, NULL) != OK)
        return false;
    bool bad = (number + round) % 3 == 0;
    if (bad && key->ops->decrypt(key, key->public_half->modulus, &none, NULL) != ERR_KEY)
        return false;
    return key_decrypt_raw(key, buf_bytes(&sealed), &raw, NULL) == OK && raw.len == 256 &&
           raw.data[raw.len - len - 1] == 0 && memcmp(raw.data + raw.len - len, text, len) == 0;
}

TEST(decryptions_of_many_threads_are_each_its_own)
{
    crowd_run(decrypt_good_and_bad);
}

static bool parse_good_and_bad(unsigned number, unsigned round)
{
    const struct bytes spki = public_key_spki(keys[(number + round) % KEYS]->public_half);
    AUTO_BUF spoilt = buf_dup(spki);
    AUTO(public_key) good = NULL;
    struct public_key *bad = NULL;
    spoilt.data[spoilt.len - 1] ^= 1;
    return public_key_parse(buf_bytes(&spoilt), &bad, NULL) != OK &&
           public_key_parse(spki, &good, NULL) == OK && bytes_equal(public_key_spki(good), spki) &&
           public_key_check_weak(good, 2048, NULL) == OK;
}

TEST(keys_that_many_threads_read_are_each_its_own)
{
    crowd_run(parse_good_and_bad);
}

static bool hmac_of_own(unsigned number, unsigned round)
{
    char text[32];
    uint8_t wanted[32], got[32];
    unsigned size = 0;
    int len = snprintf(text, sizeof(text), "%u in round %u", number, round);
    return HMAC(EVP_sha256(), text, len, (const uint8_t *)text, (size_t)len, wanted, &size) &&
           hmac_sha256(bytes_str(text), bytes_str(text), got, NULL) == OK && memcmp(wanted, got, 32) == 0;
}

TEST(hmacs_of_many_threads_are_each_its_own)
{
    crowd_run(hmac_of_own);
}

/* The mix that a role sees. */
static bool all_of_it(unsigned number, unsigned round)
{
    static bool (*const jobs[])(unsigned, unsigned) = { sign_and_verify, decrypt_good_and_bad,
                                                        parse_good_and_bad, hmac_of_own };
    return jobs[(number + round) % 4](number, round);
}

TEST(everything_at_once)
{
    crowd_run(all_of_it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(keys_that_many_threads_read_are_each_its_own), /* first: what is made once is made by all of them together */
        T(signatures_of_many_threads_are_each_its_own),  T(decryptions_of_many_threads_are_each_its_own),
        T(hmacs_of_many_threads_are_each_its_own),       T(everything_at_once),
    };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, keys_make, keys_end);
}
