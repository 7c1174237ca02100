/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail is read whole, in pages and by who did what, and only by whom it is for. */
#include "ca/verbs.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_ask.h"

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

#define W(name)                  cmocka_unit_test_setup_teardown(name, begin, end)
#define ASK(verb, ret, why, ...) ask_fields(world, verb, (const char *[]){ __VA_ARGS__, NULL }, ret, why)

static void issue(const char *subject)
{
    __attribute__((cleanup(device_free))) struct device device =
        device_new(&(struct ask){ .subject = subject, .challenge = "secret" });
    AUTO_VAL(enrolled) got = { 0 };
    device_assert_issued(world, &device, "static", &got);
}

TEST(what_happened_is_listed_newest_first_and_in_pages)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    issue("CN=one");
    world->clock.held += 3600;
    issue("CN=two");
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "issue"), &why);
    assert_int_equal(answer_count(&answer), 2);
    answer_assert(&answer, "object", "request 2");
    answer_assert(&answer, "actor", "ca");
    answer_assert(&answer, "ca", "issuing");
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "issue", "limit", "1"), &why);
    assert_int_equal(answer_count(&answer), 2); /* one, and what goes on before it */
    int64_t newest = world_count(world, "SELECT MAX(audit_id) FROM audit WHERE issuer_id = 'issuing'");
    AUTO_STR before = xasprintf("%lld", (long long)newest);
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "issue", "before", before), &why);
    assert_int_equal(answer_count(&answer), 1);
    answer_assert(&answer, "object", "request 1");
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "issue", "since", "1h"), &why);
    assert_int_equal(answer_count(&answer), 2); /* the bound itself counts */
    world->clock.held += 1;
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "issue", "since", "1h"), &why);
    assert_int_equal(answer_count(&answer), 1);
}

TEST(it_is_listed_by_actor_and_action)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    issue("CN=one");
    ASSERT_OK(ASK("password_new", &answer, &why, "endpoint", "once"), &why);
    ASSERT_OK(ASK("audit_list", &answer, &why, "actor", "cli"), &why);
    assert_int_equal(answer_count(&answer), 1);
    answer_assert(&answer, "action", "password_new");
    answer_assert(&answer, "object", "once");
    ASSERT_OK(ASK("audit_list", &answer, &why, "actor", "nobody"), &why);
    assert_int_equal(answer_count(&answer), 0);
    ASSERT_ERR(ERR_USAGE, ASK("audit_list", &answer, &why, "action", "isue"), &why);
    assert_non_null(strstr(why.text, "issue"));
    ASSERT_ERR(ERR_USAGE, ASK("audit_list", &answer, &why, "since", "yesterday"), &why);
    assert_non_null(strstr(why.text, "yesterday"));
    ASSERT_ERR(ERR_USAGE, ASK("audit_list", &answer, &why, "of", "everything"), &why);
}

TEST(the_templates_have_a_trail_that_needs_the_right_on_every_ca)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(ASK("template_set", &answer, &why, "name", "WebServer", "validity", "100d"), &why);
    ASSERT_OK(ASK("audit_list", &answer, &why, "of", "templates"), &why);
    assert_int_equal(answer_count(&answer), 1);
    answer_assert(&answer, "action", "template_set");
    answer_assert(&answer, "ca", "");
    ASSERT_OK(ASK("audit_list", &answer, &why, "action", "template_set"), &why);
    assert_int_equal(answer_count(&answer), 0);
    /* A second CA, on which cli has no right: that on the first does not do. */
    struct issuer_params other = { .name = "other",
                                   .certificate = buf_bytes(&world->ca_cert),
                                   .crl_validity_s = 86400 };
    ASSERT_OK(ca_add_issuer(world->ca, &other, &why), &why);
    ASSERT_OK(ASK("audit_list", &answer, &why, "ca", "issuing"), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ASK("audit_list", &answer, &why, "ca", "issuing", "of", "templates"),
               &why);
    assert_non_null(strstr(why.text, "cli lacks Audit"));
}

RUN(W(what_happened_is_listed_newest_first_and_in_pages), W(it_is_listed_by_actor_and_action),
    W(the_templates_have_a_trail_that_needs_the_right_on_every_ca))
