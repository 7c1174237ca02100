/* SPDX-License-Identifier: Apache-2.0 */
/* Many enrolments that were begun together, none of which has a thread of its own. */
#include "ca/schema.h"
#include "tests/unit/ca/started.h"
#include "tests/unit/store/place.h"

#define MANY 100

static struct place place;
static struct world *world;
static struct sealer_held held;
static struct told told;
static struct started *all;
static struct device *devices;
static size_t device_count;

static int begin(void **state)
{
    (void)state;
    struct store_config config = place_config(&place, ca_migrations, ca_migration_count);
    world_store = &config;
    world = world_new(KEY_EC_P256);
    world_store = NULL;
    told = (struct told)TOLD_NONE;
    all = xcalloc(MANY, sizeof(*all));
    devices = xcalloc(MANY, sizeof(*devices));
    device_count = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        started_free(&all[i]);
    for (size_t i = 0; i < device_count; i++)
        device_free(&devices[i]);
    free(TAKE(all));
    free(TAKE(devices));
    world_free(world);
    return 0;
}

static struct device *device_with(const char *challenge)
{
    char subject[32];
    snprintf(subject, sizeof(subject), "CN=device-%zu", device_count);
    devices[device_count] = device_new(&(struct ask){ .subject = subject, .challenge = challenge });
    return &devices[device_count++];
}

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

static int told_of(enum err err)
{
    int of = 0;
    for (size_t i = 0; i < MANY; i++)
        of += all[i].err == err && all[i].dones == 1;
    return of;
}

/* In several threads, so that they also begin together. */
#define BEGINNERS 8
struct beginner {
    pthread_barrier_t *start;
    const char *endpoint;
    size_t first;
    bool same; /* all ask as the first device does */
    pthread_t thread;
};
static void *begin_some(void *arg)
{
    struct beginner *mine = arg;
    pthread_barrier_wait(mine->start);
    for (size_t i = mine->first; i < MANY; i += BEGINNERS)
        started_begin(world, mine->same ? &devices[0] : &devices[i], mine->endpoint, &told, &all[i]);
    return NULL;
}

static void begin_all(const char *endpoint, bool same)
{
    struct beginner beginners[BEGINNERS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, BEGINNERS);
    for (size_t i = 0; i < BEGINNERS; i++) {
        beginners[i] = (struct beginner){ &start, endpoint, i, same, 0 };
        assert_int_equal(0, pthread_create(&beginners[i].thread, NULL, begin_some, &beginners[i]));
    }
    for (size_t i = 0; i < BEGINNERS; i++)
        pthread_join(beginners[i].thread, NULL);
    pthread_barrier_destroy(&start);
}

TEST(one_password_gives_one_certificate_however_many_begin_at_once)
{
    char *password = xstrdup(once_new(world));
    for (size_t i = 0; i < MANY; i++)
        device_with(password);
    begin_all("once", false);
    told_wait(&told, MANY);
    assert_int_equal(1, told_of(OK));
    assert_int_equal(MANY - 1, told_of(ERR_CHALLENGE_USED));
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM request"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
    free(password);
}

/* The winner's seal is on its way for as long as the others need to be told. */
TEST(whoever_has_the_password_keeps_it_while_the_signer_is_busy)
{
    char *password = xstrdup(once_new(world));
    for (size_t i = 0; i < MANY; i++)
        device_with(password);
    sealer_hold(&held, world);
    begin_all("once", false);
    struct asked *asked = sealer_take(&held);
    told_wait(&told, MANY - 1);
    assert_int_equal(MANY - 1, told_of(ERR_CHALLENGE_USED));
    assert_int_equal(0, told_count(&held.told));
    asked_seal(&held, asked);
    told_wait(&told, MANY);
    assert_int_equal(1, told_of(OK));
    sealer_release(&held);
    free(password);
}

static void expect_same_bytes(void)
{
    for (size_t i = 0; i < MANY; i++) {
        started_expect(&all[i], OK);
        ASSERT_BYTES(buf_bytes(&all[0].got.certificate), buf_bytes(&all[i].got.certificate));
        assert_string_equal(all[0].got.serial, all[i].got.serial);
        assert_int_equal(all[0].got.request_id, all[i].got.request_id);
    }
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM request"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
}

