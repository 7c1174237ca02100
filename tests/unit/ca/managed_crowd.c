/* SPDX-License-Identifier: Apache-2.0 */
/* One challenge, one certificate, and one lease for each row, however many ask at once: in both databases, because only PostgreSQL runs
   units side by side. */
#include "ca/schema.h"
#include "tests/unit/ca/registration_ask.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/store/place.h"
#include <pthread.h>

#define MANY 100

static struct place place;
static struct managed_site site;
static struct world *world;

static int begin(void **state)
{
    (void)state;
    struct store_config config = place_config(&place, ca_migrations, ca_migration_count);
    world_store = &config;
    managed_site_begin(&site);
    world_store = NULL;
    world = site.world;
    return 0;
}

static int end(void **state)
{
    (void)state;
    managed_site_end(&site);
    return 0;
}

struct one {
    pthread_barrier_t *start;
    pthread_t thread;
    void (*act)(struct one *one);
    const struct device *device;
    enum err err;
    struct enrolled got;
    struct buf leased;
};
static struct one all[MANY];
static struct device devices[MANY];

static void *run_one(void *arg)
{
    struct one *one = arg;
    pthread_barrier_wait(one->start);
    one->act(one);
    return NULL;
}

static void at_once(void (*act)(struct one *one), bool same)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, MANY);
    for (size_t i = 0; i < MANY; i++) {
        all[i] = (struct one){ .start = &start, .act = act, .device = &devices[same ? 0 : i] };
        assert_int_equal(0, pthread_create(&all[i].thread, NULL, run_one, &all[i]));
    }
    for (size_t i = 0; i < MANY; i++)
        pthread_join(all[i].thread, NULL);
    pthread_barrier_destroy(&start);
}

static void clear(void)
{
    for (size_t i = 0; i < MANY; i++) {
        device_free(&devices[i]);
        devices[i] = (struct device){ 0 };
        enrolled_free(&all[i].got);
        buf_free(&all[i].leased);
    }
}

static size_t ended_in(enum err err)
{
    size_t of = 0;
    for (size_t i = 0; i < MANY; i++)
        of += all[i].err == err;
    return of;
}

static void act_enroll(struct one *one)
{
    struct why why = { 0 };
    one->err = device_enroll(world, one->device, "managed", &one->got, &why);
}

TEST(a_hundred_devices_at_once_with_one_challenge_get_one_certificate)
{
    AUTO_BUF text = managed_challenge(&site);
    for (size_t i = 0; i < MANY; i++)
        devices[i] = managed_device(&site.wants, buf_text(&text));
    at_once(act_enroll, false);
    assert_int_equal(1, ended_in(OK));
    assert_int_equal(MANY - 1, ended_in(ERR_CHALLENGE_USED));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
    clear();
}

TEST(the_same_request_a_hundred_times_at_once_gets_the_same_certificate)
{
    devices[0] = managed_device_new(&site);
    at_once(act_enroll, true);
    assert_int_equal(MANY, ended_in(OK));
    for (size_t i = 1; i < MANY; i++)
        ASSERT_BYTES(buf_bytes(&all[0].got.certificate), buf_bytes(&all[i].got.certificate));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    clear();
}

/* --- of other SCEP servers --- */

static void act_verify(struct one *one)
{
    struct why why = { 0 };
    struct registration_answer answer = { 0 };
    const struct server server = { world, "ndes1.example.net", "251E59" };
    one->err = server_verify(&server, one->device, &answer, &why);
    if (one->err == OK)
        one->err = answer.error;
}

TEST(a_hundred_requests_at_once_with_one_challenge_are_verified_once)
{
    AUTO_BUF text = managed_challenge(&site);
    for (size_t i = 0; i < MANY; i++)
        devices[i] = managed_device(&site.wants, buf_text(&text));
    at_once(act_verify, false);
    assert_int_equal(1, ended_in(OK));
    assert_int_equal(MANY - 1, ended_in(ERR_CHALLENGE_USED));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM registration"));
    clear();
}

