/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that begin on one thread and are answered on another, later. */
#include "tests/unit/ipc/office.h"

TEST(an_answer_may_be_given_before_start_returns)
{
    struct office *office = office_open(2, 8);
    int fd = raw_open(&office->fixture, "scep");
    for (int i = 0; i < 200; i++) {
        client_ask_number(fd, i, "now", i * 3);
        assert_number(fd, i, i * 3);
    }
    assert_int_equal(count_now(&office->begun), 200);
    close(fd);
    office_close(office);
}

TEST(answers_come_when_they_are_given_and_in_that_order)
{
    enum { CALLS = 30 };
    struct office *office = office_open(CALLS, CALLS);
    int fd = raw_open(&office->fixture, "scep");
    struct ipc_call *calls[CALLS] = { 0 };
    for (int i = 0; i < CALLS; i++)
        client_ask_number(fd, 700 + i, "park", i);
    for (int i = 0; i < CALLS; i++) { /* as they began, which need not be as they came */
        struct ipc_call *call = office_take(office);
        assert_non_null(call);
        int64_t number = number_in(ipc_call_body(call));
        assert_in_range(number, 0, CALLS - 1);
        assert_null(calls[number]);
        calls[number] = call;
    }
    for (int i = 0; i < CALLS; i++) {
        int at = i * 7 % CALLS;
        AUTO_BUF body = { 0 };
        der_put_int64(&body, 1000 + at);
        ipc_call_answer(calls[at], OK, buf_bytes(&body), NULL);
        assert_number(fd, 700 + at, 1000 + at);
    }
    close(fd);
    office_close(office);
}

TEST(the_body_and_the_caller_stay_until_the_answer)
{
    struct office *office = office_open(4, 8);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF large = { 0 };
    static const uint8_t filling[90000] = { 1, 2, 3 };
    der_put_octets(&large, BYTES_ARR(filling));
    client_ask(fd, 1, "park", buf_bytes(&large));
    struct ipc_call *call = office_take(office);
    assert_non_null(call);
    for (int i = 0; i < 50; i++) { /* what comes meanwhile has other memory */
        client_ask_number(fd, 100 + i, "echo", i);
        assert_number(fd, 100 + i, i);
    }
    ASSERT_BYTES(ipc_call_body(call), buf_bytes(&large));
    assert_string_equal(ipc_call_caller(call)->principal, "scep");
    ipc_call_answer(call, OK, BYTES_LIT("\x02\x01\x07"), NULL);
    assert_number(fd, 1, 7);
    close(fd);
    office_close(office);
}

TEST(errors_and_empty_answers_travel_as_those_of_other_verbs)
{
    struct office *office = office_open(4, 8);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF der = { 0 };
    struct frame frame;
    struct why why;
    client_ask_number(fd, 1, "park", 1);
    struct ipc_call *call = office_take(office);
    assert_non_null(call);
    (void)fail(&why, ERR_CHALLENGE_USED, "used before");
    ipc_call_answer(call, ERR_CHALLENGE_USED, BYTES_LIT("\x02\x01\x63"), &why);
    why = (struct why){ .err = ERR_INTERNAL,
                        .text = "another's by now" }; /* it was the caller's again at once */
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 1, ERR_CHALLENGE_USED);
    assert_int_equal(frame_error_get(frame.body, &why), OK);
    assert_string_equal(why.text, "used before");
    client_ask_number(fd, 2, "park", 1);
    office_answer(office, BYTES_NONE);
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    ASSERT_BYTES(frame.body, BYTES_LIT("\x05\x00"));
    close(fd);
    office_close(office);
}

static void park_an_answer_of(size_t content, bool fits)
{
    const struct pool_config pool = { .threads = 2 };
    struct office *office = office_new(&pool, 4096);
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF body = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    static const uint8_t filling[4096];
    der_put_octets(&body, bytes_of(filling, content));
    client_ask_number(fd, 5, "park", 1);
    office_answer(office, buf_bytes(&body));
    assert_true(raw_receive(fd, &der, &frame));
    if (fits)
        ASSERT_BYTES(frame.body, buf_bytes(&body));
    else
        assert_error(&frame, 5, ERR_LIMIT);
    close(fd);
    office_close(office);
}

TEST(an_answer_past_the_limit_becomes_an_error)
{
    park_an_answer_of(4096 - FRAME_OVERHEAD_BYTES - 4, true);
    park_an_answer_of(4096 - FRAME_OVERHEAD_BYTES - 3, false);
}

