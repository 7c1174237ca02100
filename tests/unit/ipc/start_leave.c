/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are answered when their client, or the server, is on its way out. */
#include "tests/unit/ipc/office.h"

static void assert_serves(struct office *office)
{
    int fd = raw_open(&office->fixture, "scep");
    client_ask_number(fd, 3, "now", 9);
    assert_number(fd, 3, 9);
    close(fd);
}

TEST(whoever_left_is_not_answered_and_nobody_else_instead)
{
    struct office *office = office_open(4, 8);
    for (int i = 0; i < 20; i++) {
        int left = raw_open(&office->fixture, "scep");
        client_ask_number(left, 7, "park", 1);
        struct ipc_call *first = office_take(office);
        assert_non_null(first);
        close(left);
        assert_serves(office); /* by now the server knows, and has the descriptor to give away again */
        int stays = raw_open(&office->fixture, "scep");
        client_ask_number(stays, 7, "park", 2);
        struct ipc_call *second = office_take(office);
        assert_non_null(second);
        assert_string_equal(ipc_call_caller(first)->principal, "scep"); /* it is there until the answer */
        ASSERT_BYTES(ipc_call_body(first), BYTES_LIT("\x02\x01\x01"));
        ipc_call_answer(first, OK, BYTES_LIT("\x02\x01\x63"), NULL);
        ipc_call_answer(second, OK, BYTES_LIT("\x02\x01\x08"), NULL);
        assert_number(stays, 7, 8);
        close(stays);
    }
    office_close(office);
}

TEST(a_client_that_leaves_between_its_answers_gets_the_first_ones)
{
    struct office *office = office_open(8, 8);
    for (int i = 0; i < 20; i++) {
        int fd = raw_open(&office->fixture, "scep");
        for (int k = 0; k < 6; k++)
            client_ask_number(fd, k, "park", k);
        for (int k = 0; k < 6; k++) {
            struct ipc_call *call = office_take(office);
            assert_non_null(call);
            int64_t number = number_in(ipc_call_body(call));
            ipc_call_answer(call, OK, ipc_call_body(call), NULL);
            if (k < 3)
                assert_number(fd, number, number);
            if (k == 2)
                close(fd);
        }
    }
    assert_serves(office);
    office_close(office);
}

static void answer_as_asked(void *arg)
{
    struct ipc_call *call = arg;
    ipc_call_answer(call, OK, ipc_call_body(call), NULL);
}

TEST(a_call_whose_client_left_may_go_on)
{
    struct office *office = office_open(2, 8);
    for (int i = 0; i < 20; i++) {
        int fd = raw_open(&office->fixture, "scep");
        client_ask_number(fd, 7, "park", 1);
        struct ipc_call *call = office_take(office);
        assert_non_null(call);
        close(fd);
        if (i % 2)
            assert_serves(office);
        ipc_call_go_on(call, answer_as_asked, call);
    }
    assert_serves(office);
    office_close(office);
}

static void count_loss(void *arg)
{
    count_add(arg, 1);
}

TEST(a_lost_socket_is_told_once_although_calls_are_out)
{
    const struct pool_config pool = { .threads = 4 };
    struct office *office = office_new(&pool, 0);
    struct count lost = COUNT_ZERO;
    struct why why;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ASSERT_OK(ipc_server_attach(office->fixture.server, pair[0], "scep", count_loss, &lost, &why), &why);
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    AUTO_BUF hello = { 0 };
    raw_hello(&hello, "scep");
    raw_send(pair[1], buf_bytes(&hello));
    client_ask_number(pair[1], 1, "park", 1);
    client_ask_number(pair[1], 2, "park", 2);
    struct ipc_call *calls[] = { office_take(office), office_take(office) };
    assert_true(calls[0] && calls[1]);
    close(pair[1]);
    assert_true(count_reaches(&lost, 1));
    for (int i = 0; i < 2; i++) {
        ipc_call_answer(calls[i], OK, BYTES_NONE, NULL);
        assert_serves(office);
    }
    office_close(office);
    assert_int_equal(count_now(&lost), 1);
}

/* --- the server's end --- */

struct late {
    struct office *office;
    int count;
    struct count answered;
};

static void *answer_late(void *arg)
{
    struct late *late = arg;
    for (int i = 0; i < late->count; i++) {
        (void)poll(NULL, 0, 20); /* the server waits for it meanwhile */
        struct ipc_call *call = office_take(late->office);
        if (!call)
            break;
        count_add(&late->answered, 1);
        ipc_call_answer(call, OK, BYTES_NONE, NULL);
    }
    return NULL;
}

