/* SPDX-License-Identifier: Apache-2.0 */
/* A CA whose CRL is partitioned, in both databases; OpenSSL judges what is published. */
#include "ca/partition.h"
#include "ca/schema.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/store/place.h"

#include "base/file.h"
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#define PARTITIONS 4

static struct place place;
static struct world *world;

static int begin_with(unsigned partitions)
{
    struct store_config config = place_config(&place, ca_migrations, ca_migration_count);
    world_store = &config;
    world_partitions = partitions;
    world = world_new(KEY_EC_P256);
    world_store = NULL;
    world_partitions = 0;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(PARTITIONS);
}

static int begin_whole(void **state)
{
    (void)state;
    return begin_with(1);
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

/* --- certificates --- */

struct leaf {
    struct buf der, serial;
    unsigned partition;
};

static void leaf_free(struct leaf *leaf)
{
    buf_free(&leaf->der);
    buf_free(&leaf->serial);
}

static struct leaf leaf_new(void)
{
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    struct why why = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct leaf leaf = { 0 };
    struct cert cert;
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    leaf.der = buf_dup(buf_bytes(&got.certificate));
    ASSERT_OK(cert_parse(buf_bytes(&leaf.der), &cert, &why), &why);
    serial_append_text(&leaf.serial, cert.serial);
    leaf.partition = crl_partition_of(PARTITIONS, cert.serial);
    device_free(&device);
    return leaf;
}

/* Enrols until there is one in that partition; 0: in any. */
static struct leaf leaf_in(unsigned partition)
{
    for (int tries = 0; tries < 200; tries++) {
        struct leaf leaf = leaf_new();
        if (!partition || leaf.partition == partition)
            return leaf;
        leaf_free(&leaf);
    }
    fail_msg("none of 200 serials is in partition %u", partition);
    return (struct leaf){ 0 };
}

static void issue_one(void)
{
    struct leaf leaf = leaf_new();
    leaf_free(&leaf);
}

static unsigned other_than(unsigned partition)
{
    return 1 + partition % PARTITIONS;
}

static enum err leaf_revoke(struct leaf *leaf, enum crl_reason reason, struct why *why)
{
    struct revocation revocation = { buf_text(&leaf->serial), "cli", reason };
    bool changed;
    return ca_revoke(world->ca, world_issuer(world), &revocation, &changed, why);
}

/* --- CRLs --- */

static struct crl_state current(unsigned partition, struct buf *ret_der)
{
    const struct crl_scope scope = { world_issuer(world), CRL_FULL, partition };
    struct crl_state state;
    struct why why = { 0 };
    ASSERT_OK(crl_current(world->ca, &scope, &state, ret_der, &why), &why);
    return state;
}

static void due(void)
{
    struct why why = { 0 };
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
}

static X509 *openssl_cert(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(cert);
    return cert;
}

/* What OpenSSL says of a certificate when it has the CRL of one partition. */
static int judged(const struct leaf *leaf, unsigned partition)
{
    AUTO_BUF der = { 0 };
    current(partition, &der);
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    X509 *ca = openssl_cert(buf_bytes(&world->ca_cert)), *cert = openssl_cert(buf_bytes(&leaf->der));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_true(crl && X509_STORE_add_cert(store, ca) && X509_STORE_add_crl(store, crl));
    assert_true(X509_STORE_CTX_init(context, store, cert, NULL));
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT);
    X509_STORE_CTX_set_time(context, 0, (time_t)world->clock.held);
    int error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(cert);
    X509_free(ca);
    X509_CRL_free(crl);
    return error;
}

