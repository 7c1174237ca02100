/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, sealing again, and sealing from many threads. */
#include "tests/unit/signer/helper.h"

#include "signer/journal.h"
#include <pthread.h>
#include <stdatomic.h>

static enum err count_one(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    (void)offset, (void)entry, (void)why;
    (*(size_t *)arg)++;
    return OK;
}

static size_t count_journal(const struct site *site)
{
    struct why why;
    size_t count = 0;
    uint64_t torn;
    AUTO_STR path = site_file(site, "journal");
    ASSERT_OK(journal_each(path, count_one, &count, &torn, &why), &why);
    return count;
}

TEST(the_same_tbs_gives_the_same_certificate)
{
    struct site site;
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF first = { 0 };
    AUTO_BUF again = { 0 };
    AUTO_BUF later = { 0 };
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &first, &why), &why);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&again), buf_bytes(&first));
    site_reopen(&site);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &later, &why), &why);
    ASSERT_BYTES(buf_bytes(&later), buf_bytes(&first));
    assert_int_equal(count_journal(&site), 1);
    site_close(&site);
}

TEST(a_serial_is_never_sealed_for_another_tbs)
{
    struct site site;
    struct leaf leaf;
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF other = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_BUF none = { 0 };
    uint8_t serial[SERIAL_BYTES];
    site_make(&site);
    site_open(&site);
    leaf_make(&site, &leaf);
    memcpy(serial, leaf.serial, sizeof(serial));
    leaf_tbs(&leaf, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &der, &why), &why);
    leaf_make(&site, &leaf);
    memcpy(leaf.serial, serial, sizeof(serial));
    leaf.params.not_after -= 1;
    leaf_tbs(&leaf, &other);
    for (int round = 0; round < 2; round++) {
        ASSERT_ERR(ERR_SIGNER_LIMIT, seal_cert(&site, buf_bytes(&other), &none, &why), &why);
        assert_non_null(strstr(why.text, "was sealed before, for another TBS"));
        site_reopen(&site);
    }
    assert_int_equal(count_journal(&site), 1);
    site_close(&site);
}

struct sealing {
    const struct site *site;
    struct bytes same;
    struct buf first;
    pthread_mutex_t lock;
    atomic_int wrong;
};

static void *seal_many(void *arg)
{
    struct sealing *sealing = arg;
    const struct site *site = sealing->site;
    for (int i = 0; i < 10; i++) {
        struct leaf leaf;
        struct why why;
        struct cert cert;
        AUTO_BUF tbs = { 0 };
        AUTO_BUF der = { 0 };
        AUTO_BUF same = { 0 };
        leaf_make(site, &leaf);
        leaf_tbs(&leaf, &tbs);
        if (seal_cert(site, buf_bytes(&tbs), &der, &why) != OK ||
            cert_parse(buf_bytes(&der), &cert, &why) != OK ||
            cert_verify(&cert, site->ca_key->public_half, &why) != OK ||
            !bytes_equal(cert.tbs, buf_bytes(&tbs)))
            sealing->wrong++;
        /* all of them want this one as well */
        if (seal_cert(site, sealing->same, &same, &why) != OK)
            sealing->wrong++;
        pthread_mutex_lock(&sealing->lock);
        if (sealing->first.len == 0)
            buf_append(&sealing->first, buf_bytes(&same));
        if (!bytes_equal(buf_bytes(&same), buf_bytes(&sealing->first)))
            sealing->wrong++;
        pthread_mutex_unlock(&sealing->lock);
    }
    return NULL;
}

TEST(sixty_four_threads_seal_and_agree_on_what_they_share)
{
    struct site site;
    AUTO_BUF same = { 0 };
    pthread_t threads[64];
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &same);
    struct sealing sealing = { .site = &site, .same = buf_bytes(&same) };
    pthread_mutex_init(&sealing.lock, NULL);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_many, &sealing), 0);
    for (size_t i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sealing.wrong, 0);
    assert_int_equal(count_journal(&site), 64 * 10 + 1);
    buf_free(&sealing.first);
    pthread_mutex_destroy(&sealing.lock);
    site_reopen(&site);
    site_close(&site);
}

static void open_refused(struct site *site, enum err err, const char *part)
{
    struct why why = { 0 };
    struct signer *signer = NULL;
    ASSERT_ERR(err, signer_open(site->config, &site->unlock, NULL, &site->clock, &signer, &why), &why);
    if (!strstr(why.text, part))
        fail_msg("\"%s\" lacks \"%s\"", why.text, part);
    assert_null(signer);
}

