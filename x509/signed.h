/* SPDX-License-Identifier: Apache-2.0 */
/* What certificate, request and CRL have in common: SIGNED { body, AlgorithmIdentifier, BIT STRING } (RFC 5280 4.1.1). */
#pragma once
#include "x509/key.h"

struct signed_object {
    struct bytes body;                                       /* whole DER of the first member */
    struct bytes algorithm_der;                              /* whole AlgorithmIdentifier */
    struct signature_algorithm algorithm;
    struct bytes signature;
};
/* Strict DER, at most `most` octets, every one consumed. `what` begins the sentence: "PKCS#10". */
NODISCARD enum err signed_split(struct bytes der, size_t most, const char *what, struct signed_object *ret,
                                struct why *why);
/* Reads one AlgorithmIdentifier: ERR_MALFORMED when it is none, ERR_BAD_ALG when it is not in the allow-list. */
NODISCARD enum err signed_algorithm_get(struct der_reader *in, const char *what, struct signature_algorithm *ret,
                                        struct bytes *ret_der, struct why *why);
/* Allow-list of (key, signature) pairs, then the signature. */
NODISCARD enum err signed_verify(const struct signed_object *object, const struct public_key *key, const char *what,
                                 struct why *why);
/* SubjectPublicKeyInfo (RFC 5280 4.1.2.7): an algorithm and a BIT STRING of whole octets. What is in them is for
   public_key_parse. */
bool spki_has_shape(struct bytes spki);
