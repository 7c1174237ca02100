/* SPDX-License-Identifier: Apache-2.0 */
/* Large bodies through small sockets: frames that leave and come in many pieces. */
#include "tests/unit/ipc/asked.h"

#include <errno.h>

static void shrink(int fd)
{
    const int small = 1; /* the kernel makes the least of it that it allows */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
}

/* One OCTET STRING of about that size, of which no piece is like another. */
static struct buf large_of(unsigned seed, size_t len)
{
    AUTO_BUF content = { 0 };
    struct buf body = { 0 };
    buf_reserve(&content, len);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        content.data[i] = (uint8_t)(seed >> 16);
    }
    content.len = len;
    der_put_octets(&body, buf_bytes(&content));
    return body;
}

static struct channel *small_pair(struct peer *peer)
{
    int pair[2];
    *peer = (struct peer){ .listening = -1 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    shrink(pair[0]);
    shrink(pair[1]);
    be_patient(pair[0]);
    peer->fd = pair[0];
    return channel_of(&(struct channel_config){ .fd = pair[1], .principal = "scep" });
}

TEST(large_calls_and_small_ones_between_leave_whole_and_in_order)
{
    enum { CALLS = 24 };
    struct peer peer;
    struct channel *channel = small_pair(&peer);
    struct asked *asked[CALLS];
    peer_warm_up(&peer, channel);
    for (unsigned i = 0; i < CALLS; i++) { /* returns at once, although next to nothing fits */
        AUTO_BUF body = large_of(i, i % 3 ? i : 300000 + i);
        asked[i] = ask(channel, buf_bytes(&body), LONG_MS);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        AUTO_BUF body = large_of(i, i % 3 ? i : 300000 + i);
        int64_t id = peer_take_call(&peer);
        ASSERT_BYTES(peer.frame.body, buf_bytes(&body));
        peer_say(&peer, id, "ok", BYTES_NONE);
        assert_asked(asked[i], OK, NULL);
    }
    channel_free(channel);
    for (int i = 0; i < CALLS; i++)
        asked_free(asked[i]);
    peer_end(&peer);
}

TEST(answers_come_while_a_call_cannot_leave)
{
    struct peer peer;
    struct channel *channel = small_pair(&peer);
    peer_warm_up(&peer, channel);
    AUTO_BUF body = large_of(1, 500000);
    AUTO_BUF answer = large_of(2, 500000);
    struct asked *first = ask(channel, BYTES_NONE, LONG_MS);
    int64_t id = peer_take_call(&peer);
    struct asked *large = ask(channel, buf_bytes(&body), LONG_MS);
    peer_say(&peer, id, "ok", buf_bytes(&answer)); /* nothing of the large one has been read yet */
    assert_answer(first, buf_bytes(&answer));
    assert_false(is_answered(large));
    id = peer_take_call(&peer);
    ASSERT_BYTES(peer.frame.body, buf_bytes(&body));
    peer_say(&peer, id, "ok", buf_bytes(&answer));
    assert_answer(large, buf_bytes(&answer));
    channel_free(channel);
    asked_free(first);
    asked_free(large);
    peer_end(&peer);
}

struct large_crowd {
    struct channel *channel;
    struct asked *asked[3][20];
    atomic_int next;
};

static struct buf body_of(unsigned member, unsigned number)
{
    return large_of(member * 100 + number, number % 4 ? number * 10 : 150000);
}

static void *large_member(void *arg)
{
    struct large_crowd *crowd = arg;
    unsigned member = (unsigned)crowd->next++;
    for (unsigned i = 0; i < 20; i++) {
        AUTO_BUF body = body_of(member, i);
        crowd->asked[member][i] = ask(crowd->channel, buf_bytes(&body), LONG_MS);
    }
    return NULL;
}

/* More than the server lets wait for a peer that does not read: neither side may wait for the other. */
TEST(large_bodies_both_ways_from_several_threads_come_back_whole)
{
    struct fixture fixture = { 0 };
    struct large_crowd crowd = { 0 };
    struct why why;
    pthread_t threads[3];
    int pair[2];
    fixture_open(&fixture, 0, 4, 512);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    shrink(pair[0]);
    shrink(pair[1]);
    ASSERT_OK(ipc_server_attach(fixture.server, pair[0], "scep", NULL, NULL, &why), &why);
    fixture_start(&fixture);
    crowd.channel = channel_of(&(struct channel_config){ .fd = pair[1], .principal = "scep" });
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, large_member, &crowd), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < 3 * 20; i++) {
        AUTO_BUF body = body_of(i / 20, i % 20);
        assert_answer(crowd.asked[i / 20][i % 20], buf_bytes(&body));
    }
    channel_free(crowd.channel);
    for (unsigned i = 0; i < 3 * 20; i++)
        asked_free(crowd.asked[i / 20][i % 20]);
    fixture_close(&fixture);
}

static void answer_of(size_t content, enum err err)
{
    struct peer peer;
    struct channel *channel = peer_pair(&peer, 4096);
    AUTO_BUF body = large_of(3, content);
    peer_warm_up(&peer, channel);
    struct asked *asked = ask(channel, BYTES_NONE, LONG_MS);
    peer_say(&peer, peer_take_call(&peer), "ok", buf_bytes(&body));
    assert_asked(asked, err, err == OK ? NULL : "answer of 4093 bytes, limit 4092");
    if (err == OK)
        ASSERT_BYTES(buf_bytes(&asked->body), buf_bytes(&body));
    channel_free(channel);
    asked_free(asked);
    peer_end(&peer);
}

TEST(an_answer_may_have_the_size_allowed_and_no_octet_more)
{
    /* prefix 4, SEQUENCE 4, version 3, id 3, verb 4, OCTET STRING 4 */
    answer_of(4096 - 22, OK);
    answer_of(4096 - 21, ERR_UNAVAILABLE);
}

RUN(T(large_calls_and_small_ones_between_leave_whole_and_in_order), T(answers_come_while_a_call_cannot_leave),
    T(large_bodies_both_ways_from_several_threads_come_back_whole),
    T(an_answer_may_have_the_size_allowed_and_no_octet_more))
