/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypt, then sign: the signature is over the EnvelopedData, so whoever opens a challenge decrypts nothing that somebody
   else made. SignedData.eContent is the EnvelopedData itself, without a ContentInfo around it (RFC 5652 5.2 with
   id-envelopedData). Names of fields are those of RFC 5652 6.2.2 and RFC 5753 3.1. */
#include "challenge/suite.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/fault.h"
#include "x509/agreement.h"
#include "x509/cbc.h"
#include "x509/cms_content.h"

#define KEK_BITS 128
#define IV_BYTES 16

/* What is refused with this sentence is refused as `err`; what is our own fault (memory, libcrypto) stays as it is. */
static enum err refuse(struct why *why, enum err inner_err, enum err err, const struct why *inner)
{
    bool ours = err_row(inner_err)->retryable;
    return fail(why, ours ? inner_err : err, "challenge: %s", inner->text);
}

/* --- algorithms ------------------------------------------------------------------------------------------- */

static void put_wrap_algorithm(struct buf *out)
{
    size_t mark = der_begin(out, DER_SEQUENCE); /* parameters absent (RFC 3565 2.3.2) */
    der_put_oid(out, oid_bytes(OID_AES128_WRAP));
    der_end(out, mark);
}

static void put_agreement_algorithm(struct buf *out)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_ECDH_SHA256));
    put_wrap_algorithm(out);
    der_end(out, mark);
}

/* ECC-CMS-SharedInfo (RFC 5753 7.2), without ukm. */
static void put_shared_info(struct buf *out)
{
    static const uint8_t kek_bits[] = { 0, 0, 0, KEK_BITS };
    size_t mark = der_begin(out, DER_SEQUENCE);
    put_wrap_algorithm(out);
    size_t supp_pub_info = der_begin(out, DER_CONTEXT_CONSTRUCTED(2));
    der_put_octets(out, BYTES_ARR(kek_bits));
    der_end(out, supp_pub_info);
    der_end(out, mark);
}

static enum err derive(const struct secret *shared, struct secret *ret_kek, struct why *why)
{
    AUTO_BUF info = { 0 };
    put_shared_info(&info);
    return kek_derive(secret_bytes(shared), buf_bytes(&info), ret_kek, why);
}

/* --- sealing ---------------------------------------------------------------------------------------------- */

/* OriginatorPublicKey: the recipient's curve, so the algorithm has no parameters (RFC 5753 3.1.1). */
static void put_originator(struct buf *out, struct bytes point)
{
    size_t originator = der_begin(out, DER_CONTEXT_CONSTRUCTED(0)),
           key = der_begin(out, DER_CONTEXT_CONSTRUCTED(1)), algorithm = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_EC_PUBLIC_KEY));
    der_end(out, algorithm);
    der_put_bits(out, point);
    der_end(out, key);
    der_end(out, originator);
}

static void put_encrypted_key(struct buf *out, const struct cert *cert, struct bytes wrapped)
{
    size_t keys = der_begin(out, DER_SEQUENCE), one = der_begin(out, DER_SEQUENCE);
    cms_issuer_and_serial_put(out, cert);
    der_put_octets(out, wrapped);
    der_end(out, one);
    der_end(out, keys);
}

static enum err put_recipient(struct buf *out, const struct challenge_peer *recipient,
                              const struct secret *content_key, struct why *why)
{
    AUTO_VAL(secret) shared = { 0 }, kek = { 0 };
    AUTO_BUF point = { 0 };
    uint8_t wrapped[WRAPPED_KEY_BYTES];
    if (public_key_kind(recipient->key) != KEY_EC_P256)
        return fail(why, ERR_BAD_ALG, "challenge: recipient has a %s key, wanted P-256",
                    key_kind_name(public_key_kind(recipient->key)));
    TRY(agreement_start(recipient->key, &point, &shared, why));
    TRY(derive(&shared, &kek, why));
    TRY(key_wrap(secret_bytes(&kek), secret_bytes(content_key), wrapped, why));
    size_t info = der_begin(out, DER_CONTEXT_CONSTRUCTED(1)); /* KeyAgreeRecipientInfo */
    der_put_int64(out, 3);
    put_originator(out, buf_bytes(&point));
    put_agreement_algorithm(out);
    put_encrypted_key(out, recipient->cert, BYTES_ARR(wrapped));
    der_end(out, info);
    return OK;
}

