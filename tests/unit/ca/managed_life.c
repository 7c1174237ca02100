/* SPDX-License-Identifier: Apache-2.0 */
/* What a challenge goes through: phase 2, crashes, refusals by the signer, restarts, and keys that roll over on both sides. */
#include "ca/authority_signer.h"
#include "ca/managed_claim.h"
#include "tests/unit/ca/managed_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include <unistd.h>

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

#define M(name)          cmocka_unit_test_setup_teardown(name, begin, end)
#define HELD(name)       __attribute__((cleanup(device_free))) struct device name
#define REFUSED(err, it) device_assert_refused(world, (err), (it), "managed")

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

static void issued(const struct device *device)
{
    AUTO_VAL(enrolled) got = { 0 };
    device_assert_issued(world, device, "managed", &got);
}

/* --- phase 2 --- */

#define DEVICE_ID  "0a1b2c3d-0000-4000-8000-00000000000b"
#define PROFILE_ID "0a1b2c3d-0000-4000-8000-00000000000a"

static enum err ends(const char *peer, const char *text, struct why *why)
{
    AUTO_BUF answer = { 0 };
    return authority_call(world, peer, "authorisation_end", (const char *const[]){ "ends", text, NULL },
                          &answer, why);
}

TEST(an_authorisation_that_ended_is_refused_by_device_profile_and_version)
{
    static const struct {
        const char *end;
        bool stops;
    } all[] = {
        { DEVICE_ID " " PROFILE_ID " 6", false },
        { PROFILE_ID " " PROFILE_ID " 0", false },
        { DEVICE_ID " " DEVICE_ID " 0", false },
        { DEVICE_ID " " PROFILE_ID " 7", true },
    };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        HELD(device) = managed_device_new(&site);
        ASSERT_OK(ends("mdm", all[i].end, &why), &why);
        if (!all[i].stops) {
            issued(&device);
            continue;
        }
        REFUSED(ERR_NOT_TARGETED, &device);
    }
    managed_log_assert(&site, " Validation Phase 2 finished with status False.\n");
    assert_int_equal(
        3, count("SELECT COUNT(*) FROM certificate WHERE status = 'valid'")); /* none is revoked by it */
    assert_int_equal(
        1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed' AND error = 'ERR_NOT_TARGETED'"));
    world_reopen(world);
    HELD(after) = managed_device_new(&site);
    REFUSED(ERR_NOT_TARGETED, &after);
    site.challenge.profile_version = 8;
    HELD(next) = managed_device_new(&site);
    issued(&next);
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 0", &why), &why);
    HELD(none) = managed_device_new(&site);
    REFUSED(ERR_NOT_TARGETED, &none);
}

TEST(ends_come_in_batches_again_and_in_any_order)
{
    struct why why = { 0 };
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 7 200\n" DEVICE_ID " " PROFILE_ID " 9 100\n", &why),
              &why);
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 7 100\n" DEVICE_ID " " PROFILE_ID " 9 100\n", &why),
              &why);
    assert_int_equal(2, count("SELECT COUNT(*) FROM authorisation_end"));
    assert_int_equal(200, count("SELECT ended_at FROM authorisation_end WHERE version = 7"));
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 7", &why), &why);
    assert_int_equal(INT64_MAX, count("SELECT ended_at FROM authorisation_end WHERE version = 7"));
}

/* It was taken away and given back: what the authority sealed from then on counts. */
TEST(an_end_with_a_time_is_for_the_challenges_before_it)
{
    struct why why = { 0 };
    AUTO_STR text = xasprintf(DEVICE_ID " " PROFILE_ID " 0 %lld", (long long)NOW);
    site.challenge.not_before = NOW - 1;
    HELD(before) = managed_device_new(&site);
    site.challenge.not_before = NOW;
    HELD(after) = managed_device_new(&site);
    ASSERT_OK(ends("mdm", text, &why), &why);
    REFUSED(ERR_NOT_TARGETED, &before);
    issued(&after);
}

