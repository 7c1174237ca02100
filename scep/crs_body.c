/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/crs_body.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include "http/json_text.h"

#define BODY_BYTES 65536 /* what max_body_bytes allows at most */

void crs_body_free(struct crs_body *body)
{
    registration_claim_free(&body->claim);
    registration_notice_free(&body->notice);
    free(body->transaction_id);
    free(body->template_name);
    free(body->challenge);
    *body = (struct crs_body){ 0 };
}

/* --- members --- */

struct member {
    const char *name;
    bool required; /* and then not null */
    bool number;
    size_t most;   /* octets of a text */
    json_t *value; /* result: NULL when absent or null */
};

static enum err member_take(struct member *member, json_t *value, struct why *why)
{
    bool null = json_is_null(value);
    if (null ? member->required : member->number ? !json_is_integer(value) : !json_is_string(value))
        return fail(why, ERR_HTTP_BAD, "%s is not a %s%s", member->name,
                    member->number ? "whole number" : "text", member->required ? "" : " or null");
    if (!null && !member->number && json_string_length(value) > member->most)
        return fail(why, ERR_HTTP_BAD, "%s has %zu octets, limit %zu", member->name,
                    json_string_length(value), member->most);
    member->value = null ? NULL : value;
    return OK;
}

static enum err members_take(json_t *object, struct member *members, size_t count, struct why *why)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return fail(why, ERR_HTTP_BAD, "the body is no JSON object");
    json_object_foreach(object, name, value)
    {
        size_t i = 0;
        while (i < count && strcmp(members[i].name, name) != 0)
            i++;
        if (i == count)
            return fail(why, ERR_HTTP_BAD, "there is no member %.40s", name);
        TRY(member_take(&members[i], value, why));
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].required && !members[i].value)
            return fail(why, ERR_HTTP_BAD, "the member %s is missing", members[i].name);
    }
    return OK;
}

static char *text_of(const struct member *member)
{
    return xstrdup(member->value ? json_string_value(member->value) : "");
}

static enum err octets_of(const struct member *member, struct buf *ret, struct why *why)
{
    const char *text = member->value ? json_string_value(member->value) : "";
    if (*text && !base64_decode(bytes_str(text), true, ret))
        return fail(why, ERR_HTTP_BAD, "%s is not base64 (RFC 4648 section 4)", member->name);
    return OK;
}

static enum err transaction_of(const struct member *member, char **ret, struct why *why)
{
    *ret = text_of(member);
    struct bytes text = bytes_str(*ret);
    if (!registration_transaction_is(text))
        return fail(why, ERR_HTTP_BAD, "%s has %zu octets, allowed are 1 to %d printable ones (20 to 7E)",
                    member->name, text.len, LIMIT_TRANSACTION_ID_BYTES);
    return OK;
}

static enum err object_read(struct bytes text, struct member *members, size_t count, json_t **ret,
                            struct why *why)
{
    struct why inner = { 0 };
    AUTO_JSON object = NULL;
    if (json_text_read(text, BODY_BYTES, &object, &inner) != OK)
        return fail(why, ERR_HTTP_BAD, "the body is no JSON: %s", inner.text);
    TRY(members_take(object, members, count, why));
    *ret = TAKE(object);
    return OK;
}

/* --- the two bodies --- */

#define TEXT(octets) (((octets) + 2) / 3 * 4 + (octets) / 16) /* of base64, with line ends between */

