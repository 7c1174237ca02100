/* SPDX-License-Identifier: Apache-2.0 */
/* Dynamic challenges, from each side that somebody else writes. The first octet says what the rest is:
     0  the inside of a challenge, as mdm may have made it
     1  an EnvelopedData: signed here, since the signature keeps everything from what comes after it; its recipient's key agrees on
        zeros, whatever the point is
     2  the text of a challenge, as a device gives it
     3  a request, against expectations made of itself, and against fixed ones
     4  two values of a subject, with a NUL between them */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/encode.h"
#include "challenge/challenge.h"
#include "challenge/subject.h"
#include "x509/cms.h"
#include "x509/name.h"
#include "x509/san.h"

#define NOW 1790000000 /* 2026-09-21 */
static const uint8_t signer_serial[] = { 0x51 }, own_serial[] = { 0x52 };

struct fixed {
    struct buf name, text; /* of both certificates; any text of ours */
    struct cert signer_cert, own_cert;
    struct key *signer;
    struct key own;
    struct challenge_peer peer;
    struct challenge_own key;
    struct challenge_keys keys;
};

static enum err agree_on_zeros(const struct key *key, const struct public_key *peer,
                               struct secret *ret_shared, struct why *why)
{
    (void)key, (void)peer, (void)why;
    *ret_shared = secret_new(32);
    return OK;
}
static const struct key_ops zeros = { .name = "zeros", .agree = agree_on_zeros };

static const struct fixed *fixed_get(void)
{
    static struct fixed fixed;
    struct why why;
    if (fixed.signer)
        return &fixed;
    PROMISE(name_from_text("CN=challenge", &fixed.name, &why) == OK);
    PROMISE(key_generate(&(struct key_spec){ KEY_EC_P256, 0 }, NULL, &fixed.signer, &why) == OK);
    fixed.own = (struct key){ &zeros, fixed.signer->public_half };
    fixed.signer_cert = (struct cert){ .issuer = buf_bytes(&fixed.name), .serial = BYTES_ARR(signer_serial) };
    fixed.own_cert = (struct cert){ .issuer = buf_bytes(&fixed.name), .serial = BYTES_ARR(own_serial) };
    fixed.peer = (struct challenge_peer){ &fixed.signer_cert, fixed.signer->public_half };
    fixed.key = (struct challenge_own){ &fixed.own_cert, &fixed.own };
    fixed.keys = (struct challenge_keys){ &fixed.peer, 1, &fixed.key, 1 };
    return &fixed;
}

static bool is_refusal_inside(enum err err)
{
    return err == ERR_CHALLENGE_MALFORMED || err == ERR_CHALLENGE_REQUEST_ID || err == ERR_CHALLENGE_DEVICE ||
           err == ERR_CHALLENGE_USER;
}

static void decode(struct bytes der)
{
    struct why why;
    struct challenge challenge;
    AUTO_BUF again = { 0 };
    enum err err = challenge_decode(der, &challenge, &why);
    PROMISE(err == OK || is_refusal_inside(err));
    if (err != OK)
        return;
    PROMISE(challenge_encode(&challenge, &again, &why) == OK);
    PROMISE(bytes_equal(buf_bytes(&again), der));
    PROMISE(challenge.expires > challenge.not_before && challenge.expects.eku.len &&
            challenge.expects.key_usage);
}

static void open_text(struct bytes text, bool is_signed)
{
    struct why why;
    struct challenge_opened opened;
    AUTO_BUF again = { 0 };
    enum err err = challenge_open(text, &fixed_get()->keys, NOW, &opened, &why);
    bool before =
        err == ERR_CHALLENGE_ENCODING || err == ERR_CHALLENGE_SIGNER || err == ERR_CHALLENGE_SIGNATURE;
    bool after = err == ERR_CHALLENGE_ENCODING || err == ERR_CHALLENGE_DECRYPTION || is_refusal_inside(err) ||
                 err == ERR_CHALLENGE_EARLY || err == ERR_CHALLENGE_EXPIRED || err == OK;
    PROMISE(is_signed ? after : before);
    if (err != OK)
        return;
    PROMISE(challenge_encode(&opened.challenge, &again, &why) == OK);
    PROMISE(bytes_equal(buf_bytes(&again), buf_bytes(&opened.storage)));
    challenge_opened_free(&opened);
}

