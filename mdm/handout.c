/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/handout.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/secret.h"
#include "mdm/ca_link.h"
#include "mdm/crp.h"
#include "mdm/deployment.h"
#include "mdm/holder.h"
#include "mdm/preview.h"
#include "mdm/profile_store.h"
#include "mdm/signing.h"
#include "mdm/target.h"

#define HANDOUT_KEPT_S (30 * 86400LL)

struct making {
    const struct handing *handing;
    struct handout out;
    struct kept_holder holder;
    struct preview preview;
    struct crp_list crp;
    int64_t taken; /* of the signing keys */
    struct challenge challenge;
};

void handout_free(struct handout *handout)
{
    buf_free(&handout->challenge);
    profile_free(&handout->profile);
    *handout = (struct handout){ 0 };
}

static void making_free(struct making *making)
{
    handout_free(&making->out);
    kept_holder_free(&making->holder);
    preview_free(&making->preview);
    crp_list_free(&making->crp);
}

/* Only what comes with an operating system of its own cannot. */
bool platform_names_key(enum platform platform)
{
    return platform == PLATFORM_LINUX;
}

/* --- may it have one? --- */

static enum err target_check(struct store_tx *tx, const struct making *making, int64_t *ret_version,
                             struct why *why)
{
    const struct holder holder = holder_of(&making->holder);
    AUTO_VAL(targets) targets = { 0 };
    TRY(targets_resolve(tx, &holder, &targets, why));
    for (size_t i = 0; i < targets.count; i++) {
        const struct target *target = &targets.list[i];
        if (strcmp(target->profile, making->handing->profile) != 0)
            continue;
        if (target->state != TARGET_REACHES && !FAULT(handout_target))
            return fail(why, ERR_PROFILE_DEVICE, "profile %.80s does not reach this device: %s", target->name,
                        target->why);
        *ret_version = target->version;
        return OK;
    }
    return fail(why, ERR_PROFILE_DEVICE, "profile %s does not reach this device", making->handing->profile);
}

static bool may_ask(enum deployment_state state)
{
    return state == DEPLOYMENT_DELIVERED || state == DEPLOYMENT_ISSUED || state == DEPLOYMENT_RENEWING;
}

static enum err deployment_check(struct store_tx *tx, const struct making *making, int64_t version,
                                 struct why *why)
{
    const struct handing *handing = making->handing;
    AUTO_VAL(deployments) found = { 0 };
    TRY(deployments_load(tx, handing->device, handing->profile, 0, &found, why));
    const struct deployment *of = found.count ? found.list : NULL;
    if (!of || of->intent != INTENT_HAVE)
        return fail(why, ERR_WRONG_STATE, "the device was not told of this profile yet: check in first");
    if (of->type != PROFILE_SCEP)
        return fail(why, ERR_WRONG_STATE, "this is a %s profile; challenges are for scep ones",
                    word_name(&profile_type_words, (int)of->type));
    if (of->version != version)
        return fail(why, ERR_WRONG_STATE,
                    "the profile is at version %lld, the device was told of %lld: check in first",
                    (long long)version, (long long)of->version);
    if (!may_ask(of->state) && !FAULT(handout_state))
        return fail(why, ERR_WRONG_STATE, "the profile is %s on this device: nothing is to be asked for",
                    word_name(&deployment_state_words, (int)of->state));
    return OK;
}

static enum err open_check(struct store_tx *tx, const struct making *making, struct why *why)
{
    const struct handing *handing = making->handing;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT COUNT(*) FROM deployment_challenge WHERE device_id = $1 AND profile_id = $2 "
                    "AND expires_at > $3",
                    S_ARGS(S_TEXT(handing->device), S_TEXT(handing->profile), S_INT(handing->now)), &rows,
                    why));
    if (store_int(rows, 0, 0) >= HANDOUT_OPEN_MAX && !FAULT(handout_open))
        return fail(why, ERR_RATE,
                    "the device has %lld challenges of this profile that may be used, limit %d",
                    (long long)store_int(rows, 0, 0), HANDOUT_OPEN_MAX);
    return OK;
}

static enum err may_have(struct store_tx *tx, struct making *making, int64_t *ret_version, struct why *why)
{
    TRY(target_check(tx, making, ret_version, why));
    TRY(deployment_check(tx, making, *ret_version, why));
    return open_check(tx, making, why);
}

/* --- making it --- */