TEST(an_end_is_for_the_challenges_of_the_authority_that_told_it)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    HELD(device) = managed_device_new(&site);
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "connector"), &why);
    ASSERT_OK(ends("connector", DEVICE_ID " " PROFILE_ID " 0", &why), &why);
    issued(&device);
}

TEST(ends_that_cannot_be_read_change_nothing)
{
    static const char *const bad[] = {
        DEVICE_ID,
        DEVICE_ID " " PROFILE_ID,
        DEVICE_ID " " PROFILE_ID " -1",
        DEVICE_ID " " PROFILE_ID " 7x",
        DEVICE_ID " " PROFILE_ID " 7 8 9",
        DEVICE_ID " " PROFILE_ID " 7 ",
        DEVICE_ID "  " PROFILE_ID " 7",
        "0A1B2C3D-0000-4000-8000-00000000000b " PROFILE_ID " 7",
        DEVICE_ID " " PROFILE_ID " 9999999999999999999",
        DEVICE_ID " " PROFILE_ID " 7\nnonsense",
    };
    struct why why = { 0 };
    AUTO_BUF many = { 0 };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, ends("mdm", bad[i], &why), &why);
    for (size_t i = 0; i < 1001; i++)
        buf_append_str(&many, DEVICE_ID " " PROFILE_ID " 7\n");
    ASSERT_ERR(ERR_LIMIT, ends("mdm", buf_text(&many), &why), &why);
    assert_int_equal(0, count("SELECT COUNT(*) FROM authorisation_end"));
}

TEST(what_waits_is_not_approved_after_the_end)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    HELD(device) = managed_device_new(&site);
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "issues", "0"), &why);
    ASSERT_OK(device_enroll(world, &device, "managed", &got, &why), &why);
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 7", &why), &why);
    ASSERT_ERR(ERR_NOT_TARGETED, ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why),
               &why);
}

/* Between the look at phase 2 and T1 an end may come in: T1 asks again. */
struct claim_arg {
    struct managed_claim claim;
};
static enum err claim_work(struct store_tx *tx, void *arg, struct why *why)
{
    return managed_claim_take(tx, &((struct claim_arg *)arg)->claim, why);
}

TEST(an_end_that_came_in_meanwhile_is_seen_by_t1)
{
    struct why why = { 0 };
    struct managed managed = { .authority = (char *)"mdm" };
    AUTO_BUF text = managed_challenge(&site);
    assert_true(text.len > 0);
    managed.opened.challenge = site.challenge;
    struct claim_arg arg = { { world->ca, world_issuer(world), &managed, 1, NOW } };
    ASSERT_OK(ends("mdm", DEVICE_ID " " PROFILE_ID " 7", &why), &why);
    ASSERT_ERR(ERR_NOT_TARGETED, store_write(world->store, claim_work, &arg, &why), &why);
    assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
}

/* --- between T1 and T2 --- */

TEST(a_lost_seal_is_made_up_for_the_same_request_after_a_restart)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    HELD(thief) = managed_device(&site.wants, buf_text(&text));
    world->seal_error = ERR_UNAVAILABLE;
    REFUSED(ERR_UNAVAILABLE, &device);
    world_reopen(world);
    world->seal_error = OK;
    REFUSED(ERR_CHALLENGE_USED, &thief);
    issued(&device);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'issued' AND authority = 'mdm'"));
}

TEST(a_voided_reservation_frees_its_challenge_and_is_told_of)
{
    AUTO_BUF text = managed_challenge(&site);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    HELD(other) = managed_device(&site.wants, buf_text(&text));
    struct why why = { 0 };
    int64_t voided;
    world->seal_error = ERR_TIMEOUT;
    REFUSED(ERR_TIMEOUT, &device);
    world->seal_error = OK;
    REFUSED(ERR_CHALLENGE_USED, &other);
    world->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed' AND error = 'ERR_TIMEOUT'"));
    issued(&other);
    REFUSED(ERR_CHALLENGE_USED, &device);
}

