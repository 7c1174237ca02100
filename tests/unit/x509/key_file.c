/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys: made, kept encrypted, unlocked, used behind the gate; and read and written by OpenSSL, too. */
#include "tests/unit/test.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "x509/key_internal.h"
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNLOCK "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static struct why why;
static char folder[64];
static const enum key_kind kinds[] = { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/chancery-key-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    AUTO_STR command = xasprintf("rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static struct key *generated(enum key_kind kind)
{
    struct key *key = NULL;
    ASSERT_OK(key_generate(&(struct key_spec){ kind, 2048 }, NULL, &key, &why), &why);
    return key;
}

static void save(const struct key *key, const char *path, const char *unlock, enum key_protection protection)
{
    AUTO_VAL(secret) secret = secret_dup(bytes_str(unlock));
    ASSERT_OK(key_file_save(key, path, &secret, protection, &why), &why);
}

static enum err load(const char *path, const char *unlock, struct key **ret)
{
    AUTO_VAL(secret) secret = secret_dup(bytes_str(unlock));
    return key_file_load(path, &secret, NULL, ret, &why);
}

static enum err load_and_drop(const char *path, const char *unlock)
{
    AUTO(key) key = NULL;
    return load(path, unlock, &key);
}

TEST(a_saved_key_is_the_same_when_loaded)
{
    for (size_t i = 0; i < 4; i++) {
        AUTO(key) key = generated(kinds[i]);
        AUTO(key) back = NULL;
        AUTO_BUF signature = { 0 };
        save(key, "k", UNLOCK, KEY_PROTECT_SECRET);
        ASSERT_OK(load("k", UNLOCK, &back), &why);
        ASSERT_BYTES(public_key_spki(key->public_half), public_key_spki(back->public_half));
        struct signature_algorithm algorithm = key_signature_algorithm(back);
        ASSERT_OK(key_sign(back, algorithm.digest, BYTES_LIT("data"), &signature, &why), &why);
        ASSERT_OK(
            public_key_verify(key->public_half, algorithm, BYTES_LIT("data"), buf_bytes(&signature), &why),
            &why);
        unlink("k");
    }
}

TEST(default_digests_follow_the_kind)
{
    static const enum digest wanted[] = { DIGEST_SHA256, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
    for (size_t i = 0; i < 4; i++) {
        AUTO(key) key = generated(kinds[i]);
        struct signature_algorithm algorithm = key_signature_algorithm(key);
        assert_int_equal(kinds[i] == KEY_RSA, algorithm.rsa);
        assert_int_equal(wanted[i], algorithm.digest);
    }
}

TEST(key_files_have_mode_0400_and_are_never_overwritten)
{
    AUTO(key) key = generated(KEY_EC_P256);
    AUTO_VAL(secret) secret = secret_dup(BYTES_LIT(UNLOCK));
    AUTO_BUF before = { 0 }, after = { 0 };
    struct stat info;
    save(key, "k", UNLOCK, KEY_PROTECT_SECRET);
    assert_int_equal(0, stat("k", &info));
    assert_int_equal(0400, info.st_mode & 07777);
    ASSERT_OK(file_read("k", 100000, &before, &why), &why);
    ASSERT_ERR(ERR_CONFLICT, key_file_save(key, "k", &secret, KEY_PROTECT_SECRET, &why), &why);
    ASSERT_OK(file_read("k", 100000, &after, &why), &why);
    ASSERT_BYTES(buf_bytes(&before), buf_bytes(&after));
}

static EVP_PKEY *openssl_load(const char *path, const char *password)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    EVP_PKEY *pkey = PEM_read_PrivateKey(file, NULL, NULL, (void *)(uintptr_t)password);
    fclose(file);
    return pkey;
}

TEST(openssl_reads_our_files_with_either_protection)
{
    for (int protection = KEY_PROTECT_SECRET; protection <= KEY_PROTECT_PASSPHRASE; protection++) {
        for (size_t i = protection == KEY_PROTECT_SECRET ? 0 : 1; i < 2; i++) {
            AUTO(key) key = generated(kinds[i]);
            save(key, "k", UNLOCK, (enum key_protection)protection);
            EVP_PKEY *pkey = openssl_load("k", UNLOCK);
            assert_non_null(pkey);
            EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
            assert_int_equal(1, EVP_PKEY_check(ctx));
            uint8_t *der = NULL;
            int len = i2d_PUBKEY(pkey, &der);
            ASSERT_BYTES(public_key_spki(key->public_half), bytes_of(der, (size_t)len));
            OPENSSL_free(der);
            EVP_PKEY_CTX_free(ctx);
            EVP_PKEY_free(pkey);
            assert_null(openssl_load("k", "wrong"));
            unlink("k");
        }
    }
}

static void openssl_write(const char *path, EVP_PKEY *pkey, const EVP_CIPHER *cipher, int nid)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (cipher)
        assert_int_equal(
            1, PEM_write_PKCS8PrivateKey(file, pkey, cipher, UNLOCK, (int)strlen(UNLOCK), NULL, NULL));
    else if (nid)
        assert_int_equal(
            1, PEM_write_PKCS8PrivateKey_nid(file, pkey, nid, UNLOCK, (int)strlen(UNLOCK), NULL, NULL));
    else
        assert_int_equal(1, PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    assert_int_equal(0, chmod(path, 0600));
}

/* A passphrase is for the root key, which is read by hand only: by us, too. */
TEST(a_key_under_a_passphrase_is_the_same_when_loaded)
{
    AUTO(key) key = generated(KEY_EC_P256);
    AUTO(key) loaded = NULL;
    save(key, "k", "correct horse battery", KEY_PROTECT_PASSPHRASE);
    ASSERT_OK(load("k", "correct horse battery", &loaded), &why);
    ASSERT_BYTES(public_key_spki(loaded->public_half), public_key_spki(key->public_half));
    ASSERT_ERR(ERR_KEY, load_and_drop("k", "correct horse batterz"), &why);
}

static void pbes2_with_scrypt(const int64_t numbers[static 3], size_t salt_len, struct buf *out)
{
    static const uint8_t zeros[80];
    size_t whole = der_begin(out, DER_SEQUENCE), algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_PBES2));
    size_t params = der_begin(out, DER_SEQUENCE), kdf = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_SCRYPT));
    size_t scrypt = der_begin(out, DER_SEQUENCE);
    der_put_octets(out, bytes_of(zeros, salt_len));
    for (int i = 0; i < 3; i++)
        der_put_int64(out, numbers[i]);
    der_end(out, scrypt);
    der_end(out, kdf);
    cipher_put(out, CIPHER_AES256_CBC, bytes_of(zeros, 16));
    der_end(out, params);
    der_end(out, algorithm);
    der_put_octets(out, bytes_of(zeros, 32));
    der_end(out, whole);
}