static enum err look_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct making *making = arg;
    const struct handing *handing = making->handing;
    making_free(making);
    TRY(holder_load(tx, handing->device, &making->holder, why));
    TRY(may_have(tx, making, &making->out.version, why));
    TRY(profile_load(tx, handing->profile, making->out.version, &making->out.profile, why));
    const struct holder holder = holder_of(&making->holder);
    TRY(preview_make(&making->out.profile, &holder, &making->preview, why));
    TRY(crp_list_load(tx, handing->now, &making->crp, why));
    return signing_taken(tx, &making->taken, why);
}

static enum err challenge_fill(struct making *making, struct why *why)
{
    const struct handing *handing = making->handing;
    const char *user = making->holder.user.id;
    struct challenge *challenge = &making->challenge;
    making->out.expires = handing->now + handing->mdm->challenge_lifetime_s;
    *challenge = (struct challenge){ .profile = bytes_str(handing->profile),
                                     .profile_version = making->out.version,
                                     .device = bytes_str(handing->device),
                                     .user = user ? bytes_str(user) : BYTES_NONE,
                                     .not_before = handing->now,
                                     .expires = making->out.expires,
                                     .expects = making->preview.expects };
    if (handing->key && !FAULT(handout_key)) {
        challenge->expects.is_bound = true;
        memcpy(challenge->expects.key_digest, handing->key, sizeof(challenge->expects.key_digest));
    }
    return random_fill(challenge->id, sizeof(challenge->id), why);
}

static enum err seal(struct making *making, struct why *why)
{
    struct ca_link *link = making->handing->mdm->link;
    struct challenge_peer recipients[LIMIT_CHALLENGE_RECIPIENTS];
    if (!making->crp.count || !link)
        return fail(why, ERR_UNAVAILABLE,
                    "ca has not said yet what challenges are encrypted to: come again later");
    AUTO(kept_generations) keys = kept_key_hold(ca_link_signing(link));
    const struct kept_generation *own = signing_current(keys, making->taken);
    if (!own)
        return fail(why, ERR_KEY, "there is no signing key");
    for (size_t i = 0; i < making->crp.count; i++)
        recipients[i] = (struct challenge_peer){ &making->crp.of[i].cert, making->crp.of[i].key };
    const struct challenge_seal_params params = { { &own->cert, own->key }, recipients, making->crp.count };
    return challenge_seal(&making->challenge, &params, &making->out.challenge, why);
}

/* As things are now, and no other than a moment ago. */
static enum err keep_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct making *making = arg;
    const struct handing *handing = making->handing;
    AUTO_BUF id = { 0 }, key = { 0 };
    int64_t version;
    TRY(deployments_hold(tx, handing->device, why));
    TRY(may_have(tx, making, &version, why));
    if (version != making->out.version)
        return fail(why, ERR_WRONG_STATE, "the profile was changed at the same time: check in first");
    hex_append(&id, BYTES_ARR(making->challenge.id));
    if (handing->key)
        hex_append(&key, bytes_of(handing->key, sizeof(making->challenge.expects.key_digest)));
    return store_exec(tx,
                      "INSERT INTO deployment_challenge (id, device_id, profile_id, version, key, made_at, "
                      "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      S_ARGS(S_TEXT(buf_text(&id)), S_TEXT(handing->device), S_TEXT(handing->profile),
                             S_INT(version), S_TEXT(buf_text(&key)), S_INT(handing->now),
                             S_INT(making->out.expires)),
                      NULL, why);
}

enum err handouts_forget(struct store_tx *tx, int64_t now, struct why *why)
{
    return store_exec(tx, "DELETE FROM deployment_challenge WHERE expires_at < $1",
                      S_ARGS(S_INT(now - HANDOUT_KEPT_S)), NULL, why);
}

enum err handout_make(const struct handing *handing, struct handout *ret, struct why *why)
{
    AUTO_VAL(making) making = { .handing = handing };
    TRY(store_read(handing->mdm->store, look_work, &making, why));
    TRY(challenge_fill(&making, why));
    TRY(seal(&making, why));
    TRY(store_write(handing->mdm->store, keep_work, &making, why));
    ca_link_wake(handing->mdm->link);
    log_info(NULL, "challenge handed out device=%s profile=%s version=%lld key=%s", handing->device,
             handing->profile, (long long)making.out.version, handing->key ? "named" : "any");
    *ret = making.out;
    making.out = (struct handout){ 0 };
    return OK;
}
