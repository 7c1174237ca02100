/* SPDX-License-Identifier: Apache-2.0 */
/* Phase 3: a request against what the challenge expects. The certificate is made from the expectations whatever the request
   says; but a device that asks for something else has another profile, or the challenge is somebody else's. */
#include "challenge/challenge.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/fault.h"
#include "challenge/shown.h"
#include "challenge/subject.h"
#include "x509/name.h"
#include "x509/san.h"

/* --- subject alternative names, as a set ------------------------------------------------------------------ */

static bool san_has(struct bytes names, const struct san_name *wanted)
{
    struct der_reader in = san_reader_over(names);
    struct san_name name;
    while (san_next(&in, &name)) {
        if (san_name_equal(&name, wanted))
            return true;
    }
    return false;
}

/* Those of `names` that `others` has not, as GeneralNames; empty: none. */
static void san_missing(struct bytes names, struct bytes others, struct buf *ret)
{
    struct der_reader in = san_reader_over(names);
    struct san_name name;
    AUTO_BUF missing = { 0 };
    while (san_next(&in, &name)) {
        if (!san_has(others, &name))
            buf_append(&missing, name.whole);
    }
    if (missing.len)
        san_put_end(ret, buf_bytes(&missing));
}

static enum err compare_san(struct bytes expected, struct bytes got, struct why *why)
{
    AUTO_BUF more = { 0 }, less = { 0 }, more_text = { 0 }, less_text = { 0 };
    if (FAULT(dynamic_san))
        return OK;
    san_missing(expected, got, &less);
    san_missing(got, expected, &more);
    if (!less.len && !more.len)
        return OK;
    san_append_text(&less_text, buf_bytes(&less));
    san_append_text(&more_text, buf_bytes(&more));
    struct shown_pair shown = shown_pair_of(buf_bytes(&more_text), buf_bytes(&less_text));
    if (!got.len)
        return fail(why, ERR_SAN_MISSING, "Subject Alternative Name in CSR is missing, challenge <%s>",
                    shown.challenge.text);
    return fail(
        why, ERR_SAN_MISMATCH,
        "Subject Alternative Name in CSR and challenge do not match: only CSR <%s>, only challenge <%s>",
        shown.csr.text, shown.challenge.text);
}

/* --- extended key usages, as a set ------------------------------------------------------------------------ */

static bool eku_has(struct bytes eku, struct bytes wanted)
{
    struct der_reader in = der_reader_over(eku);
    struct bytes oid;
    while (der_get_oid(&in, &oid)) {
        if (bytes_equal(oid, wanted))
            return true;
    }
    return false;
}

static void eku_missing(struct bytes eku, struct bytes others, struct buf *text)
{
    struct der_reader in = der_reader_over(eku);
    struct bytes oid;
    while (der_get_oid(&in, &oid)) {
        if (eku_has(others, oid))
            continue;
        if (text->len)
            buf_append_byte(text, ',');
        oid_append_dotted(text, oid);
    }
}

static enum err compare_eku(struct bytes expected, struct bytes got, struct why *why)
{
    AUTO_BUF more = { 0 }, less = { 0 };
    if (FAULT(dynamic_eku))
        return OK;
    eku_missing(expected, got, &less);
    eku_missing(got, expected, &more);
    if (!less.len && !more.len)
        return OK;
    struct shown_pair shown = shown_pair_of(buf_bytes(&more), buf_bytes(&less));
    if (!got.len)
        return fail(why, ERR_EKU_MISSING, "Enhanced Key Usage in CSR is missing, challenge <%s>",
                    shown.challenge.text);
    return fail(why, ERR_EKU_MISMATCH,
                "Enhanced Key Usage in CSR and challenge do not match: only CSR <%s>, only challenge <%s>",
                shown.csr.text, shown.challenge.text);
}

/* --- the key ---------------------------------------------------------------------------------------------- */

static enum err compare_key_usage(uint16_t expected, const struct csr *csr, struct why *why)
{
    AUTO_BUF wanted = { 0 }, found = { 0 };
    if (FAULT(dynamic_key_usage) || (csr->has_key_usage && csr->key_usage == expected))
        return OK;
    key_usage_append_text(&wanted, expected);
    key_usage_append_text(&found, csr->has_key_usage ? csr->key_usage : 0);
    return fail(why, ERR_KEY_USAGE_MISMATCH, "Key Usage in CSR <%.160s> and challenge <%.160s> do not match",
                buf_text(&found), buf_text(&wanted));
}

static void append_key(struct buf *out, enum key_kind kind, int rsa_bits)
{
    buf_append_str(out, key_kind_name(kind));
    if (kind == KEY_RSA)
        buf_printf(out, " %d", rsa_bits);
}

static enum err compare_key_length(const struct challenge_expectation *expected, const struct public_key *key,
                                   struct why *why)
{
    AUTO_BUF wanted = { 0 }, found = { 0 };
    enum key_kind kind = public_key_kind(key);
    bool same = kind == expected->key_kind && (kind != KEY_RSA || public_key_bits(key) == expected->rsa_bits);
    if (FAULT(dynamic_key_length) || same)
        return OK;
    append_key(&found, kind, public_key_bits(key));
    append_key(&wanted, expected->key_kind, expected->rsa_bits);
    return fail(why, ERR_KEY_LENGTH_MISMATCH, "Key in CSR <%s> and challenge <%s> do not match",
                buf_text(&found), buf_text(&wanted));
}

static enum err compare_bound_key(const struct challenge_expectation *expected, const struct csr *csr,
                                  struct why *why)
{
    uint8_t digest[32];
    AUTO_BUF wanted = { 0 }, found = { 0 };
    if (FAULT(dynamic_bound_key) || !expected->is_bound)
        return OK;
    TRY(sha256_parts(&csr->spki, 1, digest, why));
    if (memcmp(digest, expected->key_digest, sizeof(digest)) == 0)
        return OK;
    hex_append(&found, BYTES_ARR(digest));
    hex_append(&wanted, BYTES_ARR(expected->key_digest));
    return fail(why, ERR_REGISTERED_KEY,
                "Key in CSR <%s> and the one that the device registered <%s> do not match (SHA-256)",
                buf_text(&found), buf_text(&wanted));
}

enum err challenge_compare(const struct challenge *challenge, const struct csr *csr,
                           const struct public_key *key, struct why *why)
{
    const struct challenge_expectation *expected = &challenge->expects;
    if (!bytes_equal(public_key_spki(key), csr->spki))
        return fail(why, ERR_INTERNAL, "challenge: the key given is not the request's own");
    TRY(subject_compare(expected->subject, csr->subject, why));
    TRY(compare_san(expected->san, csr->san, why));
    TRY(compare_eku(expected->eku, csr->eku, why));
    TRY(compare_key_usage(expected->key_usage, csr, why));
    TRY(compare_key_length(expected, key, why));
    return compare_bound_key(expected, csr, why);
}
