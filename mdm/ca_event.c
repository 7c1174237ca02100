/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ca_event.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/record.h"
#include "mdm/ca_link.h"
#include "mdm/issued.h"
#include "mdm/visit.h"
#include "x509/algorithm.h"
#include "x509/cert.h"
#include <stdio.h>
#include <stdlib.h>

#define LEASE_ROWS   100
#define LEASE_S      60
#define EVENT_KEPT_S (30 * 86400LL) /* ca forgets a row two days after it was acknowledged */

struct page {
    const char *ca;
    struct bytes answer;
    int64_t now;
    struct buf ids; /* of its rows, with commas */
    size_t count;
};
struct event {
    const struct page *page;
    const struct record *record;
    int64_t number;
    char *kind;
    struct deployment *of;
};

/* --- fields --- */

static void text_take(const struct record *record, const char *name, char *ret, size_t size)
{
    struct bytes value = BYTES_NONE;
    record_find(record, name, &value);
    snprintf(ret, size, "%.*s", (int)value.len, value.data ? (const char *)value.data : "");
}
#define TEXT_TAKE(record, name, field) text_take((record), (name), (field), sizeof(field))

static enum err certificate_take(const struct event *event, struct issued *ret, struct why *why)
{
    const struct record *record = event->record;
    struct bytes text;
    AUTO_BUF der = { 0 };
    struct cert cert;
    if (!record_find(record, "certificate", &text) || !base64_decode(text, false, &der))
        return fail(why, ERR_PROTOCOL, "event %lld says issued, and has no certificate",
                    (long long)event->number);
    TRY(cert_parse(buf_bytes(&der), &cert, why));
    *ret = (struct issued){ .version = record_int(record, "version", 0),
                            .request = record_int(record, "request", 0),
                            .not_before = cert.not_before,
                            .not_after = cert.not_after };
    snprintf(ret->ca, sizeof(ret->ca), "%s", event->page->ca);
    TEXT_TAKE(record, "serial", ret->serial);
    TEXT_TAKE(record, "challenge", ret->challenge);
    TRY(digest_hex(DIGEST_SHA256, buf_bytes(&der), ret->thumbprint, why));
    return digest_hex(DIGEST_SHA256, cert.spki, ret->key, why);
}

/* --- kinds --- */

static bool is_of_now(const struct event *event)
{
    return event->of->intent == INTENT_HAVE && record_int(event->record, "version", 0) == event->of->version;
}

static enum err move(struct store_tx *tx, const struct event *event, enum deployment_event kind,
                     struct why *why)
{
    const struct deployment_move to = { .event = kind, .now = event->page->now };
    return deployment_move(tx, event->of, &to, why);
}

/* A challenge that was on its way when it ended may still have become a certificate: it ends, too. */
static enum err issued(struct store_tx *tx, const struct event *event, struct why *why)
{
    struct issued certificate;
    const char *reason = event->of->intent == INTENT_HAVE ? "superseded" : "cessationOfOperation";
    TRY(certificate_take(event, &certificate, why));
    TRY(issued_add(tx, event->of, &certificate, event->page->now, why));
    if (!is_of_now(event) && event->of->intent != INTENT_LEAVE)
        TRY(issued_end(tx, event->of, reason, event->page->now, NULL, why));
    if (!is_of_now(event) && event->of->intent == INTENT_HAVE)
        return OK; /* the device is about the next version by now */
    TRY(move(tx, event, DEPLOYMENT_CERTIFIED, why));
    if (event->of->intent == INTENT_REMOVE)
        return OK; /* the device has not had the time to say that it has it: it is told to remove it */
    return deployment_match(tx, event->of, event->page->now, why);
}

static enum err waits(struct store_tx *tx, const struct event *event, struct why *why)
{
    return is_of_now(event) ? move(tx, event, DEPLOYMENT_WAITS, why) : OK;
}

