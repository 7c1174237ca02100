/* SPDX-License-Identifier: Apache-2.0 */
/* CBC of the content ciphers, with the padding of RFC 5652 6.3 put on, and judged in constant time when taken off. */
#pragma once
#include "base/secret.h"
#include "x509/algorithm.h"

struct cbc { enum cipher cipher; struct bytes key, iv; };    /* exactly cipher_key_size, cipher_block_size octets */

NODISCARD enum err cbc_encrypt(const struct cbc *cbc, struct bytes plain, struct buf *ret, struct why *why);
/* ciphertext: one block or more, whole blocks. *ret_good is 0xFF when the padding is right, and then *ret_plain comes
   without it; else 0x00 and everything is there. ret_plain is secret: wipe it. */
NODISCARD enum err cbc_decrypt(const struct cbc *cbc, struct bytes ciphertext, struct buf *ret_plain, uint8_t *ret_good,
                               struct why *why);
