/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a run, top to bottom. */
#include "mdm/ldap/run_part.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "http/json_text.h"
#include "mdm/group_store.h"
#include "mdm/user_store.h"
#include <string.h>

static void run_free(struct run *run)
{
    kept_run_free(&run->kept);
    mark_free(&run->mark);
    ldap_root_free(&run->root);
    item_list_clear(&run->batch);
    item_list_clear(&run->again);
    id_set_free(&run->users);
    id_set_free(&run->groups);
}

int64_t run_now(const struct run *run)
{
    return clock_now(run->context->clock);
}

enum err run_go_on(const struct run *run, struct why *why)
{
    const atomic_bool *stop = run->context->stop;
    return stop && atomic_load(stop) ? fail(why, ERR_UNAVAILABLE, "stopped: mdm is ending") : OK;
}

void run_warn(struct run *run, const char *entry, const char *reason)
{
    run->warned++;
    if (run->warned <= LIMIT_LDAP_WARNINGS)
        log_warn(NULL, "directory %s refused entry=\"%s\" reason=\"%s\"", run->settings->name, entry, reason);
    else if (run->warned == LIMIT_LDAP_WARNINGS + 1)
        log_warn(NULL, "directory %s refuses more: chancery directory show %s has them", run->settings->name,
                 run->settings->name);
}

/* --- reading --- */

static enum err entry_each(struct entry *entry, void *arg, struct why *why)
{
    return apply_entry(arg, entry, why);
}

static enum err class_read(struct run *run, const struct object_class *class, struct why *why)
{
    const struct ldap_settings *settings = run->settings;
    const struct ldap_reader *reader = run->context->reader;
    const char *filter = class == &user_class ? settings->user_filter : settings->group_filter;
    char **attributes = mapping_attributes(settings, class);
    AUTO_BUF changed = { 0 };
    if (!run->full)
        mark_append_filter(&changed, &run->mark, settings, filter);
    const struct ldap_search search = { settings->base, run->full ? filter : buf_text(&changed), attributes,
                                        false };
    run->class = class;
    enum err err = reader->search(reader->arg, &search, entry_each, run, why);
    free(attributes);
    TRY(err);
    return apply_rest(run, why);
}

/* Users before groups, so that groups find their members; what is gone before who is in which group, and before those that met a conflict. */
static enum err all_read(struct run *run, struct why *why)
{
    TRY(class_read(run, &user_class, why));
    TRY(class_read(run, &group_class, why));
    TRY(run->full ? deletions_full(run, why) : deletions_said(run, why));
    TRY(apply_again(run, why));
    return memberships_follow(run, why);
}

/* --- what is kept of it --- */

static char *counts_text(const struct run_counts *counts)
{
    AUTO_BUF text = { 0 };
    AUTO_JSON json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)counts->users,
        "groups", (json_int_t)counts->groups, "added", (json_int_t)counts->added, "changed",
        (json_int_t)counts->changed, "deleted", (json_int_t)counts->deleted, "members_added",
        (json_int_t)counts->members_added, "members_removed", (json_int_t)counts->members_removed, "refused",
        (json_int_t)counts->refused, "conflicts", (json_int_t)counts->conflicts, "passed_over",
        (json_int_t)counts->passed_over, "held", (json_int_t)counts->held);
    json_text_append(&text, json);
    return xstrdup(buf_text(&text));
}

static void text_set(char **text, char *owned)
{
    free(*text);
    *text = owned;
}

static enum err begin_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct run *run = arg;
    TRY(kept_run_load(tx, run->settings->name, &run->kept, why));
    run->kept.run++;
    run->kept.begun_at = run_now(run);
    return kept_run_save(tx, run->settings->name, &run->kept, why);
}

static enum err end_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct run *run = arg;
    if (run->full && strcmp(run->kept.outcome, "failed") != 0)
        TRY(kept_problems_before(tx, run->settings->name, run->kept.run, why));
    return kept_run_save(tx, run->settings->name, &run->kept, why);
}

/* Only a run that read everything moves the mark; what was held is no success, and is looked at again by a full run. */
static void outcome_set(struct run *run, enum err err, const char *detail)
{
    struct kept_run *kept = &run->kept;
    int64_t now = run_now(run);
    AUTO_VAL(mark) next = { 0 };
    text_set(&kept->kind, xstrdup(run->full ? "full" : "incremental"));
    text_set(&kept->outcome, xstrdup(err != OK ? "failed" : run->counts.held ? "held" : "succeeded"));
    text_set(&kept->detail, xstrdup(detail));
    text_set(&kept->counts, counts_text(&run->counts));
    kept->ended_at = now;
    if (err != OK && !FAULT(ldap_mark_failed))
        return;
    mark_make(run->settings, &run->root, &run->mark, run->newest, now, &next);
    text_set(&kept->mark, mark_to_text(&next));
    if (run->counts.held)
        return;
    kept->succeeded_at = now;
    if (run->full)
        kept->full_at = now;
}

