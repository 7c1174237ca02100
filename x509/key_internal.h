/* SPDX-License-Identifier: Apache-2.0 */
/* What the key files of x509/ share: the inside of a public key, libcrypto's form of a key, the gate. */
#pragma once
#include "x509/key.h"
#include "x509/ready.h"

#include <openssl/evp.h>

#define RSA_MAX_BYTES (8192 / 8)                             /* LIMIT_RSA_BITS_MAX */

struct public_key {
    enum key_kind kind;
    int bits;
    struct buf spki;
    struct bytes modulus, exponent;                          /* RSA: magnitudes, views into spki */
    EVP_PKEY *pkey;
    struct ready verifying;                                  /* EVP_PKEY_CTX after EVP_PKEY_verify_init */
};

struct pkey { EVP_PKEY *handle; };                           /* an owner that AUTO_VAL frees */
void pkey_free(struct pkey *pkey);
struct pkey_ctx { EVP_PKEY_CTX *handle; };
void pkey_ctx_free(struct pkey_ctx *ctx);
/* One that `begin` has set up for this key, from those that are ready or new; handle NULL: libcrypto cannot. */
struct pkey_ctx pkey_ctx_take(struct ready *ready, EVP_PKEY *pkey, int (*begin)(EVP_PKEY_CTX *ctx));
void pkey_ctx_give(struct ready *ready, struct pkey_ctx *ctx);   /* after a use that went well: it is ready again */
void pkey_ctx_drop(struct ready *ready);                     /* all that are ready */

#define CURVE_MAX_COORDINATE 66                              /* P-521 */
struct curve { enum key_kind kind; enum oid oid; const char *group; int bits; size_t coordinate; };
const struct curve *curve_by_kind(enum key_kind kind);       /* NULL for RSA */
const struct curve *curve_by_oid(struct bytes oid_content);  /* NULL for any other curve */

/* libcrypto's errors are ours to word: its queue is emptied. Returns err. */
bool crypto_was_short_of_memory(void);                       /* since the last time; empties libcrypto's queue of errors */
enum err crypto_failed(struct why *why, enum err err, const char *what);
/* big-endian magnitude to the native order that OSSL_PARAM wants */
void native_from_magnitude(uint8_t *ret, struct bytes magnitude);

/* ECDH by libcrypto with a context that is set up for deriving with our key. False: libcrypto cannot. */
NODISCARD bool pkey_derive(EVP_PKEY_CTX *ctx, const struct public_key *peer, struct secret *ret_shared);

EVP_PKEY *key_file_pkey(const struct key *key);               /* borrowed; NULL: a key that is held elsewhere */

void key_gate_enter(struct key_gate *gate);                  /* NULL: no limit */
void key_gate_leave(struct key_gate *gate);

/* key_info.c: PrivateKeyInfo (RFC 5208), in both directions. info is secret. */
NODISCARD enum err key_info_parse(struct bytes info, struct pkey *ret, struct why *why);
NODISCARD enum err key_info_build(EVP_PKEY *pkey, struct buf *ret_info, struct why *why);
NODISCARD enum err spki_build(EVP_PKEY *pkey, struct buf *ret_spki, struct why *why);

/* One sentence for bad padding and for nonsense inside: which of them it was helps only an attacker. */
#define PKCS8_WRONG_SECRET "wrong unlock secret, or a damaged file"

/* pkcs8.c: EncryptedPrivateKeyInfo with PBES2 (RFC 8018), AES-256-CBC, PBKDF2-HMAC-SHA-256 or scrypt (RFC 7914). */
NODISCARD enum err pkcs8_open(struct bytes der, struct bytes password, struct secret *ret_info, struct why *why);
NODISCARD enum err pkcs8_seal(struct bytes info, struct bytes password, enum key_protection protection,
                              struct buf *ret_der, struct why *why);
