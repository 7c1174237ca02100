/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic challenge (spec challenge.md): what the management service says about one request that a device will make. Sealed,
   it goes through the device and the SCEP service untouched: `ca` alone can read it, and nobody but the service can have made
   it. */
#pragma once
#include "base/limits.h"
#include "x509/cert.h"
#include "x509/csr.h"

/* What the request has to ask for; the certificate is made from it. */
struct challenge_expectation {
    struct bytes subject;                                    /* whole Name; empty only beside a SAN */
    struct bytes san;                                        /* whole GeneralNames; empty: none */
    struct bytes eku;                                        /* content of ExtKeyUsageSyntax; not empty */
    bool eku_unasked;                                        /* a platform whose profile cannot say it (Apple's): none in the request is
                                                                fine, another one never */
    uint16_t key_usage;                                      /* not 0, and nothing that signs certificates or CRLs */
    enum key_kind key_kind; int rsa_bits;                    /* rsa_bits: exactly so many; 0 for EC */
    int64_t validity_s;                                      /* 0: the template's; never more than that */
    bool is_bound; uint8_t key_digest[32];                   /* SHA-256 of the SubjectPublicKeyInfo, where the device named its key */
};
struct challenge {
    uint8_t id[16];                                          /* random; used once */
    struct bytes profile; int64_t profile_version;           /* ids are UUIDs as text, lower case; versions begin with 1 */
    struct bytes device, user;                               /* user is empty where the device has none */
    int64_t not_before, expires;                             /* valid from the first to before the second */
    struct challenge_expectation expects;
};

/* As ids of profiles, devices and users are written: 36 characters, lower case. */
bool challenge_is_uuid(struct bytes text);

/* encode.c: strict DER, in both directions by the same rules: each field within its bounds, names and SANs well-formed. What is
   decoded are views into der. ERR_CHALLENGE_REQUEST_ID, _DEVICE, _USER for those fields, ERR_CHALLENGE_MALFORMED for the rest. */
NODISCARD enum err challenge_encode(const struct challenge *challenge, struct buf *ret_der, struct why *why);
NODISCARD enum err challenge_decode(struct bytes der, struct challenge *ret, struct why *why);

/* Somebody else's certificate and the public key in it; a certificate of ours and the private key for it. P-256, all of them. */
struct challenge_peer { const struct cert *cert; const struct public_key *key; };
struct challenge_own { const struct cert *cert; const struct key *key; };

struct challenge_seal_params {
    struct challenge_own signer;                             /* of the management service */
    const struct challenge_peer *recipients; size_t recipient_count;   /* 1 to LIMIT_CHALLENGE_RECIPIENTS, all registered CRPs */
};
/* The text that a device puts into its request: base64, at most LIMIT_CHALLENGE_BYTES of PrintableString characters. */
NODISCARD enum err challenge_seal(const struct challenge *challenge, const struct challenge_seal_params *params,
                                  struct buf *ret_text, struct why *why);

struct challenge_keys {
    const struct challenge_peer *signers; size_t signer_count;         /* pinned: the current one and its predecessor */
    const struct challenge_own *own; size_t own_count;                 /* the CRP's generations */
};
struct challenge_opened {
    struct buf storage;                                      /* what the views of challenge show */
    struct challenge challenge;
    size_t signer, own;                                      /* which of the keys it was */
};
/* Phase 1: the text as csr_challenge_utf8 gives it. Nothing in it is decrypted, or read beyond the names of signer and signature,
   before the signature of a pinned signer has verified. Refusals are ERR_CHALLENGE_ENCODING, _SIGNER, _SIGNATURE, _DECRYPTION,
   what challenge_decode has, _EARLY and _EXPIRED, in this order; any other error is our own fault. */
NODISCARD enum err challenge_open(struct bytes text, const struct challenge_keys *keys, int64_t now,
                                  struct challenge_opened *ret, struct why *why);
void challenge_opened_free(struct challenge_opened *opened);

/* Phase 3: does the request ask for exactly this? key is the request's own, read by public_key_parse. The sentence names the first
   difference with both values; the error's validation API code says which field it is in. What counts as the same name:
   docs/decisions/017. */
NODISCARD enum err challenge_compare(const struct challenge *challenge, const struct csr *csr, const struct public_key *key,
                                     struct why *why);
