/* SPDX-License-Identifier: Apache-2.0 */
/* Rights: what rules mean, how they are changed, and that every verb asks for the one it should (spec security.md S20). */
#include "base/encode.h"
#include "ca/verbs.h"
#include "config/options.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/ca/verb_call.h"
#include <stdlib.h>

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

/* --- what rules mean --- */

#define RULE(object, principal, allowed, denied)                                                             \
    {                                                                                                        \
        (char *)"issuing", (char *)(object), (char *)(principal), allowed, denied                            \
    }

static bool may(const struct right_rules *rules, const char *who, const char *template, enum right right)
{
    const struct right_question question = { who, "issuing", template, right };
    return rights_allow(rules, &question);
}

TEST(the_most_specific_rule_decides)
{
    struct right_rule list[] = {
        RULE("ca", "*", RIGHT_READ, 0),
        RULE("ca", "endpoint/*", RIGHT_ISSUE, 0),
        RULE("ca", "endpoint/b", 0, RIGHT_ISSUE),
        RULE("template/T", "endpoint/*", RIGHT_ENROLL, RIGHT_READ),
        RULE("template/T", "endpoint/b", RIGHT_READ, RIGHT_ENROLL),
        RULE("template/T", "*", RIGHT_MANAGE, 0),
    };
    const struct right_rules rules = { list, sizeof(list) / sizeof(*list) };
    assert_true(may(&rules, "anybody", NULL, RIGHT_READ));
    assert_true(may(&rules, "anybody", "T", RIGHT_READ)); /* a right on the CA is one on its templates */
    assert_true(may(&rules, "endpoint/a", "T", RIGHT_ENROLL));
    assert_false(may(&rules, "endpoint/a", "T", RIGHT_READ)); /* its kind before everybody */
    assert_true(may(&rules, "endpoint/a", "U", RIGHT_READ));
    assert_false(may(&rules, "endpoint/a", "U", RIGHT_ENROLL));
    assert_true(may(&rules, "endpoint/b", "T", RIGHT_READ)); /* by name before its kind */
    assert_false(may(&rules, "endpoint/b", "T", RIGHT_ENROLL));
    assert_true(may(&rules, "endpoint/a", "T", RIGHT_ISSUE));
    assert_false(may(&rules, "endpoint/b", "T", RIGHT_ISSUE));
    assert_true(may(&rules, "role/x", "T", RIGHT_MANAGE));
    assert_false(may(&rules, "role/x", NULL, RIGHT_MANAGE)); /* one on a template is none on the CA */
    assert_false(may(&rules, "endpoint", "T", RIGHT_ENROLL));
    assert_false(may(&rules, "endpoints/a", "T", RIGHT_ENROLL));
}

TEST(what_no_rule_says_is_denied)
{
    struct right_rule list[] = { RULE("ca", "cli", RIGHT_READ, 0) };
    const struct right_rules none = { 0 }, rules = { list, 1 };
    const struct right_question other = { "cli", "other", NULL, RIGHT_READ };
    assert_false(may(&none, "cli", NULL, RIGHT_READ));
    assert_true(may(&rules, "cli", NULL, RIGHT_READ));
    assert_false(may(&rules, "cli", NULL, RIGHT_MANAGE));
    assert_false(may(&rules, "cli/", NULL, RIGHT_READ));
    assert_false(may(&rules, "", NULL, RIGHT_READ));
    assert_false(rights_allow(&rules, &other));
}

