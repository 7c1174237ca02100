/* SPDX-License-Identifier: Apache-2.0 */
/* Each field has its limit, which ca checks again although scep checked it before. */
#include "ipc/registration.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include <stdio.h>

#define PEER_BYTES 96 /* an address as text, with a zone */

/* --- whose, and which --- */

static void of_put(struct buf *out, const struct registration_of *of)
{
    record_put(out, "ca", of->ca);
    record_put(out, "server", of->server);
    record_put(out, "transaction", of->transaction_id);
    record_put(out, "peer", of->peer);
}

static enum err field_get(const struct record *record, const char *name, size_t most, struct bytes *ret,
                          struct why *why)
{
    if (!record_find(record, name, ret))
        return fail(why, ERR_MALFORMED, "the field %s is missing", name);
    if (ret->len > most || (ret->len && memchr(ret->data, 0, ret->len)))
        return fail(why, ERR_MALFORMED, "the field %s has %zu octets, allowed are %zu without a NUL", name,
                    ret->len, most);
    return OK;
}

static bool host_is_plain(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!plain)
            return false;
    }
    return name.len > 0;
}

bool registration_transaction_is(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] < 0x20 || id.data[i] > 0x7E)
            return false;
    }
    return id.len && id.len <= LIMIT_TRANSACTION_ID_BYTES;
}

static enum err of_get(const struct record *record, struct registration_of *ret, struct why *why)
{
    TRY(field_get(record, "ca", LIMIT_NAME_BYTES, &ret->ca, why));
    TRY(field_get(record, "server", REGISTRATION_SERVER_BYTES, &ret->server, why));
    TRY(field_get(record, "transaction", LIMIT_TRANSACTION_ID_BYTES, &ret->transaction_id, why));
    TRY(field_get(record, "peer", PEER_BYTES, &ret->peer, why));
    if (!host_is_plain(ret->server))
        return fail(why, ERR_MALFORMED, "the field server is no DNS name in lower case");
    if (!registration_transaction_is(ret->transaction_id))
        return fail(why, ERR_MALFORMED,
                    "the transaction id has %zu octets, allowed are 1 to %d printable ones",
                    ret->transaction_id.len, LIMIT_TRANSACTION_ID_BYTES);
    return OK;
}

static void octets_put(struct buf *out, const char *name, const struct buf *octets)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, buf_bytes(octets));
    record_put(out, name, buf_bytes(&text));
}

/* Empty when most is 0 octets of text: whether that is allowed, the caller says. */
static enum err octets_get(const struct record *record, const char *name, size_t most, struct buf *ret,
                           struct why *why)
{
    struct bytes text;
    TRY(field_get(record, name, (most + 2) / 3 * 4, &text, why));
    if (text.len && !base64_decode(text, false, ret))
        return fail(why, ERR_MALFORMED, "the field %s is not base64 (RFC 4648 section 4)", name);
    return OK;
}

/* --- VerifyRequest --- */

void registration_claim_free(struct registration_claim *claim)
{
    buf_wipe(&claim->csr);
    *claim = (struct registration_claim){ 0 };
}

void registration_claim_put(struct buf *out, const struct registration_claim *claim)
{
    size_t mark = record_begin(out);
    of_put(out, &claim->of);
    record_put(out, "template", claim->template_name);
    octets_put(out, "csr", &claim->csr);
    record_end(out, mark);
}

enum err registration_claim_get(struct bytes body, struct registration_claim *ret, struct why *why)
{
    struct record record;
    AUTO_VAL(registration_claim) claim = { 0 };
    TRY(record_get(body, &record, why));
    TRY(of_get(&record, &claim.of, why));
    TRY(field_get(&record, "template", REGISTRATION_TEMPLATE_BYTES, &claim.template_name, why));
    TRY(octets_get(&record, "csr", LIMIT_CSR_BYTES, &claim.csr, why));
    if (!claim.csr.len)
        return fail(why, ERR_MALFORMED, "the request is empty");
    *ret = claim;
    claim = (struct registration_claim){ 0 }; /* handed over */
    return OK;
}

