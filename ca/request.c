/* SPDX-License-Identifier: Apache-2.0 */
/* A request as it is asked: opened, keyed, and made fit to be kept. */
#include "ca/request.h"

#include "base/fault.h"
#include "base/limits.h"
#include "ca/challenge.h"
#include "x509/name.h"
#include "x509/oid.h"

void request_free(struct request *request)
{
    public_key_free(request->key);
    buf_free(&request->info);
    buf_free(&request->der);
    *request = (struct request){ 0 };
}

static bool attribute_is_challenge(struct bytes attribute)
{
    struct der_reader in = der_reader_over(attribute), inside;
    struct bytes oid;
    return der_get_sequence(&in, &inside) && der_get_oid(&inside, &oid) &&
           oid_is(oid, OID_ATTR_CHALLENGE_PASSWORD);
}

enum err request_info_strip(struct bytes info, struct buf *ret, struct why *why)
{
    struct der_reader in = der_reader_over(info), inside, attributes;
    AUTO_BUF out = { 0 };
    struct der_item item;
    if (!der_get_sequence(&in, &inside) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "CertificationRequestInfo malformed (RFC 2986 4.1)");
    size_t mark = der_begin(&out, DER_SEQUENCE);
    while (!der_at_end(&inside) && !der_next_is(&inside, DER_CONTEXT_CONSTRUCTED(0))) {
        if (!der_get_any(&inside, &item))
            return fail(why, ERR_MALFORMED, "CertificationRequestInfo malformed (RFC 2986 4.1)");
        der_put_raw(&out, item.whole);
    }
    size_t list = der_begin(&out, DER_CONTEXT_CONSTRUCTED(0));
    if (der_get_constructed(&inside, DER_CONTEXT_CONSTRUCTED(0), &attributes)) {
        while (!der_at_end(&attributes)) {
            if (!der_get_any(&attributes, &item))
                return fail(why, ERR_MALFORMED, "attributes of the request malformed (RFC 2986 4.1)");
            if (FAULT(challenge_stripped) || !attribute_is_challenge(item.whole))
                der_put_raw(&out, item.whole);
        }
    }
    der_end(&out, list);
    der_end(&out, mark);
    *ret = TAKE_BUF(out);
    return OK;
}

enum err request_info_parse(struct bytes info, struct buf *ret_der, struct csr *ret, struct why *why)
{
    static const uint8_t none[1] = {
        0
    }; /* an empty BIT STRING is malformed: one octet stands for no signature */
    AUTO_BUF der = { 0 };
    struct csr csr;
    struct signature_algorithm algorithm = { .rsa = true, .digest = DIGEST_SHA256 };
    signed_assemble(info, algorithm, BYTES_ARR(none), &der);
    TRY(csr_parse(buf_bytes(&der), &csr, why));
    *ret_der = TAKE_BUF(der); /* the views stay: the memory is handed over, not copied */
    *ret = csr;
    return OK;
}

/* design.md section 3: endpoint, signer, CertificationRequestInfo. Each part has a fixed length (a digest), so no two
   requests run into each other. A request without an endpoint has no signer either: who asks stands there, with the template. */
static enum err request_key_make(struct ca *ca, struct request *request, struct why *why)
{
    uint8_t parts[3][32], plain[32];
    struct bytes name = request->endpoint ? bytes_str(request->endpoint->name) : BYTES_NONE;
    struct bytes own[] = { bytes_str(request->requester), BYTES_LIT("\n"), request->template_name };
    struct bytes signer[] = { request->self_signed ? BYTES_LIT("self") : request->signer.der };
    TRY(sha256_parts(&name, 1, parts[0], why));
    TRY(sha256_parts(request->endpoint ? signer : own, request->endpoint ? 1 : 3, parts[1], why));
    TRY(sha256_parts(&request->csr.info, 1, parts[2], why));
    struct bytes all = bytes_of(parts, sizeof(parts));
    TRY(sha256_parts(&all, 1, plain, why));
    return challenge_mac(&ca->challenge_key, BYTES_ARR(plain), request->request_key, why);
}

static enum err request_parse_csr(struct bytes csr, struct request *request, struct why *why)
{
    if (csr.len > LIMIT_CSR_BYTES)
        return fail(why, ERR_LIMIT, "the request has %zu octets, limit %d", csr.len, LIMIT_CSR_BYTES);
    TRY(csr_parse(csr, &request->csr, why));
    TRY(request_info_strip(request->csr.info, &request->info, why));
    return sha256_parts(&request->csr.spki, 1, request->spki_digest, why);
}

