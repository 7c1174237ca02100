/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that nobody waits for: each is answered once, with its own answer. */
#include "tests/unit/ipc/asked.h"

static struct bytes number_of(struct buf *room, int64_t number)
{
    buf_clear(room);
    der_put_int64(room, number);
    return buf_bytes(room);
}

TEST(answers_reach_their_callers_in_whatever_order_they_come)
{
    enum { CALLS = 60 };
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    struct asked *asked[CALLS];
    int64_t ids[CALLS];
    AUTO_BUF room = { 0 };
    for (int i = 0; i < CALLS; i++)
        asked[i] = ask(channel, number_of(&room, i), LONG_MS);
    peer_hello(&peer);
    for (int i = 0; i < CALLS; i++) {
        ids[i] = peer_take_call(&peer);
        ASSERT_BYTES(peer.frame.body, number_of(&room, i)); /* as they were asked */
    }
    for (int i = 0; i < CALLS; i++) {
        int at = i * 7 % CALLS ^ 1; /* all of them, in some order */
        assert_false(is_answered(asked[at]));
        peer_say(&peer, ids[at], "ok", number_of(&room, 1000 + at));
        assert_answer(asked[at], number_of(&room, 1000 + at));
    }
    channel_free(channel);
    for (int i = 0; i < CALLS; i++)
        asked_free(asked[i]);
    peer_end(&peer);
}

TEST(an_error_of_the_peer_comes_with_its_text_and_without_a_body)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    AUTO_BUF error = { 0 };
    struct asked *asked = ask(channel, BYTES_NONE, LONG_MS);
    peer_hello(&peer);
    frame_error_put(&error, ERR_CHALLENGE_USED, "used before");
    peer_say(&peer, peer_take_call(&peer), "error", buf_bytes(&error));
    assert_asked(asked, ERR_CHALLENGE_USED, NULL);
    assert_string_equal(asked->why.text, "echo: used before");
    channel_free(channel);
    asked_free(asked);
    peer_end(&peer);
}

TEST(an_answer_to_nobody_is_dropped_and_a_second_one_too)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    peer_warm_up(&peer, channel);
    struct asked *first = ask(channel, BYTES_NONE, LONG_MS), *second = ask(channel, BYTES_NONE, LONG_MS);
    int64_t ids[] = { peer_take_call(&peer), peer_take_call(&peer) };
    AUTO_BUF error = { 0 };
    frame_error_put(&error, ERR_BUSY, "to nobody");
    peer_say(&peer, ids[1] + 1000, "ok", BYTES_LIT("\x02\x01\x63"));
    peer_say(&peer, 0, "error", buf_bytes(&error));
    peer_say(&peer, ids[0], "ok", BYTES_LIT("\x02\x01\x07"));
    peer_say(&peer, ids[0], "ok", BYTES_LIT("\x02\x01\x63"));
    peer_say(&peer, ids[0], "error", buf_bytes(&error));
    peer_say(&peer, ids[1], "ok", BYTES_LIT("\x02\x01\x08"));
    assert_answer(first, BYTES_LIT("\x02\x01\x07"));
    assert_answer(second, BYTES_LIT("\x02\x01\x08"));
    channel_free(channel);
    asked_free(first);
    asked_free(second);
    peer_end(&peer);
}

TEST(the_body_is_the_callers_again_at_once)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    uint8_t body[] = { 2, 1, 0 };
    struct asked *asked[3];
    for (uint8_t i = 0; i < 2; i++) { /* these wait for the hello */
        body[2] = i;
        asked[i] = ask(channel, BYTES_ARR(body), LONG_MS);
    }
    memset(body, 0xFF, sizeof(body));
    peer_hello(&peer);
    peer_say(&peer, peer_take_call(&peer), "ok", peer.frame.body);
    assert_answer(asked[0], BYTES_LIT("\x02\x01\x00"));
    uint8_t *last = memcpy(xmalloc(3), "\x02\x01\x02", 3);
    asked[2] = ask(channel, bytes_of(last, 3), LONG_MS);
    free(last);
    for (uint8_t i = 1; i < 3; i++) {
        peer_say(&peer, peer_take_call(&peer), "ok", peer.frame.body);
        assert_answer(asked[i], bytes_of((uint8_t[]){ 2, 1, i }, 3));
    }
    channel_free(channel);
    for (int i = 0; i < 3; i++)
        asked_free(asked[i]);
    peer_end(&peer);
}