void registration_answer_put(struct buf *out, const struct registration_answer *answer)
{
    size_t mark = record_begin(out);
    record_put_str(out, "verified", answer->verified ? "true" : "false");
    record_put_str(out, "again", answer->again ? "true" : "false");
    record_put_int(out, "request", answer->request_id);
    record_put_str(out, "error", err_row(answer->error)->name);
    record_put_str(out, "reason", answer->reason);
    record_end(out, mark);
}

/* "true" and "false", and nothing else: what cannot be understood is never a yes. */
static enum err truth_get(const struct record *record, const char *name, bool *ret, struct why *why)
{
    struct bytes text;
    bool known = record_find(record, name, &text);
    *ret = known && bytes_equal(text, BYTES_LIT("true"));
    if (!known || (!*ret && !bytes_equal(text, BYTES_LIT("false"))))
        return fail(why, ERR_PROTOCOL, "ca says \"%.*s\" as %s, known are true and false",
                    known ? (int)(text.len < 40 ? text.len : 40) : 0, text.data, name);
    return OK;
}

enum err registration_answer_get(struct bytes body, struct registration_answer *ret, struct why *why)
{
    struct record record;
    struct registration_answer answer = { 0 };
    struct bytes error;
    if (record_get(body, &record, NULL) != OK || !record_find(&record, "error", &error))
        return fail(why, ERR_PROTOCOL, "ca answers challenge_claim with something else than its record");
    TRY(truth_get(&record, "verified", &answer.verified, why));
    TRY(truth_get(&record, "again", &answer.again, why));
    answer.request_id = record_int(&record, "request", 0);
    answer.error = err_by_name((const char *)error.data, error.len);
    if (answer.verified != (answer.error == OK))
        return fail(why, ERR_PROTOCOL, "ca says verified and an error, or neither");
    AUTO_STR reason = record_str(&record, "reason");
    snprintf(answer.reason, sizeof(answer.reason), "%s", reason ? reason : "");
    *ret = answer;
    return OK;
}

/* --- Notify --- */

bool registration_disposition_is(int64_t value)
{
    return value == REGISTRATION_UNKNOWN || value == REGISTRATION_ISSUED || value == REGISTRATION_FAILED ||
           value == REGISTRATION_PENDING;
}

void registration_notice_free(struct registration_notice *notice)
{
    buf_free(&notice->certificate);
    *notice = (struct registration_notice){ 0 };
}

void registration_notice_put(struct buf *out, const struct registration_notice *notice)
{
    size_t mark = record_begin(out);
    of_put(out, &notice->of);
    record_put(out, "challenge", notice->challenge);
    record_put_int(out, "disposition", notice->disposition);
    record_put_int(out, "hresult", notice->hresult);
    octets_put(out, "certificate", &notice->certificate);
    record_end(out, mark);
}

enum err registration_notice_get(struct bytes body, struct registration_notice *ret, struct why *why)
{
    struct record record;
    AUTO_VAL(registration_notice) notice = { 0 };
    TRY(record_get(body, &record, why));
    TRY(of_get(&record, &notice.of, why));
    TRY(field_get(&record, "challenge", LIMIT_CHALLENGE_BYTES, &notice.challenge, why));
    TRY(octets_get(&record, "certificate", LIMIT_CERT_BYTES, &notice.certificate, why));
    int64_t disposition = record_int(&record, "disposition", INT64_MIN);
    int64_t hresult = record_int(&record, "hresult", -1);
    if (!registration_disposition_is(disposition) || hresult < 0 || hresult > UINT32_MAX)
        return fail(why, ERR_MALFORMED, "the disposition or the HRESULT is none");
    notice.disposition = (enum registration_disposition)disposition;
    notice.hresult = (uint32_t)hresult;
    if ((notice.disposition == REGISTRATION_ISSUED) != (notice.certificate.len != 0))
        return fail(why, ERR_MALFORMED, "disposition %lld %s", (long long)disposition,
                    notice.certificate.len ? "comes with a certificate" : "comes without a certificate");
    *ret = notice;
    notice = (struct registration_notice){ 0 }; /* handed over */
    return OK;
}
