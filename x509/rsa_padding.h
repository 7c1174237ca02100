/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the padding off a raw RSA decryption, in constant time and without ever saying no by a branch: OpenSSL 3.0's own
   PKCS#1 v1.5 path is an oracle (spec security.md section 0, B1). */
#pragma once
#include "base/secret.h"
#include "x509/algorithm.h"

/* block: all octets of the modulus, secret. key: key->len octets are wanted, and it holds a substitute. If the block is
   the padding of exactly that many octets, they replace the substitute and the mask is 0xFF; else key stays and the
   mask is 0x00. A padded key of another length is bad padding like any other: knowing the length wanted, every octet
   has one fixed place, so nothing has to be searched for.
   Both do the same work for every block of one size. */
uint8_t rsa_unpad_pkcs1(struct bytes block, struct buf *key);                /* RFC 8017 7.2.2 */
/* RFC 8017 7.1.2 with an empty label. An error is libcrypto's, not the block's. */
NODISCARD enum err rsa_unpad_oaep(struct bytes block, const struct oaep *oaep, struct buf *key, uint8_t *ret_good,
                                  struct why *why);
