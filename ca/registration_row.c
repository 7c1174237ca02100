/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration_row.h"

#include "base/fault.h"
#include "base/log.h"
#include "x509/name.h"
#include "x509/san.h"

#define SHOWN_BYTES 512 /* of a stranger's names, as a list can show them */

void registration_row_free(struct registration_row *row)
{
    free(row->server);
    free(row->disposition);
    free(row->serial);
    free(row->reason);
    free(row->authority);
    buf_free(&row->transaction_id);
    buf_free(&row->request_key);
    buf_free(&row->spki_digest);
    buf_free(&row->der);
    *row = (struct registration_row){ 0 };
}

/* --- read --- */

#define ROW                                                                                                  \
    "SELECT request_id, server, disposition, serial, reason, authority, transaction_id, request_key, "       \
    "spki_digest, der FROM registration WHERE disposition <> 'refused' AND "

static void row_read(const struct store_rows *rows, bool *ret_found, struct registration_row *ret)
{
    *ret_found = store_rows_count(rows) != 0;
    if (!*ret_found)
        return;
    *ret = (struct registration_row){ .request_id = store_int(rows, 0, 0),
                                      .server = xstrdup(store_str(rows, 0, 1)),
                                      .disposition = xstrdup(store_str(rows, 0, 2)),
                                      .serial = xstrdup(store_str(rows, 0, 3)),
                                      .reason = xstrdup(store_str(rows, 0, 4)),
                                      .authority = xstrdup(store_str(rows, 0, 5)),
                                      .transaction_id = buf_dup(store_bytes(rows, 0, 6)),
                                      .request_key = buf_dup(store_bytes(rows, 0, 7)),
                                      .spki_digest = buf_dup(store_bytes(rows, 0, 8)),
                                      .der = buf_dup(store_bytes(rows, 0, 9)) };
}

enum err registration_row_of_challenge(struct store_tx *tx, struct bytes challenge_id, bool *ret_found,
                                       struct registration_row *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, ROW "challenge_id = $1", S_ARGS(S_BYTES(challenge_id)), &rows, why));
    row_read(rows, ret_found, ret);
    return OK;
}

enum err registration_row_find(struct store_tx *tx, const struct registration_key *key, bool *ret_found,
                               struct registration_row *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    ROW "issuer_id = $1 AND challenge_digest = $2 AND server = $3 AND transaction_id = $4",
                    S_ARGS(S_TEXT(key->issuer), S_BYTES(key->challenge_digest), store_text_of(key->server),
                           S_BYTES(key->transaction_id)),
                    &rows, why));
    row_read(rows, ret_found, ret);
    return OK;
}

/* --- written --- */

/* What the request asks for: the subject of a refused one may be anything. */
static void names_text(const struct csr *csr, char subject[static SHOWN_BYTES], char san[static SHOWN_BYTES])
{
    AUTO_BUF name = { 0 }, names = { 0 };
    name_append_text(&name, csr->subject);
    if (csr->san.len)
        san_append_text(&names, csr->san);
    log_escape(buf_text(&name), name.len, subject, SHOWN_BYTES);
    log_escape(buf_text(&names), names.len, san, SHOWN_BYTES);
}

/* As Notify will name it: the text that the request carries. */
static enum err digest_of(const struct csr *csr, uint8_t ret[static 32], struct why *why)
{
    AUTO_WIPE text = { 0 };
    if (!csr_challenge_utf8(csr, &text))
        return fail(why, ERR_INTERNAL, "a challenge that was opened is no text");
    const struct bytes part = buf_bytes(&text);
    return sha256_parts(&part, 1, ret, why);
}

enum err registration_row_insert(struct store_tx *tx, const struct registration_new *new, struct why *why)
{
    const struct request *request = new->request;
    const struct challenge *challenge = &new->managed->opened.challenge;
    char subject[SHOWN_BYTES], san[SHOWN_BYTES], peer[128];
    uint8_t digest[32];
    TRY(digest_of(&request->csr, digest, why));
    names_text(&request->csr, subject, san);
    log_escape((const char *)request->peer.data, request->peer.len, peer, sizeof(peer));
    return store_exec(
        tx,
        "INSERT INTO registration (issuer_id, request_id, node_id, server, transaction_id, request_key, "
        "peer, info, spki_digest, subject, san, template, authority, challenge_id, challenge, "
        "challenge_digest, disposition, error, reason, asked_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        S_ARGS(S_TEXT(request->issuer->name), S_INT(new->request_id), S_TEXT(new->ca->node),
               S_TEXT(new->server), S_BYTES(request->transaction_id),
               S_BYTES(BYTES_ARR(request->request_key)), S_TEXT(peer), S_BYTES(buf_bytes(&request->info)),
               S_BYTES(BYTES_ARR(request->spki_digest)), S_TEXT(subject), S_TEXT(san),
               store_text_of(new->template_name), S_TEXT(new->managed->authority),
               S_BYTES(BYTES_ARR(challenge->id)), S_BYTES(buf_bytes(&new->managed->opened.storage)),
               S_BYTES(BYTES_ARR(digest)), S_TEXT(new->refusal ? "refused" : "verified"),
               S_TEXT(new->refusal ? err_row(new->refusal->err)->name : NULL),
               S_TEXT(new->refusal ? new->refusal->text : NULL), S_INT(new->now)),
        NULL, why);
}

enum err registration_row_refuse_again(struct store_tx *tx, const struct registration_new *new,
                                       bool *ret_changed, struct why *why)
{
    const struct request *request = new->request;
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "UPDATE registration SET asked_at = $1, reason = $2, server = $3, transaction_id = $4, "
                   "request_key = $5, info = $6, spki_digest = $7 WHERE issuer_id = $8 AND "
                   "challenge_id = $9 AND error = $10 AND disposition = 'refused'",
                   S_ARGS(S_INT(new->now), S_TEXT(new->refusal->text), S_TEXT(new->server),
                          S_BYTES(request->transaction_id), S_BYTES(BYTES_ARR(request->request_key)),
                          S_BYTES(buf_bytes(&request->info)), S_BYTES(BYTES_ARR(request->spki_digest)),
                          S_TEXT(request->issuer->name),
                          S_BYTES(BYTES_ARR(new->managed->opened.challenge.id)),
                          S_TEXT(err_row(new->refusal->err)->name)),
                   &changed, why));
    *ret_changed = changed != 0;
    return OK;
}

enum err registration_row_change(struct store_tx *tx, const struct registration_change *change,
                                 struct why *why)
{
    return store_exec(tx,
                      "UPDATE registration SET disposition = $1, reason = $2, serial = $3, der = $4, "
                      "not_after = $5, resolved_at = $6 WHERE issuer_id = $7 AND request_id = $8",
                      S_ARGS(S_TEXT(change->disposition), S_TEXT(change->reason), S_TEXT(change->serial),
                             store_bytes_or_null(change->der),
                             change->der.len ? S_INT(change->not_after) : S_NULL, S_INT(change->now),
                             S_TEXT(change->issuer), S_INT(change->request_id)),
                      NULL, why);
}
