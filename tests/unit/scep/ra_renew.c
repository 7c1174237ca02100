/* SPDX-License-Identifier: Apache-2.0 */
/* RA sets renewed: new keys under the old names in files that load, and old generations that stay as long as they serve. */
#include "scep/ra_renew.h"

#include "base/encode.h"
#include "base/file.h"
#include "ipc/record.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include "x509/extension.h"
#include "x509/name.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY 86400LL

/* A ca that issues what is asked for, until it is told otherwise. */
struct issuing_ca {
    struct ca_client client;
    int calls, fails_at; /* 0: never */
    bool other_key;
};

static struct place {
    char dir[64];
    struct secret unlock;
    char *keys, *certs;
    struct issuing_ca ca;
} place;

static void certificate_make(struct bytes subject, struct bytes spki, const char *template, struct buf *ret)
{
    struct site *site = site_get();
    struct signature_algorithm algorithm = key_signature_algorithm(site->ca.key);
    uint8_t serial[SERIAL_BYTES];
    AUTO_BUF tbs = { 0 }, signature = { 0 };
    struct why why = { 0 };
    ASSERT_OK(serial_make(SITE_NOW, serial, &why), &why);
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = site->ca.cert.subject,
                                       .subject = subject,
                                       .spki = spki,
                                       .not_before = SITE_NOW,
                                       .not_after = SITE_NOW + 730 * DAY,
                                       .key_usage = strcmp(template, "CEPEncryption") == 0
                                                        ? KU_KEY_ENCIPHERMENT
                                                    : strcmp(template, "EnrollmentAgentOffline") == 0
                                                        ? KU_DIGITAL_SIGNATURE
                                                        : KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                                       .path_len = -1,
                                       .issuer_key_id = site->ca.cert.ski };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(key_sign(site->ca.key, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), ret);
}

static enum err issuing_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct issuing_ca *ca = (struct issuing_ca *)client;
    struct record record;
    struct bytes text;
    AUTO_BUF der = { 0 }, issued = { 0 };
    struct csr csr;
    assert_string_equal(verb, "issue");
    if (++ca->calls == ca->fails_at)
        return fail(why, ERR_UNAVAILABLE, "the test says no");
    ASSERT_OK(record_get(body, &record, why), why);
    AUTO_STR issuer = record_str(&record, "ca");
    AUTO_STR template = record_str(&record, "template");
    assert_string_equal(issuer, "issuing");
    assert_true(record_find(&record, "csr", &text) && base64_decode(text, false, &der));
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, why), why);
    certificate_make(csr.subject, ca->other_key ? site_get()->stranger.cert.spki : csr.spki, template,
                     &issued);
    der_put_octets(ret, buf_bytes(&issued));
    return OK;
}

static void issuing_free(struct ca_client *client)
{
    (void)client;
}

static struct ra_source source(void)
{
    return (struct ra_source){ place.keys, place.certs, &place.unlock, NULL };
}

static void put(const char *use, int generation, const struct identity *identity, const struct key *key_of)
{
    AUTO_STR key = xasprintf("%s/default-%s-%d.key.pem", place.keys, use, generation);
    AUTO_STR cert = xasprintf("%s/default-%s-%d.crt.pem", place.certs, use, generation);
    AUTO_BUF pem = { 0 };
    struct why why = { 0 };
    pem_append(&pem, "CERTIFICATE", buf_bytes(&identity->der));
    ASSERT_OK(file_write(cert, buf_bytes(&pem), 0444, &why), &why);
    ASSERT_OK(key_file_save(key_of, key, &place.unlock, KEY_PROTECT_SECRET, &why), &why);
}

static int begin(void **state)
{
    static const struct ca_client_ops ops = { "issuing", issuing_call, issuing_free, NULL };
    struct why why = { 0 };
    (void)state;
    place = (struct place){ .dir = "/tmp/chancery-ra-XXXXXX", .ca = { .client = { &ops } } };
    assert_non_null(mkdtemp(place.dir));
    place.keys = xasprintf("%s/keys", place.dir);
    place.certs = xasprintf("%s/certs", place.dir);
    ASSERT_OK(dir_make(place.keys, 0700, &why), &why);
    ASSERT_OK(dir_make(place.certs, 0755, &why), &why);
    ASSERT_OK(secret_random(32, &place.unlock, &why), &why);
    put("encryption", 1, &site_get()->encryption[0], site_get()->encryption[0].key);
    put("signature", 1, &site_get()->signature, site_get()->signature.key);
    return 0;
}

static int end(void **state)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", place.dir);
    (void)state;
    assert_int_equal(system(command), 0);
    secret_free(&place.unlock);
    free(place.keys);
    free(place.certs);
    return 0;
}

