/* SPDX-License-Identifier: Apache-2.0 */
/* One thread sleeps until another says that its matter is done. Unlike a condition there is no lock to hand over: the
   sleeper does not wake only to wait for whoever woke it. */
#pragma once
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct wake { sem_t done; };
void wake_open(struct wake *wake);
/* Exactly once, from any thread; what was written before is seen after wake_wait. The sleeper may close it at once. */
void wake_send(struct wake *wake);
void wake_wait(struct wake *wake);
/* false: clock_mono_ms has reached deadline_ms first. */
bool wake_wait_until(struct wake *wake, int64_t deadline_ms);
void wake_close(struct wake *wake);