enum err crs_body_verify(struct bytes text, struct crs_body *ret, struct why *why)
{
    enum { PKCS10, SIGNING_CERT, TEMPLATE, TRANSACTION, MEMBERS };
    struct member members[MEMBERS] = {
        [PKCS10] = { .name = "pkcs10", .required = true, .most = TEXT(LIMIT_CSR_BYTES) },
        [SIGNING_CERT] = { .name = "signingCert", .most = TEXT(LIMIT_CERT_BYTES) },
        [TEMPLATE] = { .name = "template", .most = REGISTRATION_TEMPLATE_BYTES },
        [TRANSACTION] = { .name = "transactionId", .required = true, .most = LIMIT_TRANSACTION_ID_BYTES },
    };
    AUTO_JSON object = NULL;
    AUTO_VAL(crs_body) body = { 0 };
    AUTO_BUF signer = { 0 };
    TRY(object_read(text, members, MEMBERS, &object, why));
    TRY(octets_of(&members[PKCS10], &body.claim.csr, why));
    TRY(octets_of(&members[SIGNING_CERT], &signer, why)); /* of a renewal; the challenge is what counts */
    TRY(transaction_of(&members[TRANSACTION], &body.transaction_id, why));
    body.template_name = text_of(&members[TEMPLATE]);
    if (!body.claim.csr.len || body.claim.csr.len > LIMIT_CSR_BYTES)
        return fail(why, ERR_HTTP_BAD, "pkcs10 has %zu octets, allowed are 1 to %d", body.claim.csr.len,
                    LIMIT_CSR_BYTES);
    body.claim.of.transaction_id = bytes_str(body.transaction_id);
    body.claim.template_name = bytes_str(body.template_name);
    *ret = body;
    body = (struct crs_body){ 0 }; /* handed over */
    return OK;
}

/* As a number that C has for it, or as Windows shows it: -2146875375 is 0x80094811. */
static enum err hresult_of(const struct member *member, uint32_t *ret, struct why *why)
{
    json_int_t value = json_integer_value(member->value);
    if (value < INT32_MIN || value > UINT32_MAX)
        return fail(why, ERR_HTTP_BAD, "hResult is %lld, which has more than 32 bits", (long long)value);
    *ret = (uint32_t)value;
    return OK;
}

static enum err disposition_of(const struct member *member, struct registration_notice *ret, struct why *why)
{
    json_int_t value = json_integer_value(member->value);
    if (!registration_disposition_is(value))
        return fail(why, ERR_HTTP_BAD,
                    "disposition is %lld; known are -1 (unknown), 0 (issued), 2 (failed) and 3 (pending)",
                    (long long)value);
    ret->disposition = (enum registration_disposition)value;
    if ((ret->disposition == REGISTRATION_ISSUED) != (ret->certificate.len != 0))
        return fail(why, ERR_HTTP_BAD, "disposition %lld %s a certificate", (long long)value,
                    ret->certificate.len ? "comes with" : "comes without");
    return OK;
}

enum err crs_body_notify(struct bytes text, struct crs_body *ret, struct why *why)
{
    enum { CHALLENGE, TRANSACTION, DISPOSITION, HRESULT, CERTIFICATE, MEMBERS };
    struct member members[MEMBERS] = {
        [CHALLENGE] = { .name = "challenge", .required = true, .most = LIMIT_CHALLENGE_BYTES },
        [TRANSACTION] = { .name = "transactionId", .required = true, .most = LIMIT_TRANSACTION_ID_BYTES },
        [DISPOSITION] = { .name = "disposition", .required = true, .number = true },
        [HRESULT] = { .name = "hResult", .required = true, .number = true },
        [CERTIFICATE] = { .name = "certificate", .most = TEXT(LIMIT_CERT_BYTES) },
    };
    AUTO_JSON object = NULL;
    AUTO_VAL(crs_body) body = { 0 };
    TRY(object_read(text, members, MEMBERS, &object, why));
    TRY(octets_of(&members[CERTIFICATE], &body.notice.certificate, why));
    TRY(hresult_of(&members[HRESULT], &body.notice.hresult, why));
    TRY(disposition_of(&members[DISPOSITION], &body.notice, why));
    TRY(transaction_of(&members[TRANSACTION], &body.transaction_id, why));
    body.challenge = text_of(&members[CHALLENGE]);
    if (!*body.challenge || body.notice.certificate.len > LIMIT_CERT_BYTES)
        return fail(why, ERR_HTTP_BAD, "challenge is empty, or the certificate larger than %d octets",
                    LIMIT_CERT_BYTES);
    body.notice.of.transaction_id = bytes_str(body.transaction_id);
    body.notice.challenge = bytes_str(body.challenge);
    *ret = body;
    body = (struct crs_body){ 0 }; /* handed over */
    return OK;
}