static struct ra_set *load(bool combined)
{
    const struct ra_source from = source();
    struct ra_set *set = NULL;
    struct why why = { 0 };
    struct site *site = site_get();
    ASSERT_OK(ra_set_load(&from, "default", combined, &set, &why), &why);
    ASSERT_OK(ra_set_check(set, &site->ca.cert, site->ca.key->public_half, &why), &why);
    return set;
}

static enum err renew(const struct ra_set *set, int *ret_generation, struct why *why)
{
    const struct ra_renewal renewal = { &place.ca.client, source(), "issuing", 0 };
    return ra_renew(&renewal, set, ret_generation, why);
}

TEST(a_renewed_set_has_new_keys_under_the_old_names)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    ASSERT_OK(renew(old, &generation, &why), &why);
    assert_int_equal(2, generation);
    AUTO(ra_set) set = load(false);
    assert_int_equal(2, set->count);
    assert_int_equal(2, set->signature_count);
    assert_int_equal(2, ra_set_recipient(set)->generation);
    assert_int_equal(2, ra_set_signer(set)->generation);
    ASSERT_BYTES(ra_set_recipient(set)->cert.subject, ra_set_recipient(old)->cert.subject);
    ASSERT_BYTES(ra_set_signer(set)->cert.subject, ra_set_signer(old)->cert.subject);
    assert_false(bytes_equal(ra_set_recipient(set)->cert.spki, ra_set_recipient(old)->cert.spki));
    assert_false(bytes_equal(ra_set_signer(set)->cert.spki, ra_set_signer(old)->cert.spki));
    assert_int_equal(2, place.ca.calls);
}

TEST(a_combined_set_is_renewed_as_one)
{
    put("combined", 3, &site_get()->combined, site_get()->signature.key); /* the same key */
    AUTO(ra_set) old = load(true);
    struct why why = { 0 };
    int generation = 0;
    ASSERT_OK(renew(old, &generation, &why), &why);
    AUTO(ra_set) set = load(true);
    assert_int_equal(4, generation);
    assert_int_equal(2, set->count);
    assert_int_equal(0, set->signature_count);
    assert_int_equal(4, ra_set_signer(set)->generation);
    assert_int_equal(1, place.ca.calls);
}

/* An error, or a crash and a new start: the set still loads, and the next renewal makes what is missing. */
TEST(a_renewal_that_fails_half_way_leaves_a_set_that_loads)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    place.ca.fails_at = 2;
    ASSERT_ERR(ERR_UNAVAILABLE, renew(old, &generation, &why), &why);
    AUTO(ra_set) half = load(false);
    assert_int_equal(1, half->count);
    assert_int_equal(2, half->signature_count);
    ASSERT_OK(renew(half, &generation, &why), &why);
    assert_int_equal(2, generation);
    AUTO(ra_set) set = load(false);
    assert_int_equal(2, set->count);
    assert_int_equal(2, ra_set_recipient(set)->generation);
    assert_int_equal(2, ra_set_signer(set)->generation);
}

/* The service goes on with the set that it has, and tries each minute. */
TEST(a_renewal_that_fails_again_and_again_asks_once_for_what_it_has_and_then_ends_well)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    for (int try = 2; try < 5; try++) {
        place.ca.fails_at = try;
        ASSERT_ERR(ERR_UNAVAILABLE, renew(old, &generation, &why), &why);
        AUTO(ra_set) half = load(false);
        assert_int_equal(2, half->signature_count);
    }
    assert_int_equal(4, place.ca.calls); /* one signature certificate, and three times none */
    ASSERT_OK(renew(old, &generation, &why), &why);
    assert_int_equal(2, generation);
    AUTO(ra_set) set = load(false);
    assert_int_equal(2, ra_set_recipient(set)->generation);
    assert_int_equal(2, ra_set_signer(set)->generation);
}

TEST(a_certificate_of_another_key_is_not_kept)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    place.ca.other_key = true;
    ASSERT_ERR(ERR_PROTOCOL, renew(old, &generation, &why), &why);
    AUTO(ra_set) set = load(false);
    assert_int_equal(1, set->signature_count);
}

TEST(a_full_set_is_not_renewed)
{
    struct why why = { 0 };
    int generation = 0;
    for (int i = 2; i <= RA_GENERATIONS_MAX; i++)
        put("encryption", i, &site_get()->encryption[0], site_get()->encryption[0].key);
    AUTO(ra_set) set = load(false);
    ASSERT_ERR(ERR_LIMIT, renew(set, &generation, &why), &why);
    assert_int_equal(0, place.ca.calls);
}

/* Whoever renews every week would be without RA certificates when all eight end. */
TEST(a_renewal_by_hand_leaves_a_place_for_the_one_that_comes_by_itself)
{
    struct why why = { 0 };
    int generation = 0;
    const struct ra_renewal by_hand = { &place.ca.client, source(), "issuing", 1 };
    for (int i = 2; i < RA_GENERATIONS_MAX; i++)
        put("encryption", i, &site_get()->encryption[0], site_get()->encryption[0].key);
    AUTO(ra_set) set = load(false);
    ASSERT_ERR(ERR_LIMIT, ra_renew(&by_hand, set, &generation, &why), &why);
    assert_non_null(strstr(why.text, "has 7 generations already, limit 8 with one"));
    ASSERT_OK(renew(set, &generation, &why), &why);
}