TEST(what_the_signer_refuses_frees_its_challenge_and_is_told_of)
{
    HELD(device) = managed_device_new(&site);
    world->seal_error = ERR_SIGNER_LIMIT;
    REFUSED(ERR_SIGNER_LIMIT, &device);
    assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(
        1, count("SELECT COUNT(*) FROM outbox WHERE kind = 'failed' AND error = 'ERR_SIGNER_LIMIT'"));
    world->seal_error = OK;
    issued(&device);
}

TEST(a_second_request_with_the_same_challenge_is_refused_by_the_number_of_the_first)
{
    struct why why = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF text = managed_challenge(&site);
    HELD(first) = managed_device(&site.wants, buf_text(&text));
    HELD(second) = managed_device(&site.wants, buf_text(&text));
    issued(&first);
    world_reopen(world);
    ASSERT_ERR(ERR_CHALLENGE_USED, device_enroll(world, &second, "managed", &got, &why), &why);
    assert_non_null(strstr(why.text, "request 1 of ca issuing"));
    issued(&first);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM request")); /* whoever lost leaves no row */
}

/* The same authority may be at several CAs of this role. */
TEST(a_challenge_is_used_once_at_whichever_ca)
{
    struct why why = { 0 };
    struct managed managed = { .authority = (char *)"mdm" };
    struct issuer other = { .name = (char *)"other" };
    HELD(device) = managed_device_new(&site);
    managed.opened.challenge = site.challenge;
    struct claim_arg arg = { { world->ca, &other, &managed, 1, NOW } };
    issued(&device);
    ASSERT_ERR(ERR_CHALLENGE_USED, store_write(world->store, claim_work, &arg, &why), &why);
    assert_non_null(strstr(why.text, "ca issuing"));
}

TEST(a_claim_is_forgotten_only_once_its_challenge_cannot_be_opened)
{
    struct why why = { 0 };
    AUTO_BUF text = managed_challenge(&site);
    HELD(first) = managed_device(&site.wants, buf_text(&text));
    HELD(second) = managed_device(&site.wants, buf_text(&text));
    issued(&first);
    ASSERT_OK(managed_claims_forget(world->ca, &why), &why);
    REFUSED(ERR_CHALLENGE_USED, &second);
    world->clock.held = site.challenge.expires + 30 * DAY;
    ASSERT_OK(managed_claims_forget(world->ca, &why), &why);
    assert_int_equal(1, count("SELECT COUNT(*) FROM managed_claim"));
    world->clock.held++;
    ASSERT_OK(managed_claims_forget(world->ca, &why), &why);
    assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
    REFUSED(ERR_CHALLENGE_EXPIRED, &second);
}

TEST(a_clock_that_was_ahead_makes_no_used_challenge_new)
{
    struct why why = { 0 };
    AUTO_BUF text = managed_challenge(&site);
    HELD(first) = managed_device(&site.wants, buf_text(&text));
    HELD(second) = managed_device(&site.wants, buf_text(&text));
    issued(&first);
    world->clock.held += 20 * 365 * DAY;
    ASSERT_OK(managed_claims_forget(world->ca, &why), &why);
    assert_int_equal(0, count("SELECT COUNT(*) FROM managed_claim"));
    world->clock.held = NOW;
    REFUSED(ERR_CHALLENGE_EXPIRED, &second);
    site.challenge.expires++; /* one that was made since counts */
    HELD(third) = managed_device_new(&site);
    issued(&third);
}

/* --- both keys roll over --- */

static void minute(void)
{
    struct why why = { 0 };
    ASSERT_OK(kept_key_keep(world->crp, world->clock.held, &why), &why);
    ASSERT_OK(authority_signers_forget(world->ca, &why), &why);
    ASSERT_OK(authority_signers_reload(world->ca, &why), &why);
}

