/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/deployment.h"

#include "base/fault.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[DEPLOYMENT_STATE_COUNT] = {
    [DEPLOYMENT_PENDING] = "pending",
    [DEPLOYMENT_DELIVERED] = "delivered",
    [DEPLOYMENT_VERIFIED] = "challenge-verified",
    [DEPLOYMENT_ISSUED] = "issued",
    [DEPLOYMENT_INSTALLED] = "installed",
    [DEPLOYMENT_RENEWING] = "renewing",
    [DEPLOYMENT_REVOKED] = "revoked",
    [DEPLOYMENT_REMOVED] = "removed",
    [DEPLOYMENT_ERROR] = "error",
};
static const char *const event_names[DEPLOYMENT_EVENT_COUNT] = {
    [DEPLOYMENT_TARGETED] = "targeted", [DEPLOYMENT_ORDERED] = "ordered", [DEPLOYMENT_WAITS] = "waits",
    [DEPLOYMENT_CERTIFIED] = "issued",  [DEPLOYMENT_FOUND] = "found",     [DEPLOYMENT_LOST] = "lost",
    [DEPLOYMENT_ENDS] = "renewal-due",  [DEPLOYMENT_FAILED] = "failed",   [DEPLOYMENT_TAKEN] = "revoked",
    [DEPLOYMENT_GONE] = "gone",
};
static const char *const intent_names[INTENT_COUNT] = {
    [INTENT_HAVE] = "have", [INTENT_REMOVE] = "remove", [INTENT_LEAVE] = "leave"
};
const struct words deployment_state_words = WORDS(state_names), deployment_event_words = WORDS(event_names),
                   deployment_intent_words = WORDS(intent_names);

/* --- moves --- */

