/* SPDX-License-Identifier: Apache-2.0 */
/* What a site file says, all at once: `chancery apply` and `chancery export`. The body of site_apply and the answer of
   site_export are lists of the same records:
       { kind: template, name, published, PROPERTY… }      { kind: ca_flags, ca, EDITF_ATTRIBUTEENDDATE }
   before them site_apply takes { kind: options, dry_run, prune }. */
#include "ca/flags.h"
#include "ca/right_store.h"
#include "ca/template_cache.h"
#include "ca/template_edit.h"
#include "ca/verbs.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#define OTHER_FIELDS "kind name published"

struct site {
    struct ca *ca;
    const struct ipc_caller *caller;
    struct bytes body;
    int64_t now;
    bool dry_run, prune;
    bool whole;         /* dry run: everything was fine, and is undone */
    struct buf changes; /* records */
};

static enum err yes_or_no(const struct record *record, const char *name, bool fallback, bool *ret,
                          struct why *why)
{
    AUTO_STR text = NULL;
    TRY(verb_word(record, name, "yes no", &text, why));
    *ret = text ? strcmp(text, "yes") == 0 : fallback;
    return OK;
}

static enum err options_get(struct site *site, const struct record *record, struct why *why)
{
    struct record rest = *record;
    struct record_field field;
    while (record_next_field(&rest, &field)) {
        if (!bytes_equal(field.name, BYTES_LIT("kind")) && !bytes_equal(field.name, BYTES_LIT("dry_run")) &&
            !bytes_equal(field.name, BYTES_LIT("prune")))
            return fail(why, ERR_USAGE, "there is no option \"%.*s\"", (int)field.name.len,
                        (const char *)field.name.data);
    }
    TRY(yes_or_no(record, "dry_run", false, &site->dry_run, why));
    return yes_or_no(record, "prune", false, &site->prune, why);
}

static enum err exists_check(const struct template_edit *edit, const char *name, bool *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(edit->tx, "SELECT COUNT(*) FROM template WHERE name = $1", S_ARGS(S_TEXT(name)), &rows,
                    why));
    *ret = store_int(rows, 0, 0) != 0;
    return OK;
}

static enum err template_apply_one(struct template_edit *edit, const struct record *record, struct why *why)
{
    AUTO_STR name = NULL;
    AUTO_STR published = NULL;
    bool exists;
    TRY(verb_field(record, "name", &name, why));
    TRY(verb_word(record, "published", "yes no", &published, why));
    TRY(exists_check(edit, name, &exists, why));
    const struct template_new new = { name, NULL, record, OTHER_FIELDS };
    const struct template_set set = { name, 0, record, OTHER_FIELDS };
    struct why inner = { 0 };
    enum err err = exists ? template_edit_set(edit, &set, &inner) : template_edit_new(edit, &new, &inner);
    if (err == ERR_USAGE) /* about a property, whose template it does not name */
        return fail(why, err, "template %s: %s", name, inner.text);
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    return published ? template_edit_publish(edit, name, strcmp(published, "yes") == 0, why) : OK;
}

/* The right on the CA is asked for before the verb runs; a rule of a template may say otherwise. What stays as it is needs none. */
static enum err changed_allow(const struct site *site, const struct template_edit *edit,
                              size_t changes_before, const char *name, struct why *why)
{
    if (edit->changes->len == changes_before || FAULT(apply_right))
        return OK;
    return template_allow(site->ca, site->caller, name, RIGHT_MANAGE, why);
}

static enum err template_record_apply(const struct site *site, struct template_edit *edit,
                                      const struct record *record, struct why *why)
{
    size_t before = edit->changes->len;
    AUTO_STR name = record_str(record, "name");
    TRY(template_apply_one(edit, record, why));
    return changed_allow(site, edit, before, name ? name : "", why);
}