/* Whoever tries a challenge again that was used does no harm to what it was used for. */
static bool is_hoped_for(const struct event *event)
{
    enum deployment_state state = event->of->state;
    return is_of_now(event) && state != DEPLOYMENT_ISSUED && state != DEPLOYMENT_INSTALLED;
}

static enum err failed(struct store_tx *tx, const struct event *event, struct why *why)
{
    struct deployment_move to = { .event = DEPLOYMENT_FAILED, .step = "ca", .now = event->page->now };
    AUTO_STR code = record_str(event->record, "error");
    AUTO_STR diagnosis = record_str(event->record, "diagnosis");
    AUTO_STR reason = record_str(event->record, "reason");
    bool denied = strcmp(event->kind, "denied") == 0;
    log_warn(NULL, "ca refused a request device=%s profile=%s error=%s", event->of->device,
             event->of->profile, code ? code : "");
    if (!is_hoped_for(event) && !FAULT(event_failed))
        return OK;
    to.code = code && *code ? code : (denied ? "ERR_DENIED" : "");
    to.diagnosis = diagnosis;
    to.detail = reason;
    to.due_at =
        denied ? 0 : event->page->now + DEPLOYMENT_RETRY_S; /* what somebody denied is not asked for again */
    return deployment_move(tx, event->of, &to, why);
}

static enum err is_newest(struct store_tx *tx, const struct event *event, const char *serial, bool *ret,
                          struct why *why)
{
    AUTO_VAL(issued_list) list = { 0 };
    TRY(issued_load(tx, event->of, &list, why));
    *ret = list.count && strcmp(list.list[0].ca, event->page->ca) == 0 &&
           strcmp(list.list[0].serial, serial) == 0;
    return OK;
}

/* An old one, of a version before or from before a renewal, is not what the state is about. */
static enum err revoked(struct store_tx *tx, const struct event *event, struct why *why)
{
    AUTO_STR serial = record_str(event->record, "serial");
    bool newest;
    if (!serial)
        return OK;
    TRY(issued_revoked(tx, event->page->ca, serial, event->page->now, why));
    TRY(is_newest(tx, event, serial, &newest, why));
    bool replaced = event->of->intent == INTENT_HAVE && !is_of_now(event);
    return newest && !replaced ? move(tx, event, DEPLOYMENT_TAKEN, why) : OK;
}

/* It was on hold. */
static enum err released(struct store_tx *tx, const struct event *event, struct why *why)
{
    AUTO_STR serial = record_str(event->record, "serial");
    bool newest;
    if (!serial)
        return OK;
    TRY(store_exec(tx,
                   "UPDATE deployment_certificate SET revoked_at = NULL WHERE ca = $1 AND serial = $2 "
                   "AND asked_at IS NULL",
                   S_ARGS(S_TEXT(event->page->ca), S_TEXT(serial)), NULL, why));
    TRY(is_newest(tx, event, serial, &newest, why));
    if (!newest || event->of->state != DEPLOYMENT_REVOKED || !is_of_now(event))
        return OK;
    TRY(move(tx, event, DEPLOYMENT_CERTIFIED, why));
    return deployment_match(tx, event->of, event->page->now, why);
}

static const struct kind {
    const char *name;
    enum err (*heed)(struct store_tx *tx, const struct event *event, struct why *why);
} kinds[] = {
    { "issued", issued }, { "pending", waits },   { "failed", failed },
    { "denied", failed }, { "revoked", revoked }, { "released", released },
};

/* --- a row --- */

static enum err first_time(struct store_tx *tx, const struct event *event, bool *ret, struct why *why)
{
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "INSERT INTO ca_event (ca, event, seen_at) VALUES ($1, $2, $3) ON CONFLICT (ca, event) DO "
                   "NOTHING",
                   S_ARGS(S_TEXT(event->page->ca), S_INT(event->number), S_INT(event->page->now)), &changed,
                   why));
    *ret = changed == 1 || FAULT(event_twice);
    return OK;
}

