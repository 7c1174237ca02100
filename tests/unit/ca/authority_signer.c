/* SPDX-License-Identifier: Apache-2.0 */
/* Whose challenges count: certificates that the administrator pinned, and successors that the pinned key vouches for. */
#include "ca/authority_signer.h"

#include "tests/unit/ca/managed_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include "x509/kept_key.h"

#define DAY 86400LL

static struct managed_site site;
static struct world *world;

static int begin(void **state)
{
    (void)state;
    managed_site_begin(&site);
    world = site.world;
    return 0;
}

static int end(void **state)
{
    (void)state;
    managed_site_end(&site);
    return 0;
}

#define M(name)    cmocka_unit_test_setup_teardown(name, begin, end)
#define HELD(name) __attribute__((cleanup(device_free))) struct device name
#define SIGNING(name, ...)                                                                                   \
    __attribute__((cleanup(signing_free))) struct signing name =                                             \
        signing_new(&(struct signing_of){ .subject = "CN=mdm challenge signing", ##__VA_ARGS__ })

static enum err succeed_as(const char *peer, const struct signing *signing, struct why *why)
{
    AUTO_BUF text = { 0 }, answer = { 0 };
    base64_append(&text, buf_bytes(&signing->der));
    return authority_call(world, peer, "authority_successor",
                          (const char *const[]){ "certificate", buf_text(&text), NULL }, &answer, why);
}

static enum err succeed(const struct signing *signing, struct why *why)
{
    return succeed_as("mdm", signing, why);
}

/* Does a challenge by that key count now? */
static bool counts(const struct signing *by)
{
    struct why why = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    site.challenge.not_before = world->clock.held;
    site.challenge.expires = world->clock.held + 60;
    AUTO_BUF unused = managed_challenge(&site), text = managed_sealed(&site, by);
    assert_true(unused.len > 0);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    enum err err = device_enroll(world, &device, "managed", &got, &why);
    if (err != OK)
        ASSERT_ERR(ERR_CHALLENGE_SIGNER, err, &why);
    return err == OK;
}

static void minute(void)
{
    struct why why = { 0 };
    ASSERT_OK(authority_signers_forget(world->ca, &why), &why);
    ASSERT_OK(authority_signers_reload(world->ca, &why), &why);
}

TEST(what_is_pinned_is_shown_and_counts_at_once_and_after_a_restart)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 }, thumbprint = { 0 };
    uint8_t digest[32];
    struct bytes der = buf_bytes(&site.mdm.der);
    ASSERT_OK(sha256_parts(&der, 1, digest, &why), &why);
    hex_append_upper(&thumbprint, BYTES_ARR(digest));
    ASSERT_OK(CALL("authority_show", &answer, &why, "name", "mdm"), &why);
    answer_assert(&answer, "signer", buf_text(&thumbprint));
    assert_true(counts(&site.mdm));
    world_reopen(world);
    assert_true(counts(&site.mdm));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'authority_signer'"));
}

TEST(the_administrator_s_word_ends_what_was_pinned_before)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    SIGNING(next);
    ASSERT_OK(signing_pin(world, "authority_set", &next, &why), &why);
    assert_false(counts(&site.mdm));
    assert_true(counts(&next));
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "issues", "9"), &why); /* leaves it alone */
    assert_true(counts(&next));
    ASSERT_OK(CALL("authority_remove", &answer, &why, "name", "mdm"), &why);
    assert_false(counts(&next));
}

TEST(a_certificate_that_cannot_sign_challenges_is_not_pinned)
{
    SIGNING(p384, .kind = KEY_EC_P384);
    SIGNING(rsa, .kind = KEY_RSA);
    SIGNING(ca, .is_ca = true, .key_usage = KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE);
    SIGNING(signs_certs, .key_usage = KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE);
    SIGNING(encrypts, .key_usage = KU_KEY_AGREEMENT);
    SIGNING(ended, .not_before = NOW - 9 * DAY, .not_after = NOW - 1);
    SIGNING(later, .not_before = NOW + 301);
    SIGNING(for_ever, .not_after = NOW + 6 * 365 * DAY);
    const struct signing *const bad[] = {
        &p384, &rsa, &ca, &signs_certs, &encrypts, &ended, &later, &for_ever
    };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        enum err err = signing_pin(world, "authority_set", bad[i], &why);
        if (err != ERR_USAGE)
            fail_msg("case %zu: %s %s", i, err_row(err)->name, why.text);
    }
    ASSERT_ERR(ERR_USAGE, CALL("authority_set", &answer, &why, "name", "mdm", "certificate", "%%%"), &why);
    assert_true(counts(&site.mdm)); /* nothing has changed */
}

