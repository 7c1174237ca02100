/* SPDX-License-Identifier: Apache-2.0 */
/* The answering side, met by clients that need not behave. */
#include "tests/unit/ipc/helper.h"

/* Still serves others after what a test did. */
static void assert_serves(const struct fixture *fixture)
{
    AUTO(channel) channel = channel_to(fixture, "scep");
    AUTO_BUF body = { 0 };
    struct why why;
    ASSERT_OK(channel_call(channel, "who", BYTES_NONE, 20000, &body, &why), &why);
    ASSERT_BYTES(buf_bytes(&body), BYTES_LIT("\x0C\x04scep"));
}

TEST(hello_is_answered_with_the_picked_version)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_connect(&fixture);
    AUTO_BUF body = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    struct hello picked;
    struct why why;
    const struct hello hello = { 1, 900, BYTES_LIT("scep") };
    hello_put(&body, &hello);
    raw_frame(&out, 41, "hello", buf_bytes(&body));
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    assert_int_equal(frame.id, 41);
    ASSERT_OK(hello_get(frame.body, &picked, &why), &why);
    assert_int_equal(picked.min, FRAME_VERSION);
    assert_int_equal(picked.max, FRAME_VERSION);
    close(fd);
    fixture_close(&fixture);
}

TEST(a_principal_other_than_the_sockets_is_refused)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_connect(&fixture);
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    raw_hello(&out, "cli");
    raw_frame(&out, 1, "echo", BYTES_NONE); /* sent at once: must not run */
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 0, ERR_NOT_AUTHORISED);
    assert_true(is_closed(fd));
    assert_int_equal(fixture.calls, 0);
    close(fd);
    assert_serves(&fixture);
    fixture_close(&fixture);
}

TEST(a_version_that_nobody_speaks_is_refused)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_connect(&fixture);
    AUTO_BUF body = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    const struct hello hello = { FRAME_VERSION + 1, FRAME_VERSION + 2, BYTES_LIT("scep") };
    hello_put(&body, &hello);
    raw_frame(&out, 3, "hello", buf_bytes(&body));
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 3, ERR_PROTOCOL);
    assert_true(is_closed(fd));
    close(fd);
    fixture_close(&fixture);
}

TEST(a_connection_without_hello_is_closed)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_connect(&fixture);
    AUTO_BUF out = { 0 };
    raw_frame(&out, 1, "echo", BYTES_NONE);
    raw_send(fd, buf_bytes(&out));
    assert_true(is_closed(fd));
    assert_int_equal(fixture.calls, 0);
    close(fd);
    fixture_close(&fixture);
}

TEST(a_second_hello_is_just_an_unknown_verb)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    raw_hello(&out, "cli");
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    assert_error(&frame, 0, ERR_NOT_AUTHORISED);
    close(fd);
    fixture_close(&fixture);
}

TEST(verbs_are_only_for_the_principals_in_the_table)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 0, 4, 0);
    fixture_listen(&fixture, "cli", -1);
    fixture_start(&fixture);
    int fd = raw_open(&fixture, "cli");
    static const char *const refused[] = { "refuse", "wait", "no-such-verb", "who.", "ech" };
    AUTO_BUF der = { 0 };
    struct frame frame;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        AUTO_BUF out = { 0 };
        raw_frame(&out, (int64_t)i, refused[i], BYTES_NONE);
        raw_send(fd, buf_bytes(&out));
        assert_true(raw_receive(fd, &der, &frame));
        assert_error(&frame, (int64_t)i, ERR_NOT_AUTHORISED);
    }
    AUTO_BUF out = { 0 };
    raw_frame(&out, 9, "echo", BYTES_LIT("\x02\x01\x05"));
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    ASSERT_BYTES(frame.body, BYTES_LIT("\x02\x01\x05"));
    close(fd);
    fixture_close(&fixture);
}

TEST(another_uid_is_refused)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 0, 4, 0);
    fixture_listen(&fixture, "scep", (int64_t)geteuid() + 1);
    fixture_start(&fixture);
    int fd = raw_connect(&fixture);
    AUTO_BUF out = { 0 };
    raw_hello(&out, "scep");
    raw_send(fd, buf_bytes(&out));
    assert_true(is_closed(fd));
    close(fd);
    fixture_close(&fixture);
}

