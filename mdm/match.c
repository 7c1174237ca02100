/* SPDX-License-Identifier: Apache-2.0 */
/* What a device has, laid against what it was given. */
#include "mdm/visit.h"

#include "base/fault.h"
#include "base/log.h"
#include "mdm/issued.h"
#include "mdm/profile_store.h"
#include <stdio.h>
#include <stdlib.h>

struct match {
    struct deployment *of;
    int64_t now;
    struct store_rows *installed; /* thumbprint, key, profile */
    struct issued_list issued;
};

static void match_free(struct match *match)
{
    store_rows_free(match->installed);
    issued_list_free(&match->issued);
}

static bool has(const struct match *match, const char *thumbprint)
{
    for (size_t row = 0; row < store_rows_count(match->installed) && *thumbprint; row++) {
        if (strcmp(store_str(match->installed, row, 0), thumbprint) == 0)
            return true;
    }
    return false;
}

static bool has_any(const struct match *match)
{
    for (size_t i = 0; i < match->issued.count; i++) {
        if (has(match, match->issued.list[i].thumbprint))
            return true;
    }
    return false;
}

static enum err move(struct store_tx *tx, const struct match *match, enum deployment_event event,
                     int64_t due_at, struct why *why)
{
    const struct deployment_move to = { .event = event, .due_at = due_at, .now = match->now };
    return deployment_move(tx, match->of, &to, why);
}

/* --- another key --- */

static const struct issued *issued_as(const struct match *match, size_t row)
{
    for (size_t i = 0; i < match->issued.count; i++) {
        if (strcmp(match->issued.list[i].thumbprint, store_str(match->installed, row, 0)) == 0)
            return &match->issued.list[i];
    }
    return NULL;
}

static bool key_was_certified(const struct match *match, const char *key)
{
    for (size_t i = 0; i < match->issued.count; i++) {
        if (strcmp(match->issued.list[i].key, key) == 0)
            return true;
    }
    return false;
}

/* A challenge that ca has not told of yet may be where the unknown certificate is from. */
static enum err may_be_on_its_way(struct store_tx *tx, const struct match *match, bool *ret, struct why *why)
{
    const struct deployment *of = match->of;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT COUNT(*) FROM deployment_challenge h WHERE h.device_id = $1 AND h.profile_id = $2 "
        "AND h.expires_at > $3 AND NOT EXISTS (SELECT 1 FROM deployment_certificate c WHERE "
        "c.device_id = $1 AND c.profile_id = $2 AND c.challenge = h.id)",
        S_ARGS(S_TEXT(of->device), S_TEXT(of->profile), S_INT(match->now)), &rows, why));
    *ret = store_int(rows, 0, 0) > 0;
    return OK;
}

static bool row_is_wrong(const struct match *match, size_t row, bool waiting)
{
    const char *key = store_str(match->installed, row, 1);
    const struct issued *issued = issued_as(match, row);
    if (issued)
        return strcmp(issued->key, key) != 0;
    return !waiting && strcmp(store_str(match->installed, row, 2), match->of->profile) == 0 &&
           !key_was_certified(match, key);
}

/* SIZE_MAX: none. Before anything was issued there is nothing to compare with. */
static enum err wrong_row(struct store_tx *tx, const struct match *match, size_t *ret, struct why *why)
{
    bool waiting = false;
    *ret = SIZE_MAX;
    if (!match->issued.count || FAULT(installed_key))
        return OK;
    TRY(may_be_on_its_way(tx, match, &waiting, why));
    for (size_t row = 0; row < store_rows_count(match->installed) && *ret == SIZE_MAX; row++)
        *ret = row_is_wrong(match, row, waiting) ? row : SIZE_MAX;
    return OK;
}

static enum err alarm_raise(struct store_tx *tx, const struct match *match, size_t row, struct why *why)
{
    struct deployment *of = match->of;
    const struct err_row *error = err_row(ERR_REGISTERED_KEY);
    const struct deployment_move failed = { .event = DEPLOYMENT_FAILED,
                                            .step = "installed",
                                            .code = error->name,
                                            .diagnosis = error->diagnosis,
                                            .now = match->now };
    struct deployment_move to = failed;
    AUTO_STR detail = xasprintf("the device has a certificate %s of key %s; ca certified key %s, serial %s",
                                store_str(match->installed, row, 0), store_str(match->installed, row, 1),
                                match->issued.list[0].key, match->issued.list[0].serial);
    to.detail = detail;
    if (of->state == DEPLOYMENT_ERROR && strcmp(of->detail, detail) == 0)
        return OK; /* said before */
    log_error(NULL, "alarm: installed key is not the issued one device=%s profile=%s: %s", of->device,
              of->profile, detail);
    return deployment_move(tx, of, &to, why);
}

