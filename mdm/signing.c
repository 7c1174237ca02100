/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/signing.h"

#include "base/fault.h"
#include <stdlib.h>

enum err signing_open(const struct kept_key_source *source, int64_t now, struct kept_key **ret,
                      struct why *why)
{
    static const struct kept_key_kind kind = { .prefix = "signing",
                                               .subject = "CN=Management Service Challenges",
                                               .name = "signing key",
                                               .key_usage = KU_DIGITAL_SIGNATURE,
                                               .vouches = true,
                                               .validity_s = SIGNING_VALIDITY_S,
                                               .renew_before_s = SIGNING_RENEW_BEFORE_S };
    return kept_key_open(&kind, source, now, ret, why);
}

/* Newest first: one that ca has not taken yet would have every challenge refused. */
const struct kept_generation *signing_current(const struct kept_generations *keys, int64_t taken)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->of[i].generation <= taken || FAULT(signing_taken))
            return &keys->of[i];
    }
    return keys->count ? &keys->of[keys->count - 1] : NULL;
}

enum err signing_taken(struct store_tx *tx, int64_t *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT value FROM mdm_setting WHERE name = 'signing'", S_NO_ARGS, &rows, why));
    *ret = store_rows_count(rows) ? strtoll(store_str(rows, 0, 0), NULL, 10) : 0;
    return OK;
}

enum err signing_take(struct store_tx *tx, int64_t generation, int64_t now, struct why *why)
{
    AUTO_STR text = xasprintf("%lld", (long long)generation);
    return store_exec(tx,
                      "INSERT INTO mdm_setting (name, value, changed_at) VALUES ('signing', $1, $2) "
                      "ON CONFLICT (name) DO UPDATE SET value = $1, changed_at = $2",
                      S_ARGS(S_TEXT(text), S_INT(now)), NULL, why);
}
