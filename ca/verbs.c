/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs, and what they share. */
#include "ca/verbs.h"

#include "base/encode.h"
#include "base/limits.h"
#include <ctype.h>
#include <stdlib.h>

#define HOUR_S 3600
#define DAY_S  (24 * HOUR_S)
#define PAGE_BYTES                                                                                           \
    (LIMIT_FRAME_BYTES / 2) /* a page ends after the row that exceeds it, so that it fits into a frame */
#define SPAN_MAX_S (36500LL * DAY_S) /* a century: longer than anything lasts */

/* clang-format off */
/* name, principals, run, start, the right it needs, on what */
#define VERBS(X) \
    X("request",            "scep",    NULL, verb_request,            REQUEST, ON_ENROLMENT) \
    X("poll",               "scep",    verb_poll, NULL,               REQUEST, ON_POLL) \
    X("get_cert",           "scep",    verb_get_cert, NULL,           READ,    ON_ENDPOINT) \
    X("get_crl",            "scep",    verb_get_crl, NULL,            READ,    ON_ENDPOINT) \
    X("request_list",       "cli",     verb_request_list, NULL,       READ,    ON_CA) \
    X("request_show",       "cli",     verb_request_show, NULL,       READ,    ON_REQUEST) \
    X("request_export",     "cli",     verb_request_export, NULL,     READ,    ON_REQUEST) \
    X("request_approve",    "cli",     verb_request_approve, NULL,    ISSUE,   ON_REQUEST) \
    X("request_deny",       "cli",     verb_request_deny, NULL,       ISSUE,   ON_REQUEST) \
    X("refusal_list",       "cli",     verb_refusal_list, NULL,       READ,    ON_EVERY_CA) \
    X("cert_list",          "cli",     verb_cert_list, NULL,          READ,    ON_CA) \
    X("cert_show",          "cli",     verb_cert_show, NULL,          READ,    ON_CERTIFICATE) \
    X("cert_export",        "cli",     verb_cert_export, NULL,        READ,    ON_CERTIFICATE) \
    X("cert_revoke",        "cli",     verb_cert_revoke, NULL,        ISSUE,   ON_CERTIFICATE) \
    X("template_list",      "cli",     verb_template_list, NULL,      READ,    ON_EVERY_CA) \
    X("template_show",      "cli",     verb_template_show, NULL,      READ,    ON_TEMPLATE) \
    X("site_export",        "cli",     verb_site_export, NULL,        READ,    ON_EVERY_CA) \
    X("crl_publish",        "cli",     verb_crl_publish, NULL,        MANAGE,  ON_CA) \
    X("crl_show",           "cli",     verb_crl_show, NULL,           READ,    ON_CA) \
    X("crl_export",         "cli",     verb_crl_export, NULL,         READ,    ON_CA) \
    X("password_new",       "cli",     verb_password_new, NULL,       ISSUE,   ON_ENDPOINT) \
    X("status",             "cli",     verb_status, NULL,             READ,    ON_EVERY_CA) \
    X("issue",              "scep va mdm connector", NULL, verb_issue, REQUEST, ON_CA) \
    X("ca_get",             "va",      verb_ca_get, NULL,             READ,    ON_CA) \
    X("status_get",         "va scep", verb_status_get, NULL,         READ,    ON_CA) \
    X("status_changes",     "va",      verb_status_changes, NULL,     READ,    ON_CA) \
    X("crl_get",            "va",      verb_crl_get, NULL,            READ,    ON_CA) \
    X("cert_release",       "cli",     verb_cert_release, NULL,       ISSUE,   ON_CERTIFICATE) \
    X("template_new",       "cli",     verb_template_new, NULL,       MANAGE,  ON_EVERY_CA) \
    X("template_set",       "cli",     verb_template_set, NULL,       MANAGE,  ON_TEMPLATE) \
    X("template_publish",   "cli",     verb_template_publish, NULL,   MANAGE,  ON_TEMPLATE) \
    X("template_unpublish", "cli",     verb_template_unpublish, NULL, MANAGE,  ON_TEMPLATE) \
    X("template_delete",    "cli",     verb_template_delete, NULL,    MANAGE,  ON_TEMPLATE) \
    X("site_apply",         "cli",     verb_site_apply, NULL,         MANAGE,  ON_EVERY_CA) \
    X("ca_flags",           "cli",     verb_ca_flags, NULL,           MANAGE,  ON_CA) \
    X("right_list",         "cli",     verb_right_list, NULL,         READ,    ON_CA) \
    X("right_grant",        "cli",     verb_right_grant, NULL,        MANAGE,  ON_CA) \
    X("right_revoke",       "cli",     verb_right_revoke, NULL,       MANAGE,  ON_CA) \
    X("right_deny",         "cli",     verb_right_deny, NULL,         MANAGE,  ON_CA) \
    X("authority_list",     "cli",     verb_authority_list, NULL,     READ,    ON_CA) \
    X("authority_show",     "cli",     verb_authority_show, NULL,     READ,    ON_CA) \
    X("authority_add",      "cli",     verb_authority_add, NULL,      MANAGE,  ON_CA) \
    X("authority_set",      "cli",     verb_authority_set, NULL,      MANAGE,  ON_CA) \
    X("authority_remove",   "cli",     verb_authority_remove, NULL,   MANAGE,  ON_CA) \
    X("request_resubmit",   "cli",     verb_request_resubmit, NULL,   ISSUE,   ON_REQUEST) \
    X("signer_status",      "cli",     verb_signer_status, NULL,      READ,    ON_EVERY_CA) \
    X("request_submit",     "cli",     NULL, verb_request_submit,     REQUEST, ON_CA) \
    X("audit_list",         "cli",     verb_audit_list, NULL,         AUDIT,   ON_CA) \
    X("crp_get",            "mdm connector", verb_crp_get, NULL,      REQUEST, ON_CA) \
    X("authority_successor", "mdm connector", verb_authority_successor, NULL, REQUEST, ON_CA) \
    X("authorisation_end",  "mdm connector", verb_authorisation_end, NULL, REQUEST, ON_CA) \
    X("outbox_lease",       "mdm connector", verb_outbox_lease, NULL, REQUEST, ON_CA) \
    X("outbox_done",        "mdm connector", verb_outbox_done, NULL,  REQUEST, ON_CA) \
    X("authority_revoke",   "mdm connector", verb_authority_revoke, NULL, REQUEST, ON_CA) \
    X("challenge_claim",    "scep",    verb_challenge_claim, NULL,    REQUEST, ON_CA) \
    X("challenge_close",    "scep",    verb_challenge_close, NULL,    REQUEST, ON_CA) \
    X("tls_renew",          "scep mdm", NULL, verb_tls_renew,         REQUEST, ON_SELF)
