/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that end, or never begin: each call is told once, and those that the peer never had are asked again. */
#include "tests/unit/ipc/asked.h"

TEST(a_peer_that_closes_anywhere_in_its_answer_has_not_answered)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    AUTO_BUF answer = { 0 };
    size_t len = 1;
    for (size_t cut = 0; cut < len; cut++) { /* the same channel connects again each time */
        struct asked *first = ask(channel, BYTES_LIT("\x02\x01\x05"), LONG_MS);
        struct asked *second = ask(channel, BYTES_LIT("\x02\x01\x06"), LONG_MS);
        peer_accept(&peer);
        peer_hello(&peer);
        int64_t id = peer_take_call(&peer);
        (void)peer_take_call(&peer);
        buf_clear(&answer);
        raw_frame(&answer, id, "ok", BYTES_LIT("\x02\x01\x05"));
        len = answer.len;
        raw_send(peer.fd, bytes_of(answer.data, cut));
        peer_hang_up(&peer);
        assert_asked(first, ERR_UNAVAILABLE, "connection lost: closed by the peer");
        assert_asked(second, ERR_UNAVAILABLE, "connection lost: closed by the peer");
        asked_free(first);
        asked_free(second);
    }
    channel_free(channel);
    peer_end(&peer);
}

TEST(whole_answers_before_the_end_of_a_connection_count)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    struct asked *first = ask(channel, BYTES_NONE, LONG_MS), *second = ask(channel, BYTES_NONE, LONG_MS);
    AUTO_BUF out = { 0 };
    peer_accept(&peer);
    peer_hello(&peer);
    raw_frame(&out, peer_take_call(&peer), "ok", BYTES_LIT("\x02\x01\x05"));
    raw_frame(&out, peer_take_call(&peer), "ok", BYTES_LIT("\x02\x01\x06"));
    raw_send(peer.fd, bytes_of(out.data, out.len - 1));
    peer_hang_up(&peer);
    assert_answer(first, BYTES_LIT("\x02\x01\x05"));
    assert_asked(second, ERR_UNAVAILABLE, "connection lost");
    channel_free(channel);
    asked_free(first);
    asked_free(second);
    peer_end(&peer);
}

TEST(a_peer_that_was_never_there_costs_each_call_and_no_later_one)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    struct why why;
    close(peer.listening);
    unlink(peer.path);
    for (int i = 0; i < 5; i++) {
        struct asked *asked = ask(channel, BYTES_NONE, LONG_MS);
        assert_asked(asked, ERR_UNAVAILABLE, peer.path);
        asked_free(asked);
    }
    ASSERT_OK(listen_unix(peer.path, &peer.listening, &why), &why);
    peer_warm_up(&peer, channel);
    channel_free(channel);
    peer_end(&peer);
}

TEST(a_lost_inherited_socket_is_told_before_the_call_returns)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    struct asked *asked = ask(channel, BYTES_NONE, LONG_MS);
    peer_hang_up(&peer);
    assert_asked(asked, ERR_UNAVAILABLE, "connection lost");
    for (int i = 0; i < 3; i++) {
        struct asked *late = ask(channel, BYTES_NONE, LONG_MS);
        assert_true(is_answered(late));
        assert_asked(late, ERR_UNAVAILABLE, "connection lost");
        asked_free(late);
    }
    channel_free(channel);
    asked_free(asked);
    peer_end(&peer);
}

TEST(a_restart_in_the_middle_of_a_call_asks_it_again_and_leaves_what_had_left)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    AUTO_BUF large = { 0 };
    static const uint8_t filling[900000] = { 7 };
    der_put_octets(&large, BYTES_ARR(filling));
    peer_warm_up(&peer, channel);
    struct asked *left = ask(channel, BYTES_NONE, LONG_MS);
    int64_t id = peer_take_call(&peer);
    struct asked *half = ask(channel, buf_bytes(&large), LONG_MS);
    struct asked *behind = ask(channel, BYTES_LIT("\x02\x01\x05"), LONG_MS);
    peer_hang_up(&peer);
    assert_asked(left, ERR_UNAVAILABLE, NULL);
    peer_accept(&peer);
    peer_hello(&peer);
    peer_say(&peer, id, "ok", BYTES_LIT("\x02\x01\x63")); /* ids are of the channel, and that one is over */
    int64_t large_id = peer_take_call(&peer);
    ASSERT_BYTES(peer.frame.body, buf_bytes(&large));
    int64_t small_id = peer_take_call(&peer);
    ASSERT_BYTES(peer.frame.body, BYTES_LIT("\x02\x01\x05"));
    peer_say(&peer, small_id, "ok", BYTES_LIT("\x02\x01\x06"));
    peer_say(&peer, large_id, "ok", BYTES_LIT("\x02\x01\x07"));
    assert_answer(half, BYTES_LIT("\x02\x01\x07"));
    assert_answer(behind, BYTES_LIT("\x02\x01\x06"));
    struct asked *last = ask(channel, BYTES_NONE, LONG_MS);
    (void)peer_take_call(&peer);
    peer_hang_up(&peer); /* and what leaves by the second connection is known to have left, too */
    assert_asked(last, ERR_UNAVAILABLE, "connection lost");
    channel_free(channel);
    asked_free(last);
    asked_free(left);
    asked_free(half);
    asked_free(behind);
    peer_end(&peer);
}