TEST(each_certificate_names_the_crl_of_its_partition)
{
    for (unsigned i = 1; i <= PARTITIONS; i++) {
        AUTO_VAL(leaf) leaf = leaf_in(i);
        struct why why = { 0 };
        struct cert cert;
        struct extension extension;
        ASSERT_OK(cert_parse(buf_bytes(&leaf.der), &cert, &why), &why);
        assert_true(extension_find(cert.extensions, OID_EXT_CDP, &extension));
        assert_true(crl_partition_is_cdp(&world_issuer(world)->partitions, i, extension.value));
        AUTO_STR url = xasprintf("http://ca.example/issuing-%u.crl", i);
        assert_non_null(memmem(extension.value.data, extension.value.len, url, strlen(url)));
        AUTO_STR sql =
            xasprintf("SELECT crl_partition FROM certificate WHERE serial = '%s'", buf_text(&leaf.serial));
        assert_int_equal(i, world_count(world, sql));
    }
}

TEST(a_revocation_is_at_once_in_the_crl_of_its_partition_and_in_no_other)
{
    AUTO_VAL(leaf) leaf = leaf_in(0);
    struct why why = { 0 };
    unsigned other = other_than(leaf.partition);
    due();
    int64_t before = current(other, NULL).number;
    ASSERT_OK(leaf_revoke(&leaf, CRL_KEY_COMPROMISE, &why), &why);
    assert_int_equal(1, current(leaf.partition, NULL).entries);
    assert_int_equal(PARTITIONS + 1, current(leaf.partition, NULL).number);
    assert_int_equal(before, current(other, NULL).number);
    due(); /* the others lack nothing */
    for (unsigned i = 1; i <= PARTITIONS; i++)
        assert_int_equal(i == leaf.partition, current(i, NULL).entries);
    assert_int_equal(PARTITIONS + 1, world_count(world, "SELECT COUNT(*) FROM crl"));
    assert_int_equal(PARTITIONS, world_count(world, "SELECT COUNT(*) FROM crl WHERE der IS NOT NULL"));
}

TEST(openssl_judges_by_the_crl_of_the_partition_alone)
{
    AUTO_VAL(leaf) revoked = leaf_in(0);
    AUTO_VAL(leaf) beside = leaf_in(revoked.partition);
    AUTO_VAL(leaf) elsewhere = leaf_in(other_than(revoked.partition));
    struct why why = { 0 };
    ASSERT_OK(leaf_revoke(&revoked, CRL_KEY_COMPROMISE, &why), &why);
    due();
    assert_int_equal(X509_V_ERR_CERT_REVOKED, judged(&revoked, revoked.partition));
    assert_int_equal(X509_V_OK, judged(&beside, revoked.partition));
    assert_int_equal(X509_V_OK, judged(&elsewhere, elsewhere.partition));
    int error = judged(&elsewhere, revoked.partition);
    assert_true(error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_DIFFERENT_CRL_SCOPE);
    assert_int_not_equal(X509_V_OK, judged(&revoked, other_than(revoked.partition)));
}

TEST(numbers_grow_over_all_partitions)
{
    struct why why = { 0 };
    int64_t last = 0;
    due();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= PARTITIONS; i++) {
            assert_int_equal(last + 1, current(i, NULL).number);
            last = current(i, NULL).number;
        }
        ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    }
    ASSERT_OK(crl_publish_partition(world->ca, world_issuer(world), 2, &why), &why);
    assert_int_equal(3 * PARTITIONS + 1, current(2, NULL).number);
    ASSERT_ERR(ERR_USAGE, crl_publish_partition(world->ca, world_issuer(world), 0, &why), &why);
    ASSERT_ERR(ERR_USAGE, crl_publish_partition(world->ca, world_issuer(world), PARTITIONS + 1, &why), &why);
}

TEST(a_revocation_whose_crl_failed_is_caught_up_in_its_partition)
{
    AUTO_VAL(leaf) leaf = leaf_in(0);
    struct why why = { 0 };
    due();
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, leaf_revoke(&leaf, CRL_KEY_COMPROMISE, &why), &why);
    world->seal_error = OK;
    assert_int_equal(0, current(leaf.partition, NULL).entries);
    due();
    assert_int_equal(1, current(leaf.partition, NULL).entries);
    assert_int_equal(PARTITIONS + 1, world_count(world, "SELECT COUNT(*) FROM crl"));
}