/* clang-format on */

#define VERB(name, principals, run, start, right, on) { name, principals, run, start },
#define RULE(name, principals, run, start, right, on) { RIGHT_##right, on },
const struct ipc_verb ca_verbs[] = { VERBS(VERB) };
const struct verb_rule ca_verb_rules[] = { VERBS(RULE) };
const size_t ca_verb_count = sizeof(ca_verbs) / sizeof(*ca_verbs);

/* The one CA that endpoints issue from: whom an administrator means who names none. NULL when there are several, or none. */
static struct issuer *issuer_of_endpoints(const struct ca *ca)
{
    struct issuer *only = ca->endpoint_count ? ca->endpoints[0]->issuer : NULL;
    for (size_t i = 1; only && i < ca->endpoint_count; i++) {
        if (ca->endpoints[i]->issuer != only)
            only = NULL;
    }
    return only;
}

enum err verb_issuer(struct ca *ca, const struct record *record, struct issuer **ret, struct why *why)
{
    struct bytes name;
    if (!record_find(record, "ca", &name) || !name.len) {
        struct issuer *only = ca->issuer_count == 1 ? ca->issuers[0] : issuer_of_endpoints(ca);
        if (!only)
            return fail(why, ERR_USAGE, "there are %zu CAs: name one with --ca", ca->issuer_count);
        *ret = only;
        return OK;
    }
    struct issuer *issuer = ca_find_issuer(ca, name);
    if (!issuer)
        return fail(why, ERR_NOT_FOUND, "there is no ca %.*s", (int)name.len, name.data);
    *ret = issuer;
    return OK;
}

