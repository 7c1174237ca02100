/* SPDX-License-Identifier: Apache-2.0 */
/* Words to the service manager (sd_notify). Bodies: notify-systemd.c, notify-none.c. */
#pragma once

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