TEST(a_set_is_due_before_its_first_end)
{
    AUTO(ra_set) set = load(false);
    int64_t ends = ra_set_end(set);
    assert_true(ra_set_is_due(set, ends - 60 * DAY + 1, 60 * DAY));
    assert_false(ra_set_is_due(set, ends - 60 * DAY, 60 * DAY));
    assert_false(ra_set_is_due(set, ends + DAY, INT64_MIN)); /* never by itself */
    assert_true(ra_set_is_due(set, 0, INT64_MAX));           /* now */
}

/* A device that fetched the previous certificates encrypts to one of them, and knows the signature beside it. */
TEST(what_was_encrypted_to_a_generation_is_signed_by_the_same)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    ASSERT_OK(renew(old, &generation, &why), &why);
    AUTO(ra_set) set = load(false);
    assert_int_equal(1, ra_set_signer_for(set, 0, SITE_NOW)->generation);
    assert_int_equal(2, ra_set_signer_for(set, 1, SITE_NOW)->generation);
    int64_t ended = set->signature[0].cert.not_after + 1;
    assert_int_equal(2, ra_set_signer_for(set, 0, ended)->generation);
    set->encryption[0].generation = 7; /* without a signature of its own */
    assert_int_equal(2, ra_set_signer_for(set, 0, SITE_NOW)->generation);
}

static bool is_generation(void *arg, const struct ra_key *held)
{
    return held->generation == *(const int *)arg;
}

static enum err forget_with(const struct ra_set *set, int64_t now, int compromised, size_t *ret_count,
                            struct why *why)
{
    const struct ra_source from = source();
    const struct ra_forgetting forgetting = { &from, set, now, is_generation, &compromised };
    return ra_forget(&forgetting, ret_count, why);
}

static enum err forget(const struct ra_set *set, int64_t now, size_t *ret_count, struct why *why)
{
    return forget_with(set, now, 0, ret_count, why);
}

TEST(a_key_that_somebody_else_may_have_is_removed_once_there_is_another)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    size_t count = 9;
    ASSERT_OK(forget_with(old, SITE_NOW, 1, &count, &why), &why);
    assert_int_equal(0, count); /* the current one stays: without it nothing would answer */
    ASSERT_OK(renew(old, &generation, &why), &why);
    AUTO(ra_set) set = load(false);
    assert_int_equal(2, set->count);
    ASSERT_OK(forget_with(set, SITE_NOW, 1, &count, &why), &why);
    assert_int_equal(2, count);
    AUTO(ra_set) left = load(false);
    assert_int_equal(1, left->count);
    assert_int_equal(2, ra_set_recipient(left)->generation);
    assert_int_equal(2, ra_set_signer(left)->generation);
}

TEST(keys_of_generations_that_ended_long_ago_are_removed_but_the_current_one)
{
    AUTO(ra_set) old = load(false);
    struct why why = { 0 };
    int generation = 0;
    size_t count = 9;
    ASSERT_OK(renew(old, &generation, &why), &why);
    AUTO(ra_set) set = load(false);
    int64_t ended = old->encryption[0].cert.not_after;
    ASSERT_OK(forget(set, ended + RA_KEPT_S, &count, &why), &why);
    assert_int_equal(0, count);
    ASSERT_OK(forget(set, ended + RA_KEPT_S + 1, &count, &why), &why);
    assert_int_equal(2, count);
    AUTO(ra_set) left = load(false);
    assert_int_equal(1, left->count);
    assert_int_equal(2, ra_set_recipient(left)->generation);
    ASSERT_OK(forget(left, INT64_MAX, &count, &why), &why);
    assert_int_equal(0, count);
}

#define R(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(R(a_renewed_set_has_new_keys_under_the_old_names), R(a_combined_set_is_renewed_as_one),
    R(a_renewal_that_fails_half_way_leaves_a_set_that_loads),
    R(a_renewal_that_fails_again_and_again_asks_once_for_what_it_has_and_then_ends_well),
    R(a_certificate_of_another_key_is_not_kept), R(a_full_set_is_not_renewed),
    R(a_renewal_by_hand_leaves_a_place_for_the_one_that_comes_by_itself),
    R(a_set_is_due_before_its_first_end), R(what_was_encrypted_to_a_generation_is_signed_by_the_same),
    R(a_key_that_somebody_else_may_have_is_removed_once_there_is_another),
    R(keys_of_generations_that_ended_long_ago_are_removed_but_the_current_one))