enum err verb_field(const struct record *record, const char *name, char **ret, struct why *why)
{
    char *text = record_str(record, name);
    if (!text || !*text) {
        free(text);
        return fail(why, ERR_USAGE, "the field %s is missing", name);
    }
    *ret = text;
    return OK;
}

static enum err word_judge(const char *name, const char *words, const char *word, struct why *why)
{
    AUTO_STR all = xasprintf(" %s ", words);
    AUTO_STR wanted = xasprintf(" %s ", word);
    if (!*word || strchr(word, ' ') || !strstr(all, wanted))
        return fail(why, ERR_USAGE, "%s is \"%.80s\", allowed: %s", name, word, words);
    return OK;
}

enum err verb_word(const struct record *record, const char *name, const char *words, char **ret,
                   struct why *why)
{
    AUTO_STR word = record_str(record, name);
    if (!word || !*word)
        return OK;
    TRY(word_judge(name, words, word, why));
    *ret = TAKE(word);
    return OK;
}

enum err verb_span(const struct record *record, const char *name, int64_t *ret, struct why *why)
{
    AUTO_STR text = record_str(record, name);
    if (!text)
        return OK;
    char *unit;
    long long count = strtoll(text, &unit, 10);
    int64_t unit_s = strcmp(unit, "d") == 0 ? DAY_S : strcmp(unit, "h") == 0 ? HOUR_S : 0;
    if (!isdigit((unsigned char)*text) || !unit_s || count < 1 || count > SPAN_MAX_S / unit_s)
        return fail(why, ERR_USAGE, "%s is \"%.80s\", allowed: 1h to %lldd, in hours or days", name, text,
                    SPAN_MAX_S / DAY_S);
    *ret = count * unit_s;
    return OK;
}

enum err verb_number(const struct record *record, const char *name, struct verb_range range, int64_t *ret,
                     struct why *why)
{
    AUTO_STR text = record_str(record, name);
    if (!text)
        return OK;
    int64_t number = record_int(record, name, -1); /* -1: no number */
    if (number < range.least || number > range.most)
        return fail(why, ERR_USAGE, "%s is \"%.80s\", allowed: %lld to %lld", name, text,
                    (long long)range.least, (long long)range.most);
    *ret = number;
    return OK;
}

enum err verb_limit(const struct record *record, int64_t *ret, struct why *why)
{
    *ret = LIST_DEFAULT;
    return verb_number(record, "limit", (struct verb_range){ 1, LIST_MAX }, ret, why);
}

static void column_put(const struct store_rows *rows, size_t row, size_t column,
                       const struct verb_column *what, struct buf *out)
{
    switch (what->kind) {
    case COLUMN_TEXT:
        record_put(out, what->name, store_bytes(rows, row, column));
        return;
    case COLUMN_INT:
        record_put_int(out, what->name, store_int(rows, row, column));
        return;
    case COLUMN_TIME:
        record_put_time(out, what->name, store_int(rows, row, column));
        return;
    case COLUMN_BASE64:
        break;
    }
    AUTO_BUF text = { 0 };
    base64_append(&text, store_bytes(rows, row, column));
    record_put(out, what->name, buf_bytes(&text));
}

static void more_put(const struct store_rows *rows, size_t last, const struct verb_listing *listing,
                     struct buf *out)
{
    AUTO_BUF before = { 0 };
    for (size_t column = 0; listing->page.cursor && column < listing->column_count; column++) {
        if (strcmp(listing->columns[column].name, listing->page.cursor) == 0)
            buf_printf(&before, "%lld", (long long)store_int(rows, last, column));
    }
    size_t mark = record_begin(out);
    record_put(out, "more", buf_bytes(&before));
    record_end(out, mark);
}

