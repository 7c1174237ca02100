/* SPDX-License-Identifier: Apache-2.0 */
/* A role's TLS certificate renewed: when it is time, which files there are after each step that a crash may follow, and which go. */
#include "http/tls_renew.h"

#include "base/encode.h"
#include "base/file.h"
#include "ipc/record.h"
#include "tests/unit/test.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/san.h"
#include <unistd.h>

#define NOW 1795000000
#define DAY 86400LL

/* A ca that certifies what is asked for, until it is told otherwise. */
struct issuing_ca {
    struct ca_client client;
    enum err refuses;
    bool other_key, other_names;
    int calls;
    struct buf last_spki;
};

static struct place {
    char dir[64];
    char *keys, *certs;
    struct secret unlock;
    struct key *ca_key;
    struct issuing_ca ca;
} place;

static void names_put(const char *name, struct buf *ret)
{
    AUTO_BUF list = { 0 };
    AUTO_STR text = xasprintf("dns:%s", name);
    struct why why = { 0 };
    ASSERT_OK(san_put_text(&list, text, &why), &why);
    san_put_end(ret, buf_bytes(&list));
}

struct leaf {
    struct bytes subject, san, spki;
    int64_t from, days;
};

static void certificate_make(const struct leaf *leaf, struct buf *ret)
{
    const struct signature_algorithm algorithm = key_signature_algorithm(place.ca_key);
    uint8_t serial[SERIAL_BYTES], id[20];
    AUTO_BUF issuer = { 0 }, tbs = { 0 }, signature = { 0 };
    struct why why = { 0 };
    ASSERT_OK(name_from_text("CN=\"CA\"", &issuer, &why), &why);
    ASSERT_OK(serial_make(NOW, serial, &why), &why);
    ASSERT_OK(spki_key_identifier(public_key_spki(place.ca_key->public_half), id, &why), &why);
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = buf_bytes(&issuer),
                                       .subject = leaf->subject,
                                       .spki = leaf->spki,
                                       .not_before = leaf->from,
                                       .not_after = leaf->from + leaf->days * DAY,
                                       .key_usage = KU_DIGITAL_SIGNATURE,
                                       .path_len = -1,
                                       .san = leaf->san,
                                       .issuer_key_id = BYTES_ARR(id) };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(key_sign(place.ca_key, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), ret);
}

static void field_get(const struct record *record, const char *name, struct buf *ret)
{
    struct bytes text;
    assert_true(record_find(record, name, &text) && base64_decode(text, false, ret));
}

static enum err issuing_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct issuing_ca *ca = (struct issuing_ca *)client;
    struct record record;
    struct csr csr;
    struct cert old;
    AUTO_BUF der = { 0 }, certificate = { 0 }, proof = { 0 }, said = { 0 }, issued = { 0 }, names = { 0 };
    AUTO(public_key) key = NULL;
    ca->calls++;
    assert_string_equal(verb, "tls_renew");
    ASSERT_OK(record_get(body, &record, why), why);
    field_get(&record, "csr", &der);
    field_get(&record, "certificate", &certificate);
    field_get(&record, "proof", &proof);
    ASSERT_OK(csr_parse(buf_bytes(&der), &csr, why), why);
    ASSERT_OK(cert_parse(buf_bytes(&certificate), &old, why), why);
    buf_append(&said, bytes_of("chancery tls renewal", 21));
    buf_append(&said, buf_bytes(&der));
    ASSERT_OK(public_key_parse(old.spki, &key, why), why);
    const struct signature_algorithm algorithm = public_key_signature_algorithm(key);
    ASSERT_OK(public_key_verify(key, algorithm, buf_bytes(&said), buf_bytes(&proof), why), why);
    buf_free(&ca->last_spki);
    ca->last_spki = buf_dup(csr.spki);
    if (ca->refuses != OK)
        return fail(why, ca->refuses, "the test says no");
    names_put("other.example", &names);
    const struct leaf leaf = { csr.subject, ca->other_names ? buf_bytes(&names) : csr.san,
                               ca->other_key ? public_key_spki(place.ca_key->public_half) : csr.spki, NOW,
                               365 };
    certificate_make(&leaf, &issued);
    size_t mark = der_begin(ret, DER_SEQUENCE);
    der_put_octets(ret, buf_bytes(&issued));
    der_put_octets(ret, buf_bytes(&issued)); /* in place of the CA's: nobody looks into it */
    der_end(ret, mark);
    return OK;
}

static void issuing_free(struct ca_client *client)
{
    (void)client;
}

