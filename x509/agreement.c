/* SPDX-License-Identifier: Apache-2.0 */
/* What RFC 5753 takes from elsewhere: ephemeral-static ECDH, the X9.63 KDF (SEC 1 3.6.1), AES key wrap (RFC 3394). */
#include "x509/agreement.h"

#include "x509/key_internal.h"
#include <assert.h>

bool pkey_derive(EVP_PKEY_CTX *ctx, const struct public_key *peer, struct secret *ret_shared)
{
    const struct curve *curve = curve_by_kind(peer->kind);
    AUTO_VAL(secret) shared = secret_new(curve->coordinate);
    size_t len = shared.len;
    /* Not checked again whether it is on the curve, which costs as much as the agreement: public_key_parse did,
       and on these curves nothing more is to be checked (cofactor 1). */
    if (EVP_PKEY_derive_set_peer_ex(ctx, peer->pkey, 0) != 1 ||
        EVP_PKEY_derive(ctx, shared.data, &len) != 1 || len != shared.len)
        return false;
    *ret_shared = shared;
    shared = (struct secret){ 0 };
    return true;
}

enum err agreement_start(const struct public_key *recipient, struct buf *ret_point, struct secret *ret_shared,
                         struct why *why)
{
    const struct curve *curve = curve_by_kind(recipient->kind);
    if (!curve)
        return fail(why, ERR_BAD_ALG, "key agreement with a key of type %s, only EC can",
                    key_kind_name(recipient->kind));
    AUTO_VAL(pkey) ephemeral = { EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->group) };
    AUTO_VAL(pkey_ctx) ctx = { ephemeral.handle ? EVP_PKEY_CTX_new(ephemeral.handle, NULL) : NULL };
    if (!ctx.handle || EVP_PKEY_derive_init(ctx.handle) != 1)
        return crypto_failed(why, ERR_INTERNAL, "libcrypto cannot make a key to agree with");
    AUTO_BUF spki = { 0 };
    struct bytes point;
    TRY(spki_build(ephemeral.handle, &spki, why));
    if (!spki_key_octets(buf_bytes(&spki), &point) || !pkey_derive(ctx.handle, recipient, ret_shared))
        return crypto_failed(why, ERR_INTERNAL, "ECDH failed in libcrypto");
    *ret_point = buf_dup(point);
    return OK;
}

enum err agreement_point(enum key_kind kind, struct bytes point, struct public_key **ret, struct why *why)
{
    const struct curve *curve = curve_by_kind(kind);
    assert(curve);
    AUTO_BUF spki = { 0 };
    size_t mark = der_begin(&spki, DER_SEQUENCE), algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_EC_PUBLIC_KEY));
    der_put_oid(&spki, oid_bytes(curve->oid));
    der_end(&spki, algorithm);
    der_put_bits(&spki, point);
    der_end(&spki, mark);
    return public_key_parse(buf_bytes(&spki), ret, why);
}

/* Z, a counter that begins with 1, SharedInfo; one round gives 32 octets. */
enum err kek_derive(struct bytes shared, struct bytes info, struct secret *ret_kek, struct why *why)
{
    static const uint8_t first_round[] = { 0, 0, 0, 1 };
    const struct bytes parts[] = { shared, BYTES_ARR(first_round), info };
    uint8_t round[32];
    enum err err = sha256_parts(parts, 3, round, why);
    if (err == OK)
        *ret_kek = secret_dup(bytes_of(round, KEK_BYTES));
    secret_wipe(round, sizeof(round));
    return err;
}

/* 0 when it fails, else the octets that came out. */
static size_t wrap_run(struct bytes kek, struct bytes in, bool wrap, uint8_t out[static WRAPPED_KEY_BYTES])
{
    assert(kek.len == KEK_BYTES);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    if (ctx)
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool done = ctx && EVP_CipherInit_ex2(ctx, EVP_aes_128_wrap(), kek.data, NULL, wrap, NULL) == 1 &&
                EVP_CipherUpdate(ctx, out, &len, in.data, (int)in.len) == 1 && len > 0;
    EVP_CIPHER_CTX_free(ctx);
    return done ? (size_t)len : 0;
}

enum err key_wrap(struct bytes kek, struct bytes key, uint8_t ret[static WRAPPED_KEY_BYTES], struct why *why)
{
    assert(key.len == KEK_BYTES);
    uint8_t wrapped[WRAPPED_KEY_BYTES];
    if (wrap_run(kek, key, true, wrapped) != sizeof(wrapped))
        return crypto_failed(why, ERR_INTERNAL, "AES key wrap failed in libcrypto");
    memcpy(ret, wrapped, sizeof(wrapped));
    return OK;
}

enum err key_unwrap(struct bytes kek, struct bytes wrapped, struct secret *ret_key, struct why *why)
{
    uint8_t key[WRAPPED_KEY_BYTES]; /* libcrypto wants as much room as it reads */
    if (wrapped.len != WRAPPED_KEY_BYTES)
        return fail(why, ERR_BAD_MESSAGE_CHECK, "wrapped key of %zu octets, wanted %d (RFC 3394)",
                    wrapped.len, WRAPPED_KEY_BYTES);
    bool done = wrap_run(kek, wrapped, false, key) == KEK_BYTES;
    if (done)
        *ret_key = secret_dup(bytes_of(key, KEK_BYTES));
    secret_wipe(key, sizeof(key));
    return done
               ? OK
               : crypto_failed(why, ERR_BAD_MESSAGE_CHECK,
                               "the content key does not unwrap: another recipient's, or altered (RFC 3394)");
}
