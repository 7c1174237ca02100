/* SPDX-License-Identifier: Apache-2.0 */
/* From a profile that reaches a device to a certificate that is installed there. */
#include "mdm/deployment.h"

#include "base/encode.h"
#include "mdm/handout.h"
#include "tests/unit/mdm/deployed.h"
#include "tests/unit/mdm/profile_kept.h"
#include <pthread.h>
#include <time.h>

TEST(a_device_is_told_its_root_and_its_request_and_gets_a_challenge_for_its_key_alone)
{
    struct challenge_opened opened = { 0 };
    struct why why = { 0 };
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    assert_int_equal(2, orders());
    assert_string_equal("trusted-certificate", order(0, "type"));
    assert_string_equal("scep", order(1, "type"));
    assert_string_equal("CN=S1", order(1, "subject"));
    assert_string_equal("", order(1, "challenge")); /* it names its key first */
    assert_string_equal("delivered", state_of(site.profile));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    ASSERT_OK(fake_ca_open(answered("challenge"), &opened, &why), &why);
    const struct challenge *challenge = &opened.challenge;
    assert_true(bytes_equal(challenge->device, bytes_str(site.device)));
    assert_true(bytes_equal(challenge->profile, bytes_str(site.profile)));
    assert_int_equal(1, challenge->profile_version);
    assert_int_equal(NOW + 3600, challenge->expires);
    assert_true(challenge->expects.is_bound);
    AUTO_BUF key = { 0 };
    hex_append(&key, BYTES_ARR(challenge->expects.key_digest));
    assert_string_equal(KEY_A, buf_text(&key));
    AUTO_BUF subject = fixture_name("CN=S1");
    assert_true(bytes_equal(buf_bytes(&subject), challenge->expects.subject));
    assert_int_equal(2048, challenge->expects.rsa_bits);
    challenge_opened_free(&opened);
    assert_int_equal(1, counted("SELECT COUNT(*) FROM deployment_challenge"));
}

TEST(a_platform_that_cannot_name_its_key_gets_the_challenge_with_the_order)
{
    struct challenge_opened opened = { 0 };
    struct why why = { 0 };
    site_make("ios");
    ASSERT_STATUS(200, checked_in("{}"));
    assert_int_equal(2, orders());
    ASSERT_OK(fake_ca_open(order(1, "challenge"), &opened, &why), &why);
    assert_false(opened.challenge.expects.is_bound);
    challenge_opened_free(&opened);
}

TEST(a_certificate_that_ca_issued_and_the_device_has_is_installed_and_then_there_is_nothing_to_do)
{
    site_make("linux");
    installed();
    assert_int_equal(0, orders());
    uint64_t commits = store_commits(directory.mdm.store);
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(commits, store_commits(directory.mdm.store));
    assert_int_equal(4, counted("SELECT COUNT(*) FROM deployment_history h JOIN deployment d ON d.profile_id "
                                "= h.profile_id WHERE d.type = 'scep'"));
    ASSERT_STATUS(409, challenge_asked(KEY_A));
    ASSERT_SAYS("installed on this device");
}

TEST(the_device_may_say_it_before_ca_does)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    certificate_make();
    AUTO_BUF der = buf_dup(buf_bytes(&made_certificate.der));
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_string_equal("delivered", state_of(site.profile));
    fake_ca_tells(&(struct fake_event){ .kind = "issued",
                                        .device = site.device,
                                        .profile = site.profile,
                                        .serial = "0A01",
                                        .version = 1,
                                        .certificate = buf_bytes(&der) });
    fake_ca_exchange();
    assert_string_equal("installed", state_of(site.profile));
}

TEST(what_ca_tells_twice_counts_once_and_what_nobody_asked_for_is_acknowledged)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    fake_ca.deaf = true;
    ca_issues("", "0A01", 1);
    fake_ca_tells(&(struct fake_event){ .kind = "failed",
                                        .device = "11111111-1111-4111-8111-111111111111",
                                        .profile = site.profile,
                                        .version = 1 });
    fake_ca_exchange();
    int64_t history = counted("SELECT COUNT(*) FROM deployment_history");
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    history = counted("SELECT COUNT(*) FROM deployment_history");
    fake_ca.deaf = false;
    fake_ca_exchange();
    assert_int_equal(history, counted("SELECT COUNT(*) FROM deployment_history"));
    assert_string_equal("installed", state_of(site.profile));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM ca_event"));
    assert_int_equal(0, fake_ca.outbox[0].len + fake_ca.outbox[1].len);
}

