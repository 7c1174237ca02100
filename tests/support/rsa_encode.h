/* SPDX-License-Identifier: Apache-2.0 */
/* RSA blocks made by hand, right and wrong, and encrypted without further padding: what an attacker would send. */
#pragma once
#include "tests/support/prng.h"
#include "x509/key.h"

struct buf rsa_pad_pkcs1(struct prng *prng, size_t size, struct bytes message);
struct buf rsa_pad_oaep(struct prng *prng, size_t size, const struct oaep *oaep, struct bytes message);
struct buf rsa_encrypt_raw(struct bytes spki, struct bytes block);   /* block < n */

/* Every way in which a PKCS#1 v1.5 block can be wrong that Wycheproof's rsa_pkcs1 vectors have, and some more: at least 25. A
   block that rsa_pad_pkcs1 made around key_len octets is spoilt in place. */
extern const size_t rsa_breaks;
const char *rsa_break_name(size_t way);
void rsa_break_pkcs1(struct buf *block, size_t key_len, size_t way);
