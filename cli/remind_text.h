/* SPDX-License-Identifier: Apache-2.0 */
/* A reminder as one JSON document and as one mail. */
#pragma once
#include "cli/expiry.h"

struct reminder { const struct expiries *expiries; const struct expiry_span *span; const char *site; };
/* {site, time, within, count, more, missing, text, expiring: […]}; the caller frees it (json_decref). */
struct json_t *reminder_json(const struct reminder *reminder);
/* Headers and body; from and to passed mail_address_check. What a device wrote into its name is escaped. */
void reminder_mail(const struct reminder *reminder, const char *from, const char *to, struct buf *ret);
