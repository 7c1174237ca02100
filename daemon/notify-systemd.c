/* SPDX-License-Identifier: Apache-2.0 */
/* systemd: readiness, reload and stop by sd_notify; nothing happens without NOTIFY_SOCKET. */
#include "daemon/notify.h"

#include "base/clock.h"
#include <stdint.h>
#include <systemd/sd-daemon.h>

void notify_ready(void)
{
    sd_notify(0, "READY=1\nSTATUS=serving");
}

void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=finishing what is in flight");
}
