/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/visit.h"

#include "base/fault.h"
#include "base/log.h"
#include "mdm/judge.h"
#include "mdm/preview.h"
#include "mdm/profile_store.h"
#include "x509/algorithm.h"
#include <stdio.h>
#include <stdlib.h>

struct visiting {
    struct deployment_visit *visit;
    struct judging judging;
};

static void visiting_free(struct visiting *visiting)
{
    judging_free(&visiting->judging);
}

void deployment_visit_free(struct deployment_visit *visit)
{
    deployments_free(&visit->orders);
}

/* --- what became of what it was told --- */

static struct deployment *ordered_by(struct deployments *all, const char *id)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->list[i].order, id) == 0)
            return &all->list[i];
    }
    return NULL;
}

static enum err result_failed(struct store_tx *tx, const struct deployment_visit *visit,
                              struct deployment *of, const struct result *result, struct why *why)
{
    const struct deployment_move move = { .event = DEPLOYMENT_FAILED,
                                          .step = "device",
                                          .code = result->code,
                                          .detail = result->detail,
                                          .due_at = visit->now + DEPLOYMENT_RETRY_S,
                                          .now = visit->now };
    log_warn(NULL, "a device could not do it device=%s profile=%s", of->device, of->profile);
    return deployment_move(tx, of, &move, why);
}

/* That a certificate is there is believed when the list of what the device has says so. */
static enum err result_done(struct store_tx *tx, const struct deployment_visit *visit, struct deployment *of,
                            struct why *why)
{
    struct deployment_move move = { .event = DEPLOYMENT_GONE, .now = visit->now };
    if (of->intent == INTENT_HAVE && of->type == PROFILE_SCEP)
        return OK;
    if (of->intent == INTENT_HAVE)
        move.event = DEPLOYMENT_FOUND;
    of->order[0] = '\0';
    return deployment_move(tx, of, &move, why);
}

static enum err results_apply(struct store_tx *tx, struct visiting *it, struct why *why)
{
    const struct deployment_visit *visit = it->visit;
    for (size_t i = 0; i < visit->result_count; i++) {
        const struct result *result = &visit->results[i];
        struct deployment *of = ordered_by(&it->judging.all, result->id);
        if (!of)
            log_info(NULL, "result of what is not ordered device=%s id=%s", visit->device, result->id);
        else
            TRY(result->done ? result_done(tx, visit, of, why) : result_failed(tx, visit, of, result, why));
    }
    return OK;
}

/* --- what it is told --- */

static enum err preview_failed(struct store_tx *tx, const struct visiting *it, struct deployment *of,
                               const struct why *reason, struct why *why)
{
    const struct err_row *error = err_row(reason->err);
    const struct deployment_move move = { .event = DEPLOYMENT_FAILED,
                                          .step = DEPLOYMENT_STEP_PREVIEW,
                                          .code = error->name,
                                          .diagnosis = error->diagnosis,
                                          .detail = reason->text,
                                          .now = it->visit->now };
    bool as_before = of->state == DEPLOYMENT_ERROR && strcmp(of->step, DEPLOYMENT_STEP_PREVIEW) == 0 &&
                     strncmp(of->detail, reason->text, sizeof(of->detail) - 1) == 0;
    if (as_before) {
        of->due_at = DEPLOYMENT_NEVER;
        return deployment_save(tx, of, why);
    }
    return deployment_move(tx, of, &move, why);
}

/* A request that could not be made is not ordered; a root is known again by its thumbprint. */
static enum err can_be_ordered(struct store_tx *tx, const struct visiting *it, struct deployment *of,
                               bool *ret, struct why *why)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(preview) preview = { 0 };
    const struct holder holder = holder_of(&it->judging.holder);
    struct why reason = { 0 };
    TRY(profile_load(tx, of->profile, of->version, &profile, why));
    *ret = preview_make(&profile, &holder, &preview, &reason) == OK;
    if (!*ret)
        return preview_failed(tx, it, of, &reason, why);
    if (of->type != PROFILE_TRUSTED)
        return OK;
    return digest_hex(DIGEST_SHA256, buf_bytes(&profile.certificate), of->thumbprint, why);
}

static bool is_due(const struct visiting *it, const struct deployment *of)
{
    switch (of->state) {
    case DEPLOYMENT_PENDING:
    case DEPLOYMENT_DELIVERED:
    case DEPLOYMENT_RENEWING:
        return true;
    case DEPLOYMENT_ERROR:
        return of->due_at <= it->visit->now;
    default:
        return false;
    }
}

static enum err order_number(struct deployment *of, struct why *why)
{
    return *of->order ? OK : uuid_make(of->order, why);
}

static void order_append(struct visiting *it, const struct deployment *of)
{
    struct deployments *orders = &it->visit->orders;
    orders->list[orders->count++] = *of;
}

static enum err renewal_begin(struct store_tx *tx, const struct visiting *it, struct deployment *of,
                              struct why *why)
{
    const struct deployment_move move = { .event = DEPLOYMENT_ENDS, .now = it->visit->now };
    if (of->state != DEPLOYMENT_INSTALLED || of->type != PROFILE_SCEP || !of->due_at ||
        of->due_at > it->visit->now || FAULT(renewal_due))
        return OK;
    of->order[0] = '\0';
    return deployment_move(tx, of, &move, why);
}

static enum err order(struct store_tx *tx, struct visiting *it, struct deployment *of, struct why *why)
{
    const struct deployment_move move = { .event = DEPLOYMENT_ORDERED, .now = it->visit->now };
    bool can;
    if (of->intent == INTENT_REMOVE && of->state != DEPLOYMENT_REMOVED) {
        TRY(order_number(of, why));
        order_append(it, of);
        return deployment_save(tx, of, why);
    }
    if (of->intent != INTENT_HAVE)
        return OK;
    TRY(renewal_begin(tx, it, of, why));
    if (!is_due(it, of))
        return OK;
    TRY(can_be_ordered(tx, it, of, &can, why));
    if (!can)
        return OK;
    TRY(order_number(of, why));
    TRY(deployment_move(tx, of, &move, why));
    order_append(it, of);
    return OK;
}

static enum err orders_make(struct store_tx *tx, struct visiting *it, struct why *why)
{
    struct deployments *all = &it->judging.all;
    static const enum profile_type in_order[] = { PROFILE_TRUSTED, PROFILE_SCEP };
    deployments_free(&it->visit->orders);
    it->visit->orders.list = xcalloc(all->count + 1, sizeof(*all->list));
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < all->count; i++) {
            if (all->list[i].type == in_order[pass])
                TRY(order(tx, it, &all->list[i], why));
        }
    }
    return OK;
}

/* --- the visit --- */

static enum err matches_make(struct store_tx *tx, struct visiting *it, struct why *why)
{
    for (size_t i = 0; i < it->judging.all.count && it->visit->told_installed; i++)
        TRY(deployment_match(tx, &it->judging.all.list[i], it->visit->now, why));
    return OK;
}

enum err deployment_visit(struct store_tx *tx, struct deployment_visit *visit, struct why *why)
{
    AUTO_VAL(visiting) it = { visit, { .device = visit->device, .now = visit->now } };
    TRY(judge_device(tx, &it.judging, why));
    TRY(results_apply(tx, &it, why));
    TRY(matches_make(tx, &it, why));
    TRY(orders_make(tx, &it, why));
    return deployment_due(tx, visit->device, why);
}
