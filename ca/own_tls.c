/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/own_tls.h"

#include "base/fault.h"
#include "x509/name.h"
#include "x509/san.h"

#define DAY_S 86400

void own_tls_free(struct own_tls *own)
{
    buf_free(&own->der);
    free(own->serial);
    *own = (struct own_tls){ 0 };
}

/* --- what is asked --- */

static struct issuer *issuer_of(const struct ca *ca, const struct cert *cert)
{
    for (size_t i = 0; i < ca->issuer_count; i++) {
        if (bytes_equal(ca->issuers[i]->cert.subject, cert->issuer))
            return ca->issuers[i];
    }
    return NULL;
}

/* scep and mdm of one site begin with certificates for the same names, by init both: the key tells them apart. */
static enum err proof_check(const struct own_tls *own, const struct own_tls_ask *ask, struct why *why)
{
    AUTO(public_key) key = NULL;
    AUTO_BUF said = { 0 };
    TRY(public_key_parse(own->cert.spki, &key, why));
    buf_append(&said, bytes_of(OWN_TLS_LABEL, sizeof(OWN_TLS_LABEL)));
    buf_append(&said, ask->csr);
    enum err err =
        public_key_verify(key, public_key_signature_algorithm(key), buf_bytes(&said), ask->proof, NULL);
    if (err != OK && !FAULT(tls_renew_proof))
        return fail(why, ERR_NOT_AUTHORISED, "%s does not prove to have the key of certificate %s", ask->role,
                    own->serial);
    return OK;
}

enum err own_tls_open(const struct ca *ca, const struct own_tls_ask *ask, struct issuer **ret_issuer,
                      struct own_tls *ret, struct why *why)
{
    AUTO_VAL(own_tls) own = { .role = ask->role, .der = buf_dup(ask->certificate) };
    AUTO_BUF serial = { 0 };
    TRY(cert_parse(buf_bytes(&own.der), &own.cert, why));
    serial_append_text(&serial, own.cert.serial);
    own.serial = xstrdup(buf_text(&serial));
    struct issuer *issuer = issuer_of(ca, &own.cert);
    if (!issuer)
        return fail(why, ERR_NOT_FOUND, "certificate %s is of no CA here", own.serial);
    TRY(proof_check(&own, ask, why));
    *ret_issuer = issuer;
    *ret = own;
    own = (struct own_tls){ 0 }; /* handed over */
    return OK;
}

/* --- what the store says --- */

static enum err fail_revoked(const struct own_tls *own, const char *revoked, struct why *why)
{
    if (strcmp(revoked, own->serial) == 0)
        return fail(why, ERR_REVOKED, "certificate %s is revoked, and not renewed", revoked);
    return fail(why, ERR_REVOKED, "certificate %s, which followed %s, is revoked: %s is not renewed", revoked,
                own->serial, own->serial);
}

static enum err time_judge(const struct own_tls_judging *judging, struct why *why)
{
    int64_t end = judging->own->cert.not_after;
    char text[21];
    clock_rfc3339(end, text);
    if (!FAULT(tls_renew_late) && judging->now > end + OWN_TLS_LATE_S)
        return fail(why, ERR_EXPIRED, "certificate %s ended %s, more than %d days ago", judging->own->serial,
                    text, OWN_TLS_LATE_S / DAY_S);
    return OK;
}

/* init's are whose key they are of; an administrator's are his, whatever they are for. */
static enum err owner_judge(const struct own_tls *own, const char *requester, const char *template,
                            struct why *why)
{
    bool own_one = strcmp(requester, own->role) == 0 || strcmp(requester, "init") == 0;
    if (!FAULT(tls_renew_requester) && !own_one)
        return fail(why, ERR_NOT_AUTHORISED, "certificate %s was issued to %s, not to %s", own->serial,
                    requester, own->role);
    if (!FAULT(tls_renew_template) && strcmp(template, OWN_TLS_TEMPLATE) != 0)
        return fail(why, ERR_NOT_AUTHORISED, "certificate %s is of template %s, wanted: %s", own->serial,
                    template, OWN_TLS_TEMPLATE);
    return OK;
}

