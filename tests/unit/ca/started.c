/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/started.h"

/* --- enrolments --- */

struct later {
    void (*work)(void *arg);
    void *arg;
};

static void *later_run(void *arg)
{
    struct later later = *(struct later *)arg;
    free(arg);
    later.work(later.arg);
    return NULL;
}

static void on_go_on(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct started *started = arg;
    struct later *later = xcalloc(1, sizeof(*later));
    pthread_t thread;
    *later = (struct later){ work, work_arg };
    atomic_fetch_add(&started->waits, 1);
    if (pthread_create(&thread, NULL, later_run, later) != 0)
        abort();
    pthread_detach(thread);
}

static void on_done(void *arg, enum err err, struct enrolled *enrolled, const struct why *why)
{
    struct started *started = arg;
    started->err = err;
    started->why = *why;
    started->got = *enrolled;
    *enrolled = (struct enrolled){ 0 };
    atomic_fetch_add(&started->dones, 1);
    told_one(started->told, NULL);
}

void started_begin(struct world *world, const struct device *device, const char *endpoint, struct told *told,
                   struct started *ret)
{
    *ret = (struct started){ .told = told,
                             .ask = { bytes_str(endpoint), buf_bytes(&device->csr), BYTES_LIT("5f3c"),
                                      buf_bytes(&device->self_signed), BYTES_LIT("192.0.2.7") } };
    ca_enroll_start(world->ca, &(struct enroll_start){ &ret->ask, on_go_on, on_done, ret });
}

void started_expect(const struct started *started, enum err err)
{
    assert_int_equal(1, started->dones);
    if (started->err != err)
        fail_msg("told %s (%s), wanted %s", err_row(started->err)->name, started->why.text,
                 err_row(err)->name);
    if (err != OK)
        assert_true(started->why.text[0]);
    assert_int_equal(err == OK && started->got.disposition == ENROLL_ISSUED,
                     started->got.certificate.len > 0);
}

void started_free(struct started *started)
{
    enrolled_free(&started->got);
}

/* --- the sealer --- */

static void held_start(void *arg, const struct seal_request *request, sealer_done done, void *done_arg)
{
    struct sealer_held *held = arg;
    struct asked *asked = xcalloc(1, sizeof(*asked));
    *asked = (struct asked){
        .ca = buf_dup(request->ca), .tbs = buf_dup(request->tbs), .done = done, .arg = done_arg
    };
    asked->request = (struct seal_request){ buf_bytes(&asked->ca), request->kind, buf_bytes(&asked->tbs) };
    if (held->on_ask)
        held->on_ask(held->world, request);
    pthread_mutex_lock(&held->lock);
    *held->end = asked;
    held->end = &asked->next;
    pthread_mutex_unlock(&held->lock);
    told_one(&held->told, NULL);
}

void sealer_hold(struct sealer_held *held, struct world *world)
{
    *held = (struct sealer_held){ .world = world, .before = world->ca->sealer, .told = TOLD_NONE };
    pthread_mutex_init(&held->lock, NULL);
    held->end = &held->first;
    world->ca->sealer = (struct sealer){ .arg = held, .start = held_start };
}

void sealer_release(struct sealer_held *held)
{
    held->world->ca->sealer = held->before;
    pthread_mutex_destroy(&held->lock);
}

struct asked *sealer_take(struct sealer_held *held)
{
    told_wait(&held->told, 1);
    count_add(&held->told.all, -1);
    pthread_mutex_lock(&held->lock);
    struct asked *asked = held->first;
    if (!(held->first = asked->next))
        held->end = &held->first;
    pthread_mutex_unlock(&held->lock);
    return asked;
}

void asked_der(struct sealer_held *held, const struct asked *asked, struct buf *ret)
{
    struct why why = { 0 };
    ASSERT_OK(held->before.seal(held->before.arg, &asked->request, NULL, ret, &why), &why);
}

void asked_answer(struct asked *asked, enum err err, struct bytes der)
{
    struct why why = { 0 };
    if (err != OK)
        (void)fail(&why, err, "the sealer was told to fail");
    asked->done(asked->arg, err, der, &why);
    buf_free(&asked->ca);
    buf_free(&asked->tbs);
    free(asked);
}

void asked_seal(struct sealer_held *held, struct asked *asked)
{
    AUTO_BUF der = { 0 };
    asked_der(held, asked, &der);
    asked_answer(asked, OK, buf_bytes(&der));
}