TEST(answers_may_come_in_pieces_and_many_at_once)
{
    enum { CALLS = 40 };
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 0);
    struct asked *asked[CALLS];
    AUTO_BUF room = { 0 };
    AUTO_BUF out = { 0 };
    for (int i = 0; i < CALLS; i++)
        asked[i] = ask(channel, number_of(&room, i), LONG_MS);
    peer_hello(&peer);
    for (int i = 0; i < CALLS; i++) {
        int64_t id = peer_take_call(&peer);
        raw_frame(&out, id, "ok", peer.frame.body);
    }
    size_t at = 0;
    for (size_t piece = 1; at < out.len; piece = piece < 64 ? piece + 1 : 100000) {
        size_t len = piece < out.len - at ? piece : out.len - at;
        raw_send(peer.fd, bytes_of(out.data + at, len));
        at += len;
    }
    for (int i = 0; i < CALLS; i++)
        assert_answer(asked[i], number_of(&room, i));
    channel_free(channel);
    for (int i = 0; i < CALLS; i++)
        asked_free(asked[i]);
    peer_end(&peer);
}

struct chain {
    struct channel *channel;
    struct count steps, wrong;
    pthread_t thread;
};

static void on_link(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct chain *chain = arg;
    AUTO_BUF room = { 0 };
    (void)why;
    if (err != OK || !bytes_equal(body, number_of(&room, count_now(&chain->steps))))
        count_add(&chain->wrong, 1);
    chain->thread = pthread_self();
    int step = count_add(&chain->steps, 1);
    if (step == 1000)
        return;
    channel_submit(chain->channel,
                   &(struct channel_request){ "echo", number_of(&room, step), LONG_MS, on_link, chain });
}

TEST(whoever_is_told_may_ask_again_at_once)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    struct chain chain = { channel_to(&fixture, "scep"), COUNT_ZERO, COUNT_ZERO, pthread_self() };
    AUTO_BUF room = { 0 };
    channel_submit(chain.channel,
                   &(struct channel_request){ "echo", number_of(&room, 0), LONG_MS, on_link, &chain });
    assert_true(count_reaches(&chain.steps, 1000));
    channel_free(chain.channel);
    assert_int_equal(count_now(&chain.steps), 1000);
    assert_int_equal(count_now(&chain.wrong), 0);
    assert_false(pthread_equal(chain.thread, pthread_self()));
    fixture_close(&fixture);
}

TEST(all_are_told_on_one_thread_that_is_not_ours)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    struct channel *channel = channel_to(&fixture, "scep");
    struct asked *asked[100];
    for (int i = 0; i < 100; i++)
        asked[i] = ask(channel, BYTES_NONE, LONG_MS);
    for (int i = 0; i < 100; i++) {
        assert_asked(asked[i], OK, NULL);
        assert_true(pthread_equal(asked[i]->thread, asked[0]->thread));
        assert_false(pthread_equal(asked[i]->thread, pthread_self()));
    }
    channel_free(channel);
    for (int i = 0; i < 100; i++)
        asked_free(asked[i]);
    fixture_close(&fixture);
}

/* --- a crowd, with more on its way than the server takes of one connection --- */

struct crowd_call {
    struct crowd *crowd;
    int64_t number;
    atomic_int told;
};

struct crowd {
    struct channel *channel;
    struct count told, right;
    struct crowd_call calls[4][3000];
    atomic_int next;
};

static void on_crowd(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct crowd_call *call = arg;
    AUTO_BUF room = { 0 };
    (void)why;
    call->told++;
    if (err == OK && bytes_equal(body, number_of(&room, call->number)))
        count_add(&call->crowd->right, 1);
    count_add(&call->crowd->told, 1);
}

static void *crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    int member = crowd->next++;
    AUTO_BUF room = { 0 };
    for (int i = 0; i < 3000; i++) {
        struct crowd_call *call = &crowd->calls[member][i];
        call->crowd = crowd;
        call->number = member * 3000 + i;
        channel_submit(crowd->channel, &(struct channel_request){ "echo", number_of(&room, call->number),
                                                                  LONG_MS, on_crowd, call });
    }
    return NULL;
}

TEST(four_threads_that_never_wait_get_every_answer_once)
{
    struct fixture fixture = { 0 };
    fixture_serve(&fixture);
    struct crowd *crowd = xcalloc(1, sizeof(*crowd));
    crowd->channel = channel_to(&fixture, "scep");
    crowd->told = crowd->right = (struct count)COUNT_ZERO;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, crowd), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(count_reaches(&crowd->told, 4 * 3000));
    channel_free(crowd->channel);
    assert_int_equal(count_now(&crowd->right), 4 * 3000);
    for (int i = 0; i < 4 * 3000; i++)
        assert_int_equal(crowd->calls[i / 3000][i % 3000].told, 1);
    assert_int_equal(fixture.calls, 4 * 3000);
    free(crowd);
    fixture_close(&fixture);
}

RUN(T(answers_reach_their_callers_in_whatever_order_they_come),
    T(an_error_of_the_peer_comes_with_its_text_and_without_a_body),
    T(an_answer_to_nobody_is_dropped_and_a_second_one_too), T(the_body_is_the_callers_again_at_once),
    T(answers_may_come_in_pieces_and_many_at_once), T(whoever_is_told_may_ask_again_at_once),
    T(all_are_told_on_one_thread_that_is_not_ours), T(four_threads_that_never_wait_get_every_answer_once))