static void end_with_calls_out(bool client_stays)
{
    struct office *office = office_open(4, 8);
    struct fixture *fixture = &office->fixture;
    struct late late = { office, 3, COUNT_ZERO };
    pthread_t thread;
    int fd = raw_open(fixture, "scep");
    for (int i = 0; i < 3; i++)
        client_ask_number(fd, i, "park", i);
    assert_true(count_reaches(&office->parked, 3));
    if (!client_stays) {
        close(fd);
        assert_serves(office);
    }
    loop_stop(fixture->loop);
    pthread_join(fixture->thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, &late), 0);
    ipc_server_free(fixture->server);
    assert_int_equal(count_now(&late.answered), 3); /* once every call is answered, and not before */
    if (client_stays) {
        assert_true(is_closed(fd));
        close(fd);
    }
    pthread_join(thread, NULL);
    pool_free(fixture->pool);
    loop_free(fixture->loop);
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(office);
}

TEST(the_server_ends_once_every_call_is_answered)
{
    end_with_calls_out(true);
    end_with_calls_out(false);
}

TEST(the_pool_may_end_first_and_waits_for_calls_that_are_out)
{
    struct office *office = office_open(2, 8);
    struct fixture *fixture = &office->fixture;
    struct late late = { office, 4, COUNT_ZERO };
    pthread_t thread;
    int fd = raw_open(fixture, "scep");
    for (int i = 0; i < 4; i++) /* two of them have no place yet */
        client_ask_number(fd, i, "park", i);
    assert_true(count_reaches(&office->parked, 2));
    client_ask(fd, 9, "no-such-verb",
               BYTES_NONE); /* refused by the loop, which has read all before it then */
    AUTO_BUF der = { 0 };
    struct frame frame;
    assert_true(raw_receive(fd, &der, &frame));
    loop_stop(fixture->loop);
    pthread_join(fixture->thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, &late), 0);
    pool_free(fixture->pool);
    pthread_join(thread, NULL);
    assert_int_equal(count_now(&late.answered), 4);
    ipc_server_free(fixture->server);
    loop_free(fixture->loop);
    close(fd);
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(office);
}

/* --- draining --- */

struct drain {
    struct office *office;
    int ms;
    struct count done;
};

static void on_drained(void *arg)
{
    struct drain *drain = arg;
    count_add(&drain->done, 1);
}

static void begin_drain(void *arg)
{
    struct drain *drain = arg;
    ipc_server_drain(drain->office->fixture.server, drain->ms, on_drained, drain);
}

TEST(draining_waits_for_calls_that_are_out_and_sends_their_answers)
{
    struct office *office = office_open(4, 8);
    struct drain drain = { office, 1000 * 600, COUNT_ZERO };
    int fd = raw_open(&office->fixture, "scep"), left = raw_open(&office->fixture, "scep");
    client_ask_number(fd, 1, "park", 1);
    assert_true(count_reaches(&office->parked, 1));
    client_ask_number(left, 2, "park", 2);
    assert_true(count_reaches(&office->parked, 2));
    close(left);
    loop_post(office->fixture.loop, begin_drain, &drain);
    int late;
    struct why why;
    while (connect_unix(office->fixture.path, &late, &why) == OK) { /* until it takes nobody more */
        close(late);
        (void)poll(NULL, 0, 2);
    }
    client_ask_number(fd, 3, "park", 3); /* not read any more */
    assert_int_equal(count_now(&drain.done), 0);
    office_answer(office, BYTES_LIT("\x02\x01\x01"));
    assert_number(fd, 1, 1);
    assert_int_equal(count_now(&drain.done), 0); /* whoever left has a call out, too */
    office_answer(office, BYTES_LIT("\x02\x01\x02"));
    assert_true(count_reaches(&drain.done, 1));
    office_close(office);
    assert_int_equal(count_now(&drain.done), 1);
    close(fd);
}

TEST(draining_ends_in_time_and_answers_may_still_come)
{
    struct office *office = office_open(4, 8);
    struct drain drain = { office, 1, COUNT_ZERO };
    int fd = raw_open(&office->fixture, "scep");
    client_ask_number(fd, 1, "park", 1);
    client_ask_number(fd, 2, "park", 2);
    assert_true(count_reaches(&office->parked, 2));
    loop_post(office->fixture.loop, begin_drain, &drain);
    assert_true(count_reaches(&drain.done, 1));
    office_answer(office, BYTES_LIT("\x02\x01\x01"));
    office_answer(office, BYTES_LIT("\x02\x01\x02"));
    office_close(office);
    assert_int_equal(count_now(&drain.done), 1);
    close(fd);
}

RUN(T(whoever_left_is_not_answered_and_nobody_else_instead),
    T(a_client_that_leaves_between_its_answers_gets_the_first_ones), T(a_call_whose_client_left_may_go_on),
    T(a_lost_socket_is_told_once_although_calls_are_out), T(the_server_ends_once_every_call_is_answered),
    T(the_pool_may_end_first_and_waits_for_calls_that_are_out),
    T(draining_waits_for_calls_that_are_out_and_sends_their_answers),
    T(draining_ends_in_time_and_answers_may_still_come))
