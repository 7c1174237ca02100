/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/validity.h"

#include "base/fault.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define HOUR_S    3600
#define DAY_S     (24 * HOUR_S)
#define COUNT_MAX 999999 /* of any unit: far beyond every template, and no product of it overflows */

/* A month of 30 days and a year of 365: it is only ever compared with a template's. 0: no unit. */
static int64_t unit_seconds(const char *text)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = { { "Hours", HOUR_S },
                  { "Days", DAY_S },
                  { "Weeks", 7LL * DAY_S },
                  { "Months", 30LL * DAY_S },
                  { "Years", 365LL * DAY_S } };
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcasecmp(units[i].name, text) == 0)
            return units[i].seconds;
    }
    return 0;
}

/* 0: no number from 1 to COUNT_MAX. */
static int64_t count_of(const char *text)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return 0;
    long long count = strtoll(text, &end, 10);
    return *end || count > COUNT_MAX ? 0 : count;
}

/* 0: nothing that can be understood is asked for. */
static int64_t validity_asked(const struct csr *csr)
{
    AUTO_BUF period = { 0 }, units = { 0 };
    if (!csr_enrollment_value(csr, "ValidityPeriod", &period) ||
        !csr_enrollment_value(csr, "ValidityPeriodUnits", &units))
        return 0;
    const char *unit = buf_text(&period), *count = buf_text(&units);
    if (strlen(unit) != period.len || strlen(count) != units.len)
        return 0; /* a NUL inside */
    if (!unit_seconds(unit)) {
        unit = buf_text(&units);
        count = buf_text(&period);
    }
    return unit_seconds(unit) * count_of(count);
}

int64_t validity_of(const struct issuer *issuer, const struct template *template, const struct csr *csr)
{
    if (!FAULT(attribute_end_date) && !atomic_load(&issuer->attribute_end_date))
        return template->validity_s;
    int64_t asked = validity_asked(csr);
    bool shorter = asked && (asked < template->validity_s || FAULT(validity_shorter));
    return shorter ? asked : template->validity_s;
}
