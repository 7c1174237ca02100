/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail, as administrators read it. */
#include "ca/audit.h"
#include "ca/right_store.h"
#include "ca/verbs.h"

#include "base/fault.h"
#include <stdlib.h>

static const struct verb_column columns[] = {
    { "id", COLUMN_INT },      { "at", COLUMN_TIME },     { "actor", COLUMN_TEXT }, { "action", COLUMN_TEXT },
    { "object", COLUMN_TEXT }, { "detail", COLUMN_TEXT }, { "node", COLUMN_TEXT },  { "ca", COLUMN_TEXT },
};

struct wanted {
    const char *issuer; /* AUDIT_NO_CA: of the templates */
    int64_t before, since, limit;
    char *action, *actor, *of; /* NULL: any */
};

static void wanted_free(struct wanted *wanted)
{
    free(wanted->action);
    free(wanted->actor);
    free(wanted->of);
}

/* A time, or a span until now. */
static enum err since_read(const struct ca *ca, const struct record *record, int64_t *ret, struct why *why)
{
    struct bytes text;
    int64_t span_s = 0;
    struct why ignored;
    if (!record_find(record, "since", &text))
        return OK;
    if (clock_from_rfc3339(text, ret))
        return OK;
    if (verb_span(record, "since", &span_s, &ignored) != OK)
        return fail(why, ERR_USAGE,
                    "since is \"%.*s\", allowed: a time as 2026-11-28T10:00:00Z, or a span as 12h or 30d",
                    (int)(text.len < 80 ? text.len : 80), text.data);
    *ret = clock_now(ca->clock) - span_s;
    return OK;
}

/* All CAs share the templates: who reads what became of them has the right on each. */
static enum err templates_allow(struct ca *ca, const struct ipc_caller *caller, struct why *why)
{
    AUTO_STR principal = principal_of(caller->principal);
    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct right_question question = { principal, ca->issuers[i]->name, NULL, RIGHT_AUDIT };
        TRY(right_check(ca, &question, why));
    }
    return OK;
}

static enum err wanted_read(struct ca *ca, const struct record *record, struct wanted *ret, struct why *why)
{
    struct issuer *issuer;
    TRY(verb_issuer(ca, record, &issuer, why));
    TRY(verb_limit(record, &ret->limit, why));
    TRY(verb_number(record, "before", (struct verb_range){ 1, INT64_MAX }, &ret->before, why));
    TRY(since_read(ca, record, &ret->since, why));
    TRY(verb_word(record, "action", AUDIT_ACTIONS, &ret->action, why));
    TRY(verb_word(record, "of", "ca templates", &ret->of, why));
    ret->actor = record_str(record, "actor");
    ret->issuer = ret->of && strcmp(ret->of, "templates") == 0 ? AUDIT_NO_CA : issuer->name;
    return OK;
}

enum err verb_audit_list(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                         struct why *why)
{
    struct record record;
    AUTO_VAL(wanted) wanted = { .before = INT64_MAX };
    TRY(record_get(body, &record, why));
    TRY(wanted_read(role, &record, &wanted, why));
    if (!FAULT(audit_templates) && !*wanted.issuer)
        TRY(templates_allow(role, caller, why));
    const struct verb_listing listing = {
        "SELECT audit_id, happened_at, actor, action, object, detail, node_id, issuer_id FROM audit "
        "WHERE issuer_id = $1 AND audit_id < $2 AND happened_at >= $3 AND ($4 = '' OR action = $4) "
        "AND ($5 = '' OR actor = $5) ORDER BY audit_id DESC LIMIT $6",
        S_ARGS(S_TEXT(wanted.issuer), S_INT(wanted.before), S_INT(wanted.since),
               S_TEXT(wanted.action ? wanted.action : ""), S_TEXT(wanted.actor ? wanted.actor : ""),
               S_INT(wanted.limit + 1)),
        COLUMNS(columns),
        0,
        "",
        { (size_t)wanted.limit, "id" }
    };
    return verb_list(role, &listing, ret, why);
}
