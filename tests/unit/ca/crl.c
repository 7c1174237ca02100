/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation is final, hold is not, and CRLs say so: verified with OpenSSL too. */
#include "tests/unit/ca/fixture.h"

#include "base/file.h"
#include <openssl/x509.h>
#include <stdio.h>

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int begin_rsa(void **state)
{
    (void)state;
    world = world_new(KEY_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name)   cmocka_unit_test_setup_teardown(name, begin, end)
#define RSA(name) cmocka_unit_test_setup_teardown(name, begin_rsa, end)

/* Enrols one more device; its serial. */
static struct buf serial_new(void)
{
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    struct why why = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct buf serial = { 0 };
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    serial_append_text(&serial, cert.serial);
    device_free(&device);
    return serial;
}

static enum err revoke(struct buf *serial, enum crl_reason reason, struct why *why)
{
    struct revocation revocation = { buf_text(serial), "cli", reason };
    bool changed;
    return ca_revoke(world->ca, world_issuer(world), &revocation, &changed, why);
}

static enum err release(struct buf *serial, struct why *why)
{
    return ca_release(world->ca, world_issuer(world), buf_text(serial), "cli", why);
}

static struct crl_state current_of(enum crl_kind kind, struct buf *ret_der)
{
    struct crl_state state;
    struct why why = { 0 };
    ASSERT_OK(
        crl_current(world->ca, &(struct crl_scope){ world_issuer(world), kind, 0 }, &state, ret_der, &why),
        &why);
    return state;
}

static struct crl_state current(struct buf *ret_der)
{
    return current_of(CRL_FULL, ret_der);
}

/* -1: not on the CRL */
static int reason_on(enum crl_kind kind, struct buf *serial_text)
{
    AUTO_BUF der = { 0 }, serial = { 0 };
    struct why why = { 0 };
    struct crl crl;
    struct crl_entry entry;
    current_of(kind, &der);
    assert_true(hex_decode(buf_bytes(serial_text), &serial));
    ASSERT_OK(crl_parse(buf_bytes(&der), &crl, &why), &why);
    ASSERT_OK(public_key_verify(world->ca_key->public_half, crl.algorithm, crl.tbs, crl.signature, &why),
              &why);
    struct der_reader in = der_reader_over(crl.entries);
    while (crl_next(&in, &entry)) {
        if (bytes_equal(entry.serial, buf_bytes(&serial)))
            return (int)entry.reason;
    }
    return -1;
}

static int reason_on_crl(struct buf *serial_text)
{
    return reason_on(CRL_FULL, serial_text);
}

static enum standing standing_of(struct buf *serial, int64_t *ret_revoked_at)
{
    struct cert_status status;
    struct why why = { 0 };
    ASSERT_OK(status_get(world->ca, world_issuer(world), buf_text(serial), &status, &why), &why);
    *ret_revoked_at = status.revoked_at;
    return status.standing;
}

TEST(a_revoked_certificate_is_on_the_crl_at_once_and_stays_revoked)
{
    AUTO_BUF serial = serial_new(), other = serial_new();
    struct why why = { 0 };
    assert_false(current(NULL).exists);
    ASSERT_OK(revoke(&serial, CRL_KEY_COMPROMISE, &why), &why);
    assert_int_equal(1, current(NULL).number);
    assert_int_equal(1, current(NULL).entries);
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on_crl(&serial));
    assert_int_equal(-1, reason_on_crl(&other));
    world->clock.held += 100;
    ASSERT_OK(revoke(&serial, CRL_KEY_COMPROMISE, &why), &why);
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on_crl(&serial));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'revoked' AND revoked_at = "
                              "1795000000"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'revoke'"));
}

TEST(revoking_again_publishes_nothing_new)
{
    AUTO_BUF serial = serial_new();
    struct why why = { 0 };
    ASSERT_OK(revoke(&serial, CRL_SUPERSEDED, &why), &why);
    ASSERT_OK(revoke(&serial, CRL_SUPERSEDED, &why), &why);
    assert_int_equal(1, current(NULL).number);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM crl"));
}

/* Who reports that a key is compromised must not believe that the CRL says so. */
TEST(another_reason_than_the_one_it_has_is_refused)
{
    AUTO_BUF serial = serial_new();
    struct why why = { 0 };
    ASSERT_OK(revoke(&serial, CRL_SUPERSEDED, &why), &why);
    world->clock.held += 100;
    ASSERT_ERR(ERR_REVOKED, revoke(&serial, CRL_KEY_COMPROMISE, &why), &why);
    assert_non_null(strstr(why.text, "superseded"));
    assert_non_null(strstr(why.text, "keyCompromise"));
    assert_non_null(strstr(why.text, "2026-11-18T11:06:40Z"));
    assert_int_equal(CRL_SUPERSEDED, reason_on_crl(&serial));
    assert_int_equal(1, current(NULL).number);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'revoke'"));
}

