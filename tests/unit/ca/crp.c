/* SPDX-License-Identifier: Apache-2.0 */
/* The CRP's key: made once, renewed by itself, and there as long as anything may be encrypted to it. */
#include "ca/crp.h"

#include "base/encode.h"
#include "base/file.h"
#include "tests/unit/ca/fixture.h"
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400LL

static struct place {
    char folder[64];
    char *keys, *certs;
    struct secret unlock;
    int64_t now;
    struct kept_key *crp;
} place;

static int begin(void **state)
{
    (void)state;
    struct why why = { 0 };
    place = (struct place){ .now = NOW };
    snprintf(place.folder, sizeof(place.folder), "/tmp/chancery-crp-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    place.keys = xasprintf("%s/keys", place.folder);
    place.certs = xasprintf("%s/certs", place.folder);
    assert_int_equal(0, mkdir(place.keys, 0700));
    assert_int_equal(0, mkdir(place.certs, 0700));
    ASSERT_OK(secret_random(32, &place.unlock, &why), &why);
    return 0;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    kept_key_free(place.crp);
    snprintf(command, sizeof(command), "rm -rf %s", place.folder);
    assert_int_equal(0, system(command));
    secret_free(&place.unlock);
    free(place.keys);
    free(place.certs);
    return 0;
}

/* As a start of the role does it. */
static enum err start(struct why *why)
{
    const struct kept_key_source source = { place.keys, place.certs, &place.unlock, NULL };
    kept_key_free(TAKE(place.crp));
    return crp_open(&source, place.now, &place.crp, why);
}

static void started(void)
{
    struct why why = { 0 };
    ASSERT_OK(start(&why), &why);
}

static void minute(void)
{
    struct why why = { 0 };
    ASSERT_OK(kept_key_keep(place.crp, place.now, &why), &why);
}

/* "3 2": the generations in service. */
static void assert_generations(const char *expected)
{
    AUTO(kept_generations) keys = kept_key_hold(place.crp);
    AUTO_BUF found = { 0 };
    for (size_t i = 0; i < keys->count; i++)
        buf_printf(&found, "%s%d", i ? " " : "", keys->of[i].generation);
    assert_string_equal(expected, buf_text(&found));
}

TEST(the_first_start_makes_a_key_and_the_next_one_finds_it)
{
    struct why why = { 0 };
    started();
    assert_generations("1");
    AUTO(kept_generations) made = kept_key_hold(place.crp);
    const struct cert *cert = &made->of[0].cert;
    assert_int_equal(KEY_EC_P256, public_key_kind(made->of[0].key->public_half));
    assert_int_equal(KU_KEY_AGREEMENT, cert->key_usage);
    assert_false(cert->is_ca);
    assert_int_equal(NOW + 365 * DAY, cert->not_after);
    ASSERT_OK(cert_verify(cert, made->of[0].key->public_half, &why), &why);
    started();
    assert_generations("1");
    AUTO(kept_generations) found = kept_key_hold(place.crp);
    ASSERT_BYTES(cert->der, found->of[0].cert.der);
}

TEST(it_is_renewed_by_itself_and_the_old_one_decrypts_until_nothing_is_encrypted_to_it)
{
    started();
    place.now = NOW + (365 - 60) * DAY;
    minute();
    assert_generations("1");
    place.now++;
    minute();
    minute();
    assert_generations("2 1");
    started();
    assert_generations("2 1");
    place.now = NOW + 365 * DAY + CRP_KEPT_S - 1;
    minute();
    assert_generations("2 1");
    place.now++;
    minute();
    assert_generations("2");
    started();
    assert_generations("2");
}

TEST(one_that_was_not_renewed_in_time_is_renewed_late_and_never_removed)
{
    started();
    place.now = NOW + 4000 * DAY;
    started();
    assert_generations("2 1");
    minute();
    assert_generations("2");
}

TEST(who_holds_the_keys_keeps_them_over_a_renewal)
{
    started();
    AUTO(kept_generations) held = kept_key_hold(place.crp);
    place.now = NOW + 365 * DAY + CRP_KEPT_S;
    minute();
    minute();
    assert_generations("2");
    assert_int_equal(1, held->of[0].generation);
    assert_int_equal(NOW + 365 * DAY, held->of[0].cert.not_after);
}

/* A certificate that cannot be written stands for a crash at that place: no key may be there without one. */
TEST(a_start_that_breaks_off_leaves_nothing_that_hinders_the_next)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/crp-1.crt.pem", place.certs);
    assert_int_equal(0, mkdir(path, 0700));
    ASSERT_ERR(ERR_IO, start(&why), &why);
    assert_int_equal(0, rmdir(path));
    ASSERT_OK(start(&why), &why);
    assert_generations("1");
}

TEST(a_certificate_that_a_crash_left_without_key_is_written_anew)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/crp-1.crt.pem", place.certs);
    ASSERT_OK(file_write(path, BYTES_LIT("half a certificate"), 0444, &why), &why);
    started();
    assert_generations("1");
    started();
    assert_generations("1");
}

static void spoil(int generation)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/crp-%d.key.pem", place.keys, generation);
    ASSERT_OK(file_write(path, BYTES_LIT("no key"), 0400, &why), &why);
}

TEST(a_key_that_cannot_be_used_is_passed_over_and_the_only_one_is_not_replaced)
{
    struct why why = { 0 };
    started();
    place.now = NOW + 310 * DAY;
    minute();
    spoil(2);
    started();
    assert_generations("3 1"); /* 1 ends in 55 days */
    spoil(1);
    spoil(3);
    ASSERT_ERR(ERR_KEY, start(&why), &why);
    assert_non_null(strstr(why.text, place.keys));
    assert_int_equal(3, generation_highest(place.keys, "crp"));
}

TEST(a_key_beside_another_s_certificate_is_not_used)
{
    struct why why = { 0 };
    AUTO_STR first = xasprintf("%s/crp-1.crt.pem", place.certs);
    AUTO_STR second = xasprintf("%s/crp-2.crt.pem", place.certs);
    started();
    place.now = NOW + 310 * DAY;
    minute();
    assert_int_equal(0, rename(second, first));
    kept_key_free(TAKE(place.crp));
    ASSERT_ERR(ERR_KEY, start(&why), &why);
}

#define P(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(P(the_first_start_makes_a_key_and_the_next_one_finds_it),
    P(it_is_renewed_by_itself_and_the_old_one_decrypts_until_nothing_is_encrypted_to_it),
    P(one_that_was_not_renewed_in_time_is_renewed_late_and_never_removed),
    P(who_holds_the_keys_keeps_them_over_a_renewal),
    P(a_start_that_breaks_off_leaves_nothing_that_hinders_the_next),
    P(a_certificate_that_a_crash_left_without_key_is_written_anew),
    P(a_key_that_cannot_be_used_is_passed_over_and_the_only_one_is_not_replaced),
    P(a_key_beside_another_s_certificate_is_not_used))
