/* SPDX-License-Identifier: Apache-2.0 */
/* Each call has a time of its own, whatever the connection is doing and whatever other calls wait for. */
#include "tests/unit/ipc/asked.h"

#include "net/broker.h"

TEST(a_call_on_an_idle_connection_ends_in_its_time)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    (void)poll(NULL, 0, 20); /* nothing is on its way: the channel's thread sleeps */
    struct asked *asked = ask(channel, BYTES_NONE, 30);
    assert_asked(asked, ERR_TIMEOUT, "no answer in time");
    channel_free(channel);
    asked_free(asked);
    peer_end(&peer);
}

TEST(a_shorter_time_ends_first_and_the_longer_one_is_left_alone)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    struct asked *longer = ask(channel, BYTES_NONE, LONG_MS);
    int64_t id = peer_take_call(&peer);
    (void)poll(NULL, 0, 20); /* the channel's thread sleeps, for as long as that one has */
    struct asked *shorter[3];
    for (int i = 0; i < 3; i++)
        shorter[i] = ask(channel, BYTES_NONE, 60 - 20 * i);
    for (int i = 0; i < 3; i++)
        assert_asked(shorter[i], ERR_TIMEOUT, "no answer in time");
    assert_false(is_answered(longer));
    for (int i = 0; i < 3; i++) /* too late: nobody is told again, and nobody else */
        peer_say(&peer, peer_take_call(&peer), "ok", BYTES_LIT("\x02\x01\x63"));
    peer_say(&peer, id, "ok", BYTES_LIT("\x02\x01\x09"));
    assert_answer(longer, BYTES_LIT("\x02\x01\x09"));
    channel_free(channel);
    asked_free(longer);
    for (int i = 0; i < 3; i++)
        asked_free(shorter[i]);
    peer_end(&peer);
}

TEST(calls_one_after_the_other_end_in_time_each)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    for (int i = 0; i < 10; i++) {
        struct asked *asked = ask(channel, BYTES_NONE, 10 + 7 * (i % 3));
        assert_asked(asked, ERR_TIMEOUT, "no answer in time");
        asked_free(asked);
    }
    channel_free(channel);
    peer_end(&peer);
}

/* It leaves while its time is over already: the peer is not to blame, and other calls stay. */
TEST(no_time_at_all_is_over_at_once_and_harms_no_other_call)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    struct asked *longer = ask(channel, BYTES_NONE, LONG_MS);
    int64_t id = peer_take_call(&peer);
    for (int i = 0; i < 1000; i++) {
        struct asked *asked = ask(channel, BYTES_NONE, i % 2 ? 0 : -5);
        assert_asked(asked, ERR_TIMEOUT, "no answer in time");
        asked_free(asked);
        (void)peer_take_call(&peer);
    }
    peer_say(&peer, id, "ok", BYTES_LIT("\x02\x01\x09"));
    assert_answer(longer, BYTES_LIT("\x02\x01\x09"));
    channel_free(channel);
    asked_free(longer);
    peer_end(&peer);
}

TEST(waiting_for_hello_costs_each_its_own_time)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    struct asked *longer = ask(channel, BYTES_NONE, LONG_MS), *shorter = ask(channel, BYTES_NONE, 30);
    assert_asked(shorter, ERR_TIMEOUT, "peer does not answer hello");
    assert_false(is_answered(longer));
    peer_hello(&peer);
    peer_say(&peer, peer_take_call(&peer), "ok",
             BYTES_LIT("\x02\x01\x09")); /* the other one was not even sent */
    assert_answer(longer, BYTES_LIT("\x02\x01\x09"));
    channel_free(channel);
    asked_free(longer);
    asked_free(shorter);
    peer_end(&peer);
}

TEST(a_peer_that_stops_reading_in_the_middle_of_a_call_loses_the_connection)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    AUTO_BUF large = { 0 };
    static const uint8_t filling[900000];
    der_put_octets(&large, BYTES_ARR(filling));
    struct asked *left = ask(channel, BYTES_NONE, LONG_MS), *half = ask(channel, buf_bytes(&large), 30);
    struct asked *behind = ask(channel, BYTES_NONE, LONG_MS);
    assert_asked(half, ERR_TIMEOUT, "peer does not read");
    assert_asked(left, ERR_UNAVAILABLE, "peer does not read");
    assert_asked(behind, ERR_UNAVAILABLE, NULL);
    channel_free(channel);
    asked_free(left);
    asked_free(half);
    asked_free(behind);
    peer_end(&peer);
}

/* --- a server whose backlog is full: nobody is connected before the test accepts --- */

struct crush {
    int fds[8];
    size_t count;
};

