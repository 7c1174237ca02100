/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as rows: seeded, changed, and copied into memory. */
#include "ca/right_store.h"

#include "base/fault.h"
#include "ca/audit.h"
#include <stdio.h>

struct rights {
    pthread_mutex_t loading; /* one at a time, so that the newest reading stays */
    pthread_mutex_t lock;    /* of the rules */
    struct right_rules rules;
};

struct rights *rights_new(void)
{
    struct rights *rights = xcalloc(1, sizeof(*rights));
    pthread_mutex_init(&rights->loading, NULL);
    pthread_mutex_init(&rights->lock, NULL);
    return rights;
}

void rights_free(struct rights *rights)
{
    if (!rights)
        return;
    right_rules_free(&rights->rules);
    pthread_mutex_destroy(&rights->loading);
    pthread_mutex_destroy(&rights->lock);
    free(rights);
}

/* --- loading --- */

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct right_rules *ret = arg;
    AUTO(store_rows) rows = NULL;
    right_rules_free(ret);
    /* What is left of one that was revoked says nothing, and counts for nothing. */
    TRY(store_query(tx,
                    FAULT(right_empty)
                        ? "SELECT issuer_id, object, principal, allowed, denied FROM right_rule"
                        : "SELECT issuer_id, object, principal, allowed, denied FROM right_rule "
                          "WHERE (allowed | denied) <> 0",
                    S_NO_ARGS, &rows, why));
    ret->count = store_rows_count(rows);
    ret->rules = xcalloc(ret->count + 1, sizeof(*ret->rules));
    for (size_t row = 0; row < ret->count; row++) {
        ret->rules[row] =
            (struct right_rule){ xstrdup(store_str(rows, row, 0)), xstrdup(store_str(rows, row, 1)),
                                 xstrdup(store_str(rows, row, 2)), (unsigned)store_int(rows, row, 3),
                                 (unsigned)store_int(rows, row, 4) };
    }
    return OK;
}

enum err rights_reload(struct ca *ca, struct why *why)
{
    struct rights *rights = ca->rights;
    struct right_rules found = { 0 };
    pthread_mutex_lock(&rights->loading);
    enum err err = store_read(ca->store, load_work, &found, why);
    if (err == OK) {
        pthread_mutex_lock(&rights->lock);
        struct right_rules old = rights->rules;
        rights->rules = found;
        pthread_mutex_unlock(&rights->lock);
        found = old;
    }
    pthread_mutex_unlock(&rights->loading);
    right_rules_free(&found);
    return err;
}

enum err right_check(struct ca *ca, const struct right_question *question, struct why *why)
{
    pthread_mutex_lock(&ca->rights->lock);
    bool allowed = rights_allow(&ca->rights->rules, question);
    pthread_mutex_unlock(&ca->rights->lock);
    return allowed ? OK : right_refuse(question, why);
}

/* --- what a site begins with --- */

struct seed {
    const char *object, *principal;
    unsigned rights;
};
static const struct seed seeds[] = {
    { "ca", "cli", RIGHTS_OF_CA | RIGHT_ENROLL },
    { "ca", "role/scep", RIGHT_READ | RIGHT_REQUEST },
    { "ca", "role/va", RIGHT_READ | RIGHT_REQUEST },
    { "ca", "role/mdm", RIGHT_REQUEST }, /* its own TLS certificate: for others it is authority/mdm */
    { "ca", "endpoint/*", RIGHT_REQUEST },
    { "template/OCSPResponseSigning", "role/va", RIGHT_READ | RIGHT_ENROLL },
    { "template/CEPEncryption", "role/scep", RIGHT_READ | RIGHT_ENROLL },
    { "template/EnrollmentAgentOffline", "role/scep", RIGHT_READ | RIGHT_ENROLL },
    { "template/RegistrationAuthority", "role/scep", RIGHT_READ | RIGHT_ENROLL },
};

static enum err rule_audit(struct store_tx *tx, const struct ca *ca, const struct right_change *change,
                           struct why *why)
{
    static const char *const actions[] = { "right_grant", "right_revoke", "right_deny" };
    AUTO_STR object = xasprintf("%s %s", change->principal, change->object);
    AUTO_BUF text = { 0 };
    rights_append_text(&text, change->rights);
    struct audit_entry entry = { change->issuer->name, change->actor, actions[change->how], object,
                                 buf_text(&text) };
    return audit_write(tx, ca, &entry, why);
}

static enum err seed_one(struct store_tx *tx, const struct ca *ca, const struct issuer *issuer,
                         const struct seed *seed, struct why *why)
{
    struct right_change change = {
        issuer, seed->object, seed->principal, "ca", seed->rights, RIGHT_HOW_GRANT
    };
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "INSERT INTO right_rule (issuer_id, object, principal, node_id, allowed, denied, "
                   "changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, 0, $6, 'ca') "
                   "ON CONFLICT (issuer_id, object, principal) DO NOTHING",
                   S_ARGS(S_TEXT(issuer->name), S_TEXT(seed->object), S_TEXT(seed->principal),
                          S_TEXT(ca->node), S_INT(seed->rights), S_INT(clock_now(ca->clock))),
                   &changed, why));
    return changed == 1 ? rule_audit(tx, ca, &change, why) : OK;
}

/* Whoever sets a slot in the configuration says that the endpoint may have the template. */
static enum err seed_slots(struct store_tx *tx, const struct ca *ca, const struct endpoint *endpoint,
                           struct why *why)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (!endpoint->slots[slot])
            continue;
        AUTO_STR object = xasprintf("template/%s", endpoint->slots[slot]);
        const struct seed seed = { object, endpoint->requester, RIGHT_READ | RIGHT_ENROLL };
        TRY(seed_one(tx, ca, endpoint->issuer, &seed, why));
    }
    return OK;
}