TEST(principals_and_rights_are_read_strictly)
{
    static const char *const good[] = { "*",       "cli",           "endpoint/default", "endpoint/*",
                                        "role/va", "authority/mdm", "admin/a.b-c_d",    "connector/x" };
    static const char *const bad[] = {
        "",         "cli/x",    "endpoint/", "endpoint/a*", "endpoint/a/b",  "other",        "unknown/a",
        "endpoint", "role/a b", "*/a",       "CLI",         "endpoint/a\nb", "role/\xC3\xA4"
    };
    struct why why = { 0 };
    unsigned rights = 0;
    AUTO_BUF text = { 0 };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ASSERT_OK(principal_check(good[i], &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, principal_check(bad[i], &why), &why);
    ASSERT_OK(rights_parse("enroll,read", &rights, &why), &why);
    assert_int_equal(RIGHT_READ | RIGHT_ENROLL, rights);
    rights_append_text(&text, rights);
    assert_string_equal("read,enroll", buf_text(&text));
    ASSERT_ERR(ERR_USAGE, rights_parse("", &rights, &why), &why);
    ASSERT_ERR(ERR_USAGE, rights_parse("read,", &rights, &why), &why);
    ASSERT_ERR(ERR_USAGE, rights_parse("Read", &rights, &why), &why);
    ASSERT_ERR(ERR_USAGE, rights_parse("all", &rights, &why), &why);
}

/* --- changing them --- */

static enum err change_as(const char *peer, const char *verb, const char *const fields[4], struct buf *ret,
                          struct why *why)
{
    static const char *const names[] = { "principal", "rights", "template", "ca" };
    const struct ipc_caller caller = { peer };
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    for (size_t i = 0; i < 4; i++) {
        if (fields[i])
            record_put_str(&body, names[i], fields[i]);
    }
    record_end(&body, mark);
    buf_free(ret);
    return verb_call(verb_named(verb), world->ca, &caller, buf_bytes(&body), ret, why);
}

static enum err change(const char *verb, const char *principal, const char *rights, const char *template,
                       struct why *why)
{
    AUTO_BUF answer = { 0 };
    return change_as("cli", verb, (const char *const[4]){ principal, rights, template, NULL }, &answer, why);
}

TEST(a_slot_without_enroll_is_refused_by_name_and_kept)
{
    DEVICE(one, .subject = "CN=one", .challenge = "secret");
    DEVICE(two, .subject = "CN=two", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 }, after = { 0 };
    struct why why = { 0 };
    device_assert_issued(world, &one, "static", &got);
    ASSERT_OK(change("right_revoke", "endpoint/static", "enroll", "SCEPDevice", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, device_enroll(world, &two, "static", &after, &why), &why);
    assert_non_null(strstr(why.text, "endpoint/static"));
    assert_non_null(strstr(why.text, "Enroll"));
    assert_non_null(strstr(why.text, "template SCEPDevice"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' AND "
                                           "error = 'ERR_TEMPLATE_DENIED'"));
    world_reopen(world); /* what was taken away is not given anew */
    ASSERT_ERR(ERR_TEMPLATE_DENIED, device_enroll(world, &two, "static", &after, &why), &why);
    ASSERT_OK(change("right_grant", "endpoint/static", "enroll", "SCEPDevice", &why), &why);
    device_assert_issued(world, &two, "static", &after);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM audit WHERE actor = 'cli' AND "
                                           "object = 'endpoint/static template/SCEPDevice'"));
}

TEST(each_right_that_an_enrolment_takes_is_taken)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(change("right_deny", "endpoint/static", "read", "SCEPDevice", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, device_enroll(world, &device, "static", &got, &why), &why);
    assert_non_null(strstr(why.text, "Read"));
    ASSERT_OK(change("right_grant", "endpoint/static", "read", "SCEPDevice", &why), &why);
    ASSERT_OK(change("right_deny", "endpoint/static", "request", NULL, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_DENIED, device_enroll(world, &device, "static", &got, &why), &why);
    assert_non_null(strstr(why.text, "Request Certificates"));
    ASSERT_OK(change("right_revoke", "endpoint/static", "request", NULL, &why), &why);
    device_assert_issued(world, &device, "static", &got); /* by the rule of endpoint/ and a star */
}

TEST(cli_does_not_lock_itself_out)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_WRONG_STATE, change("right_revoke", "cli", "manage", NULL, &why), &why);
    assert_non_null(strstr(why.text, "Manage CA"));
    ASSERT_ERR(ERR_WRONG_STATE, change("right_deny", "cli", "manage,read", NULL, &why), &why);
    ASSERT_OK(change("right_deny", "*", "manage", NULL, &why), &why); /* cli's own rule is more specific */
    ASSERT_OK(change("right_revoke", "cli", "issue", NULL, &why), &why);
    ASSERT_OK(change("right_grant", "cli", "issue", NULL, &why), &why);
    ASSERT_OK(change("right_deny", "cli", "manage", "WebServer", &why), &why);
}

