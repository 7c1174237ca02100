/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that fail to decrypt, one kind for each way there is (spec security.md B1), all of one size. */
#pragma once
#include "x509/cms.h"

enum failure { FAIL_PADDING, FAIL_LENGTH, FAIL_KEY, FAIL_CONTENT, FAILURES };
extern const char *const failure_names[FAILURES];

#define MODULUS_BYTES    256                                 /* RSA-2048 */
#define CONTENT_BYTES    700                                 /* a CSR's */
#define CIPHERTEXT_BYTES 704
struct sealed_message {
    uint8_t block[MODULUS_BYTES];                            /* what the encrypted key decrypts to */
    uint8_t encrypted_key[MODULUS_BYTES], iv[16], ciphertext[CIPHERTEXT_BYTES];
};
/* padding: any number. length: PKCS#1 around a key of another length. key: PKCS#1 around another key of the right length.
   content: the right key; what it decrypts to is padded well, and no CSR. */
void sealed_message_make(enum failure failure, struct bytes spki, struct sealed_message *ret);
struct cms_enveloped sealed_message_view(const struct sealed_message *message);   /* not to be freed */