static enum err seed_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct ca *ca = arg;
    for (size_t i = 0; i < ca->issuer_count; i++) {
        for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++)
            TRY(seed_one(tx, ca, ca->issuers[i], &seeds[s], why));
    }
    for (size_t i = 0; i < ca->endpoint_count; i++)
        TRY(seed_slots(tx, ca, ca->endpoints[i], why));
    return OK;
}

enum err rights_open(struct ca *ca, struct why *why)
{
    TRY(store_write(ca->store, seed_work, ca, why));
    return rights_reload(ca, why);
}

/* --- changing --- */

struct change_arg {
    struct ca *ca;
    const struct right_change *change;
};

static enum err change_row(struct store_tx *tx, const struct ca *ca, const struct right_change *change,
                           struct why *why)
{
    int64_t rights = change->rights, now = clock_now(ca->clock);
    bool grants = change->how == RIGHT_HOW_GRANT, denies = change->how == RIGHT_HOW_DENY;
    TRY(store_exec(tx,
                   "INSERT INTO right_rule (issuer_id, object, principal, node_id, allowed, denied, "
                   "changed_at, changed_by) VALUES ($1, $2, $3, $4, 0, 0, $5, $6) "
                   "ON CONFLICT (issuer_id, object, principal) DO NOTHING",
                   S_ARGS(S_TEXT(change->issuer->name), S_TEXT(change->object), S_TEXT(change->principal),
                          S_TEXT(ca->node), S_INT(now), S_TEXT(change->actor)),
                   NULL, why));
    return store_exec(tx,
                      "UPDATE right_rule SET allowed = (allowed & $1) | $2, denied = (denied & $1) | $3, "
                      "changed_at = $4, changed_by = $5 "
                      "WHERE issuer_id = $6 AND object = $7 AND principal = $8",
                      S_ARGS(S_INT(~rights), S_INT(grants ? rights : 0), S_INT(denies ? rights : 0),
                             S_INT(now), S_TEXT(change->actor), S_TEXT(change->issuer->name),
                             S_TEXT(change->object), S_TEXT(change->principal)),
                      NULL, why);
}

/* cli keeps Manage CA, and the number of rules its limit. */
static enum err rules_judge(struct store_tx *tx, const char *issuer, struct why *why)
{
    const struct right_question administrator = { "cli", issuer, NULL, RIGHT_MANAGE };
    struct right_rules rules = { 0 };
    enum err err = load_work(tx, &rules, why);
    bool locked_out = !FAULT(right_lockout) && !rights_allow(&rules, &administrator);
    size_t count = rules.count;
    right_rules_free(&rules);
    TRY(err);
    if (locked_out)
        return fail(why, ERR_WRONG_STATE,
                    "cli would have no right Manage CA on ca %s any more, and nobody could give it back",
                    issuer);
    if (count > RIGHT_RULES_MAX)
        return fail(why, ERR_LIMIT, "there would be %zu rules, limit %d", count, RIGHT_RULES_MAX);
    return OK;
}

enum err right_change_in(struct store_tx *tx, const struct ca *ca, const struct right_change *change,
                         struct why *why)
{
    TRY(change_row(tx, ca, change, why));
    TRY(rules_judge(tx, change->issuer->name, why));
    return rule_audit(tx, ca, change, why);
}

struct forget_arg {
    struct store_tx *tx;
    const struct ca *ca;
    const char *object, *actor;
};

/* What is left of a rule keeps the seeds from giving it anew. */
static enum err forget_of_issuer(const struct forget_arg *arg, const struct issuer *issuer, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    int64_t ignored;
    TRY(counter_next(arg->tx, issuer->name, "right", &ignored, why));
    TRY(store_query(arg->tx,
                    "SELECT principal, allowed, denied FROM right_rule WHERE issuer_id = $1 AND object = $2 "
                    "AND (allowed | denied) <> 0",
                    S_ARGS(S_TEXT(issuer->name), S_TEXT(arg->object)), &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        const struct right_change change = { issuer,
                                             arg->object,
                                             store_str(rows, row, 0),
                                             arg->actor,
                                             (unsigned)(store_int(rows, row, 1) | store_int(rows, row, 2)),
                                             RIGHT_HOW_REVOKE };
        TRY(change_row(arg->tx, arg->ca, &change, why));
        TRY(rule_audit(arg->tx, arg->ca, &change, why));
    }
    return OK;
}

enum err rights_forget_template(struct store_tx *tx, const struct ca *ca, const char *template_name,
                                const char *actor, struct why *why)
{
    AUTO_STR object = xasprintf("template/%s", template_name);
    const struct forget_arg arg = { tx, ca, object, actor };
    for (size_t i = 0; i < ca->issuer_count && !FAULT(right_forget); i++)
        TRY(forget_of_issuer(&arg, ca->issuers[i], why));
    return OK;
}

/* Under the issuer's counter row, so that two changes at once can't do together what neither may. */
static enum err change_work(struct store_tx *tx, void *context, struct why *why)
{
    const struct change_arg *arg = context;
    int64_t ignored;
    TRY(counter_next(tx, arg->change->issuer->name, "right", &ignored, why));
    return right_change_in(tx, arg->ca, arg->change, why);
}

enum err right_change(struct ca *ca, const struct right_change *change, struct why *why)
{
    struct change_arg arg = { ca, change };
    struct why inner = { 0 };
    TRY(store_write(ca->store, change_work, &arg, why));
    enum err err = FAULT(right_at_once) ? OK : rights_reload(ca, &inner);
    if (err != OK)
        return fail(why, err, "changed, but not in force for up to a minute: %s", inner.text);
    return OK;
}