static enum err put_recipients(struct buf *out, const struct challenge_seal_params *params,
                               const struct secret *content_key, struct why *why)
{
    AUTO_BUF all = { 0 };
    if (params->recipient_count < 1 || params->recipient_count > LIMIT_CHALLENGE_RECIPIENTS)
        return fail(why, ERR_LIMIT, "challenge for %zu recipients, must be 1 to %d", params->recipient_count,
                    LIMIT_CHALLENGE_RECIPIENTS);
    for (size_t i = 0; i < params->recipient_count; i++)
        TRY(put_recipient(&all, &params->recipients[i], content_key, why));
    if (!der_put_set_of(out, DER_SET, buf_bytes(&all)))
        return fail(why, ERR_INTERNAL, "challenge: recipients are not DER, or too many");
    return OK;
}

static enum err put_content(struct buf *out, struct bytes plain, const struct secret *content_key,
                            struct why *why)
{
    uint8_t iv[IV_BYTES];
    AUTO_BUF ciphertext = { 0 };
    TRY(random_fill(iv, sizeof(iv), why));
    const struct cbc cbc = { CIPHER_AES128_CBC, secret_bytes(content_key), BYTES_ARR(iv) };
    TRY(cbc_encrypt(&cbc, plain, &ciphertext, why));
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_DATA));
    cipher_put(out, cbc.cipher, cbc.iv);
    der_put(out, DER_CONTEXT(0), buf_bytes(&ciphertext));
    der_end(out, mark);
    return OK;
}

static enum err envelope(struct bytes plain, const struct challenge_seal_params *params, struct buf *ret,
                         struct why *why)
{
    AUTO_BUF out = { 0 };
    AUTO_VAL(secret) content_key = { 0 };
    TRY(secret_random(KEK_BYTES, &content_key, why));
    size_t mark = der_begin(&out, DER_SEQUENCE);
    der_put_int64(&out, 2); /* with KeyAgreeRecipientInfo (RFC 5652 6.1) */
    TRY(put_recipients(&out, params, &content_key, why));
    TRY(put_content(&out, plain, &content_key, why));
    der_end(&out, mark);
    *ret = TAKE_BUF(out);
    return OK;
}

enum err suite_seal(struct bytes plain, const struct challenge_seal_params *params, struct buf *ret_der,
                    struct why *why)
{
    AUTO_BUF content = { 0 };
    const struct challenge_own *signer = &params->signer;
    enum key_kind kind = public_key_kind(signer->key->public_half);
    if (kind != KEY_EC_P256)
        return fail(why, ERR_BAD_ALG, "challenge: signer has a %s key, wanted P-256", key_kind_name(kind));
    TRY(envelope(plain, params, &content, why));
    const struct cms_signed_params sign = { .content_type = OID_ENVELOPED_DATA,
                                            .has_content = true,
                                            .content = buf_bytes(&content),
                                            .digest = DIGEST_SHA256,
                                            .signer = signer->cert };
    return cms_signed_encode(&sign, signer->key, ret_der, why);
}

/* --- opening: the signature ------------------------------------------------------------------------------- */

static enum err check_shape(const struct cms_signed *message, struct why *why)
{
    if (!message->has_content)
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge: SignedData without content");
    if (message->cert_count)
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge: %zu certificates inside, wanted none",
                    message->cert_count);
    if (!FAULT(dynamic_unsigned) && message->has_unsigned_attrs)
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge: unsigned attributes inside, wanted none");
    if (message->digest != DIGEST_SHA256 || message->algorithm.rsa)
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge: signed by %s with %s, wanted ECDSA with SHA-256",
                    message->algorithm.rsa ? "RSA" : "ECDSA", digest_name(message->digest));
    return OK;
}

static enum err find_signer(const struct cms_signed *message, const struct challenge_keys *keys, size_t *ret,
                            struct why *why)
{
    const struct cms_signer_id *sid = &message->sid;
    AUTO_BUF shown = { 0 };
    for (size_t i = 0; i < keys->signer_count; i++) {
        if (FAULT(dynamic_signer) ||
            cms_names_cert(keys->signers[i].cert, sid->issuer, sid->serial, sid->key_id)) {
            *ret = i;
            return OK;
        }
    }
    hex_append(&shown, sid->key_id.len ? sid->key_id : sid->serial);
    return fail(why, ERR_CHALLENGE_SIGNER,
                "challenge: signed by the certificate with %s %.80s, none of the %zu pinned ones",
                sid->key_id.len ? "key identifier" : "serial", buf_text(&shown), keys->signer_count);
}