TEST(frames_are_taken_up_to_the_limit_and_not_past_it)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 4096, 4, 0);
    fixture_listen(&fixture, "scep", -1);
    fixture_start(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF body = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    static const uint8_t filling[4096];
    /* prefix 4, SEQUENCE 4, version 3, id 3, verb 9, OCTET STRING 4 */
    der_put_octets(&body, bytes_of(filling, 4096 - 27));
    raw_frame(&out, 1, "nothing", buf_bytes(&body));
    assert_int_equal(out.len, 4096);
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    buf_clear(&body);
    buf_clear(&out);
    der_put_octets(&body, bytes_of(filling, 4096 - 26));
    raw_frame(&out, 2, "nothing", buf_bytes(&body));
    assert_int_equal(out.len, 4097);
    raw_send(fd, buf_bytes(&out));
    assert_true(is_closed(fd));
    close(fd);
    fixture_close(&fixture);
}

TEST(a_length_is_judged_before_any_of_the_frame_is_there)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    static const uint8_t lengths[][4] = {
        { 0xFF, 0xFF, 0xFF, 0xFF }, { 0x80, 0, 0, 0 }, { 0, 0, 0, 0 }, { 0, 0x10, 0, 0 }
    };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        int fd = raw_open(&fixture, "scep");
        raw_send(fd, BYTES_ARR(lengths[i]));
        assert_true(is_closed(fd));
        close(fd);
    }
    assert_serves(&fixture);
    fixture_close(&fixture);
}

TEST(an_answer_past_the_limit_becomes_an_error)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 4096, 4, 0);
    fixture_listen(&fixture, "scep", -1);
    fixture_start(&fixture);
    AUTO(channel) channel = channel_to(&fixture, "scep");
    AUTO_BUF number = { 0 };
    AUTO_BUF answer = { 0 };
    struct why why;
    der_put_int64(&number, 4096 - FRAME_OVERHEAD_BYTES - 4);
    ASSERT_OK(channel_call(channel, "grow", buf_bytes(&number), 20000, &answer, &why), &why);
    assert_int_equal(answer.len, 4096 - FRAME_OVERHEAD_BYTES);
    AUTO_BUF more = { 0 };
    AUTO_BUF none = { 0 };
    der_put_int64(&more, 4096 - FRAME_OVERHEAD_BYTES - 3);
    ASSERT_ERR(ERR_LIMIT, channel_call(channel, "grow", buf_bytes(&more), 20000, &none, &why), &why);
    assert_int_equal(none.len, 0);
    fixture_close(&fixture);
}

TEST(frames_may_come_in_pieces_and_many_at_once)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    raw_frame(&out, 5, "echo", BYTES_LIT("\x04\x02hi"));
    for (size_t i = 0; i < out.len; i++)
        raw_send(fd, bytes_of(out.data + i, 1));
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.body, BYTES_LIT("\x04\x02hi"));
    AUTO_BUF many = { 0 };
    bool seen[100] = { 0 };
    for (int i = 0; i < 100; i++)
        raw_frame(&many, i, "nothing", BYTES_NONE);
    raw_send(fd, buf_bytes(&many));
    for (int i = 0; i < 100; i++) {
        assert_true(raw_receive(fd, &der, &frame));
        assert_true(frame.id >= 0 && frame.id < 100 && !seen[frame.id]);
        seen[frame.id] = true;
        ASSERT_BYTES(frame.body, BYTES_LIT("\x05\x00"));
    }
    close(fd);
    fixture_close(&fixture);
}

