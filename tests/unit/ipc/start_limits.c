/* SPDX-License-Identifier: Apache-2.0 */
/* How much one connection may have on its way, and what others have of it. */
#include "tests/unit/ipc/office.h"

#define FULL LIMIT_FRAMES_IN_FLIGHT

TEST(a_connection_has_as_many_calls_out_as_allowed_and_others_go_on)
{
    enum { CALLS = FULL + 40 };
    struct office *office = office_open(FULL + 4, FULL + 4); /* more places than one connection may take */
    int fd = raw_open(&office->fixture, "scep"), other = raw_open(&office->fixture, "scep");
    bool answered[CALLS] = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    for (int i = 0; i < CALLS; i++)
        raw_frame(&out, i, "park", BYTES_LIT("\x02\x01\x01"));
    raw_send(fd, buf_bytes(&out));
    assert_true(count_reaches(&office->parked, FULL));
    for (int i = 0; i < 50; i++) {
        client_ask_number(other, i, i % 2 ? "now" : "echo", i);
        assert_number(other, i, i);
    }
    assert_int_equal(count_now(&office->parked), FULL);
    for (int i = 0; i < CALLS; i++) { /* each answer makes room for one */
        office_answer(office, BYTES_NONE);
        assert_true(raw_receive(fd, &der, &frame));
        ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
        assert_in_range(frame.id, 0, CALLS - 1);
        assert_false(answered[frame.id]);
        answered[frame.id] = true;
        if (i < 40)
            assert_true(count_reaches(&office->parked, FULL + 1 + i));
        assert_true(count_now(&office->parked) <= FULL + 1 + i);
    }
    close(fd);
    close(other);
    office_close(office);
}

TEST(a_connection_that_was_full_goes_on_with_what_comes_later)
{
    struct office *office = office_open(FULL + 4, FULL + 4);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    for (int i = 0; i < FULL; i++)
        raw_frame(&out, i, "park", BYTES_LIT("\x02\x01\x01"));
    raw_send(fd, buf_bytes(&out));
    assert_true(count_reaches(&office->parked, FULL));
    client_ask_number(fd, 1000, "now", 6); /* stays in the socket */
    for (int i = 0; i < FULL; i++)
        office_answer(office, BYTES_NONE);
    bool seen = false;
    for (int i = 0; i < FULL + 1; i++) {
        assert_true(raw_receive(fd, &der, &frame));
        seen = seen || (frame.id == 1000 && number_in(frame.body) == 6);
    }
    assert_true(seen);
    close(fd);
    office_close(office);
}

TEST(a_full_queue_says_busy_and_the_connection_goes_on)
{
    struct office *office = office_open(1, 2);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    client_ask_number(fd, 0, "park", 0);
    assert_true(count_reaches(&office->parked, 1)); /* it has the only place, and no thread */
    for (int i = 1; i <= 5; i++)
        raw_frame(&out, i, "park", BYTES_LIT("\x02\x01\x01"));
    raw_send(fd, buf_bytes(&out));
    for (int i = 3; i <= 5; i++) { /* two wait */
        assert_true(raw_receive(fd, &der, &frame));
        assert_error(&frame, i, ERR_BUSY);
    }
    for (int i = 0; i < 3; i++) {
        office_answer(office, BYTES_LIT("\x02\x01\x07"));
        assert_number(fd, i, 7);
    }
    assert_int_equal(count_now(&office->begun), 3);
    client_ask_number(fd, 9, "now", 4);
    assert_number(fd, 9, 4);
    close(fd);
    office_close(office);
}

/* --- brief --- */

TEST(what_begins_is_brief_and_what_is_large_or_runs_is_not)
{
    const struct pool_config pool = { .threads = 4, .queue = 8, .brief = 1 };
    struct office *office = office_new(&pool, 0);
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    int fd = raw_open(&office->fixture, "scep");
    AUTO_BUF large = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    static const uint8_t filling[70000];
    der_put_octets(&large, BYTES_ARR(filling));
    client_ask_number(fd, 1, "hold", 1);
    assert_true(count_reaches(&office->held, 1));
    for (int i = 0; i < 20; i++) {
        client_ask_number(fd, 100 + i, "echo", i);
        assert_number(fd, 100 + i, i);
    }
    client_ask(fd, 2, "now", buf_bytes(&large)); /* takes its time, so it is none of the brief ones */
    assert_true(raw_receive(fd, &der, &frame));
    assert_int_equal(frame.id, 2);
    client_ask_number(fd, 3, "now", 3); /* waits for the one that holds its thread */
    client_ask(fd, 4, "no-such-verb", BYTES_NONE);
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 4, ERR_NOT_AUTHORISED);
    assert_int_equal(count_now(&office->begun), 1);
    count_add(&office->door, 1);
    int64_t answered = 0;
    for (int i = 0; i < 2; i++) { /* in either order, when they leave together */
        assert_true(raw_receive(fd, &der, &frame));
        ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
        assert_int_equal(number_in(frame.body), frame.id);
        answered += frame.id;
    }
    assert_int_equal(answered, 1 + 3);
    close(fd);
    office_close(office);
}

/* --- answers of many threads --- */

struct clerk {
    struct office *office;
    atomic_int *next;
    int count;
};

static void *answer_some(void *arg)
{
    struct clerk *clerk = arg;
    struct office *office = clerk->office;
    for (;;) {
        int at = (*clerk->next)++;
        if (at >= clerk->count || !count_reaches(&office->parked, at + 1))
            return NULL;
        pthread_mutex_lock(&office->parked.lock);
        struct ipc_call *call = office->calls[at];
        pthread_mutex_unlock(&office->parked.lock);
        ipc_call_answer(call, OK, ipc_call_body(call), NULL);
    }
}

TEST(four_threads_answer_what_four_connections_have_out)
{
    enum { CONNECTIONS = 4, CALLS = 500 };
    struct office *office = office_open(64, CONNECTIONS * FULL);
    atomic_int next = 0;
    struct clerk clerk = { office, &next, CONNECTIONS * CALLS };
    pthread_t threads[4];
    int fds[CONNECTIONS];
    bool answered[CONNECTIONS][CALLS] = { 0 };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, answer_some, &clerk), 0);
    for (int k = 0; k < CONNECTIONS; k++) {
        AUTO_BUF out = { 0 };
        AUTO_BUF body = { 0 };
        fds[k] = raw_open(&office->fixture, "scep");
        for (int i = 0; i < CALLS; i++) {
            buf_clear(&body);
            der_put_int64(&body, k * 1000 + i);
            raw_frame(&out, i, "park", buf_bytes(&body));
        }
        raw_send(fds[k], buf_bytes(&out));
    }
    for (int i = 0; i < CONNECTIONS * CALLS; i++) {
        int k = i % CONNECTIONS;
        AUTO_BUF der = { 0 };
        struct frame frame;
        assert_true(raw_receive(fds[k], &der, &frame));
        ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
        assert_in_range(frame.id, 0, CALLS - 1);
        assert_int_equal(number_in(frame.body), k * 1000 + frame.id);
        assert_false(answered[k][frame.id]);
        answered[k][frame.id] = true;
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int k = 0; k < CONNECTIONS; k++)
        close(fds[k]);
    office_close(office);
}

RUN(T(a_connection_has_as_many_calls_out_as_allowed_and_others_go_on),
    T(a_connection_that_was_full_goes_on_with_what_comes_later),
    T(a_full_queue_says_busy_and_the_connection_goes_on),
    T(what_begins_is_brief_and_what_is_large_or_runs_is_not),
    T(four_threads_answer_what_four_connections_have_out))
