/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of authorisations, as rows. */
#include "ca/authorisation_end.h"

#include "base/fault.h"

struct end_arg {
    struct ca *ca;
    const struct authorisation_ends *ends;
};

static enum err end_work(struct store_tx *tx, void *context, struct why *why)
{
    const struct end_arg *arg = context;
    const struct authorisation_ends *ends = arg->ends;
    for (size_t i = 0; i < ends->count; i++) {
        const struct authorisation_end *end = &ends->list[i];
        TRY(store_exec(
            tx,
            "INSERT INTO authorisation_end (issuer_id, authority, device, profile, version, node_id, "
            "ended_at, told_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
            "ON CONFLICT (issuer_id, authority, device, profile, version) "
            "DO UPDATE SET ended_at = $7, told_at = $8 WHERE authorisation_end.ended_at < $7",
            S_ARGS(S_TEXT(ends->issuer->name), S_TEXT(ends->authority), store_text_of(end->device),
                   store_text_of(end->profile), S_INT(end->version), S_TEXT(arg->ca->node),
                   S_INT(end->ended_at), S_INT(clock_now(arg->ca->clock))),
            NULL, why));
    }
    return OK;
}

enum err authorisation_end_all(struct ca *ca, const struct authorisation_ends *ends, struct why *why)
{
    struct end_arg arg = { ca, ends };
    return store_write(ca->store, end_work, &arg, why);
}

enum err authorisation_judge(struct store_tx *tx, const struct issuer *issuer, const struct managed *managed,
                             struct why *why)
{
    const struct challenge *challenge = &managed->opened.challenge;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT version FROM authorisation_end WHERE issuer_id = $1 AND authority = $2 "
                    "AND device = $3 AND profile = $4 AND version >= $5 AND ended_at > $6 LIMIT 1",
                    S_ARGS(S_TEXT(issuer->name), S_TEXT(managed->authority), store_text_of(challenge->device),
                           store_text_of(challenge->profile), S_INT(challenge->profile_version),
                           S_INT(challenge->not_before)),
                    &rows, why));
    if (FAULT(managed_end) || store_rows_count(rows) == 0)
        return OK;
    AUTO_STR upto = store_int(rows, 0, 0) == INT64_MAX ? xstrdup("all of them")
                                                       : xasprintf("%lld", (long long)store_int(rows, 0, 0));
    return fail(
        why, ERR_NOT_TARGETED,
        "authority %s ended profile %.*s for device %.*s up to version %s; the challenge has version %lld",
        managed->authority, (int)challenge->profile.len, challenge->profile.data, (int)challenge->device.len,
        challenge->device.data, upto, (long long)challenge->profile_version);
}

struct look_arg {
    const struct issuer *issuer;
    const struct managed *managed;
};

static enum err look_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct look_arg *look = arg;
    return authorisation_judge(tx, look->issuer, look->managed, why);
}

enum err authorisation_look(struct ca *ca, const struct issuer *issuer, const struct managed *managed,
                            struct why *why)
{
    struct look_arg look = { issuer, managed };
    return store_read(ca->store, look_work, &look, why);
}