TEST(a_released_certificate_leaves_the_crl_of_its_partition)
{
    AUTO_VAL(leaf) leaf = leaf_in(0);
    struct why why = { 0 };
    ASSERT_OK(leaf_revoke(&leaf, CRL_CERTIFICATE_HOLD, &why), &why);
    assert_int_equal(1, current(leaf.partition, NULL).entries);
    ASSERT_OK(ca_release(world->ca, world_issuer(world), buf_text(&leaf.serial), "cli", &why), &why);
    assert_int_equal(0, current(leaf.partition, NULL).entries);
}

TEST(each_partition_is_published_when_it_is_due)
{
    struct why why = { 0 };
    due();
    world->clock.held += 86400;
    ASSERT_OK(crl_publish_partition(world->ca, world_issuer(world), 3, &why), &why);
    world->clock.held = NOW + 7 * 86400;
    due();
    assert_int_equal(NOW + 86400, current(3, NULL).this_update);
    assert_int_equal(NOW + 7 * 86400, current(2, NULL).this_update);
    assert_int_equal(PARTITIONS + 1, current(3, NULL).number);
}

TEST(each_partition_has_its_file_also_after_a_crash)
{
    struct why why = { 0 };
    due();
    for (unsigned i = 1; i <= PARTITIONS; i++) {
        AUTO_STR path = xasprintf("%s/crl/issuing-%u.crl", world->folder, i);
        AUTO_BUF file = { 0 }, again = { 0 }, der = { 0 };
        current(i, &der);
        ASSERT_OK(file_read(path, 1 << 20, &file, &why), &why);
        ASSERT_BYTES(buf_bytes(&der), buf_bytes(&file));
        assert_int_equal(0, unlink(path));
        world_issuer(world)->crl_file_is_last[CRL_FULL][i] = false; /* as the next start has it */
        due();
        ASSERT_OK(file_read(path, 1 << 20, &again, &why), &why);
        ASSERT_BYTES(buf_bytes(&der), buf_bytes(&again));
    }
}

/* --- the choice --- */

static enum err fix_with(unsigned count, const char *const *urls, size_t url_count, struct why *why)
{
    struct issuer *issuer = world_issuer(world);
    const struct crl_partitions was = issuer->partitions;
    char **cdp = issuer->cdp;
    size_t cdp_count = issuer->cdp_count;
    issuer->partitions.count = count;
    if (urls) {
        issuer->cdp = (char **)urls;
        issuer->cdp_count = url_count;
    }
    enum err err = partitions_fix(world->ca, why);
    issuer->partitions = was;
    issuer->cdp = cdp;
    issuer->cdp_count = cdp_count;
    return err;
}

TEST(the_number_of_partitions_is_fixed_once_the_ca_has_issued)
{
    struct why why = { 0 };
    ASSERT_OK(fix_with(8, NULL, 0, &why), &why); /* nothing was issued yet */
    ASSERT_OK(fix_with(PARTITIONS, NULL, 0, &why), &why);
    issue_one();
    ASSERT_OK(fix_with(PARTITIONS, NULL, 0, &why), &why);
    ASSERT_ERR(ERR_CONFIG, fix_with(8, NULL, 0, &why), &why);
    assert_non_null(strstr(why.text, "crl_partitions is 8"));
    assert_non_null(strstr(why.text, "CRLs of 4;"));
    ASSERT_ERR(ERR_CONFIG, fix_with(1, NULL, 0, &why), &why);
    ASSERT_OK(fix_with(PARTITIONS, NULL, 0, &why), &why);
}

TEST(a_ca_that_issued_without_partitions_stays_without)
{
    struct why why = { 0 };
    issue_one();
    ASSERT_OK(fix_with(1, NULL, 0, &why), &why);
    ASSERT_ERR(ERR_CONFIG, fix_with(2, NULL, 0, &why), &why);
    assert_non_null(strstr(why.text, "crl_partitions is 2"));
    assert_non_null(strstr(why.text, "CRLs of 1;"));
    assert_int_equal(0,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE crl_partition IS NOT NULL"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM ca_setting"));
}

