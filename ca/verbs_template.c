/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, as administrators see and change them. */
#include "ca/right_store.h"
#include "ca/template_cache.h"
#include "ca/template_edit.h"
#include "ca/verbs.h"

#include "base/fault.h"
#include "base/log.h"

#define OTHER_FIELDS "name from expect-version" /* of a record that sets properties */

static const struct verb_column template_columns[] = {
    { "name", COLUMN_TEXT },   { "display_name", COLUMN_TEXT }, { "purpose", COLUMN_TEXT },
    { "version", COLUMN_INT }, { "published", COLUMN_TEXT },    { "changed", COLUMN_TIME },
};

enum err verb_template_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    struct record record;
    (void)caller;
    TRY(record_get(body, &record, why));
    struct verb_listing listing = { "SELECT name, display_name, purpose, version, "
                                    "CASE WHEN published = 1 THEN 'yes' ELSE 'no' END, changed_at "
                                    "FROM template ORDER BY name",
                                    S_NO_ARGS,
                                    COLUMNS(template_columns),
                                    0,
                                    "",
                                    { 0 } };
    return verb_list(role, &listing, ret, why);
}

/* 0: it is not said. */
static enum err version_get(const struct record *record, const char *name, int64_t *ret, struct why *why)
{
    *ret = 0;
    return verb_number(record, name, (struct verb_range){ 1, INT64_MAX }, ret, why);
}

static void template_put(const struct template *template, struct buf *out)
{
    size_t list = records_begin(out), mark = record_begin(out);
    record_put_str(out, "name", template->name);
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++) {
        AUTO_BUF text = { 0 };
        template_property_text(template, &template_properties[i], &text);
        record_put(out, template_properties[i].name, buf_bytes(&text));
    }
    record_put_int(out, "version", template->version);
    record_put_str(out, "published", template->published ? "yes" : "no");
    record_end(out, mark);
    records_end(out, list);
}

enum err verb_template_show(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                            struct why *why)
{
    struct ca *ca = role;
    struct record record;
    int64_t version;
    AUTO_STR name = NULL;
    AUTO(template) template = NULL;
    (void)caller;
    TRY(record_get(body, &record, why));
    TRY(verb_field(&record, "name", &name, why));
    TRY(version_get(&record, "version", &version, why));
    TRY(version ? template_version_load(ca->store, name, version, &template, why)
                : template_load(ca->store, bytes_str(name), &template, why));
    template_put(template, ret);
    return OK;
}

/* One command on one template. */
struct command {
    struct ca *ca;
    const char *actor, *name, *from;
    enum { NEW, SET, PUBLISH, UNPUBLISH, DELETE } action;
    int64_t expect_version, now;
    struct record record;
    struct buf changes;
};

static enum err command_run(struct template_edit *edit, const struct command *command, struct why *why)
{
    const struct template_new new = { command->name, command->from, &command->record, OTHER_FIELDS };
    const struct template_set set = { command->name, command->expect_version, &command->record,
                                      OTHER_FIELDS };
    switch (command->action) {
    case NEW:
        return template_edit_new(edit, &new, why);
    case SET:
        return template_edit_set(edit, &set, why);
    case PUBLISH:
    case UNPUBLISH:
        return template_edit_publish(edit, command->name, command->action == PUBLISH, why);
    case DELETE:
        break;
    }
    return template_edit_delete(edit, command->name, why);
}

static enum err command_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct command *command = arg;
    struct template_edit edit = { command->ca, tx, command->actor, command->now, &command->changes };
    buf_clear(&command->changes);
    TRY(command_run(&edit, command, why));
    return template_edit_check_superseded(&edit, why);
}

/* Done, in the log, and from now on what every endpoint issues by. */
static enum err command_do(struct command *command, const char *verb, struct why *why)
{
    struct ca *ca = command->ca;
    command->now = clock_now(ca->clock);
    enum err err = store_write(ca->store, command_work, command, why);
    if (!FAULT(template_change_at_once))
        template_cache_forget(ca->templates);
    buf_free(&command->changes);
    if (err == OK && command->action == DELETE)
        err = rights_reload(ca, why);
    if (err == OK)
        log_info(NULL, "%s template=%s by=%s", verb, command->name, command->actor);
    return err;
}

static enum err template_answer(struct ca *ca, const char *name, struct buf *ret, struct why *why)
{
    AUTO(template) template = NULL;
    TRY(template_load(ca->store, bytes_str(name), &template, why));
    template_put(template, ret);
    return OK;
}

enum err verb_template_new(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct command command = { .ca = role, .actor = caller->principal, .action = NEW };
    TRY(record_get(body, &command.record, why));
    AUTO_STR from = record_str(&command.record, "from");
    AUTO_STR name = NULL;
    TRY(verb_field(&command.record, "name", &name, why));
    command.name = name;
    command.from = from && *from ? from : NULL;
    TRY(command_do(&command, "template made", why));
    return template_answer(role, name, ret, why);
}

enum err verb_template_set(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct command command = { .ca = role, .actor = caller->principal, .action = SET };
    AUTO_STR name = NULL;
    TRY(record_get(body, &command.record, why));
    TRY(verb_field(&command.record, "name", &name, why));
    TRY(version_get(&command.record, "expect-version", &command.expect_version, why));
    command.name = name;
    TRY(command_do(&command, "template changed", why));
    return template_answer(role, name, ret, why);
}

/* The body names the template and nothing else. */
static enum err simple_command(struct command *command, struct bytes body, const char *verb, struct buf *ret,
                               struct why *why)
{
    AUTO_STR name = NULL;
    TRY(record_get(body, &command->record, why));
    TRY(verb_field(&command->record, "name", &name, why));
    command->name = name;
    enum err err = command_do(command, verb, why);
    if (err == OK && command->action != DELETE)
        err = template_answer(command->ca, name, ret, why);
    else if (err == OK)
        records_end(ret, records_begin(ret));
    command->name = NULL;
    return err;
}

enum err verb_template_publish(void *role, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret, struct why *why)
{
    struct command command = { .ca = role, .actor = caller->principal, .action = PUBLISH };
    return simple_command(&command, body, "template published", ret, why);
}

enum err verb_template_unpublish(void *role, const struct ipc_caller *caller, struct bytes body,
                                 struct buf *ret, struct why *why)
{
    struct command command = { .ca = role, .actor = caller->principal, .action = UNPUBLISH };
    return simple_command(&command, body, "template unpublished", ret, why);
}

enum err verb_template_delete(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                              struct why *why)
{
    struct command command = { .ca = role, .actor = caller->principal, .action = DELETE };
    return simple_command(&command, body, "template deleted", ret, why);
}
