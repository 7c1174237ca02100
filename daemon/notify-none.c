/* SPDX-License-Identifier: Apache-2.0 */
/* Built without libsystemd: nobody to tell. */
#include "daemon/notify.h"

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}