TEST(a_refusal_of_ca_is_an_error_until_it_is_tried_again_and_never_undoes_a_certificate)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    const struct fake_event refused = { .kind = "failed",
                                        .device = site.device,
                                        .profile = site.profile,
                                        .version = 1,
                                        .error = "ERR_CHALLENGE_EXPIRED",
                                        .reason = "challenge expired" };
    fake_ca_tells(&refused);
    fake_ca_exchange();
    assert_string_equal("error", state_of(site.profile));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM deployment WHERE code = 'ERR_CHALLENGE_EXPIRED' AND "
                                "diagnosis = 'K411' AND step = 'ca'"));
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("error", state_of(site.profile));
    directory.clock.held = NOW + DEPLOYMENT_RETRY_S;
    ASSERT_STATUS(200, checked_in("{}"));
    assert_string_equal("delivered", state_of(site.profile));
    ca_issues("", "0A01", 1);
    fake_ca_tells(&refused);
    fake_ca_exchange();
    assert_string_equal("issued", state_of(site.profile));
}

TEST(ca_that_is_down_keeps_nobody_from_checking_in_and_getting_a_challenge)
{
    site_make("linux");
    fake_ca.err = ERR_UNAVAILABLE;
    ASSERT_STATUS(200, checked_in("{}"));
    assert_int_equal(2, orders());
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    fake_ca_exchange();
    fake_ca.err = OK;
    ca_issues("", "0A01", 1);
    assert_string_equal("issued", state_of(site.profile));
}

TEST(a_profile_that_does_not_reach_the_device_gets_no_challenge)
{
    site_make("linux");
    ASSERT_STATUS(409, challenge_asked(KEY_A));
    ASSERT_SAYS("check in first");
    ASSERT_STATUS(200, checked_in("{}"));
    made("/api/v1/groups", "{\"name\":\"out\",\"kind\":\"device\"}");
    ASSERT_STATUS(204, ask(HTTP_POST, "/api/v1/groups/out/members", "{\"member\":\"S1\"}"));
    ASSERT_STATUS(201, ask(HTTP_POST, "/api/v1/profiles/Kiosks/assignments",
                           "{\"group\":\"out\",\"mode\":\"exclude\"}"));
    ASSERT_STATUS(422, challenge_asked(KEY_A));
    ASSERT_SAYS("excluded by device group out");
    unassign("Kiosks");
    ASSERT_STATUS(422, challenge_asked(KEY_A));
    ASSERT_SAYS("does not reach this device");
    ASSERT_STATUS(403, agent_post(CHALLENGE, "{}", BYTES_NONE));
    ASSERT_STATUS(422, challenge_asked("00"));
    ASSERT_SAYS("64 lower-case");
}

TEST(challenges_that_may_be_used_are_limited)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    for (int i = 0; i < HANDOUT_OPEN_MAX; i++)
        ASSERT_STATUS(200, challenge_asked(KEY_A));
    ASSERT_STATUS(429, challenge_asked(KEY_A));
    ASSERT_SAYS("limit 64");
    directory.clock.held = NOW + 3600;
    ASSERT_STATUS(200, challenge_asked(KEY_A));
}

TEST(another_key_than_the_issued_one_is_an_alarm)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    ca_issues("", "0A01", 1);
    AUTO_STR body = installed_json(KEY_A);
    ASSERT_STATUS(200, checked_in(body));
    assert_string_equal("error", state_of(site.profile));
    assert_int_equal(1,
                     counted("SELECT COUNT(*) FROM deployment WHERE code = 'ERR_REGISTERED_KEY' AND step = "
                             "'installed'"));
}

TEST(what_was_deleted_on_the_device_is_made_anew)
{
    site_make("linux");
    installed();
    ASSERT_STATUS(200, checked_in("{\"installed\":[]}"));
    assert_int_equal(2, orders());
    assert_string_equal("delivered", state_of(site.profile));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
}

TEST(it_is_renewed_when_so_much_of_its_life_remains_as_the_profile_says)
{
    site_make("linux");
    installed();
    AUTO_STR body = installed_json(made_certificate.key);
    directory.clock.held = NOW + 80 * DAY - 1;
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(0, orders());
    directory.clock.held = NOW + 80 * DAY;
    ASSERT_STATUS(200, checked_in(body));
    assert_int_equal(1, orders());
    assert_string_equal("renewing", state_of(site.profile));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    ca_issues("", "0A02", 1);
    assert_string_equal("issued", state_of(site.profile));
    AUTO_STR next = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(next));
    assert_string_equal("installed", state_of(site.profile));
}

TEST(what_the_device_could_not_do_is_an_error_with_its_words)
{
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    AUTO_STR failed = xasprintf("{\"results\":[{\"id\":\"%s\",\"state\":\"failed\",\"code\":\"E7\","
                                "\"detail\":\"no TPM\"},{\"id\":\"%s\",\"state\":\"done\"}]}",
                                order(1, "id"), order(0, "id"));
    ASSERT_STATUS(200, checked_in(failed));
    assert_string_equal("error", state_of(site.profile));
    assert_string_equal("installed", state_of(site.root));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM deployment WHERE step = 'device' AND code = 'E7' AND "
                                "detail = 'no TPM'"));
}