TEST(verbs_of_both_kinds_are_for_their_principals_alone)
{
    const struct pool_config pool = { .threads = 2 };
    struct office *office = office_new(&pool, 0);
    fixture_listen(&office->fixture, "cli", -1);
    fixture_start(&office->fixture);
    int fd = raw_open(&office->fixture, "cli");
    AUTO_BUF der = { 0 };
    struct frame frame;
    client_ask_number(fd, 1, "now", 1);
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 1, ERR_NOT_AUTHORISED);
    assert_int_equal(count_now(&office->begun), 0);
    client_ask_number(fd, 2, "park", 1);
    struct ipc_call *call = office_take(office);
    assert_non_null(call);
    assert_string_equal(ipc_call_caller(call)->principal, "cli");
    ipc_call_answer(call, OK, BYTES_LIT("\x02\x01\x07"), NULL);
    assert_number(fd, 2, 7);
    close(fd);
    office_close(office);
}

TEST(what_the_role_does_not_allow_is_refused_before_the_verb_runs)
{
    const struct pool_config pool = { .threads = 2 };
    struct office *office = office_new(&pool, 0);
    office->fixture.forbids = true;
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    int fd = raw_open(&office->fixture, "scep");
    static const char *const names[] = { "park", "now", "echo", "wait" };
    for (int i = 0; i < 4; i++) {
        AUTO_BUF der = { 0 };
        struct frame frame;
        client_ask_number(fd, i + 1, names[i], 1);
        assert_true(raw_receive(fd, &der, &frame));
        assert_error(&frame, i + 1, ERR_NOT_AUTHORISED);
    }
    assert_int_equal(count_now(&office->begun), 0);
    assert_int_equal(count_now(&office->held), 0);
    office->fixture.forbids = false;
    client_ask_number(fd, 9, "now", 1);
    assert_number(fd, 9, 1);
    close(fd);
    office_close(office);
}

/* --- going on --- */

struct journey {
    struct office *office;
    struct ipc_call *call;
    int steps;
    pthread_t begun_by;
    struct count strange; /* steps on the loop's thread, or on the test's */
};

static void on_step(void *arg)
{
    struct journey *journey = arg;
    if (pthread_equal(pthread_self(), journey->begun_by) ||
        pthread_equal(pthread_self(), journey->office->fixture.thread))
        count_add(&journey->strange, 1);
    if (--journey->steps > 0)
        ipc_call_go_on(journey->call, on_step, journey);
    else
        ipc_call_answer(journey->call, OK, ipc_call_body(journey->call), NULL);
}

TEST(a_call_goes_on_with_workers_as_often_as_it_likes)
{
    struct office *office = office_open(3, 8);
    int fd = raw_open(&office->fixture, "scep");
    for (int i = 0; i < 20; i++) {
        struct journey journey = { office, NULL, 1 + i * 10, pthread_self(), COUNT_ZERO };
        client_ask_number(fd, i, "park", 40 + i);
        journey.call = office_take(office);
        assert_non_null(journey.call);
        ipc_call_go_on(journey.call, on_step, &journey);
        assert_number(fd, i, 40 + i);
        assert_int_equal(journey.steps, 0);
        assert_int_equal(count_now(&journey.strange), 0);
    }
    close(fd);
    office_close(office);
}

TEST(verbs_that_run_work_beside_those_that_wait_without_a_thread)
{
    struct office *office = office_open(3, 8);
    int fd = raw_open(&office->fixture, "scep");
    client_ask_number(fd, 1, "park", 1);
    client_ask_number(fd, 2, "wait", 2);
    assert_true(count_reaches(&office->parked, 1) && count_reaches(&office->held, 1));
    for (int i = 0; i < 50; i++) { /* the last place is for whoever comes */
        const char *verb = i % 2 ? "echo" : "now";
        client_ask_number(fd, 100 + i, verb, i);
        assert_number(fd, 100 + i, i);
    }
    count_add(&office->door, 1);
    assert_number(fd, 2, 2);
    office_answer(office, BYTES_LIT("\x02\x01\x01"));
    assert_number(fd, 1, 1);
    close(fd);
    office_close(office);
}

RUN(T(an_answer_may_be_given_before_start_returns), T(answers_come_when_they_are_given_and_in_that_order),
    T(the_body_and_the_caller_stay_until_the_answer),
    T(errors_and_empty_answers_travel_as_those_of_other_verbs), T(an_answer_past_the_limit_becomes_an_error),
    T(verbs_of_both_kinds_are_for_their_principals_alone),
    T(what_the_role_does_not_allow_is_refused_before_the_verb_runs),
    T(a_call_goes_on_with_workers_as_often_as_it_likes),
    T(verbs_that_run_work_beside_those_that_wait_without_a_thread))
