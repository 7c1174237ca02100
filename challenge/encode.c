/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a sealed challenge, written and read:

       Challenge ::= SEQUENCE {
           version        INTEGER { v1(1) },
           id             OCTET STRING (SIZE (16)),
           profile        UTF8String,
           profileVersion INTEGER (1..MAX),
           device         UTF8String,
           user           [0] IMPLICIT UTF8String OPTIONAL,
           notBefore      INTEGER,                          -- seconds since 1970
           expires        INTEGER,
           subject        Name,
           subjectAltName [1] EXPLICIT GeneralNames OPTIONAL,
           extKeyUsage    SEQUENCE SIZE (1..32) OF OBJECT IDENTIFIER,
           keyUsage       BIT STRING,
           keyKind        INTEGER { rsa(1), p256(2), p384(3), p521(4) },
           rsaBits        INTEGER,                          -- 0 unless rsa
           validity       INTEGER,                          -- seconds, 0: the template's
           keyDigest      [2] IMPLICIT OCTET STRING (SIZE (32)) OPTIONAL,
           extKeyUsageUnasked [3] IMPLICIT NULL OPTIONAL } */
#include "challenge/challenge.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/log.h"
#include "x509/name.h"
#include "x509/san.h"

#define VERSION    1
#define UUID_CHARS 36
#define YEAR_9999  INT64_C(253402300799) /* its last second */
_Static_assert(KEY_RSA == 1 && KEY_EC_P256 == 2 && KEY_EC_P384 == 3 && KEY_EC_P521 == 4,
               "kinds of keys are on the wire");

/* --- what a challenge may say ----------------------------------------------------------------------------- */

bool challenge_is_uuid(struct bytes text)
{
    if (text.len != UUID_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : text.data[i] == 0 || !strchr("0123456789abcdef", text.data[i]))
            return false;
    }
    return true;
}

static enum err check_uuid(struct bytes text, const char *field, enum err err, struct why *why)
{
    char shown[2 * UUID_CHARS];
    if (challenge_is_uuid(text))
        return OK;
    log_quote((const char *)text.data, text.len, shown, sizeof(shown));
    return fail(why, err, "challenge: %s \"%s\" is no UUID in lower case", field, shown);
}

static enum err check_ids(const struct challenge *challenge, struct why *why)
{
    static const uint8_t none[sizeof(challenge->id)];
    if (memcmp(challenge->id, none, sizeof(none)) == 0)
        return fail(why, ERR_CHALLENGE_REQUEST_ID, "challenge: id is all zeros, must be random");
    TRY(check_uuid(challenge->profile, "profile", ERR_CHALLENGE_MALFORMED, why));
    TRY(check_uuid(challenge->device, "device", ERR_CHALLENGE_DEVICE, why));
    if (challenge->user.len)
        TRY(check_uuid(challenge->user, "user", ERR_CHALLENGE_USER, why));
    if (challenge->profile_version < 1)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: profile version %lld, at least 1",
                    (long long)challenge->profile_version);
    return OK;
}

static enum err check_times(const struct challenge *challenge, struct why *why)
{
    int64_t from = challenge->not_before, to = challenge->expires;
    if (from < 0 || to > YEAR_9999)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: valid from %lld to %lld, outside 1970 to 9999",
                    (long long)from, (long long)to);
    if (to <= from || (!FAULT(dynamic_lifetime) && to - from > LIMIT_CHALLENGE_LIFETIME_S))
        return fail(why, ERR_CHALLENGE_MALFORMED,
                    "challenge: valid from %lld to %lld, must be 1 to %d seconds", (long long)from,
                    (long long)to, LIMIT_CHALLENGE_LIFETIME_S);
    return OK;
}

static enum err check_names(const struct challenge_expectation *expects, struct why *why)
{
    struct why inner = { 0 };
    if (name_check(expects->subject, &inner) != OK)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: subject: %s", inner.text);
    if (expects->san.len && san_check(expects->san, &inner) != OK)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: %s", inner.text);
    if (!expects->san.len && name_is_empty(expects->subject))
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: neither subject nor subjectAltName");
    return OK;
}

