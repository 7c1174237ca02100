/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/oidc_enter.h"

#include "base/fault.h"
#include "mdm/administrator.h"
#include "mdm/change.h"
#include "mdm/sign_in.h"
#include <stdio.h>

struct entering {
    const struct oidc_entering *asked;
    char id[UUID_TEXT]; /* of the administrator, when they are new */
    struct session_new made;
};

/* Whoever was deleted here comes anew, and without what was theirs. */
static enum err known_find(struct store_tx *tx, const struct oidc_person *person, struct object *ret,
                           struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT s.administrator_id FROM administrator_subject s JOIN administrator a ON a.id = "
                    "s.administrator_id WHERE s.issuer = $1 AND s.subject = $2 AND a.deleted_at IS NULL",
                    S_ARGS(S_TEXT(person->issuer), S_TEXT(person->subject)), &rows, why));
    return store_rows_count(rows) ? object_load(tx, &administrator_class, store_str(rows, 0, 0), ret, why)
                                  : OK;
}

static enum err attribute_set(struct object *object, const char *name, struct bytes text, struct why *why)
{
    size_t index;
    const struct attribute *attribute = object_attribute(object->class, bytes_str(name), &index);
    return attribute_take(attribute, text, &object->values[index], why);
}

static enum err made_new(struct store_tx *tx, const struct entering *entering, int64_t change,
                         struct object *ret, struct why *why)
{
    const struct oidc_entering *asked = entering->asked;
    AUTO_BUF roles = { 0 };
    ret->class = &administrator_class;
    roles_append(&roles, asked->person->roles);
    TRY(attribute_set(ret, "name", bytes_str(asked->person->name), why));
    TRY(attribute_set(ret, "roles", buf_bytes(&roles), why));
    object_set(ret, "id", bytes_str(entering->id));
    object_set(ret, "source", BYTES_LIT("directory"));
    object_set_number(ret, "created_at", asked->now);
    TRY(object_complete(ret, why));
    change_stamp(ret, change, asked->now);
    TRY(object_add(tx, ret, why));
    return store_exec(
        tx,
        "INSERT INTO administrator_subject (issuer, subject, administrator_id) VALUES ($1, $2, $3) "
        "ON CONFLICT (issuer, subject) DO UPDATE SET administrator_id = $3",
        S_ARGS(S_TEXT(asked->person->issuer), S_TEXT(asked->person->subject), S_TEXT(entering->id)), NULL,
        why);
}

/* Other roles than the last time end the sessions that had those. */
static enum err known_update(struct store_tx *tx, const struct entering *entering, int64_t change,
                             struct object *known, struct why *why)
{
    AUTO_VAL(object) before = { .class = known->class };
    AUTO_BUF roles = { 0 };
    const struct object_change changed = { &before, known, true };
    if (object_number(known, "enabled") != 1 && !FAULT(oidc_disabled))
        return fail(why, ERR_SIGN_IN, "%s is disabled here", object_text(known, "name"));
    roles_append(&roles, entering->asked->person->roles);
    if (strcmp(object_text(known, "roles"), buf_text(&roles)) == 0)
        return OK;
    object_copy(&before, known);
    object_set(known, "roles", buf_bytes(&roles));
    change_stamp(known, change, entering->asked->now);
    TRY(object_save(tx, known, why));
    return known->class->after(tx, &changed, why);
}

static void session_fill(const struct object *administrator, int64_t now, struct session *ret)
{
    snprintf(ret->administrator, sizeof(ret->administrator), "%s", object_id(administrator));
    snprintf(ret->name, sizeof(ret->name), "%s", object_text(administrator, "name"));
    ret->roles = roles_of(object_text(administrator, "roles"));
    ret->created_at = now;
}

static enum err enter_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct entering *entering = arg;
    AUTO_VAL(object) administrator = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(known_find(tx, entering->asked->person, &administrator, why));
    TRY(administrator.class ? known_update(tx, entering, change, &administrator, why)
                            : made_new(tx, entering, change, &administrator, why));
    session_fill(&administrator, entering->asked->now, &entering->made.session);
    return session_new_keep(tx, &entering->made, entering->asked->peer, why);
}

enum err oidc_enter(const struct oidc_entering *asked, char ret_token[static BEARER_TEXT], struct why *why)
{
    struct entering entering = { .asked = asked };
    struct why inner = { 0 };
    TRY(uuid_make(entering.id, why));
    TRY(session_new_make(&entering.made, ret_token, why));
    enum err err = store_write(asked->mdm->store, enter_work, &entering, &inner);
    bool theirs = err == ERR_CONFLICT || err == ERR_VALUE;
    return err == OK ? OK : fail(why, theirs ? ERR_SIGN_IN : err, "%s", inner.text);
}
