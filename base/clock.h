/* SPDX-License-Identifier: Apache-2.0 */
/* Time is passed in: UTC seconds from a clock that tests can hold still or move. */
#pragma once
#include "base/bytes.h"
#include <stdint.h>
#include <time.h>

struct clock { int64_t (*now)(const struct clock *clock); int64_t held; };
extern const struct clock clock_system;
int64_t clock_now(const struct clock *clock);                /* UTC seconds since 1970 */
struct clock clock_held_at(int64_t now);                     /* for tests: stands still; set .held to move it */
int64_t clock_mono_ms(void);                                 /* for deadlines only: never goes back */
int64_t clock_mono_us(void);
/* "2026-05-01T09:00:00Z"; ret has room for 21 bytes. */
void clock_rfc3339(int64_t utc, char ret[static 21]);
/* The same form and no other, of a time that exists. */
NODISCARD bool clock_from_rfc3339(struct bytes text, int64_t *ret_utc);
/* Calendar arithmetic without time zones or 2038: days since 1970 and back (proleptic Gregorian). */
struct calendar { int year, month, day, hour, minute, second; };
struct calendar calendar_of(int64_t utc);
int64_t calendar_utc(const struct calendar *when);