static enum err check_usages(const struct challenge_expectation *expects, struct why *why)
{
    struct der_reader in = der_reader_over(expects->eku);
    struct bytes oid;
    size_t count = 0;
    for (; !der_at_end(&in); count++) {
        if (count == LIMIT_CHALLENGE_PURPOSES || !der_get_oid(&in, &oid))
            return fail(why, ERR_CHALLENGE_MALFORMED,
                        "challenge: extended key usage %zu is no OID, or one too many (%d)", count + 1,
                        LIMIT_CHALLENGE_PURPOSES);
    }
    if (count == 0)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: 0 extended key usages, at least 1");
    uint16_t unknown = (uint16_t) ~(2 * KU_DECIPHER_ONLY - 1);
    if (expects->key_usage == 0 || (expects->key_usage & (unknown | KU_KEY_CERT_SIGN | KU_CRL_SIGN)))
        return fail(why, ERR_CHALLENGE_MALFORMED,
                    "challenge: key usage %03X is empty, or more than a device may have", expects->key_usage);
    return OK;
}

static enum err check_key(const struct challenge_expectation *expects, struct why *why)
{
    bool rsa = expects->key_kind == KEY_RSA;
    bool known = expects->key_kind >= KEY_RSA && expects->key_kind <= KEY_EC_P521;
    bool sized =
        rsa ? expects->rsa_bits >= 1024 && expects->rsa_bits <= LIMIT_RSA_BITS_MAX : expects->rsa_bits == 0;
    if (!known || !sized)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: a key of kind %d (%s) with %d RSA bits",
                    (int)expects->key_kind, key_kind_name(expects->key_kind), expects->rsa_bits);
    if (expects->validity_s < 0 || expects->validity_s > LIMIT_CHALLENGE_VALIDITY_S)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: validity of %lld seconds, must be 0 to %lld",
                    (long long)expects->validity_s, (long long)LIMIT_CHALLENGE_VALIDITY_S);
    return OK;
}