TEST(a_call_meets_two_broken_connections_and_no_third)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    AUTO_BUF large = { 0 };
    static const uint8_t filling[900000];
    der_put_octets(&large, BYTES_ARR(filling));
    peer_warm_up(&peer, channel);
    struct asked *half = ask(channel, buf_bytes(&large), LONG_MS);
    peer_hang_up(&peer);
    peer_accept(&peer);
    peer_hello(&peer);
    uint8_t some[8]; /* of it has come for the second time */
    assert_int_equal(recv(peer.fd, some, sizeof(some), MSG_WAITALL), sizeof(some));
    peer_hang_up(&peer);
    assert_asked(half, ERR_UNAVAILABLE, NULL);
    asked_free(half);
    peer_warm_up(&peer, channel);
    channel_free(channel);
    peer_end(&peer);
}

TEST(a_peer_that_leaves_before_hello_costs_what_waited_for_it)
{
    struct peer peer;
    struct channel *channel = peer_listen(&peer);
    struct asked *asked[] = { ask(channel, BYTES_NONE, LONG_MS), ask(channel, BYTES_NONE, LONG_MS) };
    peer_accept(&peer);
    peer_take(&peer);
    peer_hang_up(&peer);
    for (int i = 0; i < 2; i++) {
        assert_asked(asked[i], ERR_UNAVAILABLE, "connection lost");
        asked_free(asked[i]);
    }
    peer_warm_up(&peer, channel);
    channel_free(channel);
    peer_end(&peer);
}

static void break_rules(struct bytes answer, const char *text)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 4096);
    struct asked *asked[3];
    peer_warm_up(&peer, channel);
    for (int i = 0; i < 3; i++)
        asked[i] = ask(channel, BYTES_NONE, LONG_MS);
    for (int i = 0; i < 3; i++)
        (void)peer_take_call(&peer);
    raw_send(peer.fd, answer);
    for (int i = 0; i < 3; i++)
        assert_asked(asked[i], ERR_UNAVAILABLE, text);
    channel_free(channel);
    for (int i = 0; i < 3; i++)
        asked_free(asked[i]);
    peer_end(&peer);
}

TEST(a_peer_that_breaks_the_rules_costs_all_that_is_on_its_way)
{
    AUTO_BUF verb = { 0 };
    AUTO_BUF version = { 0 };
    AUTO_BUF error = { 0 };
    raw_frame(&verb, 3, "maybe", BYTES_NONE);
    break_rules(buf_bytes(&verb), "answer \"maybe\"");
    frame_put(&version, &(struct frame){ FRAME_VERSION + 1, 3, BYTES_LIT("ok"), BYTES_NONE });
    break_rules(buf_bytes(&version), "of version 2, agreed is 1");
    raw_frame(&error, 3, "error", BYTES_LIT("\x02\x01\x05"));
    break_rules(buf_bytes(&error), "malformed error");
    break_rules(BYTES_LIT("\x00\x00\x00\x00"), "answer of 0 bytes");
    break_rules(BYTES_LIT("\x00\x00\x0F\xFD"), "answer of 4093 bytes, limit 4092");
    break_rules(BYTES_LIT("\x00\x00\x00\x02\x30\x80"), NULL);
}

RUN(T(a_peer_that_closes_anywhere_in_its_answer_has_not_answered),
    T(whole_answers_before_the_end_of_a_connection_count),
    T(a_peer_that_was_never_there_costs_each_call_and_no_later_one),
    T(a_lost_inherited_socket_is_told_before_the_call_returns),
    T(a_restart_in_the_middle_of_a_call_asks_it_again_and_leaves_what_had_left),
    T(a_call_meets_two_broken_connections_and_no_third),
    T(a_peer_that_leaves_before_hello_costs_what_waited_for_it),
    T(a_peer_that_breaks_the_rules_costs_all_that_is_on_its_way))