static enum err kind_heed(struct store_tx *tx, const struct event *event, struct why *why)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].name, event->kind) == 0)
            return kinds[i].heed(tx, event, why);
    }
    log_warn(NULL, "ca tells what this release does not know event=%lld kind=%s", (long long)event->number,
             event->kind);
    return OK;
}

static enum err event_heed(struct store_tx *tx, struct event *event, struct why *why)
{
    AUTO_STR device = record_str(event->record, "device");
    AUTO_STR profile = record_str(event->record, "profile");
    AUTO_VAL(deployments) found = { 0 };
    bool first;
    TRY(first_time(tx, event, &first, why));
    if (!first)
        return OK;
    if (device && profile) {
        TRY(deployments_hold(tx, device, why));
        TRY(deployments_load(tx, device, profile, 0, &found, why));
    }
    if (!found.count) {
        log_warn(NULL, "ca tells of what nobody here asked for event=%lld kind=%s device=%s profile=%s",
                 (long long)event->number, event->kind, device ? device : "", profile ? profile : "");
        return OK;
    }
    event->of = found.list;
    TRY(kind_heed(tx, event, why));
    return deployment_due(tx, device, why);
}

/* --- a page --- */

static enum err record_heed(struct store_tx *tx, struct page *page, const struct record *record,
                            struct why *why)
{
    AUTO_STR kind = record_str(record, "kind");
    struct event event = { page, record, record_int(record, "id", 0), kind, NULL };
    if (!kind || event.number < 1)
        return fail(why, ERR_PROTOCOL, "outbox_lease: a row without id or kind");
    buf_printf(&page->ids, "%s%lld", page->count ? "," : "", (long long)event.number);
    page->count++;
    return event_heed(tx, &event, why);
}

static enum err page_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct page *page = arg;
    struct der_reader records;
    struct record record;
    buf_clear(&page->ids);
    page->count = 0;
    TRY(records_get(page->answer, &records, why));
    while (records_next(&records, &record))
        TRY(record_heed(tx, page, &record, why));
    return OK;
}

static enum err lease(struct ca_link *link, const char *ca, struct buf *ret, struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", ca);
    record_put_int(&body, "limit", LEASE_ROWS);
    record_put_int(&body, "lease_s", LEASE_S);
    record_end(&body, mark);
    return ca_link_ask(link, "outbox_lease", buf_bytes(&body), ret, why);
}

/* Only what is durable here is acknowledged. */
static enum err acknowledge(struct ca_link *link, const struct page *page, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", page->ca);
    record_put(&body, "ids", buf_bytes(&page->ids));
    record_end(&body, mark);
    return ca_link_ask(link, "outbox_done", buf_bytes(&body), &answer, why);
}

static enum err page_run(struct mdm *mdm, struct page *page, struct why *why)
{
    AUTO_BUF answer = { 0 };
    struct der_reader records;
    struct record record;
    TRY(lease(mdm->link, page->ca, &answer, why));
    page->answer = buf_bytes(&answer);
    page->count = 0;
    TRY(records_get(page->answer, &records, why));
    if (!records_next(&records, &record))
        return OK;
    TRY(store_write(mdm->store, page_work, page, why));
    return acknowledge(mdm->link, page, why);
}

enum err ca_events_run(struct mdm *mdm, struct why *why)
{
    for (size_t i = 0; i < ca_link_count(mdm->link); i++) {
        struct page page = { .ca = ca_link_ca(mdm->link, i), .now = clock_now(mdm->clock) };
        enum err err;
        do {
            err = page_run(mdm, &page, why);
        } while (err == OK && page.count);
        buf_free(&page.ids);
        TRY(err);
    }
    return OK;
}

enum err ca_events_forget(struct store_tx *tx, int64_t now, struct why *why)
{
    return store_exec(tx, "DELETE FROM ca_event WHERE seen_at < $1", S_ARGS(S_INT(now - EVENT_KEPT_S)), NULL,
                      why);
}
