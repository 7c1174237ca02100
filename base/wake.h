/* SPDX-License-Identifier: Apache-2.0 */
/* One thread sleeps until another says that its matter is done. Unlike a condition there is no lock to hand over: the
   sleeper does not wake only to wait for whoever woke it. */
#pragma once
#include "base/err.h"
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

/* Who waits for something that needs a thread now and then lends its own. */
struct lender { struct wake event; void (*work)(void *arg); void *arg; };
void lender_open(struct lender *lender);
void lender_go_on(void *lender, void (*work)(void *arg), void *arg);   /* from any thread, one at a time: runs work where it waits */
void lender_end(struct lender *lender);                      /* nothing more comes */
void lender_wait(struct lender *lender);                     /* until then, and closes it */

/* The outcome of something that another thread brings to its end, for those who want to wait for it. */
struct await { struct wake ended; enum err err; struct why why; };
void await_open(struct await *await);
void await_end(struct await *await, enum err err, const struct why *why);   /* as wake_send */
/* Waits for it, and closes it. */
NODISCARD enum err await_outcome(struct await *await, struct why *why);