TEST(a_certificate_on_hold_is_released_and_good_again)
{
    AUTO_BUF serial = serial_new();
    struct why why = { 0 };
    int64_t at;
    ASSERT_OK(revoke(&serial, CRL_CERTIFICATE_HOLD, &why), &why);
    assert_int_equal(CRL_CERTIFICATE_HOLD, reason_on_crl(&serial));
    assert_int_equal(STANDING_REVOKED, standing_of(&serial, &at));
    assert_int_equal(NOW, at);
    ASSERT_OK(release(&serial, &why), &why);
    assert_int_equal(-1, reason_on_crl(&serial));
    assert_int_equal(STANDING_GOOD, standing_of(&serial, &at));
    ASSERT_ERR(ERR_WRONG_STATE, release(&serial, &why), &why);
    world->clock.held += 100;
    ASSERT_OK(revoke(&serial, CRL_SUPERSEDED, &why), &why); /* with its own time, not that of the hold */
    assert_int_equal(STANDING_REVOKED, standing_of(&serial, &at));
    assert_int_equal(NOW + 100, at);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'release'"));
    assert_int_equal(3, current(NULL).number);
}

TEST(what_is_revoked_for_good_is_neither_held_nor_released)
{
    AUTO_BUF serial = serial_new(), none = buf_dup(BYTES_LIT("0102030405060708090A0B0C0D0E0F101112AB"));
    struct why why = { 0 };
    int64_t at;
    ASSERT_OK(revoke(&serial, CRL_CERTIFICATE_HOLD, &why), &why);
    world->clock.held += 100;
    ASSERT_OK(revoke(&serial, CRL_KEY_COMPROMISE, &why), &why);
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on_crl(&serial));
    assert_int_equal(STANDING_REVOKED, standing_of(&serial, &at));
    assert_int_equal(NOW, at); /* of the hold: since then nobody was to trust it */
    ASSERT_ERR(ERR_REVOKED, revoke(&serial, CRL_CERTIFICATE_HOLD, &why), &why);
    ASSERT_ERR(ERR_REVOKED, release(&serial, &why), &why);
    assert_non_null(strstr(why.text, "keyCompromise"));
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on_crl(&serial));
    ASSERT_ERR(ERR_NOT_FOUND, release(&none, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, revoke(&none, CRL_CERTIFICATE_HOLD, &why), &why);
}

TEST(a_serial_that_was_never_handed_out_has_no_status)
{
    AUTO_BUF none = buf_dup(BYTES_LIT("0102030405060708090A0B0C0D0E0F101112AB"));
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t at;
    assert_int_equal(STANDING_UNKNOWN, standing_of(&none, &at));
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, device_enroll(world, &device, "static", &got, &why), &why);
    world_exec(world, "UPDATE certificate SET serial = '0102030405060708090A0B0C0D0E0F101112AB'");
    assert_int_equal(STANDING_UNKNOWN, standing_of(&none, &at)); /* only reserved */
    world_exec(world, "UPDATE certificate SET status = 'void'");
    assert_int_equal(STANDING_UNKNOWN, standing_of(&none, &at));
    device_free(&device);
}

TEST(serials_that_were_never_handed_out_are_not_found)
{
    struct why why = { 0 };
    AUTO_BUF none = buf_dup(BYTES_LIT("0102030405060708090A0B0C0D0E0F101112AB"));
    ASSERT_ERR(ERR_NOT_FOUND, revoke(&none, CRL_UNSPECIFIED, &why), &why);
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    AUTO_VAL(enrolled) got = { 0 };
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, device_enroll(world, &device, "static", &got, &why), &why);
    world_exec(world, "UPDATE certificate SET serial = '0102030405060708090A0B0C0D0E0F101112AB'");
    ASSERT_ERR(ERR_NOT_FOUND, revoke(&none, CRL_UNSPECIFIED, &why), &why); /* only reserved */
    device_free(&device);
}