static enum err check_signature(const struct cms_signed *message, const struct public_key *key,
                                struct why *why)
{
    struct why inner = { 0 };
    if (public_key_kind(key) != KEY_EC_P256)
        return fail(why, ERR_CHALLENGE_SIGNER, "challenge: the pinned signer has a %s key, wanted P-256",
                    key_kind_name(public_key_kind(key)));
    enum err err = FAULT(dynamic_signature) ? OK : cms_signed_verify(message, key, &inner);
    return err == OK ? OK : refuse(why, err, ERR_CHALLENGE_SIGNATURE, &inner);
}

/* --- opening: the envelope -------------------------------------------------------------------------------- */

struct sealed {
    size_t own;
    struct bytes point, wrapped, iv, ciphertext;
};

/* An AlgorithmIdentifier of exactly these octets: the suite has no choices. */
static bool get_exactly(struct der_reader *in, void (*put)(struct buf *out))
{
    AUTO_BUF wanted = { 0 };
    struct bytes whole;
    put(&wanted);
    return der_get_whole(in, DER_SEQUENCE, &whole) && bytes_equal(whole, buf_bytes(&wanted));
}

static bool get_originator(struct der_reader *in, struct bytes *ret_point)
{
    struct der_reader originator, key, algorithm;
    struct bytes oid;
    return der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &originator) &&
           der_get_constructed(&originator, DER_CONTEXT_CONSTRUCTED(1), &key) && der_at_end(&originator) &&
           der_get_sequence(&key, &algorithm) && der_get_oid(&algorithm, &oid) &&
           oid_is(oid, OID_EC_PUBLIC_KEY) && der_at_end(&algorithm) && der_get_bits(&key, ret_point) &&
           der_at_end(&key);
}

/* KeyAgreeRecipientIdentifier: an issuer and serial, or [0] with a key identifier alone. */
static bool get_recipient_id(struct der_reader *in, struct cms_signer_id *ret)
{
    struct der_reader id;
    if (der_next_is(in, DER_CONTEXT_CONSTRUCTED(0)))
        return der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(0), &id) &&
               der_get_octets(&id, &ret->key_id) && ret->key_id.len > 0 && der_at_end(&id);
    return der_get_sequence(in, &id) && der_get_whole(&id, DER_SEQUENCE, &ret->issuer) &&
           der_get_integer_bytes(&id, &ret->serial) && der_at_end(&id);
}

struct recipient {
    struct cms_signer_id id;
    struct bytes point, wrapped;
};

static bool get_recipient(struct der_reader *in, struct recipient *ret)
{
    struct der_reader info, keys, one;
    int64_t version;
    *ret = (struct recipient){ 0 };
    return der_get_constructed(in, DER_CONTEXT_CONSTRUCTED(1), &info) && der_get_int64(&info, &version) &&
           version == 3 && get_originator(&info, &ret->point) &&
           get_exactly(&info, put_agreement_algorithm) && der_get_sequence(&info, &keys) &&
           der_at_end(&info) && der_get_sequence(&keys, &one) && der_at_end(&keys) &&
           get_recipient_id(&one, &ret->id) && der_get_octets(&one, &ret->wrapped) && der_at_end(&one);
}

