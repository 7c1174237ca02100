/* SPDX-License-Identifier: Apache-2.0 */
/* Rights, as administrators see and change them. */
#include "base/log.h"
#include "ca/right_store.h"
#include "ca/template.h"
#include "ca/verbs.h"
#include <stdlib.h>

struct list_arg {
    const struct issuer *issuer;
    struct buf out;
};

static void rights_put(struct buf *out, const char *name, int64_t rights)
{
    AUTO_BUF text = { 0 };
    rights_append_text(&text, (unsigned)rights);
    record_put(out, name, buf_bytes(&text));
}

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct list_arg *list = arg;
    struct buf *out = &list->out;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT object, principal, allowed, denied, changed_at, changed_by FROM right_rule "
                    "WHERE issuer_id = $1 AND (allowed | denied) <> 0 ORDER BY object, principal",
                    S_ARGS(S_TEXT(list->issuer->name)), &rows, why));
    buf_clear(out);
    size_t whole = records_begin(out);
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        size_t mark = record_begin(out);
        record_put_str(out, "ca", list->issuer->name);
        record_put_str(out, "object", store_str(rows, row, 0));
        record_put_str(out, "principal", store_str(rows, row, 1));
        rights_put(out, "allowed", store_int(rows, row, 2));
        rights_put(out, "denied", store_int(rows, row, 3));
        record_put_time(out, "changed", store_int(rows, row, 4));
        record_put_str(out, "changed_by", store_str(rows, row, 5));
        record_end(out, mark);
    }
    records_end(out, whole);
    return OK;
}

static enum err list(struct ca *ca, const struct issuer *issuer, struct buf *ret, struct why *why)
{
    struct list_arg arg = { .issuer = issuer };
    enum err err = store_read(ca->store, list_work, &arg, why);
    AUTO_BUF out = TAKE_BUF(arg.out);
    if (err != OK)
        return err;
    *ret = TAKE_BUF(out);
    return OK;
}

enum err verb_right_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct record record;
    struct issuer *issuer;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(role, &record, &issuer, why));
    return list(role, issuer, ret, why);
}

/* Enroll on all templates at once is for the administrator of this host alone, who begins with it. */
static unsigned rights_on_ca(const char *principal)
{
    return RIGHTS_OF_CA | (strcmp(principal, "cli") == 0 ? RIGHT_ENROLL : 0);
}

/* "ca", or "template/NAME" of a template that there is. */
static enum err object_get(struct ca *ca, const struct record *record, const struct right_change *change,
                           char **ret, struct why *why)
{
    AUTO_STR name = record_str(record, "template");
    bool of_template = name && *name;
    unsigned wrong =
        change->rights & ~(of_template ? (unsigned)RIGHTS_OF_TEMPLATE : rights_on_ca(change->principal));
    AUTO_BUF text = { 0 };
    rights_append_text(&text, wrong);
    if (wrong)
        return fail(why, ERR_USAGE, "%s is no right on a %s", buf_text(&text),
                    of_template ? "template" : "CA; with --template NAME it is one on a template");
    if (!of_template) {
        *ret = xstrdup("ca");
        return OK;
    }
    AUTO(template) template = NULL;
    TRY(template_load(ca->store, bytes_str(name), &template, why));
    *ret = xasprintf("template/%s", name);
    return OK;
}

static enum err change(struct ca *ca, const struct ipc_caller *caller, enum right_how how, struct bytes body,
                       struct buf *ret, struct why *why)
{
    static const char *const done[] = { "granted", "revoked", "denied" };
    struct record record;
    struct issuer *issuer;
    AUTO_STR principal = NULL;
    AUTO_STR rights = NULL;
    AUTO_STR object = NULL;
    AUTO_STR actor = principal_of(caller->principal);
    struct right_change change = { .actor = actor, .how = how };
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &issuer, why));
    TRY(verb_field(&record, "principal", &principal, why));
    TRY(verb_field(&record, "rights", &rights, why));
    TRY(principal_check(principal, why));
    TRY(rights_parse(rights, &change.rights, why));
    change.issuer = issuer;
    change.principal = principal;
    TRY(object_get(ca, &record, &change, &object, why));
    change.object = object;
    TRY(right_change(ca, &change, why));
    log_info(NULL, "right %s principal=%s rights=%s object=%s ca=%s by=%s", done[how], principal, rights,
             object, issuer->name, actor);
    return list(ca, issuer, ret, why);
}

enum err verb_right_grant(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    return change(role, caller, RIGHT_HOW_GRANT, body, ret, why);
}

enum err verb_right_revoke(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    return change(role, caller, RIGHT_HOW_REVOKE, body, ret, why);
}

enum err verb_right_deny(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    return change(role, caller, RIGHT_HOW_DENY, body, ret, why);
}