TEST(reasons_that_are_none_are_refused)
{
    static const enum crl_reason none[] = { CRL_REMOVE_FROM_CRL, (enum crl_reason)7, (enum crl_reason)11 };
    AUTO_BUF revoked = serial_new(), serial = serial_new();
    struct why why = { 0 };
    ASSERT_OK(revoke(&revoked, CRL_KEY_COMPROMISE, &why), &why);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        ASSERT_ERR(ERR_BAD_REQUEST, revoke(&revoked, none[i], &why), &why);
        ASSERT_ERR(ERR_BAD_REQUEST, revoke(&serial, none[i], &why), &why);
    }
    assert_int_equal(1, current(NULL).number);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'revoked'"));
}

TEST(numbers_never_go_back_and_are_never_given_twice)
{
    struct why why = { 0 };
    for (int i = 1; i <= 3; i++) {
        ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
        assert_int_equal(i, current(NULL).number);
    }
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(3, current(NULL).number);
    world->seal_error = OK;
    world_reopen(world);
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(5, current(NULL).number); /* 4 may have left the signer */
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM crl WHERE der IS NOT NULL"));
    world_exec(world, "UPDATE counter SET value = 2 WHERE name = 'crl'"); /* an old backup */
    ASSERT_ERR(ERR_BUSY, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(5, current(NULL).number);
}

TEST(this_update_never_goes_back_with_the_clock)
{
    struct why why = { 0 };
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    int64_t first = current(NULL).this_update;
    world->clock.held -= 3600;
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_true(current(NULL).this_update >= first);
}

TEST(a_crl_is_published_when_due_and_not_before)
{
    struct why why = { 0 };
    struct issuer *issuer = world_issuer(world);
    ASSERT_OK(crl_publish_due(world->ca, issuer, &why), &why);
    assert_int_equal(1, current(NULL).number); /* there was none */
    assert_int_equal(NOW + 8 * 86400, current(NULL).next_update);
    ASSERT_OK(crl_publish_due(world->ca, issuer, &why), &why);
    world->clock.held = NOW + 7 * 86400 - 1;
    ASSERT_OK(crl_publish_due(world->ca, issuer, &why), &why);
    assert_int_equal(1, current(NULL).number);
    world->clock.held++;
    ASSERT_OK(crl_publish_due(world->ca, issuer, &why), &why);
    assert_int_equal(2, current(NULL).number);
}

TEST(a_revocation_whose_crl_failed_is_caught_up_also_after_a_restart)
{
    AUTO_BUF serial = serial_new(), second = serial_new();
    struct why why = { 0 };
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    world->clock.held += 10;
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, revoke(&serial, CRL_UNSPECIFIED, &why), &why);
    assert_non_null(strstr(why.text, "is revoked, but"));
    world->seal_error = OK;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(CRL_UNSPECIFIED, reason_on_crl(&serial));
    world->clock.held += 10;
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, revoke(&second, CRL_SUPERSEDED, &why), &why);
    world->seal_error = OK;
    world_reopen(world);
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(CRL_SUPERSEDED, reason_on_crl(&second));
}

/* The clock was set back between the last CRL and the revocation: it is still later than that CRL. */
TEST(a_revocation_by_a_clock_set_back_is_caught_up_after_a_restart)
{
    AUTO_BUF serial = serial_new();
    struct why why = { 0 };
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    world->clock.held -= 200;
    world->seal_error = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, revoke(&serial, CRL_SUPERSEDED, &why), &why);
    world->seal_error = OK;
    world_reopen(world);
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(CRL_SUPERSEDED, reason_on_crl(&serial));
}

static char *crl_path(void)
{
    return xasprintf("%s/crl/issuing.crl", world->folder);
}

static void assert_file_is_current(void)
{
    struct why why = { 0 };
    AUTO_STR path = crl_path();
    AUTO_BUF file = { 0 }, stored = { 0 };
    (void)current(&stored);
    ASSERT_OK(file_read(path, 1 << 20, &file, &why), &why);
    ASSERT_BYTES(buf_bytes(&file), buf_bytes(&stored));
}

/* Killed after the store had the CRL and before its file had: the file must not wait for the next one. */
TEST(a_crl_file_that_a_crash_left_behind_is_written_again)
{
    struct why why = { 0 };
    AUTO_STR path = crl_path();
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    ASSERT_OK(file_write(path, BYTES_LIT("an older one"), 0444, &why), &why);
    world_reopen(world);
    world->clock.held += 86400;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(1, current(NULL).number);
    assert_file_is_current();
    assert_int_equal(0, remove(path));
    world_reopen(world);
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_file_is_current();
}

