/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/template_edit.h"

#include "base/fault.h"
#include "ca/audit.h"
#include "ca/right_store.h"
#include "ca/template_check.h"

/* Templates are the whole role's: the rows of their audit trail name no CA. */

static bool is_listed(const char *words, struct bytes word)
{
    AUTO_STR list = xstrdup(words);
    char *rest = list;
    for (char *each = strsep(&rest, " "); each; each = strsep(&rest, " ")) {
        if (*each && bytes_equal(bytes_str(each), word))
            return true;
    }
    return false;
}

enum err template_assign(struct template *template, const struct record *record, const char *skip,
                         struct why *why)
{
    struct record rest = *record;
    struct record_field field;
    unsigned seen = 0;
    while (record_next_field(&rest, &field)) {
        if (is_listed(skip, field.name))
            continue;
        const struct property *property = template_property_find(field.name);
        if (!property)
            return fail(why, ERR_USAGE, "a template has no property \"%.*s\"", (int)field.name.len,
                        (const char *)field.name.data);
        unsigned bit = 1u << (property - template_properties);
        if (seen & bit)
            return fail(why, ERR_USAGE, "%s is given twice", property->name);
        seen |= bit;
        TRY(template_property_set(template, property, field.value, why));
    }
    return template_complete(template, why);
}

struct difference {
    const char *action, *object, *property, *old, *new;
};

static void change_put(struct buf *out, const struct difference *difference)
{
    size_t mark = record_begin(out);
    record_put_str(out, "action", difference->action);
    record_put_str(out, "object", difference->object);
    record_put_str(out, "property", difference->property);
    record_put_str(out, "old", difference->old);
    record_put_str(out, "new", difference->new);
    record_end(out, mark);
}

/* old NULL: all of them are new. false when nothing differs. */
static bool differences_put(const struct template *old, const struct template *new, struct buf *changes,
                            struct buf *detail)
{
    bool differs = false;
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++) {
        const struct property *property = &template_properties[i];
        AUTO_BUF before = { 0 }, after = { 0 };
        if (old)
            template_property_text(old, property, &before);
        template_property_text(new, property, &after);
        if (bytes_equal(buf_bytes(&before), buf_bytes(&after)))
            continue;
        differs = true;
        change_put(changes, &(struct difference){ old ? "change" : "make", new->name, property->name,
                                                  buf_text(&before), buf_text(&after) });
        AUTO_STR line = xasprintf("%s%s: \"%s\" -> \"%s\"", detail->len ? "; " : "", property->name,
                                  buf_text(&before), buf_text(&after));
        buf_append_str(detail, line);
    }
    return differs;
}

static enum err audit(const struct template_edit *edit, const char *action, const struct template *template,
                      const char *detail, struct why *why)
{
    AUTO_STR object = xasprintf("template %s version %lld", template->name, (long long)template->version);
    struct audit_entry entry = { AUDIT_NO_CA, edit->actor, action, object, detail };
    return FAULT(template_audit) ? OK : audit_write(edit->tx, edit->ca, &entry, why);
}

enum err template_edit_new(struct template_edit *edit, const struct template_new *new, struct why *why)
{
    AUTO(template) template = NULL;
    AUTO_BUF detail = { 0 };
    const struct template_change change = { edit->actor, edit->now };
    TRY(template_name_check(new->name, why));
    if (new->from)
        TRY(template_row_load(edit->tx, new->from, &template, why));
    else
        template = template_default(new->name);
    free(template->name);
    free(template->display_name);
    template->name = xstrdup(new->name);
    template->display_name = xstrdup(new->name);
    template->published = false;
    free(template->oid_text); /* an OID names one template */
    template->oid_text = xstrdup("");
    TRY(template_assign(template, new->record, new->skip, why));
    TRY(template_check(edit->ca, template, why));
    TRY(template_row_insert(edit->tx, template, &change, why));
    differences_put(NULL, template, edit->changes, &detail);
    return audit(edit, "template_new", template, buf_text(&detail), why);
}

enum err template_edit_set(struct template_edit *edit, const struct template_set *set, struct why *why)
{
    AUTO(template) old = NULL;
    AUTO(template) new = NULL;
    AUTO_BUF detail = { 0 };
    const struct template_change change = { edit->actor, edit->now };
    TRY(template_row_load(edit->tx, set->name, &old, why));
    TRY(template_row_load(edit->tx, set->name, &new, why));
    if (!FAULT(template_expect_version) && set->expect_version && set->expect_version != old->version)
        return fail(why, ERR_CHANGED, "template %s has version %lld, expected was %lld", set->name,
                    (long long)old->version, (long long)set->expect_version);
    TRY(template_assign(new, set->record, set->skip, why));
    if (!differences_put(old, new, edit->changes, &detail))
        return OK;
    TRY(template_check(edit->ca, new, why));
    TRY(template_row_replace(edit->tx, new, &change, why));
    return audit(edit, "template_set", new, buf_text(&detail), why);
}

