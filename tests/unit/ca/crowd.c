/* SPDX-License-Identifier: Apache-2.0 */
/* What has a limit, or may happen once, asked for by many at once: in both databases, because only PostgreSQL runs units side by
   side. */
#include "ca/crl.h"
#include "ca/schema.h"
#include "tests/unit/ca/authority_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/store/place.h"
#include <pthread.h>

#define MANY 100

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

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

/* --- many threads that begin together --- */

struct one {
    void (*act)(struct one *one);
    pthread_barrier_t *start;
    pthread_t thread;
    struct device device;
    char *serial;
    enum err err; /* result */
    bool waits;   /* result */
};
static struct one all[MANY];

static void *run_one(void *arg)
{
    struct one *one = arg;
    pthread_barrier_wait(one->start);
    one->act(one);
    return NULL;
}

static void at_once(size_t many)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)many);
    for (size_t i = 0; i < many; i++) {
        all[i].start = &start;
        assert_int_equal(0, pthread_create(&all[i].thread, NULL, run_one, &all[i]));
    }
    for (size_t i = 0; i < many; i++)
        pthread_join(all[i].thread, NULL);
    pthread_barrier_destroy(&start);
}

static size_t ended_in(size_t many, enum err err, bool waits)
{
    size_t of = 0;
    for (size_t i = 0; i < many; i++)
        of += all[i].err == err && all[i].waits == waits;
    return of;
}

static void all_clear(size_t many)
{
    for (size_t i = 0; i < many; i++) {
        device_free(&all[i].device);
        free(all[i].serial);
        all[i] = (struct one){ 0 };
    }
}

/* --- authorities --- */

static void act_issue(struct one *one)
{
    struct why why = { 0 };
    one->err = authority_issue(world, "SCEPDevice", &one->device, &one->waits, &why);
}

static void issues_prepare(size_t many, bool same_subject)
{
    for (size_t i = 0; i < many; i++) {
        char subject[32];
        snprintf(subject, sizeof(subject), "CN=device-%zu", same_subject ? 0 : i);
        all[i] = (struct one){ .act = act_issue, .device = device_new(&(struct ask){ .subject = subject }) };
    }
}

static void authority_with(const char *field, const char *value)
{
    struct why why = { 0 };
    ASSERT_OK(authority_limit(world, "authority_add", "templates", "SCEPDevice", &why), &why);
    ASSERT_OK(authority_limit(world, "authority_set", field, value, &why), &why);
}