/* A file must not make us work for ever: the numbers are judged before any of the work. */
TEST(a_derivation_of_too_much_work_is_refused_at_once)
{
    static const struct {
        int64_t numbers[3];
        size_t salt_len;
    } refused[] = {
        { { 1, 8, 1 }, 16 },
        { { 16384, 0, 1 }, 16 },
        { { 16384, 8, 0 }, 16 },
        { { -16384, 8, 1 }, 16 },
        { { 1 << 25, 8, 1 }, 16 },
        { { 2, 1 << 25, 1 }, 16 },
        { { 2, 1, 1 << 25 }, 16 },
        { { 1 << 20, 1 << 5, 1 }, 16 },
        { { 1 << 14, 1 << 5, 1 << 6 }, 16 },
        { { INT64_MAX, INT64_MAX, INT64_MAX }, 16 },
        { { 16384, 8, 1 }, 65 },
    };
    int64_t began = clock_mono_ms();
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        AUTO_BUF der = { 0 };
        AUTO_VAL(secret) info = { 0 };
        pbes2_with_scrypt(refused[i].numbers, refused[i].salt_len, &der);
        ASSERT_ERR(ERR_KEY, pkcs8_open(buf_bytes(&der), BYTES_LIT("passphrase"), &info, &why), &why);
        assert_non_null(strstr(why.text, "not an EncryptedPrivateKeyInfo"));
    }
    assert_true(clock_mono_ms() - began < 1000);
    AUTO_BUF der = { 0 };
    AUTO_VAL(secret) info = { 0 };
    pbes2_with_scrypt((const int64_t[]){ 16, 1, 1 }, 64,
                      &der); /* little work: the derivation runs, the secret is wrong */
    ASSERT_ERR(ERR_KEY, pkcs8_open(buf_bytes(&der), BYTES_LIT("passphrase"), &info, &why), &why);
    assert_string_equal(why.text, PKCS8_WRONG_SECRET);
}