enum err template_edit_publish(struct template_edit *edit, const char *name, bool publish, struct why *why)
{
    AUTO(template) template = NULL;
    int64_t changed = 0;
    TRY(template_row_load(edit->tx, name, &template, why));
    TRY(store_exec(edit->tx, "UPDATE template SET published = $1 WHERE name = $2 AND published <> $1",
                   S_ARGS(S_INT(publish), S_TEXT(name)), &changed, why));
    if (changed == 0)
        return OK;
    change_put(edit->changes, &(struct difference){ "change", name, "published", publish ? "no" : "yes",
                                                    publish ? "yes" : "no" });
    return audit(edit, publish ? "template_publish" : "template_unpublish", template, "", why);
}

static enum err slots_check(const struct template_edit *edit, const char *name, struct why *why)
{
    for (size_t i = 0; i < edit->ca->endpoint_count; i++) {
        const struct endpoint *endpoint = edit->ca->endpoints[i];
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            if (endpoint->slots[slot] && strcmp(endpoint->slots[slot], name) == 0)
                return fail(why, ERR_WRONG_STATE, "template %s is the %s of endpoint %s", name,
                            slot_name((enum slot)slot), endpoint->name);
        }
    }
    return OK;
}

static enum err waiting_check(const struct template_edit *edit, const char *name, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        edit->tx,
        "SELECT COUNT(*) FROM request WHERE template = $1 AND disposition IN ('sealing', 'pending')",
        S_ARGS(S_TEXT(name)), &rows, why));
    if (!FAULT(template_waited_for) && store_int(rows, 0, 0))
        return fail(why, ERR_WRONG_STATE, "%lld requests of template %s wait: decide them first",
                    (long long)store_int(rows, 0, 0), name);
    return OK;
}

static enum err superseding_check(const struct template_edit *edit, const char *name, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(edit->tx, "SELECT name, superseded FROM template WHERE superseded <> ''", S_NO_ARGS,
                    &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        if (is_listed(store_str(rows, row, 1), bytes_str(name)))
            return fail(why, ERR_WRONG_STATE, "template %s is named by superseded of template %s", name,
                        store_str(rows, row, 0));
    }
    return OK;
}

enum err template_edit_role_of(struct template_edit *edit, const char *name, char **ret, struct why *why)
{
    AUTO_STR object = xasprintf("template/%s", name);
    AUTO(store_rows) rows = NULL;
    TRY(store_query(edit->tx,
                    "SELECT principal FROM right_rule WHERE object = $1 AND principal LIKE 'role/%' "
                    "AND (allowed & $2) <> 0 ORDER BY principal LIMIT 1",
                    S_ARGS(S_TEXT(object), S_INT(RIGHT_ENROLL)), &rows, why));
    *ret = store_rows_count(rows) ? xstrdup(store_str(rows, 0, 0)) : NULL;
    return OK;
}

/* Without it the role's certificate would end and never be renewed: no enrolment, or no OCSP. */
static enum err roles_check(struct template_edit *edit, const char *name, struct why *why)
{
    AUTO_STR role = NULL;
    TRY(template_edit_role_of(edit, name, &role, why));
    if (role && !FAULT(template_of_role))
        return fail(
            why, ERR_WRONG_STATE,
            "%s has certificates of its own by template %s: if it needs none any more, chancery right "
            "revoke %s enroll --template %s comes first",
            role, name, role, name);
    return OK;
}

enum err template_edit_delete(struct template_edit *edit, const char *name, struct why *why)
{
    AUTO(template) template = NULL;
    TRY(template_row_load(edit->tx, name, &template, why));
    if (!FAULT(template_in_use)) {
        TRY(slots_check(edit, name, why));
        TRY(superseding_check(edit, name, why));
    }
    TRY(waiting_check(edit, name, why));
    TRY(roles_check(edit, name, why));
    TRY(rights_forget_template(edit->tx, edit->ca, name, edit->actor, why));
    TRY(store_exec(edit->tx, "DELETE FROM template WHERE name = $1", S_ARGS(S_TEXT(name)), NULL, why));
    change_put(edit->changes, &(struct difference){ "remove", name, "", "", "" });
    return audit(edit, "template_delete", template, "", why);
}

static enum err superseded_exist(struct template_edit *edit, const char *name, const char *superseded,
                                 struct why *why)
{
    AUTO_STR words = xstrdup(superseded);
    char *rest = words;
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        AUTO(template) other = NULL;
        if (*word && strcmp(word, name) == 0)
            return fail(why, ERR_TEMPLATE_PROPERTY, "template %s: superseded names itself", name);
        if (*word && template_row_load(edit->tx, word, &other, why) != OK)
            return fail(why, ERR_TEMPLATE_PROPERTY,
                        "template %s: superseded names %s, and there is no such template", name, word);
    }
    return OK;
}

enum err template_edit_check_superseded(struct template_edit *edit, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(edit->tx, "SELECT name, superseded FROM template WHERE superseded <> ''", S_NO_ARGS,
                    &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++)
        TRY(superseded_exist(edit, store_str(rows, row, 0), store_str(rows, row, 1), why));
    return OK;
}
