/* SPDX-License-Identifier: Apache-2.0 */
/* EnvelopedData: decoded as if its first recipient were ours, and opened with a key that "decrypts" by giving the
   encrypted key back, so that the fuzzer decides what the block under the padding looks like. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "base/limits.h"
#include "fuzz/give_back.h"
#include "x509/ber.h"
#include "x509/cms.h"

static void open_message(const struct cms_enveloped *message)
{
    struct why why;
    AUTO(key) key = give_back_new();
    AUTO_WIPE plain = { 0 }, again = { 0 };
    uint8_t good = 1, good_again = 1;
    PROMISE(cms_enveloped_open(message, key, &plain, &good, &why) == OK);
    PROMISE(cms_enveloped_open(message, key, &again, &good_again, &why) == OK);
    PROMISE((good == 0x00 || good == 0xFF) && good == good_again);
    PROMISE(bytes_equal(buf_bytes(&plain), buf_bytes(&again)));
    PROMISE(plain.len <= message->ciphertext.len && message->ciphertext.len - plain.len <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    struct cert ours[2] = { { .serial = BYTES_LIT("x") } };
    struct cms_enveloped message;
    AUTO_BUF der = { 0 };
    if (ber_to_der(bytes_of(data, len), BER_ENVELOPED, &der, &why) == OK)
        (void)give_back_recipient(buf_bytes(&der), &ours[1]);
    if (cms_enveloped_decode(bytes_of(data, len), ours, 2, &message, &why) != OK)
        return 0;
    PROMISE(message.recipient == 1);
    PROMISE(message.iv.len == cipher_block_size(message.cipher));
    PROMISE(message.ciphertext.len > 0 && message.ciphertext.len % message.iv.len == 0);
    open_message(&message);
    cms_enveloped_free(&message);
    return 0;
}