#define TO(name)   DEPLOYMENT_##name
#define FROM(name) [DEPLOYMENT_##name]
/* clang-format off */
/* What is not here is refused. A device may still have a challenge from before, so a certificate may come in any state. */
static const enum deployment_state moves[DEPLOYMENT_STATE_COUNT][DEPLOYMENT_EVENT_COUNT] = {
    FROM(NONE)      = { [TO(TARGETED)] = TO(PENDING) },
    FROM(PENDING)   = { [TO(TARGETED)] = TO(PENDING), [TO(ORDERED)] = TO(DELIVERED), [TO(WAITS)] = TO(VERIFIED), [TO(CERTIFIED)] = TO(ISSUED),
                        [TO(FOUND)] = TO(INSTALLED), [TO(FAILED)] = TO(ERROR), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(DELIVERED) = { [TO(TARGETED)] = TO(PENDING), [TO(ORDERED)] = TO(DELIVERED), [TO(WAITS)] = TO(VERIFIED), [TO(CERTIFIED)] = TO(ISSUED),
                        [TO(FOUND)] = TO(INSTALLED), [TO(FAILED)] = TO(ERROR), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(VERIFIED)  = { [TO(TARGETED)] = TO(PENDING), [TO(WAITS)] = TO(VERIFIED), [TO(CERTIFIED)] = TO(ISSUED), [TO(FAILED)] = TO(ERROR),
                        [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(ISSUED)    = { [TO(TARGETED)] = TO(PENDING), [TO(CERTIFIED)] = TO(ISSUED), [TO(FOUND)] = TO(INSTALLED), [TO(LOST)] = TO(PENDING), [TO(FAILED)] = TO(ERROR),
                        [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(INSTALLED) = { [TO(TARGETED)] = TO(PENDING), [TO(CERTIFIED)] = TO(ISSUED), [TO(LOST)] = TO(PENDING), [TO(ENDS)] = TO(RENEWING),
                        [TO(FAILED)] = TO(ERROR), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(RENEWING)  = { [TO(TARGETED)] = TO(PENDING), [TO(ORDERED)] = TO(RENEWING), [TO(WAITS)] = TO(RENEWING), [TO(CERTIFIED)] = TO(ISSUED),
                        [TO(LOST)] = TO(PENDING), [TO(FAILED)] = TO(RENEWING), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(REVOKED)   = { [TO(TARGETED)] = TO(PENDING), [TO(CERTIFIED)] = TO(ISSUED), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
    FROM(REMOVED)   = { [TO(TARGETED)] = TO(PENDING), [TO(CERTIFIED)] = TO(ISSUED), [TO(FOUND)] = TO(REVOKED), [TO(TAKEN)] = TO(REMOVED), [TO(GONE)] = TO(REMOVED) },
    FROM(ERROR)     = { [TO(TARGETED)] = TO(PENDING), [TO(ORDERED)] = TO(DELIVERED), [TO(WAITS)] = TO(VERIFIED), [TO(CERTIFIED)] = TO(ISSUED),
                        [TO(FOUND)] = TO(INSTALLED), [TO(FAILED)] = TO(ERROR), [TO(TAKEN)] = TO(REVOKED), [TO(GONE)] = TO(REMOVED) },
};
/* clang-format on */

enum deployment_state deployment_next(enum deployment_state state, enum deployment_event event)
{
    return moves[state][event];
}

/* What is to be told at every check-in until it is done has been due for ever. */
static int64_t due_of(const struct deployment *deployment, const struct deployment_move *move)
{
    enum deployment_state state = deployment->state;
    if (deployment->intent == INTENT_REMOVE)
        return state == DEPLOYMENT_REMOVED ? DEPLOYMENT_NEVER : 0;
    if (deployment->intent == INTENT_LEAVE)
        return DEPLOYMENT_NEVER;
    if (state == DEPLOYMENT_PENDING || state == DEPLOYMENT_DELIVERED || state == DEPLOYMENT_RENEWING)
        return 0;
    if (state == DEPLOYMENT_ISSUED)
        return move->now +
               DEPLOYMENT_RETRY_S; /* the answer may have got lost with the device's memory of it */
    return (state == DEPLOYMENT_INSTALLED || state == DEPLOYMENT_ERROR) && move->due_at ? move->due_at
                                                                                        : DEPLOYMENT_NEVER;
}

#define TEXT_SET(field, text) snprintf((field), sizeof(field), "%s", (text) ? (text) : "")

static enum err history_write(struct store_tx *tx, const struct deployment *of, enum deployment_event event,
                              struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO deployment_history (device_id, profile_id, number, happened_at, version, event, state, "
        "step, code, diagnosis, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        S_ARGS(S_TEXT(of->device), S_TEXT(of->profile), S_INT(of->history), S_INT(of->changed_at),
               S_INT(of->version), S_TEXT(word_name(&deployment_event_words, (int)event)),
               S_TEXT(word_name(&deployment_state_words, (int)of->state)), S_TEXT(of->step), S_TEXT(of->code),
               S_TEXT(of->diagnosis), S_TEXT(of->detail)),
        NULL, why);
}

enum err deployment_move(struct store_tx *tx, struct deployment *deployment,
                         const struct deployment_move *move, struct why *why)
{
    enum deployment_state next = deployment_next(deployment->state, move->event);
    if (next == DEPLOYMENT_NONE && FAULT(deployment_moves))
        next = DEPLOYMENT_INSTALLED;
    if (next == DEPLOYMENT_NONE) {
        log_warn(NULL, "deployment stays device=%s profile=%s state=%s event=%s", deployment->device,
                 deployment->profile, word_name(&deployment_state_words, (int)deployment->state),
                 word_name(&deployment_event_words, (int)move->event));
        return OK;
    }
    bool told = next != deployment->state || move->event == DEPLOYMENT_FAILED ||
                (move->event == DEPLOYMENT_TARGETED && next == DEPLOYMENT_PENDING);
    deployment->state = next;
    TEXT_SET(deployment->step, move->step);
    TEXT_SET(deployment->code, move->code);
    TEXT_SET(deployment->diagnosis, move->diagnosis);
    TEXT_SET(deployment->detail, move->detail);
    deployment->due_at = due_of(deployment, move);
    if (told) {
        deployment->changed_at = move->now;
        deployment->history++;
        TRY(history_write(tx, deployment, move->event, why));
    }
    return deployment_save(tx, deployment, why);
}

/* --- the store --- */

void deployments_free(struct deployments *deployments)
{
    free(deployments->list);
    *deployments = (struct deployments){ 0 };
}

static struct deployment row_take(const struct store_rows *rows, size_t row)
{
    struct deployment it = { 0 };
    TEXT_SET(it.device, store_str(rows, row, 0));
    TEXT_SET(it.profile, store_str(rows, row, 1));
    it.version = store_int(rows, row, 2);
    it.type = (enum profile_type)word_find(&profile_type_words, store_bytes(rows, row, 3));
    it.state = (enum deployment_state)word_find(&deployment_state_words, store_bytes(rows, row, 4));
    it.intent = (enum deployment_intent)word_find(&deployment_intent_words, store_bytes(rows, row, 5));
    TEXT_SET(it.order, store_str(rows, row, 6));
    it.due_at = store_is_null(rows, row, 7) ? DEPLOYMENT_NEVER : store_int(rows, row, 7);
    it.history = store_int(rows, row, 8);
    TEXT_SET(it.step, store_str(rows, row, 9));
    TEXT_SET(it.code, store_str(rows, row, 10));
    TEXT_SET(it.diagnosis, store_str(rows, row, 11));
    TEXT_SET(it.detail, store_str(rows, row, 12));
    TEXT_SET(it.thumbprint, store_str(rows, row, 13));
    it.created_at = store_int(rows, row, 14);
    it.changed_at = store_int(rows, row, 15);
    return it;
}

enum err deployments_load(struct store_tx *tx, const char *device, const char *profile, size_t more,
                          struct deployments *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT device_id, profile_id, version, type, state, intent, order_id, due_at, history, "
                    "step, code, diagnosis, detail, thumbprint, created_at, changed_at FROM deployment "
                    "WHERE device_id = $1 AND ($2 = '' OR profile_id = $2) ORDER BY profile_id",
                    S_ARGS(S_TEXT(device), S_TEXT(profile ? profile : "")), &rows, why));
    size_t count = store_rows_count(rows);
    *ret = (struct deployments){ xcalloc(count + more + 1, sizeof(*ret->list)), count };
    for (size_t row = 0; row < count; row++)
        ret->list[row] = row_take(rows, row);
    return OK;
}

enum err deployments_hold(struct store_tx *tx, const char *device, struct why *why)
{
    return FAULT(deployments_hold)
               ? OK
               : store_exec(tx, "UPDATE device_report SET due_at = due_at WHERE device_id = $1",
                            S_ARGS(S_TEXT(device)), NULL, why);
}

enum err deployment_save(struct store_tx *tx, const struct deployment *of, struct why *why)
{
    return store_exec(
        tx,
        "INSERT INTO deployment (device_id, profile_id, version, type, state, intent, order_id, due_at, "
        "history, step, code, diagnosis, detail, thumbprint, created_at, changed_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
        "ON CONFLICT (device_id, profile_id) DO UPDATE SET version = $3, state = $5, intent = $6, "
        "order_id = $7, due_at = $8, history = $9, step = $10, code = $11, diagnosis = $12, detail = $13, "
        "thumbprint = $14, changed_at = $16",
        S_ARGS(S_TEXT(of->device), S_TEXT(of->profile), S_INT(of->version),
               S_TEXT(word_name(&profile_type_words, (int)of->type)),
               S_TEXT(word_name(&deployment_state_words, (int)of->state)),
               S_TEXT(word_name(&deployment_intent_words, (int)of->intent)), S_TEXT(of->order),
               of->due_at == DEPLOYMENT_NEVER ? S_NULL : S_INT(of->due_at), S_INT(of->history),
               S_TEXT(of->step), S_TEXT(of->code), S_TEXT(of->diagnosis), S_TEXT(of->detail),
               S_TEXT(of->thumbprint), S_INT(of->created_at), S_INT(of->changed_at)),
        NULL, why);
}

enum err deployment_due(struct store_tx *tx, const char *device, struct why *why)
{
    return store_exec(tx,
                      "UPDATE device_report SET due_at = (SELECT MIN(due_at) FROM deployment "
                      "WHERE device_id = $1) WHERE device_id = $1",
                      S_ARGS(S_TEXT(device)), NULL, why);
}
