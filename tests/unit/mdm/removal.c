/* SPDX-License-Identifier: Apache-2.0 */
/* The removal table: what becomes of a certificate when its profile does not reach the device any more, or is another one. */
#include "mdm/deployment.h"

#include "mdm/errand.h"
#include "mdm/sweep.h"
#include "tests/unit/mdm/deployed.h"
#include "tests/unit/mdm/profile_kept.h"

static bool was_told(const char *line)
{
    return strstr(buf_text(&fake_ca.told), line) != NULL;
}

static void take_out_of_the_group(void)
{
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/lab/members/S1", NULL));
}

static void put_into_the_group(void)
{
    ASSERT_STATUS(204, ask(HTTP_POST, "/api/v1/groups/lab/members", "{\"member\":\"S1\"}"));
}

static void ca_tells_revoked(const char *serial)
{
    fake_ca_tells(&(struct fake_event){
        .kind = "revoked", .device = site.device, .profile = site.profile, .version = 1, .serial = serial });
    fake_ca_exchange();
}

static char *end_line(int64_t version, int64_t at)
{
    return at ? xasprintf("end %s %s %lld %lld\n", site.device, site.profile, (long long)version,
                          (long long)at)
              : xasprintf("end %s %s %lld\n", site.device, site.profile, (long long)version);
}

TEST(out_of_the_group_it_is_revoked_and_removed_and_the_root_stays)
{
    site_make("linux");
    installed();
    take_out_of_the_group();
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(1, orders());
    assert_string_equal("remove", order(0, "action"));
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    ca_tells_revoked("0A01");
    assert_string_equal("revoked", state_of(site.profile));
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(1, orders());
    AUTO_STR result = xasprintf("{\"results\":[{\"id\":\"%s\",\"state\":\"done\"}]}", order(0, "id"));
    ASSERT_STATUS(200, checked_in(result));
    assert_int_equal(0, orders());
    ASSERT_STATUS(200, checked_in(body)); /* it was not true */
    assert_string_equal("remove", order(0, "action"));
    ASSERT_STATUS(200, checked_in("{\"installed\":[]}"));
    assert_string_equal("removed", state_of(site.profile));
}

TEST(a_profile_that_is_unassigned_or_loses_its_root_is_revoked_too)
{
    site_make("linux");
    installed();
    unassign("Root");
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("remove", order(0, "action"));
    assert_string_equal("scep", order(0, "type"));
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    assert_string_equal("installed", state_of(site.root)); /* the root itself stays */
}

TEST(back_in_the_group_it_is_made_anew)
{
    site_make("linux");
    installed();
    take_out_of_the_group();
    ASSERT_STATUS(200, checked_in("{}"));
    put_into_the_group();
    directory.clock.held = NOW + 10;
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("delivered", state_of(site.profile));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    fake_ca_exchange();
    AUTO_STR end = end_line(1, NOW + 1);
    assert_true(was_told(end)); /* and what is handed out from now on counts */
}

TEST(a_challenge_ends_with_its_profile_although_the_device_does_not_come)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    fake_ca_exchange();
    assert_int_equal(0, fake_ca.told.len);
    take_out_of_the_group();
    fake_ca.err = ERR_UNAVAILABLE;
    fake_ca_exchange();
    assert_int_equal(1, counted("SELECT COUNT(*) FROM errand WHERE done_at IS NULL AND tries = 0"));
    fake_ca.err = OK;
    fake_ca_exchange();
    AUTO_STR end = end_line(1, NOW + 1);
    assert_true(was_told(end));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM errand WHERE done_at IS NULL"));
    assert_string_equal("removed", state_of(site.profile));
    /* One that was on its way becomes no certificate that stays. */
    ca_issues("", "0A01", 1);
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("remove", order(0, "action"));
}

TEST(a_version_that_is_no_more_becomes_no_certificate_that_stays)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    json_t *document = scep_json("linux");
    json_object_set_new(document, "renewal_threshold", json_integer(30));
    ASSERT_STATUS(200, profile_send(HTTP_PUT, "/api/v1/profiles/kiosks", document));
    ASSERT_STATUS(200, checked_in("{}"));
    ca_issues("", "0A01", 1); /* on its way when it ended */
    fake_ca_exchange();
    assert_string_equal("delivered", state_of(site.profile));
    assert_true(was_told("revoke 0A01 superseded\n"));
}

TEST(a_certificate_is_revoked_although_the_device_does_not_come)
{
    struct sweep sweep = { 0 };
    struct why why = { 0 };
    site_make("linux");
    installed();
    directory.clock.held = NOW + 3601; /* no challenge is open */
    take_out_of_the_group();
    ASSERT_OK(sweep_some(&directory.mdm, &sweep, &why), &why);
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device_report WHERE due_at = 0"));
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("remove", order(0, "action"));
}