/* --- what is there --- */

/* When so much of the lifetime remains as the profile says. */
static enum err renewal_at(struct store_tx *tx, const struct match *match, int64_t *ret, struct why *why)
{
    const struct issued *newest = &match->issued.list[0];
    AUTO_VAL(profile) profile = { 0 };
    TRY(profile_load(tx, match->of->profile, newest->version, &profile, why));
    *ret = newest->not_after - (newest->not_after - newest->not_before) * profile.renewal_threshold / 100;
    return OK;
}

static bool is_waiting(enum deployment_state state)
{
    return state == DEPLOYMENT_ISSUED || state == DEPLOYMENT_ERROR;
}

/* One that comes to light after all is to be removed, too. */
static enum err removal_match(struct store_tx *tx, const struct match *match, struct why *why)
{
    bool removed = match->of->state == DEPLOYMENT_REMOVED, there = has_any(match);
    if (removed != there)
        return OK;
    return move(tx, match, there ? DEPLOYMENT_FOUND : DEPLOYMENT_GONE, 0, why);
}

static enum err certificate_match(struct store_tx *tx, struct match *match, struct why *why)
{
    const struct deployment *of = match->of;
    const struct issued *newest = match->issued.count ? &match->issued.list[0] : NULL;
    bool there = newest && has(match, newest->thumbprint);
    int64_t renew_at;
    if (of->intent == INTENT_REMOVE)
        return removal_match(tx, match, why);
    bool again =
        of->state == DEPLOYMENT_INSTALLED && !of->due_at; /* it was left, and reaches the device again */
    if (there && newest->version == of->version && !newest->asked && (is_waiting(of->state) || again)) {
        TRY(renewal_at(tx, match, &renew_at, why));
        if (!again)
            return move(tx, match, DEPLOYMENT_FOUND, renew_at, why);
        match->of->due_at = renew_at;
        return deployment_save(tx, of, why);
    }
    bool lost = (of->state == DEPLOYMENT_INSTALLED && !there) ||
                (of->state == DEPLOYMENT_ISSUED && !there && of->due_at <= match->now) ||
                (of->state == DEPLOYMENT_RENEWING && !has_any(match));
    if (!lost || of->intent != INTENT_HAVE)
        return OK;
    match->of->order[0] = '\0';
    return move(tx, match, DEPLOYMENT_LOST, 0, why);
}

static enum err trusted_match(struct store_tx *tx, struct match *match, struct why *why)
{
    struct deployment *of = match->of;
    bool there = has(match, of->thumbprint);
    if (of->intent != INTENT_HAVE || !*of->thumbprint)
        return OK;
    if (there && of->state != DEPLOYMENT_INSTALLED)
        return move(tx, match, DEPLOYMENT_FOUND, 0, why);
    if (there || of->state != DEPLOYMENT_INSTALLED)
        return OK;
    of->order[0] = '\0';
    return move(tx, match, DEPLOYMENT_LOST, 0, why);
}

static enum err match_load(struct store_tx *tx, struct match *match, struct why *why)
{
    TRY(store_query(tx, "SELECT thumbprint, key, profile FROM device_installed WHERE device_id = $1",
                    S_ARGS(S_TEXT(match->of->device)), &match->installed, why));
    return match->of->type == PROFILE_SCEP ? issued_load(tx, match->of, &match->issued, why) : OK;
}

enum err deployment_match(struct store_tx *tx, struct deployment *of, int64_t now, struct why *why)
{
    AUTO_VAL(match) match = { .of = of, .now = now };
    size_t wrong;
    TRY(match_load(tx, &match, why));
    if (of->type == PROFILE_TRUSTED)
        return trusted_match(tx, &match, why);
    TRY(wrong_row(tx, &match, &wrong, why));
    return wrong == SIZE_MAX ? certificate_match(tx, &match, why) : alarm_raise(tx, &match, wrong, why);
}