static enum err flag_apply_one(struct site *site, struct template_edit *edit, const struct record *record,
                               const struct record_field *field, struct why *why)
{
    struct flag_change change = { .ca = site->ca, .actor = site->caller->principal };
    AUTO_STR name = xstrndup((const char *)field->name.data, field->name.len);
    AUTO_STR value = NULL;
    bool changed;
    TRY(verb_issuer(site->ca, record, &change.issuer, why));
    TRY(verb_word(record, name, "on off", &value, why));
    if (!value)
        return fail(why, ERR_USAGE, "the flag %s is empty, allowed: on off", name);
    change.name = name;
    change.on = strcmp(value, "on") == 0;
    TRY(flag_change_in(edit->tx, &change, &changed, why));
    if (!changed)
        return OK;
    size_t mark = record_begin(edit->changes);
    record_put_str(edit->changes, "action", "change");
    record_put_str(edit->changes, "object", change.issuer->name);
    record_put_str(edit->changes, "property", name);
    record_put_str(edit->changes, "old", change.on ? "off" : "on");
    record_put_str(edit->changes, "new", value);
    record_end(edit->changes, mark);
    return OK;
}

static enum err flags_apply(struct site *site, struct template_edit *edit, const struct record *record,
                            struct why *why)
{
    struct record rest = *record;
    struct record_field field;
    while (record_next_field(&rest, &field)) {
        if (!bytes_equal(field.name, BYTES_LIT("kind")) && !bytes_equal(field.name, BYTES_LIT("ca")))
            TRY(flag_apply_one(site, edit, record, &field, why));
    }
    return OK;
}

static enum err record_apply(struct site *site, struct template_edit *edit, const struct record *record,
                             struct why *why)
{
    AUTO_STR kind = NULL;
    TRY(verb_field(record, "kind", &kind, why));
    if (strcmp(kind, "template") == 0)
        return template_record_apply(site, edit, record, why);
    if (strcmp(kind, "ca_flags") == 0)
        return flags_apply(site, edit, record, why);
    if (strcmp(kind, "options") == 0)
        return options_get(site, record, why);
    return fail(why, ERR_USAGE, "kind is \"%.80s\", allowed: options template ca_flags", kind);
}

/* How often the body names this template: it is a list of a few dozen at most. */
static size_t times_named(struct der_reader list, struct bytes name)
{
    struct record record;
    struct bytes kind, found;
    size_t times = 0;
    while (records_next(&list, &record)) {
        if (record_find(&record, "kind", &kind) && bytes_equal(kind, BYTES_LIT("template")) &&
            record_find(&record, "name", &found) && bytes_equal(found, name))
            times++;
    }
    return times;
}

static enum err twice_check(struct der_reader list, struct why *why)
{
    struct der_reader all = list;
    struct record record;
    struct bytes name;
    size_t count = 0;
    while (records_next(&list, &record)) {
        if (record_find(&record, "name", &name) && ++count > LIMIT_SITE_TEMPLATES)
            return fail(why, ERR_LIMIT, "the site file has more than %d templates: apply it in parts",
                        LIMIT_SITE_TEMPLATES);
        if (record_find(&record, "name", &name) && times_named(all, name) > 1)
            return fail(why, ERR_USAGE, "template %.*s is there twice", (int)name.len,
                        (const char *)name.data);
    }
    return OK;
}

/* Those of the roles are the service's, not the file's. */
static enum err prune_one(const struct site *site, struct template_edit *edit, const char *name,
                          struct why *why)
{
    size_t before = edit->changes->len;
    AUTO_STR role = NULL;
    TRY(template_edit_role_of(edit, name, &role, why));
    if (role && !FAULT(prune_of_role))
        return OK;
    TRY(template_edit_delete(edit, name, why));
    return changed_allow(site, edit, before, name, why);
}

