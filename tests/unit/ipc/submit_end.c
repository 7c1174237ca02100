/* SPDX-License-Identifier: Apache-2.0 */
/* A channel that is freed while calls are out: each is told once, in whatever state the connection is. */
#include "tests/unit/ipc/asked.h"

#define CALLS 20

static void ask_all(struct channel *channel, struct asked **asked)
{
    for (int i = 0; i < CALLS; i++)
        asked[i] = ask(channel, BYTES_LIT("\x02\x01\x05"), LONG_MS);
}

static void free_and_judge(struct channel *channel, struct asked **asked, const char *text)
{
    channel_free(channel);
    for (int i = 0; i < CALLS; i++) {
        assert_true(is_answered(asked[i])); /* when it returns, nobody is left in doubt */
        assert_asked(asked[i], ERR_UNAVAILABLE, text);
        asked_free(asked[i]);
    }
}

TEST(calls_on_their_way_end_with_the_channel)
{
    struct peer peer;
    struct asked *asked[CALLS];
    for (int listens = 0; listens < 2; listens++) {
        struct channel *channel = listens ? peer_listen(&peer) : peer_pair(&peer, 0);
        peer_warm_up(&peer, channel);
        ask_all(channel, asked);
        (void)peer_take_call(&peer);
        free_and_judge(channel, asked, "this side ends");
        peer_end(&peer);
    }
}

TEST(calls_that_wait_for_hello_end_with_the_channel)
{
    struct peer peer;
    struct asked *asked[CALLS];
    for (int listens = 0; listens < 2; listens++) {
        struct channel *channel = listens ? peer_listen(&peer) : peer_pair(&peer, 0);
        ask_all(channel, asked);
        if (listens)
            peer_accept(&peer);
        peer_take(&peer); /* hello has come */
        free_and_judge(channel, asked, "this side ends");
        peer_end(&peer);
    }
}

TEST(calls_that_cannot_be_sent_end_with_the_channel)
{
    struct peer peer;
    struct asked *asked[CALLS];
    AUTO_BUF large = { 0 };
    static const uint8_t filling[900000];
    der_put_octets(&large, BYTES_ARR(filling));
    struct channel *channel = peer_listen(&peer);
    peer_warm_up(&peer, channel);
    struct asked *half = ask(channel, buf_bytes(&large), LONG_MS);
    ask_all(channel, asked);
    free_and_judge(channel, asked, "this side ends");
    assert_asked(half, ERR_UNAVAILABLE, "this side ends");
    asked_free(half);
    peer_end(&peer);
}

TEST(calls_that_have_just_been_asked_end_with_the_channel)
{
    struct peer peer;
    struct asked *asked[CALLS];
    for (int i = 0; i < 100; i++) { /* wherever its thread is */
        struct channel *channel = i % 2 ? peer_listen(&peer) : peer_pair(&peer, 0);
        ask_all(channel, asked);
        free_and_judge(channel, asked, NULL);
        peer_end(&peer);
    }
}

TEST(whoever_asks_again_when_told_of_the_end_is_told_at_once)
{
    struct peer peer;
    struct asked *asked[CALLS], *again[CALLS];
    for (int listens = 0; listens < 2; listens++) {
        struct channel *channel = listens ? peer_listen(&peer) : peer_pair(&peer, 0);
        peer_warm_up(&peer, channel);
        for (int i = 0; i < CALLS; i++) {
            asked[i] = asked_new();
            asked[i]->again = again[i] = asked_new();
            ask_with(channel, asked[i], BYTES_NONE, LONG_MS);
        }
        channel_free(channel);
        for (int i = 0; i < CALLS; i++) {
            assert_asked(asked[i], ERR_UNAVAILABLE, "this side ends");
            assert_true(asked[i]->again_at_once); /* and not listed with a thread that ends */
            assert_asked(again[i], ERR_UNAVAILABLE, "this side ends");
            asked_free(asked[i]);
            asked_free(again[i]);
        }
        peer_end(&peer);
    }
}

/* --- servers come and go under a crowd that never waits --- */

struct crowd_call {
    struct crowd *crowd;
    int64_t number;
    int told; /* by one thread, or before the submitter goes on */
};

struct crowd {
    struct channel *channel;
    struct count told, ok, unavailable;
    struct crowd_call calls[3][4000];
    atomic_int next;
};

static void on_crowd(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct crowd_call *call = arg;
    struct crowd *crowd = call->crowd;
    AUTO_BUF expected = { 0 };
    (void)why;
    der_put_int64(&expected, call->number);
    call->told++;
    if (err == OK && bytes_equal(body, buf_bytes(&expected)))
        count_add(&crowd->ok, 1);
    if (err == ERR_UNAVAILABLE)
        count_add(&crowd->unavailable, 1);
    count_add(&crowd->told, 1);
}

static void *crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    int member = crowd->next++;
    for (int i = 0; i < 4000; i++) {
        struct crowd_call *call = &crowd->calls[member][i];
        AUTO_BUF body = { 0 };
        *call = (struct crowd_call){ crowd, member * 4000 + i, 0 };
        der_put_int64(&body, call->number);
        channel_submit(crowd->channel,
                       &(struct channel_request){ "echo", buf_bytes(&body), LONG_MS, on_crowd, call });
        if (i % 100 == 0)
            (void)poll(NULL, 0, 1); /* room for the servers' coming and going */
    }
    return NULL;
}

TEST(servers_that_come_and_go_leave_no_call_untold)
{
    struct peer peer;
    struct crowd *crowd = xcalloc(1, sizeof(*crowd));
    struct why why;
    pthread_t threads[3];
    crowd->channel =
        peer_listen(&peer); /* for its socket: it outlives each server, as under the supervisor */
    crowd->told = crowd->ok = crowd->unavailable = (struct count)COUNT_ZERO;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_member, crowd), 0);
    for (int told = 0, round = 0; round < 10 || told < 3 * 4000; round++) {
        struct fixture fixture = { 0 };
        fixture_open(&fixture, 0, 4, 512);
        ASSERT_OK(ipc_server_listen(fixture.server, dup(peer.listening), "scep", -1, &why), &why);
        fixture_start(&fixture);
        assert_true(count_reaches(&crowd->told, told + 50 < 3 * 4000 ? told + 50 : 3 * 4000));
        fixture_close(&fixture);
        told = count_now(&crowd->told);
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    channel_free(crowd->channel);
    assert_int_equal(count_now(&crowd->told), 3 * 4000);
    assert_int_equal(count_now(&crowd->ok) + count_now(&crowd->unavailable), 3 * 4000);
    assert_true(count_now(&crowd->ok) > 0);
    for (int i = 0; i < 3 * 4000; i++)
        assert_int_equal(crowd->calls[i / 4000][i % 4000].told, 1);
    free(crowd);
    peer_end(&peer);
}

RUN(T(calls_on_their_way_end_with_the_channel), T(calls_that_wait_for_hello_end_with_the_channel),
    T(calls_that_cannot_be_sent_end_with_the_channel),
    T(calls_that_have_just_been_asked_end_with_the_channel),
    T(whoever_asks_again_when_told_of_the_end_is_told_at_once),
    T(servers_that_come_and_go_leave_no_call_untold))
