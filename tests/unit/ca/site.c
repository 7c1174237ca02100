/* SPDX-License-Identifier: Apache-2.0 */
/* Site files: many changes in one unit of work, or none. */
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

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void options_put(struct buf *out, const char *dry_run, const char *prune)
{
    record_of(out, (const char *const[]){ "kind", "options", "dry_run", dry_run, "prune", prune, NULL });
}

TEST(applying_an_export_changes_nothing)
{
    AUTO_BUF exported = { 0 }, answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(
        CALL("template_set", &answer, &why, "name", "SCEPUser", "backdate", "60s", "superseded", "WebServer"),
        &why);
    ASSERT_OK(CALL("ca_flags", &answer, &why, "flag", "+EDITF_ATTRIBUTEENDDATE"), &why);
    int64_t audited = world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'");
    ASSERT_OK(ask_fields(world, "site_export", (const char *const[]){ NULL }, &exported, &why), &why);
    assert_int_equal(13, answer_count(&exported)); /* twelve templates and one CA */
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&exported), &answer, &why), &why);
    assert_int_equal(0, answer_count(&answer));
    assert_int_equal(audited,
                     world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
    ASSERT_OK(CALL("site_export", &exported, &why, "name", "SCEPUser"), &why);
    assert_int_equal(1, answer_count(&exported));
    ASSERT_ERR(ERR_NOT_FOUND, CALL("site_export", &exported, &why, "name", "NoSuch"), &why);
}

static void site_of(struct buf *out, const char *dry_run, const char *prune, const char *last_validity)
{
    size_t list = records_begin(out);
    options_put(out, dry_run, prune);
    record_of(out, (const char *const[]){ "kind", "template", "name", "New", "published", "yes", "superseded",
                                          "Newer", NULL });
    record_of(out, (const char *const[]){ "kind", "template", "name", "Newer", NULL });
    record_of(out, (const char *const[]){ "kind", "ca_flags", "ca", "issuing", "EDITF_ATTRIBUTEENDDATE", "on",
                                          NULL });
    record_of(out, (const char *const[]){ "kind", "template", "name", "SCEPUser", "validity", last_validity,
                                          NULL });
    records_end(out, list);
}

TEST(a_site_file_is_done_whole_or_not_at_all)
{
    AUTO_BUF good = { 0 }, bad = { 0 }, answer = { 0 };
    struct why why = { 0 };
    site_of(&bad, "no", "no", "2000d");
    ASSERT_ERR(ERR_TEMPLATE_PROPERTY, ask_body(world, "site_apply", buf_bytes(&bad), &answer, &why), &why);
    assert_int_equal(12, world_count(world, "SELECT COUNT(*) FROM template"));
    assert_false(atomic_load(&world_issuer(world)->attribute_end_date));
    site_of(&good, "no", "no", "200d");
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&good), &answer, &why), &why);
    assert_true(answer_count(&answer) > 4);
    assert_int_equal(14, world_count(world, "SELECT COUNT(*) FROM template"));
    assert_int_equal(1, world_count(world, "SELECT published FROM template WHERE name = 'New'"));
    assert_true(atomic_load(&world_issuer(world)->attribute_end_date));
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&good), &answer, &why), &why);
    assert_int_equal(0, answer_count(&answer));
}