TEST(reading_stops_at_the_frames_in_flight_and_goes_on_after)
{
    struct fixture fixture = { 0 };
    /* All in flight fit into the queue, because a worker that has answered may not have taken its next one yet; the
       forty more than that would be told "busy". */
    fixture_open(&fixture, 0, 2, LIMIT_FRAMES_IN_FLIGHT);
    fixture_listen(&fixture, "scep", -1);
    fixture_start(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    const int count = LIMIT_FRAMES_IN_FLIGHT + 40;
    for (int i = 0; i < count; i++) {
        raw_frame(&out, i, "wait", BYTES_NONE);
        if (i == 1) {
            raw_send(fd, buf_bytes(&out));
            wait_for(&fixture.calls, 2);
            buf_clear(&out);
        }
    }
    raw_send(fd, buf_bytes(&out));
    (void)poll(NULL, 0, 50); /* room to go wrong in */
    fixture.released = 1;
    for (int i = 0; i < count; i++) {
        assert_true(raw_receive(fd, &der, &frame));
        ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    }
    assert_int_equal(fixture.calls, count);
    close(fd);
    fixture_close(&fixture);
}

TEST(a_full_pool_says_busy)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 0, 1, 2);
    fixture_listen(&fixture, "scep", -1);
    fixture_start(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF first = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    raw_frame(&first, 0, "wait", BYTES_NONE);
    raw_send(fd, buf_bytes(&first));
    wait_for(&fixture.calls, 1); /* the only worker has it */
    for (int i = 1; i <= 3; i++)
        raw_frame(&out, i, "wait", BYTES_NONE);
    raw_send(fd, buf_bytes(&out));
    assert_true(raw_receive(fd, &der, &frame)); /* two wait, the third is too many */
    assert_error(&frame, 3, ERR_BUSY);
    fixture.released = 1;
    for (int i = 0; i < 3; i++) {
        assert_true(raw_receive(fd, &der, &frame));
        ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    }
    close(fd);
    fixture_close(&fixture);
}

TEST(a_client_may_leave_while_a_worker_runs)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    for (int round = 0; round < 4; round++) {
        int fd = raw_open(&fixture, "scep");
        AUTO_BUF out = { 0 };
        raw_frame(&out, 1, "wait", BYTES_NONE);
        raw_frame(&out, 2, "wait", BYTES_NONE);
        raw_send(fd, buf_bytes(&out));
        wait_for(&fixture.calls, 2 * (round + 1));
        close(fd);
    }
    (void)poll(NULL, 0, 20);
    fixture.released = 1;
    assert_serves(&fixture);
    fixture_close(&fixture);
}

/* Forged and mutated frames from a captured client: none of them runs what the table does not give it. */
TEST(a_thousand_forged_frames_harm_nobody)
{
    struct fixture fixture = { 0 };
    fixture_open(&fixture, 0, 4, 0);
    fixture_listen(&fixture, "signer", -1); /* may ask `who` and nothing else */
    fixture_start(&fixture);
    log_level_set(LOG_LEVEL_ERROR); /* a thousand refusals are as expected */
    srandom(5);
    for (int round = 0; round < 1000; round++) {
        AUTO_BUF out = { 0 };
        int fd = raw_connect(&fixture);
        if (round % 4)
            raw_hello(&out, "signer");
        size_t begin = out.len;
        raw_frame(&out, round, round % 3 ? "echo" : "wait", BYTES_LIT("\x30\x06\x02\x01\x07\x0C\x01x"));
        for (long n = random() % 4; n; n--)
            out.data[begin + (size_t)(random() % (long)(out.len - begin))] = (uint8_t)random();
        raw_send(fd, bytes_of(out.data, out.len - (size_t)(random() % 4 == 0)));
        shutdown(fd, SHUT_WR);
        AUTO_BUF der = { 0 };
        struct frame frame;
        while (raw_receive(fd, &der, &frame))
            assert_false(bytes_equal(frame.verb, BYTES_LIT("ok")));
        close(fd);
    }
    log_level_set(LOG_LEVEL_INFO);
    assert_int_equal(fixture.calls, 0);
    AUTO(channel) channel = channel_to(&fixture, "signer");
    AUTO_BUF body = { 0 };
    struct why why;
    ASSERT_OK(channel_call(channel, "who", BYTES_NONE, 20000, &body, &why), &why);
    fixture_close(&fixture);
}

static void on_lost(void *arg)
{
    struct fixture *fixture = arg;
    fixture->lost++;
}