TEST(a_change_is_refused_for_what_is_wrong_with_it)
{
    struct why why = { 0 };
    int64_t before = world_count(world, "SELECT COUNT(*) FROM right_rule");
    ASSERT_ERR(ERR_USAGE, change("right_grant", "nobody", "read", NULL, &why), &why);
    ASSERT_ERR(ERR_USAGE, change("right_grant", "admin/a", "every", NULL, &why), &why);
    ASSERT_ERR(ERR_USAGE, change("right_grant", "admin/a", "enroll", NULL, &why), &why);
    ASSERT_ERR(ERR_USAGE, change("right_grant", "admin/a", "audit", "WebServer", &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, change("right_grant", "admin/a", "read", "NoSuch", &why), &why);
    ASSERT_ERR(ERR_USAGE, change("right_grant", NULL, "read", NULL, &why), &why);
    ASSERT_ERR(ERR_USAGE, change("right_grant", "admin/a", NULL, NULL, &why), &why);
    assert_int_equal(before, world_count(world, "SELECT COUNT(*) FROM right_rule"));
}

TEST(rules_have_a_limit)
{
    struct why why = { 0 };
    char principal[32];
    int64_t before = world_count(world, "SELECT COUNT(*) FROM right_rule");
    for (int64_t i = before; i < RIGHT_RULES_MAX; i++) {
        snprintf(principal, sizeof(principal), "admin/%lld", (long long)i);
        ASSERT_OK(change("right_grant", principal, "read", NULL, &why), &why);
    }
    ASSERT_ERR(ERR_LIMIT, change("right_grant", "admin/one-more", "read", NULL, &why), &why);
    ASSERT_OK(change("right_grant", "admin/999", "issue", NULL, &why), &why);
    /* one that was revoked makes room */
    ASSERT_OK(change("right_revoke", "admin/998", "read", NULL, &why), &why);
    ASSERT_OK(change("right_deny", "admin/one-more", "read", NULL, &why), &why);
    ASSERT_ERR(ERR_LIMIT, change("right_grant", "admin/two-more", "read", NULL, &why), &why);
}

/* --- requests --- */

TEST(nobody_approves_what_they_asked_for)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ca_approve(world->ca, world_issuer(world), 1, "endpoint/manual", &why),
               &why);
    assert_non_null(strstr(why.text, "somebody else"));
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), 1, "cli", &why), &why);
}

/* --- every verb, every principal --- */

/* What is meant to be: the table of ca/verbs.c is judged by it, so that a changed row is seen. */
static const struct expected {
    const char *verb, *peers;
    enum right right;
} expected[] = {
    { "request", "scep", RIGHT_REQUEST },
    { "poll", "scep", RIGHT_REQUEST },
    { "get_cert", "scep", RIGHT_READ },
    { "get_crl", "scep", RIGHT_READ },
    { "ca_get", "va", RIGHT_READ },
    { "status_get", "va scep", RIGHT_READ },
    { "status_changes", "va", RIGHT_READ },
    { "crl_get", "va", RIGHT_READ },
    { "request_list", "cli", RIGHT_READ },
    { "request_show", "cli", RIGHT_READ },
    { "request_export", "cli", RIGHT_READ },
    { "request_submit", "cli", RIGHT_REQUEST },
    { "request_approve", "cli", RIGHT_ISSUE },
    { "request_deny", "cli", RIGHT_ISSUE },
    { "request_resubmit", "cli", RIGHT_ISSUE },
    { "refusal_list", "cli", RIGHT_READ },
    { "cert_list", "cli", RIGHT_READ },
    { "cert_show", "cli", RIGHT_READ },
    { "cert_export", "cli", RIGHT_READ },
    { "cert_revoke", "cli", RIGHT_ISSUE },
    { "cert_release", "cli", RIGHT_ISSUE },
    { "template_list", "cli", RIGHT_READ },
    { "template_show", "cli", RIGHT_READ },
    { "site_export", "cli", RIGHT_READ },
    { "template_new", "cli", RIGHT_MANAGE },
    { "template_set", "cli", RIGHT_MANAGE },
    { "template_publish", "cli", RIGHT_MANAGE },
    { "template_unpublish", "cli", RIGHT_MANAGE },
    { "template_delete", "cli", RIGHT_MANAGE },
    { "site_apply", "cli", RIGHT_MANAGE },
    { "ca_flags", "cli", RIGHT_MANAGE },
    { "crl_publish", "cli", RIGHT_MANAGE },
    { "crl_show", "cli", RIGHT_READ },
    { "crl_export", "cli", RIGHT_READ },
    { "password_new", "cli", RIGHT_ISSUE },
    { "status", "cli", RIGHT_READ },
    { "signer_status", "cli", RIGHT_READ },
    { "audit_list", "cli", RIGHT_AUDIT },
    { "issue", "scep va mdm", RIGHT_REQUEST },
    { "right_list", "cli", RIGHT_READ },
    { "right_grant", "cli", RIGHT_MANAGE },
    { "right_revoke", "cli", RIGHT_MANAGE },
    { "right_deny", "cli", RIGHT_MANAGE },
    { "authority_list", "cli", RIGHT_READ },
    { "authority_show", "cli", RIGHT_READ },
    { "authority_add", "cli", RIGHT_MANAGE },
    { "authority_set", "cli", RIGHT_MANAGE },
    { "authority_remove", "cli", RIGHT_MANAGE },
    { "crp_get", "mdm", RIGHT_REQUEST },
    { "authority_successor", "mdm", RIGHT_REQUEST },
    { "authorisation_end", "mdm", RIGHT_REQUEST },
    { "outbox_lease", "mdm", RIGHT_REQUEST },
    { "outbox_done", "mdm", RIGHT_REQUEST },
    { "authority_revoke", "mdm", RIGHT_REQUEST },
    { "challenge_claim", "scep", RIGHT_REQUEST },
    { "challenge_close", "scep", RIGHT_REQUEST },
    { "tls_renew", "scep mdm", RIGHT_REQUEST },
};
#define EXPECTED (sizeof(expected) / sizeof(*expected))
static const char *const peers[] = {
    "cli", "scep", "va", "signer", "ca", "mdm", "connector", "agent", "root"
};
#define PEERS (sizeof(peers) / sizeof(*peers))