TEST(openssl_s_encrypted_files_are_read)
{
    EVP_PKEY *keys[] = { EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
                         EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384") };
    for (size_t i = 0; i < 2; i++) {
        AUTO(key) key = NULL;
        openssl_write("k", keys[i], EVP_aes_256_cbc(), 0);
        ASSERT_OK(load("k", UNLOCK, &key), &why);
        assert_int_equal(i ? KEY_EC_P384 : KEY_RSA, public_key_kind(key->public_half));
        unlink("k");
        EVP_PKEY_free(keys[i]);
    }
}

TEST(unencrypted_weakly_encrypted_and_foreign_files_are_refused)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    openssl_write("plain", pkey, NULL, 0);
    openssl_write("aes128", pkey, EVP_aes_128_cbc(), 0);
    openssl_write("des", pkey, EVP_des_ede3_cbc(), 0);
    openssl_write("pbes1", pkey, NULL, NID_pbe_WithSHA1And3_Key_TripleDES_CBC);
    ASSERT_ERR(ERR_KEY, load_and_drop("plain", UNLOCK), &why);
    assert_non_null(strstr(why.text, "not an encrypted"));
    ASSERT_ERR(ERR_KEY, load_and_drop("aes128", UNLOCK), &why);
    assert_non_null(strstr(why.text, "PBES2, AES-256-CBC"));
    ASSERT_ERR(ERR_KEY, load_and_drop("des", UNLOCK), &why);
    ASSERT_ERR(ERR_KEY, load_and_drop("pbes1", UNLOCK), &why);
    EVP_PKEY_free(pkey);
    EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    openssl_write("small", small, EVP_aes_256_cbc(), 0);
    ASSERT_ERR(ERR_WEAK_KEY, load_and_drop("small", UNLOCK), &why);
    EVP_PKEY_free(small);
    EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    openssl_write("edwards", edwards, EVP_aes_256_cbc(), 0);
    ASSERT_ERR(ERR_KEY, load_and_drop("edwards", UNLOCK), &why);
    EVP_PKEY_free(edwards);
}

TEST(a_wrong_secret_gives_one_sentence_that_names_the_file)
{
    AUTO(key) key = generated(KEY_EC_P256);
    save(key, "the-key", UNLOCK, KEY_PROTECT_SECRET);
    char wrong[sizeof(UNLOCK)] = UNLOCK;
    for (int i = 0; i < 400; i++) { /* 1 in 256 has a padding that looks right */
        snprintf(wrong, sizeof(wrong), "%064d", i);
        ASSERT_ERR(ERR_KEY, load_and_drop("the-key", wrong), &why);
        assert_string_equal("the-key: wrong unlock secret, or a damaged file", why.text);
    }
    ASSERT_ERR(ERR_KEY, load_and_drop("the-key", ""), &why);
}

TEST(readable_by_others_is_refused)
{
    AUTO(key) key = generated(KEY_EC_P256);
    save(key, "k", UNLOCK, KEY_PROTECT_SECRET);
    static const mode_t modes[] = { 0440, 0404, 0420, 0401, 0644 };
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(0, chmod("k", modes[i]));
        ASSERT_ERR(ERR_KEY, load_and_drop("k", UNLOCK), &why);
        assert_non_null(strstr(why.text, "mode"));
    }
    assert_int_equal(0, chmod("k", 0600));
    ASSERT_OK(load_and_drop("k", UNLOCK), &why);
    ASSERT_ERR(ERR_NOT_FOUND, load_and_drop("none", UNLOCK), &why);
}

TEST(damaged_files_are_refused_wherever_the_damage_is)
{
    AUTO(key) key = generated(KEY_EC_P256);
    save(key, "k", UNLOCK, KEY_PROTECT_SECRET);
    AUTO_BUF pem = { 0 }, der = { 0 };
    ASSERT_OK(file_read("k", 100000, &pem, &why), &why);
    assert_true(pem_decode(buf_bytes(&pem), "ENCRYPTED PRIVATE KEY", &der, NULL));
    for (size_t at = 0; at < der.len; at++) {
        AUTO_BUF bad = buf_dup(buf_bytes(&der)), text = { 0 };
        bad.data[at] ^= 0x04;
        pem_append(&text, "ENCRYPTED PRIVATE KEY", buf_bytes(&bad));
        ASSERT_OK(file_write("bad", buf_bytes(&text), 0400, &why), &why);
        if (load_and_drop("bad", UNLOCK) == OK)
            fail_msg("damage at octet %zu was not noticed", at);
    }
    AUTO_BUF twice = buf_dup(buf_bytes(&pem));
    buf_append(&twice, buf_bytes(&pem));
    ASSERT_OK(file_write("twice", buf_bytes(&twice), 0400, &why), &why);
    ASSERT_ERR(ERR_KEY, load_and_drop("twice", UNLOCK), &why);
    ASSERT_OK(file_write("junk", BYTES_LIT("junk\n"), 0400, &why), &why);
    ASSERT_ERR(ERR_KEY, load_and_drop("junk", UNLOCK), &why);
}