static struct channel *crush_begin(struct peer *peer, struct crush *crush)
{
    struct channel *channel = peer_listen(peer);
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    assert_int_equal(listen(peer->listening, 0), 0);
    assert_int_equal(getsockname(peer->listening, (struct sockaddr *)&address, &len), 0);
    for (crush->count = 0; crush->count < 8; crush->count++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(fd, (struct sockaddr *)&address, len) != 0) {
            close(fd);
            return channel;
        }
        crush->fds[crush->count] = fd;
    }
    fail_msg("the backlog is not full after %zu connections", crush->count);
    return NULL;
}

static void crush_end(struct peer *peer, struct crush *crush)
{
    for (size_t i = 0; i < crush->count; i++) {
        close(crush->fds[i]);
        close(accept4(peer->listening, NULL, NULL, 0));
    }
}

TEST(waiting_for_a_full_backlog_costs_each_its_own_time)
{
    struct peer peer;
    struct crush crush;
    struct channel *channel = crush_begin(&peer, &crush);
    struct asked *longer = ask(channel, BYTES_NONE, LONG_MS);
    (void)poll(NULL, 0, 20); /* it has begun to connect, for as long as that one has */
    struct asked *shorter = ask(channel, BYTES_NONE, 30);
    assert_asked(shorter, ERR_UNAVAILABLE, peer.path);
    assert_false(is_answered(longer));
    crush_end(&peer, &crush);
    peer_accept(&peer);
    peer_hello(&peer);
    peer_say(&peer, peer_take_call(&peer), "ok", BYTES_LIT("\x02\x01\x09"));
    assert_answer(longer, BYTES_LIT("\x02\x01\x09"));
    channel_free(channel);
    asked_free(longer);
    asked_free(shorter);
    peer_end(&peer);
}

TEST(the_end_does_not_wait_for_a_full_backlog)
{
    struct peer peer;
    struct crush crush;
    struct channel *channel = crush_begin(&peer, &crush);
    struct asked *asked = ask(channel, BYTES_NONE, LONG_MS);
    (void)poll(NULL, 0, 20);
    channel_free(channel);
    assert_asked(asked, ERR_UNAVAILABLE, NULL);
    asked_free(asked);
    crush_end(&peer, &crush);
    peer_end(&peer);
}

/* --- a supervisor that connects for us, and takes its time --- */

static struct broker_question question_wait(int supervisor)
{
    struct pollfd wait = { .fd = supervisor, .events = POLLIN };
    struct broker_question question = { 0 };
    bool ended;
    assert_int_equal(poll(&wait, 1, 1000 * test_patience_s()), 1);
    assert_true(broker_read(supervisor, &question, &ended));
    assert_int_equal(question.want, BROKER_SERVER);
    return question;
}

TEST(waiting_for_the_supervisor_costs_each_its_own_time)
{
    struct peer peer = { .listening = -1 };
    int ends[2], pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    struct broker *broker = broker_new(ends[1]);
    struct channel *channel =
        channel_of(&(struct channel_config){ .path = "/not/used", .broker = broker, .principal = "scep" });
    struct asked *shorter = ask(channel, BYTES_NONE, 30), *longer = ask(channel, BYTES_NONE, LONG_MS);
    (void)question_wait(ends[0]);
    assert_asked(shorter, ERR_UNAVAILABLE, "the supervisor does not answer");
    assert_false(is_answered(longer));
    const struct broker_question again = question_wait(ends[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    broker_answer(ends[0], &again, pair[1], NULL);
    close(pair[1]);
    peer.fd = pair[0];
    be_patient(peer.fd);
    peer_hello(&peer);
    peer_say(&peer, peer_take_call(&peer), "ok", BYTES_LIT("\x02\x01\x09"));
    assert_answer(longer, BYTES_LIT("\x02\x01\x09"));
    channel_free(channel);
    broker_free(broker);
    close(ends[0]);
    asked_free(shorter);
    asked_free(longer);
    peer_end(&peer);
}

RUN(T(a_call_on_an_idle_connection_ends_in_its_time),
    T(a_shorter_time_ends_first_and_the_longer_one_is_left_alone),
    T(calls_one_after_the_other_end_in_time_each), T(no_time_at_all_is_over_at_once_and_harms_no_other_call),
    T(waiting_for_hello_costs_each_its_own_time),
    T(a_peer_that_stops_reading_in_the_middle_of_a_call_loses_the_connection),
    T(waiting_for_a_full_backlog_costs_each_its_own_time), T(the_end_does_not_wait_for_a_full_backlog),
    T(waiting_for_the_supervisor_costs_each_its_own_time))
