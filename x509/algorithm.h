/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, ciphers, key transport and signature algorithms: an allow-list, with their AlgorithmIdentifiers. MD5 and RC2 are
   not in it and so are refused everywhere (RFC 8894 2.9, spec security.md B11); what an endpoint allows of the rest is its
   own setting. */
#pragma once
#include "x509/der.h"
#include "x509/oid.h"

enum digest { DIGEST_SHA1 = 1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
enum cipher { CIPHER_DES_EDE3_CBC = 1, CIPHER_AES128_CBC, CIPHER_AES192_CBC, CIPHER_AES256_CBC,
              CIPHER_DES_CBC };   /* single DES: docs/decisions/005 */
enum transport { TRANSPORT_PKCS1_V15 = 1, TRANSPORT_OAEP };
enum key_kind { KEY_RSA = 1, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };

struct oaep { enum digest digest, mgf_digest; };             /* RFC 4055; the label is always empty */
struct signature_algorithm { bool rsa; enum digest digest; };  /* rsa: PKCS#1 v1.5; else ECDSA       */

#define DIGEST_MAX_BYTES 64
size_t digest_size(enum digest digest);
const char *digest_name(enum digest digest);                 /* "SHA-256" */
bool digest_by_name(const char *name, enum digest *ret);
const char *cipher_name(enum cipher cipher);                 /* "AES-128-CBC" */
size_t cipher_key_size(enum cipher cipher);
size_t cipher_block_size(enum cipher cipher);                /* also the IV's length */
const char *key_kind_name(enum key_kind kind);               /* "RSA", "P-256" */

/* Each *_get reads one AlgorithmIdentifier; false for anything not in the allow-list or with wrong parameters. */
NODISCARD bool digest_get(struct der_reader *in, enum digest *ret);
NODISCARD bool digest_by_oid(struct bytes oid_content, enum digest *ret);
void digest_put(struct buf *out, enum digest digest);        /* parameters absent for SHA-2, NULL for SHA-1 */
NODISCARD bool cipher_get(struct der_reader *in, enum cipher *ret, struct bytes *ret_iv);   /* IV length exact */
void cipher_put(struct buf *out, enum cipher cipher, struct bytes iv);
NODISCARD bool transport_get(struct der_reader *in, enum transport *ret, struct oaep *ret_oaep);
void transport_put(struct buf *out, enum transport transport, const struct oaep *oaep);     /* OAEP parameters present,
                                                                without fields that equal their DEFAULT (X.690 11.5) */
NODISCARD bool signature_algorithm_get(struct der_reader *in, struct signature_algorithm *ret);
/* As SignerInfo.signatureAlgorithm: also plain rsaEncryption (RFC 3370 3.2), which then means `digest`; one that names
   another digest than `digest` refuses. */
NODISCARD bool signature_algorithm_get_signer(struct der_reader *in, enum digest digest, struct signature_algorithm *ret);
void signature_algorithm_put(struct buf *out, struct signature_algorithm algorithm);

/* libcrypto's own objects, for the other files of x509/: static, never freed. */
const struct evp_md_st *digest_evp(enum digest digest);
const struct evp_cipher_st *cipher_evp(enum cipher cipher);

/* Incremental and one-shot hashing; ret has room for DIGEST_MAX_BYTES. */
NODISCARD enum err digest_compute(enum digest digest, struct bytes data, uint8_t *ret, struct why *why);
/* As fingerprints are written: lower-case hexadecimal. ret has room for twice digest_size and a NUL. */
NODISCARD enum err digest_hex(enum digest digest, struct bytes data, char *ret, struct why *why);
/* SHA-256 over the concatenation of parts. */
NODISCARD enum err sha256_parts(const struct bytes *parts, size_t count, uint8_t ret[static 32], struct why *why);
NODISCARD enum err hmac_sha256(struct bytes key, struct bytes data, uint8_t ret[static 32], struct why *why);