static bool is_ours(const struct recipient *recipient, const struct challenge_keys *keys, size_t *ret)
{
    const struct cms_signer_id *id = &recipient->id;
    for (size_t i = 0; i < keys->own_count; i++) {
        if (cms_names_cert(keys->own[i].cert, id->issuer, id->serial, id->key_id)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* The first that is one of ours: during an overlap there may be two. All are read, so that none is odd. */
static enum err choose_recipient(struct der_reader *set, const struct challenge_keys *keys,
                                 struct sealed *ret, struct why *why)
{
    size_t all = 0, found = 0;
    for (; !der_at_end(set); all++) {
        struct recipient recipient;
        if (!FAULT(dynamic_recipients) && all == LIMIT_CHALLENGE_RECIPIENTS)
            return fail(why, ERR_CHALLENGE_ENCODING, "challenge: more than %d recipients",
                        LIMIT_CHALLENGE_RECIPIENTS);
        if (!get_recipient(set, &recipient))
            return fail(why, ERR_CHALLENGE_ENCODING,
                        "challenge: recipient %zu is no KeyAgreeRecipientInfo of this suite", all + 1);
        if (found || !is_ours(&recipient, keys, &ret->own))
            continue;
        ret->point = recipient.point;
        ret->wrapped = recipient.wrapped;
        found++;
    }
    if (!found)
        return fail(why, ERR_CHALLENGE_DECRYPTION,
                    "challenge: encrypted to %zu certificates, to none of our %zu", all, keys->own_count);
    return OK;
}

static enum err read_content(struct der_reader *in, struct sealed *ret, struct why *why)
{
    struct der_reader info;
    struct bytes type;
    enum cipher cipher;
    if (!der_get_sequence(in, &info) || !der_get_oid(&info, &type) || !oid_is(type, OID_DATA) ||
        !cipher_get(&info, &cipher, &ret->iv) || cipher != CIPHER_AES128_CBC ||
        !der_get(&info, DER_CONTEXT(0), &ret->ciphertext) || !der_at_end(&info) || !der_at_end(in))
        return fail(why, ERR_CHALLENGE_ENCODING,
                    "challenge: no encryptedContentInfo with id-data and AES-128-CBC at its end");
    if (ret->ciphertext.len == 0 || ret->ciphertext.len % IV_BYTES)
        return fail(why, ERR_CHALLENGE_ENCODING,
                    "challenge: encryptedContent of %zu octets, must be blocks of %d", ret->ciphertext.len,
                    IV_BYTES);
    return OK;
}

static enum err read_envelope(struct bytes der, const struct challenge_keys *keys, struct sealed *ret,
                              struct why *why)
{
    struct der_reader in = der_reader_over(der), inside, set;
    int64_t version;
    if (!der_is_valid(der) || !der_get_sequence(&in, &inside) || !der_get_int64(&inside, &version) ||
        version != 2 || !der_get_set(&inside, &set))
        return fail(why, ERR_CHALLENGE_ENCODING,
                    "challenge: no EnvelopedData of version 2 with recipientInfos first");
    struct der_reader content = inside;
    TRY(read_content(&content, ret, why));
    return choose_recipient(&set, keys, ret, why);
}

static enum err recover_content_key(const struct sealed *sealed, const struct key *key, struct secret *ret,
                                    struct why *why)
{
    AUTO(public_key) ephemeral = NULL;
    AUTO_VAL(secret) shared = { 0 }, kek = { 0 };
    TRY(agreement_point(KEY_EC_P256, sealed->point, &ephemeral, why));
    TRY(key_agree(key, ephemeral, &shared, why));
    TRY(derive(&shared, &kek, why));
    return key_unwrap(secret_bytes(&kek), sealed->wrapped, ret, why);
}

static enum err decrypt(const struct sealed *sealed, const struct key *key, struct buf *ret_plain,
                        struct why *why)
{
    struct why inner = { 0 };
    AUTO_VAL(secret) content_key = { 0 };
    AUTO_WIPE plain = { 0 };
    uint8_t good;
    enum err err = recover_content_key(sealed, key, &content_key, &inner);
    if (err != OK)
        return refuse(why, err, ERR_CHALLENGE_DECRYPTION, &inner);
    const struct cbc cbc = { CIPHER_AES128_CBC, secret_bytes(&content_key), sealed->iv };
    TRY(cbc_decrypt(&cbc, sealed->ciphertext, &plain, &good, why));
    if (!good) /* it was signed, so this is no oracle: its maker padded badly */
        return fail(why, ERR_CHALLENGE_DECRYPTION,
                    "challenge: padding of the content is wrong (RFC 5652 6.3)");
    *ret_plain = TAKE_BUF(plain);
    return OK;
}

static enum err open_signed(const struct cms_signed *message, const struct challenge_keys *keys,
                            struct challenge_opened *ret, struct why *why)
{
    struct sealed sealed = { 0 };
    TRY(check_shape(message, why));
    TRY(find_signer(message, keys, &ret->signer, why));
    TRY(check_signature(message, keys->signers[ret->signer].key, why));
    TRY(read_envelope(message->content, keys, &sealed, why));
    ret->own = sealed.own;
    return decrypt(&sealed, keys->own[sealed.own].key, &ret->storage, why);
}

enum err suite_open(struct bytes der, const struct challenge_keys *keys, struct challenge_opened *ret,
                    struct why *why)
{
    struct why inner = { 0 };
    struct cms_signed message;
    if (!der_is_valid(der))
        return fail(why, ERR_CHALLENGE_ENCODING, "challenge: not DER");
    enum err err = cms_signed_decode_type(der, OID_ENVELOPED_DATA, &message, &inner);
    if (err != OK)
        return refuse(why, err, ERR_CHALLENGE_ENCODING, &inner);
    struct challenge_opened opened = { 0 };
    err = open_signed(&message, keys, &opened, why);
    cms_signed_free(&message);
    if (err == OK)
        *ret = opened;
    return err;
}