TEST(of_a_hundred_at_once_as_many_as_the_limit_are_issued_and_the_rest_waits)
{
    authority_with("issues", "10");
    issues_prepare(MANY, false);
    at_once(MANY);
    assert_int_equal(10, ended_in(MANY, OK, false));
    assert_int_equal(90, ended_in(MANY, OK, true));
    assert_int_equal(10, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(90, count("SELECT COUNT(*) FROM request WHERE disposition = 'pending'"));
    all_clear(MANY);
}

TEST(of_one_device_s_requests_at_once_as_many_as_its_limit_are_issued)
{
    authority_with("device", "2");
    issues_prepare(MANY, true);
    at_once(MANY);
    assert_int_equal(2, ended_in(MANY, OK, false));
    assert_int_equal(98, ended_in(MANY, OK, true));
    assert_int_equal(2, count("SELECT COUNT(*) FROM certificate"));
    all_clear(MANY);
}

/* --- revocations --- */

static enum err revoke_as(const char *actor, const char *serial)
{
    const struct revocation revocation = { serial, actor, CRL_SUPERSEDED };
    struct why why = { 0 };
    bool changed;
    return ca_revoke(world->ca, world_issuer(world), &revocation, &changed, &why);
}

static void act_revoke(struct one *one)
{
    one->err = revoke_as("cli", one->serial);
}

static void act_revoke_own(struct one *one)
{
    one->err = revoke_as("authority/mdm", one->serial);
}

static char *serial_of_request(int64_t id)
{
    const struct request_lookup lookup = {
        .ca = world->ca, .issuer = world_issuer(world), .by = LOOKUP_ID, .request_id = id
    };
    AUTO_VAL(request_row) row = { 0 };
    struct why why = { 0 };
    bool found = false;
    ASSERT_OK(request_find(&lookup, &found, &row, &why), &why);
    assert_true(found && row.serial);
    return TAKE(row.serial);
}

TEST(of_a_hundred_revocations_at_once_each_is_done_and_on_the_last_crl)
{
    const struct crl_scope scope = { world_issuer(world), CRL_FULL, 0 };
    struct crl_state state;
    struct why why = { 0 };
    for (size_t i = 0; i < MANY; i++) {
        AUTO_VAL(enrolled) got = { 0 };
        all[i] =
            (struct one){ .act = act_revoke,
                          .device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" }) };
        device_assert_issued(world, &all[i].device, "static", &got);
        all[i].serial = xstrdup(got.serial);
    }
    at_once(MANY);
    assert_int_equal(MANY, ended_in(MANY, OK, false));
    ASSERT_OK(crl_current(world->ca, &scope, &state, NULL, &why), &why);
    assert_int_equal(MANY, state.entries);
    assert_int_equal(MANY, count("SELECT COUNT(DISTINCT status_version) FROM certificate "
                                 "WHERE status = 'revoked'"));
    assert_int_equal(state.version, count("SELECT MAX(status_version) FROM certificate"));
    assert_int_equal(state.number, count("SELECT COUNT(*) FROM crl"));
    all_clear(MANY);
}

TEST(of_a_hundred_revocations_of_an_authority_as_many_as_the_limit_are_done)
{
    authority_with("issues", "1000");
    issues_prepare(MANY, false);
    at_once(MANY);
    struct why why = { 0 };
    ASSERT_OK(authority_limit(world, "authority_set", "revocations", "7", &why), &why);
    for (size_t i = 0; i < MANY; i++) {
        all[i].act = act_revoke_own;
        all[i].serial = serial_of_request((int64_t)i + 1);
    }
    at_once(MANY);
    assert_int_equal(7, ended_in(MANY, OK, false));
    assert_int_equal(93, ended_in(MANY, ERR_RATE, false));
    assert_int_equal(7, count("SELECT COUNT(*) FROM certificate WHERE status = 'revoked'"));
    all_clear(MANY);
}

/* --- resubmissions --- */

#define FEW 12
static struct device asker;

static void act_resubmit(struct one *one)
{
    struct why why = { 0 };
    one->err = ca_resubmit(world->ca, world_issuer(world), 1, "cli", &why);
}

static void act_ask(struct one *one)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    one->err = device_enroll(world, &asker, "once", &got, &why);
}

/* The device asks the same again meanwhile, and others with its password. */
TEST(a_request_that_many_resubmit_while_its_device_asks_again_has_one_certificate)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    asker = device_new(&(struct ask){ .subject = "O=No common name", .challenge = once_new(world) });
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, &asker, "once");
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "subject_rule", "CN\nO"), &why);
    for (size_t i = 0; i < FEW; i++)
        all[i] = (struct one){ .act = i % 3 ? act_resubmit : act_ask };
    at_once(FEW);
    assert_in_range(ended_in(FEW, OK, false), 1, FEW);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE status IN ('valid', 'reserved')"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM request WHERE disposition = 'issued'"));
    device_free(&asker);
    all_clear(FEW);
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        E(of_a_hundred_at_once_as_many_as_the_limit_are_issued_and_the_rest_waits),
        E(of_one_device_s_requests_at_once_as_many_as_its_limit_are_issued),
        E(of_a_hundred_revocations_at_once_each_is_done_and_on_the_last_crl),
        E(of_a_hundred_revocations_of_an_authority_as_many_as_the_limit_are_done),
        E(a_request_that_many_resubmit_while_its_device_asks_again_has_one_certificate),
    };
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    return place_run(&place, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
