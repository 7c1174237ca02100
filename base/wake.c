/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wake.h"

#include <errno.h>
#include <time.h>

void wake_open(struct wake *wake)
{
    sem_init(&wake->done, 0, 0);
}

void wake_send(struct wake *wake)
{
    sem_post(&wake->done);
}

void wake_wait(struct wake *wake)
{
    while (sem_wait(&wake->done) != 0 && errno == EINTR) {}
}

bool wake_wait_until(struct wake *wake, int64_t deadline_ms)
{
    const struct timespec until = { .tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000 };
    int failed;
    while ((failed = sem_clockwait(&wake->done, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR) {}
    return !failed;
}

void wake_close(struct wake *wake)
{
    sem_destroy(&wake->done);
}

void lender_open(struct lender *lender)
{
    *lender = (struct lender){ 0 };
    wake_open(&lender->event);
}

void lender_go_on(void *to, void (*work)(void *arg), void *arg)
{
    struct lender *lender = to;
    lender->work = work;
    lender->arg = arg;
    wake_send(&lender->event);
}

void lender_end(struct lender *lender)
{
    wake_send(&lender->event);
}

void lender_wait(struct lender *lender)
{
    for (wake_wait(&lender->event); lender->work; wake_wait(&lender->event)) {
        void (*work)(void *arg) = lender->work;
        lender->work = NULL;
        work(lender->arg);
    }
    wake_close(&lender->event);
}

void await_open(struct await *await)
{
    *await = (struct await){ 0 };
    wake_open(&await->ended);
}

void await_end(struct await *await, enum err err, const struct why *why)
{
    await->err = err;
    if (err != OK)
        await->why = *why;
    wake_send(&await->ended);
}

enum err await_outcome(struct await *await, struct why *why)
{
    wake_wait(&await->ended);
    wake_close(&await->ended);
    if (why && await->err != OK)
        *why = await->why;
    return await->err;
}
