/* SPDX-License-Identifier: Apache-2.0 */
/* Keys. A private key is behind the seam sign(digest), decrypt(bytes), agree(public key), so that it may be a file, a PKCS#11 token or a
   test's twin; a public key is made from a SubjectPublicKeyInfo without OpenSSL's slow decoders. */
#pragma once
#include "base/secret.h"
#include "x509/algorithm.h"

struct public_key;                                           /* opaque; holds a copy of its SPKI */
/* spki: whole SubjectPublicKeyInfo. Size bounds and shape (RSA 1024..LIMIT_RSA_BITS_MAX, odd exponent ≥ 3; EC P-256, 384,
   521, uncompressed, on the curve) are checked before any arithmetic; ERR_WEAK_KEY, ERR_MALFORMED, or ERR_BAD_ALG for
   other kinds of key. */
NODISCARD enum err public_key_parse(struct bytes spki, struct public_key **ret, struct why *why);
void public_key_free(struct public_key *key);
AUTO_DECLARE(public_key)
enum key_kind public_key_kind(const struct public_key *key);
int public_key_bits(const struct public_key *key);
struct bytes public_key_spki(const struct public_key *key);  /* borrowed */
/* What its private half signs with by default: SHA-256 for RSA and P-256, SHA-384 for P-384, SHA-512 for P-521. */
struct signature_algorithm public_key_signature_algorithm(const struct public_key *key);
/* B12: too short, exponent other than 65537 (no setting widens it), factors below 752, ROCA, primes that Fermat's method
   finds in 100 rounds: ERR_WEAK_KEY with the reason. Lists of the keys of Debian's 2008 fault are not carried. */
NODISCARD enum err public_key_check_weak(const struct public_key *key, int min_rsa_bits, struct why *why);
/* The octets of subjectPublicKey, without unused bits: a view into spki. */
NODISCARD bool spki_key_octets(struct bytes spki, struct bytes *ret);
/* RFC 5280 4.2.1.2 (1): SHA-1 over the BIT STRING's octets. */
NODISCARD enum err spki_key_identifier(struct bytes spki, uint8_t ret[static 20], struct why *why);
/* ERR_BAD_MESSAGE_CHECK: does not verify; ERR_BAD_ALG: the algorithm is not of the key's kind. PSS and EdDSA do not
   exist here. Any thread may use one key. */
NODISCARD enum err public_key_verify(const struct public_key *key, struct signature_algorithm algorithm,
                                     struct bytes data, struct bytes signature, struct why *why);
/* RSASSA-PSS with that digest in all of its places, and a salt of its length (RFC 7518 3.5): for what is signed outside of PKI objects. */
NODISCARD enum err public_key_verify_pss(const struct public_key *key, enum digest digest, struct bytes data, struct bytes signature,
                                         struct why *why);
/* Encrypts a content-encryption key to an RSA key. */
NODISCARD enum err public_key_encrypt(const struct public_key *key, enum transport transport, const struct oaep *oaep,
                                      struct bytes plain, struct buf *ret, struct why *why);

struct key;
struct key_ops {
    const char *name;
    /* signature over data hashed with digest: PKCS#1 v1.5 for RSA, ECDSA-Sig-Value for EC */
    enum err (*sign)(const struct key *key, enum digest digest, struct bytes data, struct buf *ret_signature,
                     struct why *why);
    /* RSA only: raw m = c^d mod n, exactly modulus-length octets, no padding judged (spec security.md B1) */
    enum err (*decrypt)(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why);
    /* EC only: ECDH with a key on the same curve, the x coordinate, as long as the curve's field (SP 800-56A 5.7.1.2).
       NULL: this implementation has none */
    enum err (*agree)(const struct key *key, const struct public_key *peer, struct secret *ret_shared, struct why *why);
    void (*free)(struct key *key);                           /* what the implementation made, itself included; not
                                                                public_half, which key_free frees before */
};
struct key { const struct key_ops *ops; struct public_key *public_half; };  /* implementations embed it first */

NODISCARD enum err key_sign(const struct key *key, enum digest digest, struct bytes data, struct buf *ret_signature,
                            struct why *why);
/* Checked here for every implementation: ERR_MALFORMED when in is not exactly as long as the modulus,
   ERR_BAD_MESSAGE_CHECK when it is not less than it (RFC 8017 5.1.2). Both are facts anybody can see from outside, so
   they are no oracle by themselves; but the answer must not differ from that to any other ciphertext: the caller treats
   both as bad padding (implicit rejection). Every other error is our own fault. ret_raw is secret: buf_wipe it. */
NODISCARD enum err key_decrypt_raw(const struct key *key, struct bytes in, struct buf *ret_raw, struct why *why);
/* ERR_BAD_ALG: not two EC keys on one curve. The peer's point was checked by public_key_parse. */
NODISCARD enum err key_agree(const struct key *key, const struct public_key *peer, struct secret *ret_shared,
                             struct why *why);
void key_free(struct key *key);
AUTO_DECLARE(key)
/* public_key_signature_algorithm of its public half. */
struct signature_algorithm key_signature_algorithm(const struct key *key);

/* Private-key operations at once: one gate per process, made in main with the core count; NULL = no limit (tests). */
struct key_gate;
struct key_gate *key_gate_new(unsigned at_once);
void key_gate_free(struct key_gate *gate);

/* key_file.c: an encrypted PKCS#8 PEM file (mode 0400), unlocked by the role's 32-byte secret or a passphrase. */
NODISCARD enum err key_file_load(const char *path, const struct secret *unlock, struct key_gate *gate, struct key **ret,
                                 struct why *why);
enum key_protection { KEY_PROTECT_SECRET, KEY_PROTECT_PASSPHRASE };   /* PBKDF2 over a random secret; scrypt */
struct key_spec { enum key_kind kind; int rsa_bits; };
NODISCARD enum err key_generate(const struct key_spec *spec, struct key_gate *gate, struct key **ret, struct why *why);
/* Refuses to overwrite. Only keys of this implementation can be saved. */
NODISCARD enum err key_file_save(const struct key *key, const char *path, const struct secret *unlock,
                                 enum key_protection protection, struct why *why);
