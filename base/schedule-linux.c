/* SPDX-License-Identifier: Apache-2.0 */
/* SCHED_BATCH, and the length of a turn (Linux 6.12; glibc 2.36 has no wrapper and no structure for it). */
#include "base/schedule.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* About fifty requests' worth: a device waits a few turns at the most, and only under full load. */
#define TURN_NS 20000000

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void schedule_in_batches(void)
{
    const struct attributes wanted = { .size = sizeof(wanted), .policy = SCHED_BATCH, .runtime_ns = TURN_NS };
    if (syscall(SYS_sched_setattr, 0, &wanted, 0) == 0)
        return;
    const struct sched_param none = { 0 };
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
}