TEST(a_variable_without_a_value_fails_on_this_device_alone_and_until_it_has_one)
{
    site_make("linux");
    json_t *document = scep_json("linux");
    json_object_set_new(document, "subject_name", json_string("CN={{WiFiMacAddress}}"));
    ASSERT_STATUS(200, profile_send(HTTP_PUT, "/api/v1/profiles/kiosks", document));
    ASSERT_STATUS(200, checked_in("{}"));
    assert_int_equal(1, orders());
    assert_string_equal("error", state_of(site.profile));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM deployment WHERE step = 'preview' AND code = "
                                "'ERR_PROFILE_VALUE'"));
    ASSERT_STATUS(200, checked_in("{\"device\":{\"wifi_mac\":\"00163e123456\"}}"));
    assert_string_equal("delivered", state_of(site.profile));
}

/* A check-in that has read how the device stands, and takes its time. */
struct slow {
    pthread_mutex_t lock;
    pthread_cond_t has_read;
    bool read;
};

static enum err slow_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct slow *slow = arg;
    AUTO_VAL(deployments) all = { 0 };
    const struct timespec moment = { .tv_nsec = 300000000 };
    const struct deployment_move move = { .event = DEPLOYMENT_ORDERED, .now = NOW };
    TRY(deployments_hold(tx, site.device, why));
    TRY(deployments_load(tx, site.device, site.profile, 0, &all, why));
    pthread_mutex_lock(&slow->lock);
    slow->read = true;
    pthread_cond_signal(&slow->has_read);
    pthread_mutex_unlock(&slow->lock);
    nanosleep(&moment, NULL);
    return deployment_move(tx, all.list, &move, why);
}

static void *slow_run(void *arg)
{
    struct why why = { 0 };
    ASSERT_OK(store_write(directory.mdm.store, slow_work, arg, &why), &why);
    return NULL;
}

TEST(a_check_in_and_ca_at_the_same_time_lose_nothing_of_each_other)
{
    struct slow slow = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    pthread_t thread;
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    assert_int_equal(0, pthread_create(&thread, NULL, slow_run, &slow));
    pthread_mutex_lock(&slow.lock);
    while (!slow.read)
        pthread_cond_wait(&slow.has_read, &slow.lock);
    pthread_mutex_unlock(&slow.lock);
    ca_issues("", "0A01", 1);
    assert_int_equal(0, pthread_join(thread, NULL));
    assert_string_equal("issued", state_of(site.profile));
}

TEST(a_move_that_the_table_does_not_have_changes_nothing)
{
    assert_int_equal(DEPLOYMENT_NONE, deployment_next(DEPLOYMENT_REVOKED, DEPLOYMENT_FOUND));
    assert_int_equal(DEPLOYMENT_NONE, deployment_next(DEPLOYMENT_REMOVED, DEPLOYMENT_ORDERED));
    assert_int_equal(DEPLOYMENT_NONE, deployment_next(DEPLOYMENT_VERIFIED, DEPLOYMENT_ORDERED));
    assert_int_equal(DEPLOYMENT_INSTALLED, deployment_next(DEPLOYMENT_ISSUED, DEPLOYMENT_FOUND));
    site_make("linux");
    ASSERT_STATUS(200, checked_in("{}"));
    ca_issues("", "0A01", 1);
    fake_ca_tells(&(struct fake_event){
        .kind = "pending", .device = site.device, .profile = site.profile, .version = 1 });
    fake_ca_exchange();
    assert_string_equal("issued", state_of(site.profile));
}

DIRECTORY_MAIN(
    E(a_device_is_told_its_root_and_its_request_and_gets_a_challenge_for_its_key_alone),
    E(a_platform_that_cannot_name_its_key_gets_the_challenge_with_the_order),
    E(a_certificate_that_ca_issued_and_the_device_has_is_installed_and_then_there_is_nothing_to_do),
    E(the_device_may_say_it_before_ca_does),
    E(what_ca_tells_twice_counts_once_and_what_nobody_asked_for_is_acknowledged),
    E(a_refusal_of_ca_is_an_error_until_it_is_tried_again_and_never_undoes_a_certificate),
    E(ca_that_is_down_keeps_nobody_from_checking_in_and_getting_a_challenge),
    E(a_profile_that_does_not_reach_the_device_gets_no_challenge), E(challenges_that_may_be_used_are_limited),
    E(another_key_than_the_issued_one_is_an_alarm), E(what_was_deleted_on_the_device_is_made_anew),
    E(it_is_renewed_when_so_much_of_its_life_remains_as_the_profile_says),
    E(what_the_device_could_not_do_is_an_error_with_its_words),
    E(a_variable_without_a_value_fails_on_this_device_alone_and_until_it_has_one),
    E(a_check_in_and_ca_at_the_same_time_lose_nothing_of_each_other),
    E(a_move_that_the_table_does_not_have_changes_nothing))