static enum err succeed(const struct signing *signing, struct why *why)
{
    AUTO_BUF text = { 0 }, answer = { 0 };
    base64_append(&text, buf_bytes(&signing->der));
    return authority_call(world, "mdm", "authority_successor",
                          (const char *const[]){ "certificate", buf_text(&text), NULL }, &answer, why);
}

TEST(a_device_whose_challenge_is_older_than_a_roll_over_of_both_keys_enrols)
{
    struct why why = { 0 };
    world->clock.held = NOW + 305 * DAY;
    site.challenge.not_before = world->clock.held;
    site.challenge.expires = world->clock.held + DAY;
    HELD(device) = managed_device_new(&site);
    world->clock.held++;
    minute();
    AUTO(kept_generations) keys = kept_key_hold(world->crp);
    assert_int_equal(2, keys->count);
    world->clock.held = NOW + 306 * DAY - 1; /* its last second */
    struct signing next = signing_new(&(struct signing_of){ .subject = "CN=mdm challenge signing",
                                                            .by = &site.mdm,
                                                            .not_before = NOW + 304 * DAY,
                                                            .not_after = NOW + 600 * DAY });
    ASSERT_OK(succeed(&next, &why), &why);
    minute();
    issued(&device);
    site.challenge.not_before = world->clock.held;
    site.challenge.expires = world->clock.held + DAY;
    AUTO_BUF unused = managed_challenge(&site), text = managed_sealed(&site, &next);
    assert_true(unused.len > 0);
    HELD(newer) = managed_device(&site.wants, buf_text(&text));
    issued(&newer);
    signing_free(&next);
}

/* Encrypted to the old certificate a moment before its end. */
TEST(the_old_key_opens_what_was_encrypted_to_it_until_the_longest_challenge_is_over)
{
    site.challenge.not_before = NOW + 365 * DAY - 1;
    site.challenge.expires = NOW + 366 * DAY - 1;
    struct why why = { 0 };
    struct signing lasting =
        signing_new(&(struct signing_of){ .subject = "CN=mdm lasting", .not_after = NOW + 800 * DAY });
    ASSERT_OK(signing_pin(world, "authority_set", &lasting, &why), &why);
    AUTO_BUF unused = managed_challenge(&site), text = managed_sealed(&site, &lasting);
    assert_true(unused.len > 0);
    HELD(device) = managed_device(&site.wants, buf_text(&text));
    world->clock.held = NOW + 310 * DAY;
    minute();
    world->clock.held = NOW + 366 * DAY - 2;
    minute();
    issued(&device);
    signing_free(&lasting);
}

RUN(M(an_authorisation_that_ended_is_refused_by_device_profile_and_version),
    M(ends_come_in_batches_again_and_in_any_order), M(an_end_with_a_time_is_for_the_challenges_before_it),
    M(an_end_is_for_the_challenges_of_the_authority_that_told_it), M(ends_that_cannot_be_read_change_nothing),
    M(what_waits_is_not_approved_after_the_end), M(an_end_that_came_in_meanwhile_is_seen_by_t1),
    M(a_lost_seal_is_made_up_for_the_same_request_after_a_restart),
    M(a_voided_reservation_frees_its_challenge_and_is_told_of),
    M(what_the_signer_refuses_frees_its_challenge_and_is_told_of),
    M(a_second_request_with_the_same_challenge_is_refused_by_the_number_of_the_first),
    M(a_challenge_is_used_once_at_whichever_ca),
    M(a_claim_is_forgotten_only_once_its_challenge_cannot_be_opened),
    M(a_clock_that_was_ahead_makes_no_used_challenge_new),
    M(a_device_whose_challenge_is_older_than_a_roll_over_of_both_keys_enrols),
    M(the_old_key_opens_what_was_encrypted_to_it_until_the_longest_challenge_is_over))