TEST(a_crl_file_that_could_not_be_written_is_caught_up_without_a_restart)
{
    struct why why = { 0 };
    AUTO_STR folder = xasprintf("%s/crl", world->folder);
    ASSERT_OK(file_write(folder, BYTES_LIT("in the way"), 0600, &why), &why);
    ASSERT_ERR(ERR_IO, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    ASSERT_ERR(ERR_IO, crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(0, remove(folder));
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_file_is_current();
}

TEST(an_expired_entry_stays_through_one_more_period)
{
    AUTO_BUF serial = serial_new();
    struct why why = { 0 };
    int64_t ends = NOW + 365 * 86400LL;
    ASSERT_OK(revoke(&serial, CRL_SUPERSEDED, &why), &why);
    world->clock.held = ends - 10;
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    world->clock.held = ends + 10;
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(CRL_SUPERSEDED, reason_on_crl(&serial));
    world->clock.held = ends + 7 * 86400;
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(CRL_SUPERSEDED, reason_on_crl(&serial));
    world->clock.held = ends + 14 * 86400;
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_int_equal(-1, reason_on_crl(&serial));
    assert_int_equal(0, current(NULL).entries);
}

TEST(what_the_signer_sealed_instead_is_not_published)
{
    struct why why = { 0 };
    world->seal_other = true;
    ASSERT_ERR(ERR_PROTOCOL, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    world->seal_other = false;
    world->seal_badly = true;
    ASSERT_ERR(ERR_PROTOCOL, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    assert_false(current(NULL).exists);
}

static X509_CRL *openssl_crl(struct bytes der)
{
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    assert_non_null(crl);
    assert_ptr_equal(der.data + der.len, at);
    return crl;
}

TEST(openssl_verifies_the_crl_and_finds_the_entry)
{
    AUTO_BUF serial = serial_new(), der = { 0 }, file = { 0 };
    struct why why = { 0 };
    char path[128];
    ASSERT_OK(revoke(&serial, CRL_KEY_COMPROMISE, &why), &why);
    struct crl_state state = current(&der);
    snprintf(path, sizeof(path), "%s/crl/issuing.crl", world->folder);
    ASSERT_OK(file_read(path, 1 << 20, &file, &why), &why);
    ASSERT_BYTES(buf_bytes(&der), buf_bytes(&file));
    X509_CRL *crl = openssl_crl(buf_bytes(&der));
    const unsigned char *at = world->ca_cert.data;
    X509 *ca = d2i_X509(NULL, &at, (long)world->ca_cert.len);
    assert_int_equal(1, X509_CRL_verify(crl, X509_get0_pubkey(ca)));
    assert_int_equal(0, X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)));
    BIGNUM *number = NULL;
    X509_REVOKED *entry = NULL;
    assert_true(BN_hex2bn(&number, buf_text(&serial)));
    ASN1_INTEGER *wanted = BN_to_ASN1_INTEGER(number, NULL);
    assert_int_equal(1, X509_CRL_get0_by_serial(crl, &entry, wanted));
    assert_int_equal(state.entries, sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)));
    ASN1_INTEGER_free(wanted);
    BN_free(number);
    X509_free(ca);
    X509_CRL_free(crl);
}

/* --- deltas --- */

static void deltas_on(void)
{
    struct why why = { 0 };
    world_issuer(world)->delta_validity_s = 86400;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_true(current(NULL).number == 1 && current(NULL).is_base);
}

static void assert_delta(int64_t number, int64_t base, int64_t entries)
{
    struct crl_state delta = current_of(CRL_DELTA, NULL);
    assert_int_equal(number, delta.number);
    assert_int_equal(base, delta.base_number);
    assert_int_equal(entries, delta.entries);
}

TEST(a_delta_says_what_changed_since_its_base)
{
    AUTO_BUF first = serial_new(), held = serial_new();
    struct why why = { 0 };
    deltas_on();
    assert_delta(1, 1, 0);
    ASSERT_OK(revoke(&first, CRL_KEY_COMPROMISE, &why), &why);
    assert_delta(2, 1, 1);
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on(CRL_DELTA, &first));
    assert_int_equal(1, current(NULL).number); /* the full one follows with the next minute */
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(3, current(NULL).number);
    assert_false(current(NULL).is_base);
    assert_int_equal(CRL_KEY_COMPROMISE, reason_on_crl(&first));
    assert_delta(3, 1, 1); /* of the same number beside it */
    ASSERT_OK(revoke(&held, CRL_CERTIFICATE_HOLD, &why), &why);
    assert_delta(4, 1, 2);
    ASSERT_OK(release(&held, &why), &why);
    assert_delta(5, 1, 2);
    assert_int_equal(CRL_REMOVE_FROM_CRL, reason_on(CRL_DELTA, &held));
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(-1, reason_on_crl(&held));
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why),
              &why); /* and then there is nothing to do */
    assert_int_equal(6, current(NULL).number);
}

