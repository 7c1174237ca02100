/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolments that nobody waits for, and a sealer that keeps what it is asked for until a test has it go on. */
#pragma once
#include "tests/unit/ca/fixture.h"
#include "tests/unit/told.h"

struct started {
    struct enroll_request ask;
    struct told *told;
    enum err err; struct why why;
    struct enrolled got;
    atomic_int dones, waits;                                 /* how often done was called, and go_on */
};
/* device stays until it is told. */
void started_begin(struct world *world, const struct device *device, const char *endpoint, struct told *told,
                   struct started *ret);
/* Told once, and this; a certificate or a reason, whichever it is. */
void started_expect(const struct started *started, enum err err);
void started_free(struct started *started);

/* One seal that was asked for. */
struct asked { struct asked *next; struct seal_request request; struct buf ca, tbs; sealer_done done; void *arg; };
struct sealer_held {
    struct world *world;
    struct sealer before;
    struct told told;                                        /* of each that was asked for */
    pthread_mutex_t lock; struct asked *first, **end;
    void (*on_ask)(struct world *world, const struct seal_request *request);   /* NULL: nothing */
};
void sealer_hold(struct sealer_held *held, struct world *world);
struct asked *sealer_take(struct sealer_held *held);         /* the oldest; waits for it */
void asked_seal(struct sealer_held *held, struct asked *asked);   /* as the fixture's sealer does it; from this thread */
void asked_answer(struct asked *asked, enum err err, struct bytes der);
/* What the fixture's sealer would have answered. */
void asked_der(struct sealer_held *held, const struct asked *asked, struct buf *ret);
void sealer_release(struct sealer_held *held);               /* from now on seals are as before */
