/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/errand.h"

#include "base/fault.h"
#include "base/log.h"
#include "ipc/record.h"
#include "mdm/ca_link.h"
#include "mdm/counter.h"
#include "mdm/word.h"
#include <stdlib.h>

#define ERRAND_PAGE         100 /* ends are sent together */
#define ERRAND_RETRY_S      30
#define ERRAND_RETRY_MOST_S 3600
#define ERRAND_KEPT_S       (30 * 86400LL)

static const char *const kind_names[ERRAND_KIND_COUNT] = { [ERRAND_END] = "end", [ERRAND_REVOKE] = "revoke" };

enum err errand_put(struct store_tx *tx, const struct errand *errand, int64_t now, struct why *why)
{
    int64_t number;
    TRY(counter_next(tx, "errand", &number, why));
    return store_exec(
        tx,
        "INSERT INTO errand (number, kind, ca, device_id, profile_id, version, valid_from, serial, reason, "
        "created_at, tries, next_at, trouble) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $10, '')",
        S_ARGS(S_INT(number), S_TEXT(kind_names[errand->kind]), S_TEXT(errand->ca ? errand->ca : ""),
               S_TEXT(errand->device), S_TEXT(errand->profile), S_INT(errand->version),
               errand->valid_from ? S_INT(errand->valid_from) : S_NULL,
               S_TEXT(errand->serial ? errand->serial : ""), S_TEXT(errand->reason ? errand->reason : ""),
               S_INT(now)),
        NULL, why);
}

/* --- sending --- */

struct page {
    int64_t now;
    struct store_rows *rows;
    size_t first, count; /* that are sent together */
    enum err err;        /* of it */
    struct why trouble;
};
enum { NUMBER, KIND, CA, DEVICE, PROFILE, VERSION, VALID_FROM, SERIAL, REASON, TRIES };

static enum err page_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct page *page = arg;
    store_rows_free(page->rows);
    page->rows = NULL;
    return store_query(tx,
                       "SELECT number, kind, ca, device_id, profile_id, version, valid_from, serial, reason, "
                       "tries FROM errand WHERE done_at IS NULL AND next_at <= $1 ORDER BY number LIMIT $2",
                       S_ARGS(S_INT(page->now), S_INT(ERRAND_PAGE)), &page->rows, why);
}

static int64_t retry_at(int64_t now, int64_t tries)
{
    int64_t wait = ERRAND_RETRY_S << (tries > 7 ? 7 : tries);
    return now + (wait > ERRAND_RETRY_MOST_S ? ERRAND_RETRY_MOST_S : wait);
}

/* Acknowledged: done. Otherwise later, with the reason. */
static enum err sent_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct page *page = arg;
    for (size_t i = page->first; i < page->first + page->count; i++) {
        int64_t tries = store_int(page->rows, i, TRIES);
        bool done = page->err == OK || FAULT(errand_done);
        TRY(store_exec(tx,
                       "UPDATE errand SET tries = tries + 1, done_at = $2, next_at = $3, trouble = $4 "
                       "WHERE number = $1",
                       S_ARGS(S_INT(store_int(page->rows, i, NUMBER)), done ? S_INT(page->now) : S_NULL,
                              S_INT(done ? page->now : retry_at(page->now, tries)),
                              S_TEXT(done ? "" : page->trouble.text)),
                       NULL, why));
    }
    return OK;
}

static bool is_end(const struct page *page, size_t row)
{
    return strcmp(store_str(page->rows, row, KIND), kind_names[ERRAND_END]) == 0;
}

static void end_append(const struct store_rows *rows, size_t row, struct buf *lines)
{
    buf_printf(lines, "%s %s %lld", store_str(rows, row, DEVICE), store_str(rows, row, PROFILE),
               (long long)store_int(rows, row, VERSION));
    if (!store_is_null(rows, row, VALID_FROM))
        buf_printf(lines, " %lld", (long long)store_int(rows, row, VALID_FROM));
    buf_append_byte(lines, '\n');
}

/* To every CA: a challenge does not say which one it is for. */
static enum err ends_send(struct ca_link *link, const struct page *page, struct why *why)
{
    AUTO_BUF lines = { 0 };
    for (size_t i = page->first; i < page->first + page->count; i++)
        end_append(page->rows, i, &lines);
    for (size_t i = 0; i < ca_link_count(link); i++) {
        AUTO_BUF body = { 0 }, answer = { 0 };
        size_t mark = record_begin(&body);
        record_put_str(&body, "ca", ca_link_ca(link, i));
        record_put(&body, "ends", buf_bytes(&lines));
        record_end(&body, mark);
        TRY(ca_link_ask(link, "authorisation_end", buf_bytes(&body), &answer, why));
    }
    return OK;
}

static enum err revocation_send(struct ca_link *link, const struct page *page, struct why *why)
{
    const struct store_rows *rows = page->rows;
    size_t row = page->first;
    AUTO_BUF body = { 0 }, answer = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", store_str(rows, row, CA));
    record_put_str(&body, "serial", store_str(rows, row, SERIAL));
    record_put_str(&body, "reason", store_str(rows, row, REASON));
    record_end(&body, mark);
    return ca_link_ask(link, "authority_revoke", buf_bytes(&body), &answer, why);
}

static bool cannot_be_reached(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMEOUT || err == ERR_BUSY;
}

/* Ends that follow one another together, a revocation by itself. */
static enum err some_send(struct mdm *mdm, struct page *page, struct why *why)
{
    bool ends = is_end(page, page->first);
    page->count = 1;
    while (ends && page->first + page->count < store_rows_count(page->rows) &&
           is_end(page, page->first + page->count))
        page->count++;
    page->trouble = (struct why){ 0 };
    page->err =
        ends ? ends_send(mdm->link, page, &page->trouble) : revocation_send(mdm->link, page, &page->trouble);
    if (cannot_be_reached(page->err))
        return fail(why, page->err, "%s",
                    page->trouble.text); /* nothing of it was tried: it is due as before */
    if (page->err != OK)
        log_warn(NULL, "ca did not do it, later again kind=%s serial=%s device=%s profile=%s: %s error=%s",
                 store_str(page->rows, page->first, KIND), store_str(page->rows, page->first, SERIAL),
                 store_str(page->rows, page->first, DEVICE), store_str(page->rows, page->first, PROFILE),
                 page->trouble.text, err_row(page->err)->name);
    return store_write(mdm->store, sent_work, page, why);
}

static enum err page_send(struct mdm *mdm, struct page *page, struct why *why)
{
    TRY(store_read(mdm->store, page_work, page, why));
    for (page->first = 0; page->first < store_rows_count(page->rows); page->first += page->count)
        TRY(some_send(mdm, page, why));
    return OK;
}

enum err errands_run(struct mdm *mdm, struct why *why)
{
    struct page page = { .now = clock_now(mdm->clock) };
    enum err err;
    size_t sent;
    do {
        err = page_send(mdm, &page, why);
        sent = page.rows ? store_rows_count(page.rows) : 0;
    } while (err == OK && sent == ERRAND_PAGE);
    store_rows_free(page.rows);
    return err;
}

enum err errands_forget(struct store_tx *tx, int64_t now, struct why *why)
{
    return store_exec(tx, "DELETE FROM errand WHERE done_at < $1", S_ARGS(S_INT(now - ERRAND_KEPT_S)), NULL,
                      why);
}