TEST(a_dry_run_shows_what_would_be_and_does_nothing)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    struct why why = { 0 };
    site_of(&body, "yes", "no", "200d");
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
    assert_true(answer_count(&answer) > 4);
    assert_int_equal(12, world_count(world, "SELECT COUNT(*) FROM template"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
    assert_false(atomic_load(&world_issuer(world)->attribute_end_date));
    buf_clear(&body);
    site_of(&body, "yes", "no", "2000d"); /* and meets what the real one would */
    ASSERT_ERR(ERR_TEMPLATE_PROPERTY, ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
}

TEST(pruning_removes_what_is_not_named_unless_it_is_in_use)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    struct why why = { 0 };
    site_of(&body, "no", "yes", "200d");
    ASSERT_ERR(ERR_WRONG_STATE, ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
    assert_int_equal(12, world_count(world, "SELECT COUNT(*) FROM template"));
    buf_clear(&body);
    size_t list = records_begin(&body);
    options_put(&body, "no", "yes");
    for (size_t i = 0; i < 3; i++)
        record_of(&body,
                  (const char *const[]){ "kind", "template", "name",
                                         ca_find_endpoint(world->ca, BYTES_LIT("static"))->slots[i], NULL });
    records_end(&body, list);
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
    assert_int_equal(5, answer_count(&answer));
    assert_int_equal(7, world_count(world, "SELECT COUNT(*) FROM template")); /* the roles' four stay */
}

TEST(a_site_file_with_anything_unknown_in_it_is_refused)
{
    static const char *const bad[][8] = {
        { "kind", "nonsense", NULL },
        { "name", "New", NULL },
        { "kind", "template", NULL },
        { "kind", "template", "name", "New", "nonsense", "1", NULL },
        { "kind", "template", "name", "New", "published", "maybe", NULL },
        { "kind", "options", "force", "yes", NULL },
        { "kind", "options", "prune", "1", NULL },
        { "kind", "ca_flags", "ca", "issuing", "EDITF_NOSUCH", "on", NULL },
        { "kind", "ca_flags", "ca", "issuing", "EDITF_ATTRIBUTEENDDATE", "yes", NULL },
        { "kind", "ca_flags", "ca", "issuing", "EDITF_ATTRIBUTEENDDATE", "", NULL },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_BUF body = { 0 }, answer = { 0 };
        struct why why = { 0 };
        size_t list = records_begin(&body);
        record_of(&body, bad[i]);
        records_end(&body, list);
        if (ask_body(world, "site_apply", buf_bytes(&body), &answer, &why) != ERR_USAGE)
            fail_msg("taken, or refused otherwise: %zu \"%s\"", i, why.text);
    }
    AUTO_BUF twice = { 0 }, answer = { 0 };
    struct why why = { 0 };
    size_t list = records_begin(&twice);
    record_of(&twice, (const char *const[]){ "kind", "template", "name", "New", NULL });
    record_of(&twice, (const char *const[]){ "kind", "template", "name", "New", NULL });
    records_end(&twice, list);
    ASSERT_ERR(ERR_USAGE, ask_body(world, "site_apply", buf_bytes(&twice), &answer, &why), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
}

TEST(a_rule_of_a_template_holds_for_site_files_too)
{
    AUTO_BUF exported = { 0 }, body = { 0 }, pruning = { 0 }, answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("right_deny", &answer, &why, "principal", "cli", "rights", "manage", "template", "Wifi"),
              &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, CALL("template_set", &answer, &why, "name", "Wifi", "validity", "100d"),
               &why);
    size_t list = records_begin(&body);
    record_of(&body,
              (const char *const[]){ "kind", "template", "name", "SCEPUser", "validity", "90d", NULL });
    record_of(&body, (const char *const[]){ "kind", "template", "name", "Wifi", "published", "yes", NULL });
    records_end(&body, list);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
    assert_non_null(strstr(why.text, "cli lacks Manage on template Wifi"));
    list = records_begin(&pruning);
    options_put(&pruning, "no", "yes");
    for (size_t i = 0; i < 3; i++)
        record_of(&pruning,
                  (const char *const[]){ "kind", "template", "name",
                                         ca_find_endpoint(world->ca, BYTES_LIT("static"))->slots[i], NULL });
    records_end(&pruning, list);
    ASSERT_ERR(ERR_NOT_AUTHORISED, ask_body(world, "site_apply", buf_bytes(&pruning), &answer, &why), &why);
    ASSERT_OK(ask_fields(world, "site_export", (const char *const[]){ NULL }, &exported, &why), &why);
    ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&exported), &answer, &why), &why); /* nothing differs */
    assert_int_equal(0,
                     world_count(world, "SELECT COUNT(*) FROM audit WHERE object LIKE 'template SCEPUser%'"));
}

/* count templates T0, T1, …, each with two rules of `rule` octets. */
static enum err apply_many(int count, size_t rule, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 }, text = { 0 };
    for (size_t i = 0; i < rule; i++)
        buf_append_byte(&text, '\n'); /* empty lines are no rules */
    size_t list = records_begin(&body);
    options_put(&body, "yes", "no");
    for (int i = 0; i < count; i++) {
        AUTO_STR name = xasprintf("T%d", i);
        record_of(&body,
                  (const char *const[]){ "kind", "template", "name", name, "subject_rule",
                                         rule ? buf_text(&text) : "CN", "san_rule", buf_text(&text), NULL });
    }
    records_end(&body, list);
    return ask_body(world, "site_apply", buf_bytes(&body), &answer, why);
}

TEST(as_many_templates_in_a_site_file_as_the_limit_and_no_larger_a_difference_than_a_frame)
{
    struct why why = { 0 };
    ASSERT_OK(apply_many(LIMIT_SITE_TEMPLATES, 0, &why), &why);
    ASSERT_ERR(ERR_LIMIT, apply_many(LIMIT_SITE_TEMPLATES + 1, 0, &why), &why);
    assert_non_null(strstr(why.text, "more than 500 templates"));
    ASSERT_OK(apply_many(100, LIMIT_RULE_BYTES, &why), &why);
    ASSERT_ERR(ERR_LIMIT, apply_many(120, LIMIT_RULE_BYTES, &why), &why);
    assert_non_null(strstr(why.text, "take it in parts"));
    ASSERT_ERR(ERR_TEMPLATE_PROPERTY, apply_many(1, LIMIT_RULE_BYTES + 1, &why), &why);
}

RUN(W(as_many_templates_in_a_site_file_as_the_limit_and_no_larger_a_difference_than_a_frame),
    W(applying_an_export_changes_nothing), W(a_site_file_is_done_whole_or_not_at_all),
    W(a_dry_run_shows_what_would_be_and_does_nothing),
    W(pruning_removes_what_is_not_named_unless_it_is_in_use),
    W(a_rule_of_a_template_holds_for_site_files_too), W(a_site_file_with_anything_unknown_in_it_is_refused))