/* After what is made and changed: a template may be gone from another's `superseded` by now. */
static enum err prune(const struct site *site, struct template_edit *edit, struct der_reader list,
                      struct why *why)
{
    AUTO(store_rows) rows = NULL;
    if (!site->prune)
        return OK;
    TRY(store_query(edit->tx, "SELECT name FROM template ORDER BY name", S_NO_ARGS, &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        const char *name = store_str(rows, row, 0);
        if (times_named(list, bytes_str(name)) == 0)
            TRY(prune_one(site, edit, name, why));
    }
    return OK;
}

static enum err answer_check(size_t len, const char *what, struct why *why)
{
    if (len > LIMIT_SITE_ANSWER_BYTES)
        return fail(why, ERR_LIMIT, "the %s has %zu octets, limit %d: take it in parts", what, len,
                    LIMIT_SITE_ANSWER_BYTES);
    return OK;
}

static enum err site_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct site *site = arg;
    struct template_edit edit = { site->ca, tx, site->caller->principal, site->now, &site->changes };
    struct der_reader list, all;
    struct record record;
    buf_clear(&site->changes);
    site->whole = false;
    TRY(records_get(site->body, &list, why));
    TRY(twice_check(list, why));
    all = list;
    while (records_next(&list, &record))
        TRY(record_apply(site, &edit, &record, why));
    TRY(prune(site, &edit, all, why));
    TRY(template_edit_check_superseded(&edit, why));
    /* Before it is done: an answer that fits no frame would leave the administrator without one. */
    TRY(answer_check(site->changes.len, "difference", why));
    site->whole = true;
    /* A dry run does all of it, so that it meets whatever the real one would, and is rolled back. */
    return site->dry_run && !FAULT(dry_run) ? fail(why, ERR_DENIED, "a dry run") : OK;
}

enum err verb_site_apply(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct ca *ca = role;
    struct site site = { .ca = ca, .caller = caller, .body = body, .now = clock_now(ca->clock) };
    struct why inner = { 0 };
    enum err err = store_write(ca->store, site_work, &site, &inner);
    AUTO_BUF changes = TAKE_BUF(site.changes);
    template_cache_forget(ca->templates);
    if (err != OK && !(site.dry_run && site.whole))
        return fail(why, err, "%s", inner.text);
    TRY(flags_load(ca, why));
    if (site.prune)
        TRY(rights_reload(ca, why));
    if (!site.dry_run)
        log_info(NULL, "site file applied by=%s", caller->principal);
    size_t list = records_begin(ret);
    buf_append(ret, buf_bytes(&changes));
    records_end(ret, list);
    return OK;
}

static void flags_put(const struct ca *ca, struct buf *out)
{
    for (size_t i = 0; i < ca->issuer_count; i++) {
        size_t mark = record_begin(out);
        record_put_str(out, "kind", "ca_flags");
        record_put_str(out, "ca", ca->issuers[i]->name);
        record_put_str(out, FLAG_ATTRIBUTE_END_DATE,
                       atomic_load(&ca->issuers[i]->attribute_end_date) ? "on" : "off");
        record_end(out, mark);
    }
}

static void template_put(const struct template *template, struct buf *out)
{
    size_t mark = record_begin(out);
    record_put_str(out, "kind", "template");
    record_put_str(out, "name", template->name);
    record_put_str(out, "published", template->published ? "yes" : "no");
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++) {
        AUTO_BUF text = { 0 };
        template_property_text(template, &template_properties[i], &text);
        record_put(out, template_properties[i].name, buf_bytes(&text));
    }
    record_end(out, mark);
}

struct exporting {
    const char *name; /* NULL: all */
    struct buf out;
};

static enum err export_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct exporting *exporting = arg;
    AUTO(store_rows) rows = NULL;
    buf_clear(&exporting->out);
    TRY(store_query(tx, "SELECT " TEMPLATE_COLUMNS " FROM template ORDER BY name", S_NO_ARGS, &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        AUTO(template) template = NULL;
        TRY(template_from_row(rows, row, &template, why));
        if (!exporting->name || strcmp(exporting->name, template->name) == 0)
            template_put(template, &exporting->out);
    }
    if (exporting->name && !exporting->out.len)
        return fail(why, ERR_NOT_FOUND, "there is no template %s", exporting->name);
    return answer_check(exporting->out.len, "export", why);
}

/* The field name, when there: that template alone. */
enum err verb_site_export(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct ca *ca = role;
    struct record record;
    (void)caller;
    TRY(record_get(body, &record, why));
    AUTO_STR name = record_str(&record, "name");
    struct exporting exporting = { .name = name };
    enum err err = store_read(ca->store, export_work, &exporting, why);
    AUTO_BUF out = TAKE_BUF(exporting.out);
    if (err != OK)
        return err;
    if (!name)
        flags_put(ca, &out);
    size_t list = records_begin(ret);
    buf_append(ret, buf_bytes(&out));
    records_end(ret, list);
    return OK;
}