/* A generation on disk; number 0: its certificate is tls.crt.pem. */
static void put(int generation, bool numbered, const char *name, int64_t from)
{
    struct key *key = NULL;
    struct why why = { 0 };
    AUTO_BUF subject = { 0 }, san = { 0 }, der = { 0 }, pem = { 0 };
    AUTO_STR number = xasprintf("-%d", generation);
    AUTO_STR key_path = xasprintf("%s/tls-%d.key.pem", place.keys, generation);
    AUTO_STR cert_path = xasprintf("%s/tls%s.crt.pem", place.certs, numbered ? number : "");
    AUTO_STR text = xasprintf("CN=\"%s\"", name);
    ASSERT_OK(key_generate(&(struct key_spec){ .kind = KEY_EC_P384 }, NULL, &key, &why), &why);
    ASSERT_OK(name_from_text(text, &subject, &why), &why);
    names_put(name, &san);
    const struct leaf leaf = { buf_bytes(&subject), buf_bytes(&san), public_key_spki(key->public_half), from,
                               365 };
    certificate_make(&leaf, &der);
    pem_append(&pem, "CERTIFICATE", buf_bytes(&der));
    ASSERT_OK(file_write(cert_path, buf_bytes(&pem), 0444, &why), &why);
    ASSERT_OK(key_file_save(key, key_path, &place.unlock, KEY_PROTECT_SECRET, &why), &why);
    key_free(key);
}

static int begin(void **state)
{
    static const struct ca_client_ops ops = { "issuing", issuing_call, issuing_free, NULL };
    struct why why = { 0 };
    (void)state;
    place = (struct place){ .dir = "/tmp/chancery-tls-XXXXXX", .ca = { .client = { &ops } } };
    assert_non_null(mkdtemp(place.dir));
    place.keys = xasprintf("%s/keys", place.dir);
    place.certs = xasprintf("%s/certs", place.dir);
    ASSERT_OK(dir_make(place.keys, 0700, &why), &why);
    ASSERT_OK(dir_make(place.certs, 0755, &why), &why);
    ASSERT_OK(secret_random(32, &place.unlock, &why), &why);
    ASSERT_OK(key_generate(&(struct key_spec){ .kind = KEY_EC_P256 }, NULL, &place.ca_key, &why), &why);
    return 0;
}

static int end(void **state)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", place.dir);
    (void)state;
    assert_int_equal(system(command), 0);
    secret_free(&place.unlock);
    key_free(place.ca_key);
    buf_free(&place.ca.last_spki);
    free(place.keys);
    free(place.certs);
    return 0;
}
#define P(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct tls_store store(void)
{
    return (struct tls_store){ place.keys, place.certs, &place.unlock, NULL };
}

static enum err renew(int *ret_generation, struct why *why)
{
    const struct tls_store from = store();
    return tls_renew(&from, &place.ca.client, ret_generation, why);
}

static bool is_there(const char *file)
{
    AUTO_STR path = xasprintf("%s/%s", place.dir, file);
    return access(path, F_OK) == 0;
}

/* What is served now: its key fits its certificate. */
static void serves(int generation)
{
    AUTO_VAL(tls_pair) pair = { 0 };
    AUTO_BUF der = { 0 };
    AUTO(key) key = NULL;
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(tls_pair_of(place.keys, place.certs, &pair, &why), &why);
    assert_int_equal(generation, pair.generation);
    ASSERT_OK(tls_pair_cert(&pair, &der, &cert, &why), &why);
    ASSERT_OK(key_file_load(pair.key_path, &place.unlock, NULL, &key, &why), &why);
    ASSERT_BYTES(cert.spki, public_key_spki(key->public_half));
}

TEST(a_year_s_certificate_is_due_a_month_before_its_end_and_a_short_one_after_two_thirds)
{
    const struct cert year = { .not_before = NOW, .not_after = NOW + 365 * DAY };
    const struct cert month = { .not_before = NOW, .not_after = NOW + 30 * DAY };
    assert_int_equal(NOW + 335 * DAY, tls_renewal_due(&year));
    assert_int_equal(NOW + 20 * DAY, tls_renewal_due(&month));
}

TEST(a_renewal_makes_the_next_generation_with_a_key_of_the_same_kind)
{
    struct why why = { 0 };
    int generation = 0;
    AUTO(key) key = NULL;
    put(1, true, "pki.example", NOW);
    ASSERT_OK(renew(&generation, &why), &why);
    assert_int_equal(2, generation);
    serves(2);
    AUTO_STR path = xasprintf("%s/tls-2.key.pem", place.keys);
    ASSERT_OK(key_file_load(path, &place.unlock, NULL, &key, &why), &why);
    assert_int_equal(KEY_EC_P384, public_key_kind(key->public_half));
    assert_true(is_there("keys/tls-1.key.pem"));
    assert_false(is_there("keys/tls-next.key.pem"));
}

TEST(a_site_of_an_earlier_version_has_a_certificate_without_a_number)
{
    struct why why = { 0 };
    int generation = 0;
    put(1, false, "pki.example", NOW);
    serves(1);
    ASSERT_OK(renew(&generation, &why), &why);
    serves(2);
    assert_true(is_there("certs/tls.crt.pem"));
    put(3, false, "pki.example", NOW); /* an administrator's, as the old rule had it */
    serves(3);
}

