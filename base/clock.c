/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and calendar arithmetic that knows nothing of time zones, locales or 2038. */
#include "base/clock.h"

#include <stdio.h>

static int64_t system_now(const struct clock *clock)
{
    (void)clock;
    return (int64_t)time(NULL);
}

static int64_t held_now(const struct clock *clock)
{
    return clock->held;
}

const struct clock clock_system = { .now = system_now };

struct clock clock_held_at(int64_t now)
{
    return (struct clock){ .now = held_now, .held = now };
}

int64_t clock_now(const struct clock *clock)
{
    return clock->now(clock);
}

int64_t clock_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

/* Days since 1970-01-01, counted in 400-year eras that begin on 1 March (the leap day comes last). */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t calendar_utc(const struct calendar *when)
{
    return days_of(when->year, when->month, when->day) * 86400 + when->hour * 3600 + when->minute * 60 +
           when->second;
}

struct calendar calendar_of(int64_t utc)
{
    int64_t days = utc / 86400, second = utc % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * day_of_year + 2) / 153;
    struct calendar when = {
        .day = (int)(day_of_year - (153 * month_index + 2) / 5 + 1),
        .month = (int)(month_index < 10 ? month_index + 3 : month_index - 9),
        .hour = (int)(second / 3600),
        .minute = (int)(second / 60 % 60),
        .second = (int)(second % 60),
    };
    when.year = (int)(year_of_era + era * 400 + (when.month <= 2));
    return when;
}

void clock_rfc3339(int64_t utc, char ret[static 21])
{
    struct calendar c = calendar_of(utc);
    char text[80];
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
             c.second);
    snprintf(ret, 21, "%.20s", text);
}

static bool two_digits(const uint8_t *at, int *ret)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *ret = (at[0] - '0') * 10 + at[1] - '0';
    return true;
}

bool clock_from_rfc3339(struct bytes text, int64_t *ret_utc)
{
    struct calendar c = { 0 };
    int century;
    char again[21];
    const uint8_t *at = text.data;
    if (text.len != 20 || !two_digits(at, &century) || !two_digits(at + 2, &c.year) ||
        !two_digits(at + 5, &c.month) || !two_digits(at + 8, &c.day) || !two_digits(at + 11, &c.hour) ||
        !two_digits(at + 14, &c.minute) || !two_digits(at + 17, &c.second))
        return false;
    c.year += century * 100;
    if (c.month < 1 || c.month > 12)
        return false;
    int64_t utc = calendar_utc(&c);
    clock_rfc3339(utc, again); /* the separators, and days and hours that there are */
    if (memcmp(again, at, text.len) != 0)
        return false;
    *ret_utc = utc;
    return true;
}