/* A private key whose public half is another's must not go into service. */
TEST(halves_that_do_not_belong_together_are_refused)
{
    EVP_PKEY *one = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
             *two = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    uint8_t point[65];
    size_t len;
    assert_int_equal(1, EVP_PKEY_get_octet_string_param(two, "pub", point, sizeof(point), &len));
    assert_int_equal(1, EVP_PKEY_set1_encoded_public_key(one, point, len));
    openssl_write("mixed", one, EVP_aes_256_cbc(), 0);
    ASSERT_ERR(ERR_KEY, load_and_drop("mixed", UNLOCK), &why);
    assert_non_null(strstr(why.text, "does not fit"));
    EVP_PKEY_free(one);
    EVP_PKEY_free(two);
}

TEST(the_quick_derivation_is_for_long_secrets_only)
{
    AUTO(key) key = generated(KEY_EC_P256);
    AUTO_VAL(secret) at = secret_dup(bytes_of(UNLOCK, 32));
    AUTO_VAL(secret) below = secret_dup(bytes_of(UNLOCK, 31));
    struct secret empty = { 0 };
    ASSERT_ERR(ERR_KEY, key_file_save(key, "k", &below, KEY_PROTECT_SECRET, &why), &why);
    ASSERT_ERR(ERR_KEY, key_file_save(key, "k", &empty, KEY_PROTECT_PASSPHRASE, &why), &why);
    ASSERT_OK(key_file_save(key, "k", &at, KEY_PROTECT_SECRET, &why), &why);
    ASSERT_OK(key_file_save(key, "k2", &below, KEY_PROTECT_PASSPHRASE, &why), &why);
}

static enum err sign_nothing(const struct key *key, enum digest digest, struct bytes data, struct buf *ret,
                             struct why *reason)
{
    (void)key, (void)digest, (void)data, (void)ret;
    return fail(reason, ERR_KEY, "a twin signs nothing");
}
static const struct key_ops twin_ops = { .name = "twin", .sign = sign_nothing };

TEST(keys_of_other_implementations_cannot_be_saved)
{
    struct key twin = { .ops = &twin_ops };
    AUTO_VAL(secret) secret = secret_dup(BYTES_LIT(UNLOCK));
    ASSERT_ERR(ERR_KEY, key_file_save(&twin, "k", &secret, KEY_PROTECT_SECRET, &why), &why);
    assert_non_null(strstr(why.text, "twin"));
}

TEST(generation_holds_its_bounds)
{
    struct key *key = NULL;
    static const struct key_spec refused[] = { { KEY_RSA, 2047 },          { KEY_RSA, 1024 },
                                               { KEY_RSA, 8193 },          { KEY_RSA, 0 },
                                               { (enum key_kind)0, 2048 }, { (enum key_kind)5, 2048 } };
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        ASSERT_ERR(ERR_WEAK_KEY, key_generate(&refused[i], NULL, &key, &why), &why);
    assert_null(key);
}

/* Raw decryption gives the whole padded block: what EVP_PKEY_encrypt without padding put in. */
TEST(raw_decryption_gives_the_block_as_it_is)
{
    AUTO(key) key = generated(KEY_RSA);
    struct bytes spki = public_key_spki(key->public_half);
    const uint8_t *at = spki.data;
    EVP_PKEY *public_half = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_half, NULL);
    uint8_t block[256] = { 0, 2, 3 }, sealed[256];
    block[255] = 0x77;
    size_t len = sizeof(sealed);
    assert_int_equal(1, EVP_PKEY_encrypt_init(ctx));
    assert_int_equal(1, EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING));
    assert_int_equal(1, EVP_PKEY_encrypt(ctx, sealed, &len, block, sizeof(block)));
    AUTO_WIPE raw = { 0 };
    ASSERT_OK(key_decrypt_raw(key, BYTES_ARR(sealed), &raw, &why), &why);
    ASSERT_BYTES(buf_bytes(&raw), BYTES_ARR(block));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(public_half);
}

