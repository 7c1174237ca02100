/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that take their answers slowly or not at all, and too many of them. */
#include "tests/unit/ipc/office.h"

#include "ipc/server_internal.h"
#include <sys/resource.h>

#define ANSWER_BYTES 65536

/* As long an answer as that, whatever was asked. */
static enum err run_grow(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret_body,
                         struct why *why)
{
    (void)caller, (void)body, (void)why;
    struct office *office = role;
    static const uint8_t filling[ANSWER_BYTES];
    count_add(&office->begun, 1);
    der_put_octets(ret_body, BYTES_ARR(filling));
    return OK;
}

static void start_grow(void *role, struct ipc_call *call)
{
    AUTO_BUF body = { 0 };
    enum err err = run_grow(role, ipc_call_caller(call), BYTES_NONE, &body, NULL);
    ipc_call_answer(call, err, buf_bytes(&body), NULL);
}

static const struct ipc_verb grow_verbs[] = {
    { "grow", "scep", NULL, start_grow },
    { "grow-on-a-thread", "scep", run_grow, NULL },
    { "now", "scep", NULL, start_now },
};

static struct office *growing_office(void)
{
    const struct pool_config pool = { .threads = 4, .queue = 2 * LIMIT_FRAMES_IN_FLIGHT };
    struct office *office = xcalloc(1, sizeof(*office));
    office->begun = (struct count)COUNT_ZERO;
    fixture_open_with(&office->fixture, &pool, grow_verbs, sizeof(grow_verbs) / sizeof(*grow_verbs), 0);
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    return office;
}

static void take_grown(int fd, int64_t most)
{
    AUTO_BUF der = { 0 };
    struct frame frame;
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    assert_in_range(frame.id, 0, most);
    assert_true(frame.body.len > ANSWER_BYTES);
}

static void nobody_reads(const char *verb)
{
    /* A frame's worth of answers that wait, calls that were out by then, and what the socket takes. */
    enum { MOST = LIMIT_FRAME_BYTES / ANSWER_BYTES + LIMIT_FRAMES_IN_FLIGHT + 32, CALLS = 2 * MOST };
    struct office *office = growing_office();
    int fd = raw_open(&office->fixture, "scep"), other = raw_open(&office->fixture, "scep");
    AUTO_BUF out = { 0 };
    for (int i = 0; i < CALLS; i++)
        raw_frame(&out, i, verb, BYTES_NONE);
    raw_send(fd, buf_bytes(&out));
    assert_true(count_reaches(&office->begun, 16));
    for (int i = 0; i < 200; i++) {
        client_ask_number(other, i, "now", i);
        assert_number(other, i, i);
    }
    assert_true(count_now(&office->begun) - 200 <= MOST);
    for (int i = 0; i < CALLS; i++)
        take_grown(fd, CALLS - 1);
    assert_int_equal(count_now(&office->begun) - 200, CALLS);
    close(fd);
    close(other);
    office_close(office);
}

TEST(a_peer_that_does_not_take_its_answers_gets_no_more_work_done)
{
    nobody_reads("grow");
    nobody_reads("grow-on-a-thread");
}

TEST(a_peer_that_leaves_its_answers_behind_is_forgotten)
{
    struct office *office = growing_office();
    for (int round = 0; round < 5; round++) {
        int fd = raw_open(&office->fixture, "scep");
        AUTO_BUF out = { 0 };
        for (int i = 0; i < 100; i++)
            raw_frame(&out, i, "grow", BYTES_NONE);
        raw_send(fd, buf_bytes(&out));
        assert_true(count_reaches(&office->begun, 20 * (round + 1)));
        if (round % 2)
            take_grown(fd, 99);
        close(fd);
    }
    int other = raw_open(&office->fixture, "scep");
    client_ask_number(other, 1, "now", 5);
    assert_number(other, 1, 5);
    close(other);
    office_close(office);
}

/* --- memory --- */

struct look {
    struct office *office;
    size_t kept; /* by the answers of the one connection, sent or not */
    struct count done;
};

static void on_look(void *arg)
{
    struct look *look = arg;
    look->kept = look->office->fixture.server->conns->out.len;
    count_add(&look->done, 1);
}

/* The client always has something to take and never all of it: what has left must not be kept until it has. */
TEST(answers_that_have_left_are_not_kept)
{
    struct office *office = growing_office();
    struct look look = { office, 0, COUNT_ZERO };
    int fd = raw_open(&office->fixture, "scep");
    int asked = 0;
    for (; asked < 12; asked++)
        client_ask(fd, asked, "grow", BYTES_NONE);
    for (int taken = 0; taken < 300; taken++, asked++) {
        client_ask(fd, asked, "grow", BYTES_NONE);
        assert_true(count_reaches(&office->begun, asked + 1));
        loop_post(office->fixture.loop, on_look, &look); /* the answer has reached the connection */
        assert_true(count_reaches(&look.done, taken + 1));
        assert_true(look.kept <= 32 * ANSWER_BYTES);
        take_grown(fd, asked);
    }
    close(fd);
    office_close(office);
}

/* --- connections --- */

TEST(connections_are_taken_up_to_the_limit_and_not_past_it)
{
    enum { CONNECTIONS = 256 };
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_cur < 2 * CONNECTIONS + 64) {
        files.rlim_cur = 2 * CONNECTIONS + 64;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    }
    struct office *office = growing_office();
    int fds[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        fds[i] = raw_open(&office->fixture, "scep");
    int more = raw_connect(&office->fixture);
    AUTO_BUF hello = { 0 };
    raw_hello(&hello, "scep");
    raw_send(more, buf_bytes(&hello));
    assert_true(is_closed(more));
    close(more);
    for (int i = 0; i < CONNECTIONS; i++) {
        client_ask_number(fds[i], 1, "now", i);
        assert_number(fds[i], 1, i);
    }
    close(fds[7]);
    client_ask_number(fds[8], 2, "now", 1); /* once more around the loop */
    assert_number(fds[8], 2, 1);
    fds[7] = raw_open(&office->fixture, "scep");
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
    office_close(office);
}

RUN(T(a_peer_that_does_not_take_its_answers_gets_no_more_work_done),
    T(a_peer_that_leaves_its_answers_behind_is_forgotten), T(answers_that_have_left_are_not_kept),
    T(connections_are_taken_up_to_the_limit_and_not_past_it))