TEST(a_successor_counts_only_if_the_current_one_signed_it)
{
    struct why why = { 0 };
    SIGNING(own); /* of the same name, signed by itself */
    SIGNING(stranger);
    SIGNING(by_stranger, .by = &stranger);
    SIGNING(next, .by = &site.mdm);
    ASSERT_ERR(ERR_NOT_AUTHORISED, succeed(&own, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, succeed(&by_stranger, &why), &why);
    assert_false(counts(&own));
    ASSERT_OK(succeed(&next, &why), &why);
    ASSERT_OK(succeed(&next, &why), &why); /* told again */
    assert_true(counts(&next));
    assert_true(counts(&site.mdm));
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM authority_signer"));
}

/* A key that renews itself as mdm's does (x509/kept_key.h). */
TEST(a_key_that_is_kept_in_generations_is_succeeded_by_its_next_one)
{
    static const struct kept_key_kind kind = { .prefix = "signing",
                                               .subject = "CN=Management Service Challenges",
                                               .name = "signing key",
                                               .key_usage = KU_DIGITAL_SIGNATURE,
                                               .vouches = true,
                                               .validity_s = 730 * DAY,
                                               .renew_before_s = 60 * DAY };
    char folder[] = "/tmp/chancery-signing-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_STR remove = xasprintf("rm -rf %s", folder);
    struct secret unlock = { 0 };
    struct why why = { 0 };
    AUTO(kept_key) kept = NULL;
    ASSERT_OK(secret_random(32, &unlock, &why), &why);
    const struct kept_key_source source = { folder, folder, &unlock, NULL };
    ASSERT_OK(kept_key_open(&kind, &source, NOW, &kept, &why), &why);
    AUTO(kept_generations) first = kept_key_hold(kept);
    const struct signing pinned = { .der = first->of[0].der };
    ASSERT_OK(signing_pin(world, "authority_set", &pinned, &why), &why);
    world->clock.held = NOW + 671 * DAY;
    ASSERT_OK(kept_key_keep(kept, world->clock.held, &why), &why);
    AUTO(kept_generations) both = kept_key_hold(kept);
    assert_int_equal(2, both->count);
    const struct signing next = { .der = both->of[0].der };
    ASSERT_OK(succeed(&next, &why), &why);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM authority_signer"));
    secret_free(&unlock);
    assert_int_equal(0, system(remove));
}

TEST(a_successor_is_judged_as_what_is_pinned)
{
    struct why why = { 0 };
    SIGNING(p384, .kind = KEY_EC_P384, .by = &site.mdm);
    SIGNING(ca, .is_ca = true, .key_usage = KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE, .by = &site.mdm);
    SIGNING(ended, .not_before = NOW - 9 * DAY, .not_after = NOW - 1, .by = &site.mdm);
    ASSERT_ERR(ERR_USAGE, succeed(&p384, &why), &why);
    ASSERT_ERR(ERR_USAGE, succeed(&ca, &why), &why);
    ASSERT_ERR(ERR_USAGE, succeed(&ended, &why), &why);
}

TEST(a_predecessor_is_good_for_the_overlap_and_vouches_for_nobody_any_more)
{
    struct why why = { 0 };
    SIGNING(next, .by = &site.mdm);
    SIGNING(by_old, .by = &site.mdm);
    SIGNING(third, .by = &next);
    ASSERT_OK(succeed(&next, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, succeed(&by_old, &why), &why);
    world->clock.held += AUTHORITY_SIGNER_OVERLAP_S - 1;
    minute();
    assert_true(counts(&site.mdm));
    world->clock.held++;
    assert_false(counts(&site.mdm)); /* at once, not only after the minute that forgets it */
    minute();
    assert_false(counts(&site.mdm));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM authority_signer"));
    ASSERT_OK(succeed(&third, &why), &why);
    assert_true(counts(&third));
}

TEST(a_certificate_that_ended_signs_no_challenge_and_vouches_for_nobody)
{
    struct why why = { 0 };
    SIGNING(next, .by = &site.mdm, .not_after = NOW + 400 * DAY);
    world->clock.held = site.mdm.cert.not_after;
    assert_true(counts(&site.mdm));
    world->clock.held++;
    ASSERT_ERR(ERR_EXPIRED, succeed(&next, &why), &why);
    assert_false(counts(&site.mdm));
}

TEST(a_key_is_not_renewed_again_and_again)
{
    struct why why = { 0 };
    struct signing chain[AUTHORITY_SIGNER_BEFORE_MAX + 2];
    for (size_t i = 0; i < AUTHORITY_SIGNER_BEFORE_MAX + 2; i++) {
        const struct signing *by = i ? &chain[i - 1] : &site.mdm;
        chain[i] = signing_new(&(struct signing_of){ .subject = "CN=mdm", .by = by });
        if (i < AUTHORITY_SIGNER_BEFORE_MAX)
            ASSERT_OK(succeed(&chain[i], &why), &why);
        if (i == AUTHORITY_SIGNER_BEFORE_MAX)
            ASSERT_ERR(ERR_RATE, succeed(&chain[i], &why), &why);
    }
    world->clock.held += AUTHORITY_SIGNER_OVERLAP_S;
    minute();
    ASSERT_OK(succeed(&chain[AUTHORITY_SIGNER_BEFORE_MAX], &why), &why);
    for (size_t i = 0; i < AUTHORITY_SIGNER_BEFORE_MAX + 2; i++)
        signing_free(&chain[i]);
}

/* Otherwise its challenges would be taken for the other's, and refused. */
TEST(nobody_pins_a_certificate_that_is_named_as_another_one_is)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 }, text = { 0 };
    SIGNING(other);
    base64_append(&text, buf_bytes(&site.mdm.der));
    ASSERT_ERR(ERR_CONFLICT,
               CALL("authority_add", &answer, &why, "name", "connector", "certificate", buf_text(&text)),
               &why);
    assert_non_null(strstr(why.text, "mdm"));
    ASSERT_ERR(ERR_NOT_FOUND, CALL("authority_show", &answer, &why, "name", "connector"), &why);
    buf_clear(&text);
    base64_append(&text, buf_bytes(&other.der));
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "connector", "certificate", buf_text(&text)),
              &why);
}