static enum err predecessor_judge(struct store_tx *tx, const struct own_tls_judging *judging, struct why *why)
{
    const struct own_tls *own = judging->own;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT requester, template, status, der FROM certificate WHERE issuer_id = $1 AND "
                    "serial = $2 AND status IN ('valid', 'revoked') AND der IS NOT NULL",
                    S_ARGS(S_TEXT(judging->issuer->name), S_TEXT(own->serial)), &rows, why));
    bool known = store_rows_count(rows) == 1 &&
                 (FAULT(tls_renew_look_alike) || bytes_equal(store_bytes(rows, 0, 3), buf_bytes(&own->der)));
    if (!known)
        return fail(why, ERR_NOT_FOUND, "ca %s has issued no certificate %s like this one",
                    judging->issuer->name, own->serial);
    TRY(owner_judge(own, store_str(rows, 0, 0), store_str(rows, 0, 1), why));
    if (!FAULT(tls_renew_revoked) && strcmp(store_str(rows, 0, 2), "valid") != 0)
        return fail_revoked(own, own->serial, why);
    return time_judge(judging, why);
}

/* Whoever kept an old key must not get past the revocation of the certificate that followed it. */
static enum err successors_judge(struct store_tx *tx, const struct own_tls_judging *judging, struct why *why)
{
    const struct own_tls *own = judging->own;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx,
        "SELECT c.serial FROM certificate c JOIN certificate p ON p.issuer_id = c.issuer_id AND "
        "p.serial = $2 WHERE c.issuer_id = $1 AND c.requester = $3 AND c.template = $4 AND "
        "c.status = 'revoked' AND c.request_id > p.request_id AND c.identity = p.identity LIMIT 1",
        S_ARGS(S_TEXT(judging->issuer->name), S_TEXT(own->serial), S_TEXT(own->role),
               S_TEXT(OWN_TLS_TEMPLATE)),
        &rows, why));
    if (store_rows_count(rows) && !FAULT(tls_renew_successor))
        return fail_revoked(own, store_str(rows, 0, 0), why);
    return OK;
}

static enum err rate_judge(struct store_tx *tx, const struct own_tls_judging *judging, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT COUNT(*) FROM request WHERE issuer_id = $1 AND requester = $2 AND template = $3 "
                    "AND serial IS NOT NULL AND submitted_at > $4",
                    S_ARGS(S_TEXT(judging->issuer->name), S_TEXT(judging->own->role),
                           S_TEXT(OWN_TLS_TEMPLATE), S_INT(judging->now - DAY_S)),
                    &rows, why));
    int64_t others = store_int(rows, 0, 0) - judging->reserved;
    if (!FAULT(tls_renew_rate) && others >= OWN_TLS_PER_DAY)
        return fail(why, ERR_RATE, "%s had %lld TLS certificates within a day, limit %d", judging->own->role,
                    (long long)others, OWN_TLS_PER_DAY);
    return OK;
}

enum err own_tls_judge(struct store_tx *tx, const struct own_tls_judging *judging, struct why *why)
{
    TRY(predecessor_judge(tx, judging, why));
    TRY(successors_judge(tx, judging, why));
    return rate_judge(tx, judging, why);
}

/* --- what the template makes of it --- */

static enum err purpose_judge(const struct own_tls *own, const struct grant *grant, struct why *why)
{
    struct bytes purpose;
    for (size_t at = 0; grant_purpose_next(grant, &at, &purpose);) {
        if (!FAULT(tls_renew_purpose) && !oid_is(purpose, OID_KP_SERVER_AUTH))
            return fail(why, ERR_TEMPLATE,
                        "template %s has a purpose beside serverAuth: %s gets no certificate of it",
                        grant->template->name, own->role);
    }
    return OK;
}

enum err own_tls_judge_grant(const struct own_tls *own, const struct grant *grant, struct why *why)
{
    AUTO_BUF was = { 0 }, would = { 0 };
    if (!FAULT(tls_renew_subject) && !bytes_equal(own->cert.subject, buf_bytes(&grant->subject))) {
        name_append_text(&was, own->cert.subject);
        name_append_text(&would, buf_bytes(&grant->subject));
        return fail(why, ERR_TEMPLATE_SUBJECT, "the subject would be %s, that of %s is %s", buf_text(&would),
                    own->serial, buf_text(&was));
    }
    if (!FAULT(tls_renew_names) && !bytes_equal(own->cert.san, buf_bytes(&grant->san))) {
        if (own->cert.san.len)
            san_append_text(&was, own->cert.san);
        if (grant->san.len)
            san_append_text(&would, buf_bytes(&grant->san));
        return fail(why, ERR_TEMPLATE_SAN, "the names would be %s, those of %s are %s", buf_text(&would),
                    own->serial, buf_text(&was));
    }
    return purpose_judge(own, grant, why);
}
