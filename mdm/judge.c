/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/judge.h"

#include "base/fault.h"
#include "mdm/errand.h"
#include "mdm/issued.h"
#include "mdm/target.h"
#include <stdio.h>

void judging_free(struct judging *judging)
{
    kept_holder_free(&judging->holder);
    deployments_free(&judging->all);
}

static bool is_certificate(const struct deployment *of)
{
    return of->type == PROFILE_SCEP;
}

/* Others come by a connector. */
static bool is_deployed(enum profile_type type)
{
    return type == PROFILE_SCEP || type == PROFILE_TRUSTED;
}

static enum err targeted(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                         struct why *why)
{
    const struct deployment_move move = { .event = DEPLOYMENT_TARGETED, .now = judging->now };
    of->order[0] = '\0';
    return deployment_move(tx, of, &move, why);
}

static enum err gone(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                     struct why *why)
{
    const struct deployment_move move = { .event = DEPLOYMENT_GONE, .now = judging->now };
    return deployment_move(tx, of, &move, why);
}

/* --- ends of authorisations --- */

/* Was the device given anything that ca would still heed? A certificate may be renewed by itself. */
static enum err was_authorised(struct store_tx *tx, const struct deployment *of, int64_t now, bool *ret,
                               struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT (SELECT COUNT(*) FROM deployment_challenge WHERE device_id = $1 AND profile_id = $2 AND "
        "expires_at > $3) + (SELECT COUNT(*) FROM deployment_certificate WHERE device_id = $1 AND "
        "profile_id = $2 AND not_after > $3)",
        S_ARGS(S_TEXT(of->device), S_TEXT(of->profile), S_INT(now)), &rows, why));
    *ret = store_int(rows, 0, 0) > 0;
    return OK;
}

/* A version that was replaced never counts again. A profile that does not reach the device may do so once more, in the same version: what is
   given from the next second on counts then. */
static enum err authorisation_ends(struct store_tx *tx, const struct deployment *of, bool for_good,
                                   int64_t now, struct why *why)
{
    bool authorised;
    TRY(was_authorised(tx, of, now, &authorised, why));
    if (!authorised || FAULT(authorisation_end))
        return OK;
    const struct errand end = { .kind = ERRAND_END,
                                .device = of->device,
                                .profile = of->profile,
                                .version = of->version,
                                .valid_from = for_good ? 0 : now + 1 };
    return errand_put(tx, &end, now, why);
}

/* --- what reaches it --- */

static struct deployment *find(struct deployments *all, const char *profile)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->list[i].profile, profile) == 0)
            return &all->list[i];
    }
    return NULL;
}

static enum err begin(struct store_tx *tx, struct judging *judging, const struct target *target,
                      struct why *why)
{
    struct deployment *of = &judging->all.list[judging->all.count++];
    *of = (struct deployment){ .version = target->version,
                               .type = target->type,
                               .due_at = DEPLOYMENT_NEVER,
                               .created_at = judging->now,
                               .changed_at = judging->now };
    snprintf(of->device, sizeof(of->device), "%s", judging->device);
    snprintf(of->profile, sizeof(of->profile), "%s", target->profile);
    return targeted(tx, judging, of, why);
}

/* Its certificates are of what the profile was. */
static enum err superseded(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                           struct why *why)
{
    if (!is_certificate(of))
        return OK;
    TRY(authorisation_ends(tx, of, true, judging->now, why));
    return issued_end(tx, of, "superseded", judging->now, NULL, why);
}

/* Something changed, so what could not be made of the profile is tried again at the next visit. */
static enum err try_again(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                          struct why *why)
{
    if (!judging->anew || of->state != DEPLOYMENT_ERROR || strcmp(of->step, DEPLOYMENT_STEP_PREVIEW) != 0)
        return OK;
    of->due_at = 0;
    return deployment_save(tx, of, why);
}

static enum err reached(struct store_tx *tx, struct judging *judging, const struct target *target,
                        struct why *why)
{
    struct deployment *of = find(&judging->all, target->profile);
    if (!of)
        return begin(tx, judging, target, why);
    bool newer = of->version != target->version, back = of->intent != INTENT_HAVE;
    if (!newer && !back)
        return try_again(tx, judging, of, why);
    if (newer)
        TRY(superseded(tx, judging, of, why));
    bool stayed = !newer && of->intent == INTENT_LEAVE && of->state == DEPLOYMENT_INSTALLED;
    of->intent = INTENT_HAVE;
    of->version = target->version;
    if (!stayed)
        return targeted(tx, judging, of, why);
    of->due_at =
        is_certificate(of) ? 0 : DEPLOYMENT_NEVER; /* the next visit finds out when it is to be renewed */
    return deployment_save(tx, of, why);
}