static void open_envelope(struct bytes envelope)
{
    struct why why;
    const struct fixed *fixed = fixed_get();
    AUTO_BUF der = { 0 }, text = { 0 };
    const struct cms_signed_params params = { .content_type = OID_ENVELOPED_DATA,
                                              .has_content = true,
                                              .content = envelope,
                                              .digest = DIGEST_SHA256,
                                              .signer = &fixed->signer_cert };
    PROMISE(cms_signed_encode(&params, fixed->signer, &der, &why) == OK);
    base64_append(&text, buf_bytes(&der));
    open_text(buf_bytes(&text), true);
}

static void compare(struct bytes der)
{
    struct why why;
    struct csr csr;
    AUTO(public_key) key = NULL;
    if (csr_parse(der, &csr, &why) != OK || public_key_parse(csr.spki, &key, &why) != OK)
        return;
    enum key_kind kind = public_key_kind(key);
    const struct challenge own = { .expects = { .subject = csr.subject,
                                                .san = csr.san,
                                                .eku = csr.eku,
                                                .key_usage = csr.key_usage,
                                                .key_kind = kind,
                                                .rsa_bits = kind == KEY_RSA ? public_key_bits(key) : 0 } };
    enum err err = challenge_compare(&own, &csr, key, &why);
    PROMISE(err == OK || (err == ERR_KEY_USAGE_MISMATCH && !csr.has_key_usage));
    struct challenge other = own;
    other.expects.subject = buf_bytes(&fixed_get()->name);
    other.expects.is_bound = true; /* to a key whose digest is zeros */
    PROMISE(challenge_compare(&other, &csr, key, &why) != OK);
    PROMISE(strlen(why.text) < sizeof(why.text) - 1);
}

static bool name_of(struct bytes value, struct buf *ret)
{
    size_t sequence = der_begin(ret, DER_SEQUENCE), set = der_begin(ret, DER_SET),
           pair = der_begin(ret, DER_SEQUENCE);
    der_put_oid(ret, oid_bytes(OID_CN));
    der_put(ret, DER_UTF8_STRING, value);
    der_end(ret, pair);
    der_end(ret, set);
    der_end(ret, sequence);
    return name_check(buf_bytes(ret), NULL) == OK;
}

/* What is taken for the expected name without being it has a quote or a backslash, and is longer. */
static void values(struct bytes both)
{
    struct why why;
    AUTO_BUF wanted = { 0 }, found = { 0 };
    const uint8_t *nul = both.len ? memchr(both.data, 0, both.len) : NULL;
    if (!nul)
        return;
    struct bytes expected = bytes_of(both.data, (size_t)(nul - both.data));
    struct bytes got = bytes_of(nul + 1, both.len - expected.len - 1);
    if (!name_of(expected, &wanted) || !name_of(got, &found))
        return;
    PROMISE(subject_compare(buf_bytes(&wanted), buf_bytes(&wanted), &why) == OK);
    enum err err = subject_compare(buf_bytes(&wanted), buf_bytes(&found), &why);
    PROMISE(err == OK || err == ERR_SUBJECT_MISMATCH);
    bool equal = name_equal(buf_bytes(&wanted), buf_bytes(&found));
    PROMISE(!equal || err == OK);
    if (err == OK && !equal)
        PROMISE(memchr(got.data, '"', got.len) || memchr(got.data, '\\', got.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct bytes rest = bytes_of(data + 1, len - 1);
    switch (data[0]) {
    case 0:
        decode(rest);
        break;
    case 1:
        open_envelope(rest);
        break;
    case 2:
        open_text(rest, false);
        break;
    case 3:
        compare(rest);
        break;
    case 4:
        values(rest);
        break;
    default:
        break;
    }
    return 0;
}
