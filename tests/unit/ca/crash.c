/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash, a lost signer and a full disk leave between T1 and T2. */
#include "tests/unit/ca/fixture.h"

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
#define REFUSED(expected, device, endpoint) device_assert_refused(world, (expected), (device), (endpoint))
#define ISSUED(device, endpoint, ret)       device_assert_issued(world, (device), (endpoint), (ret))

TEST(a_lost_seal_is_made_up_from_the_stored_tbs)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct why why = { 0 };
    AUTO_BUF serial = { 0 };
    char sql[200];
    world->seal_error = ERR_UNAVAILABLE;
    REFUSED(ERR_UNAVAILABLE, &device, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
    world_reopen(world);
    world->seal_error = OK;
    world->clock.held += 60;
    ISSUED(&device, "once", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_int_equal(NOW - 600, cert.not_before); /* the TBS of T1, not a new one */
    serial_append_text(&serial, cert.serial);
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM certificate WHERE serial = '%s' AND status = 'valid'",
             buf_text(&serial));
    assert_int_equal(1, world_count(world, sql));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

static void t2_breaks(struct world *each)
{
    world_exec(
        each,
        "CREATE TRIGGER broken BEFORE UPDATE ON certificate BEGIN SELECT RAISE(ABORT, 'disk full'); END");
}

TEST(a_failed_t2_is_made_up_too_and_nothing_is_answered_before)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->on_seal = t2_breaks;
    REFUSED(ERR_STORE, &device, "once");
    assert_int_equal(1, atomic_load(&world->seals));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM outbox"));
    world_reopen(world);
    REFUSED(ERR_STORE, &device, "once");
    world_exec(world, "DROP TRIGGER broken");
    ISSUED(&device, "once", &got);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

TEST(a_failed_t1_leaves_no_trace_and_the_password_unused)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world_exec(
        world,
        "CREATE TRIGGER broken BEFORE INSERT ON certificate BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    REFUSED(ERR_STORE, &device, "once");
    assert_int_equal(0, atomic_load(&world->seals));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL"));
    world_exec(world, "DROP TRIGGER broken");
    ISSUED(&device, "once", &got);
}

TEST(a_reservation_is_voided_after_ten_minutes_and_frees_the_password)
{
    const char *password = once_new(world);
    DEVICE(device, .subject = "CN=one", .challenge = password);
    DEVICE(other, .subject = "CN=two", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    int64_t voided;
    world->seal_error = ERR_TIMEOUT;
    REFUSED(ERR_TIMEOUT, &device, "once");
    world->seal_error = OK;
    world->clock.held += ISSUE_VOID_S - 1;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(0, voided);
    REFUSED(ERR_CHALLENGE_USED, &other, "once");
    world->clock.held++;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
    ISSUED(&other, "once", &got);
    REFUSED(ERR_CHALLENGE_USED, &device, "once");
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'void' AND serial <> ''"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                                           "AND request_key IS NULL AND error = 'ERR_TIMEOUT'"));
}

static void void_meanwhile(struct world *each)
{
    struct why why = { 0 };
    int64_t voided;
    each->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(each->ca, world_issuer(each), &voided, &why), &why);
    assert_int_equal(1, voided);
}

TEST(a_late_t2_does_not_bring_a_voided_reservation_back)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->on_seal = void_meanwhile;
    ISSUED(&device, "once", &got); /* a new reservation: the first one's T2 changed nothing */
    assert_int_equal(2, atomic_load(&world->seals));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'void' AND der IS NULL"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

TEST(what_the_signer_refuses_for_good_is_failed_and_frees_the_password)
{
    DEVICE(device, .subject = "CN=one", .challenge = once_new(world));
    AUTO_VAL(enrolled) got = { 0 };
    world->seal_error = ERR_SIGNER_LIMIT;
    REFUSED(ERR_SIGNER_LIMIT, &device, "once");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                                           "AND error = 'ERR_SIGNER_LIMIT' AND request_key IS NULL"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request"));
    world->seal_error = OK;
    ISSUED(&device, "once", &got);
}

TEST(an_answer_of_the_signer_is_not_believed)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    world->seal_other = true;
    REFUSED(ERR_PROTOCOL, &device, "static");
    world->seal_other = false;
    world->seal_badly = true;
    REFUSED(ERR_PROTOCOL, &device, "static");
    world->seal_badly = false;
    ISSUED(&device, "static", &got);
}

/* A template that nobody could have made by our commands: what it gives is looked at once more before it is stored. */
TEST(a_tbs_that_would_break_rfc_5280_is_not_sealed)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    world_exec(world, "UPDATE template SET key_usage = 32"); /* keyCertSign */
    world_reopen(world);                                     /* no template of before is remembered */
    REFUSED(ERR_LINT, &device, "static");
    assert_int_equal(0, atomic_load(&world->seals));
    world_exec(world, "UPDATE template SET key_usage = 1"); /* digitalSignature */
    world_reopen(world);
    ISSUED(&device, "static", &got);
}

/* Nobody foresees a serial. A trigger stands for the collision: it runs into a unique constraint of its own while the
   request id is below a mark, and the id goes back with each unit that is rolled back, so each attempt collides. */
TEST(serials_that_are_all_taken_end_in_an_error_and_no_row)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    world_exec(world, "CREATE TABLE once_only (n BIGINT UNIQUE)");
    world_exec(world, "CREATE TRIGGER clash BEFORE INSERT ON certificate BEGIN "
                      "INSERT INTO once_only VALUES (1); INSERT INTO once_only VALUES (1); END");
    REFUSED(ERR_INTERNAL, &device, "static");
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(0, atomic_load(&world->seals));
    world_exec(world, "DROP TRIGGER clash");
    ISSUED(&device, "static", &got);
}

/* The trigger collides with each eighth serial: without a second one, seven of sixty enrolments would fail. Four
   collisions in a row, which do fail one, come once in 4,096. */
TEST(a_taken_serial_is_replaced_by_a_fresh_one)
{
    int collided = 0;
    world_exec(world, "CREATE TABLE once_only (n BIGINT UNIQUE)");
    world_exec(world,
               "CREATE TRIGGER clash BEFORE INSERT ON certificate WHEN substr(NEW.serial, 3, 1) < '2' BEGIN "
               "INSERT INTO once_only VALUES (1); INSERT INTO once_only VALUES (1); END");
    for (int i = 0; i < 60; i++) {
        DEVICE(device, .subject = "CN=one", .challenge = "secret");
        AUTO_VAL(enrolled) got = { 0 };
        struct why why = { 0 };
        enum err err = device_enroll(world, &device, "static", &got, &why);
        collided += err != OK; /* four in a row: once in 4,096 */
    }
    assert_true(collided <= 2);
    assert_int_equal(60 - collided,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(0,
                     world_count(world, "SELECT COUNT(*) FROM certificate WHERE substr(serial, 3, 1) < '2'"));
}

RUN(W(a_lost_seal_is_made_up_from_the_stored_tbs),
    W(a_failed_t2_is_made_up_too_and_nothing_is_answered_before),
    W(a_failed_t1_leaves_no_trace_and_the_password_unused),
    W(a_reservation_is_voided_after_ten_minutes_and_frees_the_password),
    W(a_late_t2_does_not_bring_a_voided_reservation_back),
    W(what_the_signer_refuses_for_good_is_failed_and_frees_the_password),
    W(an_answer_of_the_signer_is_not_believed), W(a_tbs_that_would_break_rfc_5280_is_not_sealed),
    W(serials_that_are_all_taken_end_in_an_error_and_no_row), W(a_taken_serial_is_replaced_by_a_fresh_one))
