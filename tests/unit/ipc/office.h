/* SPDX-License-Identifier: Apache-2.0 */
/* A server whose verbs begin and are answered later, by the test or by whom it sends. */
#pragma once
#include "tests/unit/count.h"
#include "tests/unit/ipc/helper.h"

struct office {
    struct fixture fixture; /* first: it is the role that verbs are given */
    struct count begun, parked; /* parked: ever; the calls are taken from `calls` in their order */
    struct count held, door;
    struct ipc_call *calls[2048];
    int taken;
    pthread_t last_worker;
};

static inline void start_park(void *role, struct ipc_call *call)
{
    struct office *office = role;
    count_add(&office->begun, 1);
    pthread_mutex_lock(&office->parked.lock);
    if (office->parked.value < 2048)
        office->calls[office->parked.value++] = call;
    pthread_cond_broadcast(&office->parked.changed);
    pthread_mutex_unlock(&office->parked.lock);
}

static inline void start_now(void *role, struct ipc_call *call)
{
    struct office *office = role;
    count_add(&office->begun, 1);
    ipc_call_answer(call, OK, ipc_call_body(call), NULL);
}

/* Keeps its thread, which a verb of this kind should not, until the door opens. */
static inline void start_hold(void *role, struct ipc_call *call)
{
    struct office *office = role;
    count_add(&office->held, 1);
    count_await_open(&office->door);
    ipc_call_answer(call, OK, ipc_call_body(call), NULL);
}

static inline enum err run_echo(void *role, const struct ipc_caller *caller, struct bytes body,
                                struct buf *ret_body, struct why *why)
{
    (void)role, (void)caller, (void)why;
    buf_append(ret_body, body);
    return OK;
}

static inline enum err run_wait(void *role, const struct ipc_caller *caller, struct bytes body,
                                struct buf *ret_body, struct why *why)
{
    (void)caller, (void)why;
    struct office *office = role;
    count_add(&office->held, 1);
    count_await_open(&office->door);
    buf_append(ret_body, body);
    return OK;
}

static const struct ipc_verb office_verbs[] = {
    { "park", "scep cli", NULL, start_park }, { "now", "scep", NULL, start_now },
    { "hold", "scep", NULL, start_hold },     { "echo", "scep cli", run_echo, NULL },
    { "wait", "scep", run_wait, NULL },
};

static inline struct office *office_new(const struct pool_config *pool, size_t max_frame)
{
    struct office *office = xcalloc(1, sizeof(*office));
    office->begun = office->parked = office->held = office->door = (struct count)COUNT_ZERO;
    fixture_open_with(&office->fixture, pool, office_verbs, sizeof(office_verbs) / sizeof(*office_verbs), max_frame);
    return office;
}

static inline struct office *office_open(unsigned threads, size_t queue)
{
    const struct pool_config pool = { .threads = threads, .queue = queue };
    struct office *office = office_new(&pool, 0);
    fixture_listen(&office->fixture, "scep", -1);
    fixture_start(&office->fixture);
    return office;
}

static inline void office_close(struct office *office)
{
    fixture_close(&office->fixture);
    free(office);
}

/* The next one parked; NULL: it never came. */
static inline struct ipc_call *office_take(struct office *office)
{
    if (!count_reaches(&office->parked, office->taken + 1))
        return NULL;
    return office->calls[office->taken++];
}

static inline void office_answer(struct office *office, struct bytes body)
{
    struct ipc_call *call = office_take(office);
    assert_non_null(call);
    ipc_call_answer(call, OK, body, NULL);
}

/* --- its clients --- */

static inline void client_ask(int fd, int64_t id, const char *verb, struct bytes body)
{
    AUTO_BUF out = { 0 };
    raw_frame(&out, id, verb, body);
    raw_send(fd, buf_bytes(&out));
}

static inline void client_ask_number(int fd, int64_t id, const char *verb, int64_t number)
{
    AUTO_BUF body = { 0 };
    der_put_int64(&body, number);
    client_ask(fd, id, verb, buf_bytes(&body));
}

static inline int64_t number_in(struct bytes body)
{
    struct der_reader in = der_reader_over(body);
    int64_t number;
    return der_get_int64(&in, &number) ? number : INT64_MIN;
}

/* The next answer is to `id`, and is this number. */
static inline void assert_number(int fd, int64_t id, int64_t number)
{
    AUTO_BUF der = { 0 };
    struct frame frame;
    assert_true(raw_receive(fd, &der, &frame));
    ASSERT_BYTES(frame.verb, BYTES_LIT("ok"));
    assert_int_equal(frame.id, id);
    assert_int_equal(number_in(frame.body), number);
}
