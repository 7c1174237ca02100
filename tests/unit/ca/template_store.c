/* SPDX-License-Identifier: Apache-2.0 */
/* Templates in both databases: what comes at once, and what a store of an older release brings along. */
#include "ca/flags.h"
#include "ca/schema.h"
#include "ca/template_row.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/store/place.h"

#define MANY   8
#define BEFORE 4 /* the last schema whose templates had neither versions nor the rest of their properties */

static struct place place;
static struct world *world;

static int begin(void **state)
{
    (void)state;
    struct store_config config = place_config(&place, ca_migrations, ca_migration_count);
    world_store = &config;
    world = world_new(KEY_EC_P256);
    world_store = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

/* Whatever it answers. */
static enum err call_fields(const char *verb, const char *const *fields, struct why *why)
{
    AUTO_BUF answer = { 0 };
    return ask_fields(world, verb, fields, &answer, why);
}

#undef CALL
#define CALL(verb, why, ...) call_fields((verb), (const char *const[]){ __VA_ARGS__, NULL }, (why))

TEST(a_template_has_its_whole_life)
{
    struct why why = { 0 };
    ASSERT_OK(
        CALL("template_new", &why, "name", "Wifi", "from", "SCEPUser", "validity", "30d", "renewal", "1d"),
        &why);
    ASSERT_OK(CALL("template_set", &why, "name", "Wifi", "expect-version", "1", "backdate", "60s"), &why);
    ASSERT_OK(CALL("template_show", &why, "name", "Wifi", "version", "1"), &why);
    ASSERT_OK(CALL("template_publish", &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("template_publish", &why, "name", "Wifi"), &why);
    ASSERT_ERR(ERR_CONFLICT, CALL("template_new", &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("template_delete", &why, "name", "Wifi"), &why);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM template_version WHERE name = 'Wifi'"));
    assert_int_equal(4, world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
    ASSERT_OK(CALL("ca_flags", &why, "flag", "+EDITF_ATTRIBUTEENDDATE"), &why);
    ASSERT_OK(CALL("ca_flags", &why, "flag", "+EDITF_ATTRIBUTEENDDATE"), &why);
    ASSERT_OK(flags_load(world->ca, &why), &why);
    assert_true(atomic_load(&world_issuer(world)->attribute_end_date));
    assert_int_equal(5, world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
}

TEST(a_site_file_is_tried_and_then_done)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (int dry = 1; dry >= 0; dry--) {
        AUTO_BUF body = { 0 };
        size_t list = records_begin(&body);
        record_of(&body, (const char *const[]){ "kind", "options", "dry_run", dry ? "yes" : "no", NULL });
        record_of(&body,
                  (const char *const[]){ "kind", "template", "name", "New", "published", "yes", NULL });
        record_of(&body, (const char *const[]){ "kind", "ca_flags", "ca", "issuing", "EDITF_ATTRIBUTEENDDATE",
                                                "on", NULL });
        records_end(&body, list);
        ASSERT_OK(ask_body(world, "site_apply", buf_bytes(&body), &answer, &why), &why);
        assert_int_equal(dry ? 0 : 1, world_count(world, "SELECT COUNT(*) FROM template WHERE name = 'New'"));
        assert_int_equal(!dry, atomic_load(&world_issuer(world)->attribute_end_date));
    }
}

struct setter {
    pthread_t thread;
    int number;
    enum err err;
};

static void *set_thread(void *arg)
{
    struct setter *setter = arg;
    char validity[16];
    struct why why = { 0 };
    snprintf(validity, sizeof(validity), "%dd", 100 + setter->number);
    setter->err = CALL("template_set", &why, "name", "SCEPUser", "validity", validity);
    return NULL;
}

/* On PostgreSQL, whose units run side by side, one may come too late; then it says so. */
TEST(of_changes_at_once_each_is_a_version_or_is_refused)
{
    struct setter setters[MANY] = { 0 };
    int done = 0;
    for (int i = 0; i < MANY; i++) {
        setters[i].number = i;
        assert_int_equal(0, pthread_create(&setters[i].thread, NULL, set_thread, &setters[i]));
    }
    for (int i = 0; i < MANY; i++) {
        pthread_join(setters[i].thread, NULL);
        assert_true(setters[i].err == OK || setters[i].err == ERR_CONFLICT);
        done += setters[i].err == OK;
    }
    assert_true(done >= 1);
    assert_int_equal(1 + done, world_count(world, "SELECT version FROM template WHERE name = 'SCEPUser'"));
    assert_int_equal(1 + done,
                     world_count(world, "SELECT COUNT(*) FROM template_version WHERE name = 'SCEPUser'"));
    assert_int_equal(done, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'template_set'"));
}

struct racer {
    pthread_t thread;
    struct device device;
    enum err err;
};

static void *race_thread(void *arg)
{
    struct racer *racer = arg;
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    racer->err = device_enroll(world, &racer->device, "once", &got, &why);
    return NULL;
}

TEST(of_many_that_wait_with_one_password_one_is_kept)
{
    struct racer racers[MANY] = { 0 };
    struct why why = { 0 };
    const char *password = once_new(world);
    int waiting = 0;
    ASSERT_OK(CALL("template_set", &why, "name", "SCEPDevice", "manager_approval", "yes"), &why);
    for (size_t i = 0; i < MANY; i++)
        racers[i].device = device_new(&(struct ask){ .subject = "CN=one", .challenge = password });
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(0, pthread_create(&racers[i].thread, NULL, race_thread, &racers[i]));
    for (size_t i = 0; i < MANY; i++) {
        pthread_join(racers[i].thread, NULL);
        waiting += racers[i].err == OK;
        device_free(&racers[i].device);
    }
    assert_int_equal(1, waiting);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
}

/* --- from an older release --- */

static enum err old_template_work(struct store_tx *tx, void *arg, struct why *why)
{
    (void)arg;
    return store_exec(
        tx,
        "INSERT INTO template (name, display_name, purpose, eku, key_usage, validity_s, renewal_s, "
        "min_rsa_bits, key_algorithms, subject_rule, san_rule, version, published, changed_at) "
        "VALUES ('Old', 'Old one', 'signature', 'clientAuth', 1, 86400, 3600, 2048, 'RSA', 'CN', '', "
        "3, 1, 1700000000)",
        S_NO_ARGS, NULL, why);
}

static int nothing(void **state)
{
    (void)state;
    return 0;
}

TEST(templates_of_an_older_store_have_their_version_and_the_defaults)
{
    struct store_config old = place_config(&place, ca_migrations, BEFORE);
    struct store *store = NULL;
    struct template *template = NULL;
    struct why why = { 0 };
    ASSERT_OK(store_open(&old, &store, &why), &why);
    ASSERT_OK(store_write(store, old_template_work, NULL, &why), &why);
    store_free(TAKE(store));
    old.migration_count = ca_migration_count;
    ASSERT_OK(store_open(&old, &store, &why), &why);
    ASSERT_OK(template_load(store, BYTES_LIT("Old"), &template, &why), &why);
    assert_int_equal(3, template->version);
    assert_true(template->published);
    assert_int_equal(-1, template->backdate_s);
    assert_false(template->manager_approval || template->from_directory || template->template_information);
    assert_string_equal("SHA-1 SHA-256 SHA-384 SHA-512", template->hashes);
    template_free(TAKE(template));
    ASSERT_OK(template_version_load(store, "Old", 3, &template, &why), &why);
    assert_int_equal(86400, template->validity_s);
    template_free(template);
    store_free(store);
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        E(a_template_has_its_whole_life),
        E(a_site_file_is_tried_and_then_done),
        E(of_changes_at_once_each_is_a_version_or_is_refused),
        E(of_many_that_wait_with_one_password_one_is_kept),
        cmocka_unit_test_setup_teardown(templates_of_an_older_store_have_their_version_and_the_defaults,
                                        nothing, nothing),
    };
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    return place_run(&place, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