struct list_arg {
    const struct verb_listing *listing;
    struct buf out;
    size_t count;
};

static bool page_is_full(const struct list_arg *list)
{
    size_t limit = list->listing->page.limit;
    return limit && (list->count == limit || list->out.len > PAGE_BYTES);
}

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct list_arg *list = arg;
    const struct verb_listing *listing = list->listing;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, listing->sql, listing->args, &rows, why));
    buf_clear(&list->out);
    size_t whole = records_begin(&list->out), found = store_rows_count(rows);
    for (list->count = 0; list->count < found && !page_is_full(list); list->count++) {
        size_t mark = record_begin(&list->out);
        for (size_t column = 0; column < listing->column_count; column++)
            column_put(rows, list->count, column, &listing->columns[column], &list->out);
        record_end(&list->out, mark);
    }
    if (list->count < found)
        more_put(rows, list->count - 1, listing, &list->out);
    records_end(&list->out, whole);
    return OK;
}

enum err verb_list(struct ca *ca, const struct verb_listing *listing, struct buf *ret, struct why *why)
{
    struct list_arg list = { .listing = listing };
    enum err err = store_read(ca->store, list_work, &list, why);
    AUTO_BUF out = TAKE_BUF(list.out);
    if (err != OK)
        return err;
    if (list.count < listing->least)
        return fail(why, ERR_NOT_FOUND, "%s", listing->absent);
    *ret = TAKE_BUF(out);
    return OK;
}

/* The words that are asked for, views into the text, which the caller frees. What is left over repeats the first. */
static enum err filter_words(const struct record *record, const struct verb_filter *filter, char **ret_text,
                             const char *ret[static FILTER_WORDS], struct why *why)
{
    AUTO_STR text = record_str(record, filter->field);
    if (!text && filter->alias)
        text = record_str(record, filter->alias);
    bool any = !text || !*text;
    if (any) {
        free(text);
        text = xstrdup(filter->words);
    }
    size_t count = 0;
    char *rest = text;
    for (char *word; (word = strsep(&rest, any ? " " : ",")); count++) {
        TRY(word_judge(filter->field, filter->words, word, why));
        if (count < FILTER_WORDS)
            ret[count] = word;
    }
    if (count > FILTER_WORDS)
        return fail(why, ERR_USAGE, "%s has %zu words, limit %d", filter->field, count, FILTER_WORDS);
    for (; count < FILTER_WORDS; count++)
        ret[count] = ret[0];
    *ret_text = TAKE(text);
    return OK;
}

enum err verb_filtered(struct ca *ca, const struct verb_filter *filter, struct bytes body, struct buf *ret,
                       struct why *why)
{
    struct record record;
    struct issuer *issuer;
    int64_t limit, before = INT64_MAX;
    const char *w[FILTER_WORDS];
    AUTO_STR text = NULL;
    TRY(record_get(body, &record, why));
    TRY(verb_issuer(ca, &record, &issuer, why));
    TRY(verb_limit(&record, &limit, why));
    TRY(verb_number(&record, "before", (struct verb_range){ 1, INT64_MAX }, &before, why));
    TRY(filter_words(&record, filter, &text, w, why));
    struct verb_listing listing = { .sql = filter->sql,
                                    .args = S_ARGS(S_TEXT(issuer->name), S_INT(before), S_TEXT(w[0]),
                                                   S_TEXT(w[1]), S_TEXT(w[2]), S_TEXT(w[3]), S_TEXT(w[4]),
                                                   S_INT(limit + 1)),
                                    .columns = filter->columns,
                                    .column_count = filter->column_count,
                                    .page = { (size_t)limit, filter->cursor } };
    return verb_list(ca, &listing, ret, why);
}

void verb_put_pem(struct buf *ret, const char *label, struct bytes der)
{
    AUTO_BUF pem = { 0 };
    pem_append(&pem, label, der);
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put(ret, "pem", buf_bytes(&pem));
    record_end(ret, mark);
    records_end(ret, list);
}
