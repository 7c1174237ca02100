/* SPDX-License-Identifier: Apache-2.0 */
/* Content encryption by EVP; libcrypto's own unpadding stays off (spec security.md B2). */
#include "x509/cbc.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/secret.h"
#include "x509/constant_time.h"
#include <assert.h>
#include <openssl/evp.h>

static bool start_cipher(EVP_CIPHER_CTX *ctx, const struct cbc *cbc, bool encrypt)
{
    uint8_t thrice[24];
    const uint8_t *key = cbc->key.data;
    if (cbc->cipher == CIPHER_DES_CBC) {
        for (size_t i = 0; i < sizeof(thrice); i++)
            thrice[i] = cbc->key.data[i % 8];
        key = thrice;
    }
    bool started = EVP_CipherInit_ex2(ctx, cipher_evp(cbc->cipher), key, cbc->iv.data, encrypt, NULL) == 1 &&
                   EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
    secret_wipe(thrice, sizeof(thrice));
    return started;
}

/* `in` is whole blocks, and so is what comes out. */
static enum err cbc_run(const struct cbc *cbc, struct bytes in, bool encrypt, struct buf *ret,
                        struct why *why)
{
    assert(cbc->key.len == cipher_key_size(cbc->cipher) && cbc->iv.len == cipher_block_size(cbc->cipher));
    AUTO_WIPE out = { 0 };
    buf_reserve(&out, in.len);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0;
    bool done = ctx && start_cipher(ctx, cbc, encrypt) &&
                EVP_CipherUpdate(ctx, out.data, &len, in.data, (int)in.len) == 1 &&
                EVP_CipherFinal_ex(ctx, out.data + len, &rest) == 1 && (size_t)len == in.len && rest == 0;
    EVP_CIPHER_CTX_free(ctx);
    if (!done)
        return fail(why, ERR_INTERNAL, "libcrypto cannot run %s over %zu bytes", cipher_name(cbc->cipher),
                    in.len);
    out.len = in.len;
    *ret = TAKE_BUF(out);
    return OK;
}

enum err cbc_encrypt(const struct cbc *cbc, struct bytes plain, struct buf *ret, struct why *why)
{
    size_t block = cipher_block_size(cbc->cipher);
    uint8_t padding = (uint8_t)(block - plain.len % block);
    AUTO_WIPE padded = { 0 };
    buf_reserve(&padded, plain.len + padding); /* one allocation: no copy of the secret left behind */
    buf_append(&padded, plain);
    for (uint8_t i = 0; i < padding; i++)
        buf_append_byte(&padded, padding);
    return cbc_run(cbc, buf_bytes(&padded), true, ret, why);
}

/* Looks at all octets of the last block whatever they are. */
static uint8_t judge_padding(struct bytes plain, size_t block, uint8_t *ret_padding)
{
    const uint8_t *last = plain.data + plain.len - block;
    uint8_t padding = last[block - 1];
    uint8_t good = (uint8_t)~ct_is_zero(padding) & ct_less(padding, (uint32_t)block + 1);
    for (size_t i = 0; i < block; i++) {
        uint8_t is_padding = ct_less((uint32_t)(block - 1 - i), padding);
        good &= (uint8_t)~is_padding | ct_equal(last[i], FAULT(content_padding) ? last[i] : padding);
    }
    *ret_padding = padding & good;
    return good;
}

enum err cbc_decrypt(const struct cbc *cbc, struct bytes ciphertext, struct buf *ret_plain, uint8_t *ret_good,
                     struct why *why)
{
    size_t block = cipher_block_size(cbc->cipher);
    assert(ciphertext.len > 0 && ciphertext.len % block == 0);
    AUTO_WIPE plain = { 0 };
    TRY(cbc_run(cbc, ciphertext, false, &plain, why));
    uint8_t padding, good = judge_padding(buf_bytes(&plain), block, &padding);
    plain.len -= padding;
    *ret_plain = TAKE_BUF(plain);
    *ret_good = good;
    return OK;
}
