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
