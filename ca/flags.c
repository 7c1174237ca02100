/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/flags.h"

#include "base/fault.h"
#include "ca/audit.h"

struct loading {
    struct ca *ca;
    bool *on; /* of each issuer */
};

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct loading *loading = arg;
    for (size_t i = 0; i < loading->ca->issuer_count; i++) {
        AUTO(store_rows) rows = NULL;
        TRY(store_query(tx, "SELECT value FROM ca_setting WHERE issuer_id = $1 AND name = $2",
                        S_ARGS(S_TEXT(loading->ca->issuers[i]->name), S_TEXT(FLAG_ATTRIBUTE_END_DATE)), &rows,
                        why));
        loading->on[i] = store_rows_count(rows) && strcmp(store_str(rows, 0, 0), "on") == 0;
    }
    return OK;
}

enum err flags_load(struct ca *ca, struct why *why)
{
    struct loading loading = { ca, xcalloc(ca->issuer_count + 1, sizeof(bool)) };
    enum err err = store_read(ca->store, load_work, &loading, why);
    for (size_t i = 0; err == OK && i < ca->issuer_count; i++)
        atomic_store(&ca->issuers[i]->attribute_end_date, loading.on[i]);
    free(loading.on);
    return err;
}

enum err flag_change_in(struct store_tx *tx, const struct flag_change *change, bool *ret_changed,
                        struct why *why)
{
    const char *issuer = change->issuer->name;
    int64_t now = clock_now(change->ca->clock), changed = 0;
    if (strcmp(change->name, FLAG_ATTRIBUTE_END_DATE) != 0)
        return fail(why, ERR_USAGE, "there is no flag \"%.80s\"; there is " FLAG_ATTRIBUTE_END_DATE,
                    change->name);
    /* absent means off */
    TRY(store_exec(tx,
                   "INSERT INTO ca_setting (issuer_id, name, value, changed_at) VALUES ($1, $2, 'off', $3) "
                   "ON CONFLICT (issuer_id, name) DO NOTHING",
                   S_ARGS(S_TEXT(issuer), S_TEXT(change->name), S_INT(now)), NULL, why));
    TRY(store_exec(
        tx,
        "UPDATE ca_setting SET value = $1, changed_at = $2 WHERE issuer_id = $3 AND name = $4 "
        "AND value <> $1",
        S_ARGS(S_TEXT(change->on ? "on" : "off"), S_INT(now), S_TEXT(issuer), S_TEXT(change->name)), &changed,
        why));
    *ret_changed = changed == 1;
    if (!*ret_changed || FAULT(flag_audit))
        return OK;
    struct audit_entry entry = { issuer, change->actor, "ca_flags", change->name, change->on ? "on" : "off" };
    return audit_write(tx, change->ca, &entry, why);
}

static enum err set_work(struct store_tx *tx, void *arg, struct why *why)
{
    bool ignored;
    return flag_change_in(tx, arg, &ignored, why);
}

enum err flag_set(const struct flag_change *change, struct why *why)
{
    struct flag_change again = *change;
    TRY(store_write(change->ca->store, set_work, &again, why));
    return flags_load(change->ca, why);
}
