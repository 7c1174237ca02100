/* SPDX-License-Identifier: Apache-2.0 */
/* What a request gets that has a row already: when it comes again, and when its device polls. */
#include "ca/answer.h"
#include "tests/unit/ca/started.h"

static struct world *world;
static struct sealer_held held;
static struct device device;
static struct request request;

static int begin(void **state)
{
    struct why why = { 0 };
    (void)state;
    world = world_new(KEY_EC_P256);
    sealer_hold(&held, world);
    device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    const struct enroll_request ask = { BYTES_LIT("static"), buf_bytes(&device.csr), BYTES_LIT("5f3c"),
                                        buf_bytes(&device.self_signed), BYTES_LIT("192.0.2.7") };
    ASSERT_OK(request_open(world->ca, &ask, &request, &why), &why);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sealer_release(&held);
    request_free(&request);
    request = (struct request){ 0 };
    device_free(&device);
    world_free(world);
    return 0;
}

/* The device enrols, and the signer answers this. */
static void enrol(enum err seal)
{
    struct told told = TOLD_NONE;
    struct started started;
    started_begin(world, &device, "static", &told, &started);
    struct asked *asked = sealer_take(&held);
    if (seal == OK)
        asked_seal(&held, asked);
    else
        asked_answer(asked, seal, BYTES_NONE);
    told_wait(&told, 1);
    started_expect(&started, seal);
    started_free(&started);
}

/* By the request's key and by poll: both read the same row. */
struct answer {
    bool by_poll, known;
    struct enrolled got;
    enum err err;
    struct why why;
    pthread_t thread;
};
static void *answer_run(void *arg)
{
    struct answer *answer = arg;
    if (answer->by_poll)
        answer->err = device_poll(world, &device, "static", &answer->got, &answer->why);
    else
        answer->err = answer_known(world->ca, &request, &answer->known, &answer->got, &answer->why);
    return NULL;
}

static void answer_start(struct answer *answer, bool by_poll)
{
    *answer = (struct answer){ .by_poll = by_poll };
    if (by_poll)
        world_exec(world, "UPDATE request SET pended = 1"); /* as if it had waited: others are not polled */
    assert_int_equal(0, pthread_create(&answer->thread, NULL, answer_run, answer));
}

static void answer_expect(struct answer *answer, enum err err)
{
    pthread_join(answer->thread, NULL);
    if (answer->err != err)
        fail_msg("told %s (%s), wanted %s", err_row(answer->err)->name, answer->why.text, err_row(err)->name);
    assert_int_equal(err == OK && !answer->by_poll, answer->known);
}

/* Both, one after the other, while the signer has nothing to do. */
static void expect_both(enum err err, const char *part)
{
    for (int by_poll = 0; by_poll < 2; by_poll++) {
        struct answer answer;
        answer_start(&answer, by_poll);
        answer_expect(&answer, err);
        if (err != OK && !strstr(answer.why.text, part))
            fail_msg("\"%s\" lacks \"%s\"", answer.why.text, part);
        enrolled_free(&answer.got);
    }
    assert_int_equal(0, told_count(&held.told));
}

TEST(a_request_without_a_row_is_not_known_and_cannot_be_polled)
{
    struct answer answer;
    answer_start(&answer, false);
    pthread_join(answer.thread, NULL);
    assert_int_equal(OK, answer.err);
    assert_false(answer.known);
    assert_int_equal(0, answer.got.certificate.len);
    answer_start(&answer, true);
    answer_expect(&answer, ERR_BAD_CERT_ID);
}

TEST(a_request_that_never_waited_is_not_known_by_its_transaction)
{
    struct why why = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    enrol(OK);
    assert_int_equal(ERR_BAD_CERT_ID, device_poll(world, &device, "static", &got, &why));
}

TEST(what_is_issued_is_given_again_byte_by_byte_and_never_sealed_again)
{
    struct answer answers[2];
    enrol(OK);
    for (int by_poll = 0; by_poll < 2; by_poll++) {
        struct cert cert;
        struct why why = { 0 };
        answer_start(&answers[by_poll], by_poll);
        answer_expect(&answers[by_poll], OK);
        assert_true(answers[by_poll].got.again);
        assert_int_equal(1, answers[by_poll].got.request_id);
        ASSERT_OK(cert_parse(buf_bytes(&answers[by_poll].got.certificate), &cert, &why), &why);
        assert_int_equal(2 * SERIAL_BYTES, strlen(answers[by_poll].got.serial));
    }
    ASSERT_BYTES(buf_bytes(&answers[0].got.certificate), buf_bytes(&answers[1].got.certificate));
    assert_int_equal(0, told_count(&held.told));
    enrolled_free(&answers[0].got);
    enrolled_free(&answers[1].got);
}

TEST(what_was_revoked_or_has_ended_is_refused_by_name)
{
    enrol(OK);
    world_exec(world, "UPDATE certificate SET status = 'revoked'");
    expect_both(ERR_REVOKED, "which is revoked");
    world_exec(world, "UPDATE certificate SET status = 'valid'");
    world->clock.held = NOW + 365 * 86400;
    expect_both(OK, "");
    world->clock.held++;
    expect_both(ERR_EXPIRED, "which ended");
}

TEST(a_row_that_contradicts_itself_gives_no_certificate)
{
    enrol(OK);
    world_exec(world, "UPDATE certificate SET der = NULL");
    expect_both(ERR_INTERNAL, "has no certificate");
}

