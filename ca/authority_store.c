/* SPDX-License-Identifier: Apache-2.0 */
/* Authorities as rows, and the rights that go with them. */
#include "ca/authority_store.h"

#include "base/fault.h"
#include "ca/audit.h"
#include "ca/authority_signer.h"
#include "ca/outbox.h"
#include "ca/right_store.h"

/* Of a new one: nothing but what is harmless. */
#define DEFAULT_EKU         "clientAuth"
#define DEFAULT_PER_DEVICE  5
#define DEFAULT_ISSUES      1000
#define DEFAULT_REVOCATIONS 100

struct change_arg {
    struct ca *ca;
    const struct authority_change *change;
    const char *principal;
};

static enum err row_add(struct store_tx *tx, const struct change_arg *arg, int64_t *ret_changed,
                        struct why *why)
{
    const struct authority_change *change = arg->change;
    return store_exec(
        tx,
        "INSERT INTO authority (issuer_id, name, node_id, templates, suffixes, denied, eku, "
        "per_device, issues, revocations, issued, issued_since, revoked, revoked_since, changed_at, "
        "changed_by) VALUES ($1, $2, $3, '', '', '', $4, $5, $6, $7, 0, 0, 0, 0, $8, $9) "
        "ON CONFLICT (issuer_id, name) DO NOTHING",
        S_ARGS(S_TEXT(change->issuer->name), S_TEXT(change->values.name), S_TEXT(arg->ca->node),
               S_TEXT(DEFAULT_EKU), S_INT(DEFAULT_PER_DEVICE), S_INT(DEFAULT_ISSUES),
               S_INT(DEFAULT_REVOCATIONS), S_INT(clock_now(arg->ca->clock)), S_TEXT(change->actor)),
        ret_changed, why);
}

static enum err column_set(struct store_tx *tx, const struct change_arg *arg, const char *sql,
                           struct store_value value, struct why *why)
{
    const struct authority_change *change = arg->change;
    int64_t changed = 0;
    TRY(store_exec(tx, sql,
                   S_ARGS(value, S_INT(clock_now(arg->ca->clock)), S_TEXT(change->actor),
                          S_TEXT(change->issuer->name), S_TEXT(change->values.name)),
                   &changed, why));
    return changed == 1 ? OK : ERR_NOT_FOUND;
}

#define SET(column)                                                                                          \
    "UPDATE authority SET " column                                                                           \
    " = $1, changed_at = $2, changed_by = $3 WHERE issuer_id = $4 AND name = $5"

static enum err row_set(struct store_tx *tx, const struct change_arg *arg, struct why *why)
{
    const struct authority_limits *values = &arg->change->values;
    const struct {
        const char *sql, *text;
    } texts[] = { { SET("templates"), values->templates },
                  { SET("suffixes"), values->suffixes },
                  { SET("denied"), values->denied },
                  { SET("eku"), values->eku } };
    const struct {
        const char *sql;
        int64_t number;
    } numbers[] = { { SET("per_device"), values->per_device },
                    { SET("issues"), values->issues },
                    { SET("revocations"), values->revocations } };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].text)
            TRY(column_set(tx, arg, texts[i].sql, S_TEXT(texts[i].text), why));
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (numbers[i].number >= 0)
            TRY(column_set(tx, arg, numbers[i].sql, S_INT(numbers[i].number), why));
    }
    return OK;
}

static enum err right_give(struct store_tx *tx, const struct change_arg *arg, const char *object,
                           unsigned rights, struct why *why)
{
    const struct right_change change = { arg->change->issuer, object, arg->principal,
                                         arg->change->actor,  rights, RIGHT_HOW_GRANT };
    return right_change_in(tx, arg->ca, &change, why);
}

static enum err template_give(struct store_tx *tx, const struct change_arg *arg, const char *name,
                              struct why *why)
{
    AUTO_STR object = xasprintf("template/%s", name);
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT 1 FROM template WHERE name = $1", S_ARGS(S_TEXT(name)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no template %s", name);
    return right_give(tx, arg, object, RIGHT_READ | RIGHT_ENROLL, why);
}