TEST(a_changed_profile_is_revoked_and_made_anew)
{
    site_make("linux");
    installed();
    json_t *document = scep_json("linux");
    json_object_set_new(document, "renewal_threshold", json_integer(30));
    ASSERT_STATUS(200, profile_send(HTTP_PUT, "/api/v1/profiles/kiosks", document));
    ASSERT_STATUS(409, challenge_asked(KEY_A));
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(1, orders());
    assert_string_equal("install", order(0, "action"));
    fake_ca_exchange();
    AUTO_STR end = end_line(1, 0);
    assert_true(was_told(end)); /* no challenge of that version ever counts again */
    assert_true(was_told("revoke 0A01 superseded\n"));
    ca_tells_revoked("0A01");
    assert_string_equal("delivered", state_of(site.profile));
    ca_issues("", "0A02", 2);
    assert_string_equal("issued", state_of(site.profile));
    AUTO_STR next = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(next));
    assert_string_equal("installed", state_of(site.profile));
}

TEST(a_device_that_is_retired_has_everything_revoked_at_once)
{
    site_make("linux");
    installed();
    ASSERT_STATUS(200, ask(HTTP_POST, "/api/v1/devices/S1/retire", NULL));
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    assert_string_equal("removed", state_of(site.root));
    ca_tells_revoked("0A01");
    assert_string_equal("revoked", state_of(site.profile));
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("retired", answered("state"));
}

TEST(what_a_deleted_group_or_user_gave_stays_and_is_renewed_no_more)
{
    site_make("linux");
    installed();
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/groups/lab", NULL));
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    fake_ca_exchange();
    assert_false(was_told("revoke"));
    AUTO_STR end = end_line(1, NOW + 1);
    assert_true(was_told(end));
    assert_string_equal("installed", state_of(site.profile));
    directory.clock.held = NOW + 90 * DAY;
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    ASSERT_STATUS(422, challenge_asked(KEY_A));
}

/* The profiles come to S1 by its user alone. */
static void given_by_the_user(void)
{
    made("/api/v1/users", "{\"upn\":\"anna@b\"}");
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/devices/S1", "{\"owner\":\"anna@b\"}"));
    made("/api/v1/groups", "{\"name\":\"staff\",\"kind\":\"user\"}");
    ASSERT_STATUS(204, ask(HTTP_POST, "/api/v1/groups/staff/members", "{\"member\":\"anna@b\"}"));
    assign("Root", "staff");
    assign("Kiosks", "staff");
    unassign("Root");
    unassign("Kiosks");
}

TEST(a_disabled_user_keeps_what_is_there_until_somebody_takes_the_profile_away)
{
    site_make("linux");
    installed();
    AUTO_STR body = installed_json(made_certificate.key);
    given_by_the_user();
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/anna@b", "{\"enabled\":false}"));
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    assert_int_equal(
        2, counted("SELECT COUNT(*) FROM deployment WHERE intent = 'leave' AND state = 'installed'"));
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/anna@b", "{\"enabled\":true}"));
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    assert_int_equal(NOW + 80 * DAY,
                     counted("SELECT due_at FROM device_report")); /* it is renewed as before */
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/anna@b", "{\"enabled\":false}"));
    ASSERT_STATUS(200, checked_in(body));
    fake_ca_exchange();
    assert_false(was_told("revoke"));
    ASSERT_STATUS(200, ask(HTTP_DELETE, "/api/v1/profiles/Kiosks/assignments/staff", NULL));
    ASSERT_STATUS(200, checked_in(body));
    assert_string_equal("remove", order(0, "action"));
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
}

TEST(what_ca_does_not_do_is_asked_again_ever_more_rarely_and_holds_up_nothing)
{
    site_make("linux");
    installed();
    take_out_of_the_group();
    ASSERT_STATUS(200, checked_in("{}"));
    fake_ca.revoking = ERR_RATE;
    fake_ca_exchange();
    AUTO_STR end = end_line(1, NOW + 1);
    assert_true(was_told(end));
    assert_int_equal(NOW + 30, counted("SELECT next_at FROM errand WHERE kind = 'revoke'"));
    fake_ca_exchange();
    assert_int_equal(1, counted("SELECT tries FROM errand WHERE kind = 'revoke'"));
    directory.clock.held = NOW + 30;
    fake_ca_exchange();
    assert_int_equal(NOW + 90, counted("SELECT next_at FROM errand WHERE kind = 'revoke'"));
    fake_ca.revoking = OK;
    directory.clock.held = NOW + 90;
    fake_ca_exchange();
    assert_true(was_told("revoke 0A01 cessationOfOperation\n"));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM errand WHERE done_at IS NULL"));
}

DIRECTORY_MAIN(E(out_of_the_group_it_is_revoked_and_removed_and_the_root_stays),
               E(a_profile_that_is_unassigned_or_loses_its_root_is_revoked_too),
               E(back_in_the_group_it_is_made_anew),
               E(a_challenge_ends_with_its_profile_although_the_device_does_not_come),
               E(a_version_that_is_no_more_becomes_no_certificate_that_stays),
               E(a_certificate_is_revoked_although_the_device_does_not_come),
               E(a_changed_profile_is_revoked_and_made_anew),
               E(a_device_that_is_retired_has_everything_revoked_at_once),
               E(what_a_deleted_group_or_user_gave_stays_and_is_renewed_no_more),
               E(a_disabled_user_keeps_what_is_there_until_somebody_takes_the_profile_away),
               E(what_ca_does_not_do_is_asked_again_ever_more_rarely_and_holds_up_nothing))