TEST(keys_and_certificates_must_be_there_and_belong_together)
{
    struct site site;
    struct why why;
    site_make(&site);
    AUTO(key) other = NULL;
    const struct key_spec spec = { .kind = KEY_EC_P256 };
    ASSERT_OK(key_generate(&spec, NULL, &other, &why), &why);
    AUTO_STR cert_path = site_file(&site, "certs/ca-issuing-1.crt.pem");
    AUTO_STR key_path = site_file(&site, "keys/ca-issuing-1.key.pem");
    site_ca(&site, other, KU_KEY_CERT_SIGN | KU_CRL_SIGN, true, "certs/ca-issuing-1.crt.pem");
    open_refused(&site, ERR_KEY, "is not the certificate of the key beside it");
    site_ca(&site, site.ca_key, KU_KEY_CERT_SIGN, true, "certs/ca-issuing-1.crt.pem");
    open_refused(&site, ERR_KEY, "is no certificate of a CA that signs certificates and CRLs");
    site_ca(&site, site.ca_key, KU_DIGITAL_SIGNATURE, false, "certs/ca-issuing-1.crt.pem");
    open_refused(&site, ERR_KEY, "is no certificate of a CA");
    unlink(cert_path);
    open_refused(&site, ERR_NOT_FOUND, "ca-issuing-1.crt.pem");
    ASSERT_OK(file_write(cert_path, BYTES_LIT("no PEM"), 0444, &why), &why);
    open_refused(&site, ERR_KEY, "has no certificate in PEM");
    site_ca(&site, site.ca_key, KU_KEY_CERT_SIGN | KU_CRL_SIGN, true, "certs/ca-issuing-1.crt.pem");
    site_open(&site);
    signer_free(TAKE(site.signer));
    secret_free(&site.unlock);
    site.unlock = secret_dup(BYTES_LIT("another secret"));
    open_refused(&site, ERR_KEY, "");
    unlink(key_path);
    open_refused(&site, ERR_KEY, "CA \"issuing\" has no key");
    site_close(&site);
}

/* The second generation signs; files of other CAs with like names do not count. */
TEST(the_highest_generation_signs)
{
    struct site site;
    struct why why;
    site_make(&site);
    struct key *second = NULL;
    const struct key_spec spec = { .kind = KEY_EC_P384 };
    ASSERT_OK(key_generate(&spec, NULL, &second, &why), &why);
    AUTO_STR path = site_file(&site, "keys/ca-issuing-10.key.pem");
    ASSERT_OK(key_file_save(second, path, &site.unlock, KEY_PROTECT_SECRET, &why), &why);
    static const char *const others[] = { "keys/ca-issuing-2-99.key.pem", "keys/ca-issuing-99.key.pem.new",
                                          "keys/ca-issuing-.key.pem", "keys/xca-issuing-99.key.pem" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        AUTO_STR other = site_file(&site, others[i]);
        ASSERT_OK(file_write(other, BYTES_LIT("x"), 0400, &why), &why);
    }
    key_free(site.ca_key);
    site.ca_key = second;
    site_ca(&site, second, KU_KEY_CERT_SIGN | KU_CRL_SIGN, true, "certs/ca-issuing-10.crt.pem");
    site_open(&site);
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    struct cert cert;
    good_tbs(&site, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, second->public_half, &why), &why);
    assert_int_equal(cert.algorithm.digest, DIGEST_SHA384);
    site_close(&site);
}

TEST(purposes_that_nobody_knows_are_refused_at_the_start)
{
    struct site site;
    site_make(&site);
    site_config(&site, "allowed_eku = {clientAuth, nonsense}");
    open_refused(&site, ERR_CONFIG, "option allowed_eku has \"nonsense\"");
    site_close(&site);
}

TEST(a_damaged_journal_stops_the_start)
{
    struct site site;
    struct why why;
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_BUF file = { 0 };
    site_make(&site);
    site_open(&site);
    good_tbs(&site, &tbs);
    ASSERT_OK(seal_cert(&site, buf_bytes(&tbs), &der, &why), &why);
    signer_free(TAKE(site.signer));
    AUTO_STR path = site_file(&site, "journal");
    ASSERT_OK(file_read(path, 1 << 20, &file, &why), &why);
    file.data[file.len / 2] ^= 1;
    ASSERT_OK(file_write(path, buf_bytes(&file), 0600, &why), &why);
    open_refused(&site, ERR_MALFORMED, "is damaged at offset 26");
    site_close(&site);
}

RUN(T(the_same_tbs_gives_the_same_certificate), T(a_serial_is_never_sealed_for_another_tbs),
    T(sixty_four_threads_seal_and_agree_on_what_they_share),
    T(keys_and_certificates_must_be_there_and_belong_together), T(the_highest_generation_signs),
    T(purposes_that_nobody_knows_are_refused_at_the_start), T(a_damaged_journal_stops_the_start))