TEST(the_same_one_a_hundred_times_at_once_is_verified_each_time_and_claimed_once)
{
    devices[0] = managed_device_new(&site);
    at_once(act_verify, true);
    assert_int_equal(MANY, ended_in(OK));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM registration"));
    clear();
}

static void act_either(struct one *one)
{
    if ((one - all) % 2)
        act_verify(one);
    else
        act_enroll(one);
}

TEST(a_hundred_at_two_services_use_one_challenge_once)
{
    AUTO_BUF text = managed_challenge(&site);
    for (size_t i = 0; i < MANY; i++)
        devices[i] = managed_device(&site.wants, buf_text(&text));
    at_once(act_either, false);
    assert_int_equal(1, ended_in(OK));
    assert_int_equal(MANY - 1, ended_in(ERR_CHALLENGE_USED));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM managed_claim"));
    assert_int_equal(1, world_count(world, "SELECT (SELECT COUNT(*) FROM certificate) + "
                                           "(SELECT COUNT(*) FROM registration)"));
    clear();
}

static struct buf certificates[MANY];
static const char *challenge_text;

static void act_notify(struct one *one)
{
    struct why why = { 0 };
    const struct server server = { world, "ndes1.example.net", "251E59" };
    const struct told told = { challenge_text, REGISTRATION_ISSUED, 0, &certificates[one - all] };
    one->err = server_notify(&server, &told, &why);
}

TEST(of_a_hundred_certificates_that_are_told_of_at_once_one_is_the_request_s)
{
    AUTO_BUF text = managed_challenge(&site);
    devices[0] = managed_device(&site.wants, buf_text(&text));
    challenge_text = buf_text(&text);
    at_once(act_verify, true);
    for (size_t i = 0; i < MANY; i++)
        certificates[i] = certificate_elsewhere(devices[0].key);
    at_once(act_notify, true);
    assert_int_equal(1, ended_in(OK));
    assert_int_equal(MANY - 1, ended_in(ERR_WRONG_STATE));
    assert_int_equal(1, world_count(world, "SELECT MAX(event) FROM outbox"));
    for (size_t i = 0; i < MANY; i++)
        buf_free(&certificates[i]);
    clear();
}

static void act_lease(struct one *one)
{
    struct why why = { 0 };
    one->err = authority_call(world, "mdm", "outbox_lease", (const char *const[]){ "limit", "3", NULL },
                              &one->leased, &why);
}

TEST(no_two_pollers_have_the_same_row)
{
    bool seen[MANY + 1] = { false };
    size_t leased = 0;
    for (size_t i = 0; i < MANY; i++)
        devices[i] = managed_device_new(&site);
    struct why why = { 0 };
    AUTO_BUF answer = { 0 };
    ASSERT_OK(CALL("authority_set", &answer, &why, "name", "mdm", "device", "1000"), &why);
    at_once(act_enroll, false);
    assert_int_equal(MANY, ended_in(OK));
    for (size_t i = 0; i < MANY; i++)
        enrolled_free(&all[i].got);
    at_once(act_lease, false);
    for (size_t i = 0; i < MANY; i++) {
        struct der_reader list;
        struct record record;
        assert_int_equal(OK, all[i].err);
        ASSERT_OK(records_get(buf_bytes(&all[i].leased), &list, &why), &why);
        for (; records_next(&list, &record); leased++) {
            int64_t id = record_int(&record, "id", 0);
            assert_in_range(id, 1, MANY);
            assert_false(seen[id]);
            seen[id] = true;
        }
    }
    assert_true(leased >= 3);
    clear();
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        E(a_hundred_devices_at_once_with_one_challenge_get_one_certificate),
        E(the_same_request_a_hundred_times_at_once_gets_the_same_certificate),
        E(a_hundred_requests_at_once_with_one_challenge_are_verified_once),
        E(the_same_one_a_hundred_times_at_once_is_verified_each_time_and_claimed_once),
        E(a_hundred_at_two_services_use_one_challenge_once),
        E(of_a_hundred_certificates_that_are_told_of_at_once_one_is_the_request_s),
        E(no_two_pollers_have_the_same_row),
    };
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    return place_run(&place, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
