/* SPDX-License-Identifier: Apache-2.0 */
/* The four kinds, each message with its own random octets. */
#include "tests/long/timing_messages.h"

#include "base/secret.h"
#include "tests/support/rsa_encode.h"
#include "x509/cbc.h"

#define KEY_BYTES 16 /* AES-128 */

const char *const failure_names[FAILURES] = { "bad padding", "wrong length", "wrong key", "bad content" };

static void fill(void *out, size_t len)
{
    struct why why;
    if (random_fill(out, len, &why) != OK)
        die("%s", why.text);
}

static void block_make(enum failure failure, const uint8_t *content_key, uint8_t *ret)
{
    struct prng prng = { 0 };
    uint8_t key[MODULUS_BYTES];
    size_t len = KEY_BYTES;
    fill(key, sizeof(key));
    if (failure == FAIL_PADDING) {
        memcpy(ret, key, MODULUS_BYTES);
        ret[0] &= 0x7F; /* below the modulus */
        return;
    }
    if (failure == FAIL_LENGTH) {
        len = key[MODULUS_BYTES - 1] % (MODULUS_BYTES - 11);
        len += len == KEY_BYTES;
    }
    if (failure == FAIL_CONTENT)
        memcpy(key, content_key, KEY_BYTES);
    AUTO_BUF block = rsa_pad_pkcs1(&prng, MODULUS_BYTES, bytes_of(key, len));
    memcpy(ret, block.data, MODULUS_BYTES);
}

void sealed_message_make(enum failure failure, struct bytes spki, struct sealed_message *ret)
{
    uint8_t content_key[KEY_BYTES], content[CONTENT_BYTES];
    struct why why;
    AUTO_BUF ciphertext = { 0 };
    fill(content_key, sizeof(content_key));
    fill(content, sizeof(content));
    fill(ret->iv, sizeof(ret->iv));
    block_make(failure, content_key, ret->block);
    AUTO_BUF encrypted = rsa_encrypt_raw(spki, BYTES_ARR(ret->block));
    const struct cbc cbc = { CIPHER_AES128_CBC, BYTES_ARR(content_key), BYTES_ARR(ret->iv) };
    if (cbc_encrypt(&cbc, BYTES_ARR(content), &ciphertext, &why) != OK ||
        ciphertext.len != CIPHERTEXT_BYTES || encrypted.len != MODULUS_BYTES)
        die("cannot make a message");
    memcpy(ret->encrypted_key, encrypted.data, MODULUS_BYTES);
    memcpy(ret->ciphertext, ciphertext.data, CIPHERTEXT_BYTES);
}

struct cms_enveloped sealed_message_view(const struct sealed_message *message)
{
    return (struct cms_enveloped){ .transport = TRANSPORT_PKCS1_V15,
                                   .encrypted_key = BYTES_ARR(message->encrypted_key),
                                   .cipher = CIPHER_AES128_CBC,
                                   .iv = BYTES_ARR(message->iv),
                                   .ciphertext = BYTES_ARR(message->ciphertext) };
}