/* --- what does not --- */

/* spec profiles.md, the removal table: what a directory deletes, and a user who lost their right to it, leave what is there. */
static bool may_stay(const struct target *target)
{
    return target && (target->state == TARGET_USER || target->state == TARGET_GROUP_DELETED) &&
           !FAULT(removal_stays);
}

static enum err leave(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                      struct why *why)
{
    bool there = of->state == DEPLOYMENT_INSTALLED || of->state == DEPLOYMENT_ISSUED ||
                 of->state == DEPLOYMENT_RENEWING;
    of->intent = INTENT_LEAVE;
    if (!there)
        return gone(tx, judging, of, why);
    if (of->state == DEPLOYMENT_RENEWING)
        of->state = DEPLOYMENT_INSTALLED;
    of->due_at = DEPLOYMENT_NEVER;
    return deployment_save(tx, of, why);
}

/* A certificate is revoked and removed. A device that is gone removes everything by itself. */
static enum err take_away(struct store_tx *tx, const struct judging *judging, struct deployment *of,
                          struct why *why)
{
    bool any = false, here = judging->holder.device.state == DEVICE_ENROLLED;
    if (is_certificate(of))
        TRY(issued_end(tx, of, "cessationOfOperation", judging->now, &any, why));
    of->intent = INTENT_REMOVE;
    of->order[0] = '\0';
    if (!any)
        return gone(tx, judging, of, why);
    of->due_at = here ? 0 : DEPLOYMENT_NEVER;
    return deployment_save(tx, of, why);
}

static enum err lost(struct store_tx *tx, const struct judging *judging, const struct target *target,
                     struct deployment *of, struct why *why)
{
    bool here = judging->holder.device.state == DEVICE_ENROLLED;
    if (is_certificate(of))
        TRY(authorisation_ends(tx, of, false, judging->now, why));
    if (here && (may_stay(target) || !is_certificate(of)))
        return leave(tx, judging, of, why);
    return take_away(tx, judging, of, why);
}

/* What was left on a device goes with the device, and when somebody takes its profile from it. */
static bool is_over(const struct judging *judging, const struct deployment *of, const struct target *target)
{
    bool here = judging->holder.device.state == DEVICE_ENROLLED;
    bool left = of->intent == INTENT_LEAVE && here && (may_stay(target) || !is_certificate(of));
    return of->intent == INTENT_REMOVE || left || of->state == DEPLOYMENT_REMOVED;
}

/* --- all of it --- */

static const struct target *target_of(const struct targets *targets, const char *profile)
{
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->list[i].profile, profile) == 0)
            return &targets->list[i];
    }
    return NULL;
}

static enum err compare(struct store_tx *tx, struct judging *judging, const struct targets *targets,
                        struct why *why)
{
    size_t before = judging->all.count;
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->list[i];
        if (target->state == TARGET_REACHES && is_deployed(target->type))
            TRY(reached(tx, judging, target, why));
    }
    for (size_t i = 0; i < before; i++) {
        struct deployment *of = &judging->all.list[i];
        const struct target *target = target_of(targets, of->profile);
        if ((!target || target->state != TARGET_REACHES) && !is_over(judging, of, target))
            TRY(lost(tx, judging, target, of, why));
    }
    return OK;
}

static enum err judged_note(struct store_tx *tx, struct judging *judging, int64_t change, struct why *why)
{
    int64_t changed;
    TRY(store_exec(
        tx, "UPDATE device_report SET judged = $2 WHERE device_id = $1 AND (judged IS NULL OR judged <> $2)",
        S_ARGS(S_TEXT(judging->device), S_INT(change)), &changed, why));
    judging->anew = changed > 0;
    return OK;
}

enum err judge_device(struct store_tx *tx, struct judging *judging, struct why *why)
{
    AUTO_VAL(targets) targets = { 0 };
    judging_free(judging);
    TRY(deployments_hold(tx, judging->device, why));
    TRY(holder_load(tx, judging->device, &judging->holder, why));
    const struct holder holder = holder_of(&judging->holder);
    TRY(targets_resolve(tx, &holder, &targets, why));
    TRY(deployments_load(tx, judging->device, NULL, targets.count, &judging->all, why));
    TRY(judged_note(tx, judging, targets.change, why));
    return compare(tx, judging, &targets, why);
}

enum err judge_alone(struct store_tx *tx, const char *device, int64_t now, struct why *why)
{
    AUTO_VAL(judging) judging = { .device = device, .now = now };
    TRY(judge_device(tx, &judging, why));
    return deployment_due(tx, device, why);
}