TEST(a_full_crl_that_is_due_becomes_the_base)
{
    AUTO_BUF first = serial_new(), second = serial_new();
    struct why why = { 0 };
    deltas_on();
    ASSERT_OK(revoke(&first, CRL_SUPERSEDED, &why), &why);
    world->clock.held += 7 * 86400;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_true(current(NULL).number == 3 && current(NULL).is_base);
    assert_delta(3, 1, 1); /* still for those who have the old base */
    ASSERT_OK(revoke(&second, CRL_SUPERSEDED, &why), &why);
    assert_delta(4, 3, 1);
    assert_int_equal(-1, reason_on(CRL_DELTA, &first));
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why); /* on demand, too */
    ASSERT_OK(crl_publish(world->ca, world_issuer(world), CRL_DELTA, &why), &why);
    assert_delta(6, 5, 0);
}

TEST(a_delta_is_published_when_due_and_not_before)
{
    struct why why = { 0 };
    deltas_on();
    assert_int_equal(NOW + 2 * 86400, current_of(CRL_DELTA, NULL).next_update);
    world->clock.held = NOW + 86400 - 1;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_delta(1, 1, 0);
    world->clock.held++;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_delta(2, 1, 0);
    assert_int_equal(1, current(NULL).number);
}

TEST(without_deltas_there_is_none_to_publish)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_WRONG_STATE, crl_publish(world->ca, world_issuer(world), CRL_DELTA, &why), &why);
    world_issuer(world)->delta_validity_s = 86400;
    ASSERT_ERR(ERR_UNAVAILABLE, crl_publish(world->ca, world_issuer(world), CRL_DELTA, &why), &why);
    assert_false(current_of(CRL_DELTA, NULL).exists);
}

static void fail_seal(struct world *the)
{
    the->seal_error = ERR_UNAVAILABLE;
}

static void fail_next_seal(struct world *the)
{
    the->on_seal = fail_seal;
}

TEST(a_delta_that_a_crash_left_out_is_caught_up)
{
    struct why why = { 0 };
    deltas_on();
    world->on_seal = fail_next_seal;
    ASSERT_ERR(ERR_UNAVAILABLE, crl_publish(world->ca, world_issuer(world), CRL_FULL, &why), &why);
    world->seal_error = OK;
    assert_int_equal(2, current(NULL).number);
    assert_delta(1, 1, 0);
    world_reopen(world);
    world_issuer(world)->delta_validity_s = 86400;
    ASSERT_OK(crl_publish_due(world->ca, world_issuer(world), &why), &why);
    assert_int_equal(2, current(NULL).number);
    assert_delta(3, 2, 0);
}

RUN(W(a_revoked_certificate_is_on_the_crl_at_once_and_stays_revoked), W(revoking_again_publishes_nothing_new),
    W(another_reason_than_the_one_it_has_is_refused), W(a_certificate_on_hold_is_released_and_good_again),
    W(what_is_revoked_for_good_is_neither_held_nor_released),
    W(a_serial_that_was_never_handed_out_has_no_status), W(a_delta_says_what_changed_since_its_base),
    W(a_full_crl_that_is_due_becomes_the_base), W(a_delta_is_published_when_due_and_not_before),
    W(without_deltas_there_is_none_to_publish), W(a_delta_that_a_crash_left_out_is_caught_up),
    W(serials_that_were_never_handed_out_are_not_found), W(reasons_that_are_none_are_refused),
    W(numbers_never_go_back_and_are_never_given_twice), W(this_update_never_goes_back_with_the_clock),
    W(a_crl_is_published_when_due_and_not_before),
    W(a_revocation_whose_crl_failed_is_caught_up_also_after_a_restart),
    W(a_revocation_by_a_clock_set_back_is_caught_up_after_a_restart),
    W(a_crl_file_that_a_crash_left_behind_is_written_again),
    W(a_crl_file_that_could_not_be_written_is_caught_up_without_a_restart),
    W(an_expired_entry_stays_through_one_more_period), W(what_the_signer_sealed_instead_is_not_published),
    W(openssl_verifies_the_crl_and_finds_the_entry), RSA(openssl_verifies_the_crl_and_finds_the_entry))
