/* SPDX-License-Identifier: Apache-2.0 */
/* Authorities ask for certificates of others, inside their limits and nowhere else. */
#include "base/limits.h"
#include "ca/revoke.h"
#include "ca/verbs.h"
#include "tests/unit/ca/authority_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/ca/verb_call.h"

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define DEVICE(name, ...)                                                                                    \
    __attribute__((cleanup(device_free))) struct device name = device_new(&(struct ask){ __VA_ARGS__ })

static enum err limit(const char *verb, const char *field, const char *value, struct why *why)
{
    return authority_limit(world, verb, field, value, why);
}

static void authority_add(void)
{
    struct why why = { 0 };
    ASSERT_OK(limit("authority_add", "templates", "SCEPDevice", &why), &why);
}

static enum err issue(const char *template, const struct device *device, bool *ret_waits, struct why *why)
{
    return authority_issue(world, template, device, ret_waits, why);
}

TEST(an_hour_later_it_may_again_and_what_waits_is_approved_by_hand)
{
    DEVICE(one, .subject = "CN=one");
    DEVICE(two, .subject = "CN=two");
    DEVICE(three, .subject = "CN=three");
    struct why why = { 0 };
    bool waits = true;
    authority_add();
    ASSERT_OK(limit("authority_set", "issues", "1", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_false(waits);
    ASSERT_OK(issue("SCEPDevice", &two, &waits, &why), &why);
    assert_true(waits);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ca_approve(world->ca, world_issuer(world), 2, "authority/mdm", &why),
               &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), 2, "cli", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &two, &waits, &why), &why);
    assert_false(waits);
    world->clock.held += 3600;
    ASSERT_OK(issue("SCEPDevice", &three, &waits, &why), &why);
    assert_false(waits);
}

