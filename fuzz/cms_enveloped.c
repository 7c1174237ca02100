/* SPDX-License-Identifier: Apache-2.0 */
/* EnvelopedData: decoded as if its first recipient were ours, and opened with a key that "decrypts" by giving the
   encrypted key back, so that the fuzzer decides what the block under the padding looks like. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "x509/ber.h"
#include "x509/cms_content.h"

#define MODULUS_BYTES 256

static enum err give_back(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why)
{
    (void)key, (void)why;
    *ret_raw = buf_dup(in);
    return OK;
}

static void keep(struct key *key)
{
    (void)key;
}

/* RSA-2048 with a modulus that no encrypted key reaches by chance. */
static struct public_key *make_public_half(void)
{
    uint8_t modulus[MODULUS_BYTES];
    static const uint8_t exponent[] = { 1, 0, 1 };
    struct public_key *key;
    struct why why;
    AUTO_BUF rsa = { 0 }, spki = { 0 };
    memset(modulus, 0xFF, sizeof(modulus));
    size_t mark = der_begin(&rsa, DER_SEQUENCE);
    der_put_unsigned_bytes(&rsa, BYTES_ARR(modulus));
    der_put_unsigned_bytes(&rsa, BYTES_ARR(exponent));
    der_end(&rsa, mark);
    size_t outer = der_begin(&spki, DER_SEQUENCE), algorithm = der_begin(&spki, DER_SEQUENCE);
    der_put_oid(&spki, oid_bytes(OID_RSA_ENCRYPTION));
    der_put_null(&spki);
    der_end(&spki, algorithm);
    der_put_bits(&spki, buf_bytes(&rsa));
    der_end(&spki, outer);
    PROMISE(public_key_parse(buf_bytes(&spki), &key, &why) == OK);
    return key;
}

static void open_message(const struct cms_enveloped *message)
{
    static const struct key_ops ops = { .name = "give back", .decrypt = give_back, .free = keep };
    struct why why;
    AUTO(public_key) half = make_public_half();
    const struct key key = { &ops, half };
    AUTO_WIPE plain = { 0 }, again = { 0 };
    uint8_t good = 1, good_again = 1;
    PROMISE(cms_enveloped_open(message, &key, &plain, &good, &why) == OK);
    PROMISE(cms_enveloped_open(message, &key, &again, &good_again, &why) == OK);
    PROMISE((good == 0x00 || good == 0xFF) && good == good_again);
    PROMISE(bytes_equal(buf_bytes(&plain), buf_bytes(&again)));
    PROMISE(plain.len <= message->ciphertext.len && message->ciphertext.len - plain.len <= 16);
}

static bool first_recipient(struct bytes message, struct cert *ret)
{
    struct der_reader in, set, info, pair;
    int64_t version;
    return cms_content_get(message, OID_ENVELOPED_DATA, &in) && der_get_int64(&in, &version) &&
           der_get_set(&in, &set) && der_get_sequence(&set, &info) && der_get_int64(&info, &version) &&
           (der_get(&info, DER_CONTEXT(0), &ret->ski) ||
            (der_get_sequence(&info, &pair) && der_get_whole(&pair, DER_SEQUENCE, &ret->issuer) &&
             der_get_integer_bytes(&pair, &ret->serial)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    struct cert ours[2] = { { .serial = BYTES_LIT("x") } };
    struct cms_enveloped message;
    AUTO_BUF der = { 0 };
    if (ber_to_der(bytes_of(data, len), BER_ENVELOPED, &der, &why) == OK)
        (void)first_recipient(buf_bytes(&der), &ours[1]);
    if (cms_enveloped_decode(bytes_of(data, len), ours, 2, &message, &why) != OK)
        return 0;
    PROMISE(message.recipient == 1);
    PROMISE(message.iv.len == cipher_block_size(message.cipher));
    PROMISE(message.ciphertext.len > 0 && message.ciphertext.len % message.iv.len == 0);
    open_message(&message);
    cms_enveloped_free(&message);
    return 0;
}
