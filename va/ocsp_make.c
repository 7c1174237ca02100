/* SPDX-License-Identifier: Apache-2.0 */
/* From the CertIDs of a request to a signed answer. */
#include "va/ocsp.h"

#include "base/encode.h"
#include "base/fault.h"
#include "ipc/ca_client.h"

#define TYPE               "application/ocsp-response"
#define UNKNOWN_VALIDITY_S 300 /* a certificate may be issued under that serial any moment */

/* One request, while it is worked on. */
struct making {
    struct va *va;
    const struct ocsp_request *request;
    struct authority *authority; /* who signs: a delegated signer speaks for one CA */
    struct responder *responder;
    int64_t now;
    struct known known[LIMIT_OCSP_REQUESTS];
};

/* --- statuses --- */

/* Who waited in vain spares the others the wait. */
static enum err answered(struct va *va, enum err err)
{
    if (err == ERR_UNAVAILABLE || err == ERR_TIMEOUT)
        atomic_store(&va->ca_is_away, true);
    return err;
}

static enum err status_learn(struct making *making, const struct cache_key *key, struct known *ret,
                             struct why *why)
{
    struct va *va = making->va;
    const char *name = authority_name(making->authority);
    uint64_t mark = cache_mark(va->cache, key->authority);
    AUTO_BUF serial = { 0 };
    hex_append_upper(&serial, serial_bytes(&key->serial));
    if (atomic_load(&va->ca_is_away) && !FAULT(va_outage_wait))
        return fail(why, ERR_UNAVAILABLE, "ca does not answer, and the status of %s is not in the cache",
                    buf_text(&serial));
    struct known known = { .at = clock_now(va->clock) }; /* before it is asked: it was so then, or later */
    TRY(answered(va, status_ask(va->ca, name, &key->serial, &known.status, why)));
    cache_put_status(va->cache, key, mark, &known);
    *ret = known;
    return OK;
}

/* A CertID of another CA, or of a serial that no CA of ours can have given, is of a certificate that we know nothing of. */
static enum err status_find(struct making *making, const struct ocsp_cert_id *id, struct known *ret,
                            struct why *why)
{
    struct cache_key key = { .authority = authority_index(making->authority) };
    bool all_known;
    *ret = (struct known){ { .status = OCSP_UNKNOWN }, making->now };
    if (va_find_authority(making->va, id, &all_known) != making->authority ||
        !serial_from_bytes(id->serial, &key.serial))
        return OK;
    if (cache_status(making->va->cache, &key, making->now, ret))
        return OK;
    return status_learn(making, &key, ret, why);
}

/* --- the answer --- */

static int64_t next_update(const struct making *making, const struct known *known)
{
    int64_t until = known->status.status == OCSP_UNKNOWN && !FAULT(va_unknown_short)
                        ? making->now + UNKNOWN_VALIDITY_S
                        : known->at + making->va->validity_s;
    int64_t end = responder_not_after(making->responder);
    return until < end ? until : end;
}

static enum err answer_sign(struct making *making, struct buf *ret_der, struct why *why)
{
    struct ocsp_single singles[LIMIT_OCSP_REQUESTS];
    for (size_t i = 0; i < making->request->count; i++) {
        const struct known *known = &making->known[i];
        singles[i] = (struct ocsp_single){ .cert_id = making->request->ids[i].der,
                                           .status = known->status.status,
                                           .revoked_at = known->status.revoked_at,
                                           .reason = known->status.reason,
                                           .this_update = known->at,
                                           .next_update = next_update(making, known) };
        if (singles[i].next_update <= singles[i].this_update)
            return fail(why, ERR_UNAVAILABLE, "the OCSP certificate of ca %s has ended",
                        authority_name(making->authority));
    }
    struct ocsp_params params = { .produced_at = making->now,
                                  .singles = singles,
                                  .count = making->request->count,
                                  .nonce = making->request->nonce };
    return responder_sign(making->responder, &params, ret_der, why);
}

static const char *note_of(const struct making *making)
{
    static const char *const notes[] = {
        [OCSP_GOOD] = "ocsp=good", [OCSP_REVOKED] = "ocsp=revoked", [OCSP_UNKNOWN] = "ocsp=unknown"
    };
    return making->request->count == 1 ? notes[making->known[0].status.status] : "ocsp=several";
}

/* An answer for one certificate that exists, and for anybody: not for the one who chose a nonce. */
static bool may_be_kept(const struct making *making)
{
    return making->request->count == 1 && (!making->request->nonce.len || FAULT(va_nonce_kept)) &&
           making->known[0].status.status != OCSP_UNKNOWN;
}

static enum err answer_keep(const struct making *making, struct buf *der, struct document **ret,
                            struct why *why)
{
    const struct ocsp_cert_id *id = &making->request->ids[0];
    const struct known *known = &making->known[0];
    const struct document_params params = { .whole = der,
                                            .body = buf_bytes(der),
                                            .content_type = TYPE,
                                            .log_note = note_of(making),
                                            .last_modified = known->at,
                                            .expires = next_update(making, known),
                                            .max_age_s = making->va->max_age_s };
    struct cache_key key = { .authority = authority_index(making->authority) };
    TRY(document_new(&params, ret, why));
    if (serial_from_bytes(id->serial, &key.serial))
        cache_put_answer(making->va->cache, &key, id->der, known, *ret);
    return OK;
}

static enum err make(struct making *making, struct ocsp_made *ret, struct why *why)
{
    AUTO_BUF der = { 0 };
    const struct ocsp_request *request = making->request;
    for (size_t i = 0; i < request->count; i++) {
        TRY(status_find(making, &request->ids[i], &making->known[i], why));
        if (making->known[i].status.status == OCSP_UNKNOWN)
            atomic_fetch_add(&making->va->counters.unknown, 1);
    }
    TRY(answer_sign(making, &der, why));
    atomic_fetch_add(&making->va->counters.signed_now, 1);
    ret->note = note_of(making);
    if (may_be_kept(making))
        return answer_keep(making, &der, &ret->document, why);
    ret->der = TAKE_BUF(der);
    return OK;
}

enum err ocsp_make(struct va *va, const struct ocsp_request *request, struct ocsp_made *ret, struct why *why)
{
    struct making making = { .va = va, .request = request, .now = clock_now(va->clock) };
    bool all_known;
    for (size_t i = 0; i < request->count && !making.authority; i++)
        making.authority = va_find_authority(va, &request->ids[i], &all_known);
    if (!making.authority)
        return fail(why, ERR_INTERNAL, "an OCSP request for no CA of ours came this far");
    AUTO(responder) responder = authority_responder(making.authority);
    if (!responder)
        return fail(why, ERR_UNAVAILABLE, "ca %s has no OCSP certificate yet",
                    authority_name(making.authority));
    making.responder = responder;
    return make(&making, ret, why);
}