static struct bytes modulus_of(const struct key *key)
{
    struct der_reader in = der_reader_over(public_key_spki(key->public_half)), fields, skipped, numbers;
    struct bytes bits = BYTES_NONE, modulus = BYTES_NONE;
    assert_true(der_get_sequence(&in, &fields) && der_get_sequence(&fields, &skipped) &&
                der_get_bits(&fields, &bits));
    in = der_reader_over(bits);
    assert_true(der_get_sequence(&in, &numbers) && der_get_unsigned_bytes(&numbers, &modulus));
    return modulus;
}

TEST(raw_decryption_takes_a_number_below_the_modulus_of_its_length)
{
    AUTO(key) key = generated(KEY_RSA);
    AUTO(key) ec = generated(KEY_EC_P256);
    uint8_t in[257] = { 0 };
    struct buf none = { 0 };
    AUTO_WIPE raw = { 0 };
    AUTO_WIPE zero = { 0 };
    ASSERT_ERR(ERR_MALFORMED, key_decrypt_raw(key, bytes_of(in, 255), &none, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, key_decrypt_raw(key, bytes_of(in, 257), &none, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, key_decrypt_raw(key, BYTES_NONE, &none, &why), &why);
    memcpy(in, modulus_of(key).data, 256);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, key_decrypt_raw(key, bytes_of(in, 256), &none, &why), &why);
    memset(in, 0xFF, 256);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, key_decrypt_raw(key, bytes_of(in, 256), &none, &why), &why);
    ASSERT_ERR(ERR_BAD_ALG, key_decrypt_raw(ec, bytes_of(in, 256), &none, &why), &why);
    assert_null(none.data);
    memcpy(in, modulus_of(key).data, 256);
    in[255]--; /* n - 1, which is its own inverse */
    ASSERT_OK(key_decrypt_raw(key, bytes_of(in, 256), &raw, &why), &why);
    ASSERT_BYTES(buf_bytes(&raw), bytes_of(in, 256));
    memset(in, 0, 256);
    ASSERT_OK(key_decrypt_raw(key, bytes_of(in, 256), &zero, &why), &why);
    ASSERT_BYTES(buf_bytes(&zero), bytes_of(in, 256));
}

struct shared {
    const struct key *key;
};

static void *sign_often(void *arg)
{
    const struct shared *shared = arg;
    for (int i = 0; i < 20; i++) {
        AUTO_BUF signature = { 0 };
        struct why mine = { 0 };
        if (key_sign(shared->key, DIGEST_SHA256, BYTES_LIT("data"), &signature, &mine) != OK ||
            public_key_verify(shared->key->public_half, key_signature_algorithm(shared->key),
                              BYTES_LIT("data"), buf_bytes(&signature), &mine) != OK)
            return arg;
    }
    return NULL;
}

TEST(threads_share_one_key_through_a_narrow_gate)
{
    struct key_gate *gate = key_gate_new(1);
    struct key *key = NULL;
    ASSERT_OK(key_generate(&(struct key_spec){ KEY_RSA, 2048 }, gate, &key, &why), &why);
    struct shared shared = { key };
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, sign_often, &shared));
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    key_free(key);
    key_gate_free(gate);
    key_gate_free(NULL);
    key_free(NULL);
}

#define F(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
int main(void)
{
    const struct CMUnitTest tests[] = { F(a_saved_key_is_the_same_when_loaded),
                                        T(default_digests_follow_the_kind),
                                        F(key_files_have_mode_0400_and_are_never_overwritten),
                                        F(openssl_reads_our_files_with_either_protection),
                                        F(openssl_s_encrypted_files_are_read),
                                        F(a_key_under_a_passphrase_is_the_same_when_loaded),
                                        T(a_derivation_of_too_much_work_is_refused_at_once),
                                        F(unencrypted_weakly_encrypted_and_foreign_files_are_refused),
                                        F(a_wrong_secret_gives_one_sentence_that_names_the_file),
                                        F(readable_by_others_is_refused),
                                        F(damaged_files_are_refused_wherever_the_damage_is),
                                        F(halves_that_do_not_belong_together_are_refused),
                                        F(the_quick_derivation_is_for_long_secrets_only),
                                        F(keys_of_other_implementations_cannot_be_saved),
                                        T(generation_holds_its_bounds),
                                        T(raw_decryption_gives_the_block_as_it_is),
                                        T(raw_decryption_takes_a_number_below_the_modulus_of_its_length),
                                        T(threads_share_one_key_through_a_narrow_gate) };
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    TEST_FILTER();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