static enum err request_parse(const struct enroll_request *ask, struct request *request, struct why *why)
{
    if (ask->transaction_id.len == 0 || ask->transaction_id.len > LIMIT_TRANSACTION_ID_BYTES)
        return fail(why, ERR_BAD_REQUEST, "transactionID of %zu octets, allowed 1 to %d",
                    ask->transaction_id.len, LIMIT_TRANSACTION_ID_BYTES);
    request->transaction_id = ask->transaction_id;
    request->peer = ask->peer;
    TRY(request_parse_csr(ask->csr, request, why));
    TRY(cert_parse(ask->signer_cert, &request->signer, why));
    request->self_signed = bytes_equal(request->signer.issuer, request->signer.subject);
    return sha256_parts(&request->signer.spki, 1, request->signer_digest, why);
}

enum err request_open(struct ca *ca, const struct enroll_request *ask, struct request *ret, struct why *why)
{
    AUTO_VAL(request) request = { .endpoint = ca_find_endpoint(ca, ask->endpoint) };
    if (!request.endpoint)
        return fail(why, ERR_BAD_REQUEST, "there is no endpoint %.*s", (int)ask->endpoint.len,
                    ask->endpoint.data);
    request.issuer = request.endpoint->issuer;
    request.requester = request.endpoint->requester;
    TRY(request_parse(ask, &request, why));
    TRY(request_key_make(ca, &request, why));
    *ret = request;
    request = (struct request){ 0 }; /* handed over */
    return OK;
}

enum err request_open_own(struct ca *ca, const struct own_request *own, struct request *ret, struct why *why)
{
    AUTO_VAL(request)
    request = { .issuer = own->issuer,
                .requester = own->requester,
                .template_name = own->template_name,
                .follows = own->follows };
    TRY(request_parse_csr(own->csr, &request, why));
    TRY(request_key_make(ca, &request, why));
    *ret = request;
    request = (struct request){ 0 }; /* handed over */
    return OK;
}

static enum err kept_whole(const struct request_row *row, struct why *why)
{
    long long id = (long long)row->request_id;
    if (!row->info.len)
        return fail(why, ERR_BAD_REQUEST,
                    "of request %lld no CertificationRequestInfo was kept: it has to be asked for again", id);
    if (!row->signed_with || (row->disposition == DISPOSITION_FAILED && !row->failed_key.len))
        return fail(why, ERR_BAD_REQUEST,
                    "request %lld was kept by an older version, without its key and the hash of its "
                    "signature: it has to be asked for again",
                    id);
    return OK;
}

enum err request_open_kept(struct ca *ca, struct issuer *issuer, const struct request_row *row,
                           struct request *ret, struct why *why)
{
    AUTO_VAL(request) request = { .issuer = issuer, .requester = row->requester };
    TRY(kept_whole(row, why));
    request.template_name = bytes_str(row->template_name);
    if (*row->endpoint) {
        request.endpoint = ca_find_endpoint(ca, bytes_str(row->endpoint));
        if (!request.endpoint || request.endpoint->issuer != issuer)
            return fail(why, ERR_BAD_REQUEST, "request %lld came in at endpoint %s, which ca %s has no more",
                        (long long)row->request_id, row->endpoint, issuer->name);
    }
    TRY(request_info_parse(buf_bytes(&row->info), &request.der, &request.csr, why));
    if (!FAULT(resubmit_hash) && !digest_by_name(row->signed_with, &request.csr.algorithm.digest))
        return fail(why, ERR_INTERNAL, "request %lld is signed with \"%s\"", (long long)row->request_id,
                    row->signed_with);
    TRY(public_key_parse(request.csr.spki, &request.key, why));
    TRY(sha256_parts(&request.csr.spki, 1, request.spki_digest, why));
    *ret = request;
    request = (struct request){ 0 }; /* handed over */
    return OK;
}

const char *disposition_name(enum disposition disposition)
{
    static const char *const names[] = { [DISPOSITION_SEALING] = "sealing",
                                         [DISPOSITION_ISSUED] = "issued",
                                         [DISPOSITION_PENDING] = "pending",
                                         [DISPOSITION_DENIED] = "denied",
                                         [DISPOSITION_FAILED] = "failed" };
    return names[disposition];
}

void request_row_free(struct request_row *row)
{
    free(row->endpoint);
    free(row->validator);
    free(row->requester);
    free(row->template_name);
    free(row->reason);
    free(row->serial);
    free(row->certificate_status);
    buf_free(&row->info);
    buf_free(&row->tbs);
    buf_free(&row->der);
    buf_free(&row->failed_key);
    buf_free(&row->challenge_mac);
    free(row->signed_with);
    free(row->authority);
    buf_free(&row->challenge);
    *row = (struct request_row){ 0 };
}

