/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of certificates, collected from the roles: their own from `status`, the issued ones from ca's list. */
#include "cli/expiry.h"

#include "base/clock.h"
#include "base/fault.h"
#include "ca/verbs.h"
#include "cli/status.h"

/* Requesters of the service's own certificates: those in use are in the status, others do not matter. */
#define BY_INIT "init"
#define BY_ROLE "role/"
/* An OCSP certificate lives two weeks and is renewed at half: before that its end is nobody's business. */
#define OCSP_LATE_S (5 * 86400)

void expiries_free(struct expiries *expiries)
{
    buf_free(&expiries->list);
    buf_free(&expiries->missing);
    *expiries = (struct expiries){ 0 };
}

static void note_missing(struct expiries *expiries, const char *what, const struct why *why)
{
    expiries->failed++;
    buf_printf(&expiries->missing, "%s%s: %s", expiries->missing.len ? "; " : "", what, why->text);
}

static void copy_field(struct buf *out, const char *to, const struct record *record, const char *from)
{
    struct bytes value = BYTES_NONE;
    if (record && !record_find(record, from, &value))
        value = BYTES_NONE;
    record_put(out, to, value);
}

/* A record of the answer is one of the list; NULL for the certificates of which only the end is known. */
struct found {
    const char *kind;
    struct bytes of;
    int64_t not_after;
    const struct record *issued;
};

static void found_put(struct expiries *expiries, const struct found *found)
{
    struct buf *out = &expiries->list;
    size_t mark = record_begin(out);
    record_put_str(out, "kind", found->kind);
    record_put(out, "of", found->of);
    copy_field(out, "subject", found->issued, "subject");
    copy_field(out, "serial", found->issued, "serial");
    copy_field(out, "template", found->issued, "template");
    record_put_time(out, "expires", found->not_after);
    record_end(out, mark);
    expiries->count++;
}

/* --- the service's own --- */

static void own_put(const struct expiry_span *span, const char *role, const struct record *record,
                    struct expiries *expiries)
{
    for (const struct status_end *end = status_ends; end->field; end++) {
        struct bytes text;
        struct found found = { .kind = end->kind, .of = bytes_str(role) };
        if (!record_find(record, end->field, &text) || !clock_from_rfc3339(text, &found.not_after))
            continue;
        if (end->name && !record_find(record, end->name, &found.of))
            continue;
        bool is_ocsp = strcmp(end->kind, "ocsp") == 0;
        int64_t within_s = is_ocsp && span->within_s > OCSP_LATE_S ? OCSP_LATE_S : span->within_s;
        if (found.not_after <= span->now + within_s) /* also what has ended already */
            found_put(expiries, &found);
    }
}

static enum err own_collect(struct cli *cli, const struct expiry_span *span, struct expiries *expiries,
                            struct why *why)
{
    AUTO_VAL(statuses) statuses = { 0 };
    TRY(statuses_ask(cli, &statuses, why));
    expiries->asked += statuses.count;
    for (size_t i = 0; i < statuses.count; i++) {
        const struct role_status *status = &statuses.of[i];
        struct der_reader list;
        struct record record;
        if (status->err != OK || records_get(buf_bytes(&status->answer), &list, NULL) != OK) {
            note_missing(expiries, status->role, &status->why);
            continue;
        }
        while (records_next(&list, &record))
            own_put(span, status->role, &record, expiries);
    }
    return OK;
}

/* --- the issued ones --- */

static enum err issued_ask(struct cli *cli, const char *ca, const char *within, struct buf *ret,
                           struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", ca);
    record_put_str(&body, "expiring", within);
    record_put_int(&body, "limit", LIST_MAX);
    record_end(&body, mark);
    return cli_call(cli, "ca", "cert_list", buf_bytes(&body), ret, why);
}

static bool is_own(struct bytes requester)
{
    const size_t len = sizeof(BY_ROLE) - 1;
    return bytes_equal(requester, BYTES_LIT(BY_INIT)) ||
           (requester.len > len && memcmp(requester.data, BY_ROLE, len) == 0);
}

static enum err issued_put(const char *ca, struct bytes answer, struct expiries *expiries, struct why *why)
{
    struct der_reader list;
    struct record record;
    struct cli_more more = { 0 };
    TRY(records_get(answer, &list, why));
    while (cli_row_next(&list, &record, &more)) {
        struct bytes text;
        struct found found = { .kind = "issued", .of = bytes_str(ca), .issued = &record };
        if (record_find(&record, "requester", &text) && is_own(text))
            continue;
        if (!record_find(&record, "expires", &text) || !clock_from_rfc3339(text, &found.not_after))
            return fail(why, ERR_PROTOCOL, "a listed certificate without its end");
        found_put(expiries, &found);
    }
    expiries->more |= more.are;
    return OK;
}

static void issued_collect(struct cli *cli, const struct expiry_span *span, const char *ca,
                           struct expiries *expiries)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    expiries->asked++;
    enum err err = issued_ask(cli, ca, span->text, &answer, &why);
    if (err == OK)
        err = issued_put(ca, buf_bytes(&answer), expiries, &why);
    if (err != OK) {
        AUTO_STR what = xasprintf("certificates of %s", ca);
        note_missing(expiries, what, &why);
    }
}

enum err expiries_collect(struct cli *cli, const struct expiry_span *span, struct expiries *ret,
                          struct why *why)
{
    const struct config *config;
    AUTO_VAL(expiries) expiries = { 0 };
    TRY(cli_config(cli, &config, why));
    size_t mark = records_begin(&expiries.list);
    TRY(own_collect(cli, span, &expiries, why));
    for (size_t i = 0; i < config_count(config, "ca"); i++)
        issued_collect(cli, span, config_title(config_at(config, "ca", i)), &expiries);
    records_end(&expiries.list, mark);
    *ret = expiries;
    expiries = (struct expiries){ 0 };
    return OK;
}