TEST(an_attached_socket_has_its_principal_and_tells_when_it_is_lost)
{
    struct fixture fixture = { 0 };
    struct why why;
    int pair[2];
    fixture_open(&fixture, 0, 4, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ASSERT_OK(ipc_server_attach(fixture.server, pair[0], "scep", on_lost, &fixture, &why), &why);
    fixture_start(&fixture);
    struct channel *channel;
    const struct channel_config config = { .fd = pair[1], .principal = "scep" };
    ASSERT_OK(channel_new(&config, &channel, &why), &why);
    AUTO_BUF body = { 0 };
    ASSERT_OK(channel_call(channel, "who", BYTES_NONE, 20000, &body, &why), &why);
    assert_int_equal(fixture.lost, 0);
    channel_free(channel);
    wait_for(&fixture.lost, 1);
    fixture_close(&fixture);
}

static void on_drained(void *arg)
{
    struct fixture *fixture = arg;
    fixture->lost++;
}

static void drain_soon(void *arg)
{
    struct fixture *fixture = arg;
    ipc_server_drain(fixture->server, 20000, on_drained, fixture);
}

static void drain_at_once(void *arg)
{
    struct fixture *fixture = arg;
    ipc_server_drain(fixture->server, 1, on_drained, fixture);
}

TEST(draining_answers_what_is_in_flight_and_takes_no_more)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF out = { 0 };
    AUTO_BUF der = { 0 };
    struct frame frame;
    struct why why;
    raw_frame(&out, 1, "wait", BYTES_NONE);
    raw_send(fd, buf_bytes(&out));
    wait_for(&fixture.calls, 1);
    loop_post(fixture.loop, drain_soon, &fixture);
    int late;
    while (connect_unix(fixture.path, &late, &why) == OK) { /* until the socket is closed */
        close(late);
        (void)poll(NULL, 0, 2);
    }
    raw_send(fd, buf_bytes(&out));
    assert_int_equal(fixture.lost, 0);
    fixture.released = 1;
    assert_true(raw_receive(fd, &der, &frame));
    assert_int_equal(frame.id, 1);
    wait_for(&fixture.lost, 1);
    assert_int_equal(fixture.calls, 1);
    close(fd);
    fixture_close(&fixture);
}

TEST(draining_ends_in_time_whatever_the_workers_do)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    int fd = raw_open(&fixture, "scep");
    AUTO_BUF out = { 0 };
    raw_frame(&out, 1, "wait", BYTES_NONE);
    raw_send(fd, buf_bytes(&out));
    wait_for(&fixture.calls, 1);
    loop_post(fixture.loop, drain_at_once, &fixture);
    wait_for(&fixture.lost, 1);
    assert_int_equal(fixture.released, 0);
    close(fd);
    fixture_close(&fixture);
}

TEST(principals_that_are_no_names_are_our_bug)
{
    struct fixture fixture = { 0 };
    struct why why;
    int pair[2];
    fixture_open(&fixture, 0, 1, 0);
    fixture_start(&fixture);
    static const char *const bad[] = { "", "two words" };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        ASSERT_ERR(ERR_USAGE, ipc_server_attach(fixture.server, pair[0], bad[i], NULL, NULL, &why), &why);
        ASSERT_ERR(ERR_USAGE, ipc_server_listen(fixture.server, pair[1], bad[i], -1, &why), &why);
    }
    const struct ipc_server_config config = { .max_frame = FRAME_OVERHEAD_BYTES };
    struct ipc_server *none = NULL;
    ASSERT_ERR(ERR_USAGE, ipc_server_new(&config, &none, &why), &why);
    assert_null(none);
    fixture_close(&fixture);
}

RUN(T(hello_is_answered_with_the_picked_version), T(a_principal_other_than_the_sockets_is_refused),
    T(a_version_that_nobody_speaks_is_refused), T(a_connection_without_hello_is_closed),
    T(a_second_hello_is_just_an_unknown_verb), T(verbs_are_only_for_the_principals_in_the_table),
    T(another_uid_is_refused), T(frames_are_taken_up_to_the_limit_and_not_past_it),
    T(a_length_is_judged_before_any_of_the_frame_is_there), T(an_answer_past_the_limit_becomes_an_error),
    T(frames_may_come_in_pieces_and_many_at_once), T(reading_stops_at_the_frames_in_flight_and_goes_on_after),
    T(a_full_pool_says_busy), T(a_client_may_leave_while_a_worker_runs),
    T(a_thousand_forged_frames_harm_nobody),
    T(an_attached_socket_has_its_principal_and_tells_when_it_is_lost),
    T(draining_answers_what_is_in_flight_and_takes_no_more), T(draining_ends_in_time_whatever_the_workers_do),
    T(principals_that_are_no_names_are_our_bug))