TEST(an_authority_without_a_pinned_certificate_has_no_successor)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    SIGNING(next, .by = &site.mdm);
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "connector"), &why);
    ASSERT_ERR(ERR_NOT_FOUND, succeed_as("connector", &next, &why), &why);
    assert_non_null(strstr(why.text, "connector"));
}

TEST(the_crp_s_certificates_are_told_newest_first)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 }, text = { 0 };
    world->clock.held = NOW + 310 * DAY;
    ASSERT_OK(kept_key_keep(world->crp, world->clock.held, &why), &why);
    ASSERT_OK(authority_call(world, "mdm", "crp_get", (const char *const[]){ NULL }, &answer, &why), &why);
    AUTO(kept_generations) keys = kept_key_hold(world->crp);
    base64_append(&text, buf_bytes(&keys->of[0].der));
    assert_int_equal(2, answer_count(&answer));
    answer_assert(&answer, "generation", "2");
    answer_assert(&answer, "certificate", buf_text(&text));
    ASSERT_OK(CALL("status", &answer, &why, "ca", "issuing"), &why);
    answer_assert(&answer, "crp_generation", "2");
}

RUN(M(what_is_pinned_is_shown_and_counts_at_once_and_after_a_restart),
    M(the_administrator_s_word_ends_what_was_pinned_before),
    M(a_certificate_that_cannot_sign_challenges_is_not_pinned),
    M(a_successor_counts_only_if_the_current_one_signed_it),
    M(a_key_that_is_kept_in_generations_is_succeeded_by_its_next_one),
    M(a_successor_is_judged_as_what_is_pinned),
    M(a_predecessor_is_good_for_the_overlap_and_vouches_for_nobody_any_more),
    M(a_certificate_that_ended_signs_no_challenge_and_vouches_for_nobody),
    M(a_key_is_not_renewed_again_and_again), M(nobody_pins_a_certificate_that_is_named_as_another_one_is),
    M(an_authority_without_a_pinned_certificate_has_no_successor),
    M(the_crp_s_certificates_are_told_newest_first))
