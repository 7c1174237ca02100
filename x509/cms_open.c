/* SPDX-License-Identifier: Apache-2.0 */
/* Opens an EnvelopedData without becoming an oracle (spec security.md B1, B2): whatever is wrong inside, the
   same steps run over the same sizes, and one mask comes out.

   A block that does not unpad gives way to a substitute key (implicit rejection). It must be the same each
   time the message comes back: a fresh random key would make the answers to a badly padded message vary, and
   so tell it from a well padded one. It is HMAC-SHA256(m, label, encryptedKey), m = encryptedKey^d mod n, the
   raw decryption, which needs nothing beside the one RSA operation and is the same on every node that holds
   the key, and with keys that never leave a token. It gives nothing away: who can tell it from random has to
   know m, and then knows already whether m is well padded; for the messages an attacker is after, c = c'*s^e
   with the content key of somebody else inside, m is as hard to guess as that key. */
#include "x509/cms.h"

#include "base/auto.h"
#include "base/fault.h"
#include "x509/cbc.h"
#include "x509/key_internal.h"
#include "x509/rsa_padding.h"

#define SUBSTITUTE_BYTES 32 /* HMAC-SHA256; the longest content key, AES-256, takes all */

/* 1 < c < n - 1 in exactly as many octets as n has (RFC 8017 7.2.2 step 1, SP 800-56B 7.1.2): modules may
   refuse the rest, which has to look like a badly padded message and not like a key that failed. All of it is
   public. */
static bool is_in_range(struct bytes c, struct bytes n)
{
    if (c.len != n.len)
        return false;
    size_t last = n.len - 1, high = 0;
    while (high < last && c.data[high] == 0)
        high++;
    if (high == last && c.data[last] < 2)
        return false;
    int order = memcmp(c.data, n.data, last);
    return order < 0 || (order == 0 && c.data[last] < (n.data[last] & 0xFE));
}

/* One private-key operation, always: on 2 instead, when the message's own number is out of range. */
static enum err decrypt_block(const struct cms_enveloped *message, const struct key *key,
                              struct buf *ret_block, uint8_t *ret_good, struct why *why)
{
    uint8_t two[RSA_MAX_BYTES] = { 0 };
    const struct public_key *half = key->public_half;
    if (half->kind != KEY_RSA)
        return fail(why, ERR_KEY, "a %s key cannot decrypt, only RSA can", key_kind_name(half->kind));
    struct bytes modulus = half->modulus, in = message->encrypted_key;
    bool in_range = FAULT(encrypted_key_range) || is_in_range(in, modulus);
    if (!in_range) {
        two[modulus.len - 1] = 2;
        in = bytes_of(two, modulus.len);
    }
    AUTO_WIPE block = { 0 };
    TRY(key_decrypt_raw(key, in, &block, why));
    if (block.len != modulus.len)
        return fail(why, ERR_KEY, "raw decryption gave %zu octets, the modulus has %zu", block.len,
                    modulus.len);
    *ret_block = TAKE_BUF(block);
    *ret_good = in_range ? 0xFF : 0x00;
    return OK;
}

static enum err substitute_key(const struct cms_enveloped *message, struct bytes block, struct buf *ret,
                               struct why *why)
{
    AUTO_BUF labelled = { 0 };
    AUTO_WIPE key = { 0 };
    buf_append_str(&labelled, "chancery implicit rejection 1");
    buf_append(&labelled, message->encrypted_key);
    buf_reserve(&key, SUBSTITUTE_BYTES);
    TRY(hmac_sha256(FAULT(substitute_key) ? BYTES_NONE : block, buf_bytes(&labelled), key.data, why));
    key.len = cipher_key_size(message->cipher);
    *ret = TAKE_BUF(key);
    return OK;
}

static enum err recover_content_key(const struct cms_enveloped *message, const struct key *key,
                                    struct buf *ret_key, uint8_t *ret_good, struct why *why)
{
    AUTO_WIPE block = { 0 }, content_key = { 0 };
    uint8_t in_range, padded;
    TRY(decrypt_block(message, key, &block, &in_range, why));
    TRY(substitute_key(message, buf_bytes(&block), &content_key, why));
    if (message->transport == TRANSPORT_OAEP)
        TRY(rsa_unpad_oaep(buf_bytes(&block), &message->oaep, &content_key, &padded, why));
    else
        padded = rsa_unpad_pkcs1(buf_bytes(&block), &content_key);
    *ret_key = TAKE_BUF(content_key);
    *ret_good = in_range & (FAULT(key_padding) ? 0xFF : padded);
    return OK;
}

enum err cms_enveloped_open(const struct cms_enveloped *message, const struct key *key, struct buf *ret_plain,
                            uint8_t *ret_good, struct why *why)
{
    AUTO_WIPE content_key = { 0 };
    uint8_t key_good, content_good;
    TRY(recover_content_key(message, key, &content_key, &key_good, why));
    const struct cbc cbc = { .cipher = message->cipher, .key = buf_bytes(&content_key), .iv = message->iv };
    TRY(cbc_decrypt(&cbc, message->ciphertext, ret_plain, &content_good, why));
    *ret_good = key_good & content_good;
    return OK;
}