TEST(the_same_request_gets_the_same_bytes_however_many_begin_at_once)
{
    char *password = xstrdup(once_new(world));
    device_with(password);
    begin_all("once", true);
    told_wait(&told, MANY);
    expect_same_bytes();
    free(password);
}

/* All of them find the reservation and have it sealed, each with another signature, before the first T2 is done. */
TEST(of_many_seals_of_one_request_the_first_that_is_recorded_counts_for_all)
{
    struct asked *asked[MANY];
    device_with("secret");
    sealer_hold(&held, world);
    begin_all("static", true);
    for (size_t i = 0; i < MANY; i++)
        asked[i] = sealer_take(&held);
    assert_int_equal(0, told_count(&told));
    for (size_t i = 0; i < MANY; i++)
        ASSERT_BYTES(asked[0]->request.tbs, asked[i]->request.tbs);
    for (size_t i = 0; i < MANY; i++)
        asked_seal(&held, asked[i]);
    told_wait(&told, MANY);
    expect_same_bytes();
    sealer_release(&held);
}

TEST(requests_of_many_devices_have_each_its_own_serial_and_number)
{
    for (size_t i = 0; i < MANY; i++)
        device_with("secret");
    begin_all("static", false);
    told_wait(&told, MANY);
    for (size_t i = 0; i < MANY; i++) {
        struct cert cert;
        struct why why = { 0 };
        started_expect(&all[i], OK);
        ASSERT_OK(cert_parse(buf_bytes(&all[i].got.certificate), &cert, &why), &why);
        ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
        ASSERT_BYTES(public_key_spki(devices[i].key->public_half), cert.spki);
    }
    assert_int_equal(MANY, count("SELECT COUNT(DISTINCT serial) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(MANY, count("SELECT COUNT(*) FROM request WHERE disposition = 'issued'"));
    assert_int_equal(MANY, count("SELECT MAX(request_id) FROM request"));
    assert_int_equal(count("SELECT COUNT(*) FROM audit"), count("SELECT MAX(audit_id) FROM audit"));
    assert_int_equal(MANY, count("SELECT COUNT(*) FROM outbox"));
}

/* The signer answers in another order than it was asked, refuses some for good, and loses some. */
TEST(each_gets_its_own_answer_in_whatever_order_the_signer_gives_them)
{
    static const enum err answers[] = { OK, ERR_SIGNER_LIMIT, OK, ERR_UNAVAILABLE, OK };
    struct asked *asked[MANY];
    for (size_t i = 0; i < MANY; i++)
        device_with("secret");
    sealer_hold(&held, world);
    begin_all("static", false);
    for (size_t i = 0; i < MANY; i++)
        asked[i] = sealer_take(&held);
    for (size_t i = MANY; i-- > 0;) {
        if (answers[i % 5] == OK)
            asked_seal(&held, asked[i]);
        else
            asked_answer(asked[i], answers[i % 5], BYTES_NONE);
    }
    told_wait(&told, MANY);
    assert_int_equal(MANY * 3 / 5, told_of(OK));
    assert_int_equal(MANY / 5, told_of(ERR_SIGNER_LIMIT));
    assert_int_equal(MANY / 5, told_of(ERR_UNAVAILABLE));
    assert_int_equal(MANY * 3 / 5, count("SELECT COUNT(*) FROM request WHERE disposition = 'issued'"));
    assert_int_equal(MANY / 5, count("SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
    assert_int_equal(MANY / 5, count("SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
    assert_int_equal(MANY, count("SELECT COUNT(*) FROM certificate"));
    sealer_release(&held);
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        E(one_password_gives_one_certificate_however_many_begin_at_once),
        E(whoever_has_the_password_keeps_it_while_the_signer_is_busy),
        E(the_same_request_gets_the_same_bytes_however_many_begin_at_once),
        E(of_many_seals_of_one_request_the_first_that_is_recorded_counts_for_all),
        E(requests_of_many_devices_have_each_its_own_serial_and_number),
        E(each_gets_its_own_answer_in_whatever_order_the_signer_gives_them),
    };
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    return place_run(&place, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