#define ROW_QUERY                                                                                            \
    "SELECT r.request_id, r.disposition, r.endpoint, r.validator, r.requester, r.error, r.reason, r.info, "  \
    "r.serial, c.status, c.tbs, c.der, c.not_after, r.template, r.template_version, "                        \
    "r.failed_key, r.challenge_mac, r.signed_with, r.authority, r.challenge FROM request r LEFT "            \
    "JOIN certificate c "                                                                                    \
    "ON c.issuer_id = r.issuer_id AND c.serial = r.serial WHERE r.issuer_id = $1 AND "

static enum err row_query(struct store_tx *tx, const struct request_lookup *by, struct store_rows **ret,
                          struct why *why)
{
    struct store_value issuer = S_TEXT(by->issuer->name);
    switch (by->by) {
    case LOOKUP_KEY:
        return store_query(tx, ROW_QUERY "r.request_key = $2",
                           S_ARGS(issuer, S_BYTES(bytes_of(by->request_key, 32))), ret, why);
    case LOOKUP_ID:
        return store_query(tx, ROW_QUERY "r.request_id = $2", S_ARGS(issuer, S_INT(by->request_id)), ret,
                           why);
    case LOOKUP_TRANSACTION:
        break;
    }
    return store_query(tx,
                       ROW_QUERY
                       "r.endpoint = $2 AND r.transaction_id = $3 AND r.signer = $4 AND r.pended = 1 "
                       "ORDER BY r.request_id DESC LIMIT 1",
                       S_ARGS(issuer, S_TEXT(by->endpoint), S_BYTES(by->transaction_id),
                              S_BYTES(bytes_of(by->signer_digest, 32))),
                       ret, why);
}

static char *text_or_null(const struct store_rows *rows, size_t column)
{
    return store_is_null(rows, 0, column) ? NULL : xstrdup(store_str(rows, 0, column));
}

static void row_read(const struct store_rows *rows, struct request_row *row)
{
    const char *disposition = store_str(rows, 0, 1), *error = store_str(rows, 0, 5);
    row->request_id = store_int(rows, 0, 0);
    row->disposition = DISPOSITION_FAILED;
    for (int i = DISPOSITION_SEALING; i <= DISPOSITION_FAILED; i++) {
        if (strcmp(disposition, disposition_name((enum disposition)i)) == 0)
            row->disposition = (enum disposition)i;
    }
    row->endpoint = xstrdup(store_str(rows, 0, 2));
    row->validator = xstrdup(store_str(rows, 0, 3));
    row->requester = xstrdup(store_str(rows, 0, 4));
    row->error = *error ? err_by_name(error, strlen(error)) : OK;
    row->reason = text_or_null(rows, 6);
    row->info = buf_dup(store_bytes(rows, 0, 7));
    row->serial = text_or_null(rows, 8);
    row->certificate_status = text_or_null(rows, 9);
    row->tbs = buf_dup(store_bytes(rows, 0, 10));
    row->der = buf_dup(store_bytes(rows, 0, 11));
    row->not_after = store_int(rows, 0, 12);
    row->template_name = xstrdup(store_str(rows, 0, 13));
    row->template_version = store_int(rows, 0, 14);
    row->failed_key = buf_dup(store_bytes(rows, 0, 15));
    row->challenge_mac = buf_dup(store_bytes(rows, 0, 16));
    row->signed_with = text_or_null(rows, 17);
    row->authority = text_or_null(rows, 18);
    row->challenge = buf_dup(store_bytes(rows, 0, 19));
}

struct find_arg {
    const struct request_lookup *lookup;
    bool found;
    struct request_row row;
};

static enum err find_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct find_arg *find = arg;
    AUTO(store_rows) rows = NULL;
    request_row_free(&find->row);
    find->found = false;
    TRY(row_query(tx, find->lookup, &rows, why));
    find->found = store_rows_count(rows) != 0;
    if (find->found)
        row_read(rows, &find->row);
    return OK;
}

enum err request_find(const struct request_lookup *lookup, bool *ret_found, struct request_row *ret,
                      struct why *why)
{
    struct find_arg find = { .lookup = lookup };
    enum err err = store_read(lookup->ca->store, find_work, &find, why);
    if (err != OK) {
        request_row_free(&find.row);
        return err;
    }
    *ret_found = find.found;
    if (find.found)
        *ret = find.row;
    return OK;
}