static enum err check(const struct challenge *challenge, struct why *why)
{
    TRY(check_ids(challenge, why));
    TRY(check_times(challenge, why));
    TRY(check_names(&challenge->expects, why));
    TRY(check_usages(&challenge->expects, why));
    return check_key(&challenge->expects, why);
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static void put_head(struct buf *out, const struct challenge *challenge)
{
    der_put_int64(out, VERSION);
    der_put_octets(out, BYTES_ARR(challenge->id));
    der_put_utf8(out, challenge->profile);
    der_put_int64(out, challenge->profile_version);
    der_put_utf8(out, challenge->device);
    if (challenge->user.len)
        der_put(out, DER_CONTEXT(0), challenge->user);
    der_put_int64(out, challenge->not_before);
    der_put_int64(out, challenge->expires);
}

static void put_expectation(struct buf *out, const struct challenge_expectation *expects)
{
    der_put_raw(out, expects->subject);
    if (expects->san.len)
        der_put(out, DER_CONTEXT_CONSTRUCTED(1), expects->san);
    der_put(out, DER_SEQUENCE, expects->eku);
    der_put_named_bits(out, expects->key_usage);
    der_put_int64(out, expects->key_kind);
    der_put_int64(out, expects->rsa_bits);
    der_put_int64(out, expects->validity_s);
    if (expects->is_bound)
        der_put(out, DER_CONTEXT(2), BYTES_ARR(expects->key_digest));
    if (expects->eku_unasked)
        der_put(out, DER_CONTEXT(3), BYTES_NONE);
}

enum err challenge_encode(const struct challenge *challenge, struct buf *ret_der, struct why *why)
{
    AUTO_WIPE out = { 0 };
    TRY(check(challenge, why));
    buf_reserve(&out, LIMIT_CHALLENGE_DER_BYTES); /* so that growing leaves no copy behind */
    size_t mark = der_begin(&out, DER_SEQUENCE);
    put_head(&out, challenge);
    put_expectation(&out, &challenge->expects);
    der_end(&out, mark);
    if (out.len > LIMIT_CHALLENGE_DER_BYTES)
        return fail(why, ERR_LIMIT, "challenge of %zu bytes before sealing, limit %d", out.len,
                    LIMIT_CHALLENGE_DER_BYTES);
    *ret_der = TAKE_BUF(out);
    return OK;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static bool get_fixed(struct bytes octets, uint8_t *ret, size_t len)
{
    if (octets.len != len)
        return false;
    memcpy(ret, octets.data, len);
    return true;
}

static bool get_int(struct der_reader *in, int *ret)
{
    int64_t value;
    if (!der_get_int64(in, &value) || value < 0 || value > INT32_MAX)
        return false;
    *ret = (int)value;
    return true;
}

static bool get_head(struct der_reader *in, struct challenge *challenge)
{
    struct bytes id;
    if (!der_get_octets(in, &id) || !get_fixed(id, challenge->id, sizeof(challenge->id)) ||
        !der_get_utf8(in, &challenge->profile) || !der_get_int64(in, &challenge->profile_version) ||
        !der_get_utf8(in, &challenge->device))
        return false;
    /* The rules want a UUID, which an empty one is not: present and empty is no second way to say none. */
    if (der_next_is(in, DER_CONTEXT(0)) &&
        (!der_get(in, DER_CONTEXT(0), &challenge->user) || !challenge->user.len))
        return false;
    return der_get_int64(in, &challenge->not_before) && der_get_int64(in, &challenge->expires);
}

static bool get_san(struct der_reader *in, struct bytes *ret)
{
    struct der_reader inside;
    if (!der_next_is(in, DER_CONTEXT_CONSTRUCTED(1)))
        return true;
    return der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(1), &inside) &&
           der_get_whole(&inside, DER_SEQUENCE, ret) && der_at_end(&inside);
}

static bool get_key_digest(struct der_reader *in, struct challenge_expectation *expects)
{
    struct bytes digest;
    if (!der_next_is(in, DER_CONTEXT(2)))
        return true;
    expects->is_bound = true;
    return der_get(in, DER_CONTEXT(2), &digest) &&
           get_fixed(digest, expects->key_digest, sizeof(expects->key_digest));
}

static bool get_eku_unasked(struct der_reader *in, struct challenge_expectation *expects)
{
    struct bytes null;
    if (!der_next_is(in, DER_CONTEXT(3)))
        return true;
    expects->eku_unasked = true;
    return der_get(in, DER_CONTEXT(3), &null) && null.len == 0;
}

static bool get_expectation(struct der_reader *in, struct challenge_expectation *expects)
{
    int kind;
    if (!der_get_whole(in, DER_SEQUENCE, &expects->subject) || !get_san(in, &expects->san) ||
        !der_get(in, DER_SEQUENCE, &expects->eku) || !der_get_named_bits(in, &expects->key_usage) ||
        !get_int(in, &kind) || !get_int(in, &expects->rsa_bits) || !der_get_int64(in, &expects->validity_s))
        return false;
    expects->key_kind = (enum key_kind)kind;
    return get_key_digest(in, expects) && get_eku_unasked(in, expects);
}

enum err challenge_decode(struct bytes der, struct challenge *ret, struct why *why)
{
    struct der_reader in = der_reader_over(der), inside;
    struct challenge challenge = { 0 };
    int64_t version;
    if (der.len > LIMIT_CHALLENGE_DER_BYTES)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge of %zu bytes, limit %d", der.len,
                    LIMIT_CHALLENGE_DER_BYTES);
    if (!der_get_sequence(&in, &inside) || !der_get_int64(&inside, &version))
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge is no SEQUENCE that begins with a version");
    if (version != VERSION)
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge of version %lld, this release reads %d",
                    (long long)version, VERSION);
    if (!get_head(&inside, &challenge) || !get_expectation(&inside, &challenge.expects))
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge: a field is missing, or not DER of its type");
    if (!FAULT(dynamic_trailing) && (!der_at_end(&in) || !der_at_end(&inside)))
        return fail(why, ERR_CHALLENGE_MALFORMED, "challenge is followed by %zu bytes",
                    in.rest.len + inside.rest.len);
    TRY(check(&challenge, why));
    *ret = challenge;
    return OK;
}