TEST(a_url_that_every_certificate_has_stays_configured)
{
    static const char *const old[] = { "http://ca.example/issuing-%p.crl",
                                       "http://new.example/issuing-%p.crl" };
    struct why why = { 0 };
    ASSERT_OK(fix_with(PARTITIONS, &old[1], 1, &why), &why); /* nothing was issued yet */
    ASSERT_OK(fix_with(PARTITIONS, NULL, 0, &why), &why);
    issue_one();
    ASSERT_ERR(ERR_CONFIG, fix_with(PARTITIONS, &old[1], 1, &why), &why);
    assert_non_null(strstr(why.text, "begins with \"http://new.example/issuing-%p.crl\""));
    assert_non_null(strstr(why.text, "a list with \"http://ca.example/issuing-%p.crl\""));
    ASSERT_OK(fix_with(PARTITIONS, old, 2, &why), &why); /* one more may come */
    ASSERT_ERR(ERR_CONFIG, fix_with(PARTITIONS, &old[1], 1, &why), &why);
}

/* --- who asks --- */

static unsigned partition_of_answer(const struct buf *answer)
{
    struct der_reader in = der_reader_over(buf_bytes(answer));
    struct why why = { 0 };
    struct bytes der;
    struct crl crl;
    assert_true(der_get_octets(&in, &der) && der_at_end(&in));
    ASSERT_OK(crl_parse(der, &crl, &why), &why);
    return crl_partition_by_idp(&world_issuer(world)->partitions, crl.idp);
}

TEST(scep_gets_the_crl_of_the_serial_it_asks_about)
{
    struct why why = { 0 };
    due();
    for (unsigned i = 1; i <= PARTITIONS; i++) {
        AUTO_VAL(leaf) leaf = leaf_in(i);
        AUTO_BUF answer = { 0 };
        ASSERT_OK(CALL("get_crl", &answer, &why, "endpoint", "static", "serial", buf_text(&leaf.serial)),
                  &why);
        assert_int_equal(i, partition_of_answer(&answer));
    }
    AUTO_BUF answer = { 0 };
    ASSERT_ERR(ERR_USAGE, CALL("get_crl", &answer, &why, "endpoint", "static"), &why);
}

/* As va does: from the last number that it has to the next, until there is none. */
TEST(va_gets_the_crls_of_all_partitions_in_the_order_of_their_numbers)
{
    struct why why = { 0 };
    due();
    ASSERT_OK(crl_publish_partition(world->ca, world_issuer(world), 2, &why), &why);
    static const unsigned order[] = { 1, 3, 4, 2 };
    int64_t known = 0;
    for (size_t i = 0; i < PARTITIONS; i++) {
        AUTO_BUF answer = { 0 };
        AUTO_STR number = xasprintf("%lld", (long long)known);
        ASSERT_OK(CALL("crl_get", &answer, &why, "kind", "full", "number", number), &why);
        assert_int_equal(order[i], partition_of_answer(&answer));
        known = current(order[i], NULL).number;
    }
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("crl_get", &answer, &why, "kind", "full", "number", "5"), &why);
    ASSERT_BYTES(BYTES_LIT("\x05\x00"), buf_bytes(&answer));
}

static enum err keep_work(struct store_tx *tx, void *arg, struct why *why)
{
    return crl_keep(tx, arg, why);
}

/* As another ca node would that took its number before and is later to keep it: va has gone on from the number after it. */
TEST(none_is_kept_after_one_of_a_later_number_of_any_partition)
{
    const struct crl_scope scope = { world_issuer(world), CRL_FULL, 1 };
    struct crl_state state = { .this_update = NOW, .next_update = NOW + 60 };
    struct crl_keep keep = { world->ca, &scope, &state, BYTES_LIT("\x30\x00") };
    struct why why = { 0 };
    due();
    state.number = PARTITIONS + 1;
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, crl_publish_partition(world->ca, world_issuer(world), 2, &why), &why);
    world->seal_error = OK;
    ASSERT_OK(crl_publish_partition(world->ca, world_issuer(world), 2, &why), &why);
    ASSERT_ERR(ERR_BUSY, store_write(world->store, keep_work, &keep, &why), &why);
    state.number += 2;
    ASSERT_OK(store_write(world->store, keep_work, &keep, &why), &why);
}