static void outcome_log(const struct run *run, enum err err)
{
    const struct run_counts *counts = &run->counts;
    const struct kept_run *kept = &run->kept;
    if (err != OK)
        log_error(NULL, "directory %s not read: %s kind=%s", run->settings->name, kept->detail, kept->kind);
    else if (counts->held)
        log_error(NULL,
                  "ALARM directory %s: %lld deletions and memberships held; see the server, or allow them: "
                  "chancery "
                  "directory sync %s --allow-deletions",
                  run->settings->name, (long long)counts->held, run->settings->name);
    else if (run->full || counts->added || counts->changed || counts->deleted || counts->members_added ||
             counts->members_removed)
        log_info(NULL,
                 "directory %s read kind=%s users=%lld groups=%lld added=%lld changed=%lld deleted=%lld "
                 "members_added=%lld members_removed=%lld refused=%lld conflicts=%lld",
                 run->settings->name, kept->kind, (long long)counts->users, (long long)counts->groups,
                 (long long)counts->added, (long long)counts->changed, (long long)counts->deleted,
                 (long long)counts->members_added, (long long)counts->members_removed,
                 (long long)counts->refused, (long long)counts->conflicts);
}

/* --- one run --- */

static enum err root_read(struct run *run, struct why *why)
{
    const struct ldap_reader *reader = run->context->reader;
    TRY(reader->root(reader->arg, &run->root, why));
    if (run->settings->schema == LDAP_SCHEMA_AD && run->root.highest <= 0)
        return fail(why, ERR_PROTOCOL, "the server has no highestCommittedUSN: is it Active Directory?");
    return OK;
}

static bool full_is_due(const struct run *run, const struct run_request *request)
{
    return request->full || request->allow_deletions || strcmp(run->kept.outcome, "held") == 0 ||
           run->kept.full_at + run->settings->full_interval_s <= run_now(run) ||
           run->kept.full_at > run_now(run) || !mark_goes_on(&run->mark, run->settings, &run->root);
}

static enum err run_do(struct run *run, const struct run_request *request, struct why *why)
{
    TRY(root_read(run, why));
    run->full = full_is_due(run, request);
    return all_read(run, why);
}

static enum err run_once(const struct run_context *context, const struct run_request *request, bool *ret_full,
                         struct why *why)
{
    AUTO_VAL(run)
    run = { .context = context,
            .settings = context->settings,
            .full = request->full,
            .allow_deletions = request->allow_deletions };
    struct why inner = { 0 };
    TRY(store_write(context->store, begin_work, &run, why));
    mark_from_text(run.kept.mark, &run.mark);
    enum err err = run_do(&run, request, &inner);
    *ret_full = err == OK && run.want_full && !run.full;
    if (*ret_full) /* what it has done stays, and the mark where it was */
        return OK;
    outcome_set(&run, err, err == OK ? "" : inner.text);
    outcome_log(&run, err);
    TRY(store_write(context->store, end_work, &run, why));
    if (err != OK)
        return fail(why, err, "%s", inner.text);
    return run.counts.held ? fail(why, ERR_PARTIAL, "%lld deletions and memberships were held",
                                  (long long)run.counts.held)
                           : OK;
}

static enum err no_root(void *arg, struct ldap_root *ret, struct why *why)
{
    (void)ret;
    const struct why *failed = arg;
    return fail(why, failed->err, "%s", failed->text);
}

static enum err no_search(void *arg, const struct ldap_search *search, ldap_each each, void *each_arg,
                          struct why *why)
{
    (void)search, (void)each, (void)each_arg;
    return no_root(arg, NULL, why);
}

struct ldap_reader ldap_reader_failing(struct why *why)
{
    return (struct ldap_reader){ no_root, no_search, why };
}

enum err ldap_run(const struct run_context *context, const struct run_request *request, struct why *why)
{
    bool wants_full = false;
    TRY(run_once(context, request, &wants_full, why));
    const struct run_request full = { true, request->allow_deletions };
    return wants_full ? run_once(context, &full, &wants_full, why) : OK;
}