static void device_bodies(const struct device *device, struct buf *request, struct buf *record,
                          struct buf *poll)
{
    AUTO_BUF csr = { 0 };
    const struct enroll_request ask = { BYTES_LIT("static"), buf_bytes(&device->csr), BYTES_LIT("1"),
                                        buf_bytes(&device->self_signed), BYTES_LIT("192.0.2.7") };
    const struct enroll_poll asks = { BYTES_LIT("static"), BYTES_LIT("1"), BYTES_LIT("\x30\x00"),
                                      BYTES_LIT("\x30\x00"), buf_bytes(&device->self_signed) };
    enroll_request_put(request, &ask);
    enroll_poll_put(poll, &asks);
    base64_append(&csr, buf_bytes(&device->csr));
    size_t mark = record_begin(record);
    record_put_str(record, "ca", "issuing");
    record_put_str(record, "id", "1");
    record_put_str(record, "serial", "00AB");
    record_put_str(record, "name", "SCEPDevice");
    record_put_str(record, "endpoint", "once");
    record_put_str(record, "template", "WebServer");
    record_put_str(record, "principal", "admin/x");
    record_put_str(record, "rights", "read");
    record_put(record, "csr", buf_bytes(&csr));
    record_end(record, mark);
}

/* The peer connector is none: it has no right. */
static void mdm_is_an_authority(void)
{
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("authority_add", &answer, &why, "name", "mdm"), &why);
}

/* As the server does it: first the table's principals, then the right. */
static enum err reach(const struct ipc_verb *verb, const char *peer, struct bytes body, struct why *why)
{
    const struct ipc_caller caller = { peer };
    if (!words_contain(verb->principals, peer))
        return fail(why, ERR_NOT_AUTHORISED, "not for %s", peer);
    return verb_allow(world->ca, verb, &caller, body, why);
}

struct bodies {
    struct buf request, record, poll;
};

static struct bytes body_for(const struct bodies *bodies, const char *verb)
{
    return buf_bytes(strcmp(verb, "request") == 0 ? &bodies->request
                     : strcmp(verb, "poll") == 0  ? &bodies->poll
                                                  : &bodies->record);
}

static void bodies_free(struct bodies *bodies)
{
    buf_free(&bodies->request);
    buf_free(&bodies->record);
    buf_free(&bodies->poll);
}

TEST(every_verb_is_reached_by_whom_it_is_for_and_by_nobody_else)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(bodies) bodies = { 0 };
    device_bodies(&device, &bodies.request, &bodies.record, &bodies.poll);
    mdm_is_an_authority();
    assert_int_equal(EXPECTED, ca_verb_count);
    for (size_t v = 0; v < EXPECTED; v++) {
        const struct ipc_verb *verb = verb_named(expected[v].verb);
        assert_int_equal(expected[v].right, ca_verb_rules[verb - ca_verbs].right);
        for (size_t p = 0; p < PEERS; p++) {
            struct why why = { 0 };
            bool meant = words_contain(expected[v].peers, peers[p]);
            enum err err = reach(verb, peers[p], body_for(&bodies, verb->name), &why);
            if ((err == OK) != meant)
                fail_msg("%s %s %s: %s", peers[p], meant ? "does not reach" : "reaches", verb->name,
                         why.text);
            if (!meant)
                assert_int_equal(ERR_NOT_AUTHORISED, err);
        }
    }
}