TEST(one_device_has_no_more_certificates_than_its_limit)
{
    DEVICE(one, .subject = "CN=one");
    DEVICE(two, .subject = "CN=one");
    struct why why = { 0 };
    bool waits = true;
    authority_add();
    ASSERT_OK(limit("authority_set", "device", "1", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_false(waits);
    ASSERT_OK(issue("SCEPDevice", &two, &waits, &why), &why);
    assert_true(waits);
}

static enum err issue_named(const char *san, struct why *why)
{
    AUTO_BUF names = { 0 }, whole = { 0 }, extensions = { 0 };
    bool waits;
    ASSERT_OK(san_put_text(&names, san, why), why);
    san_put_end(&whole, buf_bytes(&names));
    extension_put_san(&extensions, buf_bytes(&whole), false);
    DEVICE(device, .subject = "CN=one", .extensions = buf_bytes(&extensions));
    return issue("SCEPDevice", &device, &waits, why);
}

TEST(names_need_a_suffix_of_their_kind)
{
    static const char *const bad[] = {
        "dns:example.com",     "dns:badexample.net",         "dns:example.net.evil.org",
        "email:a@example.org", "uri:https://a.example.net/", "ip:192.0.2.1"
    };
    struct why why = { 0 };
    authority_add();
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue_named("dns:a.example.net", &why), &why);
    ASSERT_OK(limit("authority_set", "suffixes", "dns:example.net,email:@example.net", &why), &why);
    ASSERT_OK(issue_named("dns:a.Example.net", &why), &why);
    ASSERT_OK(issue_named("dns:example.net", &why), &why);
    ASSERT_OK(issue_named("email:a@example.net", &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue_named(bad[i], &why), &why);
    ASSERT_ERR(ERR_USAGE, limit("authority_set", "suffixes", "example.net", &why), &why);
}

TEST(of_a_uri_its_host_counts_and_an_address_is_whole)
{
    static const char *const bad[] = { "uri:https://evil.org/.example.net",
                                       "uri:https://evil.org?.example.net",
                                       "uri:https://evil.org#a@example.net",
                                       "uri:https://a.example.net@evil.org/",
                                       "uri:urn:a.example.net",
                                       "uri:evil:?://a.example.net",
                                       "ip:192.0.2.11",
                                       "ip:1.192.0.2" };
    struct why why = { 0 };
    authority_add();
    ASSERT_OK(limit("authority_set", "suffixes", "uri:example.net,ip:192.0.2.1", &why), &why);
    ASSERT_OK(issue_named("uri:https://user@a.example.net:8443/path", &why), &why);
    ASSERT_OK(issue_named("ip:192.0.2.1", &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue_named(bad[i], &why), &why);
}

TEST(a_template_that_wants_a_manager_makes_it_wait)
{
    static const char *const wanted[] = { "name", "SCEPDevice", "manager_approval", "yes", NULL };
    DEVICE(one, .subject = "CN=one");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    bool waits = false;
    authority_add();
    ASSERT_OK(ask_fields(world, "template_set", wanted, &answer, &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_true(waits);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), 1, "cli", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_false(waits);
}

TEST(denied_names_are_denied_in_subject_and_names_without_case)
{
    DEVICE(device, .subject = "CN=Administrator");
    struct why why = { 0 };
    bool waits;
    authority_add();
    ASSERT_OK(limit("authority_set", "suffixes", "dns:", &why), &why);
    ASSERT_OK(limit("authority_set", "denied", "admin*,dc?.example.net", &why), &why);
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue("SCEPDevice", &device, &waits, &why), &why);
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue_named("dns:DC1.example.net", &why), &why);
    ASSERT_OK(issue_named("dns:dc10.example.net", &why), &why);
}

TEST(lists_may_have_blanks_and_nothing_that_is_no_text)
{
    static const char *const bad[] = { "a\x1B[31m", "a\nb", "a\x7F" };
    DEVICE(device, .subject = "CN=root-1");
    struct why why = { 0 };
    bool waits;
    authority_add();
    ASSERT_OK(limit("authority_set", "denied", " admin* , root*,, ", &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM authority WHERE denied = 'admin*,root*'"));
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue("SCEPDevice", &device, &waits, &why), &why);
    ASSERT_OK(limit("authority_set", "templates", "SCEPDevice, WebServer", &why), &why);
    ASSERT_OK(limit("authority_set", "eku", "clientAuth, serverAuth", &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, limit("authority_set", "denied", bad[i], &why), &why);
    AUTO_BUF long_one = { 0 };
    buf_reserve(&long_one, LIMIT_RULE_BYTES + 2);
    while (long_one.len <= LIMIT_RULE_BYTES)
        buf_append_byte(&long_one, 'a');
    ASSERT_ERR(ERR_USAGE, limit("authority_set", "denied", buf_text(&long_one), &why), &why);
    assert_non_null(strstr(why.text, "4097 octets, allowed: 0 to 4096"));
}

TEST(the_audit_trail_says_which_limits_were_given)
{
    struct why why = { 0 };
    authority_add();
    ASSERT_OK(limit("authority_set", "issues", "77", &why), &why);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'authority_add' AND "
                                           "detail = 'templates: \"SCEPDevice\"'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'authority_set' AND "
                                           "detail = 'issues: 77'"));
}

TEST(a_template_that_is_not_published_gives_an_authority_nothing)
{
    static const char *const named[] = { "name", "SCEPDevice", NULL };
    DEVICE(one, .subject = "CN=one");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    bool waits = true;
    authority_add();
    ASSERT_OK(ask_fields(world, "template_unpublish", named, &answer, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE, issue("SCEPDevice", &one, &waits, &why), &why);
    assert_non_null(strstr(why.text, "template SCEPDevice is not published"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

TEST(templates_and_purposes_are_those_of_the_limits_whatever_the_rights_say)
{
    DEVICE(device, .subject = "CN=one");
    struct why why = { 0 };
    bool waits;
    ASSERT_ERR(ERR_NOT_AUTHORISED, issue("SCEPDevice", &device, &waits, &why), &why);
    authority_add();
    ASSERT_ERR(ERR_TEMPLATE_DENIED, issue("WebServer", &device, &waits, &why), &why);
    world_exec(world, "UPDATE right_rule SET allowed = 63 WHERE principal = 'authority/mdm'");
    ASSERT_OK(rights_reload(world->ca, &why), &why);
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue("ClientAuthentication", &device, &waits, &why), &why);
    ASSERT_OK(limit("authority_set", "eku", "serverAuth", &why), &why);
    ASSERT_ERR(ERR_AUTHORITY_LIMIT, issue("SCEPDevice", &device, &waits, &why), &why);
    ASSERT_OK(limit("authority_remove", NULL, NULL, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, issue("SCEPDevice", &device, &waits, &why), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

static enum err ask_as(const char *peer, const char *verb, const char *const *fields, struct why *why)
{
    const struct ipc_caller caller = { peer };
    AUTO_BUF body = { 0 }, answer = { 0 };
    record_of(&body, fields);
    return verb_call(verb_named(verb), world->ca, &caller, buf_bytes(&body), &answer, why);
}

/* No verb of these is open to an authority today: the limits hold whoever will be let in. */
TEST(with_the_right_to_issue_it_stays_an_authority)
{
    static const char *const first[] = { "id", "1", NULL };
    static const char *const may[] = { "principal", "authority/mdm", "rights", "issue", NULL };
    DEVICE(stranger, .subject = "CN=stranger", .challenge = "secret");
    DEVICE(one, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    bool waits = false;
    authority_add();
    ASSERT_OK(limit("authority_set", "issues", "0", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_true(waits);
    ASSERT_OK(ask_as("cli", "right_grant", may, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ask_as("mdm", "request_approve", first, &why), &why);
    assert_non_null(strstr(why.text, "authority/mdm asked for request 1"));
    device_assert_issued(world, &stranger, "static", &got);
    const char *const revoke[] = { "serial", got.serial, NULL };
    ASSERT_ERR(ERR_NOT_AUTHORISED, ask_as("mdm", "cert_revoke", revoke, &why), &why);
    assert_non_null(strstr(why.text, "authority mdm did not ask for certificate"));
}

TEST(what_waits_for_one_that_was_removed_is_not_approved)
{
    static const char *const first[] = { "id", "1", NULL };
    DEVICE(one, .subject = "CN=one");
    struct why why = { 0 };
    bool waits = false;
    authority_add();
    ASSERT_OK(limit("authority_set", "issues", "0", &why), &why);
    ASSERT_OK(issue("SCEPDevice", &one, &waits, &why), &why);
    assert_true(waits);
    ASSERT_OK(limit("authority_remove", NULL, NULL, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, ask_as("cli", "request_approve", first, &why), &why);
    assert_non_null(strstr(why.text, "authority/mdm lacks Request Certificates"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'pending'"));
}

TEST(it_revokes_its_own_certificates_and_not_too_many_an_hour)
{
    DEVICE(stranger, .subject = "CN=stranger", .challenge = "secret");
    DEVICE(one, .subject = "CN=one");
    DEVICE(two, .subject = "CN=two");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    const struct device *own[] = { &one, &two };
    bool waits, changed;
    authority_add();
    ASSERT_OK(limit("authority_set", "revocations", "1", &why), &why);
    device_assert_issued(world, &stranger, "static", &got);
    struct revocation revocation = { got.serial, "authority/mdm", CRL_SUPERSEDED };
    ASSERT_ERR(ERR_NOT_AUTHORISED, ca_revoke(world->ca, world_issuer(world), &revocation, &changed, &why),
               &why);
    struct revocation hold = { got.serial, "cli", CRL_CERTIFICATE_HOLD };
    ASSERT_OK(ca_revoke(world->ca, world_issuer(world), &hold, &changed, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED,
               ca_release(world->ca, world_issuer(world), got.serial, "authority/mdm", &why), &why);
    ASSERT_OK(ca_release(world->ca, world_issuer(world), got.serial, "cli", &why), &why);
    for (size_t i = 0; i < 2; i++) {
        AUTO_VAL(request_row) row = { 0 };
        bool found = false;
        ASSERT_OK(issue("SCEPDevice", own[i], &waits, &why), &why);
        const struct request_lookup lookup = {
            .ca = world->ca, .issuer = world_issuer(world), .by = LOOKUP_ID, .request_id = (int64_t)i + 2
        };
        ASSERT_OK(request_find(&lookup, &found, &row, &why), &why);
        revocation.serial = row.serial;
        enum err err = ca_revoke(world->ca, world_issuer(world), &revocation, &changed, &why);
        assert_int_equal(i == 0 ? OK : ERR_RATE, err);
    }
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'revoked'"));
}

RUN(W(an_hour_later_it_may_again_and_what_waits_is_approved_by_hand),
    W(one_device_has_no_more_certificates_than_its_limit), W(names_need_a_suffix_of_their_kind),
    W(denied_names_are_denied_in_subject_and_names_without_case),
    W(of_a_uri_its_host_counts_and_an_address_is_whole), W(a_template_that_wants_a_manager_makes_it_wait),
    W(lists_may_have_blanks_and_nothing_that_is_no_text), W(the_audit_trail_says_which_limits_were_given),
    W(a_template_that_is_not_published_gives_an_authority_nothing),
    W(templates_and_purposes_are_those_of_the_limits_whatever_the_rights_say),
    W(with_the_right_to_issue_it_stays_an_authority), W(what_waits_for_one_that_was_removed_is_not_approved),
    W(it_revokes_its_own_certificates_and_not_too_many_an_hour))