TEST(what_was_denied_or_failed_is_told_with_its_reason)
{
    enrol(OK);
    world_exec(world, "UPDATE request SET disposition = 'denied', reason = 'unknown device'");
    expect_both(ERR_DENIED, "unknown device");
    world_exec(world,
               "UPDATE request SET disposition = 'failed', error = 'ERR_WEAK_KEY', reason = 'too short'");
    expect_both(ERR_WEAK_KEY, "too short");
    world_exec(world, "UPDATE request SET error = NULL, reason = NULL");
    expect_both(ERR_BAD_REQUEST, "failed");
}

TEST(what_waits_for_approval_goes_on_waiting)
{
    enrol(OK);
    world_exec(world, "UPDATE request SET disposition = 'pending'");
    for (int by_poll = 0; by_poll < 2; by_poll++) {
        struct answer answer;
        answer_start(&answer, by_poll);
        answer_expect(&answer, OK);
        assert_int_equal(ENROLL_PENDING, answer.got.disposition);
        assert_int_equal(0, answer.got.certificate.len);
        assert_true(answer.got.again);
    }
}

/* What began and was not finished is finished by whoever comes: from the stored TBS, and only once. */
static void expect_finished(bool by_poll)
{
    struct answer answer;
    struct cert cert;
    struct why why = { 0 };
    AUTO_BUF tbs = { 0 };
    enrol(ERR_UNAVAILABLE);
    answer_start(&answer, by_poll);
    struct asked *asked = sealer_take(&held);
    buf_append(&tbs, asked->request.tbs);
    asked_answer(asked, ERR_TIMEOUT, BYTES_NONE);
    answer_expect(&answer, ERR_TIMEOUT);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
    answer_start(&answer, by_poll);
    asked_seal(&held, sealer_take(&held));
    answer_expect(&answer, OK);
    assert_false(answer.got.again);
    ASSERT_OK(cert_parse(buf_bytes(&answer.got.certificate), &cert, &why), &why);
    ASSERT_BYTES(buf_bytes(&tbs), cert.tbs);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
    enrolled_free(&answer.got);
    expect_both(OK, "");
}

TEST(who_comes_again_finishes_what_was_begun)
{
    expect_finished(false);
}

TEST(who_polls_finishes_what_was_begun)
{
    expect_finished(true);
}

TEST(what_the_signer_then_refuses_for_good_has_failed_for_both)
{
    struct answer answer;
    enrol(ERR_UNAVAILABLE);
    answer_start(&answer, true);
    asked_answer(sealer_take(&held), ERR_SIGNER_LIMIT, BYTES_NONE);
    answer_expect(&answer, ERR_SIGNER_LIMIT);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed' "
                                           "AND request_key IS NULL AND error = 'ERR_SIGNER_LIMIT'"));
    answer_start(&answer, false); /* its key is free: it may be made again */
    pthread_join(answer.thread, NULL);
    assert_false(answer.known);
    answer_start(&answer, true);
    answer_expect(&answer, ERR_SIGNER_LIMIT);
}

TEST(a_seal_that_cannot_be_recorded_is_not_given_out)
{
    struct answer answer;
    enrol(ERR_UNAVAILABLE);
    answer_start(&answer, true);
    struct asked *asked = sealer_take(&held);
    world_exec(world, "CREATE TRIGGER broken BEFORE UPDATE ON certificate "
                      "BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    asked_seal(&held, asked);
    answer_expect(&answer, ERR_STORE);
    assert_int_equal(0, answer.got.certificate.len);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
}

#define POLLERS 20
/* Each has it sealed, with another signature; the first that is recorded is everybody's. */
TEST(of_many_who_finish_at_once_all_get_the_same_bytes)
{
    struct answer answers[POLLERS];
    struct asked *asked[POLLERS];
    enrol(ERR_UNAVAILABLE);
    for (int i = 0; i < POLLERS; i++)
        answer_start(&answers[i], true);
    for (int i = 0; i < POLLERS; i++)
        asked[i] = sealer_take(&held);
    for (int i = 0; i < POLLERS; i++)
        asked_seal(&held, asked[i]);
    for (int i = 0; i < POLLERS; i++) {
        answer_expect(&answers[i], OK);
        ASSERT_BYTES(buf_bytes(&answers[0].got.certificate), buf_bytes(&answers[i].got.certificate));
    }
    for (int i = 0; i < POLLERS; i++)
        enrolled_free(&answers[i].got);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

/* Somebody else finished while we had it sealed: by its key that is a conflict to look at again, and no certificate. */
TEST(who_was_overtaken_by_the_same_request_is_told_to_look_again)
{
    struct answer late, first;
    enrol(ERR_UNAVAILABLE);
    answer_start(&late, false);
    struct asked *asked = sealer_take(&held);
    answer_start(&first, false);
    asked_seal(&held, sealer_take(&held));
    answer_expect(&first, OK);
    asked_seal(&held, asked);
    answer_expect(&late, ERR_CONFLICT);
    assert_int_equal(0, late.got.certificate.len);
    enrolled_free(&first.got);
}

#define A(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(A(a_request_without_a_row_is_not_known_and_cannot_be_polled),
    A(a_request_that_never_waited_is_not_known_by_its_transaction),
    A(what_is_issued_is_given_again_byte_by_byte_and_never_sealed_again),
    A(what_was_revoked_or_has_ended_is_refused_by_name),
    A(a_row_that_contradicts_itself_gives_no_certificate),
    A(what_was_denied_or_failed_is_told_with_its_reason), A(what_waits_for_approval_goes_on_waiting),
    A(who_comes_again_finishes_what_was_begun), A(who_polls_finishes_what_was_begun),
    A(what_the_signer_then_refuses_for_good_has_failed_for_both),
    A(a_seal_that_cannot_be_recorded_is_not_given_out), A(of_many_who_finish_at_once_all_get_the_same_bytes),
    A(who_was_overtaken_by_the_same_request_is_told_to_look_again))