/* Those on templates it has no more are taken back; what is denied stays denied. */
static enum err rights_follow(struct store_tx *tx, const struct change_arg *arg, struct why *why)
{
    const struct authority_change *change = arg->change;
    const char *templates = change->values.templates;
    bool gone = change->how == AUTHORITY_REMOVE;
    if (gone || templates)
        TRY(store_exec(tx,
                       gone ? "UPDATE right_rule SET allowed = 0 WHERE issuer_id = $1 AND principal = $2"
                            : "UPDATE right_rule SET allowed = 0 WHERE issuer_id = $1 AND principal = $2 "
                              "AND object <> 'ca'",
                       S_ARGS(S_TEXT(change->issuer->name), S_TEXT(arg->principal)), NULL, why));
    if (change->how == AUTHORITY_ADD)
        TRY(right_give(tx, arg, "ca", RIGHT_REQUEST, why));
    AUTO_STR list = xstrdup(templates && !gone ? templates : "");
    char *rest = list;
    for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
        if (*name)
            TRY(template_give(tx, arg, name, why));
    }
    return OK;
}

/* What was given; what it was before is in the rows before. */
static void values_append(struct buf *out, const struct authority_limits *values)
{
    const struct {
        const char *name, *text;
    } texts[] = { { "templates", values->templates },
                  { "suffixes", values->suffixes },
                  { "denied", values->denied },
                  { "eku", values->eku } };
    const struct {
        const char *name;
        int64_t number;
    } numbers[] = { { "device", values->per_device },
                    { "issues", values->issues },
                    { "revocations", values->revocations } };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].text)
            buf_printf(out, "%s%s: \"%s\"", out->len ? "; " : "", texts[i].name, texts[i].text);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (numbers[i].number >= 0)
            buf_printf(out, "%s%s: %lld", out->len ? "; " : "", numbers[i].name,
                       (long long)numbers[i].number);
    }
}

static enum err change_audit(struct store_tx *tx, const struct change_arg *arg, struct why *why)
{
    static const char *const actions[] = { "authority_add", "authority_set", "authority_remove" };
    const struct authority_change *change = arg->change;
    AUTO_BUF detail = { 0 };
    if (!FAULT(authority_audit))
        values_append(&detail, &change->values);
    struct audit_entry entry = { change->issuer->name, change->actor, actions[change->how], arg->principal,
                                 buf_text(&detail) };
    return audit_write(tx, arg->ca, &entry, why);
}

/* Nobody will ask for what the outbox has for it; one of its name later is another one. */
static enum err row_remove(struct store_tx *tx, const struct change_arg *arg, struct why *why)
{
    const char *issuer = arg->change->issuer->name, *name = arg->change->values.name;
    TRY(store_exec(tx, "DELETE FROM authority WHERE issuer_id = $1 AND name = $2",
                   S_ARGS(S_TEXT(issuer), S_TEXT(name)), NULL, why));
    return outbox_remove(tx, issuer, name, why);
}

static enum err change_work(struct store_tx *tx, void *context, struct why *why)
{
    const struct change_arg *arg = context;
    const struct authority_change *change = arg->change;
    const char *issuer = change->issuer->name, *name = change->values.name;
    const struct store_args key = S_ARGS(S_TEXT(issuer), S_TEXT(name));
    AUTO(store_rows) rows = NULL;
    int64_t ignored, changed = 1;
    TRY(counter_next(tx, issuer, "right", &ignored, why));
    if (change->how == AUTHORITY_ADD)
        TRY(row_add(tx, arg, &changed, why));
    if (changed != 1)
        return fail(why, ERR_CONFLICT, "ca %s has an authority %s already", issuer, name);
    TRY(store_query(tx, "SELECT 1 FROM authority WHERE issuer_id = $1 AND name = $2", key, &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "ca %s has no authority %s", issuer, name);
    if (change->how == AUTHORITY_REMOVE)
        TRY(row_remove(tx, arg, why));
    else
        TRY(row_set(tx, arg, why));
    TRY(rights_follow(tx, arg, why));
    if (change->pins || change->how == AUTHORITY_REMOVE) {
        const struct signer_pin pin = { change->issuer, name, change->actor,
                                        buf_bytes(&change->certificate) };
        TRY(authority_signer_pin(tx, arg->ca, &pin, why));
    }
    return change_audit(tx, arg, why);
}

enum err authority_change(struct ca *ca, const struct authority_change *change, struct why *why)
{
    AUTO_STR principal = xasprintf("authority/%s", change->values.name);
    struct change_arg arg = { ca, change, principal };
    struct why inner = { 0 };
    TRY(authority_check(&change->values, why));
    TRY(store_write(ca->store, change_work, &arg, why));
    enum err err = rights_reload(ca, &inner);
    if (err == OK)
        err = authority_signers_reload(ca, &inner);
    return err == OK ? OK : fail(why, err, "changed, but not in force for up to a minute: %s", inner.text);
}