TEST(a_try_that_failed_leaves_a_key_that_the_next_one_takes_up)
{
    struct why why = { 0 };
    int generation = 0;
    put(1, true, "pki.example", NOW);
    place.ca.refuses = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, renew(&generation, &why), &why);
    serves(1);
    assert_true(is_there("keys/tls-next.key.pem"));
    AUTO_BUF first = buf_dup(buf_bytes(&place.ca.last_spki));
    place.ca.refuses = OK;
    ASSERT_OK(renew(&generation, &why), &why);
    ASSERT_BYTES(buf_bytes(&first), buf_bytes(&place.ca.last_spki));
    serves(2);
}

/* Killed after the certificate was written and before its key had the number. */
TEST(a_crash_between_certificate_and_key_serves_the_old_pair_and_is_taken_up)
{
    struct why why = { 0 };
    int generation = 0;
    put(1, true, "pki.example", NOW);
    ASSERT_OK(renew(&generation, &why), &why);
    AUTO_STR from = xasprintf("%s/tls-2.key.pem", place.keys);
    AUTO_STR to = xasprintf("%s/tls-next.key.pem", place.keys);
    assert_int_equal(0, rename(from, to));
    serves(1);
    ASSERT_OK(renew(&generation, &why), &why);
    assert_int_equal(2, generation);
    serves(2);
}

TEST(a_key_whose_certificate_is_over_or_that_is_not_renewed_at_all_is_given_up)
{
    static const enum err over[] = { ERR_EXPIRED, ERR_REVOKED, ERR_NOT_FOUND, ERR_NOT_AUTHORISED };
    struct why why = { 0 };
    int generation = 0;
    put(1, true, "pki.example", NOW);
    for (size_t i = 0; i < sizeof(over) / sizeof(*over); i++) {
        place.ca.refuses = over[i];
        ASSERT_ERR(over[i], renew(&generation, &why), &why);
        assert_false(is_there("keys/tls-next.key.pem"));
        serves(1);
    }
}

TEST(an_answer_for_another_key_or_other_names_is_not_served)
{
    struct why why = { 0 };
    int generation = 0;
    put(1, true, "pki.example", NOW);
    place.ca.other_key = true;
    ASSERT_ERR(ERR_PROTOCOL, renew(&generation, &why), &why);
    place.ca.other_key = false;
    place.ca.other_names = true;
    ASSERT_ERR(ERR_PROTOCOL, renew(&generation, &why), &why);
    assert_false(is_there("certs/tls-2.crt.pem"));
    serves(1);
}

static size_t forgotten(int64_t now)
{
    const struct tls_store from = store();
    struct why why = { 0 };
    size_t count = 0;
    ASSERT_OK(tls_forget(&from, now, &count, &why), &why);
    return count;
}

TEST(the_generation_before_stays_until_its_end_and_those_before_it_do_not)
{
    put(1, false, "pki.example", NOW);
    put(2, true, "pki.example", NOW + DAY);
    assert_int_equal(0, forgotten(NOW + 2 * DAY));
    put(3, true, "pki.example", NOW + 2 * DAY);
    assert_int_equal(1, forgotten(NOW + 3 * DAY));
    assert_false(is_there("keys/tls-1.key.pem"));
    assert_false(is_there("certs/tls.crt.pem"));
    assert_true(is_there("keys/tls-2.key.pem"));
    assert_int_equal(1, forgotten(NOW + 367 * DAY));
    assert_false(is_there("keys/tls-2.key.pem"));
    assert_false(is_there("certs/tls-2.crt.pem"));
    serves(3);
}

TEST(a_generation_for_another_name_is_somebody_s_own_and_stays)
{
    put(1, true, "other.example", NOW);
    put(2, true, "pki.example", NOW);
    put(3, true, "pki.example", NOW);
    assert_int_equal(0, forgotten(NOW + DAY));
    assert_true(is_there("keys/tls-1.key.pem"));
}

RUN(T(a_year_s_certificate_is_due_a_month_before_its_end_and_a_short_one_after_two_thirds),
    P(a_renewal_makes_the_next_generation_with_a_key_of_the_same_kind),
    P(a_site_of_an_earlier_version_has_a_certificate_without_a_number),
    P(a_try_that_failed_leaves_a_key_that_the_next_one_takes_up),
    P(a_crash_between_certificate_and_key_serves_the_old_pair_and_is_taken_up),
    P(a_key_whose_certificate_is_over_or_that_is_not_renewed_at_all_is_given_up),
    P(an_answer_for_another_key_or_other_names_is_not_served),
    P(the_generation_before_stays_until_its_end_and_those_before_it_do_not),
    P(a_generation_for_another_name_is_somebody_s_own_and_stays))
