/* SPDX-License-Identifier: Apache-2.0 */
/* A private key that "decrypts" by giving the encrypted key back, so that the fuzzer decides what the block under the padding
   looks like, and that "signs" with zeros. Its public half is RSA-2048 with a modulus that no encrypted key reaches by
   chance. */
#pragma once
#include "x509/cert.h"

struct key *give_back_new(void);                             /* freed by key_free */
/* The first recipient of an EnvelopedData, which may be malformed, as if it were a certificate of ours. */
bool give_back_recipient(struct bytes envelope, struct cert *ret);