TEST(administrators_see_all_partitions_or_one)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_NOT_FOUND, CALL("crl_show", &answer, &why, "ca", "issuing"), &why);
    ASSERT_OK(CALL("crl_publish", &answer, &why, "ca", "issuing"), &why);
    assert_int_equal(PARTITIONS, answer_count(&answer));
    buf_clear(&answer);
    ASSERT_OK(CALL("crl_publish", &answer, &why, "ca", "issuing", "partition", "3"), &why);
    assert_int_equal(1, answer_count(&answer));
    answer_assert(&answer, "partition", "3");
    answer_assert(&answer, "number", "5");
    buf_clear(&answer);
    ASSERT_OK(CALL("crl_show", &answer, &why, "partition", "4"), &why);
    answer_assert(&answer, "number", "4");
    ASSERT_OK(CALL("crl_export", &answer, &why, "partition", "4"), &why);
    ASSERT_ERR(ERR_USAGE, CALL("crl_export", &answer, &why, "ca", "issuing"), &why);
    ASSERT_ERR(ERR_USAGE, CALL("crl_show", &answer, &why, "partition", "5"), &why);
    ASSERT_ERR(ERR_USAGE, CALL("crl_show", &answer, &why, "partition", "0"), &why);
    ASSERT_ERR(ERR_WRONG_STATE, CALL("crl_show", &answer, &why, "kind", "delta"), &why);
}

TEST(a_complete_crl_has_no_partitions_to_ask_for)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_USAGE, CALL("crl_publish", &answer, &why, "partition", "1"), &why);
    ASSERT_OK(CALL("crl_publish", &answer, &why, "ca", "issuing"), &why);
    assert_int_equal(1, answer_count(&answer));
    ASSERT_OK(CALL("get_crl", &answer, &why, "endpoint", "static"), &why);
}

TEST(the_status_tells_of_the_crl_that_ends_first)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    char ends[21];
    due();
    clock_rfc3339(NOW + 8 * 86400, ends);
    world->clock.held += 1000;
    for (unsigned i = 1; i <= PARTITIONS; i++) {
        if (i != 3)
            ASSERT_OK(crl_publish_partition(world->ca, world_issuer(world), i, &why), &why);
    }
    ASSERT_OK(CALL("status", &answer, &why, "ca", "issuing"), &why);
    answer_assert(&answer, "crl_next_update", ends);
    answer_assert(&answer, "crl_number", "7");
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define W(name) cmocka_unit_test_setup_teardown(name, begin_whole, end)
int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        E(each_certificate_names_the_crl_of_its_partition),
        E(a_revocation_is_at_once_in_the_crl_of_its_partition_and_in_no_other),
        E(openssl_judges_by_the_crl_of_the_partition_alone),
        E(numbers_grow_over_all_partitions),
        E(a_revocation_whose_crl_failed_is_caught_up_in_its_partition),
        E(a_released_certificate_leaves_the_crl_of_its_partition),
        E(each_partition_is_published_when_it_is_due),
        E(each_partition_has_its_file_also_after_a_crash),
        E(the_number_of_partitions_is_fixed_once_the_ca_has_issued),
        W(a_ca_that_issued_without_partitions_stays_without),
        E(a_url_that_every_certificate_has_stays_configured),
        E(scep_gets_the_crl_of_the_serial_it_asks_about),
        E(va_gets_the_crls_of_all_partitions_in_the_order_of_their_numbers),
        E(none_is_kept_after_one_of_a_later_number_of_any_partition),
        E(administrators_see_all_partitions_or_one),
        W(a_complete_crl_has_no_partitions_to_ask_for),
        E(the_status_tells_of_the_crl_that_ends_first),
    };
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    return place_run(&place, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