/* One principal with a rule of its own on everything, so that no other one counts. */
static void rule_of(const char *principal, unsigned allowed)
{
    AUTO_STR sql =
        xasprintf("UPDATE right_rule SET allowed = %u, denied = %u WHERE principal = '%s' AND object = 'ca';",
                  allowed, RIGHTS_OF_CA & ~allowed, principal);
    struct why why = { 0 };
    world_exec(world, sql);
    ASSERT_OK(rights_reload(world->ca, &why), &why);
}

TEST(each_verb_needs_its_right_and_nothing_else)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(bodies) bodies = { 0 };
    device_bodies(&device, &bodies.request, &bodies.record, &bodies.poll);
    mdm_is_an_authority();
    for (size_t v = 0; v < EXPECTED; v++) {
        const struct ipc_verb *verb = verb_named(expected[v].verb);
        char peer[16];
        const struct ipc_caller caller = verb_caller(verb, peer);
        AUTO_STR principal = principal_of(caller.principal);
        struct why why = { 0 };
        AUTO_BUF answer = { 0 };
        rule_of(principal, RIGHTS_OF_CA & ~(unsigned)expected[v].right);
        ASSERT_ERR(ERR_NOT_AUTHORISED,
                   verb_call(verb, world->ca, &caller, body_for(&bodies, verb->name), &answer, &why), &why);
        assert_non_null(strstr(why.text, principal));
        assert_non_null(strstr(why.text, right_name(expected[v].right)));
        rule_of(principal, expected[v].right);
        ASSERT_OK(reach(verb, peer, body_for(&bodies, verb->name), &why), &why);
    }
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
}

TEST(rights_on_certificates_can_be_limited_to_templates)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF body = { 0 }, unknown = { 0 };
    struct why why = { 0 };
    device_assert_issued(world, &device, "static", &got);
    size_t mark = record_begin(&body);
    record_put_str(&body, "id", "1");
    record_put_str(&body, "serial", got.serial);
    record_end(&body, mark);
    mark = record_begin(&unknown);
    record_put_str(&unknown, "id", "9");
    record_put_str(&unknown, "serial", "00AB");
    record_end(&unknown, mark);
    static const char *const verbs[] = { "cert_revoke", "request_approve", "request_resubmit" };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        const struct ipc_verb *verb = verb_named(verbs[i]);
        ASSERT_OK(change("right_deny", "cli", "issue", "SCEPDevice", &why), &why);
        ASSERT_ERR(ERR_NOT_AUTHORISED, reach(verb, "cli", buf_bytes(&body), &why), &why);
        assert_non_null(strstr(why.text, "template SCEPDevice"));
        ASSERT_OK(reach(verb, "cli", buf_bytes(&unknown), &why), &why); /* the verb says that there is none */
        ASSERT_OK(change("right_deny", "cli", "issue", NULL, &why), &why);
        ASSERT_OK(change("right_grant", "cli", "issue", "SCEPDevice", &why), &why);
        ASSERT_OK(reach(verb, "cli", buf_bytes(&body), &why), &why);
        ASSERT_ERR(ERR_NOT_AUTHORISED, reach(verb, "cli", buf_bytes(&unknown), &why), &why);
        ASSERT_OK(change("right_grant", "cli", "issue", NULL, &why), &why);
    }
}

RUN(cmocka_unit_test(the_most_specific_rule_decides), cmocka_unit_test(what_no_rule_says_is_denied),
    cmocka_unit_test(principals_and_rights_are_read_strictly),
    W(a_slot_without_enroll_is_refused_by_name_and_kept), W(each_right_that_an_enrolment_takes_is_taken),
    W(cli_does_not_lock_itself_out), W(a_change_is_refused_for_what_is_wrong_with_it), W(rules_have_a_limit),
    W(nobody_approves_what_they_asked_for), W(every_verb_is_reached_by_whom_it_is_for_and_by_nobody_else),
    W(each_verb_needs_its_right_and_nothing_else), W(rights_on_certificates_can_be_limited_to_templates))
