/* SPDX-License-Identifier: Apache-2.0 */
/* RSA blocks made by hand, right and wrong, and encrypted without further padding: what an attacker would send. */
#pragma once
#include "tests/support/prng.h"
#include "x509/key.h"

struct buf rsa_pad_pkcs1(struct prng *prng, size_t size, struct bytes message);
struct buf rsa_pad_oaep(struct prng *prng, size_t size, const struct oaep *oaep, struct bytes message);
struct buf rsa_encrypt_raw(struct bytes spki, struct bytes block);   /* block < n */
